"""Messages about reviews of a licensee's transaction records (P050 2.5(b)).

Here: the request of a Provider or the Postal Service, and the licensee's word that the records were shown. Not here:
the records, which are handed over as a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from towncircle.kernel.instants import Instant
from towncircle.wire.registry import message
from towncircle.wire.shape import Body, Limit

_REFERENCE, _DIGEST = Limit(80), Limit(64)


@message(185, "provider or postal to licensee")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRequest(Body):
    """Ask a licensee to make its transaction records available; its host fetches it with its notices."""

    reference: Annotated[str, 1, _REFERENCE]
    at: Annotated[Instant, 2]


@message(186, "licensee to provider or postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewGranted(Body):
    """Say that the records were made available: how many there are, and the SHA-256 (hex) of the file of them."""

    reference: Annotated[str, 1, _REFERENCE]
    records: Annotated[int, 2]
    digest: Annotated[str, 3, _DIGEST]
    at: Annotated[Instant, 4]
