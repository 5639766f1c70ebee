"""The store on disk: durable settings, damage, one owner."""

from __future__ import annotations

import gzip
import hashlib
import sqlite3
from pathlib import Path

import pytest
from tests.psd.setting import DEVICE, Story, sqlite

from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.psd import sqlite as adapter
from towncircle.psd.sqlite import SqliteMemory
from towncircle.wire import bodies


def filled(path: Path) -> Path:
    memory = sqlite(path)
    story = Story(memory).to("in service")
    for number in range(5):
        story.evidence(f"JOB-{number}", amounts=(10,) * 200)
    memory.close()
    return path / "device.sqlite"


def test_the_effective_settings_are_the_durable_ones(tmp_path: Path) -> None:
    memory = sqlite(tmp_path)
    assert isinstance(memory, SqliteMemory)
    read = {name: memory._connection.execute(f"PRAGMA {name}").fetchone()[0] for name, _, _ in adapter._WANTED}
    assert read == {
        "locking_mode": "exclusive",
        "journal_mode": "wal",
        "synchronous": 2,
        "secure_delete": 1,
        "foreign_keys": 1,
    }


def test_a_store_that_does_not_get_them_refuses_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "_WANTED", (("journal_mode", "DELETE", "wal"),))
    with pytest.raises(Refused, match=r"psd\.store-not-durable"):
        SqliteMemory(tmp_path / "device.sqlite", create=True)


def test_a_missing_store_is_not_made_by_looking(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"psd\.store-missing"):
        SqliteMemory(tmp_path / "device.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_a_store_has_one_owner(tmp_path: Path) -> None:
    memory = sqlite(tmp_path)
    with pytest.raises(Refused, match=r"psd\.store-busy"):
        SqliteMemory(tmp_path / "device.sqlite")
    memory.close()
    SqliteMemory(tmp_path / "device.sqlite").close()


@pytest.mark.parametrize("damage", ["not a database", "cut", "state", "record"])
def test_a_damaged_store_is_named_as_damaged(tmp_path: Path, damage: str) -> None:
    path = filled(tmp_path)
    if damage == "not a database":
        path.write_bytes(b"this is a letter to the postmaster" * 400)
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[: 3 * 8192])
    else:
        with sqlite3.connect(path) as connection:
            column, table = ("state", "device") if damage == "state" else ("response", "record")
            blob = bytearray(connection.execute(f"SELECT {column} FROM {table} ORDER BY rowid DESC").fetchone()[0])
            blob[len(blob) // 2] ^= 1
            where = "" if table == "device" else " WHERE request_id = 'JOB-4'"
            connection.execute(f"UPDATE {table} SET {column} = ?{where}", (bytes(blob),))
        connection.close()
    with pytest.raises(BrokenInvariant, match=r"psd\.store-damaged"):
        read_all(path)


def test_another_devices_state_is_not_taken_for_this_ones(tmp_path: Path) -> None:
    path = filled(tmp_path)
    other = DeviceId.of(vendor="TC", model="1A", serial=9_999)
    with sqlite3.connect(path) as connection:  # whole, and under a digest that is right
        connection.execute("UPDATE device SET id = ?", (str(other),))
    connection.close()
    memory = SqliteMemory(path)
    with pytest.raises(BrokenInvariant, match=r"another device's"):
        memory.load([other])
    memory.close()


def read_all(path: Path) -> None:
    memory = SqliteMemory(path)
    memory.load([DEVICE])
    memory.record(DEVICE, kind="evidence", request_id="JOB-4")


def test_a_newer_format_is_left_alone(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(Refused, match=r"psd\.store-too-new"):
        SqliteMemory(path)


def test_after_a_failed_write_nothing_is_released_until_the_store_is_opened_again(tmp_path: Path) -> None:
    memory = sqlite(tmp_path)
    assert isinstance(memory, SqliteMemory)
    story = Story(memory).to("in service")
    story.evidence("JOB-1")
    before = story.state()
    (pages,) = memory._connection.execute("PRAGMA page_count").fetchone()
    memory._connection.execute(f"PRAGMA max_page_count={pages}")  # the disk is full
    for name in ("JOB-2", "JOB-3"):
        with pytest.raises(Refused, match=r"psd\.store-failed"):
            story.evidence(name, amounts=(5,) * 1000)
    memory.close()
    again = SqliteMemory(tmp_path / "device.sqlite")
    assert again.load([DEVICE])[DEVICE] == before
    story.restart(again)
    assert story.evidence("JOB-2", amounts=(5,) * 1000).count == 1000


def test_no_key_is_left_on_the_disk_after_zeroising(tmp_path: Path) -> None:
    memory = sqlite(tmp_path)
    story = Story(memory).to("withdrawn")
    sealed = [key.sealed for key in (story.state().indicia_key, story.state().message_key) if key is not None]
    assert any(sealed[0] in file.read_bytes() for file in tmp_path.iterdir())
    story.client.zeroise(DEVICE)
    memory.close()
    for file in tmp_path.iterdir():
        held = file.read_bytes()
        assert not any(part in held for secret in sealed for part in (secret, secret[-60:]))


def test_a_store_of_the_first_adapter_opens_and_goes_on(tmp_path: Path) -> None:
    packed = Path(__file__).parents[1] / "data" / "psd" / "store-1-stdlib.sqlite.gz"
    (tmp_path / "device.sqlite").write_bytes(gzip.decompress(packed.read_bytes()))
    memory = SqliteMemory(tmp_path / "device.sqlite")
    story = Story()
    story.restart(memory)
    status = story.client.status()
    assert (status.registers.ascending, status.registers.descending, status.registers.pieces) == (2080, 97920, 3)
    kept = story.client.recover("JOB-1")
    assert hashlib.sha256(kept.contents + kept.signatures).hexdigest() == (
        "95503aaab231f610c93042fc22c0a94bd533d2d2e63c6af706b732eb90b6f72e"
    )
    assert story.evidence("JOB-3", amounts=(100,)).first_piece == 4
    assert memory.load([DEVICE])[DEVICE].terms is None  # it was authorised by the first version of Authorise
    assert len(status.warnings) == 2
    for _ in range(20):  # message names that the seed gave to this store before
        story.workshop.seal(DEVICE, bodies.Withdraw(reason="never sent"), story.now)
    story.contact()
    assert memory.load([DEVICE])[DEVICE].terms == story.workshop.terms(story.now)
    assert story.client.status().warnings == ()
    memory.close()


def test_what_an_opening_finds_in_the_log_is_written_back_before_it_is_believed(tmp_path: Path) -> None:
    memory = sqlite(tmp_path)
    assert isinstance(memory, SqliteMemory)
    story = Story(memory).to("in service")
    before = story.state()
    place = tmp_path / "killed"
    place.mkdir()
    for file in tmp_path.glob("device.sqlite*"):  # the files as a kill leaves them
        (place / file.name).write_bytes(file.read_bytes())
    assert (place / "device.sqlite-wal").stat().st_size > 0
    again = SqliteMemory(place / "device.sqlite")
    assert (place / "device.sqlite-wal").stat().st_size == 0
    assert again.load([DEVICE])[DEVICE] == before
    again.close()
    memory.close()


def test_a_store_cut_down_to_nothing_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "device.sqlite"
    path.touch()
    with pytest.raises(BrokenInvariant, match="it is empty"):
        SqliteMemory(path)
    assert path.read_bytes() == b""
