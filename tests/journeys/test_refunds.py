"""Unused postage: sent in, scanned, certified by another, decided, credited once; every piece has one fate."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.journeys.stories import ANNEX, HARBOR, MAILROOM, REGIMES, hold_all, mailer, new_world, reopened

from towncircle.auditor import audit
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import JobId
from towncircle.kernel.money import ZERO, Mills
from towncircle.ledger import POSTAL as POSTAL_CHART
from towncircle.ledger import Books
from towncircle.licensee.looks import Look
from towncircle.mailpiece.address_files import public_addresses
from towncircle.rules import ruleset
from towncircle.rules.duties import derive
from towncircle.verification import Observed
from towncircle.verification.refunding import kept_until, share_of
from towncircle.wire.bodies import RefundStatement
from towncircle.world import labels, missing, printing, refunding, returning, verifying
from towncircle.world.config import POSTAL
from towncircle.world.exporting import export
from towncircle.world.journeys import Journeys
from towncircle.world.verifying import Mark
from towncircle.world.world import World

PEOPLE = public_addresses()[:3]
PERSONS = {HARBOR: ("ann", "ben", "cleo"), POSTAL: ("mats", "olaf"), MAILROOM: ("dora",)}


@contextmanager
def refused(code: str) -> Iterator[pytest.ExceptionInfo[Refused]]:
    with pytest.raises((Refused, BadInput)) as caught:
        yield caught  # type: ignore[misc]  # both have a code
    assert caught.value.code == code


def authorise(world: World) -> None:
    for party, names in PERSONS.items():
        hold_all(world, party, *names)


def funded(folder: Path, regime: str = "imi-2024") -> Journeys:
    """Give a mailer with postage set, in a world where everybody has authorised persons."""
    world = new_world(folder, regime)
    authorise(world)
    return mailer(world, deposit=300, reset=200)


def printed(journeys: Journeys, count: int = 3) -> tuple[bytes, ...]:
    """Print pieces and give what stands on them."""
    done = printing.print_job(journeys, PEOPLE[:count], journeys.world.folder / "out", formats=("pdf",))
    journeys.contact()
    return tuple(bytes.fromhex(one) for one in done.job.body["indicia"])


@pytest.fixture
def journeys(tmp_path: Path) -> Iterator[Journeys]:
    made = funded(tmp_path / "world")
    yield made
    made.world.close()


def account(world: World, licensee: str = MAILROOM) -> Mills:
    with world.store(HARBOR).reading() as view:
        assert Books(view).equation(licensee).difference == ZERO
        return Books(view).balance(f"account/{licensee}")


def trust(world: World) -> Mills:
    with world.store(POSTAL).reading() as view:
        return Books(view, POSTAL_CHART).balance(f"trust/{HARBOR}/{MAILROOM}")


def mailed(world: World, payload: bytes) -> str:
    mark = Mark(file="piece", page=1, payload=payload)
    return verifying.record(mark, world, site="Washington DC P&DC").verdict.verdict


def scanned(world: World, payload: bytes, observed: Observed | None = None) -> str:
    """Scan a piece at a facility; give its disposition."""
    mark = Mark(file="piece", page=1, payload=payload)
    return verifying.record(mark, world, site="somewhere", observed=observed).verdict.disposition


def certified(journeys: Journeys, pieces: tuple[bytes, ...]) -> str:
    told = refunding.submit(journeys, pieces, by="dora")
    refunding.scan(journeys.world, told.refund, pieces, by="ann")
    refunding.certify(journeys.world, told.refund, by="ben")
    return told.refund


def codes(told: RefundStatement) -> list[tuple[int, str]]:
    return [(one.piece, one.code) for one in told.annotations]


def audited(world: World, out: Path) -> None:
    assert export(world, out).quiet
    assert [str(one) for one in audit(out).differences] == []


@cites("502.27a", "P050-3.3b", "PRE-19")
@pytest.mark.parametrize("regime", REGIMES)
def test_unused_pieces_are_credited_once_with_what_they_cost(regime: str, tmp_path: Path) -> None:
    journeys = funded(tmp_path / "world", regime)
    world, pieces = journeys.world, printed(journeys)
    before, held = account(world), trust(world)
    refund = certified(journeys, pieces[:2])
    assert account(world) == before  # nothing moves on the Provider's word
    decided = refunding.decide(world, refund, by="mats")
    amount = Mills(decided.body["amount"])
    assert (decided.body["state"], account(world)) == ("granted", before + amount)
    assert trust(world) == held + amount
    told = refunding.follow(journeys, refund)
    assert (told.state, told.amount, told.total, told.account_balance) == ("credited", amount, amount, before + amount)
    assert refunding.decide(world, refund, by="mats").body == decided.body  # a retry
    assert refunding.certify(world, refund, by="ben").body["state"] == "credited"
    assert account(world) == before + amount
    assert refunding.submit(journeys, pieces[:2]).refund == refund
    with world.store(MAILROOM).reading() as view:
        claims = [fact for fact in view.facts() if fact.type == "refund.claimed"]
    assert [(fact.body["refund"], fact.body["count"]) for fact in claims] == [(refund, 2)]
    audited(world, tmp_path / "export")
    world.close()


@cites("502.27a/2", "P050-4.5/7")
def test_unused_tapes_of_a_piece_are_refunded_each_with_what_it_shows(journeys: Journeys, tmp_path: Path) -> None:
    world = journeys.world
    labels.approve(world, stock="tape-roll", form="tape", reference="MTM-L-1")
    look = Look(stock="tape-roll", each=Mills(500))
    done = printing.print_job(journeys, PEOPLE[:1], tmp_path / "tapes", formats=(), look=look)
    journeys.contact()
    first, second = (bytes.fromhex(one) for one in done.job.body["indicia"])
    amounts = [Mills(piece["amount"]) for piece in done.job.body["pieces"]]
    assert amounts == [Mills(500), done.total - Mills(500)]
    before = account(world)
    refund = certified(journeys, (second,))  # the other one is on the piece
    decided = refunding.decide(world, refund, by="mats")
    assert (decided.body["state"], account(world)) == ("granted", before + amounts[1])
    assert mailed(world, first) == "VALID"
    assert mailed(world, second) == "DUPLICATE"
    with refused("refund.claimed"):  # nor is it printed again
        printing.reprint_job(journeys, JobId(done.job.key), (2,), tmp_path / "again")
    with refused("refund.nothing-qualifies"):  # it was mailed
        certified(journeys, (first,))
    audited(world, tmp_path / "export")


@cites("502.27a/3")
def test_a_refunded_piece_that_is_mailed_is_a_duplicate_and_the_clause_is_said(journeys: Journeys) -> None:
    world, pieces = journeys.world, printed(journeys)
    refund = certified(journeys, pieces[:1])
    refunding.decide(world, refund, by="mats")
    judged = verifying.record(Mark(file="piece", page=1, payload=pieces[0]), world, site="somewhere").verdict
    fault = judged.finding("used.repaid")
    assert (judged.verdict, judged.disposition) == ("DUPLICATE", "reject")
    assert fault is not None
    assert fault.clause == "502.27(a)"
    assert refund in fault.text
    assert mailed(world, pieces[1]) == "VALID"


@cites("502.27a/3", "502.27a/4")
def test_a_piece_that_was_mailed_before_the_scan_is_annotated_and_the_rest_is_paid(
    journeys: Journeys, tmp_path: Path
) -> None:
    world, pieces = journeys.world, printed(journeys)
    before = account(world)
    assert mailed(world, pieces[0]) == "VALID"
    refund = certified(journeys, pieces)
    told = refunding.follow(journeys, refund)
    assert codes(told) == [(1, "used.mailed")]
    assert told.total < told.claimed
    refunding.decide(world, refund, by="mats")
    assert account(world) == before + told.total
    audited(world, tmp_path / "export")


@cites("502.27a/3")
def test_a_piece_that_is_mailed_between_certification_and_decision_is_struck(
    journeys: Journeys, tmp_path: Path
) -> None:
    world, pieces = journeys.world, printed(journeys)
    before = account(world)
    refund = certified(journeys, pieces[:2])
    assert mailed(world, pieces[0]) == "VALID"
    held = refunding.decide(world, refund, by="mats")
    told = refunding.follow(journeys, refund)
    assert (held.body["state"], codes(told)) == ("granted", [(1, "used.mailed")])
    assert account(world) == before + told.amount
    alone = certified(journeys, pieces[2:])
    assert mailed(world, pieces[2]) == "VALID"
    assert refunding.decide(world, alone, by="mats").body["state"] == "refused"
    told = refunding.follow(journeys, alone)
    assert (told.state, told.amount, codes(told)) == ("refused", ZERO, [(1, "used.mailed")])
    assert told.annotations[0].clause == "502.27(a)"
    audited(world, tmp_path / "export")


HELD = Observed(origin="99501")  # deposited elsewhere than at the licensing office


@cites("502.27a/3")
def test_a_piece_that_was_held_and_given_back_qualifies(journeys: Journeys, tmp_path: Path) -> None:
    world, pieces = journeys.world, printed(journeys)
    before = account(world)
    assert scanned(world, pieces[0], HELD) == "hold"
    refund = certified(journeys, pieces)
    told = refunding.follow(journeys, refund)
    assert (codes(told), told.total) == ([], told.claimed)
    refunding.decide(world, refund, by="mats")
    assert account(world) == before + told.claimed
    audited(world, tmp_path / "export")


@cites("502.27a/3")
def test_a_piece_that_is_held_between_certification_and_decision_has_one_fate(
    journeys: Journeys, tmp_path: Path
) -> None:
    world, pieces = journeys.world, printed(journeys)
    refund = certified(journeys, pieces[:2])
    assert scanned(world, pieces[0], HELD) == "hold"
    assert refunding.decide(world, refund, by="mats").body["state"] == "granted"
    assert codes(refunding.follow(journeys, refund)) == []
    assert scanned(world, pieces[0]) == "reject"
    audited(world, tmp_path / "export")


def test_a_piece_is_refunded_once_and_twice_on_a_form_counts_once(journeys: Journeys) -> None:
    world, pieces = journeys.world, printed(journeys)
    first = certified(journeys, pieces[:1])
    refunding.decide(world, first, by="mats")
    again = refunding.submit(journeys, (pieces[0], pieces[1], pieces[1]))
    refunding.scan(world, again.refund, pieces, by="ann")
    assert codes(refunding.follow(journeys, again.refund)) == [
        (1, "refund.certified-elsewhere"),
        (3, "refund.twice"),
    ]


def test_a_piece_that_did_not_come_in_is_annotated(journeys: Journeys) -> None:
    world, pieces = journeys.world, printed(journeys)
    told = refunding.submit(journeys, pieces[:2])
    refunding.scan(world, told.refund, pieces[1:], by="ann")
    assert codes(refunding.follow(journeys, told.refund)) == [(1, "refund.not-received")]


@cites("502.27a/1")
@pytest.mark.parametrize(("step", "qualifies"), [("30d", True), ("31d", False)])
def test_the_age_is_counted_to_the_day_on_which_the_pieces_were_sent_in(
    step: str, qualifies: bool, tmp_path: Path
) -> None:
    journeys = funded(tmp_path / "world", "ibi-1998")
    world, pieces = journeys.world, printed(journeys)
    world.advance(step)
    told = refunding.submit(journeys, pieces)
    world.advance("5d")  # what the Provider and the coordinator take is not the licensee's lapse
    refunding.scan(world, told.refund, pieces, by="ann")
    found = codes(refunding.follow(journeys, told.refund))
    assert found == ([] if qualifies else [(number, "refund.window") for number in (1, 2, 3)])
    if not qualifies:
        with refused("refund.nothing-qualifies"):
            refunding.certify(world, told.refund, by="ben")
    world.close()


@cites("502.27a/5")
def test_who_scanned_or_applied_does_not_certify(journeys: Journeys) -> None:
    world, pieces = journeys.world, printed(journeys)
    told = refunding.submit(journeys, pieces, by="dora")
    with refused("refund.not-scanned"):
        refunding.certify(world, told.refund, by="ben")
    refunding.scan(world, told.refund, pieces, by="ann")
    with refused("person.same-person") as caught:
        refunding.certify(world, told.refund, by="ann")
    assert caught.value.clause == "502.27(a)(4)"
    with refused("person.unknown"):
        refunding.certify(world, told.refund, by="stranger")
    hold_all(world, HARBOR, "dora")
    with refused("person.same-person"):
        refunding.certify(world, told.refund, by="dora")


@cites("502.27a/6")
@pytest.mark.parametrize("name", ["ann", "ben", "dora", "be-n"])
def test_who_applied_scanned_or_certified_does_not_decide(name: str, journeys: Journeys) -> None:
    world, pieces = journeys.world, printed(journeys)
    before = account(world)
    refund = certified(journeys, pieces)
    hold_all(world, POSTAL, name)
    for reason in ("", "not so"):
        with refused("person.same-person") as caught:
            refunding.decide(world, refund, by=name, refuse=reason)
        assert caught.value.clause == "502.27(a)(6)"
    assert account(world) == before
    assert refunding.decide(world, refund, by="mats", refuse="the envelopes are not these").body["state"] == "refused"


def together(*jobs: object) -> list[str]:
    """Do things at the same moment; give the code of each refusal, or empty."""
    answers, gate = [""] * len(jobs), threading.Barrier(len(jobs))

    def run(place: int) -> None:
        gate.wait()
        try:
            jobs[place]()  # type: ignore[operator]  # each is a call
        except Refused as told:
            answers[place] = told.code

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(answers)


def test_two_certifications_at_once_have_one_outcome_and_the_other_is_told(journeys: Journeys, tmp_path: Path) -> None:
    world, pieces = journeys.world, printed(journeys)
    before = account(world)
    told = refunding.submit(journeys, pieces)
    refunding.scan(world, told.refund, pieces, by="ann")
    other = reopened(world.folder)
    answers = together(
        lambda: refunding.certify(world, told.refund, by="ben"),
        lambda: refunding.certify(other, told.refund, by="cleo"),
    )
    other.close()
    assert answers == ["", "refund.certified-before"]
    refunding.decide(world, told.refund, by="mats")
    assert account(world) == before + told.claimed
    audited(world, tmp_path / "export")


def test_one_piece_on_two_forms_certified_at_once_is_paid_once(journeys: Journeys, tmp_path: Path) -> None:
    world, pieces = journeys.world, printed(journeys)
    before = account(world)
    forms = [refunding.submit(journeys, given) for given in (pieces[:2], pieces[1:])]
    for form in forms:
        refunding.scan(world, form.refund, pieces, by="ann")
    other = reopened(world.folder)
    answers = together(
        lambda: refunding.certify(world, forms[0].refund, by="ben"),
        lambda: refunding.certify(other, forms[1].refund, by="cleo"),
    )
    other.close()
    assert answers == ["", "refund.piece-claimed"]
    for form in forms:
        if refunding.follow(journeys, form.refund).state == "scanned":
            refunding.scan(world, form.refund, pieces, by="ann")
            refunding.certify(world, form.refund, by="cleo")
        refunding.decide(world, form.refund, by="mats")
    spent = sum((Mills(one.claimed) for one in forms), ZERO)
    once = account(world) - before
    assert ZERO < once < spent
    with world.store(POSTAL).reading() as view:
        repaid = view.find("repaid")
    assert len(repaid) == 3
    assert sum(row.body["postage"] for row in repaid) == once
    audited(world, tmp_path / "export")


def test_a_decision_and_a_mailing_at_once_give_the_piece_one_fate(journeys: Journeys, tmp_path: Path) -> None:
    world, pieces = journeys.world, printed(journeys)
    before = account(world)
    refund = certified(journeys, pieces[:1])
    other = reopened(world.folder)
    verdicts: list[str] = []
    together(
        lambda: refunding.decide(world, refund, by="mats"),
        lambda: verdicts.append(mailed(other, pieces[0])),
    )
    other.close()
    told = refunding.follow(journeys, refund)
    assert (told.state, verdicts[0]) in (("credited", "DUPLICATE"), ("refused", "VALID"))
    assert account(world) == before + told.amount
    audited(world, tmp_path / "export")


@cites("502.27a/7")
def test_it_is_decided_once_and_a_refusal_frees_the_pieces_for_another_form(journeys: Journeys, tmp_path: Path) -> None:
    world, pieces = journeys.world, printed(journeys)
    before = account(world)
    refund = certified(journeys, pieces)
    with refused("person.unknown"):
        refunding.decide(world, refund, by="ben")
    refunding.decide(world, refund, by="mats", refuse="The envelopes were opened.")
    with refused("refund.decided-before") as caught:
        refunding.decide(world, refund, by="olaf")
    assert caught.value.clause == "502.27(a)(6)"
    told = refunding.follow(journeys, refund)
    assert (told.state, {one.sentence for one in told.annotations}) == ("refused", {"The envelopes were opened."})
    again = certified(journeys, pieces)
    assert again != refund
    refunding.decide(world, again, by="olaf")
    assert account(world) == before + told.claimed
    audited(world, tmp_path / "export")


@cites("502.27a/8", "502.27a/9")
def test_the_envelopes_are_kept_and_sampled_for_their_time(journeys: Journeys, tmp_path: Path) -> None:
    world, pieces = journeys.world, printed(journeys)
    refund = certified(journeys, pieces)
    refunding.decide(world, refund, by="mats")
    asked = refunding.sample(world, refund, by="olaf", count=2)
    assert (len(asked.pieces), asked.outcome, asked.wrong) == (2, "asked", ())
    (done,) = refunding.show(world, refund, pieces, by="ann")
    assert (done.sample, done.pieces, done.outcome, done.wrong) == (asked.sample, asked.pieces, "regular", ())
    with refused("refund.no-sample"):
        refunding.show(world, refund, pieces, by="ann")
    with world.store(HARBOR).reading() as view:
        sent = next(fact for fact in view.facts() if fact.type == "form-3533.sent")
        (duty,) = [
            one
            for one in derive(world.rules, view.facts(), party=HARBOR, as_of=world.clock.now())
            if one.limit.id == "refunded-envelopes"
        ]
    assert duty.until == kept_until(world.rules, sent.occurred_at)
    world.advance("45d")
    with refused("refund.envelopes-kept") as caught:
        refunding.destroy(world, refund, by="ann")
    assert caught.value.clause == "502.27(a)(7)"
    refunding.sample(world, refund, by="olaf", numbers=(3,))
    world.advance("1d")
    with refused("refund.sample-too-late"):
        refunding.sample(world, refund, by="olaf")
    with refused("refund.sample-open"):
        refunding.destroy(world, refund, by="ann")
    (last,) = refunding.show(world, refund, pieces[2:], by="ann")
    assert (last.pieces, last.outcome) == ((3,), "regular")
    refunding.destroy(world, refund, by="ann")
    with refused("refund.envelopes-gone"):
        refunding.destroy(world, refund, by="ann")
    audited(world, tmp_path / "export")


@cites("502.27a/9")
def test_a_sample_is_answered_with_what_is_at_hand_and_not_with_what_was_sent_in(journeys: Journeys) -> None:
    world, pieces = journeys.world, printed(journeys)
    told = refunding.submit(journeys, pieces, by="dora")
    refunding.scan(world, told.refund, pieces[1:], by="ann")  # the first never came
    refunding.certify(world, told.refund, by="ben")
    refunding.decide(world, told.refund, by="mats")
    with refused("refund.never-came") as caught:
        refunding.sample(world, told.refund, by="olaf", numbers=(1, 2))
    assert caught.value.clause == "502.27(a)(7)"
    refunding.sample(world, told.refund, by="olaf", numbers=(2, 3))
    (done,) = refunding.show(world, told.refund, pieces[2:], by="ann")  # the second is gone
    assert (done.outcome, done.pieces, done.wrong) == ("irregular", (2, 3), (2,))


@cites("502.27a/4")
def test_a_refund_in_which_nothing_qualifies_ends_and_its_pieces_may_be_sent_in_again(
    journeys: Journeys, tmp_path: Path
) -> None:
    world, pieces = journeys.world, printed(journeys)
    before = account(world)
    told = refunding.submit(journeys, pieces[:1], by="dora")
    with refused("refund.not-scanned"):
        refunding.refuse(world, told.refund, by="ann")
    refunding.scan(world, told.refund, pieces[:1], by="ann")
    with refused("refund.some-qualify"):
        refunding.refuse(world, told.refund, by="ann")
    refunding.scan(world, told.refund, pieces[1:], by="ann")  # it is not among those that came
    with refused("refund.nothing-qualifies"):
        refunding.certify(world, told.refund, by="ben")
    ended = refunding.refuse(world, told.refund, by="ann")
    assert (ended.body["state"], refunding.refuse(world, told.refund, by="ann").body) == ("refused", ended.body)
    for again in (
        lambda: refunding.refuse(world, told.refund, by="ben"),
        lambda: refunding.certify(world, told.refund, by="ben"),
        lambda: refunding.scan(world, told.refund, pieces, by="ann"),
    ):
        with refused("refund.refused-before"):
            again()
    with world.store(HARBOR).reading() as view:
        (fact,) = [one for one in view.facts() if one.type == "refund.refused"]
    assert (fact.subject, fact.clauses) == (told.refund, ("502.27(a)(4)",))
    second = certified(journeys, pieces[:1])
    assert second != told.refund
    refunding.decide(world, second, by="mats")
    assert account(world) > before
    assert codes(refunding.follow(journeys, told.refund)) == [(1, "refund.not-received")]
    audited(world, tmp_path / "export")


@cites("502.27a/6")
def test_a_form_that_the_postal_service_refuses_is_open_again_and_holds_no_claims(
    journeys: Journeys, tmp_path: Path
) -> None:
    world, pieces = journeys.world, printed(journeys)
    told = refunding.submit(journeys, pieces, by="dora")
    refunding.scan(world, told.refund, pieces, by="ann")
    with world.store(POSTAL).transaction() as tx:
        row = tx.get("device", journeys.device)
        assert row is not None
        tx.put("device", row.key, row.body, owner=ANNEX, expected=row.version)  # it is told of as another's
    with refused("postal.unknown-device"):
        refunding.certify(world, told.refund, by="ben")
    with world.store(HARBOR).reading() as view:
        held = view.get("refund", told.refund)
        claims = {claim.body["refund"] for claim in view.find("refund-claim")}
    assert held is not None
    assert (held.body["state"], held.body["certified_by"], claims) == ("scanned", "", {""})
    with world.store(POSTAL).transaction() as tx:
        tx.put("device", row.key, row.body, owner=row.owner, expected=row.version + 1)
    refunding.certify(world, told.refund, by="ben")
    assert refunding.decide(world, told.refund, by="mats").body["state"] == "granted"
    audited(world, tmp_path / "export")


@cites("502.27a/3")
@pytest.mark.parametrize("end", ["withdrawn", "stolen"])
def test_what_a_device_had_signed_at_its_last_reading_is_refunded_afterwards(
    end: str, journeys: Journeys, tmp_path: Path
) -> None:
    world, pieces = journeys.world, printed(journeys)  # a contact reads its registers
    before = account(world)
    if end == "stolen":
        missing.report(journeys, journeys.device, event="stolen", place="mail room", details="the door was broken open")
    else:
        returning.withdraw(journeys, reason="no longer wanted")
    balance = account(world) - before
    world.advance("2h")  # still the day on which they were printed
    refund = certified(journeys, pieces)
    assert codes(refunding.follow(journeys, refund)) == []
    decided = refunding.decide(world, refund, by="mats")
    assert (decided.body["state"], account(world)) == ("granted", before + balance + Mills(decided.body["amount"]))
    audited(world, tmp_path / "export")


@cites("502.27a/2")
def test_a_job_that_was_never_handed_over_is_claimed_by_its_id(journeys: Journeys, tmp_path: Path) -> None:
    world, out = journeys.world, tmp_path / "unused"
    with refused("mailroom.no-such-job"):
        refunding.submit_job(journeys, JobId("JOB-222222222222"), out)
    job = JobId(journeys.evidence(journeys.plan(PEOPLE)).key)  # a crash: no file was written
    journeys.contact()
    told, paper = refunding.submit_job(journeys, job, out, by="dora")
    with refused("refund.job-claimed"):
        printing.finish_job(journeys, job, out)
    assert refunding.submit_job(journeys, job, out)[0].refund == told.refund
    refunding.scan(world, told.refund, refunding.payloads_of([paper]), by="ann")
    refunding.certify(world, told.refund, by="ben")
    assert refunding.decide(world, told.refund, by="mats").body["state"] == "granted"
    done = printing.print_job(journeys, PEOPLE, tmp_path / "out", formats=("pdf",))
    with refused("refund.job-handed-over"):
        refunding.submit_job(journeys, JobId(done.job.key), out)
    journeys.contact()
    audited(world, tmp_path / "export")


def test_a_job_whose_refund_came_to_nothing_may_be_handed_over(journeys: Journeys, tmp_path: Path) -> None:
    world, out = journeys.world, tmp_path / "out"
    job = JobId(journeys.evidence(journeys.plan(PEOPLE)).key)
    told, _ = refunding.submit_job(journeys, job, out)
    refunding.scan(world, told.refund, (), by="ann")  # they were never sent
    refunding.refuse(world, told.refund, by="ann")
    assert refunding.follow(journeys, told.refund).state == "refused"
    assert printing.finish_job(journeys, job, out, formats=("pdf",)).job.key == job


def test_only_pieces_of_ones_own_jobs_are_sent_in(journeys: Journeys) -> None:
    world, pieces = journeys.world, printed(journeys)
    annex = mailer(world, ANNEX, deposit=100, reset=50)
    with refused("refund.not-ours"):
        refunding.submit(annex, pieces)
    theirs = printed(annex, 1)
    with refused("refund.two-devices"):
        refunding.submit(journeys, (*pieces, *theirs))
    with refused("refund.no-mark"):
        refunding.submit(journeys, (b"no mark",))
    with refused("refund.no-pieces"):
        refunding.submit(journeys, ())


def test_where_the_rule_refunds_a_share_it_is_rounded_half_up_once(tmp_path: Path) -> None:
    assert [int(share_of(Mills(total), 90)) for total in (5, 15, 14, 1_485)] == [5, 14, 13, 1337]
    assert "refund_share" not in ruleset("imi-2024").parameters
    journeys = funded(tmp_path / "world", "cfr-501")
    world, pieces = journeys.world, printed(journeys)
    before = account(world)
    refund = certified(journeys, pieces)
    refunding.decide(world, refund, by="mats")
    told = refunding.follow(journeys, refund)
    assert (told.share, told.total) == (90, told.claimed)
    assert account(world) - before == told.amount == share_of(told.total, 90) < told.total
    audited(world, tmp_path / "export")
    world.close()
