"""The export of a whole world audits to nothing; any single edit of it, by whomever it speaks for, is named.

Every edit changes the exported files only, as a hand with a text editor would. The digest of the file always says that
something was changed. Where an edit changes what a line means, the arithmetic must say what, too.
"""

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from towncircle.auditor import audit
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.mailpiece.address_files import public_addresses
from towncircle.testing.rehearsal_world import in_process
from towncircle.world import printing, verifying
from towncircle.world.exporting import export
from towncircle.world.journeys import Applicant, Journeys
from towncircle.world.world import Wiring, World

START = Instant.parse("2026-11-23T14:00Z")
POSTAL, BANK, HARBOR, MAILROOM = "postal.usps", "bank.lockbox", "provider.harbor", "licensee.mailroom"
DIGESTS = {"file.digest", "file.length", "file.lines"}
Row = dict[str, Any]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Live through two days of a mail room and export them."""
    base = tmp_path_factory.mktemp("real")
    folder = base / "world"
    World.create(folder, regime="imi-2024", seed=7, start=START).close()
    world = World.open(folder, Wiring(make_port=in_process(folder)))
    journeys = Journeys(world)
    journeys.apply(Applicant(), provider=HARBOR)
    journeys.lease()
    journeys.deposit(Mills.dollars(300))
    journeys.reset(Mills.dollars(100))
    journeys.reset(Mills.dollars(50))
    for number, recipients in enumerate((public_addresses()[:2], public_addresses()[2:4]), start=1):
        printed = printing.print_job(journeys, recipients, base / f"job{number}")
        for mark in verifying.marks_of(printed.pdf):
            verifying.record(mark, world, site="Washington DC P&DC")
        journeys.contact()
        world.advance("1d")
    journeys.contact()
    export(world, base / "export")
    world.close()
    return base / "export"


def codes_of(out: Path) -> set[str]:
    return {difference.code for difference in audit(out).differences}


def test_the_untouched_export_has_no_difference(copy: Path) -> None:
    report = audit(copy)
    assert report.differences == []
    expected = {"parties": 6, "devices": 1, "resets": 2, "batches": 2, "scans": 4, "licensees": 2, "statement lines": 1}
    assert {name: report.checked[name] for name in expected} == expected


# ---- the ways of an editor


def rows_of(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def edit(file: str, which: Callable[[Row], bool], change: Callable[[Row], object]) -> Callable[[Path], None]:
    """Change the first line that is meant."""

    def act(out: Path) -> None:
        rows = rows_of(out / file)
        change(next(row for row in rows if which(row)))
        text = (json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False) for row in rows)
        (out / file).write_text("".join(f"{line}\n" for line in text))

    return act


def lines(file: str, change: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    def act(out: Path) -> None:
        path = out / file
        path.write_text("".join(change(path.read_text().splitlines(keepends=True))))

    return act


def flip(file: str, at: int) -> Callable[[Path], None]:
    def act(out: Path) -> None:
        data = bytearray((out / file).read_bytes())
        data[at] ^= 1
        (out / file).write_bytes(bytes(data))

    return act


def document(file: str, change: Callable[[Row], object]) -> Callable[[Path], None]:
    def act(out: Path) -> None:
        data = json.loads((out / file).read_text())
        change(data)
        (out / file).write_text(json.dumps(data, sort_keys=True, indent=1) + "\n")

    return act


def of(**wanted: object) -> Callable[[Row], bool]:
    return lambda row: all(row[name] == value for name, value in wanted.items())


def put(*keys: Any, to: Any) -> Callable[[Row], None]:
    def act(row: Any) -> None:
        for key in keys[:-1]:
            row = row[key]
        row[keys[-1]] = to

    return act


def both(mills: int) -> Callable[[Row], None]:
    """Set the amount of both lines of an entry, so that it stays balanced."""

    def act(row: Row) -> None:
        row["lines"] = [[account, side, mills] for account, side, _ in row["lines"]]

    return act


def swapped(row: Row) -> None:
    first, second = row["lines"]
    row["lines"] = [[second[0], "debit", first[2]], [first[0], "credit", second[2]]]


def flipped(field: str) -> Callable[[Row], None]:
    """Flip a bit in the signature at the end of sealed bytes."""

    def act(row: Row) -> None:
        data = bytearray(base64.b64decode(row[field]))
        data[-5] ^= 1
        row[field] = base64.b64encode(bytes(data)).decode()

    return act


def more(name: str, by: int) -> Callable[[Row], None]:
    return lambda row: row.__setitem__(name, row[name] + by)


def without(kind: str) -> Callable[[list[str]], list[str]]:
    return lambda found: [line for line in found if f'"type":"{kind}"' not in line]


OURS = of(subject=MAILROOM)

EDITS: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    # the Provider
    "the Provider's account gets a dollar more": (
        edit(f"{HARBOR}/entries.jsonl", of(recipe="deposit-received"), both(301_000)),
        {"entry.fact-differs", "reconcile.amount-differs", "licensee.on-deposit"},
    ),
    "one side of an entry": (
        edit(f"{HARBOR}/entries.jsonl", of(recipe="reset-reserved"), put("lines", 0, 2, to=99_999)),
        {"entry.unbalanced", "account.trial-balance", "equation.broken"},
    ),
    "the accounts of a reset swapped": (
        edit(f"{HARBOR}/entries.jsonl", of(recipe="reset-posted"), swapped),
        {"entry.recipe", "account.below-zero", "reset.in-transit"},
    ),
    "a posted reset turned into a voided one": (
        edit(f"{HARBOR}/entries.jsonl", of(recipe="reset-posted"), put("recipe", to="reset-voided")),
        {"entry.recipe", "fact.no-entry", "reset.record", "register.resets", "reconcile.not-in-provider"},
    ),
    "the state in the record of a reset": (
        edit(f"{HARBOR}/records.jsonl", of(kind="reset"), put("body", "state", to="voided")),
        {"reset.record"},
    ),
    "the day of a deposit": (
        edit(f"{HARBOR}/facts.jsonl", of(type="deposit.credited"), put("occurred_at", to="2026-11-21T14:00:00Z")),
        {"fact.chain"},
    ),
    "an audit made smaller": (
        edit(f"{HARBOR}/facts.jsonl", of(type="audit.taken", subject="TC1A0000000001"), put("body", "pieces", to=7)),
        {"fact.chain", "audit.differs", "register.went-back"},
    ),
    "a fact taken out": (
        lines(f"{HARBOR}/facts.jsonl", without("reset.posted")),
        {"fact.chain", "fact.count", "entry.no-fact"},
    ),
    "a fact put in twice": (
        lines(f"{HARBOR}/facts.jsonl", lambda found: [*found, found[-1]]),
        {"fact.chain", "fact.twice", "fact.count"},
    ),
    "two facts swapped": (
        lines(f"{HARBOR}/facts.jsonl", lambda found: [found[1], found[0], *found[2:]]),
        {"fact.chain"},
    ),
    "the ascending register": (
        edit(f"{HARBOR}/devices.jsonl", of(provider=HARBOR), more("ascending", 1_000)),
        {"register.law", "evidence.ascending"},
    ),
    "both registers, so that their law still holds": (
        edit(
            f"{HARBOR}/devices.jsonl",
            of(provider=HARBOR),
            lambda row: row.update(ascending=row["ascending"] - 780, descending=row["descending"] + 780),
        ),
        {"register.went-back", "evidence.ascending", "licensee.in-device"},
    ),
    "the sealed audit of a device": (
        edit(f"{HARBOR}/devices.jsonl", of(provider=HARBOR), flipped("audit")),
        {"register.bad-audit"},
    ),
    "a byte in a sealed message": (
        edit(f"{HARBOR}/messages.jsonl", of(direction="sent"), flipped("message")),
        {"message.bad-signature"},
    ),
    "the counter of a message": (
        edit(f"{HARBOR}/messages.jsonl", of(direction="sent"), more("counter", 40)),
        {"message.line"},
    ),
    # the Postal Service
    "a scan doubled": (
        lines(f"{POSTAL}/scans.jsonl", lambda found: [found[0], *found]),
        {"scan.twice", "scan.line-twice"},
    ),
    "a verdict": (
        edit(f"{POSTAL}/scans.jsonl", of(verdict="VALID"), put("verdict", to="INVALID")),
        {"scan.fact-differs"},
    ),
    "a scan taken out": (
        lines(f"{POSTAL}/scans.jsonl", lambda found: found[1:]),
        {"scan.missing"},
    ),
    "a scan of dearer postage": (
        edit(f"{POSTAL}/scans.jsonl", of(verdict="VALID"), more("postage", 100_000)),
        {"scan.not-evidenced"},
    ),
    "a scan of another device": (
        edit(f"{POSTAL}/scans.jsonl", of(verdict="VALID"), put("device", to="TC1A0000000009")),
        {"scan.no-device"},
    ),
    "postage set in the postal books": (
        edit(f"{POSTAL}/entries.jsonl", of(recipe="setting-filed"), both(90_000)),
        {"reconcile.amount-differs", "reconcile.total"},
    ),
    "the total of a lockbox report": (
        edit(f"{POSTAL}/facts.jsonl", of(type="lockbox.reported"), put("body", "total", to=1)),
        {"fact.chain", "reconcile.total"},
    ),
    "a license taken away": (
        lines(f"{POSTAL}/facts.jsonl", without("license.issued")),
        {"fact.chain", "license.missing"},
    ),
    "a certificate without its root": (
        edit(f"{POSTAL}/certificates.jsonl", of(subject=HARBOR), lambda row: row["chain"].pop()),
        {"certificate.bad-chain", "signature.bad", "message.bad-signature"},
    ),
    "a certificate for somebody else": (
        edit(f"{POSTAL}/certificates.jsonl", OURS, put("subject", to="licensee.annex")),
        {"certificate.bad-chain", "signature.bad"},
    ),
    "a byte of the verification pack": (flip(f"{POSTAL}/pack.cose", -9), {"signature.bad"}),
    "a byte of the revocation list": (flip(f"{POSTAL}/revocations.crl", -9), {"certificate.bad-list"}),
    # the bank
    "a balance on the statement": (
        edit(f"{BANK}/statement.jsonl", of(number=1), more("balance", -1_000)),
        {"statement.balance"},
    ),
    "an amount on the statement": (
        edit(f"{BANK}/statement.jsonl", of(number=1), put("amount", to=299_000)),
        {"statement.balance", "statement.entry"},
    ),
    "an item at the bank": (
        edit(f"{BANK}/entries.jsonl", of(recipe="item-received"), both(299_000)),
        {"entry.fact-differs", "reconcile.amount-differs", "statement.entry"},
    ),
    # the licensee
    "a deposit in the licensee's books": (
        edit(f"{MAILROOM}/entries.jsonl", of(recipe="deposit-made"), both(400_000)),
        {"entry.fact-differs", "reconcile.amount-differs", "licensee.on-deposit"},
    ),
    "a reset out of the licensee's books": (
        lines(f"{MAILROOM}/entries.jsonl", lambda found: [found[0], *found[2:]]),
        {"entry.number", "fact.no-entry", "reconcile.not-in-licensee", "licensee.on-deposit", "licensee.in-device"},
    ),
    "postage in the licensee's books": (
        edit(f"{MAILROOM}/entries.jsonl", of(recipe="postage-evidenced"), both(10)),
        {"entry.fact-differs", "licensee.postage", "licensee.in-device"},
    ),
    "pieces of a batch": (
        edit(f"{MAILROOM}/facts.jsonl", of(type="evidence.made"), put("body", "count", to=1)),
        {"fact.chain", "evidence.gap"},
    ),
    # files
    "a journal cut short": (
        lambda out: (out / MAILROOM / "facts.jsonl").write_bytes((out / MAILROOM / "facts.jsonl").read_bytes()[:-30]),
        {"line.cut", "line.malformed", "fact.count", "fact.head"},
    ),
    "a file taken out": (
        lambda out: (out / BANK / "statement.jsonl").unlink(),
        {"file.missing", "statement.missing"},
    ),
    "a file put in": (lambda out: (out / HARBOR / "notes.txt").write_text("hello\n"), {"file.unlisted"}),
    "a party taken out": (
        lambda out: shutil.rmtree(out / MAILROOM),
        {"file.missing", "manifest.party-missing", "licensee.no-books", "evidence.pieces"},
    ),
    "a count in the manifest": (
        document("manifest.json", lambda data: data["files"][f"{HARBOR}/facts.jsonl"].update(lines=1)),
        {"file.lines"},
    ),
    "the time of the export in the manifest": (
        document("manifest.json", put("made_at", to="2026-11-23T14:00:00Z")),
        {"head.differs"},
    ),
    "the hash of the last fact in a head": (
        document(f"{HARBOR}/head.json", put("facts", "head", to="0" * 64)),
        {"fact.head", "signature.other-head"},
    ),
    "a head that says it was not quiet": (
        document(f"{HARBOR}/head.json", put("quiet", to=False)),
        {"head.differs", "signature.other-head"},
    ),
    "a byte of a signature": (flip(f"{HARBOR}/signature.cose", -9), {"signature.bad"}),
}
_SAYS_ITSELF = ("a file", "a party", "a count in the manifest", "the time of the export in the manifest")


def test_there_are_more_than_twenty_edits_of_every_party_and_kind_of_file() -> None:
    assert len(EDITS) > 20


@pytest.mark.parametrize("name", EDITS)
def test_each_single_edit_of_a_real_export_is_named(copy: Path, name: str) -> None:
    act, expected = EDITS[name]
    act(copy)
    found = codes_of(copy)
    assert expected <= found
    assert expected - DIGESTS or name == "a count in the manifest"
    if not name.startswith(_SAYS_ITSELF):
        assert "file.digest" in found
