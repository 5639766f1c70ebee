"""Whatever is done to a device in whatever order, the law of its registers holds and no content is signed twice."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.psd.setting import Story, batch

from towncircle.indicium.codec import decode
from towncircle.kernel.errors import TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.pki.verifying import PublicKey
from towncircle.psd.commands import Done, Evidenced, encode_command
from towncircle.psd.device import sender_of
from towncircle.psd.states import AUTHORISED, FAULTED, IN_SERVICE, INITIALISED, MANUFACTURED, WITHDRAWN, ZEROISED
from towncircle.testing.faulty_memory import FaultyMemory
from towncircle.wire import bodies
from towncircle.wire.directory import Keyring
from towncircle.wire.message import Opened, open_untimed
from towncircle.wire.shape import Body

ELSEWHERE = DeviceId.of(vendor="TC", model="1A", serial=99)
RARELY = st.integers(0, 17).map(lambda drawn: drawn == 11)
SERVICES = ("initialise", "authorise", "update", "software", "selftest", "examine")
CAPS = st.sampled_from([500, 500, 300, 50])
SILENT = (WITHDRAWN, FAULTED, ZEROISED)  # no piece and no value any more


class Device(RuleBasedStateMachine):
    """A device from the factory on, its Provider, a network that loses, doubles, alters and misdelivers, and a power
    that fails.
    """

    def __init__(self) -> None:
        super().__init__()
        self.story = Story()
        self.whole = self.story.memory
        self.post: list[tuple[str, bytes]] = []  # what was sent to the device and the network still holds
        self.jobs: dict[str, tuple[int, ...]] = {}
        self.contents: dict[int, bytes] = {}
        self.messages: dict[int, bytes] = {}
        self.public, self.reported = b"", list[bytes]()
        self.highest = Mills(0)
        self.granted: set[str] = set()
        self.ended: tuple[int, int] | None = None

    # how the device is spoken to

    @property
    def state(self) -> str:
        return self.story.state().state

    def attempt(self, call: Callable[[], Any]) -> Any:
        try:
            done = call()
        except TowncircleError as error:
            if error.kind == "broken":
                raise
            return None
        if isinstance(done, Done) and done.message:
            self.heard(done.message)
        return done

    def heard(self, message: bytes) -> Opened:
        """Read a message of the device: its counter has never signed another content."""
        self.public = self.public or self.story.client.identify().message_public
        ring = Keyring()
        ring.add(sender_of(self.story.name), PublicKey("ecdsa-p256", self.public), since=self.story.now.plus(days=-9))
        try:
            opened = open_untimed(message, audience="provider.workshop", directory=ring)
        except TowncircleError:  # an examination changes nothing, so it shows the counter of the message before it
            opened = open_untimed(message, audience="postal.workshop", directory=ring)
            assert isinstance(opened.body, bodies.ExaminationReport)
            assert opened.envelope.counter >= max(self.messages, default=0)
            return opened
        assert self.messages.setdefault(opened.envelope.counter, message) == message
        return opened

    def send(self, verb: str, body: Body, late: bool, **changes: Any) -> Any:
        """Seal a message for the device and hand it in, or leave it with the network."""
        return self.sent(verb, self.story.workshop.seal(self.story.name, body, self.story.now, **changes), late)

    def sent(self, verb: str, sealed: bytes, late: bool) -> Any:
        self.post.append((verb, sealed))
        return None if late else self.attempt(lambda: getattr(self.story.client, verb)(sealed))

    # its life

    @precondition(lambda self: self.state == MANUFACTURED)
    @rule(far=st.sampled_from([3, 3, 3, 2, 1]), cap=CAPS)
    def begin(self, far: int, cap: int) -> None:
        self.attempt(lambda: self.story.workshop.initialise(self.story.client, self.story.name, self.story.now))
        if far > 1 and self.state == INITIALISED:
            self.certify(9)
            self.authorise(cap, late=False)
        if far > 2 and self.state == AUTHORISED:
            self.request(cap, "now")

    @rule(
        which=st.sampled_from(["initialise", "authorise", "update", "software", "selftest", "examine"]),
        late=st.booleans(),
    )
    def any_other_service(self, which: str, late: bool) -> None:
        match which:
            case "initialise":
                self.initialise(late)
            case "authorise":
                self.authorise(300 if late else 500, late)
            case "examine":
                self.examine("licensee" if late else "postal")
            case "selftest":
                self.attempt(self.story.client.selftest)
            case _:
                self.update(which == "software", late)

    def initialise(self, late: bool) -> None:
        workshop = self.story.workshop
        root = workshop.root.certificate.fingerprint
        order = {"regime": workshop.regime, "scheme": workshop.scheme, "domain": b"", "root_fingerprint": root}
        self.send("initialise", bodies.Initialise(device=self.story.name, **order), late)  # type: ignore[arg-type]

    @precondition(lambda self: self.state not in (MANUFACTURED, ZEROISED))
    @rule(pick=st.integers(0, 9))
    def certify(self, pick: int) -> None:
        known = self.attempt(self.story.client.identify)
        keys = [*self.reported[-2:], known.indicia_public]
        given = {"indicia": keys[min(pick, len(keys) - 1)]}
        story = self.story
        self.attempt(lambda: story.workshop.certify_next(story.client, story.name, story.now, **given))

    def authorise(self, cap: int, late: bool) -> None:
        now, workshop = self.story.now, self.story.workshop
        parameters = workshop.parameters(now, cap_mills=Mills.dollars(cap))
        self.send("authorise", bodies.Authorise(parameters=parameters, terms=workshop.terms(now)), late)

    @precondition(lambda self: self.state != MANUFACTURED)
    @rule()
    def rekey(self) -> None:
        done = self.attempt(self.story.client.rekey)
        if done is not None:
            self.reported.append(self.heard(done.message).body.indicia_public)  # type: ignore[attr-defined]

    @rule(really=RARELY, late=st.booleans())
    def withdraw(self, really: bool, late: bool) -> None:
        if really:
            self.send("withdraw", bodies.Withdraw(reason="returned"), late)

    @rule(really=RARELY)
    def zeroise(self, really: bool) -> None:
        if really or self.state == WITHDRAWN:
            self.attempt(lambda: self.story.client.zeroise(self.story.name))

    @rule(really=RARELY)
    def a_self_test_fails(self, really: bool) -> None:
        if really and self.state != ZEROISED:
            self.story.restart(tests={"a test that fails": lambda: False})
            self.story.restart()
            assert self.state == FAULTED

    def examine(self, role: str) -> None:
        before = self.story.state().registers
        order = self.story.workshop.examination(self.story.name, self.story.now, role=role)
        done = self.attempt(lambda: self.story.client.examine(order))
        assert role == "postal" or done is None
        assert self.story.state().registers == before

    def update(self, report: bool, late: bool) -> None:
        if report:
            self.attempt(self.story.client.software)
        elif self.send("update", bodies.SoftwareUpdate(version=1, build=bytes(32), approval=b"none"), late):
            raise AssertionError("it took a build that nobody has approved")

    # postage

    @precondition(lambda self: self.state != MANUFACTURED)
    @rule(
        fresh=st.integers(0, 3),
        amounts=st.lists(st.sampled_from([1, 730, 730, 730, 20_000, 99_999, 100_001]), min_size=1, max_size=3),
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

    @precondition(lambda self: self.state != MANUFACTURED)
    @rule(job=st.integers(0, 4), again=st.booleans())
    def recover(self, job: int, again: bool) -> None:
        before = self.story.state().registers
        if again:
            self.attempt(lambda: self.story.client.reprint(f"JOB-{job}", (0,)))
        done = self.attempt(lambda: self.story.client.recover(f"JOB-{job}"))
        if done is not None:
            self.remember(done)
        assert self.story.state().registers == before

    @precondition(lambda self: self.state != MANUFACTURED)
    @rule(
        dollars=st.sampled_from([1, 50, 399, 400, 401, 500, 501]),
        grant=st.sampled_from(["now", "now", "late", "refuse"]),
    )
    def request(self, dollars: int, grant: str) -> None:
        done = self.attempt(lambda: self.story.client.request_reset(Mills.dollars(dollars)))
        if done is None:
            return
        opened = self.heard(done.message)
        assert isinstance(opened.body, bodies.ResetRequest)
        request = opened.body.request_id
        if grant == "refuse" and request not in self.granted:
            told = {"code": "provider.rehearsed", "sentence": "No.", "clause": "house", "next_step": "Nothing."}
            refused = bodies.ResetRefusal(request_id=request, **told)
            self.send("apply_reset", refused, False, in_reply_to=opened.envelope.id)
        elif request not in self.granted:
            self.granted.add(request)
            sealed = self.story.workshop.authorisation(self.story.name, opened, self.story.now)
            self.sent("apply_reset", sealed, grant == "late")

    @precondition(lambda self: self.state != MANUFACTURED)
    @rule(lose=st.booleans(), void=st.booleans(), cap=CAPS)
    def contact(self, lose: bool, void: bool, cap: int) -> None:
        done = self.attempt(self.story.client.audit)
        if done is None or lose:
            return
        opened, now = self.heard(done.message), self.story.now
        assert isinstance(opened.body, bodies.DeviceAudit)
        more: dict[str, Any] = {}
        if self.state not in (INITIALISED, WITHDRAWN):
            more["parameters"] = self.story.workshop.parameters(now, cap_mills=Mills.dollars(cap))
        if void and opened.body.open_request:
            more |= {"settle_request": opened.body.open_request, "settle_outcome": "void"}
        self.sent("contact", self.story.workshop.renewal(self.story.name, opened, now, **more), False)

    # what goes wrong

    @precondition(lambda self: self.post)
    @rule(pick=st.integers(0, 5), keep=st.booleans())
    def deliver_late_or_again(self, pick: int, keep: bool) -> None:
        verb, sealed = self.post[-1 - pick % len(self.post)]
        if not keep:
            self.post.remove((verb, sealed))
        before = self.story.state().resets_total
        self.attempt(lambda: getattr(self.story.client, verb)(sealed))
        assert self.story.state().resets_total >= before

    @precondition(lambda self: self.post)
    @rule(pick=st.integers(0, 5), place=st.integers(0, 4000), bit=st.integers(0, 8))
    def deliver_altered_or_to_another(self, pick: int, place: int, bit: int) -> None:
        if bit == 8:
            self.deliver_what_is_for_another_device(("withdraw", "authorise")[place % 2])
            return
        verb, sealed = self.post[-1 - pick % len(self.post)]
        raw = bytearray(sealed)
        raw[place % len(raw)] ^= 1 << bit
        self.refused(lambda: getattr(self.story.client, verb)(bytes(raw)))

    def deliver_what_is_for_another_device(self, verb: str) -> None:
        now, workshop = self.story.now, self.story.workshop
        orders = {
            "withdraw": bodies.Withdraw(reason="returned"),
            "authorise": bodies.Authorise(parameters=workshop.parameters(now), terms=workshop.terms(now)),
        }
        sealed = workshop.seal(ELSEWHERE, orders[verb], now)  # type: ignore[arg-type]
        self.refused(lambda: getattr(self.story.client, verb)(sealed))

    def refused(self, call: Callable[[], Any]) -> None:
        before = self.story.state()
        assert self.attempt(call) is None
        after = self.story.state()
        assert (after.registers, after.resets_total, after.parameters) == (
            before.registers,
            before.resets_total,
            before.parameters,
        )

    @rule(hours=st.sampled_from([-1, 1, 2, 30, 80]))
    def time_passes(self, hours: int) -> None:
        self.story.clock.pass_time(hours=hours)

    @rule(fail_at=st.integers(1, 4), how=st.sampled_from(["before", "after"]), during=st.integers(0, 3))
    def the_power_fails(self, fail_at: int, how: str, during: int) -> None:
        faulty = FaultyMemory(self.whole, fail_at=fail_at, how=how)  # type: ignore[arg-type]
        if self.attempt(lambda: self.story.restart(faulty)) is None and faulty.writes:
            self.attempt(lambda: self.story.evidence("JOB-0"))
            doing = (
                self.rekey,
                lambda: self.certify(0),
                lambda: self.contact(False, True, 500),
                self.story.client.audit,
            )
            self.attempt(doing[during])
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

    @invariant()
    def a_device_that_has_ended_spends_nothing_more(self) -> None:
        state = self.story.state()
        if state.state not in SILENT:
            assert self.ended is None
            return
        self.ended = self.ended or (state.registers.pieces, int(state.resets_total))
        assert (state.registers.pieces, int(state.resets_total)) == self.ended
        assert state.state != WITHDRAWN or state.registers.descending == Mills(0)
        assert state.state != ZEROISED or (state.indicia_key, state.message_key, state.next_key) == (None, None, None)

    @invariant()
    def value_needs_an_authorisation(self) -> None:
        state = self.story.state()
        assert state.state not in (MANUFACTURED, INITIALISED, AUTHORISED) or state.registers.pieces == 0
        assert state.state != IN_SERVICE or self.granted


TestDevice = Device.TestCase
TestDevice.settings = settings(
    max_examples=60, stateful_step_count=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
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
