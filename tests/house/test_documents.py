"""Documents: links lead somewhere, every room is on the map, the README's commands run, data names its source."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from tests.house.source import ROOT, SRC, name_of, rooms, texts, tracked

_LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)(?:\s+\"[^\"]*\")?\)")
_REFERENCE = re.compile(r"^\[[^\]]+\]:\s+(?P<target>\S+)", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6} +(?P<title>.+?) *#*$", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_SHELL = re.compile(r"^```sh\n(?P<lines>.*?)^```", re.MULTILINE | re.DOTALL)
EXPECTED = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "NOTICE"]


def pages() -> Iterator[tuple[str, str]]:
    """Give every page in Markdown with its text outside of code."""
    for name, text in texts():
        if name.endswith(".md"):
            yield name, text


def _anchors(text: str) -> set[str]:
    titles = (match["title"] for match in _HEADING.finditer(_FENCE.sub("", text)))
    plain = (re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", title)).strip().lower() for title in titles)
    return {title.replace(" ", "-") for title in plain}


def dead_links(name: str, text: str) -> list[str]:
    """Name the links of a page that lead nowhere; addresses on the web are only looked at."""
    dead = []
    spoken = _CODE.sub("", _FENCE.sub("", text))
    for match in [*_LINK.finditer(spoken), *_REFERENCE.finditer(spoken)]:
        target = match["target"].strip("<>")
        parts = urlsplit(target)
        if parts.scheme in {"http", "https"}:
            dead += [] if "." in (parts.hostname or "") and " " not in target else [target]
            continue
        if parts.scheme:
            dead += [] if parts.scheme == "mailto" else [target]
            continue
        there = ((ROOT / name).parent / unquote(parts.path)).resolve() if parts.path else ROOT / name
        alive = there.exists() and there.is_relative_to(ROOT)
        if alive and parts.fragment and there.suffix == ".md":
            alive = parts.fragment in _anchors(there.read_text(encoding="utf-8"))
        dead += [] if alive else [target]
    return [f"{name}: {target}" for target in dead]


def test_no_link_is_dead() -> None:
    assert [link for name, text in pages() for link in dead_links(name, text)] == []


def test_a_dead_link_would_be_found() -> None:
    good = "[a](LICENSE) [b](docs/errors.md#errors) [c](https://example.org/x) `[d](code.md)` [e](mailto:a@b.c)"
    bad = ["nowhere.md", "http://nohost", "../etc/passwd", "docs/errors.md#not-here", "ftp://example.org"]
    assert dead_links("NOTICE", good) == []
    assert dead_links("NOTICE", " ".join(f"[x]({link})" for link in bad)) == [f"NOTICE: {link}" for link in bad]


def test_the_papers_of_a_project_are_here() -> None:
    assert [name for name in EXPECTED if not (ROOT / name).is_file()] == []


def test_every_room_is_on_the_map() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert [room for room in rooms() if f"`{room}/`" not in text] == []


def readme_commands() -> list[str]:
    """Give the shell lines of the README's `sh` blocks, in order, without comments and prompts."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = [line for block in _SHELL.finditer(text) for line in block["lines"].replace("\\\n", " ").splitlines()]
    return [line for line in lines if line.startswith("./towncircle")]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Give a folder in which `./towncircle` is the checkout's program and nothing else is."""
    launcher = tmp_path / "towncircle"
    python, src = shlex.quote(sys.executable), shlex.quote(str(ROOT / "src"))
    launcher.write_text(f'#!/bin/sh\nPYTHONPATH={src} exec {python} -m towncircle "$@"\n')
    launcher.chmod(0o755)
    return tmp_path


def test_the_commands_of_the_readme_run_in_order(checkout: Path) -> None:
    commands = readme_commands()
    assert commands, "the README shows no command"
    for command in commands:
        done = subprocess.run(
            ["sh", "-euc", command], cwd=checkout, capture_output=True, text=True, timeout=180, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def _data_folders() -> dict[Path, list[Path]]:
    found: dict[Path, list[Path]] = {}
    for path in tracked():
        inside = path.is_relative_to(SRC) or path.is_relative_to(ROOT / "tests")
        if inside and path.suffix not in {".py", ".sql", ".md"} and path.name != "py.typed":
            found.setdefault(path.parent, []).append(path)
    return found


def test_every_folder_of_data_names_its_source() -> None:
    silent = []
    for folder, files in _data_folders().items():
        told = [place / name for place in (folder, folder.parent) for name in ("SOURCES.md", "README.md")]
        notes = "\n".join(path.read_text(encoding="utf-8") for path in told if path.is_file())
        for path in files:
            named = path.name in notes or f"`{folder.name}/" in notes
            own = path.suffix in {".toml", ".txt"} and "source" in path.read_text(encoding="utf-8").lower()
            silent += [] if named or own else [name_of(path)]
    assert silent == []


def test_the_notice_names_every_room_that_carries_the_data_of_others() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    carriers = {path.parent for path in tracked() if path.name == "SOURCES.md" and path.is_relative_to(SRC)}
    assert [
        name_of(folder) for folder in carriers if f"src/towncircle/{folder.relative_to(SRC).parts[0]}/" not in notice
    ] == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_every_package_by_version_and_hash_and_knows_no_index(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    entries = [entry for entry in re.sub(r"\\\n\s*", " ", text).splitlines() if entry and not entry.startswith("#")]
    assert entries
    pinned = re.compile(r"[\w.\[\]-]+==[^\s;]+( ?;[^#]*?)?( +--hash=sha256:[0-9a-f]{64})+ *(#.*)?", re.ASCII)
    assert [entry for entry in entries if not pinned.fullmatch(entry)] == []
    assert "://" not in text


def test_the_locks_hold_what_the_project_declares_and_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    locked = {name: _pins(name) for name in ("requirements.lock", "requirements-dev.lock")}
    wanted = {"requirements.lock": project["project"]["dependencies"]}
    wanted["requirements-dev.lock"] = project["dependency-groups"]["dev"]
    for lock, needs in wanted.items():
        assert {re.split(r"[<>=!~\[ ]", need)[0].lower() for need in needs} <= locked[lock].keys()
    both = locked["requirements.lock"].keys() & locked["requirements-dev.lock"].keys()
    assert {p for p in both if locked["requirements.lock"][p] != locked["requirements-dev.lock"][p]} == set()


def _pins(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return {m[1].lower(): m[2] for m in re.finditer(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", text, re.MULTILINE)}


def test_the_layers_of_the_rooms_are_kept() -> None:
    program = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert program, "import-linter is in the development lock"
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


HEAVY = (
    "numpy",
    "PIL",
    "cryptography",
    "fastapi",
    "uvicorn",
    "zint",
    "zxingcpp",
    "pypdfium2",
    "rich",
    "cbor2",
    "zipcodes",
)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["verify", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys, runpy\n"
        f"sys.argv = ['towncircle', *{arguments!r}]\n"
        "try:\n    runpy.run_module('towncircle', run_name='__main__')\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        f"print('LOADED', *sorted(set({HEAVY!r}) & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "LOADED"
