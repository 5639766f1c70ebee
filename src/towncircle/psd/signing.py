"""What a device asks to be signed, and how its work goes on then.

Here: `Signing`, and `finish`. Not here: what is signed (`automaton` decides), the work itself (`device.Device.steps`).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple

from towncircle.kernel.errors import TowncircleError
from towncircle.pki.keys import Signer
from towncircle.psd.keys import ManySigner


class Signing(NamedTuple):
    """Ask for the signatures of contents under one key."""

    signer: Signer
    parts: list[bytes]

    def done(self) -> bytes | TowncircleError:
        """Sign, and give the signatures joined, or the error that kept them from being made."""
        signer, parts = self
        try:
            if len(parts) > 1 and isinstance(signer, ManySigner):
                return b"".join(signer.sign_all(parts))
            sign = signer.sign
            return b"".join([sign(part) for part in parts])
        except TowncircleError as error:
            return error


Work = Generator[Signing, bytes, bytes]


def run(work: Work) -> bytes:
    """Run a device's work from its beginning to its answer."""
    try:
        asked = next(work)
    except StopIteration as end:
        answer: bytes = end.value
        return answer
    return finish(work, asked.done())


def finish(work: Work, made: bytes | TowncircleError) -> bytes:
    """Go on with a device's work after it was signed for, and give its answer."""
    try:
        while True:
            asked = work.throw(made) if isinstance(made, TowncircleError) else work.send(made)
            made = asked.done()
    except StopIteration as end:
        answer: bytes = end.value
        return answer
