"""Roles and services: every role, every service, every state."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.psd.setting import DEVICE, START, Story, batch

from towncircle.kernel.errors import BrokenInvariant, Refused, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.pki.verifying import PublicKey
from towncircle.psd import commands
from towncircle.psd.automaton import LEAVES
from towncircle.psd.integrity import module_digest
from towncircle.psd.memory import Memory, MemoryInRam
from towncircle.psd.services import ANYONE, EXAMINER, OFFICER, ROLES, SERVICES, USER, legal
from towncircle.psd.states import DEVICE as TABLE
from towncircle.psd.states import LOCKED_OUT
from towncircle.wire import bodies
from towncircle.wire.directory import Keyring
from towncircle.wire.message import unseal
from towncircle.wire.shape import Body

PLAIN: dict[str, commands.Command] = {
    "identify": commands.Identify(),
    "status": commands.Status(),
    "selftest": commands.SelfTest(),
    "audit": commands.Audit(),
    "request_reset": commands.RequestReset(amount=Mills.dollars(10)),
    "evidence": batch("JOB-2"),
    "recover": commands.Recover(request_id="JOB-1"),
    "reprint": commands.Reprint(request_id="JOB-1", offsets=(0,)),
    "rekey": commands.Rekey(),
    "software": commands.Software(),
    "zeroise": commands.Zeroise(confirm=DEVICE),
}
ORDERS: dict[str, tuple[type[commands.FromProvider], Callable[[Story], Body]]] = {
    "initialise": (
        commands.Initialise,
        lambda s: bodies.Initialise(
            device=DEVICE,
            regime="imi-2024",
            scheme="ecdsa-p256",
            domain=b"",
            root_fingerprint=s.workshop.root.certificate.fingerprint,
        ),
    ),
    "certify": (commands.Certify, lambda s: bodies.Certify(indicia_certificate=b"", message_certificate=b"", chain=())),
    "authorise": (
        commands.Authorise,
        lambda s: bodies.Authorise(parameters=s.workshop.parameters(s.now), terms=s.workshop.terms(s.now)),
    ),
    "contact": (
        commands.Contact,
        lambda s: bodies.Renewal(
            audit_counter=s.state().audit_counter,
            contact_at=s.now,
            parameters=None,
            settle_request="",
            settle_outcome="",
            terms=s.workshop.terms(s.now),
        ),
    ),
    "apply_reset": (
        commands.ApplyReset,
        lambda s: bodies.ResetAuthorisation(request_id="R", device=DEVICE, amount=Mills(1), request_counter=1),
    ),
    "refuse_reset": (
        commands.ApplyReset,
        lambda s: bodies.ResetRefusal(request_id="R", code="c", sentence="s", clause="c", next_step="n"),
    ),
    "withdraw": (commands.Withdraw, lambda s: bodies.Withdraw(reason="returned")),
    "update": (commands.Update, lambda s: bodies.SoftwareUpdate(version=1, build=bytes(32), approval=b"none")),
}
# the sender of a sealed order, by the role that tries to give it
SEALS = {USER: "licensee.workshop", EXAMINER: "postal.workshop", ANYONE: "nobody.workshop"}
WRONG_SEAL = {"wire.unknown-sender", "wire.unknown-key", "psd.not-an-examiner"}
# a legal cell may still be refused by what the service itself asks for
BY_ITS_LEAF = {
    "psd.certificate-refused",
    "psd.approval-refused",
    "psd.not-certified",
    "psd.renewal-stale",
    "psd.reset-unknown",
    "psd.request-unknown",
}


BROKEN = {"broken": lambda: False}


def _copied(memory: Memory) -> MemoryInRam:
    assert isinstance(memory, MemoryInRam)
    made = MemoryInRam()
    made._states, made._records = dict(memory._states), dict(memory._records)
    return made


class Row:
    """One state, from which each cell starts anew."""

    def __init__(self, stage: str) -> None:
        self.story = Story().to(stage)
        if stage in ("in service", "locked"):
            at, self.story.clock.at = self.story.clock.at, START
            self.story.evidence("JOB-1")
            self.story.clock.at = at
            self.story.client.status()
        self.held = _copied(self.story.memory)

    def fresh(self) -> Story:
        self.story.memory = _copied(self.held)
        self.story.restart(**({"tests": BROKEN} if self.story.state().state == "faulted" else {}))
        return self.story


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    return {stage: Row(stage) for stage in TABLE.states}


def _command(story: Story, role: str, service: str) -> commands.Command:
    if service in PLAIN:
        return PLAIN[service]
    if service == "examine":
        roles = {EXAMINER: "postal", OFFICER: "provider", USER: "licensee", ANYONE: "bank"}
        return commands.Examine(message=story.workshop.examination(DEVICE, story.now, role=roles[role]))
    kind, body = ORDERS[service]
    if role == OFFICER:
        return kind(message=story.workshop.seal(DEVICE, body(story), story.now))
    key = story.workshop._key()
    return kind(message=story.workshop.seal(DEVICE, body(story), story.now, sender=SEALS[role], signer=key))


@pytest.mark.parametrize("service", sorted(SERVICES))
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("stage", TABLE.states)
def test_every_role_service_and_state(rows: dict[str, Row], stage: str, role: str, service: str) -> None:
    story = rows[stage].fresh()
    assert story.client.status().state == stage
    before = story.state()
    raw = commands.encode_command(_command(story, role, service))
    code = ""
    try:
        commands.decode_answer(story.device.exchange(raw, role=role))
    except TowncircleError as error:
        code = error.code
    if role not in SERVICES[service].roles:
        assert code in (WRONG_SEAL if SERVICES[service].sealed else {"psd.role-refused"})
        assert service not in legal(role, stage)
    elif service in legal(role, stage):
        assert code == "" or code in BY_ITS_LEAF or (stage == "faulted" and code == "psd.selftest-failed")
    elif stage == "faulted":
        assert code == "psd.faulted"
    elif stage == "locked" and service in LOCKED_OUT:
        assert code == "psd.locked"
    else:
        assert code == "machine.illegal-move"
    if code:
        assert story.state() == before


def test_the_services_are_the_commands_and_the_leaves() -> None:
    assert set(SERVICES) == set(LEAVES) | {"selftest"}
    assert set(SERVICES) == {name for name, _ in commands.VERBS.values()} | {"refuse_reset"}
    assert all(service.roles and set(service.roles) <= set(ROLES) for service in SERVICES.values())
    assert set(legal(ANYONE, "in service")) == {"identify", "status", "selftest"}


def test_a_refused_role_hears_which_roles_may() -> None:
    story = Story().to("in service")
    answer = story.device.exchange(commands.encode_command(batch()), role=ANYONE)
    with pytest.raises(Refused, match="licensee user") as refused:
        commands.decode_answer(answer)
    assert refused.value.code == "psd.role-refused"


@pytest.mark.parametrize("stage", ["initialised", "authorised", "in service", "locked", "withdrawn"])
def test_an_examination_reports_everything_signed_and_changes_nothing(stage: str) -> None:
    story = Story().to(stage)
    story.client.status()
    before = story.state()
    report = _examined(story)
    assert story.state() == before
    assert (report.state, report.reference, report.counter) == (stage, "EXAM-1", before.counter)
    assert report.registers.ascending == before.registers.ascending
    assert report.module.hex() == module_digest()
    assert len(report.module) == 32


def _examined(story: Story) -> bodies.ExaminationReport:
    done = story.client.examine(story.workshop.examination(DEVICE, story.now))
    ring = Keyring()
    ring.add(f"device.{DEVICE}", PublicKey("ecdsa-p256", story.client.identify().message_public), since=Instant(0))
    opened = unseal(done.message, audience="postal.workshop", now=story.now, directory=ring)
    assert isinstance(opened.body, bodies.ExaminationReport)
    return opened.body


def test_two_examinations_are_two_messages() -> None:
    story = Story().to("in service")
    first, second = (story.client.examine(story.workshop.examination(DEVICE, story.now)).message for _ in range(2))
    assert first != second


def test_an_examination_order_is_refused_where_it_is_not_for_this_device_or_out_of_its_time() -> None:
    story = Story().to("in service")
    other = DeviceId.of(vendor="TC", model="1A", serial=18)
    with pytest.raises(Refused, match=r"psd\.not-this-device"):
        story.client.examine(story.workshop.examination(DEVICE, story.now, device=other))
    late = story.workshop.examination(DEVICE, story.now.plus(hours=-25))
    with pytest.raises(Refused, match=r"wire\.expired"):
        story.client.examine(late)
    with pytest.raises(Refused, match=r"psd\.not-an-examiner"):
        story.client.examine(story.workshop.examination(DEVICE, story.now, chain=()))
    with pytest.raises(Refused, match=r"psd\.wrong-order"):
        story.client.examine(story.workshop.seal(DEVICE, bodies.Withdraw(reason="x"), story.now))
    stranger = Story()
    with pytest.raises(Refused, match=r"psd\.not-an-examiner"):
        story.client.examine(Workshop2(stranger).examination(DEVICE, story.now))


class Workshop2:
    """A workshop under another root."""

    def __init__(self, story: Story) -> None:
        from towncircle.bench.workshop import Workshop

        self.examination = Workshop(story.now, seed=99).examination


def test_a_faulted_device_signs_no_examination() -> None:
    story = Story().to("faulted")
    with pytest.raises((Refused, BrokenInvariant), match=r"psd\.faulted"):
        story.client.examine(story.workshop.examination(DEVICE, story.now))
