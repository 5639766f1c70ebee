"""`towncircle deadlines`: what is due, overdue, lapsed and to keep, on any date; and the worker that acts on it."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, opened

if TYPE_CHECKING:
    from towncircle.kernel.instants import Instant
    from towncircle.rules.acting import Act
    from towncircle.rules.duties import Duty
    from towncircle.rules.rulesets import RuleSet
    from towncircle.world.deadlines import Difference
    from towncircle.world.world import World

_EPILOG = """\
states: due, overdue (act by); open, lapsed (a right); to keep, may go (a retention). With --all also met, met late,
used, used too late, fell away, let go.
examples:
  towncircle deadlines my-world                              everybody's, now
  towncircle deadlines my-world --party harbor               one party's
  towncircle deadlines my-world --as-of 2027-03-01           as it would stand, or stood, on another date
  towncircle deadlines my-world --act                        remind, open cases, give notice, deny resets: each once
  towncircle deadlines my-world --compare my-rules           decisions that changed rule files would make otherwise
A date means the end of that day in Washington. A limit of days or months ends with its last day in the office's zone, a
limit of hours at its instant. Nothing is stored: the list is derived from the facts that each party recorded."""
_SHOWN = ("overdue", "due", "open", "to keep", "lapsed", "may go")
_ROLES = {"licensee": "licensee", "provider": "Provider", "postal": "Postal Service"}
_ORDER = (*_SHOWN, "met late", "used too late", "let go early", "met", "used", "let go", "fell away")


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "deadlines",
        help="list what is due, overdue, lapsed and to keep; act on it",
        description="List every time limit of the rule that the recorded facts have set running, with its clause, the "
        "fact it counts from, the days left and what follows.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    parser.add_argument("--party", default="", metavar="P", help="one party: an id, or harbor, mailroom, postal, ...")
    parser.add_argument("--as-of", metavar="DATE", help="a date or an instant instead of now")
    parser.add_argument("--all", action="store_true", help="also what was met, used or fell away")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--act", action="store_true", help="act on what is due now, as the clock of a running world does")
    what.add_argument("--compare", type=Path, metavar="RULES_DIR", help="rule files to lay over the world's rules")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List, act or compare."""
    with opened(args.world) as world:
        if args.act:
            return _act(world, args)
        return _compare(world, args) if args.compare is not None else _list(world, args)


def _list(world: World, args: argparse.Namespace) -> int:
    from towncircle.world.deadlines import duties_of, parties_of

    as_of = _instant(args.as_of) if args.as_of else world.clock.now()
    rows = [
        (party, duty)
        for party in parties_of(world, args.party)
        for duty in duties_of(world, party, as_of=as_of)
        if args.all or duty.state in _SHOWN
    ]
    rows.sort(key=lambda row: (_ORDER.index(row[1].state), row[1].until, row[0], row[1].key))
    if args.json:
        head = {"as_of": as_of.iso(), "rules": world.rules.name, "rule_digest": world.rules.digest}
        as_json({**head, "deadlines": [_record(party, duty, as_of) for party, duty in rows]})
        return 0
    print(f"As of {as_of.iso()}, under {world.rules.name} ({world.rules.digest[:12]}):")
    state = ""
    for party, duty in rows:
        if duty.state != state:
            state = duty.state
            count = sum(other.state == state for _, other in rows)
            print(f"\n{state.upper()} ({count})")
        _show(party, duty, as_of)
    if not rows:
        print("Nothing is due, overdue, open or to keep.")
    return 0


def _show(party: str, duty: Duty, as_of: Instant) -> None:
    limit, anchor = duty.limit, duty.anchor
    period = f" for {duty.period}" if duty.period else ""
    about = "" if duty.thread == party else f" ({duty.thread})"
    print(f"  {_when(duty):<17}  {_left(duty, as_of):<13}  {party:<18}  {limit.title}{about}{period}")
    print(f"      {limit.clause}, {limit.actor}; since {anchor.type} on {_day(anchor, duty)}, fact {anchor.id}")
    if duty.state in ("due", "overdue"):
        print(f"      {'If missed' if duty.state == 'due' else 'Missed'}: {limit.consequence.says}")


def _when(duty: Duty) -> str:
    if not duty.exact:
        return duty.last_day.isoformat()
    return duty.until.iso().replace("T", " ")[:16] + "Z"


def _left(duty: Duty, as_of: Instant) -> str:
    if duty.exact:
        hours = (int(duty.until) - int(as_of)) // 3_600_000_000
        return f"{hours} h left" if hours >= 0 else f"{-hours} h ago"
    days = duty.days_left(as_of)
    if days == 0:
        return "today"
    return f"{abs(days)} day{'s' if abs(days) != 1 else ''} {'left' if days > 0 else 'ago'}"


def _day(anchor: Any, duty: Duty) -> date:
    day: date = anchor.occurred_at.date_in(duty.zone)
    return day


def _record(party: str, duty: Duty, as_of: Instant) -> dict[str, object]:
    limit, after = duty.limit, duty.limit.consequence
    return {
        "party": party,
        "limit": limit.id,
        "state": duty.state,
        "title": limit.title,
        "shape": limit.shape,
        "clause": limit.clause,
        "quality": limit.quality,
        "about": duty.thread,
        "period": duty.period,
        "owed_by": limit.party,
        "actor": limit.actor,
        "anchor": {"fact": duty.anchor.id, "type": duty.anchor.type, "at": duty.anchor.occurred_at.iso()},
        "until": duty.until.iso(),
        "last_day": duty.last_day.isoformat(),
        "zone": duty.zone,
        "days_left": duty.days_left(as_of),
        "closed_by": duty.closed.id if duty.closed else "",
        "consequence": {"says": after.says, "case": after.case, "notify": list(after.notify), "denies": after.denies},
        "gate": limit.gate,
    }


def _act(world: World, args: argparse.Namespace) -> int:
    from towncircle.world.deadlines import act_on_deadlines, parties_of

    parties = parties_of(world, args.party)
    done = act_on_deadlines(world, parties)
    if args.json:
        as_json({"acts": [_act_record(party, one) for party, acts in done.items() for one in acts]})
        return 0
    for party, acts in done.items():
        print(f"{party}:")
        for one in acts:
            print(f"  {_act_words(one)}")
    if not done:
        print("There is nothing to do: what is due was acted on, and no reminder has come up.")
    return 0


def _act_record(party: str, one: Act) -> dict[str, object]:
    return {
        "party": party,
        "stage": one.stage,
        "at": one.at.iso(),
        "limit": one.duty.limit.id,
        "about": one.duty.thread,
    }


def _act_words(one: Act) -> str:
    duty, after = one.duty, one.duty.limit.consequence
    about = f"{duty.limit.title} ({duty.thread}{', ' + duty.period if duty.period else ''}; {duty.limit.clause})"
    if one.stage == "limit.reminded":
        return f"reminded: {about}, until {_when(duty)}"
    if one.stage == "limit.mended":
        return f"done after all: {about}"
    words = [f"missed on {_when(duty)}: {about}"]
    words += [f"notice to the {_ROLES[role]}" for role in after.notify]
    words += [f"case opened: {after.case}"] if after.case else []
    words += [f"{after.denies} denied"] if one.denies else []
    return "; ".join(words)


def _compare(world: World, args: argparse.Namespace) -> int:
    from towncircle.world.deadlines import compare, not_replayed, parties_of

    other = world.rules.with_folder(args.compare)
    changed = _changed(world.rules, other)
    found = [row for party in parties_of(world, args.party) for row in compare(world, other, party)]
    unknown = not_replayed(world, other)
    if args.json:
        head = {"ours": world.rules.digest, "theirs": other.digest, "changed": changed, "not_replayed": unknown}
        as_json({**head, "decisions": [_difference(row) for row in found]})
        return 1 if found or unknown else 0
    print(f"Ours {world.rules.digest[:12]}, theirs {other.digest[:12]}. Changed: {', '.join(changed) or 'nothing'}.")
    for row in found:
        print(f"  {row.party}  {row.decision}  {row.about}, by {row.rule}")
        print(f"      ours: {row.ours}; theirs: {row.theirs}")
    many = "One decision" if len(found) == 1 else f"{len(found)} decisions"
    if unknown:
        print(f"Not replayed: {', '.join(unknown)}. Whether a decision that rests on it would differ is not known.")
    whole = "No replayed decision would differ." if unknown else "No decision would differ."
    print(f"{many} would differ." if found else whole)
    return 1 if found or unknown else 0


def _changed(ours: RuleSet, theirs: RuleSet) -> list[str]:
    pairs = ((getattr(ours, kind), getattr(theirs, kind)) for kind in ("parameters", "limits", "acts"))
    return [name for held, other in pairs for name in _differing(held, other)]


def _differing(ours: Any, theirs: Any) -> Iterable[str]:
    names: Sequence[str] = sorted(theirs)
    return [name for name in names if name not in ours or ours[name].as_dict() != theirs[name].as_dict()]


def _difference(row: Difference) -> dict[str, object]:
    return {
        "party": row.party,
        "decision": row.decision,
        "rule": row.rule,
        "about": row.about,
        "ours": row.ours,
        "theirs": row.theirs,
        "decided_under": row.digest,
    }


def _instant(text: str) -> Instant:
    from towncircle.kernel.instants import Instant
    from towncircle.rules.calendars import end_of_day
    from towncircle.rules.duties import HEADQUARTERS

    try:
        return end_of_day(date.fromisoformat(text), HEADQUARTERS)
    except ValueError:
        return Instant.parse(text)
