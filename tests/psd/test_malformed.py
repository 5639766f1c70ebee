"""A hundred thousand malformed commands: an answer each, no change that is not lawful, bounded time and memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cbor2
import pytest
from tests.psd.setting import DEVICE, Story, batch
from tests.psd.test_services import ORDERS

from towncircle.kernel.errors import BadInput
from towncircle.kernel.randomness import SeededRandomness
from towncircle.pki.keys import SoftwareKey
from towncircle.psd import commands
from towncircle.psd.commands import MAX_COMMAND, VERBS, encode_command
from towncircle.psd.memory import MemoryInRam
from towncircle.psd.state import DeviceState
from towncircle.testing.dice import Dice, dice_for
from towncircle.wire import cose

PROVIDER = Story().to("in service")
_KEY = PROVIDER.workshop.provider_key
EXAMINER = SoftwareKey.generate("ecdsa-p256", SeededRandomness(3, "examiner"))
SEALED: list[tuple[type[commands.FromProvider], Callable[[], bytes], SoftwareKey]] = [
    *(
        (kind, partial(lambda body: PROVIDER.workshop.seal(DEVICE, body(PROVIDER), PROVIDER.now), body), _KEY)
        for kind, body in ORDERS.values()
    ),
    (commands.Examine, lambda: PROVIDER.workshop.examination(DEVICE, PROVIDER.now, key=EXAMINER), EXAMINER),
]  # every order, who has sealed it, and with which key
_SEALED = PROVIDER.workshop.seal(DEVICE, ORDERS["contact"][1](PROVIDER), PROVIDER.now)
LONGEST_SECONDS = 0.5  # of CPU time for one command
MOST_MEMORY_KIB = 32 << 10  # above what the process held when the commands began
STAGES = ("manufactured", "initialised", "authorised", "in service", "locked", "withdrawn", "zeroised", "faulted")
COUNTS = {"random bytes": 20_000, "edited bytes": 40_000, "edited structure": 45_000, "edited orders": 3_000}
BODY = next(key for key, value in cbor2.loads(cose.read_sign1(_SEALED).payload).items() if isinstance(value, dict))
_MOVING = {commands.NUMBERS[kind] for kind in (commands.Evidence, commands.Withdraw)}  # may change registers
_CODES = {"psd", "wire", "indicium", "pki", "machine", "kernel"}

HOSTILE: tuple[Any, ...] = (
    *(0, 1, -1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1, -(2**63), 10**300, None, True, False, 1.5, float("nan")),
    *("", "a" * 65, "JOB-1", "../../x", "\x00", "\N{FULLWIDTH DIGIT FIVE}", "2026-02-30", "9999-99-99", "0001-01-01"),
    *(b"", b"\x00", b"\xff" * 4, b"\x01\x00\x00\x00" * 1000, b"\x00" * 4004, [], [[]], {}, {0: 0}, {-1: {}}, {"0": 1}),
    *([0] * 1001, ["date"] * 30, cbor2.CBORTag(2, b"\xff" * 40), [[[[[[[[[[]]]]]]]]]]),
)


def specimens(story: Story) -> list[dict[int, Any]]:
    """Give one good command of each verb, and some more, as maps."""
    good: list[Any] = [
        *(commands.Identify(), commands.Status(), commands.SelfTest(), commands.Audit()),
        commands.RequestReset(amount=50_000),  # type: ignore[arg-type]
        batch(),
        batch(amounts=(1, 2, 3), category=["A", "B", "A"], mail_service=[1, 2, 3]),
        commands.Recover(request_id="JOB-1"),
        commands.Reprint(request_id="JOB-1", offsets=(0, 0)),
        commands.Zeroise(confirm="TC-1A-00000000"),
        *(commands.Rekey(), commands.Software()),
    ]
    sealed = story.workshop.renewal(DEVICE, _audited(story), story.now)
    good += [kind(message=sealed) for kind in (commands.Contact, commands.ApplyReset, commands.Withdraw)]
    good += [kind(message=b"\xd2\x84") for kind in (commands.Initialise, commands.Certify, commands.Authorise)]
    good += [kind(message=sealed()) for kind, sealed, _ in SEALED]
    return [cbor2.loads(encode_command(command)) for command in good]


def _audited(story: Story) -> Any:
    aside = Story().to("in service")
    return aside.workshop.open(DEVICE, aside.client, aside.client.audit().message)


def random_bytes(dice: Dice, _maps: list[dict[int, Any]]) -> bytes:
    head = dice.choice((b"", b"\xa3\x00\x01\x01", b"\xa3\x00\x01\x01\x0b\x02", b"\x9b", b"\xbb", b"\x5b", b"\xd8\x40"))
    return head + dice.randbytes(dice.choice((0, 1, 5, 40, 300)))


def edited_bytes(dice: Dice, maps: list[dict[int, Any]]) -> bytes:
    raw = bytearray(cbor2.dumps(dice.choice(maps)))
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(raw) + 1)
        match dice.randrange(5):
            case 0 if at < len(raw):
                raw[at] ^= 1 << dice.randrange(8)
            case 1:
                raw.insert(at, dice.randrange(256))
            case 2:
                del raw[at : at + dice.randint(1, 4)]
            case 3:
                raw[at:at] = raw[: dice.randrange(len(raw) + 1)]
            case _:
                raw += dice.randbytes(2)
    return bytes(raw)


def edited_structure(dice: Dice, maps: list[dict[int, Any]]) -> bytes:
    """Change one place of a good command's tree to something hostile, or its verb to another."""
    tree = cbor2.loads(cbor2.dumps(dice.choice(maps)))
    if dice.random() < 0.2:
        tree[1] = dice.choice((*VERBS, 0, max(VERBS) + 1, 99, -1))
    _edit(dice, tree)
    return cbor2.dumps(tree)


def edited_orders(dice: Dice, _maps: list[dict[int, Any]]) -> bytes:
    """Change one place of what a good order of Provider or examiner says, and seal it with his own key."""
    kind, sealed, key = dice.choice(SEALED)
    said = cbor2.loads(cose.read_sign1(sealed()).payload)
    _edit(dice, said if dice.random() < 0.2 else {0: said[BODY]})
    if not isinstance(said, dict) or not said:
        return b""
    payload = cbor2.dumps(said)
    return encode_command(kind(message=cose.sign1(payload, key)))


def _edit(dice: Dice, tree: Any) -> None:
    places: list[tuple[Any, Any]] = []
    _places(tree, places)
    holder, key = dice.choice(places)
    match dice.randrange(4):
        case 0 if isinstance(holder, dict):
            del holder[key]
        case 1 if isinstance(holder, list):
            holder.append(holder[key])
        case 2 if isinstance(holder, dict):
            holder[dice.choice((7, 99, -1, "x"))] = dice.choice(HOSTILE)
        case _:
            holder[key] = dice.choice(HOSTILE)


def _places(node: Any, found: list[tuple[Any, Any]]) -> None:
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        found.append((node, key))
        _places(value, found)


MAKERS: dict[str, Callable[[Dice, list[dict[int, Any]]], bytes]] = {
    "random bytes": random_bytes,
    "edited bytes": edited_bytes,
    "edited structure": edited_structure,
    "edited orders": edited_orders,
}


def ask(story: Story, raw: bytes) -> bool:
    """Send a command; tell whether it changed the state. A refusal must be a coded one and change nothing."""
    assert isinstance(story.memory, MemoryInRam)
    held, began = story.memory._states[DEVICE], time.process_time()
    answer = story.device.exchange(raw)
    assert time.process_time() - began < LONGEST_SECONDS
    told = cbor2.loads(answer)
    if told[1] == 0:
        assert told[2][1].split(".")[0] in _CODES, told
        assert story.memory._states[DEVICE] == held
        return False
    if story.memory._states[DEVICE] == held:
        return False
    before, after = DeviceState.decode(held[2]), story.state()
    after.check()
    assert after.registers.ascending >= before.registers.ascending
    assert after.registers.pieces >= before.registers.pieces
    if after.registers != before.registers:
        assert told[1] in _MOVING
    return True


def test_there_is_a_good_command_of_every_verb_and_a_good_order_of_every_sealed_one() -> None:
    assert {tree[1] for tree in specimens(PROVIDER)} == set(VERBS)
    sealed = {kind for _, kind in VERBS.values() if issubclass(kind, commands.FromProvider)}
    assert {kind for kind, _, _ in SEALED} == sealed
    assert sum(COUNTS.values()) >= 100_000


@pytest.mark.parametrize("kind", COUNTS)
def test_malformed_commands_are_answered_and_change_nothing_unlawfully(kind: str) -> None:
    dice, maker, changed = dice_for("malformed", kind), MAKERS[kind], 0
    stories = [Story().to(stage) for stage in STAGES]
    for story in stories:
        story.client.status()  # a deadline that has passed is noted with the first command
    maps = specimens(stories[0])
    before = _peak_since_now()
    for number in range(COUNTS[kind]):
        story = stories[3] if number % 2 else stories[number // 2 % len(stories)]
        changed += ask(story, maker(dice, maps))
        if number % 1000 == 0 and stories[3].state().state != "in service":
            stories[3] = Story().to("in service")
    assert _peak() - before < MOST_MEMORY_KIB
    assert changed < COUNTS[kind] // 20  # an edit seldom makes another good command


def _peak_since_now() -> int:
    """Begin the high-water mark of this process's memory anew, so that no earlier peak hides what is to come."""
    Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])  # KiB


def test_the_measure_of_memory_is_not_blind_after_an_earlier_peak() -> None:
    earlier = bytearray(200 << 20)
    del earlier
    before = _peak_since_now()
    grown = b"x" * (2 * MOST_MEMORY_KIB << 10)
    assert _peak() - before > MOST_MEMORY_KIB
    assert grown


@pytest.mark.parametrize("size", [MAX_COMMAND - 1, MAX_COMMAND, MAX_COMMAND + 1, 4 * MAX_COMMAND])
@pytest.mark.parametrize(
    "filling", [b"\x00", b"\x80", b"\xa0", b"\xff", b"\x81", b"\xa1\x00", b"\x60", b"\x9a\xff\xff"]
)
def test_a_command_of_any_size_takes_bounded_time(size: int, filling: bytes) -> None:
    story = Story()
    assert not ask(story, (filling * size)[:size])
    if size > MAX_COMMAND:
        with pytest.raises(BadInput, match=r"psd\.too-large"):
            commands.decode_command((filling * size)[:size])
    head = b"\xa3\x00\x01\x01\x0b\x02\x9a" + (size - 11).to_bytes(4, "big")
    assert not ask(story, head + bytes(size - 11))
