"""Custody of devices as one walks it in a world (P050 2.5 to 2.9, 502.20, 502.22(a)).

Here: the steps of licensee, Provider and Postal Service, each as one call on an opened world, and what everybody keeps.
Not here: arguments of commands, decisions, the lease (`leases`), the balance of a device (`returning`).
Kept: every step can be walked again after a crash and then finishes what was begun.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused, RelayedRefusal
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.store import Record
from towncircle.licensee import care, halves
from towncircle.licensee import custody as own
from towncircle.mailpiece.zipcode import place_of
from towncircle.postal import custody as postal
from towncircle.provider import articles, handovers, stock, upkeep
from towncircle.provider.upkeep import Forecast
from towncircle.psd.states import WITHDRAWN
from towncircle.rules.acts import act_named
from towncircle.rules.acts import record as record_act
from towncircle.wire.bodies import CarrierProposed
from towncircle.world import notices, returning, reviews
from towncircle.world.config import POSTAL
from towncircle.world.journeys import Journeys
from towncircle.world.supervising import at_provider, by_officer
from towncircle.world.world import World

MANAGER = "manager-mtm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Hold what a world keeps of a device's custody: its Provider's record, hand-overs, defects, part lives."""

    provider: str
    device: Record
    owner: str
    shipments: list[Record]
    defects: list[Record]
    parts: list[Forecast]


def report_defect(journeys: Journeys, device: DeviceId, *, kind: str, details: str) -> Record:
    """Report a defect as the licensee, or ask how a reported one stands; an interrupted report is finished."""
    journeys.do(lambda ctx: own.find_defect(ctx, device=device, kind=kind, details=details))
    return _tell(journeys, device)


def _tell(journeys: Journeys, device: DeviceId) -> Record:
    try:
        held: Record = journeys.do(lambda ctx: own.report_defect(ctx, device=device))
    except RelayedRefusal as refusal:
        if refusal.code.startswith(("provider.", "custody.")):
            journeys.do(lambda ctx: own.withdraw_defect(ctx, device=device))
        raise
    journeys.world.deliver()
    return held


def settle(journeys: Journeys) -> None:
    """Tell every defect that an interruption left written down only, and take up what was disabled meanwhile."""
    for device in journeys.do(own.untold):
        _tell(journeys, device)
    with journeys.world.store(journeys.licensee).reading() as view:
        used = halves.main(view)
        known = used and view.get("check-out", used.key)
    if used and not known and journeys.status().state == WITHDRAWN:
        returning.withdraw(journeys, reason="the Provider has disabled it")


def send_back(journeys: Journeys, device: DeviceId, *, article: str, service: str = "") -> Record:
    """Send a device back that was given up, by the service of the rule unless another is named."""
    world = journeys.world
    named = service
    if not named:  # only then the device is asked: one that was collected is not here any more
        today = world.clock.now().date_in(journeys.status_of(device).zone or "UTC")
        named = world.rules.text("service_back", today)
    journeys.do(lambda ctx: own.write_return(ctx, device=device, service=named, article=article))
    held: Record = journeys.do(lambda ctx: own.tell_return(ctx, device=device))
    return held


def fetch_receipt(journeys: Journeys, device: DeviceId, *, inspector: bool = False) -> Record:
    """Fetch the receipt for a device that was sent back, or that an inspector took along."""
    if inspector:
        held: Record = journeys.do(lambda ctx: own.fetch_inspectors_receipt(ctx, device=device, postal=POSTAL))
    else:
        held = journeys.do(lambda ctx: own.fetch_receipt(ctx, device=device))
    return held


def show_carrier(
    world: World, provider: str, *, service: str, reference: str, document: bytes, by: str = "officer"
) -> None:
    """Have a Provider show the Postal Service that a carrier's security is equivalent to Registered Mail."""
    digest = hashlib.sha256(document).hexdigest()

    def show(ctx: Context) -> None:
        record_act(ctx, act=act_named("carrier-security-shown"), reference=reference, document=digest, at=ctx.now)
        body = CarrierProposed(carrier=service, reference=reference, document=digest)
        ctx.send(POSTAL, body, key=f"carrier {service} {digest}")

    at_provider(world, provider, show, by=by, act="custody carrier show")


def permit(
    world: World, *, provider: str, direction: str, service: str, permission: str, document: bytes, by: str = MANAGER
) -> None:
    """Have the Postal Service permit a carrier or a service in writing, and its Provider take the paper."""
    digest = hashlib.sha256(document).hexdigest()
    told = {"provider": provider, "service": service, "permission": permission, "document": digest}
    by_officer(world, lambda ctx: postal.permit(ctx, direction=direction, **told), by=by, act="custody carrier permit")


def withdraw_permission(
    world: World, *, provider: str, direction: str, service: str, reference: str, document: bytes, by: str = MANAGER
) -> None:
    """Have the Postal Service withdraw its permission for a carrier or a service in writing, and its Provider obey."""
    digest = hashlib.sha256(document).hexdigest()
    told = {"provider": provider, "service": service, "reference": reference, "document": digest}
    act = "custody carrier withdraw"
    by_officer(world, lambda ctx: postal.withdraw(ctx, direction=direction, **told), by=by, act=act)


def use_carrier(world: World, provider: str, *, service: str, by: str = "custodian") -> Record:
    """Have a Provider ship by a carrier from now on."""
    job = partial(handovers.use_service, rules=world.rules, service=service)
    done: Record = at_provider(world, provider, job, by=by, act="custody carrier use")
    return done


def at_postal(world: World, job: Callable[[Context], Any], *, by: str, act: str) -> Any:
    """Do an act of an office of the Postal Service, bring what it says to the Providers, and publish it."""
    result = by_officer(world, job, by=by, act=act)
    world.publish()
    return result


def order_removal(world: World, device: DeviceId, *, reason: str, by: str, condition: str = "") -> Record:
    """Order the removal of an element; with a condition an inspector takes it along against this receipt.

    Raises `Refused` (person.unknown, person.other-office, postal.not-in-register, ...).
    """
    job = partial(postal.order_removal, device=device, reason=reason, condition=condition)
    done: Record = at_postal(world, job, by=by, act="custody take" if condition else "custody remove")
    return done


def purchase(world: World, device: DeviceId, *, reference: str, document: bytes, by: str = MANAGER) -> Record:
    """Have the Postal Service purchase a system."""
    digest = hashlib.sha256(document).hexdigest()
    job = partial(postal.purchase, device=device, reference=reference, document=digest)
    done: Record = at_postal(world, job, by=by, act="custody purchase")
    return done


def manufacture(world: World, provider: str, count: int, *, by: str = "custodian") -> list[Record]:
    """Have a Provider make devices of its model; they wait for their inspection."""
    product = world.product_at(provider)
    told: dict[str, Any] = {"model": product.subject.system, "serials_from": product.serials_from, "count": count}
    job = partial(stock.manufacture, **told)
    made: list[Record] = at_provider(world, provider, job, by=by, act="custody manufacture")
    return made


def inspect(world: World, provider: str, device: DeviceId, *, reject: str = "", by: str = "examiner") -> Record:
    """Have a Provider inspect a new device: it is in stock then, or rejected and scrapped."""
    job = partial(stock.inspect, device=device, reject=reject)
    held: Record = at_provider(world, provider, job, by=by, act="custody inspect")
    return held


def name_article(world: World, provider: str, device: DeviceId, *, article: str, by: str = "custodian") -> Record:
    """Have a Provider's custodian tell the article number of a device that is shipped, or that will be."""
    job = partial(articles.name_article, rules=world.rules, device=device, article=article)
    held: Record = at_provider(world, provider, job, by=by, act="custody ship")
    return held


def stock_of(world: World) -> list[tuple[str, Record]]:
    """Give the devices that Providers have made and not leased: the Provider, and the device."""
    found: list[tuple[str, Record]] = []
    for provider in world.config.providers:
        with world.store(provider).reading() as view:
            found += [(str(provider), row) for row in stock.in_stock(view, world.clock.now())]
    return found


def ask_review(world: World, party: str, licensee: str, *, reference: str, by: str = "") -> Record:
    """Ask a licensee for its transaction records, as the Postal Service or a Provider; it is open until it answers.

    Raises `BadInput` (license.no-such-person), `Refused` (custody.not-entitled, custody.review-taken).
    """
    if licensee not in world.config.licensees:
        raise BadInput("license.no-such-person", licensee=licensee[:64])
    job = partial(reviews.ask, licensee=licensee, reference=reference)
    if party == POSTAL:
        held: Record = by_officer(world, job, by=by or "inspector", act="custody ask-review")
    else:
        held = at_provider(world, party, job, by=by or "officer", act="custody ask-review by a Provider")
    return held


def review(journeys: Journeys, *, reference: str = "") -> tuple[Record, bytes]:
    """Fetch what was asked of the licensee, and answer a request for a review by showing the transaction records."""
    notices.fetch_all(journeys.world, (journeys.licensee,))
    shown: tuple[Record, bytes] = journeys.do(lambda ctx: care.grant(ctx, reference=reference))
    journeys.world.deliver()
    return shown


def update_address_data(journeys: Journeys, *, edition: str) -> Record:
    """Record an update of address matching data that are kept elsewhere."""
    with journeys.world.store(journeys.licensee).reading() as view:
        licenses = view.find("license")
    if not licenses:
        raise Refused("world.no-license", licensee=journeys.licensee)
    zone = place_of(str(licenses[-1].body["office_zip"])).zone
    held: Record = journeys.do(
        lambda ctx: care.update_address_data(ctx, journeys.world.rules, edition=edition, zone=zone)
    )
    return held


def kept(world: World) -> list[Kept]:
    """Gather what every Provider of a world keeps of its devices."""
    found: list[Kept] = []
    for provider in world.config.providers:
        with world.store(provider).reading() as view:
            parts = upkeep.forecast(view)
            shipments = sorted(view.find("shipment"), key=lambda row: (row.body["at"], row.key))
            found += [
                Kept(
                    provider=provider,
                    device=row,
                    owner=str(row.body.get("title") or provider),
                    shipments=[held for held in shipments if held.body["device"] == row.key],
                    defects=view.find("defect", owner=row.key),
                    parts=[one for one in parts if one.device == row.key],
                )
                for row in view.find("device")
            ]
    return found


def kept_until(world: World, provider: str, device: str) -> str:
    """Say until when the Form 3601-C of a device is kept; empty where none was filed."""
    with world.store(provider).reading() as view:
        filed = [fact for fact in view.facts() if (fact.type, fact.subject) == ("form-3601-c.filed", device)]
        row = view.get("device", device)
    if not filed or row is None:
        return ""
    day = filed[-1].occurred_at.date_in(str(row.body["zone"]))
    return world.rules.length_of(upkeep.FORM_LIMIT, day).last_day(day).isoformat()
