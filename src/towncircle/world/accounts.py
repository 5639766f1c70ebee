"""Accounts as one works with them: deposits that come back, advances, claims, closings, statements, the three books.

Here: each step as one call on an opened world, and the files that come of it. Not here: arguments of commands,
decisions (`provider.accounts`, `provider.advances`, `provider.claims`, `provider.closing`, `postal.closings`).
Kept: every step can be run again after a crash and then finishes what was begun.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from towncircle.bank import ach, lockbox
from towncircle.kernel.errors import Refused, RelayedRefusal
from towncircle.kernel.ids import AdvanceId, ClaimId, ClosingId, TypedId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record
from towncircle.licensee import accounts as own
from towncircle.paper import statement as paper
from towncircle.paper.pdf import write_pdf
from towncircle.postal import closings
from towncircle.postal.daily import finding_of
from towncircle.provider import advances, claims
from towncircle.rules.duties import HEADQUARTERS
from towncircle.wire import nacha, statement_file
from towncircle.wire.bodies import AccountAnswer, AccountRequest, DailyFinding, MonthlyStatement
from towncircle.world.config import BANK, POSTAL
from towncircle.world.journeys import Journeys
from towncircle.world.outbox import ON_THE_WAY
from towncircle.world.population import reconcile_books, today
from towncircle.world.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """Hold a statement with whose it is."""

    statement: MonthlyStatement
    provider: str
    licensee: str


def return_item(world: World, deposit: str, *, reason: str) -> Record:
    """Have the lockbox bank take a deposit back that came back unpaid; Provider and Postal Service are told."""
    kept: Record = world.desk(BANK).perform(
        lambda ctx: lockbox.return_item(ctx, deposit_id=deposit, reason=reason), actor=BANK
    )
    world.deliver()
    return kept


def ach_file(world: World, day: str, *, modifier: str = "") -> bytes:
    """Give the next NACHA file of a day at the lockbox bank, or the one of a modifier again.

    Raises `Refused`: ach.nothing, ach.no-such-file, ach.day-not-over.
    """
    made: nacha.AchFile = world.desk(BANK).perform(lambda ctx: ach.file_of(ctx, day, modifier=modifier), actor=BANK)
    return nacha.write(made)


def agree_advance(world: World, licensee: str, limit: Mills, *, by: str, provider: str = "") -> Record:
    """Agree with a licensee to advance it so much at most, as a person of its Provider."""
    kept: Record = world.desk(_account_at(world, licensee, provider)).perform(
        lambda ctx: advances.agree(ctx, licensee=licensee, limit=limit, rules=world.rules), actor=by
    )
    return kept


def end_advance(world: World, licensee: str, *, reason: str, by: str, provider: str = "") -> Record:
    """End the agreement to advance a licensee anything, as a person of its Provider."""
    job = partial(advances.end, licensee=licensee, reason=reason)
    kept: Record = world.desk(_account_at(world, licensee, provider)).perform(job, actor=by)
    return kept


def ask_advance(journeys: Journeys, amount: Mills, *, by: str = "", provider: str = "") -> AccountAnswer:
    """Ask the Provider for an advance."""
    return _ask(journeys, "advance", journeys.new(AdvanceId.new), provider_of(journeys, provider), amount=amount, by=by)


def claim(journeys: Journeys, device: str, amount: Mills, *, reason: str, by: str = "") -> AccountAnswer:
    """Claim postage that a malfunction lost in a device that was given back."""
    with journeys.world.store(journeys.licensee).reading() as view:
        row = view.get("device", device)
    provider = str(row.body["provider"]) if row is not None else provider_of(journeys)  # who refuses it
    told = {"device": device, "amount": amount, "reason": reason, "by": by}
    return _ask(journeys, "claim", journeys.new(ClaimId.new), provider, **told)  # type: ignore[arg-type]


def decide_claim(world: World, name: str, *, grant: bool, finding: str, by: str, approved_by: str) -> Record:
    """Decide a claim as a person of the Provider, approved by another."""
    kept: Record = world.desk(_provider_of_claim(world, name)).perform(
        lambda ctx: claims.decide(ctx, claim=name, grant=grant, finding=finding),
        actor=by,
        approvals=(approved_by,) if approved_by else (),
    )
    return kept


def close(journeys: Journeys, *, by: str, reason: str = "", provider: str = "") -> AccountAnswer:
    """Ask in writing for the closing of the account, as an authorised person of the licensee."""
    told = _ask(journeys, "closing", journeys.new(ClosingId.new), provider_of(journeys, provider), reason=reason, by=by)
    journeys.world.deliver()
    return told


def instruct(world: World, closing: str, *, by: str) -> Record:
    """Instruct the refund check of a closing, as a person of the accounting service center.

    One that somebody else has instructed is finished. Raises `Refused` then: closing.instructed-before.
    """
    world.deliver()
    desk = world.desk(POSTAL)
    desk.perform(lambda ctx: closings.instruct(ctx, closing=closing), actor=by)
    kept: Record = desk.perform(lambda ctx: closings.issue(ctx, closing=closing), actor=by)
    world.deliver()
    if kept.body["instructed_by"] != by:
        raise Refused("closing.instructed-before", closing=closing, by=kept.body["instructed_by"])
    return kept


def _ask(
    journeys: Journeys,
    kind: str,
    reference: TypedId,
    provider: str,
    *,
    device: str = "",
    amount: Mills = ZERO,
    reason: str = "",
    by: str = "",
) -> AccountAnswer:
    request = AccountRequest(
        reference=reference,
        kind=kind,  # type: ignore[arg-type]  # one of the three words
        device=device,
        amount=amount,
        reason=reason,
        asked_by=by or journeys.licensee,
    )
    held: Record = journeys.do(lambda ctx: own.begin(ctx, request=request, provider=provider), actor=by)
    return follow(journeys, held.key)


def follow(journeys: Journeys, reference: str) -> AccountAnswer:
    """Send a request, or ask how it stands; one that the Provider refused is not asked again."""
    try:
        told: AccountAnswer = journeys.do(lambda ctx: own.send(ctx, reference=reference))
    except RelayedRefusal as refusal:
        if not refusal.code.startswith(ON_THE_WAY):  # what is sent again is not dropped: the Provider may still do it
            journeys.do(lambda ctx: own.drop(ctx, reference=reference))
        raise
    return told


def settle(journeys: Journeys) -> None:
    """Finish the requests that a crash left between writing them down and the Provider's answer."""
    with journeys.world.store(journeys.licensee).reading() as view:
        begun = [row.key for row in view.find("account-request") if row.body["state"] == own.BEGUN]
    for reference in begun:
        follow(journeys, reference)


def requests_of(journeys: Journeys, kind: str) -> list[str]:
    """Name the requests of a kind that a licensee made and its Provider did not refuse."""
    with journeys.world.store(journeys.licensee).reading() as view:
        rows = view.find("account-request")
    return [row.key for row in rows if row.body["kind"] == kind and row.body["state"] != own.DROPPED]


def statement(journeys: Journeys, month: str, *, provider: str = "") -> Stated:
    """Fetch the statement of a month (`YYYY-MM`) from the Provider."""
    provider = provider_of(journeys, provider)
    told: MonthlyStatement = journeys.do(lambda ctx: own.statement(ctx, provider=provider, month=month))
    return Stated(statement=told, provider=provider, licensee=journeys.licensee)


def write_statement(stated: Stated, folder: Path) -> tuple[Path, Path]:
    """Write a statement as PDF and as CSV; give both."""
    whose = {"provider": stated.provider, "licensee": stated.licensee}
    folder.mkdir(parents=True, exist_ok=True)
    name = f"statement-{stated.licensee.partition('.')[2]}-{stated.statement.month}"
    page, file = folder / f"{name}.pdf", folder / f"{name}.csv"
    laid = paper.pages(stated.statement, **whose, zone=HEADQUARTERS)  # by whose calendar the month runs
    write_pdf(laid, page, title=f"Statement {stated.statement.month}")
    file.write_bytes(statement_file.write(stated.statement, **whose))
    return page, file


def write_document(stated: Stated, reference: str, folder: Path) -> Path:
    """Write the document of one transaction of a statement. Raises `Refused` (statement.no-such-row)."""
    rows = [row for row in stated.statement.rows if row.reference == reference]
    if not rows:
        raise Refused("statement.no-such-row", month=stated.statement.month, reference=reference[:64])
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / f"transaction-{reference}.pdf"
    whose = {"provider": stated.provider, "licensee": stated.licensee}
    paid = paper.document(stated.statement, rows[0], **whose, zone=HEADQUARTERS)
    write_pdf(paid, page, title=f"Transaction {reference}")
    return page


def reconcile(world: World, day: str = "") -> list[tuple[str, DailyFinding]]:
    """Give the three-way findings of a day, by Provider; those of today are made where they are not there yet.

    Raises `Refused` (daily.unknown) for another day of which there is none.
    """
    if day in ("", today(world)):
        world.deliver()
        return list(reconcile_books(world))
    found = []
    with world.store(POSTAL).reading() as view:
        for provider in world.config.providers:
            held = view.get("daily-finding", f"{provider} {day}")
            if held is not None:
                found.append((str(provider), finding_of(held)))
    if not found:
        raise Refused("daily.unknown", day=day[:20], provider="any Provider")
    return found


def write_daily_file(world: World, provider: str, day: str, folder: Path) -> Path:
    """Write the daily financial file that a Provider sent for a day, to the byte; give the file.

    Raises `Refused`: missing.elsewhere where the Provider runs as a process of its own, daily.unknown.
    """
    if provider not in world.desks:
        raise Refused("missing.elsewhere", provider=provider[:64])
    with world.store(provider).reading() as view:
        held = view.get("daily-file", day)
    if held is None:
        raise Refused("daily.unknown", day=day[:20], provider=provider)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{provider}-{day}.dff"
    file.write_bytes(base64.b64decode(held.body["file"]))
    return file


def provider_of(journeys: Journeys, named: str = "") -> str:
    """Name the Provider with which a licensee has its account: the one that is named, or the only one of its leases.

    Raises `Refused`: world.no-device, account.which-provider where it may be several, account.unknown for another one.
    """
    with journeys.world.store(journeys.licensee).reading() as view:
        known = {str(row.body["provider"]) for row in view.find("device")}
    if not known:
        raise Refused("world.no-device", licensee=journeys.licensee)
    return _one_of(known, journeys.licensee, named)


def _account_at(world: World, licensee: str, named: str) -> str:
    known = set()
    for provider in world.config.providers:
        with world.store(provider).reading() as view:
            if view.get("account", licensee) is not None:
                known.add(str(provider))
    return _one_of(known, licensee, named)


def _one_of(known: set[str], licensee: str, named: str) -> str:
    whole = named if not named or named.startswith("provider.") else f"provider.{named}"
    if whole in known:
        return whole
    if whole or not known:
        raise Refused("account.unknown", licensee=licensee[:64], provider=whole[:64] or "no Provider here")
    if len(known) > 1:
        raise Refused("account.which-provider", licensee=licensee, providers=" and ".join(sorted(known)))
    return known.pop()


def _provider_of_claim(world: World, claim_id: str) -> str:
    for provider in world.config.providers:
        with world.store(provider).reading() as view:
            if view.get("claim", claim_id) is not None:
                return str(provider)
    raise Refused("claim.unknown", claim=claim_id[:40], provider="no Provider here")
