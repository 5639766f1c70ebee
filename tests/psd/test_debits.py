"""The quick way of one piece gives the bytes of the general way, and leaves to it whatever is not plain."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest
from tests.psd.setting import START, Story, batch

from towncircle.kernel.errors import TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.pki.keys import SoftwareKey
from towncircle.psd import commands, debits
from towncircle.psd.columns import Column
from towncircle.psd.debits import Round, Standing
from towncircle.psd.keys import SoftwareSlots
from towncircle.psd.signing import run
from towncircle.psd.sqlite import SqliteMemory

PIECES = [
    ("JOB-1", 730, {}),
    ("JOB-2", 1, {}),
    ("A" * 23, 255, {}),
    ("A" * 24, 256, {}),
    ("A" * 64, 65_536, {"category": "FCMF"}),
    ("JOB-3", 99, {"date": "2026-11-22", "category": "AAAA"}),
    ("JOB-4", 730, {"category": "FCMF"}),
    ("JOB-5", 5, {"mail_service": 41}),
    ("JOB-6", 730, {}),
]


def general(story: Story, command: commands.Evidence) -> bytes:
    return run(story.device.steps(commands.encode_command(command)))


def quick(story: Story, command: commands.Evidence) -> bytes:
    raw = commands.encode_command(command)
    assert story.device.debit(raw, Round(story.now)) is not None
    return story.device.exchange(raw)


def alike(one: Story, other: Story, asked: commands.Evidence) -> None:
    """Run a command both ways and compare what comes out and what is kept."""
    assert quick(one, asked) == general(other, asked)
    kept, wanted = one.state(), other.state()
    assert kept == wanted
    assert kept.encode_moving() == wanted.encode_moving()
    assert list(one.memory.records(one.name)) == list(other.memory.records(other.name))


def test_both_ways_release_and_keep_the_same_bytes() -> None:
    one, other = (Story().to("in service") for _ in range(2))
    for at, (name, amount, changes) in enumerate(PIECES):
        alike(one, other, batch(name, (amount,), **changes))
        for story in (one, other):
            story.clock.pass_time(microseconds=at * 70_000_000)
    assert one.client.status() == other.client.status()


def test_both_ways_are_the_same_for_the_1998_device() -> None:
    device, start = DeviceId.of(vendor="TC", model="1B", serial=4), Instant.parse("1998-09-21T15:00:00Z")
    one, other = (Story(device=device, start=start, regime="ibi-1998", scheme="dsa-1024") for _ in range(2))
    for story in (one, other):
        story.commission()
        story.reset()
    fields = {"date": "1998-09-21", "category": "FCML", "software_id": "0001", "product_data": bytes(9).hex()}
    for name in ("A", "B"):
        alike(one, other, commands.Evidence.of(name, amounts=[320], **fields))


def test_the_stored_form_of_a_debit_is_that_of_its_state() -> None:
    story = Story().to("in service")
    for at, (name, amount, changes) in enumerate(PIECES):
        made = story.device.debit(commands.encode_command(batch(name, (amount,), **changes)), Round(story.now))
        assert made is not None
        assert made.moving == made.state.encode_moving()
        assert (made.counter, made.first_piece) == (made.state.counter, at + 1)
        story.evidence(name, (amount,), **changes)


def test_a_debit_lies_in_the_file_as_the_whole_state_would(tmp_path: Path) -> None:
    memory = SqliteMemory(tmp_path / "device.sqlite", create=True)
    story = Story(memory).to("in service")
    for at, (name, amount, changes) in enumerate(PIECES):
        if at == len(PIECES) // 2:
            story.reset(10)  # changes what debits leave as it is
        quick(story, batch(name, (amount,), **changes))
    state = story.device.held
    memory.close()
    with apsw.Connection(str(tmp_path / "device.sqlite")) as file:
        assert file.execute("SELECT counter, epoch, state FROM device").get == (
            state.counter,
            state.epoch,
            state.encode(),
        )


TWO_DATES = (Column(name="date", texts=("2026-11-21", "2026-11-22")),)
STAGES = ("locked", "withdrawn", "faulted", "authorised")


@pytest.mark.parametrize(
    ("way", "asked"),
    [
        ("", batch("B", (0,))),
        ("rich", batch("B", (100_001,))),  # the limit of a piece, not the balance
        ("", batch("B!", (5,))),
        ("", batch("B", (5,), date="2026-11-20")),
        ("", batch("B", (5,), date="no date")),
        ("", batch("B", (5,), unknown=3)),
        ("", batch("B", (5,), category="A" * 17)),
        ("", batch("B", (5, 6))),
        ("", commands.Evidence(request_id="B", amounts=b"\5\0\0\0", columns=TWO_DATES)),
        ("short", batch("B", (90_000,))),
        ("locked", batch("B")),
        ("withdrawn", batch("B")),
        ("faulted", batch("B")),
        ("authorised", batch("B")),
        ("clock back", batch("B")),
        ("certificate", batch("B")),
    ],
)  # fmt: skip
def test_what_is_not_plain_goes_the_general_way_and_is_refused_in_its_words(way: str, asked: commands.Evidence) -> None:
    stories = [Story().to(way if way in STAGES else "in service") for _ in range(2)]
    for story in stories:
        if way == "rich":
            story.reset(300)
        if way not in STAGES:
            story.evidence("FIRST", (30_000,))
        if way == "clock back":
            story.clock.pass_time(hours=-1)
        if way == "certificate":
            story.clock.pass_time(days=40 * 366)
    one, other = stories
    raw = commands.encode_command(asked)
    assert one.device.debit(raw, Round(one.now)) is None
    assert one.device.exchange(raw) == general(other, asked)
    assert one.state() == other.state()


def test_the_window_of_a_standing_device_is_that_of_the_general_way() -> None:
    story = Story().to("in service")
    story.evidence("FIRST")
    due = story.state().contact_due
    raw = commands.encode_command(batch("AT", date=due.date_in("America/New_York").isoformat()))
    assert story.device.debit(raw, Round(due)) is not None
    assert story.device.debit(raw, Round(due.plus(microseconds=1))) is None
    story.clock.at = due.plus(microseconds=1)
    with pytest.raises(TowncircleError, match=r"psd\.locked"):
        commands.decode_answer(story.device.exchange(raw))


def test_a_debit_that_was_decided_and_not_kept_changes_nothing() -> None:
    story = Story().to("in service")
    story.evidence("FIRST")
    before = story.state()
    assert story.device.debit(commands.encode_command(batch("B", category="NEW")), Round(START)) is not None
    assert story.device.held == before == story.state()
    assert len(story.client.status().usage) == 1
    assert story.evidence("C").first_piece == 2


def test_other_commands_between_debits_see_them_and_are_seen() -> None:
    story = Story().to("in service")
    story.evidence("A", (100,))
    assert story.client.status().registers.pieces == 1
    story.evidence("B", (100, 100))
    story.evidence("C", (100,))
    story.reset(10)
    found = story.evidence("D", (100,))
    assert (found.first_piece, found.registers.ascending) == (5, 500)
    assert found.registers.control_total == Mills.dollars(110)
    assert story.client.recover("C").first_piece == 4


def test_a_law_that_is_broken_in_the_store_is_found_by_the_next_debit() -> None:
    story = Story().to("in service")
    story.evidence("A")
    standing = Standing(story.state(), story.now)
    standing.registers = (730, 5_000_000, 1)
    raw = commands.encode_command(batch("B"))
    parts = debits.frames.one_piece(raw)
    assert parts is not None
    with pytest.raises(TowncircleError, match=r"psd\.registers-broken"):
        Round(story.now).decide(standing, raw, parts)


def test_a_key_that_is_not_the_slots_own_is_never_signed_with() -> None:
    story = Story().to("in service")
    state = story.state()
    other = SoftwareSlots(lambda: bytes(range(32)), SeededRandomness(11, "other")).make("ecdsa-p256")
    assert state.indicia_key is not None
    slot = type(other)(public=state.indicia_key.public, sealed=other.sealed)
    with pytest.raises(TowncircleError, match=r"psd\.store-damaged"):
        SoftwareSlots(lambda: bytes(range(32)), SeededRandomness(11, "other")).signer(slot)
    opened = SoftwareSlots(lambda: bytes(range(32)), SeededRandomness(11, "other")).signer(other)
    assert isinstance(opened, SoftwareKey)
    assert SoftwareKey.from_pkcs8(opened.to_pkcs8()).public.raw == other.public == opened.public.raw
