"""A host whose module fails a test: no device of it signs, and one at most is faulted for good."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import pytest
from tests.psd.test_hosted import NAMES, Town, command, read

from towncircle.kernel.errors import BrokenInvariant, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.randomness import SeededRandomness
from towncircle.pki.keys import SoftwareKey
from towncircle.psd import commands, selftest
from towncircle.psd.memory import MemoryInRam
from towncircle.psd.postgres import PostgresMemory


@pytest.fixture
def town() -> Town:
    return Town(MemoryInRam())


@pytest.fixture(params=["ram", "postgres"])
def kept(request: pytest.FixtureRequest) -> Iterator[Town]:
    if request.param == "ram":
        yield Town(MemoryInRam())
        return
    databases: Callable[[], str] = request.getfixturevalue("databases")
    with closing(PostgresMemory(databases(), create=True)) as store:
        yield Town(store)


def _altered() -> str:
    raise BrokenInvariant("psd.module-altered", what="a file is not as it was built")


@pytest.mark.parametrize(
    ("part", "broken", "code"),
    [("_R", 1, "psd.selftest-failed"), ("integrity.check", _altered, "psd.module-altered")],
)
def test_a_self_test_that_fails_for_one_device_stops_all_devices_of_the_process(
    kept: Town, monkeypatch: pytest.MonkeyPatch, part: str, broken: object, code: str
) -> None:
    town = kept
    host, (asking, warm, other, cold) = town.new_host(), NAMES[:4]
    for name in (asking, warm, other):
        read(host.exchange(name, command("WARM")))
    before = town.store.load(NAMES)
    monkeypatch.setattr(selftest, "_failures", [])
    with monkeypatch.context() as patched:
        patched.setattr(f"towncircle.psd.selftest.{part}", broken)
        test = commands.encode_command(commands.SelfTest())
        answers = host.exchange_many([(warm, command("WITH")), (asking, test), (other, command("PAIR", 1, 2))])
    with pytest.raises(BrokenInvariant, match=code.replace(".", r"\.")):
        commands.decode_answer(answers[1])
    later = [
        host.exchange(name, command("LATER", *amounts)) for name in (asking, warm, cold) for amounts in [(), (1, 2)]
    ]
    for answer in [answers[0], answers[2], *later]:  # in the same group, at hand, cold; the quick way and the general
        with pytest.raises(Refused, match=r"psd\.faulted"):
            commands.decode_answer(answer)
    assert town.client(asking, host).status().state == town.client(NAMES[4], host).status().state == "faulted"
    after = town.store.load(NAMES)
    sound = NAMES if code == "psd.module-altered" else [name for name in NAMES if name != asking]
    assert [after[name] for name in sound] == [before[name] for name in sound]
    assert after[asking].registers == before[asking].registers
    assert (after[asking].state == "faulted") == (code == "psd.selftest-failed")  # the failure was found for it
    with pytest.raises(BrokenInvariant):  # though it would pass now: the module that failed is the one that runs
        town.client(other, host).selftest()
    assert town.store.load([other]) == {other: before[other]}
    monkeypatch.undo()
    goes_on(town, sound)


def goes_on(town: Town, names: Sequence[DeviceId]) -> None:
    """A sound module goes on with what is stored."""
    host = town.new_host()
    assert {read(host.exchange(name, command("SOUND"))).count for name in names} == {1}


def test_a_pair_that_fails_its_test_stops_all_devices_of_the_process_and_faults_one(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, (asking, warm, cold) = town.new_host(), NAMES[:3]
    read(host.exchange(warm, command("WARM")))
    before = town.store.load(NAMES)
    monkeypatch.setattr(selftest, "_failures", [])
    wrong = SoftwareKey.generate("ecdsa-p256", SeededRandomness(1, "another key")).public
    with monkeypatch.context() as patched:
        patched.setattr(SoftwareKey, "public", property(lambda _: wrong))
        rekey = commands.encode_command(commands.Rekey())
        answers = host.exchange_many(
            [(asking, command("BEFORE")), (warm, command("WITH")), (asking, rekey), (asking, rekey)]
        )
    with pytest.raises(BrokenInvariant, match=r"psd\.pairwise-failed"):  # who asked hears what happened, once
        commands.decode_answer(answers.pop(2))
    for answer in answers:
        with pytest.raises(Refused, match=r"psd\.faulted"):
            commands.decode_answer(answer)
    for name in (asking, warm, cold):
        for amounts in [(), (1, 2)]:
            with pytest.raises(Refused, match=r"psd\.faulted.*pairwise"):
                commands.decode_answer(host.exchange(name, command("LATER", *amounts)))
    after = town.store.load(NAMES)
    assert (after[asking].state, after[asking].next_key) == ("faulted", None)
    assert [after[name] for name in NAMES if name != asking] == [before[name] for name in NAMES if name != asking]
    monkeypatch.undo()
    goes_on(town, [name for name in NAMES if name != asking])


def test_a_host_whose_self_test_fails_at_its_start_serves_nothing_and_faults_no_device(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = town.store.load(NAMES)
    monkeypatch.setattr(selftest, "_failures", [])
    monkeypatch.setattr(selftest, "_passed", [])
    with monkeypatch.context() as patched:
        patched.setattr("towncircle.psd.selftest._R", 1)
        host = town.new_host()
        for name in NAMES[:2]:
            with pytest.raises(Refused, match=r"psd\.faulted"):
                commands.decode_answer(host.exchange(name, command("START")))
    assert town.store.load(NAMES) == before
    monkeypatch.undo()
    goes_on(town, NAMES)
