"""A PKCS#11 worker whose library gives one general error, as long as the file FAIL_ONCE is there."""

import os
import sys
from pathlib import Path
from typing import Any

from towncircle.psd import pkcs11_worker


class Failing(pkcs11_worker.Worker):
    def _sign(self, session: Any, token: str, name: bytes, request: dict[int, Any]) -> bytes:
        flag = Path(os.environ["FAIL_ONCE"])
        if flag.exists():
            flag.unlink()
            raise self._api.GeneralError
        return super()._sign(session, token, name, request)


if __name__ == "__main__":
    pkcs11_worker.Worker = Failing  # type: ignore[misc]
    sys.exit(pkcs11_worker.run(sys.argv[1:]))
