"""The fleet by class, version and regime: how many devices there are of each, when they were heard last, when they end.

Here: the counts, out of the register. Not here: how they are shown (`cli.fleet`).
Kept: every device of the register is in just one row, so the rows add up to the register.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from towncircle.kernel.cites import cites
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record, Transaction
from towncircle.postal.decertification import ends, regime_of
from towncircle.rules import RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Class:
    """Hold one class of devices: whose, model, regime and software version, and how it stands.

    `silent_since` is the oldest last contact among those in service (None: none is); the days are of the rule set.
    """

    provider: str
    model: str
    regime: str
    version: int
    devices: int
    in_service: int
    missing: int
    withdrawn: int
    heard_last: Instant | None
    silent_since: Instant | None
    decertified_on: date | None
    withdraw_by: date | None


@cites("IMI-08/1", "IMI-08/2")
def fleet(view: Transaction, rules: RuleSet, *, provider: str = "") -> tuple[Class, ...]:
    """Count the devices of the register by class, of all Providers or of one."""
    rows: dict[tuple[str, str, str, int], list[Record]] = defaultdict(list)
    for row in view.find("device", owner=provider or None):
        name = DeviceId(row.key)
        version = int(row.body.get("software_version", 0))
        rows[row.owner, f"{name.vendor}{name.model}", regime_of(view, row.key), version].append(row)
    return tuple(_class(key, held, rules) for key, held in sorted(rows.items()))


def _class(key: tuple[str, str, str, int], rows: Sequence[Record], rules: RuleSet) -> Class:
    provider, model, regime, version = key
    days = ends(rules, regime)
    serving = [row for row in rows if row.body["status"] == "installed"]
    heard = [Instant(row.body["audited_at"] or row.body["since"]) for row in serving]
    return Class(
        provider=provider,
        model=model,
        regime=regime,
        version=version,
        devices=len(rows),
        in_service=len(serving),
        missing=sum(row.body["status"] in ("lost", "stolen", "recovered") for row in rows),
        withdrawn=sum(row.body["status"] == "withdrawn" for row in rows),
        heard_last=max(heard, default=None),
        silent_since=min(heard, default=None),
        decertified_on=days[0] if days else None,
        withdraw_by=days[1] if days else None,
    )
