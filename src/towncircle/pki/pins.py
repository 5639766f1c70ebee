"""A person's PIN as it is kept: stretched by Argon2id (RFC 9106), with a salt of its own.

Here: making what is kept of a PIN, and the check of a typed one. Not here: who has a PIN and how often it may be tried
(`licensee.pins`).
Kept: nothing that is kept or compared shows the PIN; the comparison takes the same time wherever they differ.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from towncircle.kernel.errors import BadInput
from towncircle.kernel.randomness import Randomness
from towncircle.pki.passphrase import ITERATIONS, LANES, MEMORY_KIB, stretched

SHORTEST, LONGEST = 4, 12  # digits; house


def protected(pin: str, randomness: Randomness) -> dict[str, int | str]:
    """Give what is kept of a PIN. Raises `BadInput` (pin.unfit)."""
    check_fit(pin)
    costs = {"iterations": ITERATIONS, "lanes": LANES, "memory_kib": MEMORY_KIB}
    kept: dict[str, int | str] = {"salt": randomness.take(16).hex(), **costs}
    return {**kept, "stretched": stretched(pin, kept).hex()}


def check_fit(pin: str) -> None:
    """Check that a PIN can be one. Raises `BadInput` (pin.unfit)."""
    if not (pin.isascii() and pin.isdigit() and SHORTEST <= len(pin) <= LONGEST) or len(set(pin)) == 1:
        raise BadInput("pin.unfit", shortest=SHORTEST, longest=LONGEST)


def matches(pin: str, kept: Mapping[str, int | str]) -> bool:
    """Tell whether a typed PIN is the one that is kept."""
    return hmac.compare_digest(stretched(pin, kept), bytes.fromhex(str(kept["stretched"])))
