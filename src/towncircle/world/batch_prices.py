"""What the rows of a batch are priced and checked by, and whether that still holds when the batch is reserved.

Here: the terms of a template: its day, its prices, its look, its label stock. Not here: prices (`licensee.pricing`),
rows (`checking`), the batch (`batching`).
Kept: checking a long list takes time; a table, a chart or a midnight that comes meanwhile, or the end of an approval of
a label stock, stops it before any money is reserved.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.store import Record, Transaction
from towncircle.licensee import (
    address_data,
    advertising,
    batches,
    halves,
    labels,
    looks,
    pricing,
    promises,
    rates,
    zoning,
)
from towncircle.licensee.funds import held_device
from towncircle.licensee.limits import Limits
from towncircle.licensee.looks import Drawn, Look
from towncircle.mailpiece.templates import Template
from towncircle.psd.client import pays_other
from towncircle.psd.commands import StatusReport
from towncircle.world.checking import Terms
from towncircle.world.composing import Shared
from towncircle.world.journeys import Journeys
from towncircle.world.labels import loaded


def terms_of(
    journeys: Journeys,
    template: Template,
    *,
    day: date | None,
    drawn: Drawn,
    status: StatusReport,
    old_data: str = "",
) -> Terms:
    """Gather what a batch is checked against, with the register of label stocks as it stands on the board now.

    `old_data` is why address data may be used that are too old for the day of mailing, which a template may set ahead.

    Raises what `Limits.check`, `address_data.check`, `world.labels.loaded`, `labels.require` and `looks.of_job` raise.
    """
    world = journeys.world
    limits = Limits.of(world.rules, world.clock.now().date_in(status.zone), zone=status.zone)
    day = day or limits.first + timedelta(days=template.ahead_days)
    limits.check(day=day)
    look = loaded(journeys, Look(**template.look(), drawn=drawn))
    left_out = [name for name, kept in (("art", template.art), ("return-address", template.return_address)) if not kept]

    def gather(ctx: Context) -> tuple[pricing.Terms, dict[str, Any]]:
        _approved(ctx.tx, template, day=day, zone=limits.zone)
        address_data.check(ctx.tx, world.rules, day=day, reason=old_data)
        design = {"without": left_out, "address_data": address_data.in_use(ctx.tx), **advertising.of_job(ctx)}
        design |= looks.of_job(ctx, look, device=journeys.device, categories=())
        return prices_of(ctx, journeys.device, template, day), design

    prices, design = journeys.do(gather)
    body = {"device": journeys.device, "layout": status.layout, "mailing_date": day.isoformat(), **design}
    stationery = journeys.stationery(Record(kind="job", key="", owner=journeys.device, version=0, body=body))
    return Terms(
        template=template,
        prices=prices,
        limits=limits,
        most=status.cap,
        layout=status.layout,
        design=design,
        shared=Shared.of(world.config.regime, stationery),
        old_data=old_data,
    )


def _approved(view: Transaction, template: Template, *, day: date, zone: str) -> None:
    """See that the label stock of a template, where it names one, is approved. Raises as `labels.require`."""
    if template.stock:
        labels.require(view, form_key=template.form, stock=template.stock, on=day, zone=zone)


def prices_of(ctx: Context, device: DeviceId, template: Template, day: date) -> pricing.Terms:
    """Gather what the rows are priced by."""
    held = held_device(ctx, device)
    return pricing.Terms(
        day=day,
        tables=rates.tables(ctx.tx, str(held.body["provider"])),
        zones=zoning.zones_from(ctx.tx, zoning.origin_of(ctx.tx, held, mailed_from=template.place == "zip")),
        claim=pricing.claimed(template),
        weight_oz=template.weight_oz,
        shape=template.shape,
        form=template.form,
    )


@cites("P050-1.5", "P050-2.5g", "502.22b")
def same_prices(ctx: Context, journeys: Journeys, template: Template, terms: Terms) -> None:
    """See that a list was checked by what holds now, in the transaction that reserves it.

    Raises `Refused` (batch.prices-changed) where a rate table or a zone chart came meanwhile, or the day is over, and
    as `labels.require` where a label stock is approved no longer, `address_data.use` where the data are too old by now.
    """
    _approved(ctx.tx, template, day=terms.day, zone=terms.limits.zone)
    address_data.use(ctx, journeys.world.rules, day=terms.day, reason=terms.old_data)
    if prices_of(ctx, journeys.device, template, terms.day) != terms.prices:
        raise Refused("batch.prices-changed", what="a rate table or a zone chart")
    if terms.day < ctx.now.date_in(terms.limits.zone):
        raise Refused("batch.prices-changed", what="the mailing date")


def funds_of(journeys: Journeys, *, refill: bool) -> batches.Funds:
    """Gather what a batch may draw on; the account is that of the licensee's own books.

    Of a hybrid it is the half that pays while it stands in for its device, and for good once the service was moved;
    neither of the two is refilled for it then.
    What is promised is read first: what another batch debits in between is then missing in the balance, or counted.
    """
    store, device = journeys.world.store(journeys.licensee), journeys.device
    with store.reading() as view:
        promised = promises.of_balance(view, device)
    shown, account = journeys.status(), None
    status, payer = payer_of(journeys, device, shown), shown.device if shown.device != device else ""
    if refill and not pays_other(shown, device):
        with store.reading() as view:
            account = promises.on_account(view, licensee=journeys.licensee, device=device)
    return batches.Funds(
        balance=status.registers.descending, cap=status.cap, account=account, promised=promised, payer=payer
    )


def payer_of(journeys: Journeys, device: DeviceId, shown: StatusReport) -> StatusReport:
    """Give the status of the device that pays new pieces: the one that shows itself, or the half it was moved to."""
    if shown.device != device or not pays_other(shown, device):
        return shown
    with journeys.world.store(journeys.licensee).reading() as view:
        half = halves.of(view, device)[-1:]
    return journeys.status_of(half[0]) if half else shown
