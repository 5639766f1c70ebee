"""The texts that a licensee signs with a lease, and the cautions that no label carries (PRE-22, 502.25(c)(2)).

Here: reading the texts and naming them by digest. Not here: the lease (`leasing`).
Kept: each text is a file that can be replaced; a rental agreement contains the acknowledgment language and the
cautions, so who signs it has both before it.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files

from towncircle.kernel.cites import cites


def _read(name: str) -> str:
    return files("towncircle.provider.agreements").joinpath(f"{name}.txt").read_text("utf-8").strip()


CAUTIONS = _read("cautions")
DEPOSIT_ACKNOWLEDGMENT = _read("deposit-acknowledgment")


@cites("502.25c2", "PRE-22/2", "502.20a/1")
def rental_agreement(*, lease: str, acknowledgment: str, cautions: str) -> str:
    """Put a rental agreement together: the lease, the acknowledgment language, the cautions."""
    return f"{lease}\n\n{acknowledgment}\n\n{cautions}\n"


LEASE_AGREEMENT = rental_agreement(lease=_read("lease"), acknowledgment=DEPOSIT_ACKNOWLEDGMENT, cautions=CAUTIONS)


def digest_of(text: str) -> str:
    """Give the digest under which an agreement is signed."""
    return hashlib.sha256(text.encode()).hexdigest()
