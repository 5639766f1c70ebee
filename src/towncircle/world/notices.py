"""Written notices between the parties: from the act on a time limit to the one whom it concerns (ADR 27).

Here: writing a notice (`give`, `give_standing`), keeping it (`on_notice`), and its way to a licensee's host, which
answers no calls and so asks for it (`on_query`, `fetch`). Not here: when a notice is owed (`rules.acting`).
Kept: exactly once. A notice is written in the transaction of its fact, kept under its giver's name for it, and a host
says that it has one only after that stands in its own store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Seal, Steps
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import MessageId, NoticeId
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record
from towncircle.licensee import branches, care
from towncircle.rules.duties import Duty
from towncircle.wire import waiting
from towncircle.wire.bodies import Acknowledged, BranchStanding, Notice, NoticeQuery, NoticeWaiting, ReviewRequest
from towncircle.wire.message import Opened
from towncircle.world import reviews
from towncircle.world.config import POSTAL

if TYPE_CHECKING:
    from towncircle.world.world import World

KEPT, WAITING = "notice", waiting.KIND
_KINDS: dict[str, Literal["reminder", "notice"]] = {"reminder": "reminder", "notice": "notice"}
_MOST = 1000  # house: how many notices one call of a host fetches

Then = Callable[[Context, str, Notice], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Hold a notice as its receiver keeps it."""

    party: str
    giver: str
    notice: Notice
    at: Instant


@cites("502.26", "502.26/1", "502.26/3")
def give(ctx: Context, duty: Duty, kind: str, to: str) -> str:
    """Write a notice to another party and give its name; nothing goes to oneself or to a role nobody is known for."""
    if "." not in to or to == ctx.party:
        return ""
    limit = duty.limit
    missed = kind == "notice"
    notice = Notice(
        reference=NoticeId.new(ctx.randomness),
        kind=_KINDS[kind],
        limit=limit.id,
        duty=duty.key,
        about=duty.thread,
        title=limit.title,
        says=f"{'Missed' if missed else 'If missed'}: {limit.consequence.says}",
        clause=limit.clause,
        until=duty.until,
    )
    if to.startswith("licensee."):
        waiting.put(ctx, notice, to=to)
    else:
        ctx.send(to, notice, key=f"notice {notice.reference}")
    return notice.reference


@cites("P050-4.5b/1")
def give_standing(ctx: Context, licensee: str, standing: BranchStanding) -> str:
    """Write to a licensee what was decided about its branch, for its host to fetch; give the notice's name."""
    notice = _notice_of(standing)
    if ctx.tx.get(WAITING, notice.reference) is None:
        told = {name: getattr(standing, name) for name in ("license", "branch", "state", "outcome", "reasons")}
        told["at"] = int(standing.at)
        body = {
            **waiting.fields_of(notice),
            "standing": told,
            "state": "waiting",
            "number": ctx.tx.next_number("notice"),
        }
        ctx.tx.put(WAITING, notice.reference, body, owner=licensee, expected=0)
    return notice.reference


def _notice_of(standing: BranchStanding) -> Notice:
    """Give a decision about a branch as a written notice; both ends name it alike."""
    about = f"{standing.license} {standing.branch}"
    return Notice(
        reference=NoticeId.derived(about, standing.outcome, str(int(standing.at))),
        kind="notice",
        limit="branch",
        duty=about,
        about=standing.license,
        title=f"The branch {standing.branch} is {standing.outcome}",
        says=standing.reasons,
        clause=branches.CLAUSE,
        until=standing.at,
    )


def on_notice(ctx: Context, opened: Opened, *, then: Then | None = None) -> Acknowledged:
    """Keep a notice that came; `then` does what it brings with its receiver."""
    body, giver = opened.body, opened.envelope.sender
    assert isinstance(body, Notice)
    if _keep(ctx, giver, body) and then is not None:
        then(ctx, giver, body)
    return Acknowledged(note=f"notice {body.reference} received")


def on_query(ctx: Context, opened: Opened, *, then: Callable[[Context, Record], None] | None = None) -> Steps:
    """Hand a licensee its next notice; the one that it says it keeps is delivered, and `then` does what that brings."""
    body, licensee = opened.body, opened.envelope.sender
    assert isinstance(body, NoticeQuery)
    rows = [row for row in _waiting(ctx, licensee) if row.key != body.received]
    sealed = b""
    if rows:
        sealed = yield Seal(licensee, _written(rows[0]), key=f"notice {rows[0].key}")
    done = ctx.tx.get(WAITING, body.received) if body.received else None
    if done is not None and done.owner == licensee and done.body["state"] == "waiting":
        ctx.tx.put(WAITING, done.key, {**done.body, "state": "delivered"}, owner=licensee, expected=done.version)
        about = str(done.body["about"])
        ctx.note("notice.delivered", about, clauses=(done.body["clause"],), notice=done.key, to=licensee)
        if then is not None:
            then(ctx, done)
    return NoticeWaiting(notice=sealed)


def fetch(ctx: Context, *, giver: str) -> Steps:
    """Ask a party for the next notice and keep it; give its name, or nothing where none waits."""
    last = max(ctx.tx.find(KEPT, owner=giver), key=lambda row: int(row.body["number"]), default=None)
    asked = f"notices of {giver} {MessageId.new(ctx.randomness)}"
    answer = yield Ask(giver, NoticeQuery(received=last.key if last is not None else ""), asked)
    told = answer.body
    assert isinstance(told, NoticeWaiting)
    if not told.notice:
        return ""
    opened = ctx.unseal(told.notice, ctx.party, answer.envelope)
    sent = opened.body
    mine = isinstance(sent, Notice | ReviewRequest) or (isinstance(sent, BranchStanding) and giver == POSTAL)
    if opened.envelope.sender != giver or not mine:
        raise Refused("notice.not-one", giver=giver)
    if isinstance(sent, Notice):
        _keep(ctx, giver, sent)
        return sent.reference
    if isinstance(sent, ReviewRequest):
        care.ask(ctx, by=giver, reference=sent.reference)
        notice = reviews.notice_of(sent)
    else:
        assert isinstance(sent, BranchStanding)
        branches.take(ctx, sent)
        notice = _notice_of(sent)
    if ctx.tx.get(KEPT, notice.reference) is None:
        _put(ctx, giver, notice)
    return notice.reference


def fetch_all(world: World, licensees: Iterable[str] | None = None) -> int:
    """Have the licensees' hosts call for what waits for them; give how many notices came.

    Who cannot be reached now is asked at the next call.
    """
    count = 0
    for licensee in world.config.licensees if licensees is None else licensees:
        for giver in _givers(world, licensee) if licensee in world.desks else ():
            try:
                count += _fetch_from(world, licensee, giver)
            except (Refused, BadInput):
                continue
    return count


def fetch_from(world: World, licensee: str, giver: str) -> None:
    """Have a licensee's host call one party for what waits for it; who cannot be reached now is asked another time."""
    with suppress(Refused, BadInput):
        _fetch_from(world, licensee, giver)


def notices_of(world: World, party: str) -> list[Kept]:
    """Give the notices that a party keeps, in the order in which they came."""
    with world.store(party).reading() as view:
        rows = view.find(KEPT)
    rows.sort(key=lambda row: int(row.body["number"]))
    return [Kept(party=party, giver=row.owner, notice=_read(row), at=Instant(row.body["at"])) for row in rows]


def _fetch_from(world: World, licensee: str, giver: str) -> int:
    for count in range(_MOST):
        if not world.desk(licensee).perform(lambda ctx: fetch(ctx, giver=giver), actor=licensee):
            return count
    return _MOST


def _givers(world: World, licensee: str) -> list[str]:
    """Name who may have written to a licensee: its Providers, and the Postal Service, to which it applied."""
    with world.store(licensee).reading() as view:
        providers = {str(row.body["provider"]) for kind in ("license", "device") for row in view.find(kind)}
        applied = bool(view.find("form-3601-a"))  # an appeal of a refused applicant is decided too
    return [*sorted(providers), POSTAL] if providers or applied else []


def _keep(ctx: Context, giver: str, notice: Notice) -> bool:
    held = ctx.tx.get(KEPT, notice.reference)
    if held is not None:
        if held.owner != giver or _read(held) != notice:
            raise Refused("notice.taken", reference=notice.reference)
        return False
    _put(ctx, giver, notice)
    told: dict[str, Any] = {
        "notice": notice.reference,
        "by": giver,
        "form": notice.kind,
        "limit": notice.limit,
        "duty": notice.duty,
    }
    ctx.note("notice.received", notice.about, clauses=(notice.clause,), until=notice.until.iso(), **told)
    return True


def _put(ctx: Context, giver: str, notice: Notice) -> None:
    body = {**waiting.fields_of(notice), "number": ctx.tx.next_number("notice kept"), "at": int(ctx.now)}
    ctx.tx.put(KEPT, notice.reference, body, owner=giver, expected=0)


def _written(row: Record) -> Notice | BranchStanding | ReviewRequest:
    """Give what waits under a name as it is sealed."""
    if "review" in row.body:
        return reviews.request_of(row)
    told = row.body.get("standing")
    return _read(row) if told is None else BranchStanding(**{**told, "at": Instant(told["at"])})


def _waiting(ctx: Context, licensee: str) -> list[Record]:
    rows = [row for row in ctx.tx.find(WAITING, owner=licensee) if row.body["state"] == "waiting"]
    return sorted(rows, key=lambda row: int(row.body["number"]))


def _read(row: Record) -> Notice:
    return Notice(**{name: row.body[name] for name in waiting.FIELDS}, until=Instant(row.body["until"]))
