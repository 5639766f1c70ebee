"""The worker that has a PKCS#11 library loaded: `python -m towncircle.psd.pkcs11_worker LIBRARY SECONDS`.

Here: sessions, key handles and the verbs make, sign, several (a content each for many keys), destroy, mark (put the
mark of a fleet into the token), unmark and probe, over frames on standard input and output. Not here: who owns the
worker (`pkcs11`), hashing, the low s.
Kept: one library in one process; a session and a key handle are looked up once and kept; a general error of the library
is answered as fatal and ends the process, because its state is unknown; so is a handle that another process has made
stale. The end of the input ends it too, and a library that hangs for longer than its owner waits is ended by the
kernel's alarm, whether the owner lives or not. What the library prints never gets among the answers.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from towncircle.pki.domain import DSA_1024_DOMAIN, read_domain
from towncircle.psd.ports import read_frame, write_frame
from towncircle.wire import cbor

_WIDTH = {"ecdsa-p256": 32, "dsa-1024": 20}
LIMIT = 1 << 20
OTHER = "it has not the mark of this fleet"
_HANDLES = 20_000  # house: key handles at hand; more are looked up anew
_MARK = "towncircle fleet "  # begins the label of the data object by which a fleet knows its token again


class Worker:
    """Serve one library."""

    def __init__(self, path: Path) -> None:
        import pkcs11

        self._api, self._library = pkcs11, pkcs11.lib(str(path))
        self._sessions: dict[tuple[str, str], Any] = {}
        self._marked: set[bytes] = set()
        self._keys: dict[tuple[str, bytes], Any] = {}
        self._fatal = (
            *(pkcs11.GeneralError, pkcs11.DeviceError, pkcs11.DeviceMemory, pkcs11.DeviceRemoved),
            *(pkcs11.HostMemory, pkcs11.FunctionFailed, pkcs11.SessionHandleInvalid, pkcs11.SessionClosed),
            *(pkcs11.TokenNotPresent, pkcs11.TokenNotRecognised, pkcs11.SlotIDInvalid, pkcs11.UserNotLoggedIn),
            *(pkcs11.KeyHandleInvalid, pkcs11.ObjectHandleInvalid),
            *(pkcs11.OperationActive, pkcs11.OperationNotInitialized),
        )

    def answer(self, request: dict[int, Any]) -> dict[int, Any]:
        """Do one request; every error of the library is an answer too."""
        try:
            return self._done(request)
        except self._fatal as error:
            return {0: "fatal", 1: type(error).__name__, 3: True}
        except self._api.PKCS11Error as error:
            return {0: "refused", 1: type(error).__name__}
        except (ValueError, TypeError, LookupError) as error:
            return {0: "refused", 1: f"{type(error).__name__} of its Python library"}
        except OSError as error:
            return {0: "refused", 1: f"the note of the key that it was to make: {error}"}

    def _done(self, request: dict[int, Any]) -> dict[int, Any]:
        verb, token, pin, name = request[0], request[1], request[2], request[3]
        session, mark, made = self._session(token, pin), request.get(8, b""), b""
        if verb == "mark":
            self._mark(session, name)
        elif mark and not self._has(session, mark, anew=verb == "probe"):
            return {0: "refused", 1: OTHER}
        elif verb == "make":
            with _noted(request[7]):
                made = self._make(session, token, name, request[4], request[5])
        elif verb == "sign":
            made = self._sign(session, token, name, request)
        elif verb == "several":
            return {0: "done", 2: [self._one(session, token, *asked) for asked in request[4]]}
        elif verb == "unmark":
            self._unmark(session, name)
        elif verb == "destroy":
            here = self._destroy(session, token, name) or not mark
            if not here and not self._has(session, mark, anew=True):  # another token by now: it says nothing of the key
                return {0: "refused", 1: OTHER}
        return {0: "done", 2: made}

    def _one(self, session: Any, token: str, name: bytes, scheme: str, joined: bytes, count: int) -> list[Any]:
        """Sign for one of several keys; what says nothing of the library is this key's own answer."""
        try:
            return [True, self._sign(session, token, name, {4: scheme, 5: joined, 6: count})]
        except self._fatal:
            raise
        except self._api.PKCS11Error as error:
            return [False, type(error).__name__]

    def _session(self, token: str, pin: str) -> Any:
        held = self._sessions.get((token, pin))
        if held is None:
            found = self._library.get_token(token_label=token)
            held = self._sessions[token, pin] = found.open(rw=True, user_pin=pin)
        return held

    def _marks(self, session: Any, mark: bytes) -> list[Any]:
        api = self._api
        told = {api.Attribute.CLASS: api.ObjectClass.DATA, api.Attribute.LABEL: _MARK + mark.hex()}
        return list(session.get_objects(told))

    def _mark(self, session: Any, mark: bytes) -> None:
        api = self._api
        told = {api.Attribute.CLASS: api.ObjectClass.DATA, api.Attribute.LABEL: _MARK + mark.hex()}
        session.create_object(
            {**told, api.Attribute.TOKEN: True, api.Attribute.PRIVATE: True, api.Attribute.VALUE: mark}
        )

    def _unmark(self, session: Any, mark: bytes) -> None:
        for found in self._marks(session, mark):
            found.destroy()

    def _has(self, session: Any, mark: bytes, *, anew: bool) -> bool:
        """Tell whether this is the token that a fleet has put its mark into; asked once, unless `anew`."""
        if anew or mark not in self._marked:
            self._marked.discard(mark)
            if self._marks(session, mark):
                self._marked.add(mark)
        return mark in self._marked

    def _make(self, session: Any, token: str, name: bytes, scheme: str, domain: bytes) -> bytes:
        api = self._api
        self._destroy(
            session, token, name
        )  # a worker that died may have made it: two of one name could not be told apart
        private = {
            api.Attribute.SENSITIVE: True,
            api.Attribute.EXTRACTABLE: False,
            api.Attribute.TOKEN: True,
        }
        if scheme == "ecdsa-p256":
            from pkcs11.util.ec import encode_named_curve_parameters

            curve = {api.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
            parameters = session.create_domain_parameters(api.KeyType.EC, curve, local=True)
            public, key = parameters.generate_keypair(id=name, store=True, private_template=private)
            self._keys[token, name] = key
            return bytes(public[api.Attribute.EC_POINT])[-65:]  # an octet string around the point
        numbers = read_domain(domain or DSA_1024_DOMAIN)
        fields = (
            (api.Attribute.PRIME, numbers.p),
            (api.Attribute.SUBPRIME, numbers.q),
            (api.Attribute.BASE, numbers.g),
        )
        group = {attribute: _bytes(value) for attribute, value in fields}
        parameters = session.create_domain_parameters(api.KeyType.DSA, group, local=True)
        public, key = parameters.generate_keypair(id=name, store=True, private_template=private)
        self._keys[token, name] = key
        return _dsa_public(int.from_bytes(public[api.Attribute.VALUE], "big"), numbers)

    def _key(self, session: Any, token: str, name: bytes) -> Any:
        held = self._keys.get((token, name))
        if held is None:
            held = session.get_key(object_class=self._api.ObjectClass.PRIVATE_KEY, id=name)
            if len(self._keys) >= _HANDLES:
                self._keys.clear()
            self._keys[token, name] = held
        return held

    def _sign(self, session: Any, token: str, name: bytes, request: dict[int, Any]) -> bytes:
        scheme, joined, count = request[4], request[5], request[6]
        key, size, width = self._key(session, token, name), len(joined) // count, _WIDTH[scheme]
        mechanism = self._api.Mechanism.ECDSA if scheme == "ecdsa-p256" else self._api.Mechanism.DSA
        made = [key.sign(joined[at : at + size], mechanism=mechanism) for at in range(0, len(joined), size)]
        return b"".join(_fixed(signature, width) for signature in made)

    def _destroy(self, session: Any, token: str, name: bytes) -> int:
        self._keys.pop((token, name), None)
        found = list(session.get_objects({self._api.Attribute.ID: name}))
        for one in found:
            one.destroy()
        return len(found)


@contextmanager
def _noted(place: bytes) -> Iterator[None]:
    """Make a key only under its note (`hosted.unsettled`), where it has one; nobody settles it meanwhile.

    The owner of this worker may have died since he asked, and somebody else have settled it. Raises `OSError`.
    """
    if not place:
        yield
        return
    file = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(file), Path(os.fsdecode(place)).stat()):
            raise FileNotFoundError(place)
        yield
    finally:
        os.close(file)


def _fixed(signature: bytes, width: int) -> bytes:
    """Give both numbers their full width: a token may answer with shorter ones of equal length."""
    half = len(signature) // 2
    return signature[:half].rjust(width, b"\0") + signature[half:].rjust(width, b"\0")


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _dsa_public(y: int, numbers: Any) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import dsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = dsa.DSAPublicNumbers(y, numbers).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def run(argv: list[str]) -> int:
    """Serve until the input ends; give the exit code: 0 well, 4 after a fatal error or without the library."""
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    worker: Worker | None = None
    trouble = ""
    longest_s = int(argv[1])
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # no handler of Python's runs while a library holds the interpreter
    signal.setitimer(signal.ITIMER_REAL, longest_s)
    try:
        worker = Worker(Path(argv[0]))
    except ImportError:
        trouble = "python-pkcs11 is not installed (pip install towncircle[pkcs11])"
    except RuntimeError as error:  # its errors and the loader's are of this kind
        trouble = f"the library cannot be loaded: {str(error)[:200]}"
    signal.setitimer(signal.ITIMER_REAL, 0)
    while (raw := read_frame(source)) is not None:
        signal.setitimer(signal.ITIMER_REAL, longest_s)
        request: Any = cbor.decode(raw, limit=LIMIT)
        reply: dict[int, Any] = {0: "missing", 1: trouble} if worker is None else worker.answer(request)
        signal.setitimer(signal.ITIMER_REAL, 0)
        write_frame(sink, cbor.encode({**reply}))
        if reply[0] == "fatal":
            return 4
    return 0 if worker is not None else 4


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
