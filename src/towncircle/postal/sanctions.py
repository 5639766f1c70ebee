"""Administrative sanctions: costs and losses with interest, noticed to a Provider (502.15, 502.21, 502.24(e)).

Here: the calculation, the notice, what is paid and paid back. Not here: decisions and withdrawals
(`decisions`), appeals (`defenses`).
Kept: the sum is reproducible. Each cost, loss and recovery is a dated row with its reference; interest is simple, by
actual days over 365, from the day of the row to the day of the notice, a recovery bearing it against the losses; it is
rounded half up to the mill once, over all rows. The rule gives no rate, so the notice names one and where it is
published. Nothing is due while an appeal stays it; what was paid on one that is withdrawn or reversed is paid back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record
from towncircle.ledger import POSTAL, Books
from towncircle.ledger.trust import sanction_paid, sanction_repaid
from towncircle.postal import procedures as common
from towncircle.postal.decisions import notified
from towncircle.postal.procedures import form_of, note, procedure_row, text_of
from towncircle.rules import RuleSet
from towncircle.rules.acts import check_reference
from towncircle.rules.duties import HEADQUARTERS
from towncircle.rules.inventory import rows_named
from towncircle.rules.procedures import IN_FORCE, STAYED, in_force, procedures

REPORTING, CONTROLS = "reporting-sanction", "sanction"
KINDS = ("cost", "loss", "recovery")
YEAR_DAYS, PER_MILLION = 365, 1_000_000  # house: how interest is counted
_FALLEN = ("withdrawn", "reversed")
_BOUND = {REPORTING: ("502.14",), CONTROLS: ("502.20", "502.23", "502.24")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """Hold one cost, loss or recovery: its day, its amount, the file that shows it, and the device, if one is meant."""

    kind: str
    on: date
    amount: Mills
    reference: str
    device: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Hold the yearly rate of interest in millionths, and where it is published."""

    per_million: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """Hold what a sanction comes to."""

    costs: Mills
    losses: Mills
    recovered: Mills
    interest: Mills

    @property
    def total(self) -> Mills:
        """Give what is due: never less than nothing."""
        return max(ZERO, self.costs + self.losses - self.recovered + self.interest)


@cites("502.15/1", "502.21/1")
def calculate(rows: Iterable[Occurrence], rate: Rate, *, to: date) -> Sum:
    """Calculate a sanction up to a day: costs and losses, less what was recovered, with interest from each row."""
    sums = dict.fromkeys(KINDS, ZERO)
    parts = 0  # of a mill: millionths of a year's interest times days
    for row in rows:
        sums[row.kind] = sums[row.kind] + row.amount
        sign = -1 if row.kind == "recovery" else 1
        parts += sign * int(row.amount) * rate.per_million * max(0, (to - row.on).days)
    whole = YEAR_DAYS * PER_MILLION
    interest = (2 * abs(parts) + whole) // (2 * whole)
    return Sum(
        costs=sums["cost"],
        losses=sums["loss"],
        recovered=sums["recovery"],
        interest=Mills(interest if parts >= 0 else -interest),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Hold what a sanction is for: the procedure, the provision that was not kept, its rows and its rate.

    `known_on` is the day on which the Provider knew or should have known (502.15).
    """

    form: str
    provider: str
    provision: str
    rows: tuple[Occurrence, ...]
    rate: Rate
    known_on: date | None = None


@cites("502.15/1", "502.15/2", "502.15/3", "502.21/1", "502.21/2", "502.21/3", "502.21/6", "502.24e")
def notify(ctx: Context, failure: Failure, *, reasons: str, effective_on: str, rules: RuleSet) -> Record:
    """Give notice of a sanction with facts, reasons, the calculation and the effective date.

    Raises `Refused`: sanction.no-such-control, sanction.no-incident, sanction.exempt, sanction.no-known-day,
    sanction.before-known, sanction.no-rate, postal.unknown-device, procedure.effective-early; `BadInput`:
    sanction.bad-row.
    """
    form = procedures().get(failure.form)
    if form is None or form.form != "sanction":
        raise BadInput("sanction.no-such-form", name=failure.form[:40], known=f"{REPORTING}, {CONTROLS}")
    clauses = form.clauses
    _check_control(ctx, failure, clauses["grounds"])
    today = ctx.now.date_in(HEADQUARTERS)
    _check_rows(failure.rows, today)
    _check_devices(ctx, failure, clauses["grounds"])
    if failure.form == REPORTING:
        _check_known(failure, clauses["notice"])
    if failure.rate.per_million <= 0 or not failure.rate.source.strip():
        raise Refused("sanction.no-rate", clause=clauses["notice"])
    words = text_of(reasons, clauses["notice"])
    total = calculate(failure.rows, failure.rate, to=today)
    row = common.begin(
        ctx,
        failure.form,
        failure.provider,
        ground=failure.provision,
        deficiencies=[_line(one) for one in failure.rows],
        amount=int(total.total),
        paid=0,
        assessment=_assessment(failure, total, today),
    )
    row = notified(ctx, row, words, effective_on, "", rules)
    sums: dict[str, Any] = {
        name: int(getattr(total, name)) for name in ("costs", "losses", "recovered", "interest", "total")
    }
    sums["rows"] = ["|".join(map(str, one)) for one in row.body["assessment"]["rows"]]
    note(ctx, row, "assessed", clauses["notice"], to=today.isoformat(), rate=failure.rate.per_million, **sums)
    return row


def _line(row: Occurrence) -> str:
    return f"{row.kind} {row.on} {row.amount} {row.reference} {row.device}".strip()


def _assessment(failure: Failure, total: Sum, to: date) -> dict[str, Any]:
    rows = [[row.kind, row.on.isoformat(), int(row.amount), row.reference, row.device] for row in failure.rows]
    return {
        "rows": rows, "rate": failure.rate.per_million, "source": failure.rate.source[:200], "to": to.isoformat(),
        "interest": int(total.interest), "known_on": failure.known_on.isoformat() if failure.known_on else "",
    }  # fmt: skip


def _check_control(ctx: Context, failure: Failure, clause: str) -> None:
    named = rows_named(failure.provision)
    bound = _BOUND[failure.form]
    if not named or not all(row.startswith(bound) for row in named):
        told = {"provision": failure.provision[:40], "known": ", ".join(bound)}
        raise Refused("sanction.no-such-control", **told, clause=clause)
    if any(row.startswith("502.24") for row in named):
        devices = [ctx.tx.get("device", row.device) for row in failure.rows if row.device]
        if not any(held is not None and "missing_since" in held.body for held in devices):
            raise Refused("sanction.no-incident", provision=failure.provision)


def _check_rows(rows: Sequence[Occurrence], today: date) -> None:
    for row in rows:
        check_reference(row.reference)
        if row.kind not in KINDS or row.amount <= 0 or row.on > today:
            raise BadInput("sanction.bad-row", row=_line(row), known=", ".join(KINDS))
    if not any(row.kind != "recovery" for row in rows):
        raise BadInput("sanction.bad-row", row="none", known=", ".join(KINDS))


@cites("502.21/6")
def _check_devices(ctx: Context, failure: Failure, clause: str) -> None:
    """Check that the devices named are this Provider's own, and none that 502.21 exempts."""
    for device in filter(None, (row.device for row in failure.rows)):
        held = ctx.tx.get("device", device)
        if held is None or held.owner != failure.provider:
            raise Refused("postal.unknown-device", device=device[:20], provider=failure.provider, clause=clause)
        held_here = held.body.get("owned") or ctx.tx.get("postal-system", device) is not None
        if failure.form == CONTROLS and held_here:
            raise Refused("sanction.exempt", device=device)


def _check_known(failure: Failure, clause: str) -> None:
    if failure.known_on is None:
        raise Refused("sanction.no-known-day", clause=clause)
    early = [row for row in failure.rows if row.on < failure.known_on]
    if early:
        raise Refused("sanction.before-known", row=_line(early[0]), day=failure.known_on, clause=clause)


@cites("502.21/6")
def hold(ctx: Context, *, device: str, how: str, reference: str) -> Record:
    """Record that the Postal Service owns or leases a system: 502.21 does not take it in."""
    check_reference(reference)
    if how not in ("owned", "leased"):
        raise BadInput("sanction.bad-holding", how=how[:40])
    held = ctx.tx.get("device", device)
    if held is None:
        raise Refused("postal.unknown-device", device=device[:20], provider="any Provider")
    row = ctx.tx.get("postal-system", device)
    if row is None:
        body = {"how": how, "reference": reference, "since": int(ctx.now), "by": ctx.actor}
        row = ctx.tx.put("postal-system", device, body, owner=held.owner, expected=0)
        ctx.note("system.held-by-postal", device, clauses=("502.21(a)",), how=how, reference=reference)
    return row


@cites("502.15/5", "502.21/5")
def pay(ctx: Context, *, procedure: str, amount: Mills, reference: str) -> Record:
    """Record what a Provider paid on a sanction that is in force; the same paper again is the same payment.

    Raises `Refused` (sanction.paid-before, sanction.not-due, sanction.overpaid).
    """
    row = procedure_row(ctx, procedure)
    form, body = form_of(row), row.body
    check_reference(reference)
    payments: dict[str, int] = body.get("payments", {})
    if reference in payments:
        if payments[reference] != int(amount):
            raise Refused("sanction.paid-before", reference=reference, procedure=row.key,
                          amount=Mills(payments[reference]), clause=form.clauses["notice"])  # fmt: skip
        return row
    stayed = body["state"] == STAYED
    if body["state"] != IN_FORCE or not in_force(body, ctx.now):
        clause = form.clauses["appeal" if stayed else "decision"]
        raise Refused("sanction.not-due", procedure=row.key, state="stayed" if stayed else body["state"], clause=clause)
    paid = Mills(int(body.get("paid", 0))) + amount
    if amount <= 0 or paid > Mills(body["amount"]):
        left = Mills(body["amount"]) - Mills(int(body.get("paid", 0)))
        raise Refused("sanction.overpaid", procedure=row.key, left=left, clause=form.clauses["notice"])
    changed = {**body, "paid": int(paid), "payments": {**payments, reference: int(amount)}}
    row = ctx.tx.put("procedure", row.key, changed, owner=row.owner, expected=row.version)
    _book(ctx, row, reference, amount)
    told: dict[str, Any] = {"amount": int(amount), "paid": int(paid), "reference": reference, "booked": True}
    note(ctx, row, "paid", form.clauses["notice"], **told)
    return row


def _book(ctx: Context, row: Record, reference: str, amount: Mills) -> None:
    told: dict[str, Any] = {"procedure": row.key, "paper": reference, "provider": row.owner}
    Books(ctx.tx, POSTAL).post(sanction_paid(**told, amount=amount, at=ctx.now))


@cites("502.15/4", "502.15/5", "502.21/4", "502.21/5")
def repay(ctx: Context, *, procedure: str, reference: str) -> Record:
    """Pay all back that was paid on a sanction which does not stand; the same paper again is the same payment.

    What was paid before there were books of it is booked first. Raises `Refused` (sanction.nothing-to-repay,
    sanction.repaid-before).
    """
    row = procedure_row(ctx, procedure)
    form, body = form_of(row), row.body
    clause = form.clauses["withdrawn"]
    check_reference(reference)
    if earlier := body.get("repaid_by", ""):
        if earlier != reference:
            raise Refused("sanction.repaid-before", procedure=row.key, reference=earlier, clause=clause)
        return row
    paid = Mills(int(body.get("paid", 0)))
    if form.form != "sanction" or body["ended"] not in _FALLEN or paid == ZERO:
        state = body["ended"] or body["state"]
        raise Refused("sanction.nothing-to-repay", procedure=row.key, state=state, paid=paid, clause=clause)
    for paper, amount in body["payments"].items():
        _book(ctx, row, paper, Mills(amount))
    told: dict[str, Any] = {"procedure": row.key, "paper": reference, "provider": row.owner}
    Books(ctx.tx, POSTAL).post(sanction_repaid(**told, amount=paid, at=ctx.now))
    row = ctx.tx.put("procedure", row.key, {**body, "repaid_by": reference}, owner=row.owner, expected=row.version)
    note(ctx, row, "repaid", clause, amount=int(paid), reference=reference)
    return common.tell(ctx, row, "repayment", f"What was paid on it, {paid}, is paid back by {reference}.", clause)
