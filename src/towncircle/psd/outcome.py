"""What the automaton gives back, and the opened order of the Provider that it takes.

Here: `Outcome`, `Order`, and the names that the device gives to its messages and requests. Not here: decisions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from towncircle.kernel.ids import MessageId, RequestId
from towncircle.psd import commands
from towncircle.psd.amending import Amendable
from towncircle.psd.state import DeviceState
from towncircle.wire import bodies
from towncircle.wire.message import Envelope
from towncircle.wire.shape import Body

EVENTS: Mapping[type[commands.FromProvider], Mapping[type[Body], str]] = {
    commands.Initialise: {bodies.Initialise: "initialise"},
    commands.Certify: {bodies.Certify: "certify"},
    commands.Authorise: {bodies.Authorise: "authorise", bodies.FirstAuthorise: "authorise"},
    commands.Contact: {bodies.Renewal: "contact", bodies.FirstRenewal: "contact"},
    commands.ApplyReset: {bodies.ResetAuthorisation: "apply_reset", bodies.ResetRefusal: "refuse_reset"},
    commands.Withdraw: {bodies.Withdraw: "withdraw"},
    commands.Examine: {bodies.ExaminationOrder: "examine"},
    commands.Update: {bodies.SoftwareUpdate: "update"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Hold a sealed message of the Provider after it was opened and its seal checked. `event` is its state event."""

    event: str
    envelope: Envelope
    body: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyBirth:
    """Ask the shell to make keys: the scheme of the indicia key and its domain parameters (DER or empty).

    `next` asks for the next indicia key only, beside the one in use.
    """

    scheme: str
    domain: bytes
    next: bool = False


@dataclass(frozen=True, kw_only=True)
class Outcome(Amendable):
    """Hold a decision.

    `state` is the new state (the very same object: nothing changes); `answer` what the client is told, with its
    message or signatures still empty. To be signed: `message` (a wire body, sealed under `counter` of the new state)
    or `contents` (indicia of `content_size` bytes each, joined). `record` names kind and request id under which the
    answer is kept; `replay` asks for an answer that is kept already; `birth` asks for keys. A message goes to
    the Provider under the id of the change it belongs to, unless `audience` and `message_id` say otherwise.
    """

    state: DeviceState
    answer: object
    message: Body | None = None
    audience: str = ""
    message_id: str = ""
    in_reply_to: str = ""
    valid_hours: int = 24
    contents: bytes = b""
    content_size: int = 0
    record: tuple[str, str] | None = None
    first_piece: int = 0
    count: int = 0
    replay: tuple[str, str] | None = None
    birth: KeyBirth | None = None


class _Derived:
    """Give bytes that follow from the device and a counter value: each message and request gets a name of its own.

    Names are public and signed; that they can be foretold harms nobody. That a store which was put back gives an old
    name to a new content is wanted: the Provider sees the conflict.
    """

    repeatable = True

    def __init__(self, state: DeviceState, what: str) -> None:
        self._text = f"{what} {state.device} {state.counter + 1}"
        self._block = 0

    def take(self, count: int) -> bytes:
        out = b""
        while len(out) < count:
            out += hashlib.sha256(f"{self._text} {self._block}".encode()).digest()
            self._block += 1
        return out[:count]


def next_request_id(state: DeviceState) -> RequestId:
    """Name the reset request that the next change makes."""
    return RequestId.new(_Derived(state, "request"))


def reply_id(state: DeviceState, order: str) -> MessageId:
    """Name the answer to an order that changes nothing and so has no counter of its own."""
    return MessageId.new(_Derived(state, f"reply to {order}"))


def message_id(state: DeviceState) -> MessageId:
    """Name the message that carries the counter of the next change."""
    return MessageId.new(_Derived(state, "message"))
