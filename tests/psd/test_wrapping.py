"""Hosted devices: a key that was destroyed opens from no page, no log and no older copy of the database."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from tests.psd.setting import SECRET, START, Hands
from tests.psd.test_hosted import NAMES, Seen, command, read

from towncircle.bench.cluster import Cluster
from towncircle.bench.workshop import Workshop
from towncircle.kernel.errors import Refused, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.pki.keyfile import open_key
from towncircle.psd import commands
from towncircle.psd.client import DeviceClient
from towncircle.psd.device import manufacture
from towncircle.psd.hosted.fleet import Fleet
from towncircle.psd.hosted.keyless import KeylessHost
from towncircle.psd.hosted.seat import FleetStore
from towncircle.psd.hosted.wrapping import WrappedSlots, WrappingKeys, _mixed, keys_of
from towncircle.psd.keys import SoftwareSlots
from towncircle.psd.memory import Change, MemoryInRam
from towncircle.psd.postgres import PostgresMemory
from towncircle.psd.state import DeviceState, SealedKey
from towncircle.wire.bodies import Withdraw

FORMER, KEPT = NAMES[:2]
SIZE = len(SoftwareSlots(lambda: SECRET, SeededRandomness(1, "size")).make("ecdsa-p256").sealed)  # of every P-256 key


def host(store: FleetStore, folder: Path) -> Fleet:
    wrapping = WrappingKeys(folder)
    return Fleet(
        store,
        secret=lambda: SECRET,
        randomness=SeededRandomness(7, "a wrapped fleet"),
        clock=Hands(START),
        wrapping=wrapping,
    )


def commissioned(store: FleetStore, fleet: Fleet, names: Sequence[DeviceId] = (FORMER, KEPT)) -> Workshop:
    workshop = Workshop(START)
    for name in names:
        manufacture(store, **workshop.birth(name))
        client = DeviceClient(Seen(fleet, name))
        workshop.commission(client, name, START)
        workshop.reset(client, name, Mills.dollars(100), START)
    return workshop


def end(fleet: Fleet, workshop: Workshop, name: DeviceId) -> DeviceClient:
    client = DeviceClient(Seen(fleet, name))
    client.withdraw(workshop.seal(name, Withdraw(reason="returned"), START))
    return client


def candidates(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """Give everything in these folders that may be a sealed key, with the id it names."""
    for folder in folders:
        for path in folder.rglob("*"):
            raw = path.read_bytes() if path.is_file() else b""
            for found in re.finditer(rb"towncircle key 1\n[a-z0-9-]+\n([0-9a-f]{32})\n", raw):
                yield found[1].decode(), raw[found.start() : found.start() + SIZE]


def opened(blobs: Iterator[tuple[str, bytes]], secrets: Collection[bytes]) -> set[str]:
    """Name the keys that open with one of the secrets."""
    return {key for key, blob in set(blobs) if any(_opens(blob, secret) for secret in secrets)}


def _opens(blob: bytes, secret: bytes) -> bool:
    try:
        return bool(open_key(blob, lambda: secret))
    except TowncircleError:
        return False


def secrets_in(folder: Path) -> set[bytes]:
    """Give everything that a thief of the side store and the operator's secret could open a key with."""
    raw = (folder / "wrapping.keys").read_bytes()
    return {SECRET} | {_mixed(lambda: SECRET, raw[at : at + 32]) for at in range(48, len(raw), 48)}


def test_a_destroyed_key_opens_from_nothing_that_the_whole_cluster_still_holds(
    cluster: Cluster, databases: Callable[[], str], tmp_path: Path
) -> None:
    dsn, side = databases(), tmp_path / "keys"
    store = PostgresMemory(dsn, create=True)
    fleet = host(store, side)
    workshop = commissioned(store, fleet)
    held = store.load([FORMER, KEPT])
    ids = {name: _ids(held[name]) for name in held}
    before = opened(candidates(cluster.data), secrets_in(side))
    assert ids[FORMER] | ids[KEPT] <= before  # the search finds what is there
    client = end(fleet, workshop, FORMER)
    with psycopg.connect(dsn) as backup:  # a snapshot that keeps every older version of the row
        backup.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        backup.execute("SELECT count(*) FROM device")
        assert "destroyed" in client.zeroise(FORMER).sentence
    after = opened(candidates(cluster.data, tmp_path), secrets_in(side))
    assert not after & ids[FORMER]
    assert ids[KEPT] <= after
    assert {key for key, _ in candidates(cluster.data)} >= ids[FORMER]  # the sealed copies are there, and are dead
    assert read(fleet.exchange(KEPT, command("JOB"))).count == 1
    fleet.close()


def test_a_key_that_was_rolled_over_opens_from_no_table_no_log_and_no_backup_of_the_cluster(
    cluster: Cluster, databases: Callable[[], str], tmp_path: Path
) -> None:
    dsn, side, backup = databases(), tmp_path / "keys", tmp_path / "backup"
    store = PostgresMemory(dsn, create=True)
    fleet = host(store, side)
    workshop = commissioned(store, fleet)
    held = store.load([FORMER, KEPT])
    old, message, kept = _id(held[FORMER].indicia_key), _id(held[FORMER].message_key), _ids(held[KEPT])
    with psycopg.connect(dsn) as reader:  # a snapshot that keeps every older version of the row
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        (place,) = reader.execute("SELECT pg_relation_filepath('device')").fetchone() or ("",)
        with psycopg.connect(dsn, autocommit=True) as operator:
            operator.execute("CHECKPOINT")
        for source in ((cluster.data / place).parent, cluster.data / "pg_wal"):
            shutil.copytree(source, backup / source.name)
        assert old in opened(candidates(backup), secrets_in(side))  # the search finds what is there
        client = DeviceClient(Seen(fleet, FORMER))
        report = workshop.open(FORMER, client, client.rekey().message).body
        workshop.certify_next(client, FORMER, START, indicia=report.indicia_public)
        assert reader.execute("SELECT count(*) FROM device").fetchone() == (2,)
        after = opened(candidates(cluster.data, backup, side), secrets_in(side))
    new = _id(store.load([FORMER])[FORMER].indicia_key)
    assert old not in after
    assert {new, message} | kept <= after
    for copy in (cluster.data / "base", cluster.data / "pg_wal", backup / "pg_wal", backup / place.split("/")[1]):
        assert old in {key for key, _ in candidates(copy)}, copy  # the sealed copies are there, and are dead
    for name in (FORMER, KEPT):
        assert read(fleet.exchange(name, command("JOB"))).count == 1
    fleet.close()


def _ids(state: DeviceState) -> set[str]:
    return {_id(state.indicia_key), _id(state.message_key)}


def _id(key: SealedKey | None) -> str:
    assert key is not None
    found = re.search(rb"\n([0-9a-f]{32})\n", key.sealed)
    assert found is not None
    return found[1].decode()


class _Dying(MemoryInRam):
    """Keep a commit and die with it."""

    dies = False

    def commit_each(self, changes: Sequence[Change]) -> Collection[DeviceId]:
        done = super().commit_each(changes)
        if self.dies:
            raise KeyboardInterrupt
        return done


def test_a_host_that_dies_after_the_commit_destroys_the_keys_at_its_next_start(tmp_path: Path) -> None:
    store, side = _Dying(), tmp_path / "keys"
    fleet = host(store, side)
    workshop = commissioned(store, fleet)
    client = end(fleet, workshop, FORMER)
    alive = len(secrets_in(side) - secrets_of_nothing())
    store.dies = True
    with pytest.raises(KeyboardInterrupt):
        client.zeroise(FORMER)
    store.dies = False
    assert store.load([FORMER])[FORMER].state == "zeroised"
    assert len(secrets_in(side) - secrets_of_nothing()) == alive
    fleet.close()
    again = host(store, side)
    assert len(secrets_in(side) - secrets_of_nothing()) == alive - 2
    assert not list((side / "owed").iterdir())
    assert read(again.exchange(KEPT, command("JOB"))).count == 1


def secrets_of_nothing() -> set[bytes]:
    return {_mixed(lambda: SECRET, bytes(32))}


def test_a_commit_that_was_refused_destroys_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, side = MemoryInRam(), tmp_path / "keys"
    fleet = host(store, side)
    workshop = commissioned(store, fleet)
    client = end(fleet, workshop, FORMER)

    def full(_: object) -> None:
        raise Refused("psd.store-failed", path="RAM", what="the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(store, "commit_each", full)
        with pytest.raises(Refused, match=r"psd\.store-failed"):
            client.zeroise(FORMER)
    fleet.close()
    fleet = host(store, side)  # what was owed is asked of the store, where the keys are in use
    client = DeviceClient(Seen(fleet, FORMER))
    assert client.audit().message
    client.zeroise(FORMER)
    assert not list((side / "owed").iterdir())


def test_a_device_whose_keys_could_not_be_destroyed_does_not_say_that_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, side = MemoryInRam(), tmp_path / "keys"
    fleet = host(store, side)
    client = end(fleet, commissioned(store, fleet), FORMER)
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", _broken)
        with pytest.raises(Refused, match=r"psd\.wrapping-failed"):
            client.zeroise(FORMER)
    assert list((side / "owed").iterdir())
    end(fleet, commissioned(store, fleet, NAMES[2:3]), NAMES[2]).zeroise(NAMES[2])
    assert not list((side / "owed").iterdir())  # the next ending does both


def test_nothing_says_zeroised_before_the_wrapping_keys_are_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, side = MemoryInRam(), tmp_path / "keys"
    fleet, other = host(store, side), host(store, side)
    client, elsewhere = end(fleet, commissioned(store, fleet), FORMER), DeviceClient(Seen(other, FORMER))
    zeroise, status = (commands.encode_command(one) for one in (commands.Zeroise(confirm=FORMER), commands.Status()))
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", _broken)
        group = [(FORMER, status), (FORMER, zeroise), (FORMER, status), (KEPT, status)]
        before, *told, kept = fleet.exchange_many(group)
        told += [fleet.exchange(FORMER, one) for one in (status, zeroise)]
        told.append(other.exchange(FORMER, status))
        assert [state_of(before), state_of(kept)] == ["withdrawn", "in service"]
        for answer in told:
            with pytest.raises(Refused, match=r"psd\.wrapping-failed"):
                commands.decode_answer(answer)
        assert state_of(other.exchange(KEPT, status)) == "in service"  # it holds nobody else up
    assert store.load([FORMER])[FORMER].state == "zeroised"
    assert len(secrets_in(side) - secrets_of_nothing() - {SECRET}) == 4
    keyless = KeylessHost(store, clock=Hands(START))  # nobody there knows what is owed
    assert state_of(keyless.exchange(KEPT, status)) == "in service"
    with pytest.raises(Refused, match=r"psd\.keys-lost"):
        commands.decode_answer(keyless.exchange(FORMER, status))
    assert elsewhere.status().state == "zeroised"  # the other host did it, and then says so
    assert len(secrets_in(side) - secrets_of_nothing() - {SECRET}) == 2
    assert not list((side / "owed").iterdir())
    fleet.exchange(KEPT, status)
    assert client.status().state == "zeroised"
    fleet.close(), other.close()


def state_of(answer: bytes) -> str:
    told = commands.decode_answer(answer)
    assert isinstance(told, commands.StatusReport)
    return told.state


class Between(Seen):
    """Send a certificate in one group with pieces before and after it."""

    pieces: Sequence[bytes] = ()

    def exchange(self, asked: bytes) -> bytes:
        if not isinstance(commands.decode_command(asked), commands.Certify):
            return super().exchange(asked)
        group = [(self._device, one) for one in (command("BEFORE"), asked, command("AFTER"))]
        before, answer, after = self._fleet.exchange_many(group)
        self.pieces = before, after
        return answer


def test_pieces_that_are_kept_are_given_out_though_a_key_of_their_group_could_not_be_destroyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryInRam()
    fleet = host(store, tmp_path / "keys")
    workshop = commissioned(store, fleet, [FORMER])
    port = Between(fleet, FORMER)
    client = DeviceClient(port)
    report = workshop.open(FORMER, client, client.rekey().message).body
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", _broken)
        with pytest.raises(Refused, match=r"psd\.wrapping-failed"):
            workshop.certify_next(client, FORMER, START, indicia=report.indicia_public)
    assert [read(answer).count for answer in port.pieces] == [1, 1]
    assert store.load([FORMER])[FORMER].registers.pieces == 2
    fleet.close()


def test_a_device_whose_wrapping_keys_are_lost_answers_and_names_the_way_out(tmp_path: Path) -> None:
    store, side = MemoryInRam(), tmp_path / "keys"
    fleet = host(store, side)
    commissioned(store, fleet, [KEPT])
    fleet.close()
    (side / "wrapping.keys").unlink()
    with closing(host(store, side)) as fleet:
        client = DeviceClient(Seen(fleet, KEPT))
        with pytest.raises(Refused, match=r"psd\.wrapping-gone") as caught:
            client.audit()
        assert client.status().state == "in service"
    assert "withdraw DIR --failed" in caught.value.next_step  # `world.keyless` walks it by this code


def test_a_host_that_another_one_has_overtaken_lets_go_of_the_keys_that_it_opened(tmp_path: Path) -> None:
    store, side = MemoryInRam(), tmp_path / "keys"
    first, second = host(store, side), host(store, side)
    workshop = commissioned(store, first)
    for name in (FORMER, KEPT):
        read(second.exchange(name, command("HERE")))
    ended = {key.public for key in keys_of(store.load([FORMER])[FORMER])}
    assert ended & second._slots.opened._held.keys()
    first.exchange(FORMER, command("BACK"))  # it was overtaken, and takes the device back with the next command
    end(first, workshop, FORMER).zeroise(FORMER)
    with pytest.raises(Refused, match=r"psd\.store-stale"):
        read(second.exchange(FORMER, command("GONE")))
    assert not ended & second._slots.opened._held.keys()
    assert second._slots.opened._held  # the keys of all others stay at hand
    for fleet in (first, second):
        fleet.close()


def _broken(*_: object) -> int:
    raise OSError("the disk is gone")


def test_a_rollover_kills_the_old_key_only_and_a_key_of_an_older_release_still_opens(tmp_path: Path) -> None:
    store, side = MemoryInRam(), tmp_path / "keys"
    plain = Fleet(store, secret=lambda: SECRET, randomness=SeededRandomness(7, "old"), clock=Hands(START))
    workshop = commissioned(store, plain, [FORMER])
    fleet = host(store, side)
    client = DeviceClient(Seen(fleet, FORMER))
    assert read(fleet.exchange(FORMER, command("OLD"))).count == 1
    commissioned(store, fleet, [KEPT])
    for turn in range(2):
        opened, ended = fleet._slots.opened, store.load([FORMER])[FORMER].indicia_key
        assert ended is not None
        others = {key for key in opened._held if key != ended.public}
        assert ended.public in opened._held
        report = workshop.open(FORMER, client, client.rekey().message).body
        workshop.certify_next(client, FORMER, START, indicia=report.indicia_public)
        assert ended.public not in opened._held
        assert others <= opened._held.keys()  # the keys of all others stay at hand
        assert read(fleet.exchange(FORMER, command(f"JOB-{turn}"))).count == 1
    other = DeviceClient(Seen(fleet, KEPT))
    assert other.audit().message
    end(fleet, workshop, KEPT).zeroise(KEPT)
    assert len(secrets_in(side) - secrets_of_nothing() - {SECRET}) == 1
    fleet.close()


def test_another_folder_of_wrapping_keys_opens_nothing(tmp_path: Path) -> None:
    first = WrappedSlots(lambda: SECRET, SeededRandomness(1, "k"), limit=9, wrapping=WrappingKeys(tmp_path / "a"))
    slot = first.make("ecdsa-p256")
    other = WrappedSlots(lambda: SECRET, SeededRandomness(1, "k"), limit=9, wrapping=WrappingKeys(tmp_path / "b"))
    with pytest.raises(Refused, match=r"psd\.wrapping-gone"):
        other.signer(slot)
    (tmp_path / "a" / "wrapping.keys").write_bytes(b"something else, and long enough for a head")
    with pytest.raises(Refused, match=r"psd\.wrapping-failed"):
        WrappingKeys(tmp_path / "a")


def test_a_folder_and_its_database_belong_together(databases: Callable[[], str], tmp_path: Path) -> None:
    first, other = databases(), databases()
    for parts, dsn in enumerate((first, other)):
        PostgresMemory(dsn, create=True, partitions=2 * parts).close()

    def serve(dsn: str, folder: str) -> None:
        with closing(PostgresMemory(dsn)) as store:
            host(store, tmp_path / folder).close()

    serve(first, "a")
    serve(first, "a")
    for dsn, folder in ((other, "a"), (first, "b")):  # the folder of another one; another folder
        with pytest.raises(Refused, match=r"psd\.wrapping-other"):
            serve(dsn, folder)
    serve(other, "c")
    with pytest.raises(Refused, match=r"psd\.wrapping-other"):
        serve(first, "c")


def test_what_a_group_that_failed_would_have_ended_is_not_owed_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, side = MemoryInRam(), tmp_path / "keys"
    fleet = host(store, side)
    workshop = commissioned(store, fleet)
    client, other = end(fleet, workshop, FORMER), end(fleet, workshop, KEPT)
    owed: list[int] = []
    owe = WrappingKeys.owe
    monkeypatch.setattr(
        WrappingKeys, "owe", lambda keys, names, ended: owed.append(len(ended)) or owe(keys, names, ended)
    )
    with monkeypatch.context() as patched:
        patched.setattr(fleet, "_doubt", _broken)  # before anything is written down
        with pytest.raises(OSError, match="disk"):
            client.zeroise(FORMER)
    other.zeroise(KEPT)
    assert owed == [2]
    assert client.audit().message
    fleet.close()
