"""The page `docs/limits.md`: every time limit of the rule sets, and every fact that moves one.

Here: the page's text. Not here: writing the file (`tools/docs.py`).
"""

from __future__ import annotations

from collections import defaultdict

from tools.kinds import fields, recorded_by

from towncircle.rules import RULESETS, Limit, ruleset
from towncircle.rules.limits import PARTY
from towncircle.rules.rulesets import REGISTRY

_HEAD = """# Time limits

This page is generated from the rule files in `src/towncircle/rules/*/limits/` by `tools/docs.py`. A test compares every
quote with the text of the rule.

A limit is derived from recorded facts and stored nowhere: [`towncircle deadlines`](cli.md#towncircle-deadlines) lists
what is due, overdue, open, lapsed and to keep on any date, and `--act` (or the clock of `towncircle up`, or
`towncircle world advance`) does what follows, each once. How terms are counted is in [readings](readings.md); why it is
built so is in [ADR 21](adr/0021-limits-are-derived-and-acted-on-once.md).

| shape | it says | its states |
|---|---|---|
| obligation | act by | due, overdue, met, met late |
| interval | recur within | the same, each time anew |
| window | a right that lapses | open, lapsed, used, used too late |
| retention | keep at least | to keep, may go, let go, let go early |
| calendar | due on a date | due, overdue, met, met late |
| set limit | fixed by a decision | due, overdue, met, met late |

Any of them falls away when a fact ends it.
"""
_WORDS = {"starts": "starts", "met_by": "meets", "ends": "ends", "restarts": "restarts"}


def limits_page() -> str:
    """Write the page."""
    lines = [_HEAD]
    for name in RULESETS:
        own = [limit for limit in ruleset(name).limits.values() if not _inherited(name, limit)]
        lines += [f"## {name}", ""]
        below = RULESETS[name][1]
        if below:
            lines += [f"Every limit of {below} holds too, unless one of the same name stands here.", ""]
        for limit in sorted(own, key=lambda limit: (limit.journal, limit.clause)):
            lines += _limit(limit)
    return "\n".join([*lines, *_facts()])


def _inherited(name: str, limit: Limit) -> bool:
    below = RULESETS[name][1]
    return below is not None and ruleset(below).limits.get(limit.id) == limit


def _limit(limit: Limit) -> list[str]:
    after = limit.consequence
    follows = [after.says]
    follows += [f"Case: {after.case}."] if after.case else []
    follows += [f"Notice to: {', '.join(after.notify)}."] if after.notify else []
    follows += [f"Denied: {after.denies}."] if after.denies else []
    source = {"house": "our figure", "secondary": "secondary source"}.get(limit.quality, "")
    rows = [
        ("clause", f"{limit.clause}{f' ({source})' if source else ''}"),
        ("words", f"“{limit.quote}”" if limit.quote else f"{limit.retold} (retold)"),
        ("shape and length", f"{limit.shape}, {limit.length()}"),
        ("about", f"each {limit.about}"),
        ("who", f"{limit.actor}; derived from the journal of the {limit.journal}"),
        ("counts from", _named(limit, "starts")),
        ("begins anew with", _named(limit, "restarts")),
        ("met by", _named(limit, "met_by")),
        ("falls away with", _named(limit, "ends")),
        ("reminder", f"{limit.reminder} before (house)" if limit.reminder else ""),
        ("blocked meanwhile", limit.gate),
        ("if missed", " ".join(follows)),
        ("note", limit.note),
    ]
    title = f"{limit.title[0].upper()}{limit.title[1:]}"
    body = [f"| {name} | {text} |" for name, text in rows if text]
    return [f"### {limit.id}", "", f"{title}.", "", "| | |", "|---|---|", *body, ""]


def _named(limit: Limit, name: str) -> str:
    return ", ".join(f"`{link.fact}`{str(link).removeprefix(link.fact)}" for link in getattr(limit, name))


def _facts() -> list[str]:
    moved: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    about: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    fields: dict[tuple[str, str], set[str]] = defaultdict(set)
    for name in RULESETS:
        for limit in ruleset(name).limits.values():
            for part, word in _WORDS.items():
                for link in getattr(limit, part):
                    key = (limit.journal, link.fact)
                    moved[key][f"{word} {limit.id}"] = None
                    if link.by != PARTY:
                        named = f"{limit.about} (subject)" if link.by == "subject" else f"{link.by} (body)"
                        about[key][named] = None
                    fields[key] |= {f"`{field}`" for field in link.where} | _fields(limit, link.by, part)
    lines = [
        "## The facts that move them",
        "",
        "A room that does one of these things records exactly this fact, in its own journal, in the transaction in",
        "which it does it. `occurred_at` is when it happened: a limit counts from it. A limit finds what belongs",
        "together by what the fact is about. Where a body names `zone`, `licensee`, `provider` or `regime`, the limits",
        "of that device, license and licensee know it from then on. A test holds that each of these facts is recorded",
        "somewhere in the program.",
        "",
        "| journal | fact | about | body | what it does |",
        "|---|---|---|---|---|",
    ]
    for key in sorted(moved):
        journal, fact = key
        needed = ", ".join(sorted(fields[key]))
        row = (journal, f"`{fact}`", "; ".join(about[key]), needed, "; ".join(moved[key]))
        lines.append(f"| {' | '.join(row)} |")
    return [*lines, ""]


def _fields(limit: Limit, by: str, part: str) -> set[str]:
    found = set() if by in ("subject", PARTY) else {f"`{by}`"}
    if limit.until and part in ("starts", "restarts"):
        found.add(f"`{limit.until}`")
    if limit.shape == "calendar" and part == "met_by" and any(type(row.value) is int for row in limit.values):
        found.add("`period` (YYYY-MM)")
    return found


def unrecorded() -> list[str]:
    """Name the facts that a limit rests on and no room records in that journal: such a limit would never move."""
    return sorted(
        {
            f"{name} {limit.id} {part}: {link.fact} in the journal of the {limit.journal}"
            for name in RULESETS
            for limit in ruleset(name).limits.values()
            for part in _WORDS
            for link in getattr(limit, part)
            if link.fact not in recorded_by(limit.journal)
        }
    )


def fields_known() -> dict[str, set[str]]:
    """Give the fields of each kind of fact: those seen in the source, and those that a shipped limit reads."""
    found = {kind: set(names) for kind, names in fields().items()}
    for name in (name for name in RULESETS if not REGISTRY[name].added):
        for limit in ruleset(name).limits.values():
            for part in _WORDS:
                for link in getattr(limit, part):
                    read = {field.strip("`").split("`")[0] for field in _fields(limit, link.by, part)}
                    found.setdefault(link.fact, set()).update(link.where, read)
    return found
