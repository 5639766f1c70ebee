"""The operator's secret from a passphrase, by Argon2id (RFC 9106).

Here: making the stored parameters, and a secret provider over them. Not here: who types the passphrase (a callback).
Kept: what is stored is salt and costs, never the passphrase nor anything it could be checked against: a wrong one is
found when a key does not open (pki.key-file-locked). The costs are stored with each salt, so that raising the house
figures later leaves older stores readable. Form: JSON on one line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from towncircle.kernel.errors import BadInput
from towncircle.kernel.randomness import Randomness
from towncircle.pki.durable import keep
from towncircle.pki.keyfile import SecretProvider

# House: the second recommended option of RFC 9106 section 4 (64 MiB, 3 passes, 4 lanes).
ITERATIONS, LANES, MEMORY_KIB = 3, 4, 64 * 1024
_MOST_KIB, _MOST_ITERATIONS, _MOST_LANES = 1024 * 1024, 64, 64  # a forged file must not stop the machine
SHORTEST = 12  # characters; house


def store_parameters(
    place: Path, randomness: Randomness, *, iterations: int = ITERATIONS, memory_kib: int = MEMORY_KIB
) -> None:
    """Write new parameters with a fresh salt, durably."""
    fields = {
        "kdf": "argon2id",
        "salt": randomness.take(16).hex(),
        "iterations": iterations,
        "lanes": LANES,
        "memory_kib": memory_kib,
    }
    keep(place, (json.dumps(fields) + "\n").encode("ascii"))


def secret_from(place: Path, ask: Callable[[], str]) -> SecretProvider:
    """Give a provider that asks for the passphrase once and derives 32 bytes from it.

    Raises `BadInput` (pki.bad-passphrase-file, pki.passphrase-short) when the secret is first needed.
    """
    held: list[bytes] = []

    def provide() -> bytes:
        if not held:
            held.append(_derive(_parameters(place), ask()))
        return held[0]

    return provide


def _derive(parameters: dict[str, int | str], passphrase: str) -> bytes:
    return stretched(long_enough(passphrase), parameters)


def long_enough(passphrase: str) -> str:
    """Give a passphrase that is one. Raises `BadInput` (pki.passphrase-short)."""
    if len(passphrase) < SHORTEST:
        raise BadInput("pki.passphrase-short", shortest=SHORTEST)
    return passphrase


def stretched(typed: str, parameters: Mapping[str, int | str]) -> bytes:
    """Derive 32 bytes from what a person typed, by Argon2id with a stored salt (hex) and stored costs."""
    kdf = Argon2id(
        salt=bytes.fromhex(str(parameters["salt"])),
        length=32,
        iterations=int(parameters["iterations"]),
        lanes=int(parameters["lanes"]),
        memory_cost=int(parameters["memory_kib"]),
    )
    return kdf.derive(typed.encode())


def _parameters(place: Path) -> dict[str, int | str]:
    try:
        found = json.loads(place.read_text(encoding="ascii"))
        salt, costs = found["salt"], (found["iterations"], found["lanes"], found["memory_kib"])
        known = found["kdf"] == "argon2id" and len(bytes.fromhex(salt)) == 16
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput("pki.bad-passphrase-file", path=place) from error
    limits = zip(costs, (_MOST_ITERATIONS, _MOST_LANES, _MOST_KIB), strict=True)
    if not known or not all(type(cost) is int and 1 <= cost <= most for cost, most in limits):
        raise BadInput("pki.bad-passphrase-file", path=place)
    return {"salt": salt, "iterations": costs[0], "lanes": costs[1], "memory_kib": costs[2]}
