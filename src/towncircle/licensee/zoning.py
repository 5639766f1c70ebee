"""The zones that a mail room prices by: the official charts that it has taken, each for its origin.

Here: taking a chart, and the zones from where a job is mailed. Not here: reading a chart and the estimate
(`mailpiece.zones`), prices (`pricing`).
Kept: a chart is kept as it came, with its digest; one of another effective day stands beside the earlier ones, and the
mailing date says which holds.
"""

from __future__ import annotations

import hashlib
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput
from towncircle.kernel.store import Record, Transaction
from towncircle.mailpiece.zones import Zones, read_chart

CHART = "zone-chart"


@cites("P050-1.5")
def take(ctx: Context, *, data: bytes, origin: str) -> Record:
    """Take an official zone chart of an origin; the same one again changes nothing. Gives its record.

    Raises `BadInput`: zones.origin-unfit, zones.chart-unreadable, zones.chart-other.
    """
    chart, digest = read_chart(data, origin=origin), hashlib.sha256(data).hexdigest()
    key = f"{chart.origin} {chart.effective.isoformat()}"
    held = ctx.tx.get(CHART, key)
    if held is not None and held.body["digest"] == digest:
        return held
    if held is not None:
        raise BadInput("zones.chart-other", origin=chart.origin, effective=chart.effective.isoformat())
    told: dict[str, Any] = {"origin": chart.origin, "effective": chart.effective.isoformat(), "digest": digest}
    kept = ctx.tx.put(CHART, key, {**told, "file": data.decode("utf-8-sig")}, owner=ctx.party, expected=0)
    ctx.note("zones.taken", key, clauses=("P050 1.5",), **told)
    return kept


def origin_of(view: Transaction, device: Record, *, mailed_from: bool) -> str:
    """Give the ZIP Code that the pieces of a device are mailed from: the licensing office's, or the sender's own.

    The sender's is it where the indicium says Mailed From (P050 4.5).
    """
    row = view.get("profile", "own") if mailed_from else view.get("license", device.body["license"])
    assert row is not None, "a device is leased under a license, to a licensee that has a profile"
    return str(row.body["zip" if mailed_from else "office_zip"])[:5]


def zones_from(view: Transaction, origin: str) -> Zones:
    """Give the zones from a five-digit ZIP Code, by the charts of its first three digits."""
    rows = [row for row in view.find(CHART) if row.body["origin"] == origin[:3]]
    charts = (read_chart(row.body["file"].encode(), origin=row.body["origin"]) for row in rows)
    return Zones(origin=origin, charts=tuple(sorted(charts, key=lambda chart: chart.effective)))
