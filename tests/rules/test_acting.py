"""What follows a limit is done once, in order, whenever and however often the worker looks."""

from collections import Counter
from collections.abc import Iterable
from types import MappingProxyType

from towncircle.kernel.context import Context
from towncircle.kernel.facts import Fact
from towncircle.kernel.instants import Instant
from towncircle.kernel.randomness import SeededRandomness
from towncircle.kernel.store import MemoryStore
from towncircle.provider.denials import EFFECTS
from towncircle.rules import ruleset
from towncircle.rules.acting import act, pending
from towncircle.rules.duties import Sorted, derive

RULES = ruleset("ibi-1998")
HARBOR, DEVICE = "provider.harbor", "TC1B0000000001"
LEASED = Instant.parse("1998-10-15T14:00Z")


class Journal:
    """A Provider's journal and the worker that looks at it."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.dice = SeededRandomness(1, "acting")
        self.runs = 0

    def context(self, tx: object, now: Instant) -> Context:
        return Context(
            tx=tx,  # type: ignore[arg-type]  # the store's own
            now=now,
            party=HARBOR,
            actor=HARBOR,
            randomness=self.dice,
            rule_digest=RULES.digest,
            unseal=lambda *_: None,
        )

    def note(
        self, kind: str, at: Instant, *, recorded: Instant | None = None, subject: str = DEVICE, **body: str
    ) -> None:
        with self.store.transaction() as tx:
            ctx = self.context(tx, recorded or at)
            ctx.note(kind, subject, occurred_at=at, licensee="licensee.mailroom", **body)

    def look(self, now: Instant) -> list[str]:
        with self.store.transaction() as tx:
            count = len(tx.facts())
            act(self.context(tx, now), RULES, effects=EFFECTS)
            return words(tx.facts()[count:])

    def facts(self) -> list[Fact]:
        with self.store.reading() as view:
            return view.facts()

    def denied(self) -> list[str]:
        with self.store.reading() as view:
            row = view.get("denial", DEVICE)
        return sorted(row.body["duties"].values()) if row else []


def words(facts: Iterable[Fact]) -> list[str]:
    return [f"{fact.type} {fact.body.get('limit')} {fact.body.get('to', '')}".strip() for fact in facts]


def leased() -> Journal:
    journal = Journal()
    journal.note("custody.leased", LEASED)
    return journal


def in_use() -> Journal:
    """Give the journal of a device that was set on the day of its lease."""
    journal = leased()
    journal.note("reset.posted", LEASED, subject="REQ-222222222222", device=DEVICE)
    return journal


def done(journal: Journal) -> list[tuple[str, str, str]]:
    return [
        (fact.type, fact.body["duty"], fact.body.get("to", ""))
        for fact in journal.facts()
        if "duty" in fact.body and fact.type != "limit.reminded"
    ]


def test_a_second_look_at_the_same_instant_does_nothing() -> None:
    journal = leased()
    now = LEASED.plus(days=300)
    assert journal.look(now) != []
    assert journal.look(now) == []


def test_a_look_after_missed_days_does_what_daily_looks_would_have_done_each_once_and_in_order() -> None:
    daily, late = in_use(), in_use()
    for day in range(1, 301):
        daily.look(LEASED.plus(days=day))
    late.look(LEASED.plus(days=300))
    strip = [(kind, duty.split()[0], duty.split()[2:], to) for kind, duty, to in done(daily)]
    assert strip == [(kind, duty.split()[0], duty.split()[2:], to) for kind, duty, to in done(late)]
    assert max(Counter(done(daily)).values()) == 1
    missed = [fact.occurred_at for fact in late.facts() if fact.type == "limit.missed"]
    assert missed == sorted(missed)
    assert len(missed) > 8
    reminded = [fact for fact in daily.facts() if fact.type == "limit.reminded"]
    monthly, once = "lost-and-stolen-file", "reset-document"
    assert {fact.body["limit"] for fact in reminded} == {"device-audit", "quality-piece", monthly, once}
    assert all(fact.recorded_at <= Instant.parse(fact.body["until"]) for fact in reminded)


def test_what_is_done_late_is_dated_truly() -> None:
    journal = leased()
    now = LEASED.plus(days=100)
    journal.look(now)
    facts = [fact for fact in journal.facts() if fact.body.get("limit") == "device-audit"]
    assert {fact.recorded_at for fact in facts} == {now}
    assert (
        {fact.type: fact.occurred_at.iso()[:10] for fact in facts}
        == {
            "limit.missed": "1999-01-16",  # the last instant of 15 January in Washington
            "notice.given": now.iso()[:10],
            "limit.case-opened": now.iso()[:10],
            "resets.denied": now.iso()[:10],
        }
    )


def test_a_reminder_is_given_once_and_anew_for_the_next_time() -> None:
    journal = leased()
    for day in (78, 79, 80):
        journal.look(LEASED.plus(days=day))
    journal.note("audit.taken", LEASED.plus(days=81))
    for day in (82, 160, 161, 162):
        journal.look(LEASED.plus(days=day))
    facts = [fact for fact in journal.facts() if fact.body.get("limit") == "device-audit"]
    reminded = [fact for fact in facts if fact.type == "limit.reminded"]
    assert [(fact.recorded_at - LEASED) // 86_400_000_000 for fact in reminded] == [78, 160]
    assert {fact.body["to"] for fact in reminded} == {HARBOR}


def test_a_denial_falls_when_the_limit_is_met_after_all() -> None:
    journal = leased()
    journal.look(LEASED.plus(days=100))
    assert journal.denied() == ["device-audit"]
    journal.note("audit.taken", LEASED.plus(days=101))
    assert journal.look(LEASED.plus(days=102)) == [
        "limit.mended device-audit",
        "limit.case-closed device-audit",
        "resets.allowed device-audit",
    ]
    assert journal.denied() == []
    assert journal.look(LEASED.plus(days=103)) == []


def test_an_audit_that_was_made_in_time_and_known_too_late_takes_the_denial_back() -> None:
    journal = leased()
    journal.look(LEASED.plus(days=100))
    journal.note("audit.taken", LEASED.plus(days=90), recorded=LEASED.plus(days=101))
    assert "resets.allowed device-audit" in journal.look(LEASED.plus(days=101))
    assert journal.denied() == []


def test_two_missed_limits_deny_until_both_are_met() -> None:
    journal = in_use()
    journal.look(LEASED.plus(days=300))
    assert journal.denied() == ["device-audit", "quality-piece"]
    journal.note("audit.taken", LEASED.plus(days=301))
    journal.look(LEASED.plus(days=301))
    assert journal.denied() == ["quality-piece"]
    journal.note("quality-piece.received", LEASED.plus(days=302))
    journal.look(LEASED.plus(days=302))
    assert journal.denied() == []


def test_a_device_that_went_back_is_not_denied_any_more() -> None:
    journal = leased()
    journal.look(LEASED.plus(days=100))
    journal.note("custody.returned", LEASED.plus(days=101))
    journal.look(LEASED.plus(days=101))
    assert journal.denied() == []


def test_every_act_is_made_under_the_digest_of_its_rules_and_names_its_clause_and_anchor() -> None:
    journal = leased()
    journal.look(LEASED.plus(days=300))
    ids = {fact.id for fact in journal.facts()}
    for fact in journal.facts()[1:]:
        assert fact.rule_digest == RULES.digest
        assert fact.clauses == (RULES.limits[fact.body["limit"]].clause,)
        assert fact.body.get("anchor", journal.facts()[0].id) in ids


def test_the_body_of_an_act_names_no_person() -> None:
    journal = leased()
    journal.look(LEASED.plus(days=300))
    allowed = {"limit", "duty", "anchor", "until", "shape", "to", "case"}
    assert all(set(MappingProxyType(dict(fact.body))) <= allowed for fact in journal.facts()[1:])


def test_what_was_planned_is_done_as_planned_only_while_the_journal_is_the_same() -> None:
    now, twice = Instant.parse("1999-04-20T14:00Z"), leased()
    journal = leased()
    facts = journal.facts()
    planned = len(facts), pending(RULES, facts, party=HARBOR, now=now)
    assert planned[1]
    for one in (journal, twice):
        with one.store.transaction() as tx:
            act(one.context(tx, now), RULES, effects=EFFECTS, planned=planned if one is journal else (-1, ()))
    assert words(journal.facts()) == words(twice.facts())
    with journal.store.transaction() as tx:  # another worker did it in between
        assert act(journal.context(tx, now), RULES, effects=EFFECTS, planned=planned) == []
    assert words(journal.facts()) == words(twice.facts())


def test_a_journal_that_is_kept_sorted_gives_the_duties_of_one_read_anew() -> None:
    journal, kept = in_use(), Sorted()
    for month in range(1, 9):
        now = Instant.parse(f"1999-0{month}-28T14:00Z")
        journal.look(now)
        journal.note("audit.taken", now, reset="")
        facts = journal.facts()
        fresh = derive(RULES, facts, party=HARBOR, as_of=now)
        assert derive(RULES, facts, party=HARBOR, as_of=now, known=kept) == fresh
        before = now.plus(days=-1)  # of an earlier instant, what was recorded later is not known
        assert derive(RULES, facts, party=HARBOR, as_of=before, known=kept) == derive(
            RULES, facts, party=HARBOR, as_of=before
        )
