"""Inspections of a Provider's facilities and records: announced or not, refused, answered in time, closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from tests.journeys.stories import HARBOR, SUMMIT, new_world
from tests.journeys.test_examinations import no_difference
from tests.journeys.test_journeys import refused
from tests.journeys.test_supervision import away
from tests.parties.test_papers import texts_of

from towncircle.kernel.errors import BadInput, Refused
from towncircle.postal.inspections import Found, Visit
from towncircle.rules.acts import acts, acts_told
from towncircle.world.config import POSTAL
from towncircle.world.inspecting import announce, answer, close, inspections, report
from towncircle.world.inspection_papers import write_papers
from towncircle.world.recording import record
from towncircle.world.supervising import kept
from towncircle.world.world import World

STORE = "the store at Nashua"


def found(outcome: str, *findings: str, not_shown: tuple[str, ...] = ()) -> Found:
    return Found(outcome=outcome, document="ab" * 32, findings=findings, not_shown=not_shown)


@pytest.mark.requirement("502.19/2", "502.25b/2", "502.1/3")
def test_inspections_are_announced_or_not_answered_and_closed(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    today = world.clock.now().date_in("America/New_York")
    visit = Visit(provider=HARBOR, scope="distribution", site=STORE)
    again = Visit(provider="", scope="", site="")
    with pytest.raises(Refused) as caught:
        announce(world, inspection="I-1", on=today, visit=visit)
    assert (caught.value.code, caught.value.clause) == ("inspection.not-ahead", "502.19")
    day = date.fromordinal(today.toordinal() + 2)
    with refused("person.other-office"):
        announce(world, inspection="I-1", on=day, by="postmaster", visit=visit)
    announce(world, inspection="I-1", on=day, visit=replace(visit, records=("shipping book",)))
    (notified,) = kept(world, HARBOR, "inspection")
    assert (notified.body["on"], notified.body["records"]) == (day.isoformat(), ["shipping book"])
    with refused("inspection.taken"):
        announce(world, inspection="I-1", on=day, visit=replace(visit, provider=SUMMIT))
    world.advance("2d")
    with refused("inspection.other"):
        report(world, inspection="I-1", visit=replace(again, site="elsewhere"), what=found("in-order"))
    with refused("inspection.incomplete"):
        report(world, inspection="I-1", visit=again, what=found("deficient"))
    with refused("inspection.incomplete"):  # it was not asked for
        report(world, inspection="I-1", visit=again, what=found("deficient", not_shown=("ledger",)))
    with refused("inspection.incomplete"):  # a record that was not shown is no order
        report(world, inspection="I-1", visit=again, what=found("in-order", not_shown=("shipping book",)))
    what = found("deficient", "no lock", not_shown=("shipping book",))
    held = report(world, inspection="I-1", visit=again, what=what)
    assert (held.body["announced"], held.body["state"]) == (day.isoformat(), "open")
    assert held.body["findings"] == ["no lock", "Not shown: shipping book"]
    with refused("inspection.reported"):
        report(world, inspection="I-1", visit=again, what=found("in-order"))
    with refused("inspection.not-answered"):
        close(world, inspection="I-1", outcome="corrected", words="seen")
    with refused("inspection.answers"):
        answer(world, provider=HARBOR, inspection="I-1", answers=("a lock",), document=b"a")
    answer(world, provider=HARBOR, inspection="I-1", answers=("a lock", "enclosed"), document=b"a")
    with refused("inspection.answers"):
        answer(world, provider=HARBOR, inspection="I-1", answers=("a lock", "enclosed"), document=b"a")
    assert close(world, inspection="I-1", outcome="corrected", words="seen on a second visit").body["state"] == "closed"
    assert [row.body["end"] for row in kept(world, HARBOR, "inspection")] == ["corrected"]
    with world.store(POSTAL).reading() as view:
        facts = [fact for fact in view.facts() if fact.type == "inspection.reported"]
    assert [act.name for fact in facts for act in acts_told(fact)] == ["distribution-inspection"]
    no_difference(world, tmp_path / "export")
    with refused("inspection.unknown"):
        write_papers(world, "I-9", tmp_path)
    papers = texts_of(write_papers(world, "I-1", tmp_path / "papers"))
    for name, said in {
        "announcement": ("Announcement of an inspection SPECIMEN Inspection I-1 To provider.harbor",
                         f"Day of the visit {day} Under 502.19", "Records asked for 1. shipping book"),
        "report": (f"Announced for {day} Outcome deficient", f"{'ab' * 32} Under 502.19",
                   "What was found 1. no lock 2. Not shown: shipping book", "within 15 days of this report"),
        "answer": ("To postal.usps By provider.harbor", "Finding 1 no lock Answer: a lock",
                   "Finding 2 Not shown: shipping book Answer: enclosed"),
        "end": ("By postal.usps, the inspector", "Outcome corrected", "Reasons seen on a second visit"),
    }.items():  # fmt: skip
        text = papers.pop(f"inspection-I-1-{name}.pdf")
        assert [words for words in said if words not in text] == [], text
    assert papers == {}


def overtaken(world: World) -> None:
    """Have the second message of two that wait arrive before the first."""
    with world.store(POSTAL).transaction() as tx:
        first, last = sorted(tx.find("outgoing", owner="waiting"), key=lambda one: int(one.body["order"]))
        late = {**first.body, "order": int(last.body["order"]) + 1}
        tx.put("outgoing", first.key, late, owner="waiting", expected=first.version)
    world.deliver()


def check_papers(world: World, day: date, out: Path) -> None:
    texts = texts_of(write_papers(world, "I-3", out))
    assert list(texts) == [f"inspection-I-3-{name}.pdf" for name in ("announcement", "report", "answer", "end")]
    early = f"Announced unannounced: the inspector came before {day} Outcome the inspection was refused"
    assert early in texts["inspection-I-3-report.pdf"]
    assert "How it was refused 1. nobody opened" in texts["inspection-I-3-report.pdf"]
    assert "a suspension (502.5) or a sanction (502.21) may follow" in texts["inspection-I-3-end.pdf"]
    (only,) = texts_of(write_papers(world, "I-2", out)).values()
    assert "Announced no: unannounced Outcome in order" in only


@pytest.mark.requirement("502.19/2", "502.1/3")
def test_one_that_is_refused_or_comes_before_its_day_is_told_so_and_opens_a_case_where_nobody_answers(
    tmp_path: Path,
) -> None:
    world = new_world(tmp_path / "world")
    today = world.clock.now().date_in("America/New_York")
    visit = Visit(provider=HARBOR, scope="factory", site="the works")
    held = report(world, inspection="I-2", visit=visit, what=found("in-order"))
    assert (held.body["announced"], held.body["state"]) == ("", "closed")
    day = date.fromordinal(today.toordinal() + 9)
    visit = replace(visit, scope="resetting")
    announce(world, inspection="I-3", visit=visit, on=day)
    with refused("inspection.incomplete"):
        report(world, inspection="I-3", visit=visit, what=found("refused"))
    held = report(world, inspection="I-3", visit=visit, what=found("refused", "nobody opened"))
    assert held.body["announced"] == ""  # the inspector came before the day
    world.advance("17d")
    with world.store(HARBOR).reading() as view:
        opened = [str(dict(fact.body)) for fact in view.facts() if fact.type == "limit.case-opened"]
    assert any("inspection not answered" in case for case in opened)
    answer(world, provider=HARBOR, inspection="I-3", answers=("the gate is manned",), document=b"a")  # late, and filed
    assert close(world, inspection="I-3", outcome="referred", words="a sanction").body["end"] == "referred"
    check_papers(world, day, tmp_path / "papers")
    with refused("inspection.unknown"):
        report(world, inspection="I-4", visit=Visit(provider="", scope="", site=""), what=found("in-order"))
    assert [row.body["state"] for row in inspections(world)] == ["closed", "closed"]
    no_difference(world, tmp_path / "export")
    what = found("deficient", "no lock")
    with away(world):  # the end comes before the report, and stays the end
        report(world, inspection="I-5", visit=replace(visit, scope="factory"), what=what)
        close(world, inspection="I-5", outcome="referred", words="a sanction")
    overtaken(world)
    (told,) = (row.body for row in kept(world, HARBOR, "inspection") if row.key == "I-5")
    assert (told["state"], told["end"], told["findings"]) == ("closed", "referred", ["no lock"])
    day = date.fromordinal(world.clock.now().date_in("America/New_York").toordinal() + 2)
    with away(world):  # the report comes before the announcement, which is kept all the same
        announce(world, inspection="I-6", visit=visit, on=day)
        report(world, inspection="I-6", visit=visit, what=what)
    overtaken(world)
    (told,) = (row.body for row in kept(world, HARBOR, "inspection") if row.key == "I-6")
    assert (told["state"], told["on"], told["findings"]) == ("open", day.isoformat(), ["no lock"])
    world.advance("30d")
    with world.store(HARBOR).reading() as view:
        cases = [fact for fact in view.facts() if fact.type == "limit.case-opened" and "I-5" in str(dict(fact.body))]
    assert cases == []  # nothing of it is to be answered any more
    no_difference(world, tmp_path / "later")
    for act in (act for act in acts().values() if act.command):
        by = POSTAL if act.by == "postal" else HARBOR
        with pytest.raises(Refused) as caught:
            record(world, act.name, by=by, reference="r-1", document=b"paper")
        assert (caught.value.code, caught.value.clause) == ("acts.done-by", act.clause)
        assert act.command in caught.value.next_step
    with pytest.raises(BadInput):
        record(world, "no-such-act", by=POSTAL, reference="r-1", document=b"paper")
    world.close()
