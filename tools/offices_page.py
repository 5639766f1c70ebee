"""The page of offices: who of a party may do which act, and the clause that says so."""

from __future__ import annotations

from towncircle.rules.inventory import sheet
from towncircle.rules.offices import acts_of_office, offices

_PARTIES = {"postal": "The Postal Service", "provider": "A Provider"}


def offices_page() -> str:
    """Write the page."""
    lines = [
        "# Offices",
        "",
        "This page is generated from `src/towncircle/rules/clauses/offices.toml` and `acts.toml` by `tools/docs.py`.",
        "",
        "A person on a party's list holds offices: `towncircle person DIR NAME --at PARTY --office OFFICE`. An act",
        "that belongs to an office is refused to everybody who does not hold it (`person.other-office`), with the",
        "clause that stands in the table. A new world has one person for each office, named as the office: they are",
        "who acts where `--by` is left out. Why it is so: [ADR 46](adr/0046-a-person-acts-in-an-office.md).",
        "",
        "A clause followed by (house) gives the act to the party alone; which of its persons does it is our choice.",
        "",
    ]
    for role, party in _PARTIES.items():
        lines += [f"## {party}", "", "| office | who |", "|---|---|"]
        lines += [f"| `{name}` | {one.words} |" for name, one in offices().items() if one.party == role]
        lines += ["", "| act | office | clause |", "|---|---|---|"]
        lines += [
            f"| `{name}` | {', '.join(f'`{office}`' for office in act.offices)} | {act.clause} |"
            for name, act in acts_of_office().items()
            if act.party == role
        ]
        lines.append("")
    lines += ["## Actors without an office", "", "| actor | how it acts |", "|---|---|"]
    lines += [f"| {name} | {how} |" for name, how in sheet("offices")["actors"].items()]
    return "\n".join(lines)
