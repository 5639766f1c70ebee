"""The registry of rule sets: every folder that says in its `about.json` which rules it holds.

Here: finding the folders and reading what they say of themselves. Not here: their parameters (`rulesets`).
Kept: a rule set is a folder, not a fork. A folder in this package is found, and so is every folder below the one that
the environment names in `TOWNCIRCLE_RULES`, or that folder itself where it holds one. A folder that cannot be used
stays in the list with the reason, and says so when it is asked for; it stops nobody else.

`about.json` holds: `name`; `over`, the rule set it is laid over, or null; `title` and `source` for people; `start`, the
moment at which a new world of it begins; `frozen`, whether its clock stands there; `layout` and `scheme`, the design
and the signatures of its indicia.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from towncircle.kernel.errors import BadInput
from towncircle.kernel.instants import Instant

FILE = "about.json"
ELSEWHERE = "TOWNCIRCLE_RULES"
# the designs of indicia with which a mail room prints and an auditor counts, and the signatures that each bears; of the
# others one asks for a weight that no job says, and one leaves out the registers
INDICIA: Mapping[str, str] = MappingProxyType({"ibi-full": "dsa-1024", "imi-std": "ecdsa-p256"})
NAME_LETTERS = 16  # what messages and certificates hold of the name of a regime
_NAME = re.compile(rf"[a-z0-9][a-z0-9.-]{{0,{NAME_LETTERS - 1}}}", re.ASCII)
# those that an earlier release took too: a world that was begun under one goes on and gives its devices back
FORMER: Mapping[str, str] = MappingProxyType({"imi-max": "ecdsa-p256", "imi-min": "ecdsa-p256"})
_TEXTS = ("name", "title", "source", "start", "layout", "scheme")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Hold what a rule set's folder says of itself; `trouble` says why it cannot be used, empty where it can.

    `added` tells that somebody added the folder: it does not come with the program. `former` tells that an earlier
    release took what the trouble is about: no world is begun under it, and one that was goes on.
    """

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
    added: bool = False
    former: bool = False


def registry() -> Mapping[str, About]:
    """Give every rule set that is found, by name; a second folder of the same name stands under its place."""
    found: dict[str, About] = {}
    for about in _found():
        if about.name in found:
            first = found[about.name].folder
            trouble = about.trouble or f"{FILE}: name: '{about.name}' is the name of the rule set in {first}"
            found[about.folder] = replace(about, name=about.folder, trouble=trouble, former=False)
        else:
            found[about.name] = about
    for name, about in found.items():
        below, seen = about.over, {name}
        while below is not None and not about.trouble:
            if below not in found or found[below].trouble or below in seen:
                trouble = f"{FILE}: over: it is laid over '{below}', which cannot be used"
                found[name] = replace(about, trouble=trouble)
                break
            seen.add(below)
            below = found[below].over
    return MappingProxyType(dict(sorted(found.items())))


def _found() -> Iterator[About]:
    for folder in files("towncircle.rules").iterdir():
        if folder.joinpath(FILE).is_file():
            yield _read(folder, folder.name)
    elsewhere = os.environ.get(ELSEWHERE, "")
    if elsewhere and Path(elsewhere).joinpath(FILE).is_file():  # the folder of one rule set itself
        path = Path(elsewhere).resolve()
        yield replace(_read(path, str(path)), added=True)
    elif elsewhere and Path(elsewhere).is_dir():
        for path in sorted(Path(elsewhere).resolve().iterdir()):
            if path.is_dir():
                yield replace(_read(path, str(path)), added=True)


def _read(folder: Traversable, place: str) -> About:
    name = folder.name.replace("_", "-")
    try:
        held: dict[str, Any] = json.loads(folder.joinpath(FILE).read_text("utf-8"))
        needed = {field.name: field for field in fields(About)}.keys() - {"folder", "trouble", "added", "former"}
        lacking = sorted(needed - held.keys())
        if lacking:
            return _unusable(name, place, f"its {FILE} lacks {', '.join(lacking)}")
        about = About(folder=place, **held)
        trouble = _wrong(about)
        if trouble and FORMER.get(str(about.layout)) == about.scheme:
            standing = replace(about, layout="imi-std")
            if standing.scheme == INDICIA[standing.layout] and not _wrong(standing):
                return replace(about, trouble=f"{FILE}: {trouble}", former=True)
        return _unusable(name, place, f"{FILE}: {trouble}") if trouble else about
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        return _unusable(name, place, f"its {FILE} cannot be read ({error})")


def _wrong(about: About) -> str:
    """Say which key of `about.json` cannot be used, and why."""
    for key in _TEXTS:
        if not isinstance(getattr(about, key), str) or not getattr(about, key):
            return f"{key}: it is no text"
    if not _NAME.fullmatch(about.name):
        return f"name: '{about.name[:40]}' is not of at most {NAME_LETTERS} small letters, digits, '.' and '-'"
    over, frozen = (getattr(about, key) for key in ("over", "frozen"))
    if over is not None and not isinstance(over, str):
        return "over: it is neither null nor the name of a rule set"
    if not isinstance(frozen, bool):
        return "frozen: it is neither true nor false"
    if about.layout not in INDICIA:
        return f"layout: '{about.layout[:40]}' is none of {', '.join(INDICIA)}"
    if about.scheme != INDICIA[about.layout]:
        return f"scheme: '{about.scheme[:40]}' does not sign {about.layout}, which {INDICIA[about.layout]} does"
    try:
        Instant.parse(about.start)
    except BadInput as error:
        return f"start: {error.sentence.rstrip('.')}"
    return ""


def _unusable(name: str, place: str, trouble: str) -> About:
    return About(name=name, folder=place, trouble=trouble)
