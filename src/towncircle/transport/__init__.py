"""How bytes get from one to another: in one process, over a pipe to a device, over HTTP between parties.

Here: bytes in, bytes out, and what goes wrong on the way. Not here: what the bytes mean; no transport trusts or
judges them (messages are signed, transport identity is not relied on).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from towncircle.kernel.errors import Refused

MAX_MESSAGE = 256 * 1024  # what `wire.message.DEFAULT_LIMIT` opens; nothing that parties say is near it


class Transport(Protocol):
    """Carry a sealed message to a party and bring its sealed reply."""

    def send(self, audience: str, raw: bytes) -> bytes:
        """Deliver `raw` and give the reply. Raises `Refused` (transport.unreachable) when nobody answers."""
        ...


class Direct:
    """Carry messages inside one process."""

    def __init__(self, receivers: Mapping[str, Callable[[bytes], bytes]]) -> None:
        self.receivers = receivers

    def send(self, audience: str, raw: bytes) -> bytes:
        """Hand the message to the receiver's door."""
        receive = self.receivers.get(audience)
        if receive is None:
            raise Refused("transport.unreachable", audience=audience, what="no such party in this world")
        return receive(raw)
