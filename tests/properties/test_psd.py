"""Whatever is done to a device in whatever order, the law of its registers holds and no content is signed twice."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.psd.setting import Story, batch

from towncircle.indicium.codec import decode
from towncircle.kernel.errors import TowncircleError
from towncircle.kernel.money import Mills
from towncircle.psd.commands import Evidenced, encode_command
from towncircle.testing.faulty_memory import FaultyMemory
from towncircle.wire import bodies


class Device(RuleBasedStateMachine):
    """A device, its Provider, a network that delivers late, twice or never, and a power that fails."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Story().to("in service")
        self.whole = self.story.memory
        self.authorised = Mills.dollars(100)
        self.post: list[bytes] = []  # what the Provider has sent and the network still holds
        self.jobs: dict[str, tuple[int, ...]] = {}
        self.contents: dict[int, bytes] = {}
        self.highest = Mills(0)
        self.granted: dict[str, bytes] = {}

    def attempt(self, call):  # type: ignore[no-untyped-def]
        try:
            return call()
        except TowncircleError as error:
            if error.kind == "broken":
                raise
            return None

    @rule(
        fresh=st.integers(0, 3),
        amounts=st.lists(st.sampled_from([1, 730, 730, 20_000, 99_999, 100_001]), min_size=1, max_size=4),
    )
    def evidence(self, fresh: int, amounts: list[int]) -> None:
        name, given = f"JOB-{len(self.jobs) if fresh else 0}", tuple(amounts)
        day = self.story.now.date_in("America/New_York").isoformat()
        done = self.attempt(lambda: self.story.client.evidence(batch(name, given, date=day)))
        if done is None:
            return
        assert self.jobs.setdefault(name, given) == given
        self.remember(done)

    def remember(self, done: Evidenced) -> None:
        for offset, payload in enumerate(done.indicia()):
            read = decode(payload)
            assert read.fields["piece_count"] == done.first_piece + offset
            assert self.contents.setdefault(done.first_piece + offset, read.content) == read.content

    @rule(job=st.integers(0, 4))
    def recover(self, job: int) -> None:
        done = self.attempt(lambda: self.story.client.recover(f"JOB-{job}"))
        if done is not None:
            self.remember(done)

    @rule(dollars=st.sampled_from([1, 50, 399, 400, 401, 500, 501]))
    def request(self, dollars: int) -> None:
        done = self.attempt(lambda: self.story.client.request_reset(Mills.dollars(dollars)))
        if done is None:
            return
        opened = self.story.workshop.open(self.story.name, self.story.client, done.message)
        assert isinstance(opened.body, bodies.ResetRequest)
        if opened.body.request_id not in self.granted:
            sealed = self.story.workshop.authorisation(self.story.name, opened, self.story.now)
            self.granted[opened.body.request_id] = sealed
            self.post.append(sealed)

    @rule(dollars=st.sampled_from([1, 399, 400, 401, 500]))
    def reset_at_once(self, dollars: int) -> None:
        sent = len(self.post)
        self.request(dollars)
        if len(self.post) > sent:
            self.deliver(sent, keep=True)

    @precondition(lambda self: self.post)
    @rule(pick=st.integers(0, 3), keep=st.booleans())
    def deliver(self, pick: int, keep: bool) -> None:
        at = pick % len(self.post)
        sealed = self.post[at] if keep else self.post.pop(at)
        before = self.story.state().resets_total
        self.attempt(lambda: self.story.client.apply_reset(sealed))
        after = self.story.state().resets_total
        assert after >= before

    @rule(lose=st.booleans(), void=st.booleans())
    def contact(self, lose: bool, void: bool) -> None:
        done = self.attempt(self.story.client.audit)
        if done is None or lose:
            return
        opened = self.story.workshop.open(self.story.name, self.story.client, done.message)
        assert isinstance(opened.body, bodies.DeviceAudit)
        settle = {"settle_request": opened.body.open_request, "settle_outcome": "void"} if void else {}
        if not opened.body.open_request:
            settle = {}
        sealed = self.story.workshop.renewal(self.story.name, opened, self.story.now, **settle)
        self.attempt(lambda: self.story.client.contact(sealed))

    @rule(hours=st.sampled_from([-1, 1, 2, 30, 80]))
    def time_passes(self, hours: int) -> None:
        self.story.clock.pass_time(hours=hours)

    @rule(fail_at=st.integers(1, 3), how=st.sampled_from(["before", "after"]))
    def the_power_fails(self, fail_at: int, how: str) -> None:
        faulty = FaultyMemory(self.whole, fail_at=fail_at, how=how)  # type: ignore[arg-type]
        if self.attempt(lambda: self.story.restart(faulty)) is None and faulty.writes:
            self.attempt(lambda: self.story.evidence("JOB-0"))
            self.attempt(self.story.client.audit)
        self.story.restart()

    @invariant()
    def the_law_holds(self) -> None:
        state = self.story.state()
        state.check()
        assert state.registers.ascending >= self.highest
        assert state.registers.descending <= Mills.dollars(500)
        assert state.registers.ascending + state.registers.descending == state.resets_total - state.withdrawn_total
        self.highest = state.registers.ascending
        spent = sum(
            (Mills(decode(content + bytes(64)).fields["postage_mills"]) for content in self.contents.values()), Mills(0)
        )  # type: ignore[arg-type]
        assert spent <= state.registers.ascending


TestDevice = Device.TestCase
TestDevice.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_malformed_commands_neither_crash_nor_change_anything() -> None:
    story = Story().to("in service")
    dice = random.Random(7)
    good = [encode_command(batch()), encode_command(batch(amounts=(1,) * 30, category=["A", "B", "C"] * 10))]
    before = story.state()
    for _ in range(3000):
        raw = bytearray(dice.choice(good))
        for _ in range(dice.randint(1, 3)):
            match dice.randint(0, 2):
                case 0:
                    raw[dice.randrange(len(raw))] = dice.randrange(256)
                case 1:
                    del raw[dice.randrange(len(raw)) :]
                    raw += b"\x00"
                case _:
                    raw.insert(dice.randrange(len(raw)), dice.randrange(256))
        answer = story.device.exchange(bytes(raw))
        assert answer
        state = story.state()
        if state != before:  # the edit made another well-formed command
            state.check()
            before = state
    for size in (1, 10, 1000, 70_000, (1 << 20) + 1):
        story.device.exchange(dice.randbytes(size))
    assert story.state() == before
