"""Looking up a caller in a list that names a nation's stations, and seeing every change of it at once."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from tests.journeys.stories import refused
from tests.psd.setting import DEVICE, START

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.randomness import SeededRandomness
from towncircle.psd import commands
from towncircle.psd.hosted.caches import MIB, resident
from towncircle.world import stations
from towncircle.world.enrolled import Enrolled

STATUS = commands.encode_command(commands.Status())
OTHER = DeviceId.of(vendor="TC", model="1A", serial=18)


def row(name: str, *devices: str) -> dict[str, object]:
    return {"name": name, "devices": list(devices), "role": "user", "until": "2031-01-01T00:00:00Z"}


def put(place: Path, rows: dict[str, dict[str, object]]) -> None:
    draft = place.with_suffix(".new")
    draft.write_text(json.dumps(rows, indent=1))
    draft.rename(place)


def test_a_call_costs_no_reading_of_a_list_that_names_a_hundred_thousand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, many = tmp_path / "enrolled.json", 100_000
    one = json.dumps(row("NAME", DEVICE), indent=1)
    with place.open("w") as file:
        file.write("{")
        for at in range(many):
            file.write(f'{"," if at else ""}\n "{at * 0x9E3779B97F4A7C15 % 2**64:016x}{at:048x}": {one}')
        file.write("}")
    prints = [f"{at * 0x9E3779B97F4A7C15 % 2**64:016x}{at:048x}" for at in range(0, many, many // 200)]
    call = stations.gate(tmp_path, lambda _device, _command: b"done")
    reads: list[int] = []
    read = os.pread
    monkeypatch.setattr(os, "pread", lambda file, size, at: reads.append(size) or read(file, size, at))
    before, done = resident(), list[bytes]()
    threads = [
        threading.Thread(target=lambda share=share: done.extend(call(it, DEVICE, STATUS) for it in share))
        for share in (prints[:100], prints[100:])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [b"done"] * len(prints)
    assert resident() - before < place.stat().st_size + 4 * MIB
    assert sum(reads) < 2 * place.stat().st_size  # once by all of them, and a place for each
    with refused("world.station-refused"):
        call("0" * 64, OTHER, STATUS)


def test_a_change_of_the_list_is_seen_by_the_next_call(tmp_path: Path) -> None:
    place, (one, other, third) = tmp_path / "enrolled.json", ("a" * 64, "a" * 8 + "b" * 56, "c" * 64)
    put(place, {one: row("one", DEVICE), other: row("other", OTHER)})
    listed = Enrolled(place)
    for turn in range(20):  # as fast as files can be replaced, with lists of one length
        struck, kept = (one, third) if turn % 2 else (third, one)
        put(place, {kept: row("one", DEVICE), other: row("other", OTHER)})
        assert listed.find(struck) is None
        assert (listed.find(kept) or {})["devices"] == [DEVICE]
        assert (listed.find(other) or {})["devices"] == [OTHER]
    for nobody in ("a" * 63 + "0", "", "A" * 64, "nobody"):
        assert listed.find(nobody) is None
    place.write_text(json.dumps({third: row("by hand", DEVICE)}, separators=(",", ":")))  # in its place
    assert (listed.find(third) or {})["name"] == "by hand"
    assert listed.find(one) is None


def test_a_row_is_read_whole_however_long_it_is_and_a_name_is_no_row(tmp_path: Path) -> None:
    place, one, other = tmp_path / "enrolled.json", "1" * 64, "2" * 64
    names = [str(DeviceId.of(vendor="TC", model="1A", serial=at)) for at in range(9000)]
    put(place, {one: row(f'"{other}": {{', *names), "3" * 64: row("last", DEVICE)})
    listed = Enrolled(place)
    assert (listed.find(one) or {})["devices"] == names
    assert listed.find(other) is None
    assert (listed.find("3" * 64) or {})["name"] == "last"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"' + "1" * 64 + '": {"name"}'])
def test_a_list_that_is_damaged_lets_nobody_in(tmp_path: Path, text: str) -> None:
    (tmp_path / "enrolled.json").write_text(text)
    call = stations.gate(tmp_path, lambda _device, _command: b"done")
    with refused("transport.not-enrolled"):
        call("1" * 64, DEVICE, STATUS)


def test_two_who_begin_a_list_at_once_make_one_authority(tmp_path: Path) -> None:
    made, start = list[str](), threading.Barrier(4)

    def begin(at: int) -> None:
        chance = SeededRandomness(at, "host")
        start.wait()
        stations.found(tmp_path / "host", chance, START)
        made.append((tmp_path / "host" / "authority.pem").read_text())

    threads = [threading.Thread(target=begin, args=(at,)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 1
    assert len(made) == 4


def test_a_list_that_was_changed_keeps_its_name_over_a_power_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stations.found(tmp_path, SeededRandomness(1, "host"), START)
    synced: list[str] = []
    fsync = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda file: synced.append(str(Path(f"/proc/self/fd/{file}").readlink())) or fsync(file)
    )
    stations.enrol(
        tmp_path, "desk", tmp_path / "desk", devices=[DEVICE], randomness=SeededRandomness(2, "desk"), now=START
    )
    assert synced[-1] == str(tmp_path)  # after the list itself
    assert str(tmp_path / "desk") in synced
    with pytest.raises(Refused):
        stations.gate(tmp_path, lambda _device, _command: b"done")("f" * 64, DEVICE, STATUS)
