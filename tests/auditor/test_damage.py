"""Whoever changes an export, or cheats before sealing it, is named by what was changed, and nothing crashes."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.auditor.story import ACME, DEVICE, HARBOR, LOCKBOX, POST, START, Story, post, told

from towncircle.auditor import audit
from towncircle.kernel.money import ZERO, Mills
from towncircle.ledger import BANK, LICENSEE, PROVIDER, Entry, mailroom, recipes, trust
from towncircle.wire.bodies import LockboxReport, LockboxRow
from towncircle.wire.message import seal

Row = dict[str, Any]


def codes_of(out: Path) -> set[str]:
    return {difference.code for difference in audit(out).differences}


# ---- edits of the written files: the digest says that, the named difference says what


def edit(file: str, line: int, change: Callable[[Row], None]) -> Callable[[Path], None]:
    def act(out: Path) -> None:
        path = out / file
        rows = [json.loads(text) for text in path.read_text().splitlines()]
        change(rows[line])
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    return act


def lines(file: str, change: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    def act(out: Path) -> None:
        path = out / file
        path.write_text("".join(change(path.read_text().splitlines(keepends=True))))

    return act


def raw(file: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def act(out: Path) -> None:
        (out / file).write_bytes(change((out / file).read_bytes()))

    return act


def remove(file: str) -> Callable[[Path], None]:
    return lambda out: (out / file).unlink()


def document(file: str, change: Callable[[Row], Any]) -> Callable[[Path], None]:
    def act(out: Path) -> None:
        data = json.loads((out / file).read_text())
        change(data)
        (out / file).write_text(json.dumps(data))

    return act


def put(*keys: Any, to: Any) -> Callable[[Any], None]:
    def act(row: Any) -> None:
        for key in keys[:-1]:
            row = row[key]
        row[keys[-1]] = to

    return act


FACTS, ENTRIES = f"{HARBOR}/facts.jsonl", f"{HARBOR}/entries.jsonl"
DEVICES, MESSAGES = f"{HARBOR}/devices.jsonl", f"{HARBOR}/messages.jsonl"
FLIP = lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]  # noqa: E731 - a change of one bit

EDITS = {
    "an amount of a fact": (edit(FACTS, 0, put("body", "amount", to=90_000)), {"fact.chain", "entry.fact-differs"}),
    "a date of a fact": (edit(FACTS, 0, put("occurred_at", to="2026-11-20T15:00:00Z")), {"fact.chain"}),
    "a date that is none": (edit(FACTS, 0, put("occurred_at", to="yesterday")), {"line.malformed", "entry.no-fact"}),
    "the last fact": (edit(FACTS, -1, put("body", "amount", to=1)), {"fact.head", "entry.fact-differs"}),
    "a fact taken out": (lines(FACTS, lambda x: x[:2] + x[3:]), {"fact.chain", "entry.no-fact", "file.lines"}),
    "the last fact taken out": (lines(FACTS, lambda x: x[:-1]), {"fact.head", "fact.count", "entry.no-fact"}),
    "a fact put in": (lines(FACTS, lambda x: [*x, x[0]]), {"fact.chain", "fact.twice", "fact.count"}),
    "two facts swapped": (lines(FACTS, lambda x: [x[1], x[0], *x[2:]]), {"fact.chain"}),
    "a fact cut in half": (raw(FACTS, lambda x: x[:-40]), {"line.cut", "line.malformed", "file.length"}),
    "facts that are not text": (raw(FACTS, lambda x: b"\xff" + x), {"line.malformed"}),
    "half a surrogate pair": (raw(FACTS, lambda x: x.replace(b'"REQ-1"', b'"\\ud800"')), {"line.malformed"}),
    "a key twice": (raw(FACTS, lambda x: x.replace(b'{"id"', b'{"id": "x", "id"', 1)), {"line.malformed"}),
    "a journal of nothing": (raw(FACTS, lambda x: b""), {"fact.head", "fact.count", "entry.no-fact"}),
    "a deep line": (raw(FACTS, lambda x: x + b"[" * 200_000 + b"\n"), {"line.malformed"}),
    "an amount of an entry": (edit(ENTRIES, 1, put("lines", 0, 2, to=61_000)), {"entry.unbalanced", "equation.broken"}),
    "a balanced entry": (
        edit(
            ENTRIES, 1, put("lines", to=[[f"account/{ACME}", "debit", 7], [f"in-transit/{ACME}/{DEVICE}", "credit", 7]])
        ),
        {"entry.fact-differs", "reset.amount", "account.below-zero", "reset.in-transit", "reset.record"},
    ),
    "an amount of nothing": (edit(ENTRIES, 1, put("lines", 0, 2, to=-5)), {"entry.malformed"}),
    "an amount with a fraction": (edit(ENTRIES, 1, put("lines", 0, 2, to=60_000.5)), {"entry.malformed"}),
    "another's account": (edit(ENTRIES, 0, put("lines", 1, 0, to="account/licensee.zeta")), {"entry.account"}),
    "another kind of account": (edit(ENTRIES, 0, put("lines", 1, 0, to=f"paid-out/{ACME}")), {"entry.recipe"}),
    "another recipe": (edit(ENTRIES, 2, put("recipe", to="reset-voided")), {"entry.recipe", "fact.no-entry"}),
    "an unknown recipe": (edit(ENTRIES, 0, put("recipe", to="gift")), {"entry.recipe", "reconcile.not-in-provider"}),
    "a date of an entry": (edit(ENTRIES, 1, put("at", to="2026-11-20T00:00:00Z")), {"entry.fact-time"}),
    "an entry of tomorrow": (edit(ENTRIES, 1, put("at", to="2027-01-01T00:00:00Z")), {"entry.time", "entry.fact-time"}),
    "an entry taken out": (
        lines(ENTRIES, lambda x: x[:2] + x[3:]),
        {"entry.number", "entry.count", "reset.open", "fact.no-entry", "register.resets", "reconcile.not-in-provider"},
    ),
    "an entry put in": (lines(ENTRIES, lambda x: [*x, x[0]]), {"entry.number", "entry.twice", "entry.count"}),
    "two entries swapped": (lines(ENTRIES, lambda x: [x[1], x[0], *x[2:]]), {"entry.number", "account.below-zero"}),
    "a correction of nothing": (edit(ENTRIES, 0, put("corrects", to="ENT-222222222222")), {"entry.correction"}),
    "an empty line": (raw(ENTRIES, lambda x: b"\n" + x), {"line.malformed"}),
    "a register": (edit(DEVICES, 0, put("ascending", to=2000)), {"register.law", "evidence.ascending"}),
    "two registers": (
        edit(DEVICES, 0, lambda row: row.update(ascending=1000, descending=59_000)),
        {"register.went-back", "evidence.ascending"},
    ),
    "pieces": (edit(DEVICES, 0, put("pieces", to=1)), {"register.went-back", "evidence.pieces"}),
    "a counter that went back": (edit(DEVICES, 0, put("counter", to=3)), {"register.went-back"}),
    "resets": (edit(DEVICES, 0, put("resets_total", to=70_000)), {"register.law", "register.resets"}),
    "a device taken out": (raw(DEVICES, lambda x: b""), {"device.missing", "scan.no-device"}),
    "a device twice": (lines(DEVICES, lambda x: x + x), {"device.twice"}),
    "a sealed audit": (edit(DEVICES, 0, put("audit", to="AAAA")), {"register.bad-audit"}),
    "no sealed audit": (edit(DEVICES, 0, put("audit", to="")), {"register.no-audit"}),
    "a record": (edit(f"{HARBOR}/records.jsonl", 0, put("body", "state", to="voided")), {"reset.record"}),
    "a message taken out": (lines(MESSAGES, lambda x: [x[0], *x[2:]]), {"message.gap"}),
    "a counter of a message": (edit(MESSAGES, 1, put("counter", to=9)), {"message.line", "message.gap"}),
    "a message twice used": (
        lines(MESSAGES, lambda x: [*x, x[1].replace("MSG-H1", "MSG-X")]),
        {"message.counter-twice", "message.line"},
    ),
    "a sealed message": (edit(MESSAGES, 1, put("message", to="0oQ=")), {"message.malformed", "message.differs"}),
    "a sender": (edit(MESSAGES, 1, put("sender", to=ACME)), {"message.line", "message.sender"}),
    "a scan of nothing": (edit(f"{POST}/scans.jsonl", 0, put("ascending", to=9_999)), {"scan.not-evidenced"}),
    "a scan twice": (lines(f"{POST}/scans.jsonl", lambda x: [*x, x[0]]), {"scan.twice", "scan.line-twice"}),
    "a verdict": (edit(f"{POST}/scans.jsonl", 0, put("verdict", to="INVALID")), {"scan.fact-differs"}),
    "a scan taken out": (lines(f"{POST}/scans.jsonl", lambda x: x[1:]), {"scan.missing"}),
    "a scan of another device": (edit(f"{POST}/scans.jsonl", 0, put("device", to="X")), {"scan.no-device"}),
    "a scan of tomorrow": (edit(f"{POST}/scans.jsonl", 0, put("scanned_at", to="2027-01-01T00:00:00Z")), {"scan.time"}),
    "a statement line": (
        edit(f"{LOCKBOX}/statement.jsonl", 0, put("amount", to=99_000)),
        {"statement.balance", "statement.entry"},
    ),
    "a statement date": (
        edit(f"{LOCKBOX}/statement.jsonl", 0, put("at", to="2026-11-20T00:00:00Z")),
        {"statement.entry"},
    ),
    "a statement of nothing": (raw(f"{LOCKBOX}/statement.jsonl", lambda x: b""), {"statement.missing"}),
    "a postal entry": (
        edit(f"{POST}/entries.jsonl", 1, put("lines", 0, 2, to=50_000)),
        {"entry.unbalanced", "reconcile.amount-differs", "reconcile.total"},
    ),
    "evidence": (edit(f"{ACME}/facts.jsonl", 2, put("body", "total", to=1000)), {"evidence.gap", "fact.chain"}),
    "evidence taken out": (
        lines(f"{ACME}/facts.jsonl", lambda x: x[:2] + x[3:]),
        {"evidence.gap", "scan.not-evidenced", "fact.chain"},
    ),
    "a licensee's deposit": (
        edit(f"{ACME}/entries.jsonl", 0, lambda row: [line.__setitem__(2, 99_000) for line in row["lines"]]),
        {"entry.fact-differs", "reconcile.amount-differs", "licensee.on-deposit"},
    ),
    "a licensee's reset taken out": (
        lines(f"{ACME}/entries.jsonl", lambda x: [x[0], *x[2:]]),
        {"entry.number", "account.below-zero", "fact.no-entry", "reconcile.not-in-licensee", "licensee.in-device"},
    ),
    "a licensee's postage": (
        edit(f"{ACME}/entries.jsonl", 2, lambda row: [line.__setitem__(2, 1) for line in row["lines"]]),
        {"entry.fact-differs", "licensee.postage", "licensee.in-device"},
    ),
    "a licensee's department": (
        edit(f"{ACME}/entries.jsonl", 2, put("lines", 0, 0, to=f"postage/{ACME}/annex")),
        {"entry.account"},
    ),
    "no books of a licensee": (
        remove(f"{ACME}/entries.jsonl"),
        {"file.missing", "entry.count", "fact.no-entry", "licensee.on-deposit", "licensee.in-device"},
    ),
    "a license": (edit(f"{POST}/facts.jsonl", 0, put("type", to="license.refused")), {"license.missing"}),
    "a certificate": (
        edit(f"{POST}/certificates.jsonl", 1, lambda row: row["chain"].pop()),
        {"certificate.bad-chain", "signature.bad"},
    ),
    "another's certificate": (
        edit(f"{POST}/certificates.jsonl", 1, put("subject", to=ACME)),
        {"certificate.bad-chain", "signature.bad"},
    ),
    "a purpose": (edit(f"{POST}/certificates.jsonl", 1, put("purpose", to="bank")), {"certificate.bad-chain"}),
    "no certificates": (remove(f"{POST}/certificates.jsonl"), {"file.missing", "signature.bad"}),
    "the revocation list": (raw(f"{POST}/revocations.crl", FLIP), {"certificate.bad-list"}),
    "the pack": (raw(f"{POST}/pack.cose", FLIP), {"signature.bad"}),
    "a signature": (raw(f"{HARBOR}/signature.cose", FLIP), {"signature.bad"}),
    "no signature": (remove(f"{HARBOR}/signature.cose"), {"file.missing"}),
    "a signature that is none": (raw(f"{HARBOR}/signature.cose", lambda x: b"\xd2\x84"), {"signature.malformed"}),
    "an empty signature": (raw(f"{HARBOR}/signature.cose", lambda x: b""), {"signature.malformed"}),
    "a head": (document(f"{HARBOR}/head.json", put("entries", to=4)), {"signature.other-head", "entry.count"}),
    "another's head": (document(f"{HARBOR}/head.json", put("party", to=ACME)), {"head.party", "signature.other-head"}),
    "a head of nothing": (raw(f"{HARBOR}/head.json", lambda x: b"{"), {"head.malformed", "signature.other-head"}),
    "a world": (document(f"{HARBOR}/head.json", put("world", to="WLD-x")), {"head.differs", "signature.other-head"}),
    "the manifest's world": (document("manifest.json", put("world", to="WLD-x")), {"head.differs"}),
    "the manifest's version": (document("manifest.json", put("version", to=2)), {"head.differs"}),
    "the manifest's date": (document("manifest.json", put("made_at", to="2020-01-01T00:00:00Z")), {"head.differs"}),
    "the manifest's root": (document("manifest.json", put("root", to="0" * 64)), {"head.differs"}),
    "the manifest's parties": (
        document("manifest.json", lambda data: data["parties"].append("provider.ghost")),
        {"manifest.party-missing"},
    ),
    "the manifest's files": (document("manifest.json", put("files", to=[])), {"manifest.malformed"}),
    "a file out of the manifest": (document("manifest.json", lambda data: data["files"].pop(FACTS)), {"file.unlisted"}),
    "the manifest cut short": (raw("manifest.json", lambda x: x[: len(x) // 2]), {"manifest.malformed"}),
    "no manifest": (remove("manifest.json"), {"file.missing"}),
    "no journal": (remove(FACTS), {"file.missing", "fact.head", "entry.no-fact"}),
    "no entries": (remove(ENTRIES), {"file.missing", "entry.count", "fact.no-entry", "reconcile.not-in-provider"}),
    "a file put in": (lambda out: (out / HARBOR / "notes.txt").write_text("hi") and None, {"file.unlisted"}),
    "a folder put in": (lambda out: (out / "extra").mkdir(), {"file.unlisted"}),
}


@pytest.mark.parametrize("name", EDITS)
def test_each_edit_of_an_export_is_named(tmp_path: Path, name: str) -> None:
    act, expected = EDITS[name]
    out = told().write(tmp_path / "out")
    act(out)
    found = codes_of(out)
    assert expected <= found
    if not name.startswith(("a folder", "no ", "the manifest", "a file")):
        assert "file.digest" in found


# ---- cheats of a party that seals its own export again: no digest differs, the arithmetic does


def bend(party: str, file: str, line: int, *keys: Any, to: Any) -> Callable[[Story], None]:
    def act(story: Story) -> None:
        put(*keys, to=to)(story.lines(party, file)[line])
        story.rechain(party)

    return act


def drop(party: str, file: str, line: int) -> Callable[[Story], None]:
    def act(story: Story) -> None:
        del story.lines(party, file)[line]
        story.rechain(party)

    return act


def money(mills: int) -> Callable[[Story], None]:
    """Give the licensee money from nowhere, with fact and entry."""

    def act(story: Story) -> None:
        at = START.plus(hours=4)
        story.fact(HARBOR, "deposit.credited", "DEP-9", at, licensee=ACME, amount=mills)
        entry = recipes.deposit_received(deposit_id="DEP-9", licensee=ACME, amount=Mills(mills), at=at)
        post(story, HARBOR, PROVIDER, entry)

    return act


def open_reset(story: Story) -> None:
    at = START.plus(hours=4)
    about = {"licensee": ACME, "device": DEVICE, "amount": Mills(1000)}
    story.fact(HARBOR, "reset.reserved", "REQ-2", at, **{**about, "amount": 1000})
    post(story, HARBOR, PROVIDER, recipes.reset_reserved(request_id="REQ-2", cap=Mills(500_000), at=at, **about))


def forged_audit(story: Story) -> None:
    row = story.lines(HARBOR, "devices.jsonl")[0]
    sealed = bytearray(base64.b64decode(row["audit"]))
    sealed[-1] ^= 1
    row["audit"] = base64.b64encode(bytes(sealed)).decode()


def hide_reset(story: Story) -> None:
    del story.lines(ACME, "facts.jsonl")[1]
    story.rechain(ACME)
    rows = [Entry.from_dict(row) for row in story.lines(ACME, "entries.jsonl")[:1]]
    story.files[ACME]["entries.jsonl"] = []
    post(story, ACME, LICENSEE, *rows)


def old_key(story: Story) -> None:
    story.keys[HARBOR] = story.keys[ACME]


def corrected(*changes: tuple[str, Any]) -> Callable[[Story], None]:
    """Tell of a REDATE, a postage correction (JOB-2, of a piece of JOB-1) and two reprints, one of them bent."""

    def act(story: Story) -> None:
        about = {"device": DEVICE, "of": "JOB-1", "count": 1}
        dates = {"printed_date": "2026-11-21", "mailing_date": "2026-11-22"}
        told = {
            "date.corrected": {**about, "count": 2, **dates},
            "postage.corrected": {**about, "total": 730, "overpaid": 0},
            "print.reprinted": {**about, "count": 2, "reprints": 2},
            "again": {**about, "of": "JOB-2", "reprints": 3},
        }
        for place, value in changes:
            kind, _, key = place.partition(":")
            told[kind][key] = value
        for kind, body in told.items():
            subject = "JOB-2" if kind == "postage.corrected" else str(body["of"])
            story.fact(ACME, "print.reprinted" if kind == "again" else kind, subject, START.plus(hours=4), **body)

    return act


def untold(story: Story) -> None:
    story.fact(
        ACME, "print.planned", "JOB-2", START.plus(hours=4), form="correction", device=DEVICE, total=730, count=1
    )


def reprints(*, device: int, audit: int = 0) -> Callable[[Story], None]:
    def act(story: Story) -> None:
        corrected()(story)
        story.lines(HARBOR, "devices.jsonl")[0]["reprints"] = device
        story.lines(HARBOR, "facts.jsonl")[3]["body"]["reprints"] = audit
        story.rechain(HARBOR)

    return act


CHEATS = {
    "a REDATE of pieces that were never evidenced": (
        corrected(("date.corrected:of", "JOB-9")),
        {"correction.no-piece"},
    ),
    "a REDATE of more pieces than there are": (corrected(("date.corrected:count", 3)), {"correction.count"}),
    "a REDATE of no piece": (corrected(("date.corrected:count", 0)), {"correction.count"}),
    "a REDATE that is not later": (corrected(("date.corrected:mailing_date", "2026-11-21")), {"redate.not-later"}),
    "a REDATE of another date": (corrected(("date.corrected:printed_date", "2026-11-20")), {"redate.printed-date"}),
    "a REDATE made after its day": (
        corrected(("date.corrected:printed_date", "2026-11-18"), ("date.corrected:mailing_date", "2026-11-19")),
        {"redate.backdated", "redate.printed-date"},
    ),
    "a REDATE without a date": (corrected(("date.corrected:mailing_date", 5)), {"fact.malformed"}),
    "a correction of pieces that were never evidenced": (
        corrected(("postage.corrected:of", "JOB-9")),
        {"correction.no-piece"},
    ),
    "a correction of another amount": (corrected(("postage.corrected:total", 729)), {"correction.no-evidence"}),
    "a correction by another device": (
        corrected(("postage.corrected:device", "TC1A0000000018")),
        {"correction.no-evidence"},
    ),
    "a correction that is all overpaid": (corrected(("postage.corrected:overpaid", 730)), {"correction.amount"}),
    "a correction that underpays": (corrected(("postage.corrected:overpaid", -1)), {"correction.amount"}),
    "a correction that is not told as one": (untold, {"correction.untold"}),
    "a reprint that the device did not count": (corrected(("again:reprints", 2)), {"reprint.uncounted"}),
    "a reprint of more than was counted": (
        corrected(("print.reprinted:count", 3)),
        {"correction.count", "reprint.uncounted"},
    ),
    "a device that counts fewer reprints": (reprints(device=2), {"reprint.uncounted"}),
    "a device whose reprints went back": (
        reprints(device=3, audit=4),
        {"register.went-back", "register.audit-differs"},
    ),
    "a device with reprints below zero": (reprints(device=-1), {"register.negative", "reprint.uncounted"}),
    "a Provider that credits money from nowhere": (money(5_000), {"reconcile.not-in-postal", "reconcile.not-in-bank"}),
    "a Provider that hides a reset": (drop(HARBOR, "facts.jsonl", 2), {"entry.no-fact"}),
    "a Provider whose audit says less": (
        bend(HARBOR, "facts.jsonl", 3, "body", "ascending", to=1000),
        {"register.law", "register.audit-differs", "audit.differs", "register.usage"},
    ),
    "a Provider that hides an audit": (drop(HARBOR, "facts.jsonl", 3), {"register.no-audit", "entry.no-fact"}),
    "a Postal Service that lost an audit": (drop(POST, "facts.jsonl", 3), {"audit.not-forwarded"}),
    "a Postal Service that books another total": (
        bend(POST, "facts.jsonl", 2, "body", "total", to=1),
        {"reconcile.total"},
    ),
    "a bank that reports less than it took in": (
        bend(LOCKBOX, "facts.jsonl", 0, "body", "amount", to=1),
        {"entry.fact-differs"},
    ),
    "a licensee that evidenced more than it says": (
        bend(ACME, "facts.jsonl", 3, "body", "count", to=2),
        {"evidence.pieces"},
    ),
    "a reset left open": (open_reset, {"reset.open", "reset.in-transit"}),
    "an audit with a forged signature": (forged_audit, {"register.bad-audit"}),
    "a head signed by another's key": (old_key, {"signature.bad"}),
    "a registration from the future": (
        bend(ACME, "facts.jsonl", 3, "recorded_at", to="2027-01-01T00:00:00Z"),
        {"fact.time"},
    ),
    "a licensee that hides a reset": (
        hide_reset,
        {"reconcile.not-in-licensee", "licensee.on-deposit", "licensee.in-device"},
    ),
    "a licensee that was never there": (lambda story: story.files.pop(ACME) and None, {"licensee.no-books"}),
    "a fact without its amount": (bend(HARBOR, "facts.jsonl", 0, "body", to={}), {"fact.malformed", "entry.no-fact"}),
}


@pytest.mark.parametrize("name", CHEATS)
def test_each_cheat_of_a_party_is_named_though_it_seals_everything_again(tmp_path: Path, name: str) -> None:
    act, expected = CHEATS[name]
    story = told()
    act(story)
    found = codes_of(story.write(tmp_path / "out"))
    assert expected <= found
    assert not {code for code in found if code.startswith(("file.", "line.", "fact.chain", "head."))}


def test_corrections_and_reprints_that_agree_are_no_difference(tmp_path: Path) -> None:
    story = told()
    corrected()(story)
    report = audit(story.write(tmp_path / "out"))
    assert report.differences == []
    assert report.checked["corrections"] == 4


def test_a_device_may_count_a_reprint_that_a_crash_kept_from_being_written_down(tmp_path: Path) -> None:
    story = told()
    reprints(device=5)(story)
    assert audit(story.write(tmp_path / "out")).differences == []


def test_an_open_reset_is_no_difference_where_the_export_is_not_quiet(tmp_path: Path) -> None:
    story = told()
    open_reset(story)
    story.header["quiet"] = False
    assert audit(story.write(tmp_path / "out")).differences == []


def test_a_correction_is_taken_as_what_it_is(tmp_path: Path) -> None:
    story = told()
    money(5_000)(story)
    wrong = Entry.from_dict(story.lines(HARBOR, "entries.jsonl")[-1])
    post(story, HARBOR, PROVIDER, recipes.correction(wrong, at=START.plus(hours=4)))
    assert audit(story.write(tmp_path / "out")).differences == []


# ---- what is under way excuses what it brings, and nothing else


def unheard(story: Story) -> None:
    """Let the Postal Service and the licensee not know of a second deposit yet; the export says it is not quiet."""
    at = START.plus(hours=4)
    story.header["quiet"] = False
    money = {"licensee": ACME, "provider": HARBOR}
    story.fact(LOCKBOX, "deposit.received", "DEP-2", at, amount=7_000, **money)
    story.fact(HARBOR, "deposit.credited", "DEP-2", at, amount=7_000, licensee=ACME)
    story.fact(ACME, "deposit.made", "DEP-2", at, amount=7_000, provider=HARBOR)
    about = {"deposit_id": "DEP-2", "licensee": ACME, "amount": Mills(7_000), "at": at}
    post(story, HARBOR, PROVIDER, recipes.deposit_received(**about))
    post(story, ACME, LICENSEE, mailroom.deposit_made(**about, provider=HARBOR))
    post(story, LOCKBOX, BANK, trust.item_received(**about, provider=HARBOR))
    line = {"number": 2, "at": at.iso(), "kind": "deposit", "reference": "DEP-2", **money}
    story.lines(LOCKBOX, "statement.jsonl").append({**line, "amount": 7_000, "balance": 107_000})


def report_waits(story: Story, *, amount: int = 7_000, hours: int = 4, signer: str = LOCKBOX) -> None:
    row = LockboxRow(deposit_id="DEP-2", licensee=ACME, provider=HARBOR, amount=Mills(amount), form="wire")
    body = LockboxReport(day="2026-11-21", number=2, deposits=(row,), opening=ZERO, closing=Mills(amount))
    at = START.plus(hours=4)
    raw = seal(
        sender=LOCKBOX,
        audience=POST,
        id="MSG-W",
        issued=at,
        expires=at.plus(hours=24),
        counter=1,
        body=body,
        signer=story.keys[signer],
    )
    told = {"id": "MSG-W", "direction": "waiting", "sender": LOCKBOX, "audience": POST, "type": 52, "counter": 1}
    since = START.plus(hours=hours).iso()
    text = base64.b64encode(raw).decode()
    story.lines(LOCKBOX, "messages.jsonl").append({**told, "issued": at.iso(), "message": text, "since": since})


def test_a_missing_counterpart_that_a_waiting_message_brings_is_no_difference(tmp_path: Path) -> None:
    story = told()
    unheard(story)
    report_waits(story)
    report = audit(story.write(tmp_path / "out"))
    assert report.differences == []
    assert report.checked["waiting"] == 1


@pytest.mark.parametrize(
    ("wait", "expected"),
    [
        (lambda _story: None, {"reconcile.not-in-postal"}),
        (lambda story: report_waits(story, amount=6_999), {"reconcile.not-in-postal"}),
        (lambda story: report_waits(story, signer=HARBOR), {"reconcile.not-in-postal", "message.bad-signature"}),
        (lambda story: report_waits(story, hours=-44), {"message.stuck"}),
    ],
    ids=["nothing waits", "another amount waits", "another party signed", "it waits too long"],
)
def test_that_an_export_is_not_quiet_excuses_nothing_by_itself(
    tmp_path: Path, wait: Callable[[Story], None], expected: set[str]
) -> None:
    story = told()
    unheard(story)
    wait(story)
    assert codes_of(story.write(tmp_path / "out")) == expected


def test_a_quiet_moment_with_waiting_messages_excuses_nothing(tmp_path: Path) -> None:
    story = told()
    unheard(story)
    report_waits(story)
    story.header["quiet"] = True
    assert "reconcile.not-in-postal" in codes_of(story.write(tmp_path / "out"))


def test_a_waiting_message_says_since_when(tmp_path: Path) -> None:
    story = told()
    unheard(story)
    report_waits(story)
    del story.lines(LOCKBOX, "messages.jsonl")[-1]["since"]
    assert codes_of(story.write(tmp_path / "out")) == {"line.malformed"}


def test_a_licensee_may_miss_its_last_reset_for_two_days_only(tmp_path: Path) -> None:
    story = told()
    hide_reset(story)
    rows = [record for record in story.lines(ACME, "facts.jsonl") if record["type"] == "evidence.made"]
    assert len(rows) == 2
    story.header["quiet"] = False
    assert "reconcile.not-in-licensee" not in codes_of(story.write(tmp_path / "now"))
    later = START.plus(hours=50)
    story.header["made_at"] = later.iso()
    assert {"reconcile.not-in-licensee", "licensee.on-deposit"} <= codes_of(story.write(tmp_path / "later"))


def test_of_two_open_resets_of_a_device_one_is_named(tmp_path: Path) -> None:
    story = told()
    open_reset(story)
    at = START.plus(hours=4)
    about = {"licensee": ACME, "device": DEVICE, "amount": Mills(1000)}
    story.fact(HARBOR, "reset.reserved", "REQ-3", at, **{**about, "amount": 1000})
    post(story, HARBOR, PROVIDER, recipes.reset_reserved(request_id="REQ-3", cap=Mills(500_000), at=at, **about))
    story.header["quiet"] = False
    assert {"reset.open", "reset.in-transit"} <= codes_of(story.write(tmp_path / "out"))
