"""The line between the parties of the simulated year, which goes dead when a scene says so.

Here: losing one reply. Not here: what the parties do about it.
"""

from __future__ import annotations

from towncircle.kernel.errors import Refused
from towncircle.transport import Transport


class Line:
    """Carry messages, and lose a reply that was asked to be lost: the receiver has done what it was asked."""

    def __init__(self) -> None:
        self._inner: Transport | None = None
        self._to, self._left = "", 0

    def over(self, inner: Transport) -> Transport:
        """Lead over another way."""
        self._inner = inner
        return self

    def lose(self, audience: str, *, reply: int) -> None:
        """Lose a reply of a party: the next one (1) or a later one."""
        self._to, self._left = audience, reply

    def send(self, audience: str, raw: bytes) -> bytes:
        """Deliver and give the reply. Raises `Refused` (transport.unreachable) where it is lost."""
        assert self._inner is not None
        reply = self._inner.send(audience, raw)
        if audience == self._to:
            self._left -= 1
            if not self._left:
                self._to = ""
                raise Refused("transport.unreachable", audience=audience, what="the line went dead")
        return reply
