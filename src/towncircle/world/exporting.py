"""The export of a world: what every party knows, signed by each, for an auditor who trusts nobody.

Here: writing the folders that `docs/export.md` describes. Not here: reading them (the auditor shares only the format).
Kept: each party signs its own folder; what holds names and addresses of people stays out.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import PartyId
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record, Transaction
from towncircle.ledger import LICENSEE, Books
from towncircle.licensee import promises
from towncircle.licensee.funds import ORDERED
from towncircle.licensee.returns import BEGUN, DONE, NOTED
from towncircle.licensee.transfers import APPROVED
from towncircle.pki.verifying import read_certificate
from towncircle.postal.certificates import certificates_of
from towncircle.provider.inventory import HELD
from towncircle.provider.inventory import ORDERED as ORDERED_OUT
from towncircle.verification import content_key
from towncircle.wire import cose
from towncircle.wire.bodies import (
    DefectReport,
    DepositOrder,
    FirstDepositOrder,
    IncidentReport,
    LicenseAppeal,
    LicenseApplication,
    LicenseDataStated,
    LicenseDataTransmitted,
    LicenseDecision,
    LicenseNotice,
    LicenseRevoked,
    LicenseStanding,
    LicenseTransmittal,
    MalfunctionReport,
    MissingReport,
    QualityPiece,
    RemovalOrdered,
    SupervisionAnswer,
    SupervisionNotice,
    WeaknessReport,
)
from towncircle.wire.bodies.cmrs import ASKED, INSTRUCTED
from towncircle.wire.message import peek
from towncircle.wire.registry import find_type
from towncircle.world.board import PACK
from towncircle.world.config import BANK, POSTAL
from towncircle.world.trust import REVOCATIONS
from towncircle.world.world import World

FORMAT, VERSION = "towncircle-export", 1
_TOLD = ("notice", "notice-waiting", "quality-piece")
_RECORDS = {
    "postal": (
        *("license", "license-at", "device", "pack", "series", "examination", "case", "repaid"),
        *("incident-report", "lost-and-stolen-file", "build", "rate-table", *_TOLD),
        *("closing", "daily-finding", "inspection"),
    ),
    "provider": (
        *("reset", "check-out", "lease", "account", "license", "series", "examination", "case"),
        *("incident", "lost-and-stolen-file", "rate-table", "release", "software", "shipment", *_TOLD),
        *("advance-line", "advance", "claim", "closing", "hold", "returned", "daily-file"),
        "inspection",
    ),
    "bank": ("item", "returned", "check", "report"),
    "licensee": (
        *("license", "device", "deposit-order", "deposit", "reset", "statement", "department", "reservation"),
        *("check-out", "transfer", "account-request", "rate-table", "hand-over", *_TOLD),
    ),
}
_LEAVING = (ORDERED_OUT, HELD, BEGUN, NOTED)
_PERSONAL = (
    *(DepositOrder, FirstDepositOrder),  # the number of the licensee's bank account
    *(LicenseApplication, LicenseTransmittal, LicenseDecision, LicenseNotice),
    *(QualityPiece, MissingReport, IncidentReport, DefectReport, MalfunctionReport, RemovalOrdered),
    *(SupervisionNotice, SupervisionAnswer, WeaknessReport),
    *(LicenseAppeal, LicenseDataStated, LicenseDataTransmitted, LicenseRevoked, LicenseStanding),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """Hold what an export wrote: its folder, files, lines, and whether it was a quiet moment."""

    folder: Path
    files: int
    lines: int
    quiet: bool


def export(world: World, out: Path) -> Exported:
    """Write the export of a world into a new or empty folder. Raises `BadInput` (world.exists)."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput("world.exists", path=out)
    world.deliver()
    head = {
        "format": FORMAT,
        "version": VERSION,
        "world": world.config.id,
        "regimes": [world.config.regime],
        "made_at": world.clock.now().iso(),
        "root": world.config.root,
        "quiet": _quiet(world),
    }
    listed: dict[str, dict[str, object]] = {}
    for party in world.config.parties:
        for name, data in _folder(world, party, head).items():
            _put(out / party / name, data)
            listed[f"{party}/{name}"] = _about(data)
    manifest = {**head, "parties": sorted(world.config.parties), "files": listed}
    _put(out / "manifest.json", _document(manifest))
    lines = sum(int(str(entry["lines"])) for entry in listed.values())
    return Exported(folder=out, files=len(listed) + 1, lines=lines, quiet=bool(head["quiet"]))


def _folder(world: World, party: PartyId, head: Mapping[str, object]) -> dict[str, bytes]:
    with world.store(party).reading() as view:
        facts, entries = view.facts(), view.entries()
        records = [row for kind in _RECORDS[party.role] for row in view.find(kind)]
        messages = list(_messages(view, party))
        files = {
            "facts.jsonl": _lines(fact.as_dict() for fact in facts),
            "records.jsonl": _lines(_record(row) for row in records),
            "messages.jsonl": _lines(messages),
            "entries.jsonl": _lines(entries),
        }
        if party.role == "provider":
            files["devices.jsonl"] = _lines(_device(world, party, row) for row in view.find("device"))
        if party == POSTAL:
            files["scans.jsonl"] = _lines(_scan(row) for row in view.find("scan") if row.body["device"])
            files["certificates.jsonl"] = _lines(_certificates(world, view))
        if party == BANK:
            files["statement.jsonl"] = _lines(_statement(entries))
    if party == POSTAL:
        files["pack.cose"] = (world.folder / PACK).read_bytes()
        files["revocations.crl"] = (world.folder / REVOCATIONS).read_bytes()
    about = {name: _about(data) for name, data in files.items()}
    last = facts[-1].digest() if facts else "0" * 64
    own = {
        **head,
        "party": party,
        "files": about,
        "facts": {"count": len(facts), "head": last},
        "entries": len(entries),
    }
    files["head.json"] = _document(own)
    files["signature.cose"] = cose.sign1(files["head.json"], world.cabinet.key(party))
    return files


def _quiet(world: World) -> bool:
    for party in world.config.parties:
        with world.store(party).reading() as view:
            if view.find("outgoing", owner="waiting"):
                return False
            if party.role == "provider" and any(row.body["open_reset"] for row in view.find("device")):
                return False
            if any(row.body["state"] in _LEAVING for row in view.find("check-out")):
                return False
            if any(row.body["state"] in (ASKED, INSTRUCTED) for row in view.find("closing")):
                return False  # its refund check is not instructed yet
            if any(row.body["state"] == APPROVED for row in view.find("transfer")):
                return False
            if party.role == "licensee" and not _settled(world, party, view):
                return False
    return True


def _settled(world: World, licensee: str, view: Transaction) -> bool:
    """Tell whether a licensee has booked what the bank took, what its devices applied and what they evidenced."""
    waiting = any(row.body["state"] == ORDERED for row in view.find("deposit-order"))
    if waiting or view.find("job", states=("planned",)) or view.find("batch", states=(promises.RESERVED,)):
        return False
    for row in view.find("device"):
        with world.store(row.body["provider"]).reading() as provider:
            held, out = provider.get("device", row.key), provider.get("check-out", row.key)
        mine = view.get("check-out", row.key)
        if out is not None and out.body["state"] == DONE and (mine is None or mine.body["state"] != DONE):
            return False
        booked, _ = Books(view, LICENSEE).turnover(f"in-device/{licensee}/{row.key}")
        if held is not None and held.body["resets_total"] != booked:
            return False
    return True


def _messages(view: Transaction, party: PartyId) -> Iterable[dict[str, object]]:
    for row in sorted(view.find("outgoing"), key=lambda row: int(row.body["order"])):
        for direction, field in (("sent", "raw"), ("received", "reply")):
            if field not in row.body:
                continue
            envelope = peek(base64.b64decode(row.body[field]))
            waits = row.body["state"] == "waiting"
            personal = find_type(envelope.type, envelope.version).body in _PERSONAL
            if personal and not waits:
                continue
            yield {
                "id": envelope.id,
                "direction": "waiting" if waits else direction,
                "sender": envelope.sender,
                "audience": envelope.audience,
                "type": envelope.type,
                "counter": envelope.counter,
                "issued": envelope.issued.iso(),
                "message": "" if personal else row.body[field],
                **({"since": Instant(row.body["since"]).iso()} if waits else {}),
            }
    if party.role == "provider":
        for row in view.find("device"):
            if row.body.get("audit"):
                envelope = peek(base64.b64decode(row.body["audit"]))
                yield {
                    "id": envelope.id,
                    "direction": "received",
                    "sender": envelope.sender,
                    "audience": envelope.audience,
                    "type": envelope.type,
                    "counter": envelope.counter,
                    "issued": envelope.issued.iso(),
                    "message": row.body["audit"],
                }


def _record(row: Record) -> dict[str, object]:
    key = row.body.get("request_id", row.key)  # a reset is known by its request id
    return {"kind": row.kind, "key": key, "owner": row.owner, "version": row.version, "body": dict(row.body)}


def _device(world: World, provider: PartyId, row: Record) -> dict[str, object]:
    line: dict[str, object] = {"device": row.key, "licensee": row.owner, "provider": provider}
    line["audit"] = row.body.get("audit", "")
    try:
        with world.shelf.client(row.key) as client:  # type: ignore[arg-type]  # keys of device records are device ids
            status = client.status()
    except Refused:
        names = ("ascending", "descending", "pieces", "resets_total", "withdrawn_total")
        read_at = Instant(row.body["audited_at"]).iso()
        return {
            **line,
            **{name: row.body.get(name, 0) for name in names},
            "state": "not readable",
            "reprints": row.body.get("reprints", 0),
            "counter": row.body["message_counter"],
            "read_at": read_at,
        }
    return {
        **line,
        "state": status.state,
        "ascending": int(status.registers.ascending),
        "descending": int(status.registers.descending),
        "pieces": status.registers.pieces,
        "resets_total": int(status.resets_total),
        "withdrawn_total": int(status.withdrawn_total),
        "reprints": status.reprints,
        "counter": status.counter,
        "read_at": status.now.iso(),
    }


def _scan(row: Record) -> dict[str, object]:
    names = ("device", "certificate_serial", "ascending", "postage", "date", "verdict", "disposition", "site", "piece")
    at = Instant(row.body["scanned_at"]).iso()
    content = content_key(bytes.fromhex(row.body["payload"]))
    return {"scan": row.key, **{name: row.body[name] for name in names}, "scanned_at": at, "content": content}


def _certificates(world: World, view: Transaction) -> Iterable[dict[str, object]]:
    above = [world.cabinet.certificate(name).der for name in ("authority", "root")]
    for party in world.config.parties:
        chain = [world.cabinet.certificate(party).der, *above]
        yield {"subject": party, "purpose": party.role, "chain": [_text(der) for der in chain]}
    for row, der in certificates_of(view):
        purpose = read_certificate(der).purpose
        yield {"subject": row.key, "purpose": purpose, "chain": [_text(part) for part in (der, *above)]}


def _statement(entries: list[dict[str, Any]]) -> Iterable[dict[str, object]]:
    kinds = {"item-received": ("deposit", 1), "item-returned": ("return", -1), "check-issued": ("check", -1)}
    balance = 0
    for number, entry in enumerate(entries, start=1):
        kind, sign = kinds[entry["recipe"]]
        amount = int(entry["lines"][0][2])
        balance += sign * amount
        yield {
            "number": number,
            "at": entry["at"],
            "kind": kind,
            "reference": entry["reference"],
            "provider": entry["provider"],
            "licensee": entry["licensee"],
            "amount": amount,
            "balance": balance,
        }


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _lines(records: Iterable[Mapping[str, Any]]) -> bytes:
    return b"".join(
        json.dumps(dict(record), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        for record in records
    )


def _document(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, sort_keys=True, indent=1, ensure_ascii=False).encode() + b"\n"


def _about(data: bytes) -> dict[str, object]:
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "lines": data.count(b"\n")}


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
