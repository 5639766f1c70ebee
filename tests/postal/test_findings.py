"""An examination finds exactly what differs: one row of knowledge is bent at a time, inside, at and past its limit."""

from dataclasses import replace

import pytest

from towncircle.kernel.cites import cites
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.postal.findings import Known, compare, unanswered
from towncircle.wire.bodies import ExaminationReport, Registers

NOW = Instant.parse("2026-11-23T14:00Z")
BUILD = bytes(range(32))
REPORT = ExaminationReport(
    reference="EXM-7K3MQ9ZX2RTB",
    state="in service",
    reason="",
    registers=Registers(ascending=Mills(40_000), descending=Mills(160_000), pieces=9),
    resets_total=Mills(200_000),
    withdrawn_total=ZERO,
    counter=30,
    epoch=3,
    clock=NOW,
    high_water=NOW,
    contact_due=NOW.plus(days=3),
    open_request="",
    open_amount=ZERO,
    last_applied="REQ-2",
    reprints=0,
    certificate_serial=0x80000004,
    module=BUILD,
)
KNOWN = Known(
    status="installed",
    ascending=Mills(40_000),
    pieces=9,
    counter=30,
    filed={"REQ-1": Mills(150_000), "REQ-2": Mills(50_000)},
    scanned_to=Mills(40_000),
    scanned_pieces=9,
    serials={0x80000002: "", 0x80000004: "", 0x80000006: "withdrawn"},
    builds=frozenset({BUILD}),
)


def codes(report: ExaminationReport, known: Known = KNOWN, counter: int = 30) -> list[str]:
    return [ground.code.removeprefix("examination.") for ground in compare(report, counter=counter, known=known)]


def moved(**registers: int) -> Registers:
    return replace(REPORT.registers, **{name: Mills(value) for name, value in registers.items()})


@cites("P050-2.6", "502.8")
def test_a_report_at_every_limit_is_regular() -> None:
    assert codes(REPORT) == []


LATER = moved(ascending=41_000, descending=159_000)
REGULAR = {
    "it printed since the last audit": (replace(REPORT, registers=LATER), KNOWN, 31),
    "an older certificate of its own": (replace(REPORT, certificate_serial=0x80000002), KNOWN, 30),
    "a reset that its Provider has not filed yet": (
        replace(REPORT, last_applied="REQ-3", resets_total=Mills(250_000), registers=moved(descending=210_000)),
        KNOWN,
        31,
    ),
    "it locked": (replace(REPORT, state="locked"), KNOWN, 31),
    "withdrawn, and its Provider's report is not here yet": (
        replace(REPORT, state="withdrawn", withdrawn_total=Mills(160_000), registers=moved(descending=0)),
        KNOWN,
        31,
    ),
    "withdrawn and known as such": (
        replace(REPORT, state="withdrawn", withdrawn_total=Mills(160_000), registers=moved(descending=0)),
        replace(KNOWN, status="withdrawn"),
        31,
    ),
    "withdrawn, in the second in which its certificates are revoked": (
        replace(
            REPORT,
            state="withdrawn",
            withdrawn_total=Mills(160_000),
            registers=moved(descending=0),
            certificate_serial=0x80000006,
        ),
        replace(KNOWN, status="withdrawn"),
        31,
    ),
    "pieces without a number were scanned": (REPORT, replace(KNOWN, scanned_pieces=0), 30),
}


@pytest.mark.parametrize("name", REGULAR)
def test_what_happens_every_day_is_regular(name: str) -> None:
    report, known, counter = REGULAR[name]
    assert codes(report, known, counter) == []


IRREGULAR = {
    "one mill too much": (replace(REPORT, registers=moved(descending=160_001)), KNOWN, 30, ["law"]),
    "ascending behind the audit": (REPORT, replace(KNOWN, ascending=Mills(40_001)), 30, ["went-back"]),
    "pieces behind the audit": (REPORT, replace(KNOWN, pieces=10), 30, ["went-back"]),
    "counter behind the audit": (REPORT, KNOWN, 29, ["went-back"]),
    "a reset that nobody filed": (
        replace(REPORT, resets_total=Mills(200_001), registers=moved(descending=160_001)),
        KNOWN,
        30,
        ["resets"],
    ),
    "a filed reset that it does not have": (
        REPORT,
        replace(KNOWN, filed={**KNOWN.filed, "REQ-3": Mills(1)}),
        30,
        ["resets"],
    ),
    "a piece beyond its register": (REPORT, replace(KNOWN, scanned_to=Mills(40_001)), 30, ["scanned-beyond"]),
    "a piece beyond its count": (REPORT, replace(KNOWN, scanned_pieces=10), 30, ["scanned-beyond"]),
    "stolen": (REPORT, replace(KNOWN, status="stolen"), 30, ["state"]),
    "in service though withdrawn": (REPORT, replace(KNOWN, status="withdrawn"), 30, ["state"]),
    "a certificate of nobody": (replace(REPORT, certificate_serial=7), KNOWN, 30, ["certificate"]),
    "a revoked certificate": (replace(REPORT, certificate_serial=0x80000006), KNOWN, 30, ["certificate"]),
    "a compromised certificate of a withdrawn device": (
        replace(REPORT, state="withdrawn", certificate_serial=0x80000006),
        replace(KNOWN, status="withdrawn", serials={0x80000006: "key-compromise"}),
        30,
        ["certificate"],
    ),
    "a certificate revoked as withdrawn of a device in use": (
        replace(REPORT, certificate_serial=0x80000006),
        replace(KNOWN, status="recovered"),
        30,
        ["certificate"],
    ),
    "a clock that was set back": (replace(REPORT, high_water=NOW.plus(microseconds=1)), KNOWN, 30, ["clock"]),
    "another build": (replace(REPORT, module=bytes(32)), KNOWN, 30, ["build"]),
}


@pytest.mark.parametrize("name", IRREGULAR)
def test_each_difference_is_found_and_said_in_words(name: str) -> None:
    report, known, counter, expected = IRREGULAR[name]
    assert codes(report, known, counter) == expected
    (ground,) = compare(report, counter=counter, known=known)
    assert ground.sentence.endswith(".")
    assert ground.clause


def test_a_device_without_a_report_is_told_of_in_its_hosts_words() -> None:
    assert "psd.faulted" in unanswered("psd.faulted", "It signs nothing.").sentence
