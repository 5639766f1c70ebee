"""SoftHSM2 for tests: where it is missing a test skips and says how to get it; under CI it fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from towncircle.bench import pkcs11
from towncircle.kernel.errors import Refused


def need_softhsm() -> Path:
    """Give its library. Skip where there is no SoftHSM2; fail under CI, which must have it."""
    try:
        return pkcs11.library()
    except Refused as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(missing.sentence)
        pytest.skip(f"{missing.sentence} {missing.next_step}")
