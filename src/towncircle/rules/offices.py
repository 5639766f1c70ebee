"""Offices: which person of a party may do which act.

Here: the offices and the acts that belong to them (`clauses/offices.toml`), granting an office, and the one guard of
every such act. Not here: the list of persons itself (`kernel.persons`), two persons for one act (`kernel.context`).
Kept: an act of an office is refused, with the clause that gives it to that office, to everybody who does not hold it; a
person may hold several. A person whom a world wrote down before there were offices holds every office of his party, as
he did then, until he is granted some by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from towncircle.kernel import persons
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.rules.acts import Act, acts
from towncircle.rules.inventory import sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Hold one office: its name, the role of the party that has it, and what it is in words."""

    name: str
    party: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeAct:
    """Hold one act: the command that does it, the offices that may, and the clause that gives it to them."""

    name: str
    offices: tuple[str, ...]
    clause: str

    @property
    def party(self) -> str:
        """Name the role of the party whose act it is."""
        return offices()[self.offices[0]].party


@cache
def offices() -> Mapping[str, Office]:
    """Give every office by its name."""
    rows = sheet("offices")["offices"]
    return MappingProxyType({name: Office(name=name, **row) for name, row in rows.items()})


@cache
def acts_of_office() -> Mapping[str, OfficeAct]:
    """Give every act of an office by its name, which is the command that does it."""
    rows = sheet("offices")["acts"]
    found = {
        name: OfficeAct(name=name, offices=tuple(row["offices"]), clause=str(row["clause"]))
        for name, row in rows.items()
    }
    recorded = (act_of_record(act) for act in acts().values() if not act.command)
    return MappingProxyType({**found, **{act.name: act for act in recorded}})


def act_of_record(act: Act) -> OfficeAct:
    """Give an act of people as an act of its office; of a laboratory's the Provider's officer tells."""
    office = act.actor if act.actor in offices() else "officer"
    return OfficeAct(name=f"record {act.name}", offices=(office,), clause=act.clause)


def offices_of(party: str) -> tuple[str, ...]:
    """Name the offices of a party, such as `postal.usps`; none for one whose persons have no offices."""
    role = party.partition(".")[0]
    return tuple(name for name, office in offices().items() if office.party == role)


def grant(ctx: Context, *, name: str, named: Iterable[str] = ()) -> list[str]:
    """Put a person on the party's list with offices, or grant offices to who is on it; give the whole list.

    Raises `BadInput` (person.no-such-office, person.unreadable).
    """
    known = offices_of(ctx.party)
    asked = tuple(named)
    for office in asked:
        if office not in known:
            there = ", ".join(known) or "none"
            raise BadInput("person.no-such-office", office=office[:40], party=ctx.party, known=there)
    return persons.authorise(ctx, name=name, offices=asked)


def appoint(ctx: Context) -> None:
    """Put one person for each office of the party on its list, named as the office: those of a sandbox."""
    for office in offices_of(ctx.party):
        grant(ctx, name=office, named=(office,))


@cites("P050-2.6", "502.27a/4")
def check_office(ctx: Context, name: str, act: str | OfficeAct) -> str:
    """Give the name of a person of this party who holds the office of an act.

    Raises `Refused` (person.unknown, person.other-office) with the clause of the act.
    """
    held = acts_of_office()[act] if isinstance(act, str) else act
    if held.party != ctx.party.partition(".")[0]:
        raise Refused("person.other-party", act=held.name, party=ctx.party, clause=held.clause)
    persons.check(ctx, name, clause=held.clause)
    own = persons.offices_held(ctx.tx, name)
    if own is not None and not {*own} & {*held.offices}:
        raise Refused(
            "person.other-office",
            name=name,
            act=held.name,
            needed=" or ".join(offices()[office].words for office in held.offices),
            office=held.offices[0],
            held=", ".join(own) or "none",
            at=ctx.party,
            clause=held.clause,
        )
    return name
