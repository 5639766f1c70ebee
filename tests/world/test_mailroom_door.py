"""One piece printed by one request to the door of a mail room, over real HTTP; one world for all of it."""

from __future__ import annotations

import http.client
import json
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.faults import killed as world_of
from tests.journeys.stories import refused

from towncircle.kernel import persons
from towncircle.kernel.ids import JobId
from towncircle.kernel.money import Mills
from towncircle.licensee import departments, pins
from towncircle.mailpiece.address_files import public_addresses
from towncircle.paper.png import raster
from towncircle.symbol import read
from towncircle.world import mailroom_door, printing, spooling, turns
from towncircle.world.departments import Payer
from towncircle.world.journeys import Journeys
from towncircle.world.mailroom_door import DoorServer, ask, letting_go

LICENSEE, ANNEX = world_of.LICENSEE, "licensee.annex"
TO = {"company": "United States Postal Service", "street": "475 L'Enfant Plaza SW", "city": "Washington", "state": "DC"}
ORDER = {**TO, "zip": "20260"}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journeys]:
    folder = world_of.prepared(tmp_path_factory.mktemp("door") / "world", up_to="reset")
    with world_of.opened(folder) as journeys:
        server = DoorServer(journeys.world, [LICENSEE, ANNEX])
        server.start()
        yield journeys
        server.stop()
        with refused("door.closed"):
            ask(folder, LICENSEE, "print", ORDER)
        assert not (folder / LICENSEE / mailroom_door.FILE).exists()


def asked(room: Journeys, order: dict[str, str], *, licensee: str = LICENSEE) -> tuple[int, dict]:
    status, _, body = ask(room.world.folder, licensee, "print", order)
    return status, json.loads(body)["error"]


def raw(room: Journeys, body: bytes, *, secret_of: str = LICENSEE, secret: str | None = None) -> tuple[int, dict]:
    held = json.loads((room.world.folder / LICENSEE / mailroom_door.FILE).read_text())
    own = json.loads((room.world.folder / secret_of / mailroom_door.FILE).read_text())["secret"]
    parts = urlsplit(held["address"])
    assert parts.hostname == "127.0.0.1"
    line = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    headers = {"Authorization": f"Bearer {own}"} if secret is None else {"Authorization": secret}
    line.request("POST", f"{parts.path}/print", body=body, headers=headers)
    answer = line.getresponse()
    told = json.loads(answer.read())["error"]
    line.close()
    return answer.status, told


def test_a_piece_comes_as_a_page_with_its_symbol(room: Journeys) -> None:
    before = room.status().registers
    status, headers, page = ask(room.world.folder, LICENSEE, "print", {**ORDER, "weight": "2oz"})
    assert status == 200
    assert headers["Content-Type"] == "application/pdf"
    (found,) = read(raster(page, dpi=300))
    with room.world.store(LICENSEE).reading() as view:
        job = view.get("job", headers["Towncircle-Job"])
    assert job is not None
    assert job.body["state"] == "printed"
    assert [found.payload.hex()] == job.body["indicia"]
    after = room.status().registers
    assert after.ascending - before.ascending == Mills(int(headers["Towncircle-Postage-Mills"]))
    assert after.pieces == before.pieces + 1


def test_only_who_shows_the_licensee_s_own_secret_is_served(room: Journeys) -> None:
    file = room.world.folder / LICENSEE / mailroom_door.FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = room.status().registers
    body = json.dumps(ORDER).encode()
    for wrong in ("", "Bearer ", "Bearer x", "Basic eDp5"):
        assert raw(room, body, secret=wrong)[0] == 401
    status, told = raw(room, body, secret_of=ANNEX)
    assert (status, told["code"]) == (401, "door.not-proved")
    assert room.status().registers == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "door.unreadable"),
        (b"[" * 9000, "door.unreadable"),
        (b"{" + b" " * 20_000 + b"}", "door.unreadable"),
        (b'["a"]', "door.unreadable"),
        (b'{"street": 1}', "door.unreadable"),
        (b'{"street": "x"}', "door.unreadable"),
        (json.dumps({**ORDER, "extra": "x"}).encode(), "door.unreadable"),
        (json.dumps({**ORDER, "job": "JOB-1"}).encode(), "id.unreadable"),
        (json.dumps({**ORDER, "shape": "cube"}).encode(), "rates.unknown-shape"),
        (json.dumps({**ORDER, "weight": "heavy"}).encode(), "weight.unreadable"),
    ],
)
def test_what_cannot_be_used_is_told_and_debits_nothing(room: Journeys, body: bytes, code: str) -> None:
    before = room.status().registers
    status, told = raw(room, body)
    assert status == 422
    assert told["code"] == code
    assert room.status().registers == before


def test_what_print_refuses_is_refused_here(room: Journeys) -> None:
    assert asked(room, {**ORDER, "country": "France"})[0] in (409, 422)
    assert asked(room, {**ORDER, "department": "nobody"}) == (409, _error("department.unknown", department="nobody"))
    assert asked(room, ORDER, licensee=ANNEX)[1]["code"] == "world.no-device"
    room.do(lambda ctx: departments.keep(ctx, department="claims", budget=Mills(10)))
    assert asked(room, {**ORDER, "department": "claims"})[1]["code"] == "department.over-budget"
    assert room.open_jobs() == []


def _error(code: str, **params: str) -> dict[str, object]:
    from towncircle.kernel.errors import Refused

    return Refused(code, **params).as_dict()


def test_a_job_that_is_named_is_printed_once(room: Journeys) -> None:
    job = room.new(JobId.new)
    room.evidence(room.plan(public_addresses()[:1], job=job))  # a request whose process died before its page was given
    before = room.status().registers
    status, told = asked(room, {**ORDER, "city": "Boston", "state": "MA", "zip": "02109", "job": job})
    assert (status, told["code"]) == (409, "door.other-piece")
    status, headers, _ = ask(room.world.folder, LICENSEE, "print", {**ORDER, "job": job})
    assert (status, headers["Towncircle-Job"]) == (200, job)
    status, told = asked(room, {**ORDER, "job": job})
    assert (status, told["code"]) == (409, "door.given")
    assert "--reprint" in told["next_step"]
    assert room.status().registers == before


def test_a_named_job_is_given_only_to_who_began_it_and_proves_it(room: Journeys) -> None:
    room.do(lambda ctx: persons.authorise(ctx, name="anna"))
    room.do(lambda ctx: pins.set_pin(ctx, name="anna", pin="271828"))
    room.do(lambda ctx: departments.keep(ctx, department="legal", budget=None))
    room.do(lambda ctx: departments.admit(ctx, department="legal", name="anna", admitted=True))
    job = room.new(JobId.new)
    payer = Payer(department="legal", person="anna", pin="271828")
    room.evidence(room.plan(public_addresses()[:1], job=job, payer=payer))  # and the process that asked died
    own = {**ORDER, "job": job, "department": "legal", "person": "anna", "pin": "271828"}
    for order, code in (
        ({**ORDER, "job": job}, "door.other-payer"),
        ({**own, "person": "", "pin": ""}, "door.other-payer"),
        ({**own, "person": "bert", "pin": "314159"}, "door.other-payer"),
        ({**own, "pin": "000000"}, "pin.wrong"),
    ):
        assert asked(room, order)[1]["code"] == code
    assert ask(room.world.folder, LICENSEE, "print", own)[0] == 200


def test_a_job_under_way_is_not_taken_up_by_another_process(
    room: Journeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "WAIT_S", 0.05)
    job = room.plan(public_addresses()[:1])
    with turns.turn(room.world.folder, LICENSEE):
        assert asked(room, {**ORDER, "job": job})[1]["code"] == "mailroom.under-way"
        with refused("mailroom.under-way"):
            printing.finish_job(room, job, tmp_path / "out")
        with refused("mailroom.under-way"):
            spooling.print_on(room, job, "none")
    status, _, page = ask(room.world.folder, LICENSEE, "print", {**ORDER, "job": job})
    assert (status, page[:5]) == (200, b"%PDF-")
    with refused("mailroom.not-to-hand-over"):
        printing.finish_job(room, job, tmp_path / "out")
    assert not (tmp_path / "out").exists()  # nothing of it was written


def test_a_request_that_never_becomes_whole_does_not_keep_the_door_open(
    room: Journeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailroom_door, "GRACE_S", 0.2)
    before = (room.world.folder / LICENSEE / mailroom_door.FILE).read_bytes()
    server = DoorServer(room.world, [LICENSEE])
    server.start()
    held = json.loads((room.world.folder / LICENSEE / mailroom_door.FILE).read_text())
    parts = urlsplit(held["address"])
    line = socket.create_connection((parts.hostname, parts.port))
    head = f"POST {parts.path}/print HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {held['secret']}\r\n"
    line.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
    began = time.monotonic()
    server.stop()
    line.close()
    assert time.monotonic() - began < 5
    (room.world.folder / LICENSEE / mailroom_door.FILE).write_bytes(before)  # of the room's own door


def test_devices_are_let_go_before_a_command_opens_one(room: Journeys) -> None:
    assert ask(room.world.folder, LICENSEE, "print", ORDER)[0] == 200
    assert room.world.shelf._open
    seen: list[int] = []

    def make(_folder: Path):
        seen.append(len(room.world.shelf._open))

    letting_go(room.world.folder, [LICENSEE], make)(Path("device"))
    assert seen == [0]
    assert room.status().registers.pieces


def test_address_data_that_are_too_old_are_used_with_a_reason_only(room: Journeys) -> None:
    room.world.clock.advance("60d")  # nothing follows in this world
    assert asked(room, ORDER)[1]["code"] == "addresses.data-old"
    assert asked(room, {**ORDER, "old_data": "the new edition is late"})[1]["code"] != "addresses.data-old"
