"""The registry of rule sets: every folder that says in its `about.json` which rules it holds.

Here: finding the folders and reading what they say of themselves. Not here: their parameters (`rulesets`).
Kept: a rule set is a folder, not a fork. A folder in this package is found, and so is every folder below the one that
the environment names in `TOWNCIRCLE_RULES`. A folder that cannot be used stays in the list with the reason, and says
so when it is asked for; it stops nobody else.

`about.json` holds: `name`; `over`, the rule set it is laid over, or null; `title` and `source` for people; `start`, the
moment at which a new world of it begins; `frozen`, whether its clock stands there; `layout` and `scheme`, the design
and the signatures of its indicia.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Any

FILE = "about.json"
ELSEWHERE = "TOWNCIRCLE_RULES"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Hold what a rule set's folder says of itself; `trouble` says why it cannot be used, empty where it can."""

    name: str
    folder: str
    over: str | None = None
    title: str = ""
    source: str = ""
    start: str = ""
    frozen: bool = False
    layout: str = ""
    scheme: str = ""
    trouble: str = ""


def registry() -> Mapping[str, About]:
    """Give every rule set that is found, by name."""
    found = {about.name: about for about in _found()}
    for name, about in found.items():
        below, seen = about.over, {name}
        while below is not None and not about.trouble:
            if below not in found or found[below].trouble or below in seen:
                found[name] = _unusable(about.name, about.folder, f"it is laid over '{below}', which cannot be used")
                break
            seen.add(below)
            below = found[below].over
    return MappingProxyType(dict(sorted(found.items())))


def _found() -> Iterator[About]:
    for folder in files("towncircle.rules").iterdir():
        if folder.joinpath(FILE).is_file():
            yield _read(folder, folder.name)
    elsewhere = os.environ.get(ELSEWHERE, "")
    if elsewhere and Path(elsewhere).is_dir():
        for path in sorted(Path(elsewhere).resolve().iterdir()):
            if path.is_dir():
                yield _read(path, str(path))


def _read(folder: Traversable, place: str) -> About:
    name = folder.name.replace("_", "-")
    try:
        held: dict[str, Any] = json.loads(folder.joinpath(FILE).read_text("utf-8"))
        needed = {field.name: field for field in fields(About)}.keys() - {"folder", "trouble"}
        lacking = sorted(needed - held.keys())
        if lacking:
            return _unusable(name, place, f"its {FILE} lacks {', '.join(lacking)}")
        return About(folder=place, **held)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        return _unusable(name, place, f"its {FILE} cannot be read ({error})")


def _unusable(name: str, place: str, trouble: str) -> About:
    return About(name=name, folder=place, trouble=trouble)
