"""The address data that a mail room uses (P050 2.5g): which are installed, and whether they are new enough for a day.

Here: installing data of the licensee's own and setting them aside, what is in use, its age. Not here: the data
themselves (`mailpiece.address_source`), the file and its look-ups (`world.address_data`).
Kept: what counts is the edition that the data in use bear themselves. The table of ZIP Codes that comes with the
program is in use beside data of one's own that know no places, and the older of both sets the last day; data that know
them are used alone. An edition that somebody tells (`care`) is no data. Older data are used for mailing only with a
reason, which is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.store import Record, Transaction
from towncircle.mailpiece.address_files import EMBEDDED
from towncircle.mailpiece.address_source import LIMIT, check_age
from towncircle.rules import RuleSet

KIND, KEY = "address-data", "in-use"
NO_REASON = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """Hold what is known of address data that a licensee installs: a file (`size` in bytes), or what a program gives.

    `source` is the name by which a package offers them that is installed beside this one; a file has none.
    `places`: they know ZIP Codes and cities too, and are used instead of the packaged table.
    """

    name: str
    edition: str
    sha256: str = ""
    size: int = 0
    source: str = ""
    places: bool = False

    @property
    def told(self) -> dict[str, Any]:
        """Give what a fact keeps."""
        found: dict[str, Any] = {"edition": self.edition, "name": self.name}
        found |= {"places": True} if self.places else {}
        return found | ({"source": self.source} if self.source else {"sha256": self.sha256})


@cites("P050-2.5g")
def install(ctx: Context, rules: RuleSet, *, data: Installed, zone: str) -> Record:
    """Use data of the licensee's own from now on; it is an update of them, and a fact with edition and digest.

    Raises `Refused` (custody.address-data-old) for data that are not out yet, past their time, or older than those in
    use.
    """
    today, first = ctx.now.date_in(zone), date.fromisoformat(f"{data.edition}-01")
    held = ctx.tx.get(KIND, KEY)
    if first > today:
        raise Refused("custody.address-data-old", edition=data.edition, why="it is not out yet")
    term = rules.length_of(LIMIT, today)
    if term.last_day(first) < today:
        raise Refused("custody.address-data-old", edition=data.edition, why=f"it is older than {term}")
    body = {**data.told, "size": data.size}
    if held is not None and dict(held.body) == body:
        return held
    if held is not None and held.body.get("edition", "") > data.edition:
        raise Refused("custody.address-data-old", edition=data.edition, why=f"{held.body['edition']} is installed")
    ctx.note("address-data.updated", ctx.party, clauses=("P050 2.5(g)",), **data.told)
    return ctx.tx.put(KIND, KEY, body, owner=ctx.party, expected=held.version if held else 0)


def set_aside(ctx: Context) -> None:
    """Use the table that comes with the program alone from now on. Raises `Refused` (addresses.none-installed)."""
    held, data = ctx.tx.get(KIND, KEY), installed(ctx.tx)
    if held is None or data is None:
        raise Refused("addresses.none-installed", licensee=ctx.party)
    ctx.note("address-data.set-aside", ctx.party, clauses=("P050 2.5(g)",), **data.told)
    ctx.tx.put(KIND, KEY, {}, owner=ctx.party, expected=held.version)


def installed(view: Transaction) -> Installed | None:
    """Give what the licensee has installed, or None."""
    held = view.get(KIND, KEY)
    return Installed(**held.body) if held is not None and held.body else None


def in_use(view: Transaction) -> list[dict[str, str]]:
    """Give name and edition of all address data in use, the licensee's own first, or alone where they know places."""
    own = installed(view)
    if own is not None and own.places:
        return [{"name": own.name, "edition": own.edition}]
    found = [{"name": own.name, "edition": own.edition}] if own is not None else []
    return [*found, {"name": EMBEDDED.name, "edition": EMBEDDED.edition}]


def good_through(data: Iterable[Mapping[str, str]], rules: RuleSet, *, day: date) -> date:
    """Give the last day for which all of some data may be used, as the term of a day has it."""
    term = rules.length_of(LIMIT, day)
    return min(term.last_day(date.fromisoformat(f"{one['edition']}-01")) for one in data)


@cites("P050-2.5g")
def check(view: Transaction, rules: RuleSet, *, day: date, reason: str = NO_REASON) -> list[dict[str, str]]:
    """Give those of the data in use that are too old for mail of a day.

    Raises `Refused` (addresses.data-old) where there are some and no reason is given, `BadInput` (addresses.reason).
    """
    return [
        one for one in in_use(view) if day > check_age(one["edition"], rules, on=day, name=one["name"], reason=reason)
    ]


@cites("P050-2.5g")
def use(ctx: Context, rules: RuleSet, *, day: date, reason: str) -> None:
    """Use the data for mail of a day. Raises as `check`; a reason that was needed is kept in the journal."""
    for one in check(ctx.tx, rules, day=day, reason=reason):
        told: dict[str, Any] = {
            "edition": one["edition"],
            "name": one["name"],
            "day": day.isoformat(),
            "reason": reason,
        }
        ctx.note("address-data.old-used", ctx.party, clauses=("P050 2.5(g)",), **told)


def counted(pieces: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Count the pieces of a job by what their routing codes rest on.

    `zip4` have a ZIP+4, of which `zip4_verified` were verified by data; `delivery_point` have the two digits of a
    delivery point, which no data here verify.
    """
    found = {"zip4": 0, "zip4_verified": 0, "delivery_point": 0}
    for piece in pieces:
        where = piece["address"]
        found["zip4"] += bool(where.get("plus4"))
        found["zip4_verified"] += bool(where.get("plus4") and piece.get("verified_by"))
        found["delivery_point"] += bool(where.get("delivery_point"))
    return found


def in_words(found: Mapping[str, int]) -> str:
    """Say what routing codes rest on: `3 with ZIP+4, not verified; 1 with delivery point, not verified`."""
    if not found.get("zip4"):
        return "none"
    verified = found["zip4_verified"]
    how = "not verified" if not verified else "verified" if verified == found["zip4"] else f"{verified} verified"
    points = found.get("delivery_point", 0)
    return f"{found['zip4']:,}, {how}" + (f"; delivery point {points:,}, not verified" if points else "")


def data_in_words(data: Sequence[Mapping[str, str]], *, through: str) -> str:
    """Say which data were used, and for mail through which day."""
    named = "; ".join(f"{one['name']}, edition {one['edition']}" for one in data)
    return f"{named}; for mail through {through}"
