"""What is kept of a command beside the state, and what a repeated command is answered from.

Here: the records of an outcome, the digest of what a reset says, the keys that a change ends, the bytes of a reprint.
Not here: when they are kept (`device`), and where (`memory`).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from towncircle.kernel.errors import BadInput
from towncircle.psd import commands, states
from towncircle.psd.memory import Record
from towncircle.psd.outcome import Outcome
from towncircle.psd.state import DeviceState, SealedKey
from towncircle.wire import bodies
from towncircle.wire.message import Opened

RECEIVED, COUNTED = "received", "counted"


def ended_by(before: DeviceState, after: DeviceState) -> list[SealedKey]:
    """Name the keys that a change has put out of use."""
    old = (before.indicia_key, before.message_key, before.next_key)
    new = (after.indicia_key, after.message_key, after.next_key)
    return [] if old == new else [key for key in old if key is not None and key not in new]


def released(state: DeviceState, command: commands.Command) -> bool:
    """Tell whether a device still releases what it signed before; of one whose keys are gone, the last word alone.

    Whoever lost the answer to `withdraw` would wait for its balance for ever: nobody can sign it again.
    """
    if state.state == states.ZEROISED:
        return isinstance(command, commands.Withdraw)
    return state.state != states.FAULTED


def records_of(outcome: Outcome, digest: bytes, response: bytes, opened: Opened | None) -> tuple[Record, ...]:
    """Give the records of an outcome: its own, and those of the order that it answers."""
    rows = []
    if outcome.record is not None:
        kind, request_id = outcome.record
        if opened is not None and isinstance(opened.body, bodies.ResetAuthorisation):
            digest = facts_digest(opened.body)
        rows.append(
            Record(
                kind=kind,
                request_id=request_id,
                command_digest=digest,
                response=response,
                first_piece=outcome.first_piece,
                count=outcome.count,
            )
        )
    if opened is not None:
        named = ((RECEIVED, opened.envelope.id, response), (COUNTED, str(opened.envelope.counter), b""))
        rows += [Record(kind=k, request_id=n, command_digest=opened.digest, response=kept) for k, n, kept in named]
    return tuple(rows)


def facts_digest(body: bodies.ResetAuthorisation) -> bytes:
    """Digest what a reset authorisation says, not the envelope it came in: the Provider may send it anew."""
    return hashlib.sha256(
        f"{body.request_id} {body.device} {int(body.amount)} {body.request_counter}".encode()
    ).digest()


def reprinted(command: commands.Command, answer: object, held: Record) -> commands.Reprinted:
    """Give the answer of a reprint out of the kept one. Raises `BadInput` (psd.no-such-piece)."""
    first = commands.decode_answer(held.response)
    assert isinstance(command, commands.Reprint)
    assert isinstance(answer, commands.Reprinted)
    assert isinstance(first, commands.Evidenced)
    if not all(0 <= offset < first.count for offset in command.offsets):
        raise BadInput("psd.no-such-piece", request=command.request_id, count=first.count)
    indicia = first.indicia()
    return replace(answer, indicia=tuple(indicia[offset] for offset in command.offsets))
