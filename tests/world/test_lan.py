"""The stations of a LAN host follow what became of its device, as the licensee's own books have it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from tests.journeys.stories import refused
from tests.psd.setting import DEVICE, START

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.randomness import SeededRandomness
from towncircle.licensee import missing, returns
from towncircle.psd import commands
from towncircle.storage.sqlite import SqliteStore
from towncircle.world import lan, stations

OTHER = DeviceId.of(vendor="TC", model="1A", serial=18)
LICENSEE = "licensee.mailroom"
enrol = partial(stations.enrol, randomness=SeededRandomness(5, "lan"), now=START)


class Office:
    """A mail room that serves its device to two desks; the Provider's bench and another device are on the list too."""

    def __init__(self, place: Path, store: SqliteStore) -> None:
        self.store, self.devices, self.list = store, place / "devices", place / "stations"
        for device in (DEVICE, OTHER):
            (self.devices / device).mkdir(parents=True)
            self.write("device", device, provider="provider.harbor")
        stations.found(self.list, SeededRandomness(6, "host"), START)
        lan.note(self.devices / DEVICE, self.list)
        lan.note(self.devices / DEVICE, self.list)
        told: dict[str, tuple[list[str], str]] = {
            "desk": ([DEVICE], "user"),
            "all": ([stations.EVERY], "user"),
            "both": ([DEVICE, OTHER], "user"),
            "other": ([OTHER], "user"),
            "bench": ([DEVICE], "provider"),
            "board": ([DEVICE], "watch"),
        }
        self.keys = {
            name: enrol(self.list, name, place / name, devices=devices, role=role)
            for name, (devices, role) in told.items()
        }

    def write(self, kind: str, key: str, **body: object) -> None:
        with self.store.transaction() as tx:
            held = tx.get(kind, key)
            tx.put(kind, key, body, owner=LICENSEE, expected=held.version if held else 0)

    def may(self, name: str, command: commands.Command, device: DeviceId = DEVICE) -> bool:
        """Tell whether a caller gets a command through the gate of the host."""
        lan.keep(self.store, self.devices)
        call = stations.gate(self.list, lambda _device, _command: b"done")
        try:
            return call(self.keys[name], device, commands.encode_command(command)) == b"done"
        except Refused as refusal:
            if refusal.code not in ("world.station-refused", "psd.role-refused"):
                raise
            return False


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with closing(SqliteStore(tmp_path / "store.sqlite", create=True)) as store:
        yield Office(tmp_path, store)


STATUS, AUDIT, RECOVER = commands.Status(), commands.Audit(), commands.Recover(request_id="JOB-1")
NEW = commands.Evidence.of("JOB-2", amounts=[730], date="2026-11-21")
LEFT: dict[str, Callable[[Office], None]] = {
    "missing": lambda office: office.write("missing", DEVICE, state=missing.LEARNED, event="lost"),
    "told of": lambda office: office.write("missing", DEVICE, state=missing.TOLD, event="stolen"),
}


@pytest.mark.parametrize("how", LEFT)
def test_nobody_but_the_provider_calls_a_lan_device_that_is_gone_and_a_found_one_is_enrolled_anew(
    office: Office, how: str
) -> None:
    assert all(office.may(name, RECOVER) for name in ("desk", "all", "both"))
    LEFT[how](office)
    for name in ("desk", "all", "both"):
        assert not office.may(name, STATUS)
    assert office.may("both", RECOVER, OTHER)
    assert office.may("other", RECOVER, OTHER)
    assert office.may("bench", AUDIT)
    office.write("missing", DEVICE, state=missing.BACK, event="lost")
    assert not office.may("desk", STATUS)  # nobody knows who had its key meanwhile
    office.keys["desk"] = enrol(office.list, "desk", office.list.parent / "again", devices=[DEVICE])
    assert office.may("desk", RECOVER)


def test_a_lan_device_that_is_out_of_service_is_watched_only(office: Office) -> None:
    office.write("check-out", DEVICE, state=returns.BEGUN)
    assert office.may("desk", RECOVER)  # it is on its way back, and a job may be open
    office.write("check-out", DEVICE, state=returns.DONE)
    for name in ("desk", "all", "both"):  # what it evidenced for them is paid, and they still fetch it
        assert [office.may(name, command) for command in (STATUS, RECOVER, AUDIT, NEW)] == [True, True, False, False]
    for name in ("all", "both"):
        assert office.may(name, NEW, OTHER)
    assert not office.may("board", RECOVER)  # it never might
    assert office.may("bench", AUDIT)


def test_who_is_enrolled_for_every_device_keeps_the_others_and_is_let_down_once(office: Office) -> None:
    office.write("check-out", DEVICE, state=returns.DONE)
    assert office.may("all", AUDIT, OTHER)
    before = (office.list / "enrolled.json").read_bytes()
    lan.keep(office.store, office.devices)
    assert (office.list / "enrolled.json").read_bytes() == before
    LEFT["missing"](office)
    assert not office.may("all", STATUS)
    office.write("missing", DEVICE, state=missing.BACK, event="lost")
    assert not office.may("all", STATUS)  # checked out too, but what was lost does not come back by that
    assert office.may("all", AUDIT, OTHER)


def test_a_list_that_cannot_be_written_is_told_and_tried_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    LEFT["missing"](office)
    with monkeypatch.context() as full, refused("world.damaged"):
        full.setattr(os, "fsync", partial(_full, OSError(28, "no space left")))
        lan.keep(office.store, office.devices)
    assert not office.may("desk", STATUS)


def test_a_list_that_cannot_be_written_keeps_no_other_from_it(office: Office) -> None:
    bad = office.list.with_name("bad")
    stations.found(bad, SeededRandomness(7, "host"), START)
    (bad / "enrolled.json").write_text("{")
    for listed in (bad, office.list):
        lan.note(office.devices / OTHER, listed)
    office.write("check-out", OTHER, state=returns.DONE)
    (office.devices / DEVICE / lan.LISTS).write_text('{"other": []}')  # of DEVICE, which is looked at first
    LEFT["missing"](office)
    with refused("world.damaged"):
        lan.keep(office.store, office.devices)
    call = stations.gate(office.list, lambda _device, _command: b"done")
    with refused("psd.role-refused"):
        call(office.keys["other"], OTHER, commands.encode_command(AUDIT))
    (office.devices / DEVICE / lan.LISTS).write_text(json.dumps({"lists": [str(bad), str(office.list)]}))
    with refused("transport.not-enrolled"):
        lan.keep(office.store, office.devices)
    with refused("world.station-refused"):
        call(office.keys["desk"], DEVICE, commands.encode_command(STATUS))


def test_a_note_that_cannot_be_written_is_a_refusal(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", partial(_full, OSError(30, "read-only file system")))
    with refused("world.damaged"):
        lan.note(office.devices / DEVICE, office.list.with_name("another"))


def test_a_stopped_process_that_has_a_list_stops_nobody(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    LEFT["missing"](office)
    monkeypatch.setattr(stations, "LIST_WAIT_S", 0.05)
    with stations._alone(office.list), refused("world.list-busy"):
        lan.keep(office.store, office.devices)
    assert not office.may("desk", STATUS)


def _full(error: OSError, _file: int) -> None:
    raise error


def test_a_list_that_was_moved_away_holds_nobody_up(office: Office) -> None:
    LEFT["missing"](office)
    office.list.rename(office.list.with_name("away"))
    lan.keep(office.store, office.devices)
    with refused("transport.not-enrolled"):
        stations.gate(office.list, lambda _device, _command: b"done")("", DEVICE, commands.encode_command(STATUS))
