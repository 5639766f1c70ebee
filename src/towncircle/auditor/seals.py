"""Keys, signatures and messages of an export.

Here: the auditor's own reader of COSE_Sign1 and of message envelopes, and the checks 2 and 10 of docs/export.md.
Not here: the wire's encoder and message types.
Kept: a key counts only when its certificate leads to the root that the export names (or that the caller pins), was
valid when the message was issued, and was not revoked by then.
"""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import cbor2

from towncircle.auditor.reading import Export, Party, Row
from towncircle.auditor.report import Report
from towncircle.kernel.errors import BadInput
from towncircle.kernel.instants import Instant
from towncircle.pki.verifying import (
    DEVICE_MESSAGES,
    PublicKey,
    RevocationList,
    check_chain,
    check_revocation_list,
    read_certificate,
    verify,
)

_TAG = b"\xd2"  # CBOR tag 18, COSE_Sign1
_ENVELOPE = {"type": 1, "sender": 3, "audience": 4, "id": 5, "issued": 7, "counter": 9}
_END_OF_TIME = 253_402_300_799_999_999  # the end of the year 9999, in microseconds
_BODY, _DEVICE_AUDIT, _RESET_REQUEST, WITHDRAWAL = 10, 3, 4, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """Hold a COSE_Sign1 frame that was read and not yet checked."""

    key_id: bytes
    payload: bytes
    signature: bytes
    signed: bytes


@dataclass(slots=True)
class Keys:
    """Hold the certificate chains by subject, the pinned root, and the revocation list."""

    root: bytes
    chains: dict[str, list[list[bytes]]] = field(default_factory=lambda: defaultdict(list))
    revocations: RevocationList | None = None

    def fault(self, sealed: Sealed, sender: str, at: Instant) -> str:
        """Say why a frame is not the sender's at an instant, or nothing."""
        role, _, name = sender.partition(".")
        subject, purpose = (name, DEVICE_MESSAGES) if role == "device" else (sender, role)
        told = f"No certificate of {sender} has the key that signed."
        for chain in self.chains.get(subject, []):
            key = _leaf_key(chain)
            if key is None or key.key_id != sealed.key_id:
                continue
            result = check_chain(
                chain,
                root_fingerprint=self.root,
                at=at,
                purpose=purpose,
                subject=subject,
                revocations=self.revocations,
            )
            first = result.first_fault()
            if first is not None:
                told = first.text  # a key that was certified anew has another certificate, which may cover it
                continue
            if key.scheme != "ecdsa-p256" or not verify(key, sealed.signature, sealed.signed).accepted:
                return "The signature does not match the signed bytes."
            return ""
        return told


def read_sealed(raw: bytes) -> Sealed | None:
    """Read a COSE_Sign1 frame, or give None for anything else."""
    try:
        parts = cbor2.loads(raw[1:]) if raw[:1] == _TAG else None
        if not isinstance(parts, list) or len(parts) != 4 or cbor2.dumps(parts) != raw[1:]:
            return None
        protected, unprotected, payload, signature = parts
        header = cbor2.loads(protected) if isinstance(protected, bytes) else None
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError):
        return None
    if not isinstance(header, dict) or header.keys() != {1, 4} or header[1] != -7 or unprotected != {}:
        return None
    if not (isinstance(header[4], bytes) and isinstance(payload, bytes) and isinstance(signature, bytes)):
        return None
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    return Sealed(key_id=header[4], payload=payload, signature=signature, signed=signed)


def read_keys(export: Export, root: bytes, report: Report) -> Keys:
    """Read the certificates and the revocation list of the Postal Service, checking each chain."""
    keys = Keys(root=root)
    for postal in export.of_role("postal"):
        for row in postal["certificates.jsonl"]:
            where = f"{postal.id}/certificates.jsonl line {row.line}"
            chain = [_decoded(item) for item in row["chain"]]
            result = check_chain(
                [der or b"" for der in chain],
                root_fingerprint=root,
                at=_begin(chain) or export.made_at,
                purpose=row["purpose"],
                subject=row["subject"],
            )
            fault = result.first_fault()
            if fault is not None:
                report.differ("certificate.bad-chain", where, f"The certificate of {row['subject']}: {fault.text}")
            report.checked["certificates"] += 1
            keys.chains[row["subject"]].append([der or b"" for der in chain])
        keys.revocations = _revocations(export, postal, keys, report) or keys.revocations
    return keys


def _revocations(export: Export, postal: Party, keys: Keys, report: Report) -> RevocationList | None:
    raw, where = postal.raw.get("revocations.crl"), f"{postal.id}/revocations.crl"
    if raw is None:
        return None
    chain = next((chain for chains in keys.chains.values() for chain in chains if len(chain) > 2), None)
    try:
        issuer = read_certificate(chain[1]) if chain else None
    except BadInput:
        issuer = None
    if issuer is None:
        report.differ("certificate.no-issuer", where, "No certificate of the authority that issues this list is there.")
        return None
    found, findings = check_revocation_list(raw, issuer=issuer, now=export.made_at)
    for finding in findings:
        if finding.ok is False:
            report.differ("certificate.bad-list", where, finding.text)
    return found


def check_heads(export: Export, keys: Keys, report: Report) -> None:
    """Check 2: every head is signed by its party, and the pack by the Postal Service."""
    for party in export.parties.values():
        for name, content in (("signature.cose", party.raw.get("head.json")), ("pack.cose", None)):
            raw, where = party.raw.get(name), f"{party.id}/{name}"
            if raw is None:
                continue
            sealed = read_sealed(raw)
            report.checked["signatures"] += 1
            if sealed is None:
                report.differ("signature.malformed", where, "This is no COSE_Sign1 frame.")
                continue
            fault = keys.fault(sealed, party.id, export.made_at)
            if fault:
                report.differ("signature.bad", where, fault)
            if content is not None and sealed.payload != content:
                report.differ("signature.other-head", where, f"What {party.id} signed is not its head.json.")


def open_message(row: Row) -> tuple[Sealed, dict[Any, Any]] | None:
    """Read a message line's sealed bytes into its frame and its envelope map, or give None."""
    raw = _decoded(row["message"])
    sealed = read_sealed(raw) if raw else None
    content = envelope_of(sealed) if sealed else None
    return (sealed, content) if sealed and content is not None else None


def envelope_of(sealed: Sealed) -> dict[Any, Any] | None:
    """Read the map that a frame carries, or give None."""
    try:
        content = cbor2.loads(sealed.payload)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def check_messages(export: Export, keys: Keys, report: Report) -> None:
    """Check 10: messages are their senders', say what their lines say, and count without a double or a gap."""
    sent: dict[tuple[str, str], str] = {}
    for party in export.parties.values():
        counters: dict[str, dict[int, str]] = defaultdict(dict)
        for row in party["messages.jsonl"]:
            where = f"{party.id}/messages.jsonl line {row.line}"
            report.checked["messages"] += 1
            if row["message"] or row["direction"] != "waiting":  # what names people waits without its bytes
                _check_message(row, where, keys, report)
            if row["direction"] in {"sent", "waiting"}:
                sent[party.id, row["id"]] = row["message"]
                report.same("message.sender", where, "It did not send this.", expected=party.id, found=row["sender"])
            other = counters[row["sender"]].setdefault(row["counter"], row["id"])
            if other != row["id"] or row["direction"] not in {"sent", "received", "waiting"}:
                text = f"{row['sender']} used the counter {row['counter']} for two messages."
                report.differ("message.counter-twice", where, text, expected=other, found=row["id"])
        _check_gaps(party, counters.get(party.id, {}), report)
    for party in export.parties.values():
        for row in party["messages.jsonl"]:
            there = sent.get((row["sender"], row["id"]))
            if row["direction"] == "received" and there is not None and there != row["message"]:
                where = f"{party.id}/messages.jsonl line {row.line}"
                report.differ("message.differs", where, f"This is not what {row['sender']} says it sent.")


def _check_message(row: Row, where: str, keys: Keys, report: Report) -> None:
    opened = open_message(row)
    if opened is None:
        report.differ("message.malformed", where, "The bytes are no sealed message.")
        return
    sealed, content = opened
    for name, key in _ENVELOPE.items():
        said = int(row.at("issued")) if name == "issued" else row[name]
        report.same(
            "message.line", where, f"The line's '{name}' is not the message's.", expected=content.get(key), found=said
        )
    issued = issued_at(content)
    fault = keys.fault(sealed, str(content.get(3)), issued) if issued else "It has no time."
    if fault:
        report.differ("message.bad-signature", where, fault)


def _check_gaps(party: Party, counters: dict[int, str], report: Report) -> None:
    last = party.head.get("sent_last")
    if type(last) is not int:
        return
    where = f"{party.id}/messages.jsonl"
    missing = [number for number in range(1, min(last, 10_000_000) + 1) if number not in counters]
    if missing:
        report.differ(
            "message.gap", where, f"{len(missing)} sent messages are missing.", expected=last, found=missing[:5]
        )
    beyond = [number for number in counters if not 1 <= number <= last]
    if beyond:
        report.differ("message.gap", where, "Messages were sent after the last one.", expected=last, found=beyond[:5])


def audit_data(text: str) -> tuple[Sealed, dict[Any, Any], dict[Any, Any]] | None:
    """Read the last sealed word of a device: its frame, its envelope and the map of its audit data, or None."""
    raw = _decoded(text)
    sealed = read_sealed(raw) if raw else None
    content = envelope_of(sealed) if sealed else None
    if sealed is None or content is None:
        return None
    body = content.get(_BODY)
    if content.get(1) == _RESET_REQUEST and isinstance(body, dict):
        body = body.get(3)
    elif content.get(1) == WITHDRAWAL and isinstance(body, dict):
        body = _emptied(body)
    elif content.get(1) != _DEVICE_AUDIT:
        return None
    return (sealed, content, body) if isinstance(body, dict) else None


def _emptied(withdrawal: dict[Any, Any]) -> dict[Any, Any] | None:
    """Say as audit data what a withdrawal leaves: the registers at which it stopped, and no count of reprints."""
    registers = withdrawal.get(1)
    if not isinstance(registers, dict):
        return None
    return {2: {**registers, 2: 0}, 3: withdrawal.get(2), 4: registers.get(2), 11: 0}  # it tells of no reprints


def issued_at(content: dict[Any, Any]) -> Instant | None:
    """Give the instant at which a message says it was issued, or None for one that no calendar has."""
    issued = content.get(_ENVELOPE["issued"])
    return Instant(issued) if type(issued) is int and 0 < issued <= _END_OF_TIME else None


def _decoded(text: object) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        return None


def _leaf_key(chain: list[bytes]) -> PublicKey | None:
    try:
        return read_certificate(chain[0]).public if chain else None
    except BadInput:
        return None


def _begin(chain: list[bytes | None]) -> Instant | None:
    try:
        return max(read_certificate(der or b"").not_before for der in chain) if chain else None
    except BadInput:
        return None
