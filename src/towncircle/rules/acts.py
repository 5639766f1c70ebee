"""Acts of people: what the rule orders and no program can do, recorded as done.

Here: the list of acts (`clauses/acts.toml`) and the decision to record one. Not here: whether it was done well.
Kept: an act stands in the journal of the party that did it, with its office, its clause, a reference and the digest of
the paper that shows it; neither the paper nor a name is kept. The same act told again gets the first answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.facts import Fact
from towncircle.kernel.instants import Instant
from towncircle.rules.inventory import duties, inventory, sheet

FACT = "act.recorded"
PARTIES = ("provider", "postal")
YEAR, MONTH = "year", "month"
_PERIODS = {
    YEAR: re.compile(r"(19|20|21)[0-9]{2}", re.ASCII),
    MONTH: re.compile(r"(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])", re.ASCII),
}
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}", re.ASCII)
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9./:_-]{0,79}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Hold one act: the duty it fulfils, whose journal it stands in, the office, whether a paper shows it.

    `about` is the role of the party that it is about, where it names one. `told_by` holds the facts by which procedures
    of the program tell of the same act, each with what its body says then; `command` is the one that does it, where
    nobody records it freely; `formerly` is the name by which older facts tell of it. An act of a rule set's own has no
    duty: `rule` is its clause and `orders` what is done. `period`: what it is done for (`year`, `month`, or nothing).
    """

    name: str
    duty: str
    by: str
    actor: str
    document: bool
    about: str = ""
    told_by: tuple[tuple[str, Mapping[str, str]], ...] = ()
    command: str = ""
    rule: str = ""
    orders: str = ""
    period: str = ""
    formerly: str = ""

    @property
    def clause(self) -> str:
        """Give the clause of the act's requirement, or of the rule set that orders it."""
        return self.rule or inventory()[duties()[self.duty].row].clause

    @property
    def party(self) -> str:
        """Name the party in words."""
        return {"postal": "the Postal Service", "provider": "a Provider"}[self.by]

    @property
    def does(self) -> str:
        """Say what the act is."""
        return self.orders or duties()[self.duty].does

    def as_dict(self) -> dict[str, Any]:
        """Give an act of a rule set's own as a JSON record, the form in which the rule set's digest covers it."""
        keys = ("name", "by", "actor", "document", "about", "rule", "orders", "period")
        held = {key: getattr(self, key) for key in keys}
        return {**held, "period": {"": False, YEAR: True}.get(self.period, self.period)}  # as before months were known


@cache
def acts() -> Mapping[str, Act]:
    """Give every act by its name."""
    table = sheet("acts")
    table.pop("source")
    return MappingProxyType({name: _read(name, row) for name, row in table.items()})


def _read(name: str, row: dict[str, Any]) -> Act:
    told = row.pop("told_by", [])
    facts = [told] if isinstance(told, dict) else told
    return Act(name=name, told_by=tuple((one["fact"], MappingProxyType(one.get("where", {}))) for one in facts), **row)


def read_act(name: str, table: Mapping[str, Any], *, source: str, quality: str) -> Act:
    """Read an act of a rule set's own. Raises `ValueError` saying what is wrong with it, `KeyError` what it lacks."""
    texts = {key: table[key] for key in ("by", "actor", "clause", "orders")}
    document, period = (table.get(key, False) for key in ("document", "period"))
    unknown = table.keys() - texts.keys() - {"about", "document", "period"}
    if unknown:
        raise ValueError(f"{name} has the unknown keys {sorted(unknown)}")
    about = table.get("about", "")
    if not (source and quality and all(isinstance(text, str) for text in (*texts.values(), about))):
        raise ValueError(f"{name} has a key whose value is no text")
    if texts["by"] not in PARTIES or about not in ("", *PARTIES) or name in acts():
        raise ValueError(f"{name} is an act of nobody who records acts, or has the name of another one")
    if not NAME.fullmatch(name):
        raise ValueError(f"'{name[:40]}' is no name of an act: small letters, digits, '-' and '_'")
    known = [office for office, row in sheet("offices")["offices"].items() if row["party"] == texts["by"]]
    if texts["actor"] not in known:
        raise ValueError(f"{name}: actor '{texts['actor'][:40]}' is no office of a {texts['by']}: {', '.join(known)}")
    if not isinstance(document, bool) or not all(texts.values()):
        raise ValueError(f"{name} has an empty text, or a document that is neither true nor false")
    if not isinstance(period, bool) and period not in (YEAR, MONTH):
        raise ValueError(f"{name} has a period that is neither true nor false nor '{YEAR}' nor '{MONTH}'")
    rule = texts.pop("clause")
    done_for = {True: YEAR, False: ""}[period] if isinstance(period, bool) else period
    return Act(name=name, duty="", about=about, rule=rule, document=document, period=done_for, **texts)


def acts_told(fact: Fact) -> list[Act]:
    """Give the acts that a fact tells of: the one that was recorded, or those that a procedure of the program did."""
    if fact.type == FACT:
        return [act for act in acts().values() if fact.body.get("act") in (act.name, act.formerly or act.name)]

    def tells(act: Act) -> bool:
        kinds = [where for kind, where in act.told_by if kind == fact.type]
        return any(all(fact.body.get(key) == value for key, value in where.items()) for where in kinds)

    return [act for act in acts().values() if tells(act)]


def act_named(name: str, own: Mapping[str, Act] = MappingProxyType({})) -> Act:
    """Give an act by its name, or one of a rule set's `own`. Raises `BadInput` (acts.no-such-act)."""
    found = acts().get(name) or own.get(name)
    if found is None:
        raise BadInput("acts.no-such-act", name=name[:40])
    return found


def check_reference(text: str) -> None:
    """Check that a reference is a file number and names no person. Raises `BadInput` (acts.bad-reference)."""
    if not _REFERENCE.fullmatch(text):
        raise BadInput("acts.bad-reference", text=text[:40])


def check_told(act: Act, *, party: str, document: str, about: str, period: str) -> None:
    """Check what is told of an act against what its rule asks for.

    Raises `BadInput` (acts.bad-about, acts.bad-period), `Refused` (acts.not-this-party, acts.no-document).
    """
    if party.partition(".")[0] != act.by:
        raise Refused("acts.not-this-party", act=act.name, by=act.party, party=party, clause=act.clause)
    if act.document and not document:
        raise Refused("acts.no-document", act=act.name, does=act.does, clause=act.clause)
    if about.partition(".")[0] != act.about:
        raise BadInput(
            "acts.bad-about",
            act=act.name,
            about=about[:64] or "nobody",
            needed=f"a {act.about}" if act.about else "nobody",
        )
    if bool(period) != bool(act.period) or (period and not _PERIODS[act.period].fullmatch(period)):
        raise BadInput("acts.bad-period", act=act.name, period=period[:20] or "none")


def record(
    ctx: Context, *, act: Act, reference: str, document: str, at: Instant, about: str = "", period: str = ""
) -> Fact:
    """Record that an act was done; `document` is the SHA-256 (hex) of the paper that shows it, or empty.

    `about` is the party that it is about, for an act that names one, `period` the year or month that it is done for.

    Raises `BadInput` (acts.bad-reference, acts.bad-about, acts.bad-period), `Refused` (acts.not-this-party,
    acts.no-document, acts.not-yet, acts.conflict).
    """
    clause = act.clause
    check_reference(reference)
    check_told(act, party=ctx.party, document=document, about=about, period=period)
    if at > ctx.now:
        raise Refused("acts.not-yet", act=act.name, at=at, now=ctx.now, clause=clause)
    named = {name: text for name, text in (("about", about), ("period", period)) if text}
    key = " ".join((act.name, reference, at.date_in("UTC").isoformat(), *named.values()))
    held = ctx.tx.get("act", key)
    if held is not None:
        if held.body["document"] != document:
            raise Refused("acts.conflict", act=act.name, reference=reference, clause=clause)
        return next(fact for fact in ctx.tx.facts() if fact.id == held.body["fact"])
    named = {"act": act.name, "duty": act.duty or clause, "document": document, **named}
    fact = ctx.note(FACT, reference, clauses=(clause,), occurred_at=at, **named)
    ctx.tx.put("act", key, {"fact": fact.id, "document": document}, owner=ctx.party, expected=0)
    return fact
