"""The folder of a rule set: parameters in `*.toml`, limits in `limits/*.toml`, acts of people in `acts/*.toml`.

Here: reading the files of one folder. Not here: finding folders (`registry`), laying one over another (`rulesets`).
Kept: a file that cannot be read, or that nobody would read, is named.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from importlib.resources.abc import Traversable
from typing import TypeVar

from towncircle.kernel.errors import BrokenInvariant
from towncircle.rules.acts import Act, read_act
from towncircle.rules.limits import Limit, read_limit
from towncircle.rules.parameters import Parameter, read_parameter
from towncircle.rules.registry import FILE as ABOUT

T = TypeVar("T")

_BELOW = ("limits", "acts")  # the folders in a rule set's folder


def load(folder: Traversable) -> tuple[dict[str, Parameter], dict[str, Limit], dict[str, Act], dict[str, str]]:
    """Read the parameters, limits and acts of a folder, and the file of each. Raises `BrokenInvariant`."""
    places: dict[str, str] = {}
    parameters = _sheets(folder, read_parameter, places, "")
    limits = _below(folder, "limits", read_limit, places)
    return parameters, limits, _below(folder, "acts", read_act, places), places


def nothing_else(folder: Traversable, *, below: bool = False) -> None:
    """Check that nothing lies in a folder that nobody would read: a slip in a name would be silent."""
    for item in sorted(folder.iterdir(), key=lambda one: one.name):
        name = item.name
        if name in _BELOW and not below and item.is_dir():
            nothing_else(item, below=True)
        elif not (name.endswith((".toml", ".md")) or name.startswith((".", "__")) or (name == ABOUT and not below)):
            what = "nothing reads it: a rule set holds about.json, *.toml, limits/*.toml and acts/*.toml"
            raise BrokenInvariant("rules.file-unreadable", file=f"{folder.name}/{name}", what=what)


def _below(folder: Traversable, name: str, read: Callable[..., T], places: dict[str, str]) -> dict[str, T]:
    below = folder.joinpath(name)
    return _sheets(below, read, places, f"{name}/") if below.is_dir() else {}


def _sheets(folder: Traversable, read: Callable[..., T], places: dict[str, str], within: str) -> dict[str, T]:
    found: dict[str, T] = {}
    for file in sorted(folder.iterdir(), key=lambda item: item.name):
        if not file.name.endswith(".toml"):
            continue
        try:
            sheet = tomllib.loads(file.read_text("utf-8"))
            source, quality = sheet.pop("source"), sheet.pop("quality")
            for name, table in sheet.items():
                if name in found:
                    raise ValueError(f"{name} stands in two files")
                found[name] = read(name, table, source=source, quality=quality)
                places[name] = f"{within}{file.name}"
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            what = f"it lacks {error}" if isinstance(error, KeyError) else error
            raise BrokenInvariant("rules.file-unreadable", file=f"{folder.name}/{file.name}", what=what) from error
    return found
