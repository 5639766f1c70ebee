"""What a device may run: the build it is bound to, the one that waits for its next start, and the counter of versions.

Here: the order to run a build, the change at a start, the look at the running build. Not here: how code gets onto a
machine: its owner installs it (a package, an image), and no message of the Provider replaces a file (ADR 0032).
Kept: a version only rises; a build counts only with the Postal Service's own approval, checked up to the pinned root; a
device changes at a start or where the build runs already, never inside a command, and a batch is one command. One whose
build is not the bound one answers who it is and takes the next order, and nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused, TowncircleError
from towncircle.kernel.instants import Instant
from towncircle.pki.verifying import POSTAL, PublicKey, check_chain
from towncircle.psd import commands, integrity
from towncircle.psd.outcome import Order, Outcome
from towncircle.psd.sight import Seen
from towncircle.psd.state import DeviceState
from towncircle.wire.bodies import BuildApproval, SoftwareReport, SoftwareUpdate
from towncircle.wire.message import Envelope, open_certified
from towncircle.wire.shape import Body

DEVICES = "devices"  # the audience of an approval
UNBOUND = ("identify", "status", "selftest", "update", "software", "examine", "zeroise")


def waits(next_build: bytes) -> bool:
    """Tell whether the build that waits, if any, is the one that runs."""
    return bool(next_build) and next_build == integrity.running()


def started(state: DeviceState) -> DeviceState:
    """Give the state of a device that starts: where the build that waits is the one that runs, it is bound to it."""
    if not waits(state.next_build):
        return state
    return replace(
        state, software_version=state.next_version, software_build=state.next_build, next_version=0, next_build=b""
    )


@cites("IMI-03/1", "502.11")
def check_build(state: Seen, event: str) -> None:
    """Refuse to serve under another build than the bound one. Raises `Refused` (psd.build-not-approved)."""
    if state.software_build and event not in UNBOUND and integrity.running() != state.software_build:
        raise Refused(
            "psd.build-not-approved",
            version=state.whole().software_version,
            build=state.software_build.hex()[:16],
            running=integrity.running().hex()[:16] or "none",
        )


@cites("IMI-03/1", "502.11")
def update(state: DeviceState, command: Order, now: Instant) -> Outcome:
    """Take the order to run a build.

    1. its version is higher than every one taken (psd.version-lower); 2. the Postal Service approved that build under
    that version for this model and regime (psd.approval-refused); 3. it waits for the start that brings it, or is bound
    at once where it runs already.
    """
    body = command.body
    assert isinstance(body, SoftwareUpdate)
    highest = max(state.software_version, state.next_version)
    if body.version <= highest:  # 1
        raise Refused("psd.version-lower", version=body.version, highest=highest)
    approval = _approval(state, body, now)  # 2
    model = f"{state.device.vendor}{state.device.model}"
    told = (approval.version, approval.build, approval.model, approval.regime)
    if told != (body.version, body.build, model, state.regime) or not body.build:
        raise Refused("psd.approval-refused", version=body.version, what="it is for another build, model or regime")
    after = started(replace(state, next_version=body.version, next_build=body.build))  # 3
    waits = f"Version {body.version} is taken and waits for the next start under it."
    sentence = waits if after.next_build else f"Version {body.version} is in use."
    return Outcome(
        state=after,
        answer=commands.Done(state=state.state, sentence=sentence),
        message=report_body(after),
        in_reply_to=command.envelope.id,
    )


def report(state: DeviceState, command: commands.Software, now: Instant) -> Outcome:  # noqa: ARG001 - leaves share a shape
    """Sign which version and build the device is bound to, and which one runs."""
    return Outcome(
        state=replace(state, counter=state.counter),
        answer=commands.Done(state=state.state, sentence="The software report is signed; send it to the Provider."),
        message=report_body(state),
    )


def report_body(state: DeviceState) -> SoftwareReport:
    """Give the software facts as they stand."""
    return SoftwareReport(
        version=state.software_version,
        build=state.software_build,
        next_version=state.next_version,
        next_build=state.next_build,
        running=integrity.running(),
    )


def _approval(state: DeviceState, body: SoftwareUpdate, now: Instant) -> BuildApproval:
    try:
        opened = open_certified(body.approval, audience=DEVICES, key_of=partial(_approver, state, now))
    except TowncircleError as error:
        raise Refused("psd.approval-refused", version=body.version, what=error.sentence.rstrip(".")) from error
    approval = opened.body
    assert isinstance(approval, BuildApproval)
    return approval


def _approver(state: DeviceState, now: Instant, envelope: Envelope, body: Body) -> PublicKey:
    if not isinstance(body, BuildApproval):
        raise Refused("psd.wrong-order", verb="update", got=type(body).__name__)
    result = check_chain(
        body.chain, root_fingerprint=state.root_fingerprint, at=now, purpose=POSTAL, subject=envelope.sender
    )
    fault = result.first_fault()
    if result.leaf is None or fault is not None:
        raise Refused("psd.not-an-examiner", sender=envelope.sender, what=fault.text if fault else "it cannot be read")
    return result.leaf.public
