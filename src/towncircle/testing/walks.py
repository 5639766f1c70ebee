"""Journeys of the rooms beside the main road, as a rehearsal walks them: each begins, or finishes what a kill left.

Here: one function for each room, and the table of their names. Not here: points and kills (`rehearsal_world`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import partial

from towncircle.kernel.errors import Refused
from towncircle.licensee.mailroom import POSTAGE, form_of
from towncircle.mailpiece import rate_files
from towncircle.mailpiece.tariff import first_class_tables
from towncircle.postal import decisions, suspensions
from towncircle.provider import handovers, supervision, upkeep
from towncircle.psd.integrity import module_digest
from towncircle.rules.procedures import DEFENDED, NOTICED, PROPOSED, procedures
from towncircle.world import accounts, custody, missing, refunding, returning, updates
from towncircle.world.config import POSTAL
from towncircle.world.journeys import Journeys
from towncircle.world.missing import at_provider
from towncircle.world.population import daily
from towncircle.world.supervising import at_postal, kept
from towncircle.world.supervising import at_provider as at_supervised

SCANNER, CERTIFIER, COORDINATOR = "ann", "cleo", "mats"  # who refunds what was printed
SIGNER, CENTER = "dora", "asc"  # who asks for the closing of the account, and who instructs its check


def walk_refund(journeys: Journeys) -> str:
    """Refund the pieces of the first job that printed any, or finish doing so; give the refund."""
    world = journeys.world
    with world.store(journeys.licensee).reading() as view:
        job = next(row for row in view.find("job") if form_of(row.body) == POSTAGE)
    pieces = tuple(bytes.fromhex(piece) for piece in job.body["indicia"])
    told = refunding.submit(journeys, pieces)
    state = refunding.follow(journeys, told.refund).state
    if state == "received":
        refunding.scan(world, told.refund, pieces, by=SCANNER)
    if state in ("received", "scanned"):
        refunding.certify(world, told.refund, by=CERTIFIER)
    refunding.decide(world, told.refund, by=COORDINATOR)
    refunding.follow(journeys, told.refund)
    return told.refund


def walk_closing(journeys: Journeys) -> str:
    """Close the account and have its check issued, or finish doing so; give the closing."""
    begun = accounts.requests_of(journeys, "closing")
    closing = begun[0] if begun else accounts.close(journeys, by=SIGNER).reference
    accounts.follow(journeys, closing)
    accounts.instruct(journeys.world, closing, by=CENTER)
    accounts.follow(journeys, closing)
    return closing


def walk_return(journeys: Journeys) -> None:
    """Have the first deposit come back unpaid, and make the day's books."""
    with journeys.world.store(journeys.licensee).reading() as view:
        deposit = view.find("deposit")[0].key
    accounts.return_item(journeys.world, deposit, reason="R01")
    accounts.reconcile(journeys.world)


def walk_missing(journeys: Journeys, journey: str) -> None:
    """Report the device as stolen, or as found, or send the monthly files."""
    if journey == "file":
        missing.file_months(journeys.world, journeys.world.config.providers[0])
        return
    event = "stolen" if journey == "lose" else "recovered"
    missing.report(journeys, journeys.device, event=event, place="mail room", details="a rehearsal")


def walk_suspension(journeys: Journeys) -> None:
    """Bring the procedure that was proposed to its decision, or finish doing so: notice, defense, decision."""
    world = journeys.world
    (row,) = kept(world, POSTAL, "procedure")
    about = {"procedure": row.key, "reasons": "a rehearsal"}
    if row.body["state"] == PROPOSED:
        day = world.clock.now().plus(days=61).utc().date().isoformat()
        row = at_postal(world, lambda ctx: suspensions.notify(ctx, rules=world.rules, effective_on=day, **about))
    if row.body["state"] == NOTICED:
        world.deliver()  # the notice is there before it is answered
        paper = ("file-1",)
        at_supervised(world, row.owner, lambda ctx: supervision.answer(ctx, kind="defense", evidence=paper, **about))
        (row,) = kept(world, POSTAL, "procedure")
    if row.body["state"] == DEFENDED:
        weighed = dict.fromkeys(procedures()[row.body["form"]].considers, "it was looked at")
        at_postal(world, lambda ctx: decisions.decide(ctx, rules=world.rules, considered=weighed, **about))


def walk_updates(journeys: Journeys, journey: str) -> None:
    """Publish the last known prices as a table of their own and release this build, or take what waits."""
    if journey == "update":
        journeys.contact()
        return
    world, provider = journeys.world, journeys.world.config.providers[0]
    table = first_class_tables()[-1]
    changes, last = "A rehearsal.", table.in_force_through
    file = rate_files.write(replace(table, id="rehearsed", in_force_from=date(last.year, 1, 1)))
    updates.publish_rates(world, provider, file)
    updates.approve_build(world, version=1, build=module_digest(), changes=changes)
    updates.stage(world, provider, version=1, percent=0, groups=(journeys.licensee,), by=last)


def walk_custody(journeys: Journeys, journey: str) -> None:
    """Report a defect, give the device back and send it to be scrapped, or order the removal of a server element."""
    device, world = journeys.device, journeys.world
    if journey == "defect":
        custody.report_defect(journeys, device, kind="faulty", details="a rehearsal")
    elif journey == "remove":
        custody.order_removal(world, device, reason="a rehearsal", by="inspector")
        journeys.settle()
    else:
        with suppress(Refused):  # it was given back before the kill
            returning.withdraw(journeys, reason="no longer wanted")
        custody.send_back(journeys, device, article="9407-1")
        at_provider(world, device, lambda ctx: handovers.receive(ctx, device=device, condition="sound"))
        custody.fetch_receipt(journeys, device)
        at_provider(world, device, lambda ctx: upkeep.scrap(ctx, device=device))


def walk_reconciling(journeys: Journeys) -> None:
    """Make the daily round."""
    daily(journeys.world)


WALKS: Mapping[str, Callable[[Journeys], object]] = {
    "refund": walk_refund,
    "close": walk_closing,
    "return": walk_return,
    "suspend": walk_suspension,
    "reconcile": walk_reconciling,
    **{name: partial(walk_missing, journey=name) for name in ("lose", "find", "file")},
    **{name: partial(walk_updates, journey=name) for name in ("publish", "update")},
    **{name: partial(walk_custody, journey=name) for name in ("defect", "send-back", "remove")},
}
