"""The way into a device's process: the module is checked before any of it is run.

Run by its path: `python -P .../towncircle/psd/guard.py STORE_DIR ...`, with the arguments of `towncircle.psd.process`.
Here: the check of the module's files against the manifest of the build, the loader that runs just those files, and the
answer of a module that is not as it was built. Not here: the device (`process`), the self-test that repeats the check
in the running device (`integrity`).
Kept: this file needs the standard library alone, and imports no room before all of them were found as they were built.
Where they are not, every command is answered with psd.module-altered, a store is not opened and nothing is signed. What
is run is compiled from the files that were checked, never taken from a compiled cache that somebody may have changed;
in a source tree, whose manifest is written anew whenever a file changes, caches are used.
What it cannot do: check itself, the interpreter and the libraries below.
"""

import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import BinaryIO

ROOMS = ("kernel", "rules", "indicium", "pki", "wire", "psd")  # what the device's process runs
MANIFEST = "psd/MANIFEST"
_HEAD = "towncircle module manifest 2"
_PACKAGE = Path(__file__).resolve().parents[1]
CODE = "psd.module-altered"


def files(package: Path) -> Iterator[str]:
    """Name the module's files under the package folder, in order; compiled caches and the manifest are not of them."""
    yield "__init__.py"
    for room in ROOMS:
        for path in sorted((package / room).rglob("*")):
            name = path.relative_to(package).as_posix()
            if path.is_file() and path.suffix != ".pyc" and name != MANIFEST:
                yield name


def manifest(package: Path) -> str:
    """Give the manifest of the files as they are: a line each, and a last line over all the others."""
    lines = [_HEAD, *(f"{digest((package / name).read_bytes())}  {name}" for name in files(package))]
    body = "".join(f"{line}\n" for line in lines)
    return f"{body}{digest(body.encode())}  {MANIFEST}\n"


def altered(package: Path = _PACKAGE) -> str:
    """Say what is not as it was built; nothing where all is."""
    try:
        held = (package / MANIFEST).read_text(encoding="utf-8")
        return "" if held == manifest(package) else _difference(package, held)
    except (OSError, UnicodeDecodeError):
        return "its manifest cannot be read"


def _difference(package: Path, held: str) -> str:
    """Name the first file that is not as the manifest says."""
    named = dict(line.split("  ", 1)[::-1] for line in held.splitlines()[1:-1] if "  " in line)
    present = list(files(package))
    for name in named:
        if name not in present:
            return f"{name[:200]} is missing"
    for name in present:
        if name not in named:
            return f"{name[:200]} is not of this build"
        if named[name] != digest((package / name).read_bytes()):
            return f"{name[:200]} is not as it was built"
    return "its manifest was changed"


def digest(data: bytes) -> str:
    """Give the SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


class _FromSource(importlib.machinery.SourceFileLoader):
    """Compile a module from its file, whatever lies in the caches."""

    def get_code(self, fullname: str) -> CodeType:
        """Give the code of the file."""
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


class Finder(importlib.abc.MetaPathFinder):
    """Find the package's modules in the files that were checked."""

    def __init__(self, package: Path) -> None:
        self._package = package

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - the finder's shape
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """Give the spec of a module of this package."""
        names = fullname.split(".")
        if names[0] != self._package.name:
            return None
        place = self._package.parent.joinpath(*names)
        if (place / "__init__.py").is_file():
            file, inside = place / "__init__.py", [str(place)]
        else:
            file, inside = place.with_suffix(".py"), None
        if not file.is_file():
            return None
        loader = _FromSource(fullname, str(file))
        return importlib.util.spec_from_file_location(fullname, file, loader=loader, submodule_search_locations=inside)


def answer(what: str) -> bytes:
    """Give the answer of a device whose module is altered, in the form of `commands.encode_error`."""
    told = b"\xa3\x00" + _text("broken") + b"\x01" + _text(CODE) + b"\x02\x81\x82" + _text("what") + _text(what)
    return b"\xa3\x00\x01\x01\x00\x02" + told


def _text(value: str) -> bytes:
    raw = value.encode("utf-8", "replace")[:255]
    head = bytes([0x60 + len(raw)]) if len(raw) < 24 else bytes([0x78, len(raw)])
    return head + raw


def refuse(what: str, source: BinaryIO, sink: BinaryIO) -> int:
    """Answer every frame with what is altered, until the input ends; give the exit code."""
    told = answer(what)
    frame = len(told).to_bytes(4, "big") + told
    while len(head := source.read(4)) == 4 and len(source.read(size := int.from_bytes(head, "big"))) == size:
        sink.write(frame)
        sink.flush()
    return 4


def in_source_tree(package: Path) -> bool:
    """Tell whether this is a checkout, whose launcher writes the manifest anew."""
    return (package.parents[1] / "tools" / "manifest.py").is_file()


def run(argv: list[str]) -> int:
    """Check the module, then be the device's process; give the exit code."""
    what = altered()
    if what:
        return refuse(what, sys.stdin.buffer, sys.stdout.buffer)
    sys.path.insert(0, str(_PACKAGE.parent))  # what was checked is what is run
    if not in_source_tree(_PACKAGE):
        sys.meta_path.insert(0, Finder(_PACKAGE))
    from towncircle.psd import process

    return process.run(argv)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
