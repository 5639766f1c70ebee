"""Revocation of a license after P050 2.3: the six grounds, the decision, its written notice.

Here: revoking, declining to revoke, cautions for later applications. Not here: the way of the notice to the licensee
(`standing`), appeals (`appeals`), what the Provider does about its leases.
Kept: a ground that the Postal Service's own records show (b, f) is taken from them, never from somebody's word; the
other four are found by a person, with particulars. The decision, its fact and the notice are one transaction, and a
license is revoked once. Certificates run on: marks made before are no less true; they end with the check-out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.facts import Fact
from towncircle.kernel.store import Record
from towncircle.postal.permits import ABROAD, in_force
from towncircle.postal.standing import (
    APPEAL,
    REVOKED,
    VALID,
    appeal_until,
    give_notice,
    grounds_of,
    license_row,
    not_valid,
    providers_of,
)
from towncircle.rules import Duty, RuleSet
from towncircle.rules.duties import HEADQUARTERS, derive
from towncircle.wire.bodies import LicenseRevoked

NOT_RESET, NO_QUALITY_PIECE = "not-reset", "no-quality-piece"
_MADE: Mapping[str, Callable[[str], Refused]] = MappingProxyType(  # 2.3(a) to (f)
    {
        "illegal-use": lambda shown: Refused("license.revoked-illegal-use", particulars=shown),
        NOT_RESET: lambda shown: Refused("license.revoked-not-reset", particulars=shown),
        "control": lambda shown: Refused("license.revoked-control", particulars=shown),
        "abroad": lambda shown: Refused("license.revoked-abroad", particulars=shown),
        "other-office": lambda shown: Refused("license.revoked-other-office", particulars=shown),
        NO_QUALITY_PIECE: lambda shown: Refused("license.revoked-no-quality-piece", particulars=shown),
    }
)
GROUNDS = tuple(_MADE)
_MOST = 400


@cites("P050-2.3a", "P050-2.3b", "P050-2.3c", "P050-2.3d", "P050-2.3e", "P050-2.3f", "P050-2.3g/1", "P050-2.3g/2")
def revoke(ctx: Context, *, number: str, grounds: Mapping[str, str], rules: RuleSet) -> Record:
    """Revoke a license on every ground given, with its particulars; give the record of the decision.

    Raises `Refused`: license.unknown, license.not-valid, license.ground-not-shown, license.permitted; `BadInput`:
    license.no-such-ground, license.no-grounds.
    """
    row = license_row(ctx, number)
    _check(grounds)
    if row.body["state"] != VALID:
        raise not_valid(ctx, row)
    named = [_named(ctx, number, ground, text, rules) for ground, text in _ordered(grounds)]
    held = ctx.tx.get("revocation", number)
    count = int(held.body["count"]) + 1 if held else 1
    decision = f"RVK-{number}-{count}"
    kept = [[one.code, one.sentence, one.clause] for one in named]
    zone = str(row.body.get("zone", ""))
    record = {"decision": decision, "count": count, "grounds": kept, "at": int(ctx.now), "by": ctx.actor, "zone": zone}
    decided = ctx.tx.put("revocation", number, record, owner=row.owner, expected=held.version if held else 0)
    ctx.tx.put("license", number, {**row.body, "state": REVOKED}, owner=row.owner, expected=row.version)
    ctx.note(
        "license.revoked",
        number,
        clauses=tuple(one.clause for one in named),
        licensee=row.owner,
        provider=row.body["provider"],
        decision=decision,
        grounds=sorted(grounds),
    )
    notice = LicenseRevoked(decision=decision, license=number, licensee=row.owner, grounds=grounds_of(kept), at=ctx.now)
    for provider in providers_of(row):
        ctx.send(provider, notice, key=f"revoked {decision} {provider}")
    words = " ".join(f"{one.sentence} [{one.clause}]" for one in named)
    days = rules.length_of(APPEAL, ctx.now.date_in(zone or HEADQUARTERS))
    says = f"The license {number} is revoked; an appeal may be filed within {days} of receipt. {words}"
    told = {"decision": decision, "title": "the license is revoked", "says": says}
    give_notice(ctx, about=number, to=row.owner, until=appeal_until(ctx, rules, zone), **told)
    return decided


def _ordered(grounds: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(grounds.items(), key=lambda one: GROUNDS.index(one[0]))


def _check(grounds: Mapping[str, str]) -> None:
    if not grounds:
        raise BadInput("license.no-grounds")
    for ground, text in grounds.items():
        if ground not in GROUNDS:
            raise BadInput("license.no-such-ground", ground=ground[:40], known=", ".join(GROUNDS))
        if ground not in (NOT_RESET, NO_QUALITY_PIECE) and not text.strip():
            raise BadInput("license.no-grounds")
        if len(text) > _MOST:
            raise BadInput("license.no-grounds")


def _named(ctx: Context, number: str, ground: str, text: str, rules: RuleSet) -> Refused:
    """Name a ground with its particulars. Raises `Refused` (license.ground-not-shown, license.permitted)."""
    shown = ""
    if ground == ABROAD and (permit := in_force(ctx.tx, number=number, kind=ABROAD, at=ctx.now)) is not None:
        raise Refused(
            "license.permitted", permit=ABROAD, license=number, until=permit.body["until"], clause="P050 2.3(d)"
        )
    if ground == NOT_RESET:
        late = list(_late(ctx, number, rules))
        shown = "; ".join(f"The device {duty.thread}: the last day was {duty.last_day}." for duty in late)
    elif ground == NO_QUALITY_PIECE:
        open_ = _undecided(ctx, number, rules)
        shown = f"Its Provider reported it on {open_.anchor.occurred_at.date_in(open_.zone)}." if open_ else ""
    if ground in (NOT_RESET, NO_QUALITY_PIECE) and not shown:
        raise Refused("license.ground-not-shown", ground=ground, license=number)
    return _MADE[ground](" ".join(part for part in (shown, text.strip()) if part))


def _late(ctx: Context, number: str, rules: RuleSet) -> Iterator[Duty]:
    devices = {row.key for row in ctx.tx.find("device") if row.body["license"] == number}
    facts = [fact for fact in ctx.tx.facts() if fact.subject in devices]
    for duty in _duties(ctx, rules, "license-audit-ground", facts):
        if duty.thread in devices and duty.missed(ctx.now) and not duty.ended:
            yield duty


def _undecided(ctx: Context, number: str, rules: RuleSet) -> Duty | None:
    facts = [fact for fact in ctx.tx.facts() if fact.subject == number]
    found = [duty for duty in _duties(ctx, rules, "license-quality-ground", facts) if duty.closed is None]
    return found[0] if found else None


def _duties(ctx: Context, rules: RuleSet, name: str, facts: list[Fact]) -> list[Duty]:
    return derive(rules, facts, party=ctx.party, as_of=ctx.now, wanted=lambda limit: limit.id == name)


@cites("502.26")
def decline(ctx: Context, *, number: str, reason: str, rules: RuleSet) -> None:
    """Decline to revoke a license whose noncompliance was reported. Raises `Refused` (license.nothing-to-decline)."""
    row = license_row(ctx, number)
    if _undecided(ctx, number, rules) is None:
        raise Refused("license.nothing-to-decline", license=number)
    ctx.note("license.revocation-declined", number, clauses=("P050 2.3(f)",), licensee=row.owner, reason=reason[:_MOST])


@cites("P050-2.2/3")
def caution(ctx: Context, *, licensee: str, lift: bool = False) -> Record:
    """Record sufficient reason to believe in a use in violation, or lift it; applications meet it as a ground."""
    held = ctx.tx.get("caution", licensee)
    standing = held is not None and held.body["state"] == "standing"
    if held is not None and standing != lift:
        return held
    if held is None and lift:
        raise Refused("license.unknown", about=licensee[:64])
    number = held.body["number"] if held and lift else f"CAU-{ctx.tx.next_number('caution'):06d}"
    record = {"number": number, "state": "lifted" if lift else "standing", "at": int(ctx.now), "by": ctx.actor}
    kept = ctx.tx.put("caution", licensee, record, owner=licensee, expected=held.version if held else 0)
    kind = "license.caution-lifted" if lift else "license.caution-recorded"
    ctx.note(kind, number, clauses=("P050 2.2",), licensee=licensee)
    return kept
