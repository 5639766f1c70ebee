"""Inspections of a Provider's facilities and records: the file of the Postal Service and that of the Provider.

Here: check 26 of docs/export.md. Not here: what was to be seen there, which people know; the answer in time (`limits`).
Kept: each step stands at both ends and says the same, or the message that brings it waits; an answer that came after
the file was referred may stand at its Provider alone. Each file says what its party's own facts say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from towncircle.auditor.journal import facts_of
from towncircle.auditor.reading import Export, Party, Row
from towncircle.auditor.report import Report
from towncircle.auditor.underway import Underway

_KIND, _REFERRED = "inspection", "referred"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """Hold a step: its facts at both ends, the message that brings it, what facts and files say of it alike."""

    postal: str
    provider: str
    message: int
    told_by: str
    same: tuple[str, ...]
    kept: tuple[str, ...]


_ANNOUNCED = _Stage(
    postal="inspection.announced",
    provider="inspection.announced",
    message=204,
    told_by="postal",
    same=("scope", "site", "on", "records"),
    kept=("scope", "site", "on"),
)
_REPORTED = _Stage(
    postal="inspection.reported",
    provider="inspection.found",
    message=205,
    told_by="postal",
    same=("scope", "announced", "outcome", "findings"),
    kept=("scope", "site", "announced", "outcome", "records", "findings", "document"),
)
_ANSWERED = _Stage(
    postal="inspection.answer-filed",
    provider="inspection.answered",
    message=206,
    told_by="provider",
    same=("document",),
    kept=("answers",),
)
_CLOSED = _Stage(
    postal="inspection.closed",
    provider="inspection.closed",
    message=207,
    told_by="postal",
    same=("outcome",),
    kept=("end", "words"),
)
_STAGES = (_ANNOUNCED, _REPORTED, _ANSWERED, _CLOSED)
_Facts = dict[str, dict[str, list[Row]]]  # by inspection, by kind of fact


def check_inspections(export: Export, underway: Underway, report: Report) -> None:
    """Check 26: the two files of each inspection, by their facts and by their records."""
    for postal in export.of_role("postal"):
        of_provider: dict[str, _Facts] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
        for fact in facts_of(postal, *(stage.postal for stage in _STAGES)):
            of_provider[fact["body"]["provider"]][fact["subject"]][fact["type"]].append(fact)
        for provider in export.of_role("provider"):
            own: _Facts = defaultdict(lambda: defaultdict(list))
            for fact in facts_of(provider, *(stage.provider for stage in _STAGES)):
                own[fact["subject"]][fact["type"]].append(fact)
            theirs = of_provider[provider.id]
            for name in sorted(theirs.keys() | own.keys()):
                report.checked["inspections"] += 1
                ends = _Ends(name=name, postal=postal, provider=provider, given=theirs[name], taken=own[name])
                for stage in _STAGES:
                    _check_stage(ends, stage, underway, report)
                _check_files(ends, report)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ends:
    """Hold an inspection at both ends: the facts of each, by their kind."""

    name: str
    postal: Party
    provider: Party
    given: Mapping[str, list[Row]]
    taken: Mapping[str, list[Row]]


def _check_stage(ends: _Ends, stage: _Stage, underway: Underway, report: Report) -> None:
    given, taken = ends.given.get(stage.postal, []), ends.taken.get(stage.provider, [])
    if bool(given) != bool(taken):
        told = (given or taken)[0]
        teller, other = (ends.postal, ends.provider) if given else (ends.provider, ends.postal)
        waits = teller.role == stage.told_by and (stage.message, ends.name) in underway.named
        if waits or (stage is _ANSWERED and not given and _is_referred(ends)):
            return
        where = f"{teller.id}/facts.jsonl line {told.line}"
        text = f"The inspection {ends.name} is {told['type'].partition('.')[2]} at {teller.id}, and not at {other.id}."
        report.differ("inspection.one-end", where, text, expected="at both ends", found=f"nothing at {other.id}")
        return
    for fact in taken:
        expected = {name: given[0]["body"][name] for name in stage.same}
        found = {name: fact["body"][name] for name in stage.same}
        where = f"{ends.provider.id}/facts.jsonl line {fact.line}"
        text = f"The Postal Service says otherwise of the inspection {ends.name}."
        report.same("inspection.differs", where, text, expected=expected, found=found)


def _is_referred(ends: _Ends) -> bool:
    """Tell whether an inspection was referred without an answer: one that came after that was refused."""
    return any(fact["body"]["outcome"] == _REFERRED for fact in ends.given.get(_CLOSED.postal, ()))


def _check_files(ends: _Ends, report: Report) -> None:
    """Set both files against each other, and each against its own facts; a release kept none in its export."""
    files = {party.id: _file_of(party, ends.name) for party in (ends.postal, ends.provider)}
    ours, theirs = files[ends.postal.id], files[ends.provider.id]
    if ours is None and theirs is None:
        return
    for party, facts, found in ((ends.postal, ends.given, ours), (ends.provider, ends.taken, theirs)):
        if facts and found is None:
            text = f"{party.id} has no file of the inspection {ends.name}."
            report.differ("inspection.file", f"{party.id} {ends.name}", text)
        elif found is not None:
            _check_own(party, facts, found, report)
    if ours is None or theirs is None:
        return
    where = f"{ends.provider.id}/records.jsonl line {theirs.line}"
    for stage in _STAGES:
        if not (ends.given.get(stage.postal) and ends.taken.get(stage.provider)):
            continue
        text = f"The Postal Service's file of the inspection {ends.name} says otherwise."
        for name in stage.kept:
            expected, found = ours["body"].get(name), theirs["body"].get(name)
            report.same("inspection.file", where, f"'{name}': {text}", expected=expected, found=found)


def _file_of(party: Party, name: str) -> Row | None:
    rows = (row for row in party["records.jsonl"] if (row["kind"], row["key"]) == (_KIND, name))
    return next(rows, None)


def _check_own(party: Party, facts: Mapping[str, list[Row]], held: Row, report: Report) -> None:
    """Set a file against the facts of its own party."""
    body, where = held["body"], f"{party.id}/records.jsonl line {held.line}"
    told: dict[str, object] = {}
    for fact in (*facts.get(_REPORTED.postal, ()), *facts.get(_REPORTED.provider, ())):
        told |= {name: fact["body"][name] for name in ("outcome", "findings")}
    for fact in facts.get(_CLOSED.postal, ()):
        told["end"] = fact["body"]["outcome"]
    for name, expected in told.items():
        found = body.get(name)
        if name == "findings":
            found = len(found) if isinstance(found, list) else 0
        text = f"'{name}' of the inspection {held['key']} is not what the facts of {party.id} say."
        report.same("inspection.file", where, text, expected=expected, found=found)
