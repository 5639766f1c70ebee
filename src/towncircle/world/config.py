"""The world file: what a world is made of.

Here: `world.toml`, read and written. Not here: stores, keys.
Kept: it has a format version; a world of a newer program is refused, not guessed at.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import PartyId
from towncircle.rules import ruleset
from towncircle.rules.rulesets import REGISTRY

FILE = "world.toml"
FORMAT = 1
_NAMED = 6
POSTAL, BANK = PartyId("postal.usps"), PartyId("bank.lockbox")
STARTS = {name: about.start for name, about in REGISTRY.items() if about.start}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldConfig:
    """Hold what a world is made of. `seed` is None in a world whose randomness is the machine's."""

    id: str
    regime: str
    seed: int | None
    root: str
    providers: tuple[PartyId, ...]
    licensees: tuple[PartyId, ...]

    @property
    def parties(self) -> tuple[PartyId, ...]:
        """Name all parties."""
        return (POSTAL, BANK, *self.providers, *self.licensees)

    def write(self, folder: Path) -> None:
        """Write the world file into a folder."""

        def quoted(items: tuple[str, ...]) -> str:
            return "[" + ", ".join(json.dumps(str(item)) for item in items) + "]"

        seed = "" if self.seed is None else f"seed = {self.seed}\n"
        draft = folder / f"{FILE}.new"
        draft.write_text(
            "# A world of towncircle. Everything in this folder belongs together: copy it whole.\n"
            f"format = {FORMAT}\n"
            f"id = {json.dumps(self.id)}\n"
            f"regime = {json.dumps(self.regime)}\n"
            f"{seed}"
            f"root = {json.dumps(self.root)}  # SHA-256 of the test root certificate\n"
            f"providers = {quoted(self.providers)}\n"
            f"licensees = {quoted(self.licensees)}\n"
        )
        draft.replace(folder / FILE)

    @classmethod
    def read(cls, folder: Path) -> WorldConfig:
        """Read the world file of a folder. Raises `BadInput` (world.missing), `Refused` (world.damaged, too-new)."""
        path = folder / FILE
        if not path.is_file():
            raise BadInput("world.missing", path=folder)
        try:
            held = tomllib.loads(path.read_text())
            version = _number(held["format"])
            if version > FORMAT:
                raise Refused("world.too-new", path=folder, found=version, known=FORMAT)
            return cls(
                id=str(held["id"]),
                regime=ruleset(str(held["regime"])).name,
                seed=_number(held["seed"]) if "seed" in held else None,
                root=_fingerprint(held["root"]),
                providers=tuple(PartyId.parse(name) for name in held["providers"]),
                licensees=tuple(PartyId.parse(name) for name in held["licensees"]),
            )
        except (OSError, ValueError, KeyError, TypeError, BadInput) as error:
            what = f"it lacks {error}" if isinstance(error, KeyError) else error
            raise Refused("world.damaged", path=path, what=what) from error


def some(names: tuple[PartyId, ...]) -> str:
    """Name some parties in a sentence: all of a few, the first ones of many."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _number(value: object) -> int:
    if type(value) is not int:
        raise ValueError(f"{value!r} is not a whole number")
    return value


def _fingerprint(value: object) -> str:
    if not isinstance(value, str) or len(bytes.fromhex(value)) != sha256().digest_size:
        raise ValueError("its root is no SHA-256")
    return value
