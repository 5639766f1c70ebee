"""Address data of a licensee's own serve everything that he prints, and what they do not verify is told."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from tests.journeys.stories import refused

from towncircle.cli import print as print_command
from towncircle.cli.main import build_parser
from towncircle.kernel.errors import BadInput, RefusedOnGrounds
from towncircle.kernel.ids import JobId
from towncircle.licensee import address_data as own
from towncircle.mailpiece.address_files import EMBEDDED
from towncircle.mailpiece.templates import Template
from towncircle.rules.terms import Term
from towncircle.world import address_data, batching, custody
from towncircle.world.batching import Wish
from towncircle.world.journeys import Journeys
from towncircle.world.mailroom_door import Door, DoorServer, Piece, _recipient, ask
from towncircle.world.printing import Printed

HEADER = "name,street,city,state,zip\n"
ORDER = {"name": "A", "street": "100 MAIN ST", "city": "NASHUA", "state": "NH", "zip": "03060"}
PLACE = "100 MAIN ST,NASHUA,NH"
THROUGH = "2026-12-01"  # six months of the packaged table's edition, 2026-06


def made(path: Path, *, edition: str = "2026-11", plus4: str = "1234", name: str = "our ranges") -> Path:
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as data:
        data.execute("CREATE TABLE about (name TEXT, edition TEXT)")
        data.execute("INSERT INTO about VALUES (?, ?)", (name, edition))
        data.execute("CREATE TABLE ranges (zip TEXT, street TEXT, low INT, high INT, side TEXT, plus4 TEXT)")
        data.execute("INSERT INTO ranges VALUES ('03060', 'MAIN ST', 100, 198, 'E', ?)", (plus4,))
        data.commit()
    return path


def facts(room: Journeys, kind: str) -> list[dict]:
    with room.world.store(room.licensee).reading() as view:
        return [dict(fact.body) for fact in view.facts() if fact.type == kind]


def job_body(room: Journeys, job: str) -> dict:
    with room.world.store(room.licensee).reading() as view:
        row = view.get("job", job)
    assert row is not None
    return dict(row.body)


def printed(room: Journeys, out: Path, rows: str) -> Printed:
    given = out.with_suffix(".csv")
    given.write_text(HEADER + rows, encoding="utf-8")
    args = build_parser().parse_args(["print", "world", "--addresses", str(given), "--out", str(out)])
    return print_command._starter(args, None, ("pdf",))(room)


def test_an_edition_told_on_a_word_does_not_lift_the_age_of_the_table_in_use(room: Journeys) -> None:
    custody.update_address_data(room, edition="2026-11")
    late = date(2026, 12, 2)
    with refused("addresses.data-old"):
        address_data.use(room, day=late, reason="")
    address_data.use(room, day=date(2026, 12, 1), reason="")


def test_without_data_of_ones_own_no_zip4_is_verified_and_that_is_told(room: Journeys, tmp_path: Path) -> None:
    done = printed(room, tmp_path / "plain", f"A,{PLACE},03060-1234\nB,{PLACE},03060-1234-56\nC,{PLACE},03060\n")
    told = address_data.told(room, job_body(room, done.job.key))
    assert told == {
        "sources": [{"name": "zipcodes 3.0.0", "edition": "2026-06"}],
        "good_through": THROUGH,
        "zip4": 2,
        "zip4_verified": 0,
        "delivery_point": 1,
    }
    assert address_data.rows_of(told) == [
        ("ZIP+4", "2, not verified; delivery point 1, not verified"),
        ("address data", f"zipcodes 3.0.0, edition 2026-06; for mail through {THROUGH}"),
    ]


@pytest.mark.shows("P050-2.5g")
def test_a_template_that_mails_ahead_is_held_to_the_age_of_the_data_on_that_day(
    room: Journeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = room.today()
    monkeypatch.setattr(Term, "last_day", lambda term, first: today + timedelta(days=2))
    given = tmp_path / "list.csv"
    given.write_text(f"{HEADER}A,{PLACE},03060\n")
    noted = len(facts(room, "address-data.old-used"))
    ahead, before = Template(name="test", ahead_days=3), room.status().registers
    with refused("addresses.data-old"):
        batching.print_batch(room, Wish(source=given, template=ahead), tmp_path / "refused")
    assert room.status().registers == before
    done = batching.print_batch(room, Wish(source=given, template=ahead, old_data="late"), tmp_path / "kept")
    assert json.loads(done.manifest.read_text())["mailing_date"] == (today + timedelta(days=3)).isoformat()
    kept = facts(room, "address-data.old-used")[noted:]
    assert {(one["day"], one["reason"]) for one in kept} == {((today + timedelta(days=3)).isoformat(), "late")}


@pytest.mark.shows("P050-2.5g")
def test_data_that_grew_too_old_while_a_list_was_checked_reserve_nothing(
    room: Journeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "list.csv"
    given.write_text(f"{HEADER}A,{PLACE},03060\n")
    reserve = batching.same_prices

    def later(*args: Any) -> None:
        monkeypatch.setattr(type(EMBEDDED), "edition", "2026-01")
        reserve(*args)

    monkeypatch.setattr(batching, "same_prices", later)
    before = (room.status().registers, facts(room, "batch.reserved"))
    with refused("addresses.data-old"):
        batching.print_batch(room, Wish(source=given, template=Template(name="test")), tmp_path / "out")
    assert (room.status().registers, facts(room, "batch.reserved")) == before


def test_installed_data_verify_what_is_printed_batched_and_asked_at_the_door(room: Journeys, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"addresses\.source-unreadable"):
        address_data.install(room, tmp_path / "absent.sqlite")
    for edition in ("2026-04", "2027-01"):
        with refused("custody.address-data-old"):
            address_data.install(room, made(tmp_path / "bad.sqlite", edition=edition))
    file = made(tmp_path / "own.sqlite")
    data = address_data.install(room, file)
    assert address_data.install(room, file) == data  # once more is the same
    file.unlink()  # the world has its own copy
    noted = facts(room, "address-data.updated")[-1]
    assert noted == {"edition": "2026-11", "name": "our ranges", "sha256": data.sha256}
    assert len(list((room.world.folder / room.licensee / "address-data").iterdir())) == 1

    done = printed(room, tmp_path / "own", f"A,{PLACE},03060-1234\nB,{PLACE},03060\n")
    body = job_body(room, done.job.key)
    assert [piece["address"]["plus4"] for piece in body["pieces"]] == ["1234", "1234"]
    assert {piece["verified_by"] for piece in body["pieces"]} == {"our ranges of 2026-11"}
    told = address_data.told(room, body)
    assert (told["zip4"], told["zip4_verified"]) == (2, 2)
    assert told["good_through"] == THROUGH  # the packaged table of ZIP Codes is in use too
    with pytest.raises(RefusedOnGrounds, match=r"addresses\.faulty-rows"):
        printed(room, tmp_path / "wrong", f"A,{PLACE},03060-9999\n")

    given = tmp_path / "list.csv"
    given.write_text(f"{HEADER}A,{PLACE},03060-1234\nB,{PLACE},03060-9999\nC,200 OAK ST,NASHUA,NH,03060-4444\n")
    wish = Wish(source=given, template=Template(name="test"), skip_bad_rows=True)
    batch = batching.print_batch(room, wish, tmp_path / "batch")
    manifest = json.loads(batch.manifest.read_text())
    assert manifest["rows_left_out"] == 1
    assert manifest["address_data"] == {
        "sources": [{"name": "our ranges", "edition": "2026-11"}, {"name": "zipcodes 3.0.0", "edition": "2026-06"}],
        "good_through": THROUGH,
        "zip4": 2,
        "zip4_verified": 1,
        "delivery_point": 0,
    }
    assert [one["zip4"] for one in manifest["pieces"]] == ["verified by our ranges of 2026-11", "not verified"]

    order, door = ORDER, Door(room.world, [room.licensee])
    piece = door.print_one(room.licensee, json.dumps(order).encode())
    assert piece.routed == "1, verified"
    assert piece.data == f"our ranges, edition 2026-11; zipcodes 3.0.0, edition 2026-06; for mail through {THROUGH}"
    with pytest.raises(RefusedOnGrounds, match=r"addresses\.faulty-rows"):
        door.print_one(room.licensee, json.dumps({**order, "zip": "03060-9999"}).encode())


def test_a_file_that_is_not_what_was_installed_is_not_read_and_can_be_set_aside(room: Journeys, tmp_path: Path) -> None:
    data = address_data.install(room, made(tmp_path / "again.sqlite", plus4="1236"))
    (kept,) = (room.world.folder / room.licensee / "address-data").iterdir()
    assert kept.name == f"{data.sha256}.sqlite"  # the one before is gone
    assert address_data.whole(room)
    made(kept, edition="2026-10", plus4="1238")
    assert not address_data.whole(room)
    with pytest.raises(BadInput, match=r"addresses\.source-unreadable"), address_data.source_of(room):
        pass
    with refused("custody.address-data-old"):  # not back to older data
        address_data.install(room, made(tmp_path / "older.sqlite", edition="2026-10"))
    address_data.set_aside(room)
    assert facts(room, "address-data.set-aside")[-1]["sha256"] == data.sha256
    with refused("addresses.none-installed"):
        address_data.set_aside(room)
    with room.world.store(room.licensee).reading() as view:
        assert own.in_use(view) == [{"name": "zipcodes 3.0.0", "edition": "2026-06"}]


def test_data_with_a_name_of_any_characters_are_told_at_the_door(room: Journeys, tmp_path: Path) -> None:
    name = "AMS \u2013 licensed 100% \u5730\u5740\r\nX-More: 1"
    address_data.install(room, made(tmp_path / "named.sqlite", name=name, plus4="1239"))
    server = DoorServer(room.world, [room.licensee])
    server.start()
    try:
        before = room.status().registers.pieces
        status, headers, page = ask(room.world.folder, room.licensee, "print", ORDER)
    finally:
        server.stop()
    assert (status, page[:5], headers["X-More"]) == (200, b"%PDF-", None)
    told = unquote(headers["Towncircle-Address-Data"])
    assert told.startswith("AMS \u2013 licensed 100% \u5730\u5740\\r\\nX-More: 1, edition 2026-11; zipcodes 3.0.0")
    assert headers["Towncircle-Zip4"] == "1, verified"
    assert room.status().registers.pieces == before + 1
    address_data.set_aside(room)


def test_an_answer_that_cannot_be_made_leaves_the_piece_for_the_same_order(
    room: Journeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, job = Door(room.world, [room.licensee]), room.new(JobId.new)
    order = json.dumps({**ORDER, "job": job}).encode()
    with monkeypatch.context() as broken:
        broken.setattr(Piece, "answer", lambda _piece: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            door.print_one(room.licensee, order)
    before = room.status().registers
    assert door.print_one(room.licensee, order).job == job
    assert room.status().registers == before
    with refused("door.given"):
        door.print_one(room.licensee, order)


@pytest.mark.parametrize("then", ["set aside", "another edition", "contradicted"])
def test_a_piece_that_is_paid_is_given_whatever_the_address_data_say_since(
    room: Journeys, tmp_path: Path, then: str
) -> None:
    address_data.install(room, made(tmp_path / "first.sqlite", plus4="1240", name=f"before {then}"))
    (recipient,) = address_data.looked_up(room, [_recipient(ORDER)])
    job = room.new(JobId.new)
    room.evidence(room.plan((recipient,), job=job))  # and the process that asked died
    if then != "set aside":
        plus4 = "1241" if then == "contradicted" else "1240"
        address_data.install(room, made(tmp_path / "second.sqlite", plus4=plus4, name=then))
    else:
        address_data.set_aside(room)
    door, before = Door(room.world, [room.licensee]), room.status().registers
    for changed in ({"zip": "03060-9999"}, {"street": "102 MAIN ST"}, {"name": "B"}):
        with refused("door.other-piece"):
            door.print_one(room.licensee, json.dumps({**ORDER, **changed, "job": job}).encode())
    said = ORDER["zip"] if then == "set aside" else "03060-1240"
    piece = door.print_one(room.licensee, json.dumps({**ORDER, "zip": said, "job": job}).encode())
    assert (piece.job, piece.routed) == (job, "1, verified")
    assert room.status().registers == before
    if then != "set aside":
        address_data.set_aside(room)


def test_what_is_no_plain_file_is_not_read(room: Journeys, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for file in (tmp_path / "pipe", tmp_path):
        with pytest.raises(BadInput, match=r"addresses\.source-unreadable"):
            address_data.install(room, file)


@pytest.mark.shows("P050-2.5g")
def test_data_that_know_places_are_used_alone_and_their_age_counts(room: Journeys, tmp_path: Path) -> None:
    file = made(tmp_path / "places.sqlite", plus4="1234", name="all of it")
    with closing(sqlite3.connect(file)) as data:
        data.execute("CREATE TABLE places (zip TEXT, city TEXT, state TEXT, use TEXT)")
        data.execute(
            "INSERT INTO places VALUES ('03060', 'NASHUA', 'NH', 'usual'), ('03999', 'NEW TOWN', 'NH', 'usual')"
        )
        data.commit()
    address_data.install(room, file)
    assert facts(room, "address-data.updated")[-1]["places"] is True
    with room.world.store(room.licensee).reading() as view:
        assert own.in_use(view) == [{"name": "all of it", "edition": "2026-11"}]
    address_data.use(room, day=date(2027, 5, 1), reason="")
    with refused("addresses.data-old"):
        address_data.use(room, day=date(2027, 5, 2), reason="")
    done = printed(room, tmp_path / "out", f"A,{PLACE},03060\nB,1 ELM ST,NEW TOWN,NH,03999\n")
    told = address_data.told(room, job_body(room, done.job.key))
    assert (told["sources"], told["good_through"]) == ([{"name": "all of it", "edition": "2026-11"}], "2027-05-01")
    with pytest.raises(RefusedOnGrounds, match=r"addresses\.faulty-rows"):
        printed(room, tmp_path / "gone", "A,1 Beacon St,Boston,MA,02108\n")
    door = Door(room.world, [room.licensee])
    new = {**ORDER, "street": "1 ELM ST", "city": "NEW TOWN", "zip": "03999"}
    assert door.print_one(room.licensee, json.dumps(new).encode()).data.startswith("all of it, edition 2026-11; for")
    given = tmp_path / "list.csv"
    given.write_text(f"{HEADER}A,1 ELM ST,NEW TOWN,NH,03999\n")
    batch = batching.print_batch(room, Wish(source=given, template=Template(name="test")), tmp_path / "batch")
    assert json.loads(batch.manifest.read_text())["address_data"]["good_through"] == "2027-05-01"
    address_data.set_aside(room)
    with pytest.raises(RefusedOnGrounds):
        printed(room, tmp_path / "after", "B,1 ELM ST,NEW TOWN,NH,03999\n")


PACKAGE = """
class Ours:
    name, edition = "our interface", "2026-10"
    closed = 0

    def match(self, given):
        from towncircle.mailpiece.address_source import Match
        return Match(standing="found", plus4="7777") if given.zip5 == "03060" else Match(standing="not verified")

    def close(self):
        Ours.closed += 1
"""


def test_a_source_of_an_installed_package_serves_all_that_is_printed(
    room: Journeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadInput, match=r"addresses\.source-unknown"):
        address_data.plug(room, "ours")
    (tmp_path / "our_addresses.py").write_text(PACKAGE, encoding="utf-8")
    about = tmp_path / "our_addresses-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: our-addresses\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[towncircle.address_sources]\nours = our_addresses:Ours\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert address_data.plug(room, "ours").edition == "2026-10"
    assert facts(room, "address-data.updated")[-1] == {
        "edition": "2026-10", "name": "our interface", "source": "ours",
    }  # fmt: skip
    done = printed(room, tmp_path / "out", f"A,{PLACE},03060\n")
    (piece,) = job_body(room, done.job.key)["pieces"]
    assert (piece["address"]["plus4"], piece["verified_by"]) == ("7777", "our interface of 2026-10")
    ours = __import__("our_addresses").Ours
    ours.edition = "2026-11"
    address_data.use(room, day=date(2026, 11, 23), reason="")
    assert facts(room, "address-data.updated")[-1]["edition"] == "2026-11"
    ours.edition = "soon"
    with pytest.raises(BadInput, match=r"addresses\.source-unreadable"):
        address_data.use(room, day=date(2026, 11, 23), reason="")
    assert ours.closed > 3
    address_data.set_aside(room)
