"""Chapters 1 to 6: license, lease, funds, envelopes, verification, the copy.

Here: what happens and what must come of it. Not here: how it is told.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from towncircle.cli.demo.stage import UnexpectedError, expect
from towncircle.kernel.errors import Refused
from towncircle.kernel.money import Mills
from towncircle.licensee.pricing import DEFAULT_WEIGHT_OZ, price_for
from towncircle.mailpiece.weights import show_weight
from towncircle.world.journeys import Applicant
from towncircle.world.printing import print_job

if TYPE_CHECKING:
    from towncircle.cli.demo.stage import Stage

DEPOSIT, RESET, TOO_MUCH = Mills.dollars(600), Mills.dollars(200), Mills.dollars(400)
PROVIDER = "provider.harbor"


def license_issued(stage: Stage) -> str:
    """1: an application with two faults is refused with both; mended, it is issued."""
    try:
        stage.journeys.apply(Applicant(telephone="none", zip="20260", state="NY"), provider=PROVIDER)
    except Refused as refusal:
        grounds: Any = refusal.as_dict()["grounds"]
        expect(len(grounds) == 2, f"two grounds were expected, {len(grounds)} came")
        stage.narrator.say("A first application is refused, with every ground:")
        for ground in grounds:
            stage.narrator.say(f"  - {ground['sentence']} [{ground['clause']}]")
    else:
        raise UnexpectedError("an application with false data was not refused")
    decision = stage.journeys.apply(Applicant(), provider=PROVIDER)
    expect(decision.outcome == "issued", f"the license was {decision.outcome}")
    text = (
        f"License {decision.license} (Form 3601-B) for mail deposited at {decision.office_city} "
        f"{decision.office_state} {decision.office_zip}."
    )
    stage.narrator.say(text)
    return text


def device_leased(stage: Stage) -> str:
    """2: lease with its agreements; the device is initialised, certified, authorised."""
    lease = stage.journeys.lease()
    with stage.world.shelf.client(lease.device) as client:
        identity, status = client.identify(), client.status()
    expect(status.state == "authorised", f"the device is {status.state}")
    text = (
        f"Lease {lease.lease}: device {lease.device}, keys born inside ({identity.scheme}), "
        f"certificate {identity.certificate_serial:#x} of the test root; account {lease.account}."
    )
    stage.narrator.say(text)
    return text


def device_funded(stage: Stage) -> str:
    """3: deposit and reset; a reset that would pass the cap is refused."""
    journeys = stage.journeys
    receipt = journeys.deposit(DEPOSIT)
    stage.narrator.say(
        f"Deposit {receipt.deposit_id}: {receipt.amount} at the lockbox, credited from the bank's report."
    )
    statement = journeys.reset(RESET)
    stage.narrator.say(f"Reset {statement.request_id}: {statement.amount} set; {statement.account_balance} on account.")
    try:
        journeys.reset(TOO_MUCH)
    except Refused as refusal:
        expect("3.6" in refusal.clause, f"the refusal cites {refusal.clause}, not P050 3.6")
        clause = refusal.clause
        stage.narrator.say(f"A reset of {TOO_MUCH} more is refused: {refusal.sentence} [{clause}]")
    else:
        raise UnexpectedError("a reset past the cap was not refused")
    status = journeys.status()
    expect(status.registers.descending == RESET, f"the descending register shows {status.registers.descending}")
    return f"{RESET} set, {statement.account_balance} on account; {TOO_MUCH} more refused under {clause}."


def envelopes_printed(stage: Stage) -> str:
    """4: every recipient whose price is known gets an envelope."""
    journeys, recipients = stage.journeys, []
    day = journeys.today()
    for recipient in stage.recipients:
        try:
            price_for(recipient.shape or "letter", recipient.weight_oz or DEFAULT_WEIGHT_OZ, day=day)
        except Refused as unknown:
            to = recipient.address.company or recipient.address.name
            stage.narrator.say(f"Not printed, to {to}: {unknown.sentence}")
            continue
        recipients.append(recipient)
    expect(bool(recipients), "no recipient has a known price")
    done = print_job(journeys, tuple(recipients), stage.out, progress=stage.narrator.doing)
    amounts = [Mills(piece["amount"]) for piece in done.job.body["pieces"]]
    for piece, amount in zip(done.job.body["pieces"], amounts, strict=True):
        weight = show_weight(Fraction(piece["weight"]))
        stage.narrator.say(f"{amount!s:>7}  {piece['shape']:<6} {weight:>6}  {_place(piece['address'])}")
    stage.facts["pages"] = len(amounts)
    left = journeys.status().registers.descending
    text = f"{len(amounts)} pieces for {done.total}; {left} left in the device. {done.pdf}"
    stage.narrator.say(text)
    return text


def pages_verified(stage: Stage) -> str:
    """5: the PDF is rendered, decoded and judged; then the scan is recorded."""
    results = stage.run("verify", stage.out / "envelopes.pdf", "--world", stage.world_folder)["results"]
    expect(len(results) == stage.facts["pages"], f"{len(results)} marks were read from {stage.facts['pages']} pages")
    bad = [row for row in results if row["verdict"] != "VALID"]
    expect(not bad, f"page {bad[0]['page']} is {bad[0]['verdict']}" if bad else "")
    expect(all(row["specimen"] for row in results), "a mark does not say that it is a specimen")
    from towncircle.world.verifying import field_words

    stage.narrator.say("Page 1, every field in words:")
    for name, value in results[0]["fields"].items():
        stage.narrator.say(f"  {name:<19} {field_words(name, value)}")
    checked = [finding for finding in results[0]["findings"] if finding["ok"] is True]
    open_points = [finding["code"] for finding in results[0]["findings"] if finding["ok"] is None]
    stage.narrator.say(f"{len(checked)} checks well; not checkable from here: {', '.join(open_points)}.")
    recorded = stage.run("scan", stage.out / "envelopes.pdf", "--world", stage.world_folder)["results"]
    expect(all(row["verdict"] == "VALID" for row in recorded), "a first scan was not VALID")
    stage.run("world", "advance", stage.world_folder, "20h")
    text = f"{len(results)} of {len(results)} pages VALID (SPECIMEN), recorded as scanned."
    stage.narrator.say(text)
    return text


def copy_caught(stage: Stage) -> str:
    """6: a photocopy of page 1 is a DUPLICATE that names the first scan."""
    from towncircle.cli.demo.forgery import photocopy

    copy = photocopy(stage.out / "envelopes.pdf", stage.out / "trouble" / "photocopy.png")
    (result,) = stage.run("verify", copy, "--world", stage.world_folder)["results"]
    expect(result["verdict"] == "DUPLICATE", f"the copy is {result['verdict']}")
    (reason,) = [finding["text"] for finding in result["findings"] if finding["ok"] is False]
    again = stage.run("verify", stage.out / "envelopes.pdf", "--world", stage.world_folder)["results"]
    expect(all(row["verdict"] == "DUPLICATE" for row in again), "the same pages were not all DUPLICATE")
    text = f"DUPLICATE ({result['disposition']}): {reason}"
    stage.narrator.say(text)
    return text


def _place(address: dict[str, str]) -> str:
    return f"{address['company'] or address['name']}, {address['city']} {address['state']} {address['zip5']}"


CHAPTERS = (
    ("License applied for and issued", license_issued),
    ("Lease; device initialised, certified, authorised", device_leased),
    ("Deposit and reset; a reset past the cap refused", device_funded),
    ("Envelopes printed at the right rates", envelopes_printed),
    ("The pages read back: VALID, every field in words", pages_verified),
    ("The same again: DUPLICATE", copy_caught),
)
