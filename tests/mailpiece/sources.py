"""Which sources a price rests on, for tests that name the source of each published price they expect."""

from __future__ import annotations

from importlib.resources import files

from towncircle.mailpiece.rates import Price


def sources_of(found: Price) -> str:
    """Name the sources of a price, each of which the page of sources tells of."""
    named = dict.fromkeys(step.source for step in found.steps if step.amount is not None)
    told = (files("towncircle.mailpiece") / "data" / "SOURCES.md").read_text("utf-8")
    assert all(f"`{name}`" in told for name in named), named
    return " + ".join(named)
