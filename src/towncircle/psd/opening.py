"""Where a device's keys lie, as its process was told: a secret file, a passphrase, or a token.

Here: the choice and its arguments. Not here: the slots themselves (`keys`, `pkcs11`) and the store (`process`).
Kept: a passphrase or a PIN is read from a file the operator names (a pipe or a credential of the service manager will
do), or from a variable of the environment (`env:NAME`), never from an argument, which every user of the machine could
read. A store says itself where its keys lie, in `keys.json`, which names places only, so nobody needs to be told.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.randomness import Randomness
from towncircle.pki import durable
from towncircle.pki.passphrase import secret_from
from towncircle.pki.randomness import SystemRandomness
from towncircle.psd.key_arguments import PASSPHRASE, add_arguments
from towncircle.psd.keys import SoftwareSlots

if TYPE_CHECKING:
    from towncircle.psd.pkcs11 import TokenSlots


__all__ = ["CHOICE", "PASSPHRASE", "SECRET", "Keys", "add_arguments", "chosen", "kept", "keys_of", "line_of"]
__all__ += ["token_words"]
SECRET, CHOICE = "operator.secret", "keys.json"
_ENVIRONMENT = "env:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Say where the keys lie; without anything they are sealed under `operator.secret` beside the store.

    `beside` and `parameters` are the names of the files in the store's folder: of a secret that lies there, and of the
    salt and costs of a passphrase. `passphrase` and `pin` name files whose first line is read; `token` is the path of a
    PKCS#11 library and `label` the token in it.
    """

    secret: Path | None = None
    passphrase: Path | None = None
    token: Path | None = None
    label: str = ""
    pin: Path | None = None
    beside: str = SECRET
    parameters: str = PASSPHRASE

    def slots(
        self,
        directory: Path,
        randomness: Randomness,
        *,
        last: Callable[[], None] = lambda: None,
        counter: Callable[[], int] = lambda: 0,
    ) -> SoftwareSlots | TokenSlots:
        """Give the key slots of the device in a store directory; `last` is theirs, of software.

        `counter` tells how far the store is, for the names of keys in a token.

        Names in a token come from the operating system even in a seeded rehearsal: a seed starts over with the process,
        and a name that comes twice would take the place of a key in use.
        """
        if self.token is not None:
            from towncircle.psd.pkcs11 import TokenSlots, library_at
            from towncircle.psd.token_names import TokenNames

            pin = self.pin or directory / "operator.pin"
            names = SystemRandomness()
            library, kept_names = library_at(self.token), TokenNames(directory, counter)
            return TokenSlots(library, token=self.label, pin=lambda: line_of(pin), randomness=names, names=kept_names)
        if self.passphrase is not None:
            typed = self.passphrase
            secret = secret_from(directory / self.parameters, lambda: line_of(typed))
            return SoftwareSlots(secret, randomness, last=last, derived=True)
        return SoftwareSlots(bytes_of(self.secret or directory / self.beside), randomness, last=last)

    def keep(self, directory: Path, *, name: str = CHOICE) -> None:
        """Have a folder say where keys lie, durably: the store of a device, or a world for its new devices."""
        places = (self.secret, self.passphrase, self.token, self.pin)
        named = dict(zip(("secret", "passphrase", "token", "pin"), map(_absolute, places), strict=True))
        files = {"beside": self.beside, "parameters": self.parameters}
        told = json.dumps({**named, "label": self.label, **files}) + "\n"
        durable.keep(directory / name, told.encode())


def kept(directory: Path, *, name: str = CHOICE) -> Keys:
    """Give where the keys of a store lie, as it says itself; without a word they lie beside it.

    Raises `Refused` (psd.keys-unclear).
    """
    place = directory / name
    try:
        told = json.loads(place.read_text(encoding="utf-8"))
        names = {kind: Path(told[kind]) for kind in ("secret", "passphrase", "token", "pin") if told[kind] is not None}
        files = {kind: str(told[kind]) for kind in ("beside", "parameters") if kind in told}
        return Keys(**names, label=str(told["label"]), **files)  # type: ignore[arg-type]  # paths and names by kind
    except FileNotFoundError:
        return Keys()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused("psd.keys-unclear", path=place) from error


def chosen(kind: str, keys: Keys | None) -> Keys | None:
    """Check that what was told of the keys is of the kind that was asked for. Raises `BadInput` (psd.keys-kind)."""
    found = "file"
    if keys is not None:
        found = "pkcs11" if keys.token is not None else "passphrase" if keys.passphrase is not None else "file"
    if found != kind or (keys is not None and keys.token is not None and not (keys.label and keys.pin)):
        raise BadInput("psd.keys-kind", kind=kind[:40])
    return keys


def _absolute(place: Path | None) -> str | None:
    if place is None or str(place).startswith(_ENVIRONMENT):
        return None if place is None else str(place)
    return str(place.absolute())


def keys_of(args: argparse.Namespace) -> Keys | None:
    """Read the arguments; none of them: None."""
    if not any((args.secret, args.passphrase_from, args.token)):
        return None
    return Keys(
        secret=args.secret, passphrase=args.passphrase_from, token=args.token, label=args.token_label, pin=args.pin_from
    )


def token_words(args: argparse.Namespace) -> tuple[Path, str, str] | None:
    """Read the library, label and PIN of a host's token; without a token: None. The PIN leaves the environment.

    Raises `BadInput` (psd.keys-kind), `Refused` (psd.no-secret).
    """
    if not any((args.token, args.token_label, args.pin_from)):
        return None
    if not (args.token and args.token_label and args.pin_from):
        raise BadInput("psd.keys-kind", kind="pkcs11")
    pin = line_of(args.pin_from)
    if str(args.pin_from).startswith(_ENVIRONMENT):
        del os.environ[str(args.pin_from).removeprefix(_ENVIRONMENT)]  # the workers are not to inherit it
    return args.token, args.token_label, pin


def bytes_of(place: Path) -> Callable[[], bytes]:
    """Give a provider that reads a secret from a file. It raises `Refused` (psd.no-secret)."""

    def read() -> bytes:
        try:
            return place.read_bytes()
        except OSError as error:
            raise Refused("psd.no-secret", path=place) from error

    return read


def line_of(place: Path) -> str:
    """Give the first line of a file, or a variable of the environment. Raises `Refused` (psd.no-secret)."""
    if str(place).startswith(_ENVIRONMENT):
        told = os.environ.get(str(place).removeprefix(_ENVIRONMENT))
        if told is None:
            raise Refused("psd.no-secret", path=place)
        return told
    try:
        return place.read_text(encoding="utf-8").partition("\n")[0]
    except OSError as error:
        raise Refused("psd.no-secret", path=place) from error
