"""What an examination report says against everything the Postal Service knows (P050 2.6, 502.8).

Here: `compare`, pure: a report and what is known in, each difference in words out. Not here: who ordered it, what is
recorded (`examining`).
Kept: nothing is taken from the Provider's word of the report; it is compared with the register of devices (which the
forwarded audits keep), the daily files, the recorded scans, the certificates and the approved builds. Finding nothing
is finding it regular.

The comparisons, in order: 1 the law of the registers; 2 the register of devices; 3 the daily files; 4 the scans; 5 the
state against what was reported of the device; 6 the certificate; 7 the clock; 8 the build.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from towncircle.kernel.cites import cites
from towncircle.kernel.money import Mills
from towncircle.psd.states import AUTHORISED, IN_SERVICE, LOCKED, WITHDRAWN
from towncircle.wire.bodies import ExaminationReport, Ground

# a device that was ordered out is empty before its Provider's report of it is here; one that nobody ordered out, its
# Provider freezes
_LEASED = (AUTHORISED, IN_SERVICE, LOCKED, WITHDRAWN)
_STATES = {"installed": _LEASED, "recovered": _LEASED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Hold what the Postal Service knows of a device.

    `ascending`, `pieces` and `counter` are those of the last audit, `filed` the resets of the daily files by request
    id, `scanned_to` and `scanned_pieces` the highest registers on a valid piece, `serials` its certificates with the
    reason for which each is revoked (empty for one in force), `builds` the approved ones.
    """

    status: str
    ascending: Mills
    pieces: int
    counter: int
    filed: Mapping[str, Mills]
    scanned_to: Mills
    scanned_pieces: int
    serials: Mapping[int, str]
    builds: frozenset[bytes]


@cites("P050-2.6", "P050-3.4", "502.8")
def compare(report: ExaminationReport, *, counter: int, known: Known) -> tuple[Ground, ...]:
    """Give every difference; `counter` is that of the message which brought the report."""
    return (
        *_registers(report, counter, known),
        *_resets(report, known),
        *_scans(report, known),
        *_standing(report, known),
    )


def _registers(report: ExaminationReport, counter: int, known: Known) -> Iterator[Ground]:
    held = report.registers
    control, due = held.ascending + held.descending, report.resets_total - report.withdrawn_total
    if control != due:  # 1
        yield _ground("law", f"Ascending and descending make {control}; resets less withdrawals make {due}.")
    for name, now, before in (  # 2
        ("ascending register", held.ascending, known.ascending),
        ("count of pieces", held.pieces, known.pieces),
        ("counter of changes", counter, known.counter),
    ):
        if now < before:
            text = f"The {name} stands at {now}; an audit has shown {before}. An older copy of the device runs."
            yield _ground("went-back", text)


def _resets(report: ExaminationReport, known: Known) -> Iterator[Ground]:
    filed = sum(known.filed.values(), Mills(0))  # 3
    coming = bool(report.last_applied) and report.last_applied not in known.filed
    if report.resets_total < filed or (report.resets_total > filed and not coming):
        text = f"It counts resets of {report.resets_total}; its Provider's daily files hold {filed}."
        yield _ground("resets", text, "502.20(m)")


def _scans(report: ExaminationReport, known: Known) -> Iterator[Ground]:
    if known.scanned_to > report.registers.ascending:  # 4
        text = (
            f"A valid piece was scanned that was evidenced at {known.scanned_to}; the ascending register stands at "
            f"{report.registers.ascending}. Another copy of the device evidenced it."
        )
        yield _ground("scanned-beyond", text)
    elif known.scanned_pieces > report.registers.pieces:
        text = f"A valid piece has the number {known.scanned_pieces}; the device counts {report.registers.pieces}."
        yield _ground("scanned-beyond", text)


def _standing(report: ExaminationReport, known: Known) -> Iterator[Ground]:
    allowed = _STATES.get(known.status, (WITHDRAWN,) if known.status == "withdrawn" else ())  # 5
    if report.state not in allowed:
        text = f"It reports itself as {report.state}; the register of devices has it as {known.status}."
        yield _ground("state", text)
    revoked = known.serials.get(report.certificate_serial)  # 6
    if revoked is None:
        text = f"It uses the certificate {report.certificate_serial:#010x}, which was never issued to it."
        yield _ground("certificate", text, "502.28")
    elif revoked and (revoked, known.status) != ("withdrawn", "withdrawn"):  # it went out of service, as it should
        yield _ground("certificate", f"Its certificate {report.certificate_serial:#010x} is revoked.", "502.28")
    if report.high_water > report.clock:  # 7
        text = f"Its clock says {report.clock}, and it has already seen {report.high_water}: the clock was set back."
        yield _ground("clock", text)
    if report.module not in known.builds:  # 8
        text = f"The build of its program, {report.module.hex()[:16] or 'without a name'}, is not an approved one."
        yield _ground("build", text, "502.11")


def unanswered(code: str, words: str) -> Ground:
    """Say that no report came, with the unsigned words that came in its place."""
    return _ground("no-report", f"The device gave no report. Unsigned, its host says: {words} [{code}]")


def _ground(name: str, sentence: str, clause: str = "P050 2.6") -> Ground:
    return Ground(code=f"examination.{name}", sentence=sentence[:1000], clause=clause)
