"""A Provider's decisions, said again under any rule set: leases, resets, deposits, advances, services, refunds.

Here: what a rule set makes of the facts, and of the records that they name. Not here: the comparison
(`rules.replaying`), deadlines, what another party decides.
Kept: nothing is decided or written. A lease is decided by the terms that its device was given, a reset by the cap on
what a device may hold (P050 3.6), from the last signed reading before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date

from towncircle.kernel.cites import cites
from towncircle.kernel.facts import Fact
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Transaction
from towncircle.provider.accounts import AVAILABLE
from towncircle.provider.handovers import BACK, OUT, SERVICES
from towncircle.rules import RuleSet
from towncircle.rules.calendars import business_days_after
from towncircle.rules.duties import HEADQUARTERS
from towncircle.rules.replaying import Replay, Said
from towncircle.verification.replaying import REFUNDS, refund_under

GRANTED = (  # what a lease sets in its device
    "advance_limit_days",
    "certificate_warning",
    "clock_difference_minutes",
    "contact_interval",
    "contact_warning",
    "descending_cap",
    "keyed_postage_limit",
    "lapse_effect",
    "next_collection",
)
_CEILING = "ledger.ceiling"


def _leases(_: Transaction, facts: Sequence[Fact], rules: RuleSet) -> Iterator[Said]:
    for fact in facts:
        if fact.type == "custody.leased":
            day = fact.occurred_at.date_in(str(fact.body.get("zone") or HEADQUARTERS))
            for name in GRANTED:
                yield fact, name, str(rules.parameters[name].on(day))


@cites("P050-3.6", "PRE-11")
def _resets(_: Transaction, facts: Sequence[Fact], rules: RuleSet) -> Iterator[Said]:
    held: dict[str, int] = {}
    for fact in facts:
        if fact.type == "audit.taken":
            held[fact.subject] = int(fact.body["descending"])
        elif fact.type == "reset.reserved" or (fact.type == "reset.refused" and fact.body["code"] == _CEILING):
            filled = held.get(str(fact.body["device"]), 0) + int(fact.body["amount"])
            cap = rules.mills("descending_cap", fact.occurred_at.date_in(HEADQUARTERS))
            yield fact, "descending_cap", "authorised" if filled <= cap else "refused"


def _deposits(_: Transaction, facts: Sequence[Fact], rules: RuleSet) -> Iterator[Said]:
    for fact in facts:
        if fact.type == "deposit.credited":
            name, told = AVAILABLE[str(fact.body["form"])], str(fact.body.get("day") or "")
            day = date.fromisoformat(told) if told else fact.occurred_at.date_in(HEADQUARTERS)
            yield fact, name, f"available {business_days_after(day, rules.integer(name, day))}"


def _advances(_: Transaction, facts: Sequence[Fact], rules: RuleSet) -> Iterator[Said]:
    agreed: dict[str, int] = {}
    owed: Counter[str] = Counter()
    for fact in facts:
        if fact.type not in ("advance.agreed", "advance.given", "advance.repaid"):
            continue
        licensee, most = str(fact.body["licensee"]), int(rules.mills("advance_limit", _day(fact)))
        if fact.type == "advance.agreed":
            wanted = agreed[licensee] = int(fact.body["limit"])
        else:
            amount = int(fact.body["amount"])
            owed[licensee] += amount if fact.type == "advance.given" else -amount
            wanted, most = owed[licensee], min(most, agreed.get(licensee, 0))
        if fact.type != "advance.repaid":
            yield fact, "advance_limit", "within the limit" if wanted <= most else f"refused: over {Mills(most)}"


def _services(_: Transaction, facts: Sequence[Fact], rules: RuleSet) -> Iterator[Said]:
    permitted: set[tuple[str, str]] = set()
    chosen = ""
    for fact in facts:
        service = str(fact.body.get("service", ""))
        if fact.type == "service.permitted":
            permitted.add((str(fact.body["direction"]), service))
        elif fact.type == "custody.shipped":
            yield fact, SERVICES[OUT], chosen or rules.text(SERVICES[OUT], _day(fact))
        elif fact.type in ("service.chosen", "device.sent-back"):
            way = BACK if fact.type == "device.sent-back" else OUT
            chosen = service if way == OUT else chosen
            free = (way, service) in permitted or service == rules.text(SERVICES[way], _day(fact))
            yield fact, SERVICES[way], "allowed" if free else "refused: not permitted"


def _refunds(view: Transaction, facts: Sequence[Fact], rules: RuleSet) -> Iterator[Said]:
    for fact in facts:
        if fact.type not in ("form-3533.sent", "form-3533.refused"):
            continue
        held, papers = view.get("refund", fact.subject), view.get("refund-pieces", fact.subject)
        device = view.get("device", str(held.body["device"])) if held is not None else None
        if held is not None and papers is not None and device is not None:
            yield fact, "", refund_under(rules, held.body, papers.body, zone=str(device.body["zone"]))


def _day(fact: Fact) -> date:
    return fact.occurred_at.date_in(HEADQUARTERS)


REPLAYS = (
    Replay(names=frozenset(GRANTED), say=_leases),
    Replay(names=frozenset({"descending_cap"}), say=_resets),
    Replay(names=frozenset(AVAILABLE.values()), say=_deposits),
    Replay(names=frozenset({"advance_limit"}), say=_advances),
    Replay(names=frozenset(SERVICES.values()), say=_services),
    Replay(names=frozenset(REFUNDS), say=_refunds),
)
