"""Retries, replays and conflicts.

Here: the check of an opened message against what this party received before. Not here: the handlers.
Kept: a retried message gets the first answer, byte for byte, while it is valid; after that it is a replay. An id names
one content, and a counter of a sender names one message.
"""

from __future__ import annotations

from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Received, Transaction
from towncircle.wire.message import (
    DEFAULT_LIMIT,
    Envelope,
    KeyDirectory,
    Opened,
    check_key_now,
    check_times,
    open_untimed,
)


class Conflict:
    """Stand in a table of handlers for what is done about a sender that gave two contents one id.

    Its handler may give the refusal that is answered instead of `wire.conflict`.
    """


def admit(tx: Transaction, opened: Opened, now: Instant) -> Received | None:
    """Tell a new message (None) from a retry, whose first reply is given.

    Raises `Refused`: wire.conflict for a known id with other bytes, wire.replayed for a known message after its time
    or for a counter that the sender has used.
    """
    envelope = opened.envelope
    held = tx.received(_name(envelope))
    if held is not None:
        if held.digest != opened.digest:
            raise Refused("wire.conflict", id=envelope.id)
        if now > held.expires:
            raise Refused("wire.replayed", id=envelope.id, counter=envelope.counter)
        return held
    if tx.received_counter(envelope.sender, envelope.counter) is not None:
        raise Refused("wire.replayed", id=envelope.id, counter=envelope.counter)
    return None


def _name(envelope: Envelope) -> str:
    """Name a received message: ids are the sender's own, so that nobody can use up another's."""
    return f"{envelope.sender} {envelope.id}"


def receive(
    tx: Transaction,
    raw: bytes,
    *,
    audience: str,
    now: Instant,
    directory: KeyDirectory,
    limit: int = DEFAULT_LIMIT,
) -> tuple[Opened, Received | None]:
    """Open a message and admit it: like `unseal` and `admit`, but a known message after its time is a replay.

    Raises what `unseal` and `admit` raise.
    """
    opened = open_untimed(raw, audience=audience, directory=directory, limit=limit)
    held = admit(tx, opened, now)
    check_times(opened.envelope, now)
    if held is None:
        check_key_now(opened, now, directory)
    return opened, held


def keep(tx: Transaction, opened: Opened, reply: bytes) -> None:
    """Keep a handled message with its reply, in the transaction that handled it."""
    envelope = opened.envelope
    tx.keep_received(
        Received(
            message_id=_name(envelope),
            sender=envelope.sender,
            counter=envelope.counter,
            digest=opened.digest,
            expires=envelope.expires,
            reply=reply,
        )
    )
