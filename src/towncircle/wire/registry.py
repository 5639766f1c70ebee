"""The register of message types.

Here: number, name, version and direction of every body. Not here: the bodies (`wire.bodies`).
Kept: a number is given once and never again; a body of another shape is another major version, and the
earlier ones are still read: an outbox, an export or a slow Provider may hold them.
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


_BY_NUMBER: dict[int, dict[int, MessageType]] = {}
_BY_BODY: dict[type[Body], MessageType] = {}


def message(number: int, direction: str, *, version: int = 1, name: str = "") -> Callable[[B], B]:
    """Register a body under its number and version; `name` where an earlier version's body is called otherwise."""

    def register(body: B) -> B:
        kind = MessageType(number=number, name=name or body.__name__, version=version, direction=direction, body=body)
        versions = _BY_NUMBER.setdefault(number, {})
        assert version == len(versions) + 1, f"two message types have the number {number}, or a version is left out"
        assert all(held.name == kind.name for held in versions.values()), f"the number {number} has two names"
        versions[version] = kind
        _BY_BODY[body] = kind
        return body

    return register


def type_of(body: Body) -> MessageType:
    """Give the message type of a body."""
    return _BY_BODY[type(body)]


def find_type(number: int, version: int) -> MessageType:
    """Look up a message type. Raises `Refused` (wire.unknown-type, wire.unknown-version)."""
    versions = _BY_NUMBER.get(number)
    if versions is None:
        raise Refused("wire.unknown-type", number=number)
    kind = versions.get(version)
    if kind is None:
        raise Refused("wire.unknown-version", name=versions[1].name, version=version, known=max(versions))
    return kind


def all_types() -> tuple[MessageType, ...]:
    """Give every registered message type, by number and version."""
    return tuple(_BY_NUMBER[number][version] for number in sorted(_BY_NUMBER) for version in sorted(_BY_NUMBER[number]))
