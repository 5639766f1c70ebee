"""What is under way at an export: the messages that wait, and the resets that are open.

Here: which counterpart of an event may still be missing, because something that is in the export will bring it.
Not here: the comparison of the books (`three`, `licensees`), of messages with each other (`seals`).
Kept: nothing is excused wholesale, and nothing at a quiet moment. A counterpart may be missing only where a signed
message that waits names it with its amount, where the licensee's own order is open, or where a device carries it: the
last reservation of a device until a reading settles it, the last posted reset of a device and the balance that it gave
back for the house limit of 48 hours, by when its licensee has looked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from towncircle.auditor.books import Posted, Recounted
from towncircle.auditor.reading import Export, Party, instant_of
from towncircle.auditor.report import Report
from towncircle.auditor.seals import Keys, envelope_of, issued_at, open_message, read_sealed

LIMIT_HOURS = 48  # house: how long a message may wait, and a posted reset be unknown to its licensee
_LOCKBOX_REPORT, _TRANSACTION_FILE, _AUDIT_FORWARD = 52, 55, 56
_NAMING = {  # whose, which field
    73: ("licensee", 2),
    74: ("provider", 2),
    76: ("provider", 1),
    77: ("provider", 1),
    95: ("provider", 1),
    122: ("provider", 1),
    124: ("postal", 1),
    96: ("postal", 1),
    100: ("provider postal licensee", 1),
    105: ("provider", 1),
    49: ("provider", 1),
    139: ("postal", 1),
    83: ("provider", 1),
    168: ("provider", 2),
    **dict.fromkeys((204, 205, 207), ("postal", 1)),  # of inspections
    206: ("provider", 1),
}
_WORDLESS = (80, 82, 133, 135, 136)  # reports about missing devices, about defects, and orders to remove
_TYPE, _SENDER, _AUDIENCE, _COUNTER, _BODY = 1, 3, 4, 9, 10

Event = tuple[str, str, str]  # provider, licensee, reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """Hold a reset that its device carries: who, which and how much."""

    provider: str
    licensee: str
    device: str
    request_id: str
    amount: int

    @property
    def event(self) -> Event:
        """Name the reset as the books do."""
        return self.provider, self.licensee, self.request_id


@dataclass(slots=True)
class Underway:
    """Hold what will still be brought: (kind, role, event) with its amount; audits; resets; leaving devices.

    `named` has (message type, what it is about) of what waits about examinations, cases, notices, quality
    pieces, refunds and missing devices.
    """

    coming: dict[tuple[str, str, Event], int] = field(default_factory=dict)
    audits: set[tuple[str, str, int]] = field(default_factory=set)
    named: set[tuple[int, str]] = field(default_factory=set)
    open: list[Carried] = field(default_factory=list)
    unseen: list[Carried] = field(default_factory=list)
    leaving: set[str] = field(default_factory=set)

    def brings(self, kind: str, role: str, event: Event, amounts: Mapping[str, int]) -> bool:
        """Tell whether a role may lack an event that others have with these amounts."""
        if kind == "reset" and role == "provider" and "postal" in amounts:
            return False  # the Postal Service knows of a reset from the Provider only
        return {self.coming.get((kind, role, event))} == set(amounts.values())


def read_underway(export: Export, books: Mapping[str, Recounted], keys: Keys) -> Underway:
    """Read what waits and what is open; an export of a quiet moment says that nothing is."""
    found = Underway()
    if export.quiet:
        return found
    for party in export.parties.values():
        for row in party["messages.jsonl"]:  # what holds words about people is exported without them
            if row["direction"] == "waiting" and row["message"] == "" and row["type"] in _WORDLESS:
                found.named.add((row["type"], party.id))
        for content in _waiting(party, keys):
            _read(content, party, found)
        if party.role == "licensee":
            _orders(party, found)
        elif party.role == "provider":
            _resets(export, books[party.id], found)
            _balances(export, books[party.id], found)
            _closings(party, found)
    return found


def check_waiting(export: Export, report: Report) -> None:
    """Check 10: no message waits longer than the house limit; one that does is named."""
    for party in export.parties.values():
        for row in party["messages.jsonl"]:
            if row["direction"] != "waiting":
                continue
            where = f"{party.id}/messages.jsonl line {row.line}"
            report.checked["waiting"] += 1
            since = instant_of(row.data.get("since"))
            if since is None:
                report.differ("line.malformed", where, "'since' of a waiting message is missing or no instant.")
            elif since.plus(hours=LIMIT_HOURS) < export.made_at:
                text = f"A message of type {row['type']} to {row['audience']} waits longer than {LIMIT_HOURS} hours."
                report.differ("message.stuck", where, text, expected="delivered", found=f"since {since.iso()}")


def _waiting(party: Party, keys: Keys) -> Iterator[dict[Any, Any]]:
    for row in party["messages.jsonl"]:
        opened = open_message(row) if row["direction"] == "waiting" else None
        if opened is None:
            continue
        sealed, content = opened
        issued = issued_at(content)
        if content.get(_SENDER) == party.id and issued and not keys.fault(sealed, party.id, issued):
            yield content


def _read(content: Mapping[Any, Any], party: Party, found: Underway) -> None:
    kind, body, audience = content.get(_TYPE), content.get(_BODY), str(content.get(_AUDIENCE))
    if not isinstance(body, dict):
        return
    if kind == _LOCKBOX_REPORT and party.role == "bank":
        for deposit, licensee, provider, amount, _form in _rows(body.get(3), 5):
            what = "deposit" if amount > 0 else "returned item"
            role = audience.split(".", 1)[0]
            if role == "postal" or audience == provider:
                found.coming[what, role, (provider, licensee, deposit)] = abs(amount)
    elif kind == _TRANSACTION_FILE and party.role == "provider":
        for _device, licensee, request_id, amount, _at in _rows(body.get(3), 5):
            what = "reset" if amount > 0 else "refund"
            found.coming[what, "postal", (party.id, licensee, request_id)] = abs(amount)
    elif isinstance(kind, int) and party.role in _NAMING.get(kind, ("", 0))[0].split():
        found.named.add((kind, str(body.get(_NAMING[kind][1]))))
    elif kind == _AUDIT_FORWARD and isinstance(body.get(1), bytes):
        sealed = read_sealed(body[1])
        audit = envelope_of(sealed) if sealed else None
        if audit is not None and type(audit.get(_COUNTER)) is int:
            found.audits.add((party.id, str(audit.get(_SENDER)).removeprefix("device."), audit[_COUNTER]))


def _rows(value: object, columns: int) -> Iterator[list[Any]]:
    """Give the well formed rows of a report; its amount stands in the last column but one."""
    for row in value if isinstance(value, list) else []:
        shaped = isinstance(row, list) and len(row) == columns and type(row[3]) is int
        if shaped and all(isinstance(item, str) for item in row[:3]):
            yield row


def _orders(licensee: Party, found: Underway) -> None:
    for row in licensee["records.jsonl"]:
        body = row["body"]
        if row["kind"] == "deposit-order" and body.get("state") == "ordered" and type(body.get("amount")) is int:
            found.coming["deposit", "licensee", (str(body.get("provider")), licensee.id, row["key"])] = body["amount"]


def _resets(export: Export, books: Recounted, found: Underway) -> None:
    provider, open_, posted = books.party.id, dict[str, Posted](), dict[str, Posted]()
    settled = {_named(entry) for entry in books.live("reset-posted", "reset-voided")}
    for entry in books.live("reset-reserved"):
        if _named(entry) not in settled:
            open_[entry.row["device"]] = entry  # a device has one open request: only the last may be open
    for entry in books.live("reset-posted"):
        posted[entry.row["device"]] = entry
    for entry in open_.values():
        reset = _carried(provider, entry)
        found.open.append(reset)
        for role in ("provider", "postal"):
            found.coming["reset", role, reset.event] = reset.amount
    for entry in posted.values():
        reset = _carried(provider, entry)
        if entry.row.at("at").plus(hours=LIMIT_HOURS) >= export.made_at:
            found.unseen.append(reset)
            found.coming["reset", "licensee", reset.event] = reset.amount


def _balances(export: Export, books: Recounted, found: Underway) -> None:
    """Take in the devices on their way out of service, and the balances that their licensees have not booked."""
    for row in books.party["records.jsonl"]:
        if row["kind"] == "check-out" and row["body"].get("state") in ("ordered", "held"):
            found.leaving.add(row["key"])
    for entry in books.live("balance-withdrawn"):
        row = entry.row
        if row.at("at").plus(hours=LIMIT_HOURS) >= export.made_at:
            found.leaving.add(row["device"])
            found.coming["balance", "licensee", (books.party.id, row["licensee"], row["reference"])] = entry.amount


def _closings(provider: Party, found: Underway) -> None:
    """Take in the closings whose check a person of the accounting service center has still to instruct."""
    for row in provider["records.jsonl"]:
        body = row["body"]
        if row["kind"] == "closing" and body.get("state") == "asked" and type(body.get("amount")) is int:
            for role in ("postal", "bank"):
                found.coming["payout", role, (provider.id, str(row["owner"]), row["key"])] = body["amount"]


def _named(entry: Posted) -> tuple[str, str]:
    return entry.row["device"], entry.row["reference"]


def _carried(provider: str, entry: Posted) -> Carried:
    row = entry.row
    return Carried(
        provider=provider,
        licensee=row["licensee"],
        device=row["device"],
        request_id=row["reference"],
        amount=entry.amount,
    )
