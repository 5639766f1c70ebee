"""The source of the house as its tests read it: files that git tracks (or would), and their syntax trees."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "towncircle"
TEXT = {".py", ".md", ".toml", ".sh", ".lock", ".sql", ".csv", ".json", ".txt", ".hex", ".svg", ".cfg", ".yml", ""}


@dataclass(frozen=True)
class Module:
    """One module of the package: its path below src/towncircle, its room, its text and its tree."""

    path: str
    room: str
    text: str
    tree: ast.Module

    def at(self, node: ast.AST) -> str:
        """Name a place in the module."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


@cache
def modules() -> tuple[Module, ...]:
    """Read every module of the package."""
    found = []
    for path in sorted(SRC.rglob("*.py")):
        name = path.relative_to(SRC).as_posix()
        text = path.read_text(encoding="utf-8")
        found.append(Module(name, name.split("/")[0] if "/" in name else "", text, ast.parse(text)))
    return tuple(found)


@cache
def rooms() -> tuple[str, ...]:
    """Name the rooms: the packages directly below towncircle."""
    return tuple(sorted(path.parent.name for path in SRC.glob("*/__init__.py")))


@cache
def tracked() -> tuple[Path, ...]:
    """List the files that belong to the repository; without git (a source archive), all but what is made."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
        return tuple(path for path in (ROOT / name for name in names) if path.is_file())
    skipped = {"__pycache__", "build", "dist", "out", "demo-out"}
    found = (path for path in sorted(ROOT.rglob("*")) if path.is_file())
    return tuple(p for p in found if not any(x in skipped or x.startswith(".") for x in p.relative_to(ROOT).parts[:-1]))


def name_of(path: Path) -> str:
    """Name a file from the top of the repository."""
    return path.relative_to(ROOT).as_posix()


def texts() -> Iterator[tuple[str, str]]:
    """Give the name and text of every text file of the repository."""
    for path in tracked():
        if path.suffix in TEXT:
            yield name_of(path), path.read_text(encoding="utf-8")


def called(node: ast.AST) -> str:
    """Give the dotted name of what a call calls, or ''."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""
