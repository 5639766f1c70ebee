"""The envelope, `seal` and `unseal`.

Here: what every message says about itself, how it is signed, and the ordered checks of one that came in.
Not here: retries and replays (`wire.inbox`), whose keys are known (`wire.directory`), handlers.
Kept: an unknown type, version or key is refused; nothing of a message is acted on before its signature was checked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Protocol

import towncircle.wire.bodies  # noqa: F401 - registers every body
from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.pki.keys import Signer
from towncircle.pki.verifying import PublicKey
from towncircle.wire import cbor, cose
from towncircle.wire.registry import find_type, type_of
from towncircle.wire.shape import Body, Limit

DEFAULT_LIMIT = 262_144
MESSAGE_LIFE_HOURS = 24  # house: of what one party seals for another
_BODY_KEY = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope(Body):
    """Hold what a message says about itself: type, version, sender, audience, id, what it answers, times, counter."""

    type: Annotated[int, 1]
    version: Annotated[int, 2]
    sender: Annotated[str, 3, Limit(64)]
    audience: Annotated[str, 4, Limit(64)]
    id: Annotated[str, 5, Limit(64)]
    in_reply_to: Annotated[str, 6, Limit(64)]
    issued: Annotated[Instant, 7]
    expires: Annotated[Instant, 8]
    counter: Annotated[int, 9]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Hold a message whose signature was checked: envelope, body, key id, its bytes and their SHA-256."""

    envelope: Envelope
    body: Body
    key_id: bytes
    digest: bytes
    raw: bytes = field(repr=False)


class KeyDirectory(Protocol):
    """Know whose key was good when."""

    def find(self, sender: str, key_id: bytes, at: Instant) -> PublicKey:
        """Give a sender's key. Raises `Refused` (wire.unknown-sender, wire.unknown-key)."""
        ...


def seal(  # noqa: PLR0913 - the envelope's fields, each by name
    *,
    sender: str,
    audience: str,
    id: str,  # noqa: A002 - the envelope's word
    issued: Instant,
    expires: Instant,
    counter: int,
    body: Body,
    signer: Signer,
    in_reply_to: str = "",
) -> bytes:
    """Sign a message. Raises `BadInput` (wire.bad-field, wire.wrong-scheme)."""
    kind = type_of(body)
    envelope = Envelope(
        type=kind.number,
        version=kind.version,
        sender=sender,
        audience=audience,
        id=id,
        in_reply_to=in_reply_to,
        issued=issued,
        expires=expires,
        counter=counter,
    )
    return cose.sign1(cbor.encode({**envelope.to_map(), _BODY_KEY: body.to_map()}), signer)


def unseal(raw: bytes, *, audience: str, now: Instant, directory: KeyDirectory, limit: int = DEFAULT_LIMIT) -> Opened:
    """Open a message for an audience.

    1. size: wire.too-large; 2. form: wire.malformed, wire.unsigned; 3. sender and key, as known when it was issued:
    wire.unknown-sender, wire.unknown-key; 4. signature: wire.bad-signature; 5. audience: wire.wrong-audience;
    6. type and version: wire.unknown-type, wire.unknown-version; 7. body: wire.malformed;
    8. time: wire.not-yet-valid before `issued`, wire.expired after `expires`; 9. the key is still good now:
    wire.unknown-key.
    """
    opened = open_untimed(raw, audience=audience, directory=directory, limit=limit)
    check_times(opened.envelope, now)  # 8
    check_key_now(opened, now, directory)  # 9
    return opened


def open_untimed(raw: bytes, *, audience: str, directory: KeyDirectory, limit: int = DEFAULT_LIMIT) -> Opened:
    """Do the checks 1 to 7 of `unseal`: for `wire.inbox`, and for reading stored messages long after their time."""
    frame = cose.read_sign1(raw, limit=limit)  # 1, 2
    envelope, body = _content(frame, limit)
    frame.check(directory.find(envelope.sender, frame.key_id, envelope.issued))  # 3, 4
    return _accepted(raw, frame, envelope, _typed(envelope, body, audience))  # 5, 6, 7


def open_certified(
    raw: bytes, *, audience: str, key_of: Callable[[Envelope, Body], PublicKey], limit: int = DEFAULT_LIMIT
) -> Opened:
    """Open a message that carries its signer's certificates in its body, without its times.

    `key_of` must check those certificates up to a pinned root and give the signer's key; the signature is checked
    by that key. Raises what `unseal` and `key_of` raise.
    """
    frame = cose.read_sign1(raw, limit=limit)
    envelope, content = _content(frame, limit)
    body = _typed(envelope, content, audience)
    key = key_of(envelope, body)
    if key.key_id != frame.key_id:
        raise Refused("wire.unknown-key", sender=envelope.sender, key_id=frame.key_id.hex())
    frame.check(key)
    return _accepted(raw, frame, envelope, body)


def _content(frame: cose.Sign1, limit: int) -> tuple[Envelope, object]:
    content = cbor.decode(frame.payload, limit=limit, items=limit // cose.BYTES_AN_ITEM)
    if not isinstance(content, dict) or _BODY_KEY not in content:
        raise cbor.malformed("a message without a body")
    body = content.pop(_BODY_KEY)
    return Envelope.from_map(content), body


def _typed(envelope: Envelope, body: object, audience: str) -> Body:
    if envelope.audience != audience:
        raise Refused("wire.wrong-audience", audience=envelope.audience, reader=audience)
    return find_type(envelope.type, envelope.version).body.from_map(body)


def _accepted(raw: bytes, frame: cose.Sign1, envelope: Envelope, body: Body) -> Opened:
    digest = hashlib.sha256(raw).digest()
    return Opened(envelope=envelope, body=body, key_id=frame.key_id, digest=digest, raw=raw)


def check_times(envelope: Envelope, now: Instant, *, apart_us: int = 0) -> None:
    """Check the times of a message. Raises `Refused` (wire.not-yet-valid, wire.expired).

    `apart_us`: by how many microseconds the sender's clock may be ahead of this one.
    """
    if now.plus(microseconds=apart_us) < envelope.issued:
        raise Refused("wire.not-yet-valid", id=envelope.id, issued=envelope.issued)
    if now > envelope.expires:
        raise Refused("wire.expired", id=envelope.id, expires=envelope.expires)


def check_key_now(opened: Opened, now: Instant, directory: KeyDirectory) -> None:
    """Check that the key of a message is still good: the thief of a withdrawn key writes any `issued` date.

    Raises `Refused` (wire.unknown-sender, wire.unknown-key). Not for retries and stored messages: what was taken in
    while the key was good stays so.
    """
    directory.find(opened.envelope.sender, opened.key_id, now)


def body_of(raw: bytes, *, limit: int = DEFAULT_LIMIT) -> Body:
    """Read the body without checking who signed it: of a message that somebody else has checked, to show it.

    Raises what reading raises (wire.too-large, wire.malformed, wire.unsigned, wire.unknown-type).
    """
    envelope, content = _content(cose.read_sign1(raw, limit=limit), limit)
    return _typed(envelope, content, envelope.audience)


def peek(raw: bytes, *, limit: int = DEFAULT_LIMIT) -> Envelope:
    """Read the envelope without checking anything: for routing and logs only, never for a decision.

    Raises `Refused` (wire.too-large, wire.malformed, wire.unsigned).
    """
    return _content(cose.read_sign1(raw, limit=limit), limit)[0]
