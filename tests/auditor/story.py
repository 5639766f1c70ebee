"""A small export, made by hand from the documented format: one deposit, one reset, three pieces, one refund."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from towncircle.indicium import encode_content, layout
from towncircle.kernel.facts import GENESIS, Fact, chained
from towncircle.kernel.ids import DeviceId, FactId, PartyId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.kernel.store import MemoryStore
from towncircle.ledger import BANK, LICENSEE, POSTAL, PROVIDER, Books, Chart, Entry, mailroom, recipes, trust
from towncircle.pki.authority import Issuer, found_authority, found_root, serial_for
from towncircle.pki.keys import SoftwareKey
from towncircle.wire import cose
from towncircle.wire.bodies import DeviceAudit, Form3533, RefundApplication, Registers
from towncircle.wire.bodies.refund import RefundGroup
from towncircle.wire.message import seal
from towncircle.wire.registry import type_of

HARBOR, ACME, POST, LOCKBOX = "provider.harbor", "licensee.acme", "postal.usps", "bank.lockbox"
DEVICE = "TC1A0000000017"
START = Instant.parse("2026-11-21T15:00Z")
MADE = START.plus(hours=5)
BEGIN, END = Instant.parse("2026-01-01"), Instant.parse("2030-01-01")


@dataclass
class Story:
    """Hold the export's lines before they are written, so that a test can bend them and seal them again."""

    dice: SeededRandomness = field(default_factory=lambda: SeededRandomness(1, "audit story"))
    made_at: Instant = MADE
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, SoftwareKey] = field(default_factory=dict)
    chains: dict[str, list[bytes]] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    sent_last: dict[str, int] = field(default_factory=dict)

    def lines(self, party: str, name: str) -> list[dict[str, Any]]:
        return self.files[party].setdefault(name, [])

    def fact(self, party: str, kind: str, subject: str, at: Instant, *, person: str = "", **body: Any) -> None:
        """Append a fact; `person` names the one of the party who did it."""
        lines = self.lines(party, "facts.jsonl")
        previous = Fact.from_dict(lines[-1]) if lines else None
        fact = Fact(
            id=FactId.new(self.dice),
            type=kind,
            subject=subject,
            actor=f"{party}/{person}" if person else party,
            occurred_at=at,
            recorded_at=at,
            body=body,
        )
        lines.append(chained(fact, previous).as_dict())

    def rechain(self, party: str) -> None:
        previous = None
        lines = self.lines(party, "facts.jsonl")
        for place, record in enumerate(lines):
            previous = chained(Fact.from_dict(record), previous)
            lines[place] = previous.as_dict()

    def write(self, out: Path) -> Path:
        listed = {}
        for party, files in self.files.items():
            folder = out / party
            folder.mkdir(parents=True)
            for name, content in files.items():
                (folder / name).write_bytes(content if isinstance(content, bytes) else jsonl(content))
            facts = files["facts.jsonl"]
            head = {
                **self.header,
                "party": party,
                "files": {name: digest((folder / name).read_bytes()) for name in files},
                "facts": {"count": len(facts), "head": Fact.from_dict(facts[-1]).digest() if facts else GENESIS},
                "entries": len(files.get("entries.jsonl", [])),
            }
            if party in self.sent_last:
                head["sent_last"] = self.sent_last[party]
            raw = json.dumps(head, indent=1).encode()
            (folder / "head.json").write_bytes(raw)
            (folder / "signature.cose").write_bytes(cose.sign1(raw, self.keys[party]))
            listed.update({f"{party}/{item.name}": digest(item.read_bytes()) for item in folder.iterdir()})
        manifest = {**self.header, "parties": sorted(self.files), "files": listed}
        (out / "manifest.json").write_text(json.dumps(manifest, indent=1))
        return out


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def digest(raw: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw), "lines": raw.count(b"\n")}


def told() -> Story:
    """Tell the whole story."""
    story = Story(files={party: {"facts.jsonl": []} for party in (POST, HARBOR, ACME, LOCKBOX)})
    _certify(story)
    _books(story)
    _device(story)
    _mail(story)
    _scans(story)
    return story


def _certify(story: Story) -> None:
    def key() -> SoftwareKey:
        return SoftwareKey.generate("ecdsa-p256", story.dice)

    term = {"not_before": BEGIN, "not_after": END}
    root = found_root(name="TEST root", key=key(), test=True, serial=serial_for(1, test=True), **term)
    authority = found_authority(root=root, name="TEST authority", key=key(), serial=serial_for(2, test=True), **term)
    above = [authority.certificate.der, root.certificate.der]
    for number, party in enumerate((POST, HARBOR, ACME, LOCKBOX), start=3):
        story.keys[party] = key()
        der = authority.certify_party(
            party=PartyId(party), public=story.keys[party].public, serial=serial_for(number, test=True), **term
        )
        _keep(story, party, party.split(".")[0], [der, *above])
    indicia, story.keys[DEVICE] = key(), key()
    first, second = authority.certify_device(
        device=DeviceId(DEVICE),
        indicia=indicia.public,
        messages=story.keys[DEVICE].public,
        serials=(serial_for(20, test=True), serial_for(21, test=True)),
        **term,
    )
    _keep(story, DEVICE, "device-indicia", [first, *above])
    _keep(story, DEVICE, "device-messages", [second, *above])
    _finish(story, authority, root)


def _keep(story: Story, subject: str, purpose: str, chain: list[bytes]) -> None:
    story.chains[subject] = chain
    rows = story.lines(POST, "certificates.jsonl")
    rows.append({"subject": subject, "purpose": purpose, "chain": [base64.b64encode(der).decode() for der in chain]})


def _finish(story: Story, authority: Issuer, root: Issuer) -> None:
    story.files[POST]["revocations.crl"] = authority.revocation_list(
        number=1, issued=START, next_update=END, revoked=[]
    )
    story.files[POST]["pack.cose"] = cose.sign1(b"the pack", story.keys[POST])
    story.header = {
        "format": "towncircle-export",
        "version": 1,
        "world": "WLD-story",
        "regimes": ["imi-2024"],
        "made_at": story.made_at.iso(),
        "root": hashlib.sha256(root.certificate.der).hexdigest(),
        "quiet": True,
    }


def _books(story: Story) -> None:
    hundred, sixty = Mills.dollars(100), Mills.dollars(60)
    used, refund = Mills(1460), Mills(730)
    money = {"licensee": ACME}
    device = {**money, "device": DEVICE}
    at_bank = {**money, "provider": HARBOR}
    t = [START.plus(hours=n) for n in range(5)]
    story.fact(POST, "license.issued", "20260-000001", BEGIN, licensee=ACME)

    story.fact(LOCKBOX, "deposit.received", "DEP-1", t[0], amount=int(hundred), **at_bank)
    story.fact(HARBOR, "deposit.credited", "DEP-1", t[0], amount=int(hundred), **money)
    story.fact(POST, "lockbox.reported", "1", t[0], day="2026-11-21", total=int(hundred))
    story.fact(HARBOR, "reset.reserved", "REQ-1", t[1], amount=int(sixty), **device)
    story.fact(HARBOR, "reset.posted", "REQ-1", t[1], amount=int(sixty), **device)
    story.fact(POST, "file.booked", "1", t[1], provider=HARBOR, day="2026-11-21", total=int(sixty))
    reading = {"ascending": 1460, "descending": 58540, "pieces": 2, "message_counter": 9}
    totals = {"resets_total": 60_000, "withdrawn_total": 0, "reprints": 0}
    story.fact(HARBOR, "audit.taken", DEVICE, t[2], **money, **reading, **totals)
    story.fact(POST, "audit.forwarded", DEVICE, t[2], provider=HARBOR, **reading)
    _refund(story, t[3], int(refund))
    story.fact(HARBOR, "unused.refunded", "RFD-1", t[3], amount=int(refund), **device)
    story.fact(POST, "file.booked", "2", t[3], provider=HARBOR, day="2026-11-21", total=-int(refund))

    story.fact(ACME, "deposit.made", "DEP-1", t[0], amount=int(hundred), provider=HARBOR)
    story.fact(ACME, "reset.received", "REQ-1", t[1], amount=int(sixty), provider=HARBOR, device=DEVICE)

    request = {**device, "request_id": "REQ-1", "amount": sixty, "at": t[1]}
    post(
        story,
        HARBOR,
        PROVIDER,
        recipes.deposit_received(deposit_id="DEP-1", amount=hundred, at=t[0], **money),
        recipes.reset_reserved(cap=Mills.dollars(500), **request),
        recipes.reset_posted(**request),
        recipes.usage_read(reading_id="9", amount=used, at=t[2], **device),
        recipes.unused_refunded(refund_id="RFD-1", amount=refund, at=t[3], **device),
    )
    row = {**at_bank, "device": DEVICE}
    post(
        story,
        POST,
        POSTAL,
        trust.bank_reported(report="2026-11-21/1", deposit_id="DEP-1", amount=hundred, at=t[0], **at_bank),
        trust.file_row(file="2026-11-21/1", request_id="REQ-1", amount=sixty, at=t[1], **row),
        trust.file_row(file="2026-11-21/2", request_id="RFD-1", amount=-refund, at=t[3], **row),
    )
    post(story, LOCKBOX, BANK, trust.item_received(deposit_id="DEP-1", amount=hundred, at=t[0], **at_bank))
    line = {"number": 1, "at": t[0].iso(), "kind": "deposit", "reference": "DEP-1", **at_bank}
    story.lines(LOCKBOX, "statement.jsonl").append({**line, "amount": 100_000, "balance": 100_000})
    body = {"device": DEVICE, "amount": 60_000, "state": "posted"}
    record = {"kind": "reset", "key": "REQ-1", "owner": ACME, "version": 2, "body": body}
    story.lines(HARBOR, "records.jsonl").append(record)


def _refund(story: Story, at: Instant, amount: int) -> None:
    """Tell the Form 3533 of the third piece, which was never mailed, and its decision."""
    about = {"licensee": ACME, "device": DEVICE, "share": 100, "total": amount, "amount": amount}
    form = {**about, "scanned_by": "ann", "certified_by": "ben"}
    story.fact(HARBOR, "form-3533.filed", "RFD-1", at, device=DEVICE, licensee=ACME, claimed=amount)
    story.fact(HARBOR, "form-3533.sent", "RFD-1", at, **form)
    story.fact(POST, "form-3533.received", "RFD-1", at, provider=HARBOR, **form)
    story.fact(POST, "refund.decided", "RFD-1", at, provider=HARBOR, outcome="granted", pieces=1, **about)
    body = {"refund": "RFD-1", "at": int(at), "ascending": 2190, "postage": amount, "pieces": 3}
    piece = {
        "kind": "repaid",
        "key": hashlib.sha256(_piece()[:46]).hexdigest(),
        "owner": DEVICE,
        "version": 1,
        "body": body,
    }
    story.lines(POST, "records.jsonl").append(piece)


def _piece() -> bytes:
    """Give the mark of the third piece; its signature is no matter of these checks."""
    fields = {
        "certificate_serial": serial_for(20, test=True),
        "vendor": "TC",
        "model": "1A",
        "psd_serial": 17,
        "ascending_mills": 2190,
        "postage_mills": 730,
        "date": "2026-11-21",
        "origin_zip": "20260",
        "descending_mills": 57_810,
        "category": "FCL1",
        "piece_count": 3,
        "mail_service": 700,
        "software_id": "0100",
    }
    return encode_content(layout("imi-std"), fields) + bytes(64)


def _form(story: Story, at: Instant) -> None:
    """Seal the application for the refund of the third piece, and the form that encloses it."""
    groups = (RefundGroup(value=Mills(730), pieces=1, total=Mills(730)),)
    asked = RefundApplication(
        refund="RFD-1",
        device=DeviceId(DEVICE),
        pieces=(_piece(),),
        groups=groups,
        total=Mills(730),
        claimed_by="dora",
    )
    about = {"sender": ACME, "audience": HARBOR, "id": "MSG-R", "counter": 1, "signer": story.keys[ACME]}
    application = seal(issued=at, expires=at.plus(hours=1), body=asked, **about)  # type: ignore[arg-type]  # by name
    form = Form3533(
        refund="RFD-1",
        license="20260-000001",
        application=application,
        annotations=(),
        groups=groups,
        total=Mills(730),
        share=100,
        amount=Mills(730),
        scanned_by="ann",
        certified_by="ben",
        received=at,
        at=at,
    )
    sealed(story, HARBOR, POST, "MSG-H4", 4, at, form)


def post(story: Story, party: str, chart: Chart, *entries: Entry) -> None:
    """Post entries after those that the story has, and keep all of them as its lines."""
    with MemoryStore().transaction() as tx:
        books = Books(tx, chart)
        for record in story.lines(party, "entries.jsonl"):
            books.post(Entry.from_dict(record))
        for entry in entries:
            books.post(entry)
        story.files[party]["entries.jsonl"] = tx.entries()


def _device(story: Story) -> None:
    registers = Registers(ascending=Mills(1460), descending=Mills(58540), pieces=2)
    at = START.plus(hours=2)
    audit = DeviceAudit(
        state="in service",
        registers=registers,
        resets_total=Mills(60_000),
        withdrawn_total=ZERO,
        high_water=at,
        contact_due=at.plus(hours=72),
        open_request="",
        open_amount=ZERO,
        last_applied="REQ-1",
        usage=(),
        reprints=0,
    )
    story.keys[f"device.{DEVICE}"] = story.keys[DEVICE]
    raw = sealed(story, f"device.{DEVICE}", HARBOR, "MSG-A", 9, at, audit)
    now = {
        "ascending": 2190,
        "descending": 57810,
        "pieces": 3,
        "resets_total": 60_000,
        "withdrawn_total": 0,
        "reprints": 3,
    }
    about = {"device": DEVICE, "licensee": ACME, "provider": HARBOR, "state": "in service", "counter": 12}
    text = base64.b64encode(raw).decode()
    row = {**about, **now, "read_at": START.plus(hours=4).iso(), "audit": text}
    story.lines(HARBOR, "devices.jsonl").append(row)
    own = {"licensee": ACME, "provider": HARBOR}
    spent = {**own, "device": DEVICE, "department": "mailroom"}
    t = [START.plus(hours=n) for n in range(4)]
    post(
        story,
        ACME,
        LICENSEE,
        mailroom.deposit_made(deposit_id="DEP-1", amount=Mills(100_000), at=t[0], **own),
        mailroom.reset_received(request_id="REQ-1", device=DEVICE, amount=Mills(60_000), at=t[1], **own),
        mailroom.postage_evidenced(job="JOB-1", amount=Mills(1460), at=t[1], **spent),
        mailroom.postage_evidenced(job="JOB-2", amount=Mills(730), at=t[3], **spent),
    )
    batches = (("JOB-1", 1, 2, 1460, 1460), ("JOB-2", 3, 1, 730, 2190))
    for number, (job, first, count, total, after) in enumerate(batches):
        body = {"device": DEVICE, "first_piece": first, "count": count, "total": total, "ascending_after": after}
        body["mailing_date"] = "2026-11-21"
        story.fact(ACME, "evidence.made", job, START.plus(hours=1 + 2 * number), **body)


def sealed(story: Story, sender: str, audience: str, name: str, counter: int, at: Instant, body: Any) -> bytes:
    """Seal a message and keep it with its audience, and with its sender where that is a party."""
    raw = seal(
        sender=sender,
        audience=audience,
        id=name,
        issued=at,
        expires=at.plus(hours=1),
        counter=counter,
        body=body,
        signer=story.keys[sender],
    )
    row = {
        "id": name,
        "sender": sender,
        "audience": audience,
        "type": type_of(body).number,
        "counter": counter,
        "issued": at.iso(),
        "message": base64.b64encode(raw).decode(),
    }
    story.lines(audience, "messages.jsonl").append({**row, "direction": "received"})
    if not sender.startswith("device."):
        story.lines(sender, "messages.jsonl").append({**row, "direction": "sent"})
    return raw


def _mail(story: Story) -> None:
    from towncircle.wire.bodies import Acknowledged

    for counter in (1, 2, 3):
        at = START.plus(hours=counter)
        sealed(story, HARBOR, POST, f"MSG-H{counter}", counter, at, Acknowledged(note=f"note {counter}"))
    _form(story, START.plus(hours=3))
    story.sent_last[HARBOR] = 4


def _scans(story: Story) -> None:
    for ascending, hours in ((730, 3), (1460, 4)):
        scanned(story, hours=hours, ascending=ascending)


def scanned(story: Story, *, hours: int, **changes: Any) -> None:
    """Tell a scan, as a line and as a fact."""
    at = START.plus(hours=hours)
    row = {
        "scan": f"SCN-{len(story.lines(POST, 'scans.jsonl'))}",
        "device": DEVICE,
        "certificate_serial": serial_for(20, test=True),
        "ascending": 730,
        "postage": 730,
        "date": "2026-11-21",
        "verdict": "VALID",
        "disposition": "accept with notes",
        "piece": "",
        "scanned_at": at.iso(),
        "site": "20260",
        **changes,
    }
    story.lines(POST, "scans.jsonl").append(row)
    names = ("device", "certificate_serial", "ascending", "postage", "verdict", "disposition", "piece", "site")
    story.fact(POST, "scan.recorded", row["scan"], at, **{name: row[name] for name in names})


Bend = Callable[[Story], None]
