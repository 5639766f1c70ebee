"""Where a device's keys lie, as its process was told: a secret file, a passphrase, or a token.

Here: the choice and its arguments. Not here: the slots themselves (`keys`, `pkcs11`) and the store (`process`).
Kept: a passphrase or a PIN is read from a file the operator names (a pipe or a credential of the service manager will
do), never from an argument, which every user of the machine could read.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from towncircle.kernel.errors import Refused
from towncircle.kernel.randomness import Randomness
from towncircle.pki.passphrase import secret_from
from towncircle.pki.randomness import SystemRandomness
from towncircle.psd.keys import KeySlots, SoftwareSlots

SECRET, PASSPHRASE = "operator.secret", "operator.argon2id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Say where the keys lie; without anything they are sealed under `operator.secret` beside the store.

    `passphrase` and `pin` name files whose first line is read; `token` is the path of a PKCS#11 library and `label` the
    token in it.
    """

    secret: Path | None = None
    passphrase: Path | None = None
    token: Path | None = None
    label: str = ""
    pin: Path | None = None

    def slots(self, directory: Path, randomness: Randomness) -> KeySlots:
        """Give the key slots of the device in a store directory.

        Names in a token come from the operating system even in a seeded rehearsal: a seed starts over with the process,
        and a name that comes twice would take the place of a key in use.
        """
        if self.token is not None:
            from towncircle.psd.pkcs11 import TokenLibrary, TokenSlots

            pin = self.pin or directory / "operator.pin"
            names = SystemRandomness()
            return TokenSlots(TokenLibrary(self.token), token=self.label, pin=lambda: _line(pin), randomness=names)
        if self.passphrase is not None:
            typed = self.passphrase
            return SoftwareSlots(secret_from(directory / PASSPHRASE, lambda: _line(typed)), randomness)
        return SoftwareSlots(_bytes_of(self.secret or directory / SECRET), randomness)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say where the keys lie."""
    parser.add_argument("--secret", type=Path, metavar="FILE", help="the operator's 32-byte secret")
    parser.add_argument(
        "--passphrase-from", type=Path, metavar="FILE", help=f"the passphrase; its parameters are in {PASSPHRASE}"
    )
    parser.add_argument("--token", type=Path, metavar="LIBRARY", help="a PKCS#11 library that holds the keys")
    parser.add_argument("--token-label", default="", metavar="LABEL", help="the token in that library")
    parser.add_argument("--pin-from", type=Path, metavar="FILE", help="the PIN of that token")


def keys_of(args: argparse.Namespace) -> Keys:
    """Read the arguments."""
    return Keys(
        secret=args.secret, passphrase=args.passphrase_from, token=args.token, label=args.token_label, pin=args.pin_from
    )


def _bytes_of(place: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            return place.read_bytes()
        except OSError as error:
            raise Refused("psd.no-secret", path=place) from error

    return read


def _line(place: Path) -> str:
    try:
        return place.read_text(encoding="utf-8").partition("\n")[0]
    except OSError as error:
        raise Refused("psd.no-secret", path=place) from error
