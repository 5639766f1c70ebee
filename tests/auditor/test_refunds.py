"""What is told of a refund of unused postage: one changed word of it is a named difference."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.auditor.test_checkouts import Edit, Row, edit, lines, without
from tests.indicium.samples import FIELDS
from tests.journeys.stories import HARBOR
from tests.journeys.test_refunds import certified, funded, mailed, printed

from towncircle.auditor import audit
from towncircle.auditor.marks import read_mark
from towncircle.auditor.refund_forms import Form, Terms, check_ages
from towncircle.auditor.report import Report
from towncircle.indicium import decode, encode_content, layout
from towncircle.kernel.instants import Instant
from towncircle.verification import content_key
from towncircle.world import refunding
from towncircle.world.config import POSTAL
from towncircle.world.exporting import export

P, U = f"{HARBOR}/", f"{POSTAL}/"
LATER = "2031-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Live through a refund of two pieces whose envelopes were destroyed in time, and a mailed piece; export it."""
    base = tmp_path_factory.mktemp("refunds")
    journeys = funded(base / "world", "cfr-501")
    pieces = printed(journeys)
    refund = certified(journeys, pieces[:2])
    mailed(journeys.world, pieces[2])
    refunding.decide(journeys.world, refund, by="mats")
    journeys.world.advance("46d")
    refunding.destroy(journeys.world, refund, by="ann")
    export(journeys.world, base / "export")
    journeys.world.close()
    return base / "export"


def payload(name: str) -> bytes:
    """Give a mark of a layout; nobody signed it."""
    item = layout(name)
    return encode_content(item, FIELDS[name]) + bytes(item.length - item.signed_length)


def codes_of(out: Path) -> set[str]:
    return {difference.code for difference in audit(out).differences}


def test_the_untouched_export_has_no_difference(copy: Path) -> None:
    report = audit(copy)
    assert report.differences == []
    assert (report.checked["refunds"], report.checked["refunded pieces"]) == (1, 2)


def body(file: str, kind: str, **values: Any) -> Edit:
    return edit(file, lambda row: row["body"].update(values), type=kind)


def marked(**values: Any) -> Edit:
    return edit(f"{U}records.jsonl", lambda row: row["body"].update(values), kind="repaid")


def twice(file: str, kind: str) -> Edit:
    def act(rows: list[Row]) -> list[Row]:
        return rows + [row for row in rows if row["type"] == kind][:1]

    return lines(file, act)


def _also_mailed(out: Path) -> None:
    piece = next(row for row in _rows(out, f"{U}records.jsonl") if row["kind"] == "repaid")
    edit(f"{U}scans.jsonl", lambda row: row.update(ascending=piece["body"]["ascending"]), verdict="VALID")(out)


def _accepted_as(out: Path, **values: object) -> None:
    """Tell a scan of a refunded piece as accepted, in a layout that shows no register."""
    piece = next(row for row in _rows(out, f"{U}records.jsonl") if row["kind"] == "repaid")
    edit(f"{U}scans.jsonl", lambda row: row.update(content=piece["key"], **values), verdict="VALID")(out)


def _rows(out: Path, file: str) -> list[Row]:
    return [json.loads(line) for line in (out / file).read_text().splitlines()]


_FORM, _GOT, _SAID = "form-3533.sent", "form-3533.received", "refund.decided"
DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "certified by who scanned": (body(f"{P}facts.jsonl", _FORM, certified_by="ann"), "refund.one-person"),
    "certified by nobody": (body(f"{P}facts.jsonl", _FORM, certified_by=""), "refund.one-person"),
    "another amount certified": (body(f"{P}facts.jsonl", _FORM, amount=1), "refund.share"),
    "a higher share": (body(f"{P}facts.jsonl", _FORM, share=100), "refund.share"),
    "another form received": (body(f"{U}facts.jsonl", _GOT, scanned_by="zoe"), "refund.form"),
    "no form received": (without(f"{U}facts.jsonl", type=_GOT), "refund.not-received"),
    "no form sent": (without(f"{P}facts.jsonl", type=_FORM), "refund.no-form"),
    "two forms": (twice(f"{P}facts.jsonl", _FORM), "refund.twice"),
    "two decisions": (twice(f"{U}facts.jsonl", _SAID), "refund.twice"),
    "no decision": (without(f"{U}facts.jsonl", type=_SAID), "refund.credit"),
    "another amount arranged": (body(f"{U}facts.jsonl", _SAID, amount=1), "refund.credit"),
    "more arranged": (body(f"{U}facts.jsonl", _SAID, amount=10**6), "refund.more"),
    "arranged and called refused": (body(f"{U}facts.jsonl", _SAID, outcome="refused"), "refund.outcome"),
    "another piece count": (body(f"{U}facts.jsonl", _SAID, pieces=3), "refund.pieces"),
    "no piece marked": (without(f"{U}records.jsonl", kind="repaid"), "refund.pieces"),
    "a piece of another value": (marked(postage=1), "refund.pieces"),
    "a piece of another refund": (marked(refund="RFD-222222222222"), "refund.pieces"),
    "a piece that was mailed": (_also_mailed, "refund.two-fates"),
    "certified under another spelling": (body(f"{P}facts.jsonl", _FORM, certified_by="An-n"), "refund.one-person"),
    "certified by who applied": (body(f"{P}facts.jsonl", _FORM, certified_by="Dora"), "refund.one-person"),
    "decided by who certified": (
        edit(f"{U}facts.jsonl", lambda row: row.update(actor="BEN"), type=_SAID),
        "refund.one-person",
    ),
    "decided by nobody": (edit(f"{U}facts.jsonl", lambda row: row.update(actor=""), type=_SAID), "refund.one-person"),
    "the sealed form taken out": (without(f"{P}messages.jsonl", type=95), "refund.application"),
    "received later": (
        edit(f"{P}facts.jsonl", lambda row: row.update(occurred_at=LATER), type="form-3533.filed"),
        "refund.backdated",
    ),
    "a register that the mark does not show": (marked(ascending=1), "refund.piece"),
    "a content that is not on the form": (
        edit(f"{U}records.jsonl", lambda row: row.update(key="ab" * 32), kind="repaid"),
        "refund.piece",
    ),
    "mailed by its content alone": (
        lambda out: _accepted_as(out, ascending=0),
        "refund.two-fates",
    ),
    "no credit": (without(f"{P}entries.jsonl", recipe="unused-refunded"), "refund.credit"),
    "envelopes destroyed early": (
        body(f"{P}facts.jsonl", "refunded-envelopes.destroyed", kept_until="2031-01-01T00:00:00Z"),
        "refund.envelopes",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damage_is_named(name: str, copy: Path) -> None:
    harm, code = DAMAGE[name]
    harm(copy)
    assert code in codes_of(copy)


def test_a_piece_marked_twice_is_named(copy: Path) -> None:
    def act(rows: list[Row]) -> list[Row]:
        return rows + [row for row in rows if row["kind"] == "repaid"][:1]

    lines(f"{U}records.jsonl", act)(copy)
    assert "refund.piece-twice" in codes_of(copy)


def test_values_that_are_scaled_alike_in_every_file_are_not_those_of_the_marks(copy: Path) -> None:
    def scale(row: Row) -> None:
        for name in ("total", "amount", "postage"):
            if name in row["body"]:
                row["body"][name] *= 10

    def entry(rows: list[Row]) -> list[Row]:
        for row in rows:
            if row["recipe"] in {"unused-refunded", "refund-filed"}:
                row["lines"] = [[account, side, mills * 10] for account, side, mills in row["lines"]]
        return rows

    for file, kinds in ((f"{P}facts.jsonl", (_FORM, "unused.refunded")), (f"{U}facts.jsonl", (_GOT, _SAID))):
        for kind in kinds:
            edit(file, scale, type=kind)(copy)
    lines(f"{U}records.jsonl", lambda rows: [scale(row) or row for row in rows if row["kind"] == "repaid"])(copy)
    lines(f"{P}entries.jsonl", entry)(copy)
    found = codes_of(copy)
    assert {"refund.value", "refund.piece", "refund.form"} <= found
    assert not {"refund.share", "refund.credit", "refund.pieces"} & found  # among themselves they agree


def test_a_piece_that_was_too_old_is_named() -> None:
    mark = read_mark(payload("imi-std"))
    assert mark is not None
    form = Form(pieces={1: mark}, struck=frozenset(), claimed_by="dora")
    sent = Instant.parse(f"{mark.day}T17:00Z")
    terms = Terms({mark.certificate: (30, "America/New_York")})
    for days, codes in ((30, set()), (31, {"refund.age"})):
        report = Report()
        check_ages(form, sent.plus(hours=24 * days), terms, "here", report)
        assert {one.code for one in report.differences} == codes


@pytest.mark.parametrize("name", ["ibi-full", "imi-min", "imi-std", "imi-max"])
def test_the_auditors_reader_of_marks_says_what_the_codec_says(name: str) -> None:
    made = payload(name)
    decoded, mark = decode(made), read_mark(made)
    assert mark is not None
    fields = decoded.fields
    assert (mark.device, mark.key) == (decoded.device, content_key(made))
    assert (mark.postage, mark.day.isoformat()) == (fields["postage_mills"], fields["date"])
    assert (mark.ascending, mark.pieces) == (fields.get("ascending_mills"), fields.get("piece_count"))
    assert mark.certificate == fields["certificate_serial"]
    assert read_mark(made[:-1]) is None
