"""A PKCS#11 worker whose library misbehaves, once or always, while the file FAIL_ONCE is there; the file says how.

What it looks up in its library is written into the file LOOK_UPS, where one is named.
"""

import ctypes
import os
import sys
import time
from pathlib import Path
from typing import Any

from towncircle.psd import pkcs11_worker


class Counted:
    """A library, a token or a session that is the real one, and writes down what is looked up in it."""

    def __init__(self, inner: Any, note: Path) -> None:
        self._inner, self._note = inner, note

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in ("get_token", "open", "get_key"):
            return found

        def noted(**asked: Any) -> Any:
            with self._note.open("a") as file:
                file.write(f"{name}\n")
            made = found(**asked)
            return made if name == "get_key" else Counted(made, self._note)

        return noted


class Failing(pkcs11_worker.Worker):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        if note := os.environ.get("LOOK_UPS"):
            self._library = Counted(self._library, Path(note))

    def _sign(self, session: Any, token: str, name: bytes, request: dict[int, Any]) -> bytes:
        flag = Path(os.environ["FAIL_ONCE"])
        if flag.exists():
            how = flag.read_text()
            if how.startswith("key "):  # one damaged object
                if how == f"key {name.hex()}":
                    raise self._api.GeneralError
                return super()._sign(session, token, name, request)
            if how == "fork and hang":
                os.fork()
                time.sleep(600)
            if how == "hang always":
                ctypes.PyDLL(None).sleep(600)  # a library that holds the interpreter: no thread of Python's runs
            flag.unlink()
            if how == "hang":
                time.sleep(600)
            if how == "print":
                os.write(1, b"a vendor's greeting\n")
                return super()._sign(session, token, name, request)
            if how == "short":
                return super()._sign(session, token, name, request)[:-1]
            if how == "die":
                super()._sign(session, token, name, request)
                os._exit(9)
            raise self._api.GeneralError
        return super()._sign(session, token, name, request)

    def _make(self, session: Any, token: str, name: bytes, scheme: str, domain: bytes) -> bytes:
        made = super()._make(session, token, name, scheme, domain)
        flag = Path(os.environ["FAIL_ONCE"])
        if flag.exists() and flag.read_text() == "die making":
            flag.unlink()
            os._exit(9)
        return made


if __name__ == "__main__":
    pkcs11_worker.Worker = Failing  # type: ignore[misc]
    sys.exit(pkcs11_worker.run(sys.argv[1:]))
