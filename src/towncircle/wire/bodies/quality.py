"""Messages about written notices, quality pieces and the daily inventory (502.8, 502.23, 502.26).

Here: the notice that a time limit brings and its way to a licensee's host, which calls and answers no calls; the piece
that a licensee forwards and what its Provider found; a Provider's inventory and what the Postal Service made of it.
Not here: the limits themselves, what is measured.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.wire.bodies.common import Ground, Registers
from towncircle.wire.registry import message
from towncircle.wire.shape import Body, Limit, Row

SCAN_BYTES = 200_000  # house: the largest scan of a piece; a message holds 262,144 bytes
PART_ROWS = 1_000  # house: the devices of one message of an inventory
_NAME, _ID, _CODE, _DUTY, _SHORT, _DAY = Limit(32), Limit(64), Limit(80), Limit(160), Limit(200), Limit(10)
_GRADE, _FEW = Limit(1), Limit(40)


@message(100, "any party to any party")
@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Body):
    """Tell a party what a time limit means for it: a reminder before its end, or the notice that it was missed."""

    reference: Annotated[str, 1, _NAME]
    kind: Annotated[Literal["reminder", "notice"], 2]
    limit: Annotated[str, 3, _ID]
    duty: Annotated[str, 4, _DUTY]
    about: Annotated[str, 5, _SHORT]
    title: Annotated[str, 6, _SHORT]
    says: Annotated[str, 7]
    clause: Annotated[str, 8, _CODE]
    until: Annotated[Instant, 9]


@message(101, "licensee to provider or postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeQuery(Body):
    """Ask for the next notice; `received` names the last one that this licensee keeps, or is empty."""

    received: Annotated[str, 1, _NAME]


@message(102, "provider or postal to licensee")
@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeWaiting(Body):
    """Hand out the next notice as its giver's sealed bytes; empty where none waits."""

    notice: Annotated[bytes, 1]


@message(103, "licensee to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class QualityPiece(Body):
    """Forward a mailpiece for quality assurance (P050 2.5(h)): the file of its scan, as it is."""

    piece: Annotated[str, 1, _NAME]
    device: Annotated[DeviceId, 2]
    scan: Annotated[bytes, 3, Limit(SCAN_BYTES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureRow(Row):
    """Hold one thing that was measured: what, how much, and its grade A to F."""

    what: Annotated[str, _SHORT]
    found: Annotated[str, _SHORT]
    grade: Annotated[str, _GRADE]


@message(104, "provider to licensee")
@dataclass(frozen=True, slots=True, kw_only=True)
class QualityFinding(Body):
    """Tell a licensee what its piece is like (PRE-16, 502.26): grade, deficiencies with guidance, what was not seen.

    `guidance` has one sentence for each deficiency, in the same order.
    """

    piece: Annotated[str, 1, _NAME]
    device: Annotated[DeviceId, 2]
    grade: Annotated[str, 3, _GRADE]
    verdict: Annotated[str, 4, _NAME]
    deficiencies: Annotated[tuple[Ground, ...], 5, _FEW]
    guidance: Annotated[tuple[str, ...], 6, _FEW]
    measured: Annotated[tuple[MeasureRow, ...], 7, _FEW]
    unmeasured: Annotated[tuple[str, ...], 8, _FEW]


@message(105, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport(Body):
    """Report a quality piece and each of its deficiencies (PRE-16)."""

    piece: Annotated[str, 1, _NAME]
    device: Annotated[DeviceId, 2]
    grade: Annotated[str, 3, _GRADE]
    deficiencies: Annotated[tuple[Ground, ...], 4, _FEW]
    received_at: Annotated[Instant, 5]


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryRow(Row):
    """Hold one device of an inventory: its custody, its lease and what it signed last, with that message's counter."""

    device: DeviceId
    custody: Annotated[str, _NAME]
    license: Annotated[str, _NAME]
    licensee: Annotated[str, _ID]
    registers: Registers
    message_counter: int


@message(106, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryFile(Body):
    """Report every device that a Provider has, as of a day (502.8, total population management)."""

    day: Annotated[str, 1, _DAY]
    number: Annotated[int, 2]
    rows: Annotated[tuple[InventoryRow, ...], 3]


def digest_of(rows: Iterable[InventoryRow]) -> str:
    """Give the SHA-256 (hex) of the rows of an inventory, in their order."""
    return hashlib.sha256("\n".join(map(repr, (row.to_list() for row in rows))).encode()).hexdigest()


@message(187, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryPart(Body):
    """Report one part of an inventory that is longer than a message; `digest` is the SHA-256 of all its rows.

    Parts count from 1; the last one is answered with the finding.
    """

    day: Annotated[str, 1, _DAY]
    number: Annotated[int, 2]
    part: Annotated[int, 3]
    parts: Annotated[int, 4]
    digest: Annotated[str, 5, _ID]
    rows: Annotated[tuple[InventoryRow, ...], 6, Limit(PART_ROWS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryDifference(Row):
    """Hold one difference of a device, and whether what is known explains it."""

    device: DeviceId
    code: Annotated[str, _CODE]
    sentence: str
    clause: Annotated[str, _CODE]
    explained: bool


@message(107, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryFinding(Body):
    """Answer an inventory: how many devices were compared with the register, and every difference."""

    day: Annotated[str, 1, _DAY]
    number: Annotated[int, 2]
    devices: Annotated[int, 3]
    differences: Annotated[tuple[InventoryDifference, ...], 4]
