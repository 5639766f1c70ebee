"""Hosted devices with keys in a token: both kinds in one fleet, births and ends that a crash cuts, a dead token."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.psd.setting import SECRET, START
from tests.psd.test_hosted import Seen, command, read
from tests.psd.test_pkcs11 import Token
from tests.psd.token_host import BIRTH_POINTS, END_POINTS, PIN, host
from tests.softhsm import need_softhsm

from towncircle.bench.workshop import Workshop
from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.pki.randomness import SystemRandomness
from towncircle.psd import commands
from towncircle.psd.client import DeviceClient
from towncircle.psd.device import manufacture
from towncircle.psd.hosted.fleet import Fleet
from towncircle.psd.hosted.one_token import Token as HostedToken
from towncircle.psd.hosted.pool import Pool
from towncircle.psd.hosted.resealing import reseal_hosted
from towncircle.psd.hosted.tokens import MixedSlots
from towncircle.psd.hosted.unsettled import Notes, Row
from towncircle.psd.hosted.wrapping import keys_of
from towncircle.psd.keys import TOKEN_MARK
from towncircle.psd.memory import Change, MemoryInRam
from towncircle.psd.pkcs11 import TokenLibrary, name_of
from towncircle.psd.postgres import PostgresMemory
from towncircle.psd.process import SystemClock
from towncircle.psd.state import SealedKey
from towncircle.testing.dice import dice_for
from towncircle.wire.bodies import Withdraw

ROOT = Path(__file__).parents[2]
SOFT, HARD, THIRD, *OTHERS = (DeviceId.of(vendor="TC", model="1A", serial=serial) for serial in range(400, 420))
POINTS = (*(f"birth {point}" for point in BIRTH_POINTS), *(f"end {point}" for point in END_POINTS))
DRAWN = POINTS if os.environ.get("CI") else dice_for("hosts with a token that are killed").sample(POINTS, 2)


class Town:
    """A database, a token and the folder that all hosts share."""

    def __init__(self, store: Any, token: Token, folder: Path, dsn: str = "") -> None:
        self.store, self.token, self.folder, self.dsn = store, token, folder, dsn
        self.workshop, self.libraries = Workshop(START), list[TokenLibrary]()

    def library(self, **told: Any) -> TokenLibrary:
        made = TokenLibrary(need_softhsm(), **{"environment": self.token.environment, **told})
        self.libraries.append(made)
        return made

    def host(self, **told: Any) -> Fleet:
        """Open a host with a worker of its own for the library."""
        return host(self.store, self.folder, self.library(**told))

    def next_host(self) -> Fleet:
        """Open a host whose library's worker is the one that the test looks at the token with."""
        return host(self.store, self.folder, self.token.library)

    def close(self) -> None:
        for library in (self.token.library, *self.libraries):
            library.close()

    def funded(self, fleet: Fleet, name: DeviceId) -> DeviceClient:
        manufacture(self.store, **self.workshop.birth(name))
        client = DeviceClient(Seen(fleet, name))
        self.workshop.commission(client, name, START)
        self.workshop.reset(client, name, Mills.dollars(100), START)
        return client

    def used(self, *names: DeviceId) -> list[SealedKey]:
        found = self.store.load(names or (SOFT, HARD, THIRD, *OTHERS)).values()
        return [key for state in found for key in keys_of(state) if key.sealed.startswith(TOKEN_MARK)]

    def sound(self) -> bool:
        """Tell whether the token has the keys that the database uses, no more and no fewer."""
        used, slots = self.used(), self.token.slots()
        return all(slots.signer(key).sign(b"x") for key in used) and self.keys() == 2 * len(used)

    def keys(self, token: Token | None = None) -> int:
        """Count what a token holds besides the fleet's mark."""
        found = len((token or self.token).keys())
        return found - 1 if found and (self.folder / "token").exists() else found

    def notes(self) -> list[str]:
        return [path.name for path in (self.folder / "unsettled").iterdir()]

    def roll(self, client: DeviceClient, name: DeviceId) -> None:
        report = self.workshop.open(name, client, client.rekey().message).body
        self.workshop.certify_next(client, name, START, indicia=report.indicia_public)

    def end(self, client: DeviceClient, name: DeviceId) -> DeviceClient:
        client.withdraw(self.workshop.seal(name, Withdraw(reason="returned"), START))
        return client


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(MemoryInRam(), Token(tmp_path), tmp_path / "keys")
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, databases: Callable[[], str]) -> Iterator[Town]:
    place, dsn = tmp_path_factory.mktemp("shared"), databases()
    made = Town(PostgresMemory(dsn, create=True), Token(place), place / "keys", dsn)
    yield made
    made.close()
    made.store.close()


def code(answer: bytes) -> str:
    try:
        commands.decode_answer(answer)
    except (Refused, BadInput, BrokenInvariant) as error:
        return error.code
    return ""


def test_a_fleet_has_both_kinds_and_a_rollover_brings_a_software_device_into_the_token(town: Town) -> None:
    before = host(town.store, town.folder, None)
    town.funded(before, SOFT)
    before.close()
    fleet = town.next_host()
    soft, hard = DeviceClient(Seen(fleet, SOFT)), town.funded(fleet, HARD)
    assert (len(town.used(SOFT)), len(town.used(HARD))) == (0, 2)
    answers = fleet.exchange_many([(name, command("A")) for name in (SOFT, HARD)])
    assert [read(answer).registers.pieces for answer in answers] == [1, 1]
    for client, name in ((soft, SOFT), (hard, HARD)):
        town.roll(client, name)
        assert client.evidence(commands.decode_command(command("B"))).first_piece == 2  # type: ignore[arg-type]
        assert client.audit().message
    assert (len(town.used(SOFT)), len(town.used(HARD))) == (1, 2)
    assert town.sound()
    for client, name in ((soft, SOFT), (hard, HARD)):
        assert "destroyed" in town.end(client, name).zeroise(name).sentence
    assert (town.keys(), town.notes(), list((town.folder / "owed").iterdir())) == (0, [], [])
    fleet.close()


def test_without_its_token_a_device_signs_nothing_and_destroys_nothing(town: Town) -> None:
    fleet = town.host()
    town.end(town.funded(fleet, HARD), HARD)
    town.funded(fleet, THIRD)
    fleet.close()
    without = host(town.store, town.folder, None)
    assert code(without.exchange(THIRD, command("A"))) == "psd.token-unset"
    with pytest.raises(Refused, match=r"psd\.token-unset"):
        DeviceClient(Seen(without, HARD)).zeroise(HARD)
    assert town.store.load([HARD])[HARD].state == "withdrawn"
    without.close()
    assert town.sound()
    token = HostedToken(library=town.library(), label="device", pin=lambda: PIN)
    with pytest.raises(BadInput, match=r"psd\.token-folder"):
        Fleet(town.store, secret=lambda: SECRET, randomness=SystemRandomness(), clock=fleet._clock, token=token)
    with pytest.raises(BadInput, match=r"psd\.token-folder"):
        Pool(dsn="", secret=SECRET, workers=1, token=(need_softhsm(), "device", PIN))
    from towncircle.psd.hosted.wrapping import WrappingKeys

    other = HostedToken(library=town.library(), label="another", pin=lambda: PIN)
    with pytest.raises(Refused, match=r"psd\.token-other"):
        MixedSlots(lambda: SECRET, SystemRandomness(), limit=1, wrapping=WrappingKeys(town.folder), token=other)


@pytest.mark.parametrize("point", DRAWN)
def test_a_host_killed_at_any_point_leaves_after_the_next_start_the_keys_that_are_in_use(
    shared: Town, point: str
) -> None:
    what, _, at = point.partition(" ")
    name = OTHERS[POINTS.index(point)]
    manufacture(shared.store, **shared.workshop.birth(name))
    if what == "end":
        fleet = shared.next_host()
        shared.workshop.initialise(DeviceClient(Seen(fleet, name)), name, START)
    held = shared.keys()
    line = [sys.executable, "-m", "tests.psd.token_host", str(shared.folder), at, name]
    path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    done = subprocess.run(
        [*line, "initialise" if what == "birth" else "zeroise"],
        check=False, input=shared.dsn, text=True, cwd=ROOT,
        env={**os.environ, **shared.token.environment, "PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    assert shared.notes() != []
    made = {"birth noted": 0, "birth made": 2, "birth before commit": 4, "birth after commit": 4}.get(point, 0)
    assert shared.keys() == held + made  # nothing was destroyed either
    fleet = shared.next_host()
    assert shared.sound()
    state, client = shared.store.load([name])[name], DeviceClient(Seen(fleet, name))
    if what == "birth":
        assert (state.state == "initialised") == (at == "after commit")
        if at != "after commit":
            shared.workshop.initialise(client, name, START)
    elif at == "before commit":
        assert state.state == "initialised"
        client.zeroise(name)
    else:
        assert state.state == "zeroised"
    assert (shared.sound(), shared.notes()) == (True, [])


def test_a_start_destroys_nothing_that_another_host_is_making(shared: Town) -> None:
    manufacture(shared.store, **shared.workshop.birth(SOFT))
    maker, real = shared.host(), PostgresMemory.commit_each
    made, goes_on = threading.Event(), threading.Event()

    def held(changes: Sequence[Change]) -> Collection[DeviceId]:
        made.set()
        assert goes_on.wait(30)
        return real(shared.store, changes)

    held_store = PostgresMemory(shared.dsn)
    maker._store = held_store
    held_store.commit_each = held  # type: ignore[method-assign]
    client = DeviceClient(Seen(maker, SOFT))
    work = threading.Thread(target=shared.workshop.initialise, args=(client, SOFT, START))
    keys = shared.keys()
    work.start()
    assert made.wait(30)
    shared.next_host()
    assert shared.keys() == keys + 4
    goes_on.set()
    work.join()
    assert shared.store.load([SOFT])[SOFT].state == "initialised"
    held_store.close()
    assert (shared.sound(), shared.notes()) == (True, [])


def test_a_commit_that_was_on_its_way_when_its_keys_were_destroyed_matches_no_more(shared: Town) -> None:
    manufacture(shared.store, **shared.workshop.birth(THIRD))
    fleet = shared.next_host()
    client, late = DeviceClient(Seen(fleet, THIRD)), list[Sequence[Change]]()
    client.status()

    def lost(changes: Sequence[Change]) -> Collection[DeviceId]:
        late.append(changes)
        raise Refused("psd.store-failed", path="the database", what="the line broke")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(shared.store, "commit_each", lost)
        with pytest.raises(Refused, match=r"psd\.store-failed"):
            shared.workshop.initialise(client, THIRD, START)
    shared.next_host()
    assert list(shared.store.commit_each(late[0])) == [THIRD]  # as if the server had come to it only now
    assert (shared.sound(), shared.notes()) == (True, [])
    shared.workshop.initialise(client, THIRD, START)
    assert shared.sound()


def test_a_database_that_is_older_than_a_note_has_no_key_destroyed(town: Town) -> None:
    fleet = town.next_host()
    manufacture(town.store, **town.workshop.birth(HARD))
    older, note = dict(town.store._states), Notes(town.folder / "unsettled").begin()
    town.workshop.initialise(DeviceClient(Seen(fleet, HARD)), HARD, START)
    now = town.store.load([HARD])[HARD]
    note.add([Row(HARD, now.counter, now.epoch, name_of(key), ends=True) for key in town.used(HARD)])
    note.let_go()  # its host died when the rollover or the zeroise was under way
    held, town.store._states = town.store._states, older
    town.next_host()
    assert (town.keys(), len(town.notes())) == (4, 1)
    town.store._states = held
    assert town.sound()


def test_a_key_is_made_only_under_a_note_that_is_there(town: Town) -> None:
    slots = town.token.slots()
    with pytest.raises(Refused, match=r"psd\.token-refused"):
        slots.make_named(bytes(16), "ecdsa-p256", under=os.fsencode(town.folder / "gone.note"))
    assert town.token.keys() == []


def test_a_token_that_is_away_is_told_later_what_has_ended(town: Town) -> None:
    fleet = town.host(rest_s=30)
    client = town.end(town.funded(fleet, HARD), HARD)
    away = town.token.folder.rename(town.token.folder.with_name("away"))
    town.libraries[-1].close()
    town.token.library.close()
    group = [commands.encode_command(one) for one in (commands.Zeroise(confirm=HARD), commands.Status())]
    for answer in fleet.exchange_many([(HARD, one) for one in group]):
        assert code(answer).startswith("psd.token")  # it does not say that they are destroyed
    with pytest.raises(Refused, match=r"psd\.token"):
        client.status()
    assert town.store.load([HARD])[HARD].state == "zeroised"
    again = town.host()  # a start does not fail for it
    assert len(town.notes()) == 1
    town.libraries[-1].close()
    away.rename(town.token.folder)
    assert town.keys() == 4
    fleet._mixed._library._rested = ("", "", 0)  # type: ignore[union-attr]
    manufacture(town.store, **town.workshop.birth(THIRD))
    town.workshop.initialise(DeviceClient(Seen(again, THIRD)), THIRD, START)  # the next birth or end settles all
    assert (town.sound(), town.notes()) == (True, [])
    assert client.status().state == DeviceClient(Seen(again, HARD)).status().state == "zeroised"


def test_a_key_that_is_missing_fails_its_own_device_and_the_others_are_signed_in_one_walk(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet, names = town.next_host(), [HARD, THIRD, *OTHERS[:2]]
    for name in names:
        town.funded(fleet, name)
    key = town.store.load([THIRD])[THIRD].indicia_key
    assert key is not None
    town.token.slots().destroy(key)
    asked, real = list[str](), TokenLibrary.ask
    monkeypatch.setattr(TokenLibrary, "ask", lambda library, told: asked.append(told[0]) or real(library, told))
    answers = dict(zip(names, fleet.exchange_many([(name, command("A")) for name in names]), strict=True))
    assert code(answers.pop(THIRD)) == "psd.token-refused"
    assert [read(answer).registers.ascending for answer in answers.values()] == [730] * 3
    assert asked == ["several", "sign"]  # one walk for all, and the general way for the one that failed
    state = town.store.load([THIRD])[THIRD]
    assert (state.state, state.registers.pieces) == ("in service", 0)


def test_a_token_that_hangs_holds_up_one_group_once_and_no_software_key(town: Town, tmp_path: Path) -> None:
    before = host(town.store, town.folder, None)
    for name in (SOFT, *OTHERS[:3]):
        town.funded(before, name)
    before.close()
    told = {"FAIL_ONCE": str(tmp_path / "flag"), "PYTHONPATH": str(ROOT)}
    environment = {**town.token.environment, **told}
    maker = town.next_host()
    for name in (HARD, THIRD):
        town.funded(maker, name)
    fleet = town.host(environment=environment, worker="tests.psd.failing_worker", answer_s=1, rest_s=30)
    (tmp_path / "flag").write_text("hang always")
    names = [HARD, SOFT, THIRD, *OTHERS[:3]]
    for label, most_s in (("A", 5.0), ("B", 0.9)):  # the second one does not wait for it again
        began = time.monotonic()
        answers = fleet.exchange_many([(name, command(label)) for name in names])
        assert time.monotonic() - began < most_s
        told_now = [code(answer) for answer in answers]
        assert told_now == ["psd.token-failed" if label == "A" else "psd.token-busy", "", "psd.token-busy", "", "", ""]
    (tmp_path / "flag").unlink()
    town.libraries[-1]._rested, town.libraries[-1]._answer_s = ("", "", 0), 10  # half a minute later
    answers = fleet.exchange_many([(name, command("A")) for name in names])
    assert [read(answer).first_piece for answer in answers] == [1] * 6


def test_a_wrong_pin_is_tried_once_and_not_until_the_token_locks_it(town: Town) -> None:
    fleet = town.next_host()
    for name in (HARD, THIRD):
        town.funded(fleet, name)
    library = town.library(rest_s=30)
    wrong = HostedToken(library=library, label="device", pin=lambda: "9876")
    from towncircle.psd.hosted.wrapping import WrappingKeys

    again = Fleet(
        town.store, secret=lambda: SECRET, randomness=SystemRandomness(), clock=fleet._clock,
        wrapping=WrappingKeys(town.folder), token=wrong,
    )  # fmt: skip
    for name in (HARD, THIRD):
        answer = again.exchange(name, command("A"))
        assert code(answer) == "psd.token-refused"
        assert b"9876" not in answer
    assert library.started == 1
    assert "9876" not in repr(wrong)


def test_the_secret_of_a_fleet_is_replaced_without_touching_keys_in_the_token(
    tmp_path: Path, databases: Callable[[], str]
) -> None:
    town = Town(PostgresMemory(dsn := databases(), create=True), Token(tmp_path), tmp_path / "keys", dsn)
    soft, fleet = host(town.store, town.folder, None), town.next_host()
    town.funded(soft, SOFT)
    town.funded(fleet, HARD)
    before = town.store.load([SOFT, HARD])
    soft.close(), fleet.close()
    (tmp_path / "secret").write_bytes(bytes(32))
    with pytest.raises(Refused, match=r"pki\.key-file-locked"):  # another fleet's: a key in a token opens under any
        reseal_hosted(dsn, tmp_path / "secret", town.folder, SystemRandomness(), only=True)
    (tmp_path / "secret").write_bytes(SECRET)
    assert reseal_hosted(dsn, tmp_path / "secret", town.folder, SystemRandomness(), only=True) == (1, [], [])
    town.store = PostgresMemory(dsn)
    after = town.store.load([SOFT, HARD])
    assert after[HARD] == before[HARD]
    assert after[SOFT].indicia_key != before[SOFT].indicia_key
    assert town.sound()
    town.store.close()
    town.close()


def test_the_pin_of_a_host_is_in_no_argument_no_environment_and_no_words(
    town: Town, databases: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = PIN.encode()
    for name, value in town.token.environment.items():
        monkeypatch.setenv(name, value)
    store = PostgresMemory(dsn := databases(), create=True)
    manufacture(store, **town.workshop.birth(HARD))
    pool = Pool(dsn=dsn, secret=SECRET, workers=1, wrapping=town.folder, token=(need_softhsm(), "device", PIN))

    class Line:
        def exchange(self, told: bytes) -> bytes:
            return pool.exchange(HARD, told)

    town.workshop.initialise(DeviceClient(Line()), HARD, SystemClock().now())  # so that the library has its worker

    (worker,) = pool.pids()
    slots = pool.workers[0]
    assert PIN not in repr(slots._setting)
    children = Path(f"/proc/{worker}/task/{worker}/children").read_text().split()
    assert children
    for pid in (str(worker), *children):
        for what in ("cmdline", "environ"):
            words = (Path("/proc") / pid / what).read_bytes().split(b"\0")
            assert not any(word == pin or word.endswith(b"=" + pin) for word in words)
    pool.close()
    store.close()
