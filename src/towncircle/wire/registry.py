"""The register of message types.

Here: number, name, version and direction of every body. Not here: the bodies (`wire.bodies`).
Kept: a number is given once and never again; a body of another shape is another major version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from towncircle.kernel.errors import Refused
from towncircle.wire.shape import Body

B = TypeVar("B", bound=type[Body])


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageType:
    """Describe one message type."""

    number: int
    name: str
    version: int
    direction: str
    body: type[Body]


_BY_NUMBER: dict[int, MessageType] = {}
_BY_BODY: dict[type[Body], MessageType] = {}


def message(number: int, direction: str, *, version: int = 1) -> Callable[[B], B]:
    """Register a body under its number."""

    def register(body: B) -> B:
        kind = MessageType(number=number, name=body.__name__, version=version, direction=direction, body=body)
        assert number not in _BY_NUMBER, f"two message types have the number {number}"
        _BY_NUMBER[number] = kind
        _BY_BODY[body] = kind
        return body

    return register


def type_of(body: Body) -> MessageType:
    """Give the message type of a body."""
    return _BY_BODY[type(body)]


def find_type(number: int, version: int) -> MessageType:
    """Look up a message type. Raises `Refused` (wire.unknown-type, wire.unknown-version)."""
    kind = _BY_NUMBER.get(number)
    if kind is None:
        raise Refused("wire.unknown-type", number=number)
    if kind.version != version:
        raise Refused("wire.unknown-version", name=kind.name, version=version, known=kind.version)
    return kind


def all_types() -> tuple[MessageType, ...]:
    """Give every registered message type, by number."""
    return tuple(_BY_NUMBER[number] for number in sorted(_BY_NUMBER))
