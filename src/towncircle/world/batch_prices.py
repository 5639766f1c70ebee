"""What the rows of a batch are priced by, and whether that still holds when the batch is reserved.

Here: the terms of a template. Not here: prices (`licensee.pricing`), rows (`checking`), the batch (`batching`).
Kept: checking a long list takes time; a table, a chart or a midnight that comes meanwhile stops it before any money is
reserved.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import date

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.licensee import pricing, rates, zoning
from towncircle.licensee.funds import held_device
from towncircle.mailpiece.templates import Template
from towncircle.world.checking import Terms


def prices_of(ctx: Context, device: DeviceId, template: Template, day: date) -> pricing.Terms:
    """Gather what the rows are priced by; the pieces of a batch are mailed from the licensing office."""
    held = held_device(ctx, device)
    names = {one.name for one in fields(pricing.Claim)} & {one.name for one in fields(Template)}
    return pricing.Terms(
        day=day,
        tables=rates.tables(ctx.tx, str(held.body["provider"])),
        zones=zoning.zones_from(ctx.tx, zoning.origin_of(ctx.tx, held, mailed_from=False)),
        claim=pricing.Claim(**{name: getattr(template, name) for name in names}),
        weight_oz=template.weight_oz,
        shape=template.shape,
        form=template.form,
    )


@cites("P050-1.5", "502.22b")
def same_prices(ctx: Context, device: DeviceId, template: Template, terms: Terms) -> None:
    """See that a list was priced by what holds now, in the transaction that reserves it.

    Raises `Refused` (batch.prices-changed) where a rate table or a zone chart came meanwhile, or the day is over.
    """
    if prices_of(ctx, device, template, terms.day) != terms.prices:
        raise Refused("batch.prices-changed", what="a rate table or a zone chart")
    if terms.day < ctx.now.date_in(terms.limits.zone):
        raise Refused("batch.prices-changed", what="the mailing date")
