"""Whatever the bytes: a verdict, and never VALID for anything but the mark itself."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.verification.story import NOON, Story

from towncircle.verification import VALID, VERDICTS, StatusFacts, judge

STORIES = [Story("imi-min"), Story("imi-std"), Story("imi-max"), Story("imi-std", anchor="test")]
FACTS = StatusFacts()


@settings(max_examples=300, deadline=None)
@given(payload=st.binary(max_size=200), story=st.sampled_from(STORIES))
def test_any_bytes_give_a_verdict_and_never_an_exception(payload, story):
    verdict = judge(payload, story.pack(), FACTS, NOON)
    assert verdict.verdict in VERDICTS
    assert verdict.verdict != VALID


@settings(max_examples=200, deadline=None)
@given(data=st.data(), story=st.sampled_from(STORIES))
def test_a_mark_with_any_damage_gives_a_verdict_and_is_valid_only_undamaged(data, story):
    mark = bytearray(story.mark())
    for _ in range(data.draw(st.integers(0, 4))):
        mark[data.draw(st.integers(0, len(mark) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(mark[: data.draw(st.integers(0, len(mark)))]) + data.draw(st.binary(max_size=3))
    verdict = judge(damaged, story.pack(), None, NOON)
    assert (verdict.verdict == VALID) == (damaged == story.mark())


def test_flipping_any_single_bit_of_a_valid_mark_never_leaves_it_valid():
    for story in (*STORIES, Story("ibi-full")):
        now = NOON.plus(days=-200 * 5) if story.historic else NOON
        pack = story.pack(issued=now, next_update=now.plus(days=1))
        mark = story.mark(date=now.date_in("America/New_York").isoformat())
        assert judge(mark, pack, FACTS, now).verdict == VALID
        for bit in range(len(mark) * 8):
            flipped = bytearray(mark)
            flipped[bit // 8] ^= 1 << bit % 8
            assert judge(bytes(flipped), pack, FACTS, now).verdict != VALID
