"""The one token of a fleet: bound by a mark in it, asked in bounded time, and never locked by a PIN that is wrong.

Here: what a host names, and the slots that ask it. Not here: which keys are made and destroyed there (`tokens`), the
library (`psd.pkcs11`).
Kept: a label says nothing of what a token holds, so the first host that makes a key puts a data object of a random name
into the token, and the folder that all hosts share keeps that name. A token without it is another one: it makes, signs
and destroys nothing, and that a key is not in it says nothing. A token that was never seen is not bound. A PIN that the
token refused is marked in the folder, and no worker of any host tries it again; only one worker at a time opens the
token, so that the others have heard of it.
"""

from __future__ import annotations

import fcntl
import hmac
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from towncircle.kernel.errors import Refused
from towncircle.kernel.randomness import Randomness
from towncircle.pki import durable
from towncircle.pki.keyfile import SecretProvider
from towncircle.psd.hosted.wrapping import WrappingKeys
from towncircle.psd.pkcs11 import WRONG_PIN, TokenLibrary, TokenSlots
from towncircle.psd.pkcs11_worker import OTHER

ANSWER_S = 4  # house: of both tries of a request; a group holds other devices too
REST_S = 30  # house: a library that failed is not asked for so long
_AT_ONCE = 100  # signatures in one walk: a token that makes 50 in a second stays within its deadline
_WAIT_S = 5  # house: for another worker that opens the token
_LOOK_S = 1 / 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Name the token that a host makes its devices' keys in."""

    library: TokenLibrary
    label: str
    pin: Callable[[], str] = field(repr=False)

    @classmethod
    def at(cls, path: Path, *, label: str, pin: str) -> Token:
        """Give a token for the worker of a host, with a host's deadline."""
        library = TokenLibrary(path, answer_s=ANSWER_S, rest_s=REST_S)
        return cls(library=library, label=label, pin=lambda: pin)


class OneToken(TokenSlots):
    """Keep keys in the one token of a fleet.

    Raises `Refused` (psd.token-other) where the fleet's keys are in another token.
    """

    def __init__(self, token: Token, wrapping: WrappingKeys, secret: SecretProvider, randomness: Randomness) -> None:
        super().__init__(token.library, token=token.label, pin=token.pin, randomness=randomness, at_once=_AT_ONCE)
        self._wrapping, self._secret, self._own = wrapping, secret, token
        self._mark, self._time = b"", _Time()
        label, self._mark = wrapping.token()
        if label not in ("", token.label):
            raise self._other(label)

    def within(self, seconds: float) -> None:
        """Have this thread ask no more of the token after so many seconds from now."""
        self._time.until = time.monotonic() + seconds

    @property
    def late(self) -> bool:
        """Tell whether this thread has had its time."""
        return time.monotonic() >= self._time.until

    def bind(self) -> None:
        """Put a mark into the token, unless the fleet has one. Raises `Refused` (psd.token-...)."""
        if self._bound():
            return
        mark = kept = self._randomness.take(16)
        self._ask("mark", mark, {})
        try:
            kept = b""
            kept = self._mark = self._wrapping.bind_token(self._own.label, mark)
        finally:
            if kept != mark:  # another host was first
                self._ask("unmark", mark, {8: b""})

    def _bound(self) -> bytes:
        if not self._mark:
            label, self._mark = self._wrapping.token()  # another host may have bound it since
            if label not in ("", self._own.label):
                raise self._other(label)
        return self._mark

    def _ask(self, verb: str, name: bytes, more: dict[int, Any]) -> dict[int, Any]:
        if self.late:
            raise self._busy("the group has had its time")
        mark = self._bound()
        if verb == "destroy" and not mark:  # a folder of before the marks: nobody knows whether this is its token
            raise self._other(self._own.label)
        with self._pin_is_tried_once():
            try:
                return super()._ask(verb, name, {8: mark, **more})
            except Refused as error:
                if error.params.get("what") == OTHER:
                    raise self._other(self._own.label) from error
                if error.params.get("what") in WRONG_PIN:
                    with suppress(OSError):  # then this process alone remembers it
                        durable.keep(self._refused(), b"")
                raise

    @contextmanager
    def _pin_is_tried_once(self) -> Iterator[None]:
        """Let one worker at a time log in, and none with a PIN that was refused."""
        self._check_pin()
        if self._library.opened or self._library.resting:
            yield
            return
        try:
            file = os.open(self._wrapping.folder / "token.pin", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:  # a PIN whose refusal could not be marked is not tried
            raise self._failed(error) from error
        try:
            self._lock_pin(file)
            self._check_pin()
            yield
        finally:
            os.close(file)

    def _lock_pin(self, file: int) -> None:
        until = time.monotonic() + _WAIT_S
        while True:
            try:
                return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise self._busy("another worker opens it") from None
                time.sleep(_LOOK_S)
            except OSError as error:
                raise self._failed(error) from error

    def _check_pin(self) -> None:
        place = self._refused()
        if place.exists():
            what = f"PinIncorrect; this PIN is not tried again while {place.name} is beside the wrapping keys"
            raise Refused("psd.token-refused", library=self._own.label, what=what)

    def _refused(self) -> Path:
        """Name the mark of this PIN; it tells nothing of it without the operator's secret."""
        told = f"{self._own.label}\n{self._pin()}".encode(errors="surrogateescape")
        return self._wrapping.folder / f"pin-refused.{hmac.digest(self._secret(), told, 'sha256').hex()[:32]}"

    def _busy(self, what: str) -> Refused:
        return Refused("psd.token-busy", library=self._own.label, what=what)

    def _failed(self, error: OSError) -> Refused:
        return Refused("psd.wrapping-failed", path=self._wrapping.folder, what=str(error)[:200])

    def _other(self, label: str) -> Refused:
        return Refused("psd.token-other", path=self._wrapping.folder, label=label)


class _Time(threading.local):
    """Hold until when a thread may ask."""

    until: float = 1 << 62
