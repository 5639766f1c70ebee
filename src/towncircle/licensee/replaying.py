"""A licensee's decisions, said again under any rule set: the date and the dearest piece of each planned job.

Here: what a rule set makes of the jobs that the facts name. Not here: the comparison (`rules.replaying`), what the
device allowed, whose figures its Provider signed into it.
Kept: nothing is decided or written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from towncircle.kernel.errors import TowncircleError
from towncircle.kernel.facts import Fact
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Transaction
from towncircle.licensee.limits import Limits
from towncircle.mailpiece.zipcode import place_of
from towncircle.rules import RuleSet
from towncircle.rules.duties import HEADQUARTERS
from towncircle.rules.replaying import Replay, Said


def _jobs(view: Transaction, facts: Sequence[Fact], rules: RuleSet) -> Iterator[Said]:
    for fact in facts:
        held = view.get("job", fact.subject) if fact.type == "print.planned" else None
        if held is None or not held.body.get("mailing_date"):
            continue
        device = view.get("device", str(held.body["device"]))
        license_ = view.get("license", str(device.body["license"])) if device is not None else None
        zone = place_of(str(license_.body["office_zip"])).zone if license_ is not None else HEADQUARTERS
        limits = Limits.of(rules, fact.occurred_at.date_in(zone), zone=zone)
        try:
            limits.check(day=date.fromisoformat(held.body["mailing_date"]), amounts=_amounts(held.body["pieces"]))
            yield fact, "", "planned"
        except TowncircleError as ground:
            yield fact, "", f"refused: {ground.code}"


def _amounts(pieces: Sequence[dict[str, object]]) -> Iterator[Mills]:
    return (Mills(int(str(piece["amount"]))) for piece in pieces if piece.get("amount"))


REPLAYS = (Replay(names=frozenset({"next_collection", "keyed_postage_limit"}), say=_jobs),)
