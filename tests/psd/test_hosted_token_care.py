"""A fleet and its one token: which token it is, what it still owes, a wrong PIN, and time that runs out."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.psd.setting import SECRET, START
from tests.psd.test_hosted import Seen, command, read
from tests.psd.test_hosted_tokens import HARD, OTHERS, ROOT, SOFT, THIRD, Town, code
from tests.psd.test_pkcs11 import Token
from tests.psd.token_host import PIN, host

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.pki.randomness import SystemRandomness
from towncircle.psd import selftest
from towncircle.psd.client import DeviceClient
from towncircle.psd.device import manufacture
from towncircle.psd.hosted import tokens
from towncircle.psd.hosted.fleet import Fleet
from towncircle.psd.hosted.one_token import Token as HostedToken
from towncircle.psd.hosted.unsettled import Notes, Row
from towncircle.psd.hosted.wrapping import WrappingKeys
from towncircle.psd.memory import MemoryInRam
from towncircle.psd.pkcs11 import TokenLibrary, TokenSlots, name_of

FAILING = "tests.psd.failing_worker"


@pytest.fixture
def town(tmp_path: Path):  # type: ignore[no-untyped-def]
    made = Town(MemoryInRam(), Token(tmp_path), tmp_path / "keys")
    yield made
    made.close()


def opened(town: Town, library: TokenLibrary, *, pin: str = PIN, label: str = "device") -> Fleet:
    return Fleet(
        town.store, secret=lambda: SECRET, randomness=SystemRandomness(), clock=town.host()._clock,
        wrapping=WrappingKeys(town.folder), token=HostedToken(library=library, label=label, pin=lambda: pin),
    )  # fmt: skip


def owing(town: Town, fleet: Fleet, *names: DeviceId) -> None:
    """Zeroise devices whose keys the token does not destroy now: their notes stay."""
    clients = [town.end(town.funded(fleet, name), name) for name in names]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TokenSlots, "_destroy", _away)
        for client, name in zip(clients, names, strict=True):
            with pytest.raises(Refused, match=r"psd\.token-owed"):
                client.zeroise(name)


def _away(slots: object, names: object) -> None:
    raise Refused("psd.token-failed", library="x", what="it is away")


def test_a_token_of_the_same_label_that_has_not_the_keys_destroys_nothing_and_forgets_no_note(
    town: Town, tmp_path: Path
) -> None:
    fleet = town.host()
    for name in (HARD, THIRD):
        town.funded(fleet, name)
    town.end(DeviceClient(Seen(fleet, HARD)), HARD)
    owing(town, fleet, OTHERS[0])
    fleet.close()
    (tmp_path / "second").mkdir()
    second = Token(tmp_path / "second")  # another machine's, of the same label and PIN
    other = town.host(environment=second.environment)
    assert len(town.notes()) == 1
    with pytest.raises(Refused, match=r"psd\.token-owed"):
        DeviceClient(Seen(other, HARD)).zeroise(HARD)
    with pytest.raises(Refused, match=r"psd\.token-owed"):
        DeviceClient(Seen(other, OTHERS[0])).status()
    assert code(other.exchange(THIRD, command("A"))) == "psd.token-other"
    manufacture(town.store, **town.workshop.birth(OTHERS[1]))
    with pytest.raises(Refused, match=r"psd\.token-other"):
        town.workshop.initialise(DeviceClient(Seen(other, OTHERS[1])), OTHERS[1], START)
    assert (town.keys(), len(second.keys()), len(town.notes())) == (12, 0, 3)
    other.close()
    again = town.host()
    assert (town.sound(), town.notes()) == (True, [])
    for name in (HARD, OTHERS[0]):
        assert DeviceClient(Seen(again, name)).status().state == "zeroised"


def test_a_label_with_an_error_binds_nothing_and_the_right_one_works(town: Town) -> None:
    wrong = opened(town, town.library(), label="devcie")
    manufacture(town.store, **town.workshop.birth(HARD))
    with pytest.raises(Refused, match=r"psd\.token-refused"):
        town.workshop.initialise(DeviceClient(Seen(wrong, HARD)), HARD, START)
    assert not (town.folder / "token").exists()
    town.workshop.initialise(DeviceClient(Seen(town.host(), HARD)), HARD, START)
    assert town.sound()


def test_every_host_that_runs_or_starts_asks_the_notes_whether_a_device_still_owes_keys(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet, beside = town.host(), town.next_host()
    owing(town, fleet, HARD, THIRD)
    assert len(town.notes()) == 2
    with monkeypatch.context() as patched:
        patched.setattr(TokenSlots, "_destroy", _away)
        for asked in (fleet, beside, town.next_host()):
            for name in (HARD, THIRD):
                with pytest.raises(Refused, match=r"psd\.token-owed"):
                    DeviceClient(Seen(asked, name)).status()
    notes = Notes(town.folder / "unsettled")
    with notes.alone(notes.of_ended(HARD)[0]) as rows:  # another one is at it
        assert rows is not None
        with pytest.raises(Refused, match=r"psd\.token-owed"):
            DeviceClient(Seen(beside, HARD)).status()
    for name in (HARD, THIRD):
        assert DeviceClient(Seen(beside, name)).status().state == "zeroised"
    assert (town.keys(), town.notes()) == (0, [])


def test_a_host_without_a_token_ends_no_key_that_is_in_one(town: Town) -> None:
    before = host(town.store, town.folder, None)
    town.funded(before, SOFT)
    before.close()
    fleet = town.host()
    town.roll(DeviceClient(Seen(fleet, SOFT)), SOFT)
    fleet.close()
    without = host(town.store, town.folder, None)
    held = town.used(SOFT)
    with pytest.raises(Refused, match=r"psd\.token-unset"):
        town.roll(DeviceClient(Seen(without, SOFT)), SOFT)
    assert town.used(SOFT) == held
    without.close()
    assert town.sound()
    again = town.host()
    assert read(again.exchange(SOFT, command("A"))).registers.pieces == 1


def test_a_pin_that_the_token_refused_is_tried_once_by_all_workers_together(town: Town, tmp_path: Path) -> None:
    fleet = town.host()
    town.funded(fleet, HARD)
    note = tmp_path / "opens"
    told = {"FAIL_ONCE": str(tmp_path / "flag"), "LOOK_UPS": str(note), "PYTHONPATH": str(ROOT)}
    environment = {**town.token.environment, **told}
    for _ in range(2):
        library = town.library(environment=environment, worker=FAILING, rest_s=1)
        wrong = opened(town, library, pin="9876")
        for _ in range(2):
            answer = wrong.exchange(HARD, command("A"))
            assert (code(answer), b"9876" in answer, b"PinIncorrect" in answer) == ("psd.token-refused", False, True)
            library._rested = (*library._rested[:2], min(library._rested[2], 1))  # as after its rest, and longer
    assert note.read_text().split().count("open") == 1
    assert code(fleet.exchange(HARD, command("A"))) == "psd.store-stale"  # the other one took it
    assert read(fleet.exchange(HARD, command("A"))).registers.pieces == 1


def test_a_pin_is_not_tried_where_its_refusal_could_not_be_marked(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.funded(town.host(), HARD)
    note = tmp_path / "opens"
    told = {"FAIL_ONCE": str(tmp_path / "flag"), "LOOK_UPS": str(note), "PYTHONPATH": str(ROOT)}
    library = town.library(environment={**town.token.environment, **told}, worker=FAILING, rest_s=1)
    wrong, opening = opened(town, library, pin="9876"), os.open

    def full(path: Any, *more: Any) -> int:
        if str(path).endswith("token.pin"):
            raise OSError("the folder is full")
        return opening(path, *more)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", full)
        assert code(wrong.exchange(HARD, command("A"))) == "psd.wrapping-failed"
        assert not note.exists()
    monkeypatch.setattr("towncircle.pki.durable.keep", lambda *_: full("token.pin"))
    assert code(wrong.exchange(HARD, command("A"))) == "psd.token-refused"


def test_a_library_that_was_refused_its_pin_rests_until_it_is_started_anew(town: Town) -> None:
    library = town.library(rest_s=1)
    slots = TokenSlots(library, token="device", pin=lambda: "9876", randomness=SystemRandomness())
    with pytest.raises(Refused, match=r"psd\.token-refused"):
        slots.make("ecdsa-p256")
    time.sleep(1.1)
    assert library.resting
    with pytest.raises(Refused, match=r"PinIncorrect"):
        slots.make("ecdsa-p256")


def test_a_group_has_its_time_and_what_comes_later_is_refused_and_debits_of_software_go_on(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = host(town.store, town.folder, None)
    town.funded(before, SOFT)
    before.close()
    fleet, names = town.host(), [HARD, THIRD, *OTHERS[:4]]
    for name in names:
        manufacture(town.store, **town.workshop.birth(name))
    reports = [DeviceClient(Seen(fleet, name)) for name in names]
    assert [one.status().state for one in reports] == ["manufactured"] * len(names)
    real = TokenLibrary.ask
    monkeypatch.setattr(TokenLibrary, "ask", lambda library, told: time.sleep(0.15) or real(library, told))
    monkeypatch.setattr(tokens, "_GROUP_S", 0.5)
    monkeypatch.setattr(tokens, "_AFTER_S", 0.3)
    seen: list[tuple[DeviceId, bytes]] = []
    monkeypatch.setattr(Seen, "exchange", lambda port, told: seen.append((port._device, told)) or b"")
    for client, name in zip(reports, names, strict=True):
        with suppress(Exception):
            town.workshop.initialise(client, name, START)
    began = time.monotonic()
    answers = fleet.exchange_many([*seen, (SOFT, command("A"))])
    assert time.monotonic() - began < 2
    assert read(answers.pop()).registers.pieces == 1
    codes = [code(answer) for answer in answers]
    assert set(codes) <= {"", "psd.token-busy"}
    assert codes[-1] == "psd.token-busy"
    assert not fleet._mixed._library.resting  # type: ignore[union-attr]


def test_answers_that_are_committed_are_given_though_a_note_cannot_be_removed_and_a_token_is_slow(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = host(town.store, town.folder, None)
    town.funded(before, SOFT)
    before.close()
    fleet = town.host()
    client = town.end(town.funded(fleet, HARD), HARD)
    owing(town, fleet, *OTHERS[:3])
    real = TokenSlots._destroy
    monkeypatch.setattr(Path, "unlink", _read_only)
    monkeypatch.setattr(tokens, "_AFTER_S", 0.5)
    monkeypatch.setattr(TokenSlots, "_destroy", lambda slots, names: time.sleep(0.4) or real(slots, names))
    told: list[bytes] = []
    with monkeypatch.context() as patched:
        patched.setattr(Seen, "exchange", lambda port, asked: told.append(asked) or b"")
        with suppress(Exception):
            client.zeroise(HARD)
    began = time.monotonic()
    ended, debit = fleet.exchange_many([(HARD, told[0]), (SOFT, command("A"))])
    assert time.monotonic() - began < 3
    assert (code(ended), read(debit).registers.pieces) == ("psd.token-owed", 1)  # two keys were too many for its time
    assert town.store.load([HARD])[HARD].state == "zeroised"


def _read_only(place: Path, *, missing_ok: bool = False) -> None:
    raise PermissionError(f"read only: {place} {missing_ok}")


def test_a_machine_that_has_no_room_for_a_process_fails_the_token_and_not_the_host(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = town.host(rest_s=30)
    town.funded(fleet, HARD)
    fleet._mixed._library.close()  # type: ignore[union-attr]

    def full(*_: object, **__: object) -> None:
        raise BlockingIOError

    monkeypatch.setattr(subprocess, "Popen", full)
    assert code(fleet.exchange(HARD, command("A"))).startswith("psd.token-")


def test_a_key_whose_failure_is_general_fails_its_own_device_and_the_library_does_not_rest(
    town: Town, tmp_path: Path
) -> None:
    maker, names = town.host(), [HARD, THIRD, OTHERS[0]]
    for name in names:
        town.funded(maker, name)
    maker.close()
    key = town.store.load([THIRD])[THIRD].indicia_key
    assert key is not None
    told = {"FAIL_ONCE": str(tmp_path / "flag"), "PYTHONPATH": str(ROOT)}
    (tmp_path / "flag").write_text("key " + name_of(key).hex())
    environment = {**town.token.environment, **told}
    fleet = town.host(environment=environment, worker=FAILING, rest_s=30, answer_s=8)
    answers = fleet.exchange_many([(name, command("A")) for name in names])
    assert [code(answer) for answer in answers] == ["", "psd.token-failed", ""]
    assert not fleet._mixed._library.resting  # type: ignore[union-attr]


def test_what_a_library_starts_beside_itself_holds_up_nobody(town: Town, tmp_path: Path) -> None:
    maker = town.host()
    town.funded(maker, HARD)
    maker.close()
    (tmp_path / "flag").write_text("fork and hang")
    told = {"FAIL_ONCE": str(tmp_path / "flag"), "PYTHONPATH": str(ROOT)}
    environment = {**town.token.environment, **told}
    fleet = town.host(environment=environment, worker=FAILING, rest_s=30, answer_s=2)
    began = time.monotonic()
    assert code(fleet.exchange(HARD, command("A"))) == "psd.token-failed"
    assert time.monotonic() - began < 4


def test_keys_of_an_older_database_are_left_though_it_runs_on_past_the_note(town: Town) -> None:
    fleet = town.host()
    manufacture(town.store, **town.workshop.birth(HARD))
    older = dict(town.store._states)
    client = DeviceClient(Seen(fleet, HARD))
    town.workshop.initialise(client, HARD, START)
    at = town.store.load([HARD])[HARD].counter
    note = Notes(town.folder / "unsettled").begin()
    note.add([Row(HARD, at - 1, 1, name_of(key), ends=False) for key in town.used(HARD)])
    note.let_go()  # it was not removed: another key of it was still in the token
    fleet.close()
    true, town.store._states = town.store._states, older
    copy = town.host()
    assert [name.endswith(".kept") for name in town.notes()] == [True]
    town.workshop.initialise(DeviceClient(Seen(copy, HARD)), HARD, START)  # it goes on, further than the note
    assert town.store.load([HARD])[HARD].counter >= at
    town.host()
    town.store._states = true
    slots = town.token.slots()
    assert all(slots.signer(key).sign(b"x") for key in town.used(HARD))


def test_a_device_whose_key_another_host_ended_is_read_anew(town: Town) -> None:
    first, second = town.host(), town.host()
    client = town.funded(first, HARD)
    assert client.status().state == "in service"  # it is seated there
    assert read(first.exchange(HARD, command("A"))).registers.pieces == 1
    town.roll(DeviceClient(Seen(second, HARD)), HARD)
    codes = [code(first.exchange(HARD, command(label))) for label in ("B", "C")]
    assert codes[-1] == ""


def test_a_module_whose_self_tests_failed_settles_nothing_of_others(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = town.host()
    owing(town, fleet, HARD)
    before = dict(town.store._states)
    monkeypatch.setattr(selftest, "failed", lambda: True)
    town.next_host()
    assert (town.keys(), len(town.notes()), town.store._states) == (4, 1, before)
