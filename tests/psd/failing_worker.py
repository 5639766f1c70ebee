"""A PKCS#11 worker whose library misbehaves, once or always, while the file FAIL_ONCE is there; the file says how."""

import ctypes
import os
import sys
import time
from pathlib import Path
from typing import Any

from towncircle.psd import pkcs11_worker


class Failing(pkcs11_worker.Worker):
    def _sign(self, session: Any, token: str, name: bytes, request: dict[int, Any]) -> bytes:
        flag = Path(os.environ["FAIL_ONCE"])
        if flag.exists():
            how = flag.read_text()
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
