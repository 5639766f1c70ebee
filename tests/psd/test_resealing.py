"""The operator's secret replaced: cut anywhere, the device opens; afterwards the old secret opens nothing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest
from tests.psd.setting import DEVICE, SECRET, START, Hands, batch
from tests.psd.test_hosted import NAMES, Seen, command, read
from tests.psd.test_wrapping import commissioned, host

from towncircle.bench.workshop import Workshop
from towncircle.cli.main import main
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.kernel.money import Mills
from towncircle.pki.keyfile import open_key
from towncircle.pki.passphrase import store_parameters
from towncircle.pki.randomness import SystemRandomness
from towncircle.psd import commands, resealing
from towncircle.psd.client import DeviceClient
from towncircle.psd.device import manufacture
from towncircle.psd.hosted import resealing as resealing_hosted
from towncircle.psd.hosted.fleet import Fleet
from towncircle.psd.hosted.pool import Pool
from towncircle.psd.hosted.wrapping import WrappingKeys, _parted, keys_of
from towncircle.psd.opening import Keys, kept
from towncircle.psd.postgres import PostgresMemory
from towncircle.psd.process import create, open_device
from towncircle.psd.sqlite import SqliteMemory

CHANCE = SystemRandomness()
SAID = ["--only-this-database"]  # no host has noted it


@pytest.fixture(scope="module")
def funded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("funded")
    workshop, store = Workshop(START), place / "device"
    create(store, secret=SECRET, **workshop.birth(DEVICE))
    (place / "clock.json").write_text(f'{{"mode": "frozen", "now_us": {int(START)}}}')
    with opened(store) as client:
        workshop.commission(client, DEVICE, START)
        workshop.reset(client, DEVICE, Mills.dollars(100), START)
        client.rekey()
    return store


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resealing, "store_parameters", partial(store_parameters, iterations=1, memory_kib=64))


@pytest.fixture
def store(funded: Path, tmp_path: Path) -> Path:
    shutil.copy(funded.parent / "clock.json", tmp_path / "clock.json")
    return shutil.copytree(funded, tmp_path / "device")


@contextmanager
def opened(store: Path) -> Iterator[DeviceClient]:
    with closing(open_device(store, clock_file=store.parent / "clock.json")) as device:
        yield DeviceClient(device)


def sealed(store: Path) -> list[bytes]:
    with closing(SqliteMemory(store / "device.sqlite")) as memory:
        state = memory.load([DEVICE])[DEVICE]
    return [key.sealed for key in (state.indicia_key, state.message_key, state.next_key) if key is not None]


def lives(store: Path) -> None:
    with opened(store) as client:
        assert client.evidence(batch()).first_piece == 1
        assert client.audit().message


def reseal(store: Path, new: Keys | None = None) -> None:
    with closing(SqliteMemory(store / "device.sqlite")) as memory:
        resealing.reseal(store, memory, DEVICE, CHANCE, new)


@cites("502.8b")
def test_a_store_is_sealed_anew_and_the_old_secret_opens_nothing_of_it(store: Path, tmp_path: Path) -> None:
    before = sealed(store)
    assert main(["device", "reseal", str(store)]) == 0
    after = sealed(store)
    assert len(after) == len(before) == 3
    for raw in after:
        with pytest.raises(Refused, match=r"pki\.key-file-locked"):
            open_key(raw, lambda: SECRET)
    everything = b"".join(path.read_bytes() for path in store.rglob("*") if path.is_file())
    assert SECRET not in everything
    assert not any(raw in everything for raw in before)
    lives(store)
    assert main(["device", "reseal", str(store)]) == 0  # and again, to the first name
    assert {path.name for path in store.iterdir()} >= {"operator.secret", "keys.json"}
    assert not (store / "operator.secret-b").exists()
    with opened(store) as client:
        assert client.recover("JOB-1").first_piece == 1
    (tmp_path / "words").write_text("correct horse battery\n")
    assert main(["device", "reseal", str(store), "--passphrase-from", str(tmp_path / "words")]) == 0
    assert not (store / "operator.secret").exists()
    with opened(store) as client:
        assert client.audit().message
    assert main(["device", "reseal"]) == 2


class Cut(BaseException):
    """The power, at one step."""


@contextmanager
def cut_at(step: int) -> Iterator[list[int]]:
    """Cut the power before the so-and-so-manyth thing that a disk is asked to do."""
    done = [0]

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            done[0] += 1
            if done[0] == step:
                raise Cut
            if done[0] > step:
                raise Cut  # nothing that the code does on its way out reaches the disk either
            return real(*arguments, **named)

        return call

    with pytest.MonkeyPatch.context() as patched:
        for owner, name in (
            *((os, name) for name in ("fsync",)),
            *((Path, name) for name in ("replace", "unlink", "write_bytes")),
            *((SqliteMemory, name) for name in ("commit", "forget_keys")),
        ):
            patched.setattr(owner, name, counted(getattr(owner, name)))
        yield done


@cites("502.8b")
def test_cut_before_any_step_the_device_opens_and_the_next_run_finishes(store: Path, tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_text("correct horse battery\n")
    for new in (None, Keys(passphrase=words)):
        step, whole = 0, False
        while not whole:
            step += 1
            place = shutil.copytree(store, tmp_path / f"{step}-{new is None}")
            with cut_at(step) as done:
                try:
                    reseal(place, new)
                except Cut:
                    pass
                else:
                    whole = done[0] < step
            shutil.copytree(place, tmp_path / f"again-{step}-{new is None}")
            lives(place)
            assert not (place / "keys.json.next").exists()
            again = tmp_path / f"again-{step}-{new is None}"
            if new is not None and kept(again).passphrase == words:  # all but the last sync: nothing is left to do
                with pytest.raises(Refused, match=r"psd\.reseal-same"):
                    reseal(again, new)
            else:
                reseal(again, new)  # begun again without a start between
            with pytest.raises(Refused, match=r"pki\.key-file-locked"):
                open_key(sealed(again)[0], lambda: SECRET)
            with opened(again) as client:
                assert client.evidence(batch()).first_piece == 1
            assert SECRET not in b"".join(path.read_bytes() for path in again.rglob("*") if path.is_file())
        assert step > 8


def test_a_secret_that_opens_nothing_destroys_nothing(store: Path, tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_text("correct horse battery\n")

    def cut(_: object) -> None:
        raise Cut

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(SqliteMemory, "forget_keys", cut)  # just after the commit
        with pytest.raises(Cut):
            reseal(store, Keys(passphrase=words))
    assert (store / "keys.json.next").exists()
    (store / "operator.secret").rename(tmp_path / "elsewhere")
    words.rename(tmp_path / "lost")
    before = sealed(store)
    with opened(store) as client:  # it tells how it stands, so that what it holds can be claimed (`world.keyless`)
        assert client.status().registers.descending == Mills.dollars(100)
        for ask in (client.audit, lambda: client.evidence(batch())):
            with pytest.raises(Refused, match=r"psd\.reseal-open") as caught:
                ask()
        assert "withdraw DIR --failed" in caught.value.next_step
    assert (sealed(store), (store / "keys.json.next").exists()) == (before, True)
    (tmp_path / "elsewhere").rename(store / "operator.secret")
    (tmp_path / "lost").rename(words)
    lives(store)


def no_other(words: list[str], secret: Path, keys: Path) -> None:
    """A secret that opens nothing ends nothing."""
    secret.write_bytes(bytes(32))
    assert main([*words[:6], str(secret), "--wrapping", str(keys)]) == 3
    assert secret.read_bytes() == bytes(32)


def too_late(dsn: str, idle: PostgresMemory, pool: Pool, copy: Path) -> None:
    """Whoever has the old secret still is refused: in hand, at a worker, at a new start."""
    with pytest.raises(Refused, match=r"psd\.fleet-resealed"):
        idle.load(NAMES[:1])
    with closing(pool), pytest.raises(Refused, match=r"psd\.fleet-resealed"):
        read(pool.exchange(NAMES[0], command("LATE")))
    copy.write_bytes(SECRET)
    assert main(["device", "serve-wan", dsn, "--secret", str(copy), "--stations", str(copy.parent)]) == 3


def test_a_fleet_is_sealed_anew_while_no_host_has_it_and_goes_on_where_it_was_cut(
    tmp_path: Path, databases: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    import psycopg

    dsn, secret = databases(), tmp_path / "secret"
    secret.write_bytes(SECRET)
    (tmp_path / "dsn").write_text(dsn)
    words = ["device", "reseal", "--dsn-from", str(tmp_path / "dsn"), *SAID, "--secret", str(secret), "--json"]
    keys = tmp_path / "secret.keys"
    store = PostgresMemory(dsn, create=True)
    fleet = host(store, keys)
    commissioned(store, fleet, NAMES[:5])
    for slot in keys_of(store.load(NAMES[3:4])[NAMES[3]]):
        fleet._slots.wrapping.erase(_parted(slot.sealed)[0])  # type: ignore[union-attr, index]
    assert main(words) == 3  # served
    fleet.close()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("UPDATE device SET moving = moving || '\\x00' WHERE id = %s", (str(NAMES[4]),))
    idle, pool = PostgresMemory(dsn, secret=SECRET), Pool(dsn=dsn, secret=SECRET, workers=1, wrapping=keys)
    idle.close()  # a host that has read its secret, and no session
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("towncircle.psd.hosted.resealing._GROUP", 2)
        commits, real = [0], PostgresMemory.commit

        def commit(memory: PostgresMemory, changes: object) -> None:
            commits[0] += 1
            if commits[0] == 2:
                raise Cut
            real(memory, changes)  # type: ignore[arg-type]

        patched.setattr(PostgresMemory, "commit", commit)
        with pytest.raises(Cut):
            main(words)
    assert secret.read_bytes() == SECRET
    assert main(["device", "serve-wan", dsn, "--secret", str(secret), "--stations", str(tmp_path)]) == 3
    with closing(PostgresMemory(dsn, alone=True)), pytest.raises(Refused, match=r"psd\.fleet-resealed"):
        PostgresMemory(dsn)
    no_other(words, tmp_path / "other", keys)
    assert "pki.key-file-locked" in capsys.readouterr().err
    idle.devices()
    idle.close()
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert sorted(told["unreadable"]) == sorted(NAMES[3:5])  # and they hold nobody else up
    assert secret.read_bytes() != SECRET
    too_late(dsn, idle, pool, tmp_path / "copy")
    assert "psd.fleet-resealed" in capsys.readouterr().err
    PostgresMemory(dsn, secret=secret.read_bytes()).close()
    assert not list(tmp_path.glob("secret.next*"))
    for at, found in enumerate((secret.read_bytes(), SECRET)):
        again = Fleet(
            PostgresMemory(dsn),
            secret=lambda found=found: found,  # type: ignore[misc]
            randomness=CHANCE,
            clock=Hands(START),
            wrapping=WrappingKeys(keys),
        )
        for name in NAMES[:3]:
            if at:
                with pytest.raises(Refused, match=r"pki\.key-file-locked"):
                    DeviceClient(Seen(again, name)).audit()
            else:
                assert read(again.exchange(name, command("JOB"))).count == 1
        again.close()


def test_a_database_keeps_to_the_secret_of_its_first_host(
    tmp_path: Path, databases: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    dsn, secret = databases(), tmp_path / "secret"
    secret.write_bytes(b"short")
    line = ["device", "serve-wan", dsn, "--secret", str(secret), "--stations", str(tmp_path)]
    assert main(line) == 2
    assert "pki.bad-secret" in capsys.readouterr().err
    PostgresMemory(dsn, create=True, secret=SECRET).close()
    with pytest.raises(Refused, match=r"psd\.fleet-resealed"):
        PostgresMemory(dsn, secret=bytes(32))
    secret.write_bytes(bytes(32))
    assert main(line) == 3
    with closing(PostgresMemory(dsn, secret=SECRET)) as store:
        manufacture(store, **Workshop(START).birth(NAMES[0]))
    unmarked(dsn)
    with closing(PostgresMemory(dsn, secret=bytes(32))) as store:
        assert not store.is_secret(bytes(32))  # nobody knows under which one the devices are
        resealing_hosted.take_secret(store, SECRET, tmp_path / "keys")  # of those that are there none has a key
        assert store.is_secret(SECRET)


def unmarked(dsn: str) -> None:
    """Leave a database as a host before marks did."""
    import psycopg

    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("UPDATE fleet_store SET sealed = NULL")


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_database_of_an_older_release_takes_the_secret_that_opens_its_keys_and_no_other(
    tmp_path: Path, databases: Callable[[], str], capsys: pytest.CaptureFixture[str], wrapped: bool
) -> None:
    dsn, keys, secret = databases(), tmp_path / "keys", tmp_path / "secret"
    store = PostgresMemory(dsn, create=True)
    fleet = host(store, keys) if wrapped else Fleet(store, secret=lambda: SECRET, randomness=CHANCE, clock=Hands(START))
    manufacture(store, **Workshop(START).birth(NAMES[2]))  # without keys
    commissioned(store, fleet, NAMES[:2])
    fleet.close()
    secret.write_bytes(bytes(32))
    line = ["device", "serve-wan", dsn, "--secret", str(secret), "--stations", str(tmp_path), "--wrapping", str(keys)]
    pool = Pool(dsn=dsn, secret=bytes(32), workers=1, wrapping=keys)
    for _ in range(2):
        assert main(line) == 3
        assert "psd.fleet-secret" in capsys.readouterr().err
        with pytest.raises(Refused, match=r"psd\.fleet-secret"):
            read(pool.exchange(NAMES[0], command("OTHER")))
    pool.close()
    if wrapped:
        with closing(PostgresMemory(dsn)) as store, pytest.raises(Refused, match=r"psd\.wrapping-gone"):
            resealing_hosted.take_secret(store, SECRET, tmp_path / "other")
    with closing(PostgresMemory(dsn)) as early, closing(PostgresMemory(dsn)) as late:
        assert not early.is_secret(SECRET)
        resealing_hosted.take_secret(early, SECRET, keys)
        with pytest.raises(Refused, match=r"psd\.fleet-resealed"):  # who looked before the mark was kept
            late.own(bytes(32), opens=True)
        assert early.is_secret(SECRET)
    pool = Pool(dsn=dsn, secret=SECRET, workers=1, wrapping=keys)
    assert commands.decode_answer(pool.exchange(NAMES[0], commands.encode_command(commands.Audit())))
    pool.close()
