"""What the Postal Service publishes of approved label stocks (P050 4.3).

Here: the body of the register. Not here: approving (`postal.labels`), what a licensee does with it (`licensee.labels`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from towncircle.kernel.instants import Instant
from towncircle.wire.registry import message
from towncircle.wire.shape import Body, Limit, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelStockRow(Row):
    """Hold one label stock: its name, its form, since when it is approved, and since when withdrawn (None: never)."""

    stock: Annotated[str, Limit(40)]
    form: Annotated[str, Limit(24)]
    approved_at: Instant
    withdrawn_at: Instant | None


@message(174, "postal to everybody")
@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRegister(Body):
    """Publish the register of approved label stocks; its number only rises."""

    anchor: Annotated[Literal["production", "test"], 1]
    number: Annotated[int, 2]
    issued: Annotated[Instant, 3]
    stocks: Annotated[tuple[LabelStockRow, ...], 4, Limit(10_000)]
