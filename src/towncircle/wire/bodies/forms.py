"""Messages of the forms of an indicium: advertising art with pictures, local classified branches (P050 4.5, 4.10).

Here: 178 to 180, and the second versions of 145, 146 and 148. Not here: the first versions (`supervision`).
A picture is `picture`, one bit a dot, `width` by `height` (`towncircle.mailpiece.bitmap`), or nothing and 0 by 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from towncircle.kernel.instants import Instant
from towncircle.wire.registry import message
from towncircle.wire.shape import Body, Limit

_ID, _SHORT, _LONG, _DIGEST, _PICTURE = Limit(64), Limit(200), Limit(4000), Limit(64), Limit(16_384)
Facility = Literal["classified-branch", "classified-station", "contract-station", "contract-branch"]


@message(145, "provider to postal", version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class ArtSubmitted(Body):
    """Submit a slogan or advertising art for prior approval (502.20(d)): words, whose it is, and a picture."""

    name: Annotated[str, 1, _ID]
    words: Annotated[tuple[str, ...], 2, Limit(10)]
    attribution: Annotated[str, 3, _SHORT]
    width: Annotated[int, 4]
    height: Annotated[int, 5]
    picture: Annotated[bytes, 6, _PICTURE]


@message(146, "postal to provider", version=2, name="ArtDecided")
@dataclass(frozen=True, slots=True, kw_only=True)
class SecondArtDecided(Body):
    """Approve or refuse submitted art as releases did whose `digest` joined the parts without their lengths."""

    name: Annotated[str, 1, _ID]
    digest: Annotated[str, 2, _DIGEST]
    outcome: Annotated[Literal["approved", "refused"], 3]
    reasons: Annotated[str, 4, _LONG]
    at: Annotated[Instant, 5]


@message(146, "postal to provider", version=3)
@dataclass(frozen=True, slots=True, kw_only=True)
class ArtDecided(Body):
    """Approve or refuse submitted art, with the reasons; `digest` is of its words and dots, each behind its length."""

    name: Annotated[str, 1, _ID]
    digest: Annotated[str, 2, _DIGEST]
    outcome: Annotated[Literal["approved", "refused"], 3]
    reasons: Annotated[str, 4, _LONG]
    at: Annotated[Instant, 5]


@message(148, "provider to licensee", version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class ArtSupplied(Body):
    """Supply the host with art that was approved; `decision` is the Postal Service's sealed bytes."""

    name: Annotated[str, 1, _ID]
    words: Annotated[tuple[str, ...], 2, Limit(10)]
    attribution: Annotated[str, 3, _SHORT]
    width: Annotated[int, 4]
    height: Annotated[int, 5]
    picture: Annotated[bytes, 6, _PICTURE]
    decision: Annotated[bytes, 7]


@message(178, "licensee to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class BranchRequest(Body):
    """Ask the licensing post office for approval to show its local classified branch (P050 4.5)."""

    license: Annotated[str, 1, _ID]
    branch: Annotated[str, 2, _ID]
    state: Annotated[str, 3, Limit(2)]
    facility: Annotated[Facility, 4]


@message(179, "licensee to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class BranchQuery(Body):
    """Ask how a request for a branch stands."""

    license: Annotated[str, 1, _ID]
    branch: Annotated[str, 2, _ID]


@message(180, "postal to licensee")
@dataclass(frozen=True, slots=True, kw_only=True)
class BranchStanding(Body):
    """Say how a request for a branch stands: waiting, approved or refused, with the reasons of the post office."""

    license: Annotated[str, 1, _ID]
    branch: Annotated[str, 2, _ID]
    state: Annotated[str, 3, Limit(2)]
    outcome: Annotated[Literal["waiting", "approved", "refused"], 4]
    reasons: Annotated[str, 5, _LONG]
    at: Annotated[Instant, 6]
