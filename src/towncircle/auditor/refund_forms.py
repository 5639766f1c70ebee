"""The sealed forms of refunds, read to the last piece.

Here: the second half of check 19 of docs/export.md: what the licensee sealed, piece by piece, against what was
certified and marked. Not here: the facts of a refund among each other (`refunds`).
Kept: value, device, day and content of a piece are what its mark says, read by the auditor's own reader, and never what
a party wrote down about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from towncircle.auditor.journal import facts_of
from towncircle.auditor.marks import ReadMark, read_mark
from towncircle.auditor.reading import Export, Party, Row
from towncircle.auditor.report import Report
from towncircle.auditor.seals import Keys, envelope_of, issued_at, open_message, read_sealed
from towncircle.kernel.instants import Instant

_FORM, _APPLICATION, _BODY = 95, 90, 10
_LIFE_HOURS = 24  # house: how old an application may be when it comes in
_SEALED = {"total": 6, "share": 7, "amount": 8, "scanned_by": 9, "certified_by": 10}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Hold a certified form as its messages say it: its pieces by number, those that are annotated, the claimant."""

    pieces: Mapping[int, ReadMark]
    struck: frozenset[int]
    claimed_by: str

    @property
    def by_key(self) -> dict[str, ReadMark]:
        """Give the pieces by signed content."""
        return {mark.key: mark for mark in self.pieces.values()}


class Terms(dict[int, tuple[int, str]]):
    """Hold, by certificate serial, within how many days its marks are refunded, and the zone of their days."""


def read_terms(export: Export, keys: Keys) -> Terms:
    """Read the figures of the published pack, where it is the Postal Service's own (else check 2 names it)."""
    found = Terms()
    for postal in export.of_role("postal"):
        sealed = read_sealed(postal.raw.get("pack.cose", b""))
        content = envelope_of(sealed) if sealed else None
        if sealed and content and not keys.fault(sealed, postal.id, export.made_at):
            days = {row[0]: row[3] for row in content[_BODY][6]}
            found |= {row[0]: (days[row[10]], row[9]) for row in content[_BODY][7]}
    return found


def read_forms(provider: Party, keys: Keys, sent: Mapping[str, Row], terms: Terms, report: Report) -> dict[str, Form]:
    """Read the sealed form of every refund that a Provider certified, with the application that it encloses."""
    sealed = {}
    for row in provider["messages.jsonl"]:
        opened = open_message(row) if row["type"] == _FORM and row["direction"] != "received" else None
        body = opened[1].get(_BODY) if opened else None
        if isinstance(body, dict):
            sealed[str(body.get(1))] = body
    filed = {fact["subject"]: fact for fact in facts_of(provider, "form-3533.filed")}
    forms = {}
    for refund, fact in sorted(sent.items()):
        where, body = f"{provider.id}/facts.jsonl line {fact.line}", sealed.get(refund, {})
        said = {name: fact["body"].get(name) for name in _SEALED}
        found = {name: body.get(key) for name, key in _SEALED.items()}
        report.same("refund.form", where, "The sealed form says otherwise.", expected=found, found=said)
        asked = _application(provider, fact, body.get(3), keys, where, report)
        if asked is None:
            text = "The form is not there with an application of its licensee's that can be read."
            report.differ("refund.application", where, text)
            continue
        _check_receipt(asked[0], body.get(11), filed.get(refund), where, report)
        form = _form(fact, asked[1], body.get(4), where, report)
        _check_value(fact, form, where, report)
        check_ages(form, asked[0], terms, where, report)
        forms[refund] = form
    return forms


def _application(
    provider: Party, fact: Row, raw: object, keys: Keys, where: str, report: Report
) -> tuple[Instant, dict[Any, Any]] | None:
    """Give when the licensee sealed its application, and what it says; None where it cannot be read."""
    frame = read_sealed(raw) if isinstance(raw, bytes) else None
    envelope = envelope_of(frame) if frame else None
    asked = envelope.get(_BODY) if envelope else None
    issued = issued_at(envelope) if envelope else None
    if frame is None or envelope is None or not isinstance(asked, dict) or issued is None:
        return None
    about = (envelope.get(1), envelope.get(3), envelope.get(4), asked.get(1), asked.get(2))
    named = (_APPLICATION, fact["body"]["licensee"], provider.id, fact["subject"], fact["body"]["device"])
    report.same("refund.application", where, "The application is about something else.", expected=named, found=about)
    fault = keys.fault(frame, str(envelope.get(3)), issued)
    if fault:
        report.differ("refund.application", where, f"The application is not its licensee's: {fault}")
    return issued, asked


def _form(fact: Row, asked: Mapping[Any, Any], notes: object, where: str, report: Report) -> Form:
    pieces: dict[int, ReadMark] = {}
    payloads = asked.get(3)
    for number, payload in enumerate(payloads if isinstance(payloads, list) else (), start=1):
        mark = read_mark(payload)
        if mark is None or mark.device != fact["body"]["device"]:
            report.differ("refund.piece", where, f"Piece {number} is no mark of {fact['body']['device']}.")
        else:
            pieces[number] = mark
    rows = notes if isinstance(notes, list) else ()
    struck = frozenset(row[0] for row in rows if isinstance(row, list) and row and isinstance(row[0], int))
    return Form(pieces=pieces, struck=struck, claimed_by=str(asked.get(6)))


def _check_receipt(issued: Instant, received: object, filed: Row | None, where: str, report: Report) -> None:
    """Check that the application was as old when it came in as a message may be: the age is counted to its day."""
    noted = filed.at("occurred_at") if filed else None
    text = "The application came in at another time."
    report.same("refund.backdated", where, text, expected=int(noted) if noted else None, found=received)
    if noted is not None and not issued <= noted <= issued.plus(hours=_LIFE_HOURS):
        text = "The application is dated back."
        report.differ("refund.backdated", where, text, expected=f"within {_LIFE_HOURS} hours", found=issued.iso())


def _check_value(fact: Row, form: Form, where: str, report: Report) -> None:
    due = sum(mark.postage for number, mark in form.pieces.items() if number not in form.struck)
    text = "The marks of the pieces that qualify show another total."
    report.same("refund.value", where, text, expected=due, found=fact["body"]["total"])
    keys = [mark.key for number, mark in form.pieces.items() if number not in form.struck]
    if len(set(keys)) != len(keys):
        report.differ("refund.piece", where, "One indicium qualifies twice on the form.")


def check_ages(form: Form, issued: Instant, terms: Terms, where: str, report: Report) -> None:
    """Check that no piece that qualifies was older than its regime allows when it was sent in."""
    for number, mark in form.pieces.items():
        term = terms.get(mark.certificate)
        if term is None or number in form.struck:
            continue
        days, zone = term
        age = (issued.date_in(zone) - mark.day).days
        if age > days:
            text = f"Piece {number} is too old to be refunded."
            report.differ("refund.age", where, text, expected=f"at most {days} days", found=age)


def check_marked(form: Form, rows: list[Row], where: str, report: Report) -> None:
    """Compare the pieces that were marked refunded with the marks on the form."""
    known = form.by_key
    for row in rows:
        mark, body = known.get(row["key"]), row["body"]
        expected: object = "a piece of the form"
        if mark is not None:
            expected = (mark.device, mark.postage, mark.ascending or 0, mark.pieces)
        found = (row["owner"], body.get("postage"), body.get("ascending"), body.get("pieces"))
        text = "A piece was marked refunded with another device, value or register than its mark shows."
        report.same("refund.piece", f"{where} {row['key'][:12]}", text, expected=expected, found=found)
