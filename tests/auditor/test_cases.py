"""Whoever bends an examination or a case in an export is named: by the chain of facts, and by what it now says.

The journal is chained and its head signed, so each edit also breaks the chain; where the whole journal of a party is
written anew, as a party that cheats would do it, the check of examinations and cases must find it alone.
"""

import base64
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.stories import HARBOR, mailer, new_world
from tests.journeys.test_examinations import STAFF

from towncircle.auditor import audit
from towncircle.kernel.errors import Refused
from towncircle.mailpiece.address_files import public_addresses
from towncircle.world import printing, verifying
from towncircle.world.config import POSTAL
from towncircle.world.examinations import cases_of, close, examine
from towncircle.world.exporting import export

Row = dict[str, Any]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Live through a copy that was restored, found irregular, replaced by the original, found regular and released."""
    base = tmp_path_factory.mktemp("cases")
    world = new_world(base / "world")
    journeys = mailer(world, deposit=600, reset=200)
    folder = world.shelf.folder_of(journeys.device)
    world.shelf.close()
    shutil.copytree(folder, base / "old")
    printed = printing.print_job(journeys, public_addresses()[:2], base / "out", formats=("pdf",))
    verifying.record(next(iter(verifying.marks_of(printed.pdf))), world, site="Here")
    journeys.contact()
    world.shelf.close()
    folder.rename(base / "new")
    shutil.copytree(base / "old", folder)
    world.advance("5m")
    with pytest.raises(Refused):
        journeys.contact()
    examine(world, journeys.device)
    world.shelf.close()
    shutil.rmtree(folder)
    (base / "new").rename(folder)
    world.advance("5m")
    examine(world, journeys.device)
    close(world, cases_of(world)[0].record.key, outcome="released", reason="The copy is gone.", approved_by=STAFF)
    journeys.contact()
    export(world, base / "export")
    world.close()
    return base / "export"


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "export"))


def rewritten(out: Path, file: str, change: Callable[[list[Row]], object]) -> None:
    """Change the rows of a file; a journal of facts is chained anew, as its own party could."""
    path = out / file
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    change(rows)
    previous = "0" * 64
    lines = []
    for row in rows:
        if file.endswith("facts.jsonl"):
            row["previous_hash"] = previous
        text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        previous = hashlib.sha256(text.encode()).hexdigest()
        lines.append(text + "\n")
    path.write_text("".join(lines))


def of(kind: str, at: int, act: Callable[[Row], object]) -> Callable[[list[Row]], object]:
    return lambda rows: act([row for row in rows if kind in (row.get("type"), row.get("kind"))][at])


def put(*keys: Any, to: Any) -> Callable[[Row], None]:
    def act(row: Any) -> None:
        for key in keys[:-1]:
            row = row[key]
        row[keys[-1]] = to

    return act


def without(kind: str, at: int) -> Callable[[list[Row]], object]:
    return lambda rows: rows.remove([row for row in rows if row.get("type") == kind][at])


def before(kind: str, copied: str, at: int) -> Callable[[list[Row]], object]:
    """Put a copy of a fact just before another."""

    def act(rows: list[Row]) -> None:
        place = next(i for i, row in enumerate(rows) if row["type"] == kind)
        rows.insert(place, json.loads(json.dumps([row for row in rows if row["type"] == copied][at])))

    return act


def closed_last(rows: list[Row]) -> None:
    rows.append(rows.pop(next(i for i, row in enumerate(rows) if row["type"] == "case.closed")))


def bent(row: Row) -> None:
    raw = bytearray(base64.b64decode(row["body"]["report"]))
    raw[-80] ^= 1
    row["body"]["report"] = base64.b64encode(bytes(raw)).decode()


def regular(row: Row) -> None:
    row["body"] |= {"outcome": "regular", "differences": []}


def as_known(row: Row) -> None:
    regular(row)
    row["body"] |= {"ascending": 10**6, "pieces": 99, "message_counter": 10**6, "resets_total": 10**6, "descending": 0}


def kept(name: str) -> Callable[[list[Row]], object]:
    """Change the record of the first examination."""

    def act(rows: list[Row]) -> None:
        records = [row for row in rows if row["kind"] == "examination"]
        {"bent": bent, "swapped": lambda row: row["body"].update(report=records[1]["body"]["report"])}[name](records[0])

    return act


FACTS, RECORDS, OURS = f"{POSTAL}/facts.jsonl", f"{POSTAL}/records.jsonl", f"{HARBOR}/facts.jsonl"
FOUND = "examination.found"
CHEATS = {
    "an irregular device found regular": (FACTS, of(FOUND, 0, regular), "examination.overlooked"),
    "registers that it never signed": (FACTS, of(FOUND, 0, as_known), "examination.differs"),
    "a difference that is none": (FACTS, of(FOUND, 1, put("body", "outcome", to="irregular")), "examination.outcome"),
    "a word that is none": (FACTS, of(FOUND, 1, put("body", "outcome", to="fine")), "examination.outcome"),
    "a report that was bent": (RECORDS, kept("bent"), "examination.no-report"),
    "the report of another order": (RECORDS, kept("swapped"), "examination.no-report"),
    "an order of nobody": (
        RECORDS,
        of("examination", 0, put("body", "order", to="AAAA")),
        "examination.no-order",
    ),
    "an examination without an order": (FACTS, without("examination.ordered", 0), "examination.not-ordered"),
    "a finding that was lost": (FACTS, without(FOUND, 0), "examination.returned"),
    "a finding that its Provider lost": (OURS, without("examination.returned", 0), "examination.not-returned"),
    "a finding that its Provider turned": (
        OURS,
        of("examination.returned", 0, put("body", "outcome", to="regular")),
        "examination.returned",
    ),
    "a finding twice": (FACTS, lambda rows: of(FOUND, 0, rows.append)(list(rows)), "examination.twice"),
    "a freeze without a case": (OURS, without("case.opened", 0), "case.missing"),
    "a case that the Postal Service lost": (FACTS, without("case.opened", 0), "case.one-sided"),
    "a case with another ground": (FACTS, of("case.opened", 0, put("body", "ground", to="x")), "case.differs"),
    "an irregular device without a case": (FACTS, without("case.opened", 0), "examination.no-case"),
    "a case closed by one": (OURS, of("case.closed", 0, put("body", "approved_by", to=["a", "a"])), "case.two-persons"),
    "a case closed by three": (
        OURS,
        of("case.closed", 0, put("body", "approved_by", to=["a", "b", "b"])),
        "case.two-persons",
    ),
    "a case closed by one under two spellings": (
        OURS,
        of("case.closed", 0, put("body", "approved_by", to=["officer-17", "officer-17."])),
        "case.two-persons",
    ),
    "a case closed by one in large letters": (
        FACTS,
        of("case.closed", 0, put("body", "approved_by", to=["officer-17", "OFFICER17"])),
        "case.two-persons",
    ),
    "a release on an examination that its Provider did not have last": (
        OURS,
        before("case.closed", "examination.returned", 0),
        "case.not-cleared",
    ),
    "a release on an examination that was not the last": (FACTS, before("case.closed", FOUND, 0), "case.not-cleared"),
    "a case told as older than its message": (
        FACTS,
        of("case.opened", 0, put("occurred_at", to="2026-01-01T00:00:00Z")),
        "case.backdated",
    ),
    "a case opened after the examination that released it": (
        FACTS,
        of("case.opened", 0, put("occurred_at", to="2026-12-31T00:00:00Z")),
        "case.not-cleared",
    ),
    "a device that was used before its release": (OURS, closed_last, "case.device-used"),
    "a device retired and certified": (
        FACTS,
        of("case.closed", 0, put("body", "outcome", to="retired")),
        "case.not-revoked",
    ),
    "a retired device that was used": (
        OURS,
        of("case.closed", 0, put("body", "outcome", to="retired")),
        "case.device-used",
    ),
    "a case that ended otherwise": (OURS, of("case.closed", 0, put("body", "outcome", to="lost")), "case.outcome"),
    "a case that the Postal Service has open": (FACTS, without("case.closed", 0), "case.differs"),
    "a release without an examination": (
        OURS,
        of("case.closed", 0, put("body", "examination", to="")),
        "case.not-cleared",
    ),
    "a case closed before it was open": (
        OURS,
        lambda rows: rows.insert(0, rows.pop(next(i for i, r in enumerate(rows) if r["type"] == "case.closed"))),
        "case.not-open",
    ),
    "a case closed twice": (OURS, lambda rows: of("case.closed", 0, rows.append)(list(rows)), "case.twice"),
}


def test_the_untouched_export_has_no_difference(copy: Path) -> None:
    report = audit(copy)
    assert [str(one) for one in report.differences] == []
    assert (report.checked["examinations"], report.checked["cases"]) == (2, 2)


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_is_named(name: str, copy: Path) -> None:
    file, change, code = CHEATS[name]
    rewritten(copy, file, change)
    codes = {one.code for one in audit(copy).differences}
    assert code in codes
    assert "fact.chain" not in codes


@pytest.mark.parametrize("value", [None, 7, "x", [], [[]], {}, {"a": 1}])
@pytest.mark.parametrize("key", ["device", "outcome", "differences", "examination", "approved_by", "ground", "other"])
def test_nothing_in_a_fact_crashes_the_audit(key: str, value: object, copy: Path) -> None:
    def bend(rows: list[Row]) -> None:
        for row in rows:
            if row["type"].startswith(("examination.", "case.")) and key in row["body"]:
                row["body"][key] = value

    for file in (FACTS, OURS):
        rewritten(copy, file, bend)
    assert audit(copy).differences


@pytest.mark.parametrize("value", [None, 7, "x", "AAAA", "0oQ=", []])
def test_nothing_in_a_record_crashes_the_audit(value: object, copy: Path) -> None:
    def bend(rows: list[Row]) -> None:
        for row in rows:
            if row["kind"] == "examination":
                row["body"] |= {"order": value, "report": value}

    rewritten(copy, RECORDS, bend)
    assert "examination.no-order" in {one.code for one in audit(copy).differences}
