"""Key slots in a PKCS#11 token, behind the same verb `sign`.

Here: the slots, and the owner of the worker process that has the token's library loaded. Not here: the worker itself
(`pkcs11_worker`), and software slots (`keys`).
Kept: a vendor's library never runs in the device's process: one worker a library, started anew after a general error or
its death, because after one nobody knows what the library's state is. Callers of many threads take turns. The PIN comes
from a callback and goes to the worker over its pipe, never into an argument, an error or a log; a library that does not
answer in time, both tries together, is ended with its worker, so nobody waits for ever. The private key is born
in the token, marked sensitive and not extractable; the device's state holds its name there and nothing else.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused
from towncircle.kernel.randomness import Randomness
from towncircle.pki.verifying import PublicKey, verify
from towncircle.pki.verifying.signatures import P256_HALF_ORDER, P256_ORDER
from towncircle.psd.keys import PAIRWISE, TOKEN_MARK
from towncircle.psd.ports import read_frame, write_frame
from towncircle.psd.state import SealedKey
from towncircle.psd.token_names import TokenNames
from towncircle.wire import cbor

ANSWER_S = 10  # house: shorter than a LAN host waits for its device
WORKER = "towncircle.psd.pkcs11_worker"
MAX_REPLY = 1 << 20
_OF_THE_TOKEN = frozenset(  # refusals that say nothing of one key; a PIN that is wrong is not tried until it is locked
    ("PinIncorrect", "PinInvalid", "PinLenRange", "PinExpired", "PinLocked", "NoSuchToken", "MultipleTokensReturned")
)
WIDTHS = {"ecdsa-p256": 32, "dsa-1024": 20}
_HASHES: dict[str, Callable[[bytes], Any]] = {
    "ecdsa-p256": hashlib.sha256,
    "dsa-1024": lambda data: hashlib.sha1(data, usedforsecurity=False),  # the algorithm of the 1998 specimens
}


class TokenLibrary:
    """Own the one worker process of a PKCS#11 library; any number of slots may share it.

    `environment` is added to the worker's own (SoftHSM reads its token folder from there). With `rest_s` a library that
    failed, is missing or refuses to be opened is left alone so long: every request meanwhile is answered at once as the
    one that found it.
    """

    def __init__(
        self,
        path: Path,
        *,
        environment: Mapping[str, str] | None = None,
        worker: str = WORKER,
        answer_s: int = ANSWER_S,
        rest_s: int = 0,
    ) -> None:
        self._answer_s, self._rest_s, self._rested = answer_s, rest_s, ("", "", 0)  # kind, what, until (ns)
        self._path, self._environment, self._module = path, dict(environment or {}), worker
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self.started = 0

    def ask(self, request: dict[int, Any]) -> dict[int, Any]:
        """Ask the worker, with a new one where it had died; what it was asked may safely be asked again.

        Raises `Refused` (psd.token-missing, psd.token-refused, psd.token-failed).
        """
        with self._lock:
            kind, what, _ = self._rested
            if self.resting:
                raise self._refusal(kind, what)
            began = time.monotonic()  # one deadline for both tries; the first may take half of it
            reply = self._once(request, began + self._answer_s / 2)
            if reply[0] == "fatal":
                self._end()  # its sessions and handles end with it
                reply = self._once(request, began + self._answer_s)
            if reply[0] == "fatal":
                self._end()
            if reply[0] == "done":
                return reply
            kind, what = str(reply[0]), str(reply[1])
            if self._rest_s and (kind in ("fatal", "missing") or what in _OF_THE_TOKEN):
                self._end()  # the next one looks anew whether the library is there
                self._rested = (kind, what, time.monotonic_ns() + self._rest_s * 1_000_000_000)
        raise self._refusal(kind, what)

    def _refusal(self, kind: str, what: str) -> Refused:
        if kind == "missing":
            return Refused("psd.token-missing", library=self._path, what=what)
        return Refused("psd.token-failed" if kind == "fatal" else "psd.token-refused", library=self._path, what=what)

    @property
    def resting(self) -> bool:
        """Tell whether the library is left alone."""
        return time.monotonic_ns() < self._rested[2]

    def _once(self, request: dict[int, Any], until: float) -> dict[int, Any]:
        if self._child is not None and self._child.poll() is not None:
            self._end()
        if self._child is None:
            line = [sys.executable, "-P", "-m", self._module, str(self._path), str(self._answer_s)]
            environment = {**os.environ, **self._environment}
            self._child = subprocess.Popen(  # noqa: S603 - our own entry
                line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
            )
            self.started += 1
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        watch = threading.Timer(until - time.monotonic(), self._child.kill)
        watch.daemon = True
        watch.start()
        try:
            write_frame(self._child.stdin, cbor.encode({**request}))
            raw = read_frame(self._child.stdout)
            reply: Any = cbor.decode(raw, limit=MAX_REPLY) if raw is not None else None
        except (OSError, Refused):
            reply = None
        finally:
            watch.cancel()
        return dict(reply) if isinstance(reply, dict) and reply else {0: "fatal", 1: "its worker died"}

    def close(self) -> None:
        """End the worker."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    continue  # the other end is gone already
        child.kill()
        child.wait()


_LIBRARIES: dict[Path, TokenLibrary] = {}
_ONE = threading.Lock()


def library_at(path: Path) -> TokenLibrary:
    """Give the library at a path: the same one, with its one worker, to everybody in this process."""
    with _ONE:
        return _LIBRARIES.setdefault(path.resolve(), TokenLibrary(path))


class TokenKey:
    """Sign with a key of a token."""

    def __init__(self, slots: TokenSlots, name: bytes, public: PublicKey) -> None:
        self._slots, self._name, self._public = slots, name, public

    def __repr__(self) -> str:
        return f"TokenKey({self.scheme}, ...)"

    @property
    def scheme(self) -> str:
        """Name the scheme."""
        return self._public.scheme

    @property
    def public(self) -> PublicKey:
        """Give the public key."""
        return self._public

    @property
    def key_id(self) -> bytes:
        """Give the first 16 bytes of the SHA-256 of the raw public key."""
        return self._public.key_id

    @property
    def named(self) -> tuple[bytes, str]:
        """Give its name in the token, and the scheme."""
        return self._name, self.scheme

    def sign(self, data: bytes) -> bytes:
        """Give the fixed-width r||s of the data, for P-256 with the low s."""
        return self.sign_all([data])[0]

    def sign_all(self, contents: Sequence[bytes]) -> list[bytes]:
        """Sign many contents in one walk to the token."""
        digest = _HASHES[self.scheme]
        made = self._slots.signatures(self._name, self.scheme, [digest(data).digest() for data in contents])
        return [_low(signature) for signature in made] if self.scheme == "ecdsa-p256" else made


class TokenSlots:
    """Keep the device's private keys in a token; with `names` none is left behind there that nobody has.

    What the token is approved for is its own to say.
    """

    approved = True

    def __init__(
        self,
        library: TokenLibrary,
        *,
        token: str,
        pin: Callable[[], str],
        randomness: Randomness,
        names: TokenNames | None = None,
        at_once: int = MAX_REPLY,
    ) -> None:
        """Take the token; at most `at_once` signatures are asked of it in one walk."""
        self._library, self._token, self._pin, self._randomness = library, token, pin, randomness
        self._names, self._at_once = names, at_once

    def settle(self, used: Collection[SealedKey]) -> None:
        """Destroy what the token still has and the device has not; a token that does not answer is asked next time.

        What a store made that went further than this one is left: this may be an older copy of it. Raises `Refused`
        (psd.keys-unclear).
        """
        if self._names is None:
            return
        held = {name_of(slot) for slot in used}
        ended = self._names.ended(held)
        with suppress(Refused):
            self._destroy(ended)

    def __repr__(self) -> str:
        return "TokenSlots(...)"

    def make(self, scheme: str, *, domain: bytes = b"") -> SealedKey:
        """Make a key in the token and test it as a pair. Raises `BadInput` (pki.unknown-scheme), `BrokenInvariant`."""
        name = self._randomness.take(16)
        if self._names is not None and scheme in _HASHES:
            self._names.add(name)
        return self.make_named(name, scheme, domain=domain)

    @cites("502.8b")
    def make_named(self, name: bytes, scheme: str, *, domain: bytes = b"", under: bytes = b"") -> SealedKey:
        """Make a key of a name that was written down; `under` is the note that has to be there and held meanwhile."""
        if scheme not in _HASHES:
            raise BadInput("pki.unknown-scheme", scheme=scheme[:40])
        reply = self._ask("make", name, {4: scheme, 5: domain, 7: under})
        slot = SealedKey(public=bytes(reply[2]), sealed=TOKEN_MARK + name)
        key = self.signer(slot)
        if not verify(key.public, key.sign(PAIRWISE), PAIRWISE).accepted:
            self.destroy(slot)
            raise BrokenInvariant("psd.pairwise-failed", scheme=scheme)
        return slot

    def signer(self, slot: SealedKey) -> TokenKey:
        """Give the signer of a slot. Raises `Refused` (pki.key-file-locked) for a slot that is not in a token."""
        scheme = "ecdsa-p256" if len(slot.public) == 65 else "dsa-1024"
        return TokenKey(self, name_of(slot), PublicKey(scheme, slot.public))

    def signatures(self, name: bytes, scheme: str, digests: list[bytes]) -> list[bytes]:
        """Have digests signed by a key of the token."""
        width, made = 2 * WIDTHS[scheme], list[bytes]()
        for first in range(0, len(digests), self._at_once):
            part = digests[first : first + self._at_once]
            joined = bytes(self._ask("sign", name, {4: scheme, 5: b"".join(part), 6: len(part)})[2])
            if len(joined) != width * len(part):
                raise self._another_length()
            made += [joined[at : at + width] for at in range(0, len(joined), width)]
        return made

    def sign_each(self, asked: Sequence[tuple[SealedKey, bytes]]) -> list[bytes | Refused]:
        """Sign a content each with many keys in a few walks; a key that fails gives its error, and the others sign."""
        made: list[bytes | Refused] = []
        for first in range(0, len(asked), self._at_once):
            part = [(self.signer(slot), content) for slot, content in asked[first : first + self._at_once]]
            keys = [[*key.named, _HASHES[key.scheme](content).digest(), 1] for key, content in part]
            try:
                reply = self._ask("several", b"", {4: keys})
            except Refused as error:
                made += [error] * len(part)
                continue
            made += [self._read(key, *told) for (key, _), told in zip(part, reply[2], strict=True)]
        return made

    def _read(self, key: TokenKey, well: bool, told: Any) -> bytes | Refused:  # noqa: FBT001 - as it was answered
        if not well:
            return Refused("psd.token-refused", library="of the token", what=told)
        if len(told) != 2 * WIDTHS[key.scheme]:
            return self._another_length()
        return _low(told) if key.scheme == "ecdsa-p256" else bytes(told)

    def _another_length(self) -> Refused:
        return Refused("psd.token-failed", library="of the token", what="its signatures have another length")

    def drop(self) -> None:
        """Forget nothing: no key is here."""

    def destroy(self, *ended: SealedKey) -> None:
        """Destroy keys in the token."""
        self._destroy([name_of(slot) for slot in ended])

    def end(self) -> None:
        """Leave the PIN, which is the token's and not this device's."""

    def _destroy(self, names: Sequence[bytes]) -> None:
        for name in names:
            self._ask("destroy", name, {})
            if self._names is not None:
                self._names.remove({name})

    def _ask(self, verb: str, name: bytes, more: dict[int, Any]) -> dict[int, Any]:
        return self._library.ask({0: verb, 1: self._token, 2: self._pin(), 3: name, **more})


def name_of(slot: SealedKey) -> bytes:
    """Give the name in its token of a slot's key. Raises `Refused` (pki.key-file-locked) for one that is in none."""
    if not slot.sealed.startswith(TOKEN_MARK):
        raise Refused("pki.key-file-locked")
    return slot.sealed[len(TOKEN_MARK) :]


def _low(signature: bytes) -> bytes:
    s = int.from_bytes(signature[32:], "big")
    return signature if s <= P256_HALF_ORDER else signature[:32] + (P256_ORDER - s).to_bytes(32, "big")
