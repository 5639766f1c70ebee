"""The Postal Service's decisions, said again under any rule set: licenses, refunds, scans, delays.

Here: what a rule set makes of the facts, and of the records that they name. Not here: the comparison
(`rules.replaying`), deadlines, what a Provider decides.
Kept: nothing is decided or written. An application is looked back at from the day on which it was decided; a scan is
told by the date and the register of its mark, whatever else was found of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from towncircle.kernel.cites import cites
from towncircle.kernel.facts import Fact
from towncircle.kernel.store import Transaction
from towncircle.postal.delays import month_after
from towncircle.postal.licenses import LOOK_BACK, REVOKED_BEFORE, looked_back
from towncircle.rules import RuleSet
from towncircle.rules.duties import HEADQUARTERS
from towncircle.rules.replaying import Replay, Said
from towncircle.verification.replaying import REFUNDS, SCANS, refund_under, scan_under


@cites("502.27a/6")
def _refunds(view: Transaction, facts: Sequence[Fact], rules: RuleSet) -> Iterator[Said]:
    for fact in facts:
        if fact.type != "refund.decided":
            continue
        held, papers = view.get("refund", fact.subject), view.get("refund-pieces", fact.subject)
        if held is not None and papers is not None:
            zone = _zone(view, str(held.body["device"]))
            yield fact, "", refund_under(rules, held.body, papers.body, zone=zone)


def _scans(view: Transaction, facts: Sequence[Fact], rules: RuleSet) -> Iterator[Said]:
    for fact in facts:
        held = view.get("scan", fact.subject) if fact.type == "scan.recorded" else None
        if held is None or not held.body["device"] or "payload_bytes" in held.body:
            continue
        on = fact.occurred_at.date_in(_zone(view, str(held.body["device"])))
        for name in SCANS:
            yield fact, name, scan_under(rules, name, bytes.fromhex(held.body["payload"]), on=on)


def _delays(_: Transaction, facts: Sequence[Fact], rules: RuleSet) -> Iterator[Said]:
    for fact in facts:
        if fact.type == "mailing.delay-found":
            first = month_after(str(fact.body["month"]))
            through = first + timedelta(days=rules.term("month_only_grace", first).days - 1)
            yield fact, "month_only_grace", f"through {through}"


@cites("P050-2.2/2")
def _licenses(_: Transaction, facts: Sequence[Fact], rules: RuleSet) -> Iterator[Said]:
    for place, fact in enumerate(facts):
        if fact.type not in ("license.issued", "license.refused"):
            continue
        at, applicant = fact.occurred_at, str(fact.body["licensee"])
        before = looked_back(rules, facts[:place], applicant=applicant, party="postal.usps", as_of=fact.recorded_at)
        looked = any(at <= duty.until for duty in before)
        other = {*fact.body["grounds"]} - {REVOKED_BEFORE}
        yield fact, LOOK_BACK, "refused" if looked or other else "issued"


def _zone(view: Transaction, device: str) -> str:
    row = view.get("device", device)
    held = view.get("license", str(row.body["license"])) if row is not None else None
    return str(held.body.get("zone") or HEADQUARTERS) if held is not None else HEADQUARTERS


REPLAYS = (
    Replay(names=frozenset(REFUNDS), say=_refunds),
    Replay(names=frozenset(SCANS), say=_scans),
    Replay(names=frozenset({"month_only_grace"}), say=_delays),
    Replay(names=frozenset({LOOK_BACK}), say=_licenses),
)
