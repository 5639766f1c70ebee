"""The devices that nobody has signed for: made, in stock, in the mail, or scrapped before any lease (502.8, PRE-06).

Here: the part of the register that the inventories make, its comparison with the next inventory, and the end of the
certificates of a device that is scrapped. Not here: devices that were installed (`population`, `reconciling`).
Kept: a device that was told once is told until it is leased or scrapped; one that was certified is in an inventory from
its next one on; none of them was used, and one in the mail has the license that it was certified for, and arrives or is
reported lost in `MAIL_DAYS`. Whatever else is told of them is never explained away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record, Transaction
from towncircle.pki.verifying import read_certificate
from towncircle.postal.certificates import revoke_withdrawn
from towncircle.rules.duties import HEADQUARTERS
from towncircle.wire.bodies import InventoryRow

KIND = "unissued"
NEW, STOCKED, SHIPPED, SCRAPPED = "new", "stocked", "shipped", "scrapped"
LEASED, RETURNED, MISSING = "leased", "returned", "missing"
_BENCH = (NEW, STOCKED, SCRAPPED)
MAIL_DAYS = 28  # house: how long a device may be in the mail, or looked for there, as for a form of a balance (`daily`)
Found = tuple[str, str, bool]  # code, sentence, explained


class Unissued:
    """Compare what inventories told of a Provider's devices before their first installation."""

    def __init__(self, tx: Transaction, provider: str) -> None:
        self._tx, self._provider = tx, provider
        self._known = {row.key: row for row in tx.find(KIND, owner=provider)}
        self._certified = {row.key: row for row in tx.find("device-certificates", owner=provider)}

    @property
    def devices(self) -> set[str]:
        """Name the devices that were told before, or certified."""
        return self._known.keys() | self._certified.keys()

    @cites("502.8/4", "PRE-07/3")
    def found(self, device: str, told: InventoryRow | None, day: date) -> Iterator[Found]:
        """Give what differs on a device that the register has no installation of."""
        known, certified = self._known.get(device), self._certified.get(device)
        before = str(known.body["custody"]) if known is not None else ""
        if told is None:
            yield from _untold(known, certified, day)
        elif told.custody in _BENCH and not told.license:
            yield from self._on_the_bench(told, before, certified)
        elif certified is None:
            text = "The register does not have it, and it was never certified for this Provider."
            yield "population.unknown", text, False
        else:
            yield from self._given_out(told, before, certified, day)

    def _on_the_bench(self, told: InventoryRow, before: str, certified: Record | None) -> Iterator[Found]:
        if _used(told) or told.licensee != self._provider:
            yield "population.registers", f"It is told as {told.custody}, and was used or is another's.", False
        elif (
            before == SHIPPED
            or (before == SCRAPPED and told.custody != SCRAPPED)
            or (before, told.custody) == (STOCKED, NEW)
        ):
            yield "population.status", f"It was told as {before} before, and is told as {told.custody}.", False
        elif certified is not None:
            text = f"It is certified, and told as {told.custody}: its lease is not finished, or was refused."
            if told.custody == SCRAPPED:
                text = "It was certified, and is told as scrapped: no licensee has had it."
            yield "population.not-reported", text, True

    def _given_out(self, told: InventoryRow, before: str, certified: Record, day: date) -> Iterator[Found]:
        license_row = self._tx.get("license", certified.body["license"])
        owner = license_row.owner if license_row is not None else ""
        if before == SCRAPPED:
            yield "population.status", f"It was told as scrapped before, and is told as {told.custody}.", False
        elif (told.license, told.licensee) != (certified.body["license"], owner):
            text = (
                f"It was certified for the license {certified.body['license']} of {owner}; the inventory has it under "
            )
            yield "population.license", f"{text}{told.license} of {told.licensee}.", False
        elif told.custody == SHIPPED and _used(told):
            yield "population.registers", "It is told as in the mail, and was used.", False
        else:
            yield self._on_its_way(told, certified, day)

    def _on_its_way(self, told: InventoryRow, certified: Record, day: date) -> Found:
        """Say what explains that a device which was given out is not installed: its way, for a time."""
        known = self._known.get(told.device)
        since = _certified_at(certified).date_in(HEADQUARTERS)
        if known is not None and known.body["custody"] == SHIPPED:
            since = date.fromisoformat(known.body["day"])
        if told.custody in (SHIPPED, MISSING):
            late = (day - since).days > MAIL_DAYS
            text = "It is certified and in the mail; nobody has signed for it yet."
            if told.custody == MISSING:
                text = "It is certified and looked for: nobody has signed for it yet."
            return "population.not-reported", f"{text} So it is since {since}." if late else text, not late
        if told.custody == LEASED and not self._leased_before(told.device):
            return "population.not-reported", "It is certified, and its installation has not been reported yet.", True
        if told.custody == RETURNED:
            return "population.not-reported", "It came back from the mail; nobody has signed for it.", True
        text = f"It is told as {told.custody}, and neither its installation nor its loss was reported."
        return "population.status", text, False

    def _leased_before(self, device: str) -> bool:
        """Tell whether the last inventory had a device as leased already: its installation is late then."""
        last = self._tx.get("inventory-last", self._provider)
        held = self._tx.get("inventory", f"{self._provider} {last.body['day']}") if last is not None else None
        return held is not None and any((row[0], row[1]) == (device, LEASED) for row in held.body["rows"])


def _untold(known: Record | None, certified: Record | None, day: date) -> Iterator[Found]:
    if known is not None and known.body["custody"] != SCRAPPED:
        was = f"The inventory of {known.body['day']} had it as {known.body['custody']}; this one does not have it."
        yield "population.not-in-inventory", was, False
    elif known is None and certified is not None:
        at = _certified_at(certified)
        later = at.date_in(HEADQUARTERS) >= day
        why = f" It was certified at {at}, after the inventory was made." if later else ""
        text = f"It was certified for this Provider; the inventory does not have it.{why}"
        yield "population.not-in-inventory", text, later


def _certified_at(certified: Record) -> Instant:
    return read_certificate(bytes.fromhex(certified.body["messages"])).not_before


def _used(told: InventoryRow) -> bool:
    read = told.registers
    return (int(read.ascending), int(read.descending), read.pieces) != (0, 0, 0)


@cites("502.8/4", "502.8/7", "PRE-06/2", "502.28/6")
def keep(ctx: Context, provider: str, rows: Iterable[InventoryRow], *, day: str) -> None:
    """Keep in the register what an inventory tells of devices that nobody has signed for; what is known stays.

    A device that is told as scrapped was certified for a lease that never was: its certificates are revoked.
    """
    for told in rows:
        if told.custody not in (*_BENCH, SHIPPED) or (told.custody == SCRAPPED and told.license):
            continue
        if told.custody == SCRAPPED:
            _end_certificates(ctx, provider, told.device)
        held = ctx.tx.get(KIND, told.device)
        known = ctx.tx.get("device", told.device) is not None or (
            held is not None and (held.owner != provider or held.body["custody"] in (told.custody, SCRAPPED))
        )
        if not known:
            body = {"custody": told.custody, "license": told.license, "licensee": told.licensee, "day": day}
            ctx.tx.put(KIND, told.device, body, owner=provider, expected=held.version if held else 0)


def _end_certificates(ctx: Context, provider: str, device: str) -> None:
    certified = ctx.tx.get("device-certificates", device)
    if certified is not None and certified.owner == provider and ctx.tx.get("device", device) is None:
        revoke_withdrawn(ctx, device=device)


def register(tx: Transaction) -> list[Record]:
    """Give the devices of the register that nobody has signed for, as their Providers told them last."""
    return [row for row in tx.find(KIND) if tx.get("device", row.key) is None]
