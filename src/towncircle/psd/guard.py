"""The way into a device's process: the module is checked before any of it is run.

Run by its path: `python -P .../towncircle/psd/guard.py STORE_DIR ...`, with the arguments of `towncircle.psd.process`,
or with the one argument `--hosted` for a worker of a host (`hosted.worker`).
Here: the check of the module's files against the manifest of the build, the loader that runs just those files, and the
answer of a module that is not as it was built. Not here: the device (`process`), the self-test that repeats the check
in the running device (`integrity`).
Kept: this file needs the standard library alone, and imports no room before all of them were found as they were built.
Where they are not, every command is answered with psd.module-altered, a store is not opened and nothing is signed. What
is run is compiled from the bytes that were checked, which are read once: never from a file that somebody may have
changed since, nor from a compiled cache. Data files are read from those bytes too. In a source tree, whose manifest is
written anew whenever a file changes, files and caches are used.
What it cannot do: check itself, the interpreter and the libraries below.
"""

import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources.abc import Traversable, TraversableResources
from os import PathLike
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, BinaryIO

ROOMS = ("kernel", "rules", "indicium", "pki", "wire", "psd")  # what the device's process runs
MANIFEST = "psd/MANIFEST"
_HEAD = "towncircle module manifest 2"
_PACKAGE = Path(__file__).resolve().parents[1]
CODE = "psd.module-altered"
HOSTED = "--hosted"


def files(package: Path) -> Iterator[str]:
    """Name the module's files under the package folder, in order; compiled caches and the manifest are not of them."""
    yield "__init__.py"
    for room in ROOMS:
        for path in sorted((package / room).rglob("*")):
            name = path.relative_to(package).as_posix()
            if path.is_file() and path.suffix != ".pyc" and name != MANIFEST:
                yield name


def read(package: Path) -> dict[str, bytes]:
    """Read the module's files, once."""
    return {name: (package / name).read_bytes() for name in files(package)}


def manifest(package: Path) -> str:
    """Give the manifest of the files as they are: a line each, and a last line over all the others."""
    return _manifest_of(read(package))


def _manifest_of(held: Mapping[str, bytes]) -> str:
    lines = [_HEAD, *(f"{digest(data)}  {name}" for name, data in held.items())]
    body = "".join(f"{line}\n" for line in lines)
    return f"{body}{digest(body.encode())}  {MANIFEST}\n"


def altered(package: Path = _PACKAGE) -> str:
    """Say what is not as it was built; nothing where all is."""
    return checked(package)[0]


def checked(package: Path) -> tuple[str, Mapping[str, bytes]]:
    """Say what is not as it was built, and give the files that this is said of."""
    try:
        told, found = (package / MANIFEST).read_text(encoding="utf-8"), read(package)
    except (OSError, UnicodeDecodeError):
        return "its manifest cannot be read", {}
    return ("" if told == _manifest_of(found) else _difference(found, told)), found


def _difference(found: Mapping[str, bytes], told: str) -> str:
    """Name the first file that is not as the manifest says."""
    named = dict(line.split("  ", 1)[::-1] for line in told.splitlines()[1:-1] if "  " in line)
    for name in named:
        if name not in found:
            return f"{name[:200]} is missing"
    for name, data in found.items():
        if name not in named:
            return f"{name[:200]} is not of this build"
        if named[name] != digest(data):
            return f"{name[:200]} is not as it was built"
    return "its manifest was changed"


def digest(data: bytes) -> str:
    """Give the SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


class _Held(Traversable):
    """Be a file or a folder of those that were checked."""

    def __init__(self, found: Mapping[str, bytes], path: str) -> None:
        self._found, self._path = found, path

    @property
    def name(self) -> str:
        """Give the last part of its path."""
        return self._path.rpartition("/")[2]

    def is_file(self) -> bool:
        """Tell whether it is a file."""
        return self._path in self._found

    def is_dir(self) -> bool:
        """Tell whether it is a folder."""
        return any(name.startswith(f"{self._path}/") for name in self._found)

    def iterdir(self) -> Iterator["_Held"]:
        """Give what lies in the folder."""
        inside = (name.removeprefix(f"{self._path}/") for name in self._found if name.startswith(f"{self._path}/"))
        for child in dict.fromkeys(name.partition("/")[0] for name in inside):
            yield self.joinpath(child)

    def joinpath(self, *descendants: "str | PathLike[str]") -> "_Held":
        """Give what lies below it under a name."""
        return _Held(self._found, "/".join((self._path, *map(str, descendants))))

    def read_bytes(self) -> bytes:
        """Give the file's bytes. Raises `FileNotFoundError`."""
        if not self.is_file():
            raise FileNotFoundError(self._path)
        return self._found[self._path]

    def read_text(self, encoding: str | None = None) -> str:
        """Give the file's text. Raises `FileNotFoundError`."""
        return self.read_bytes().decode(encoding or "utf-8")

    def open(self, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        """Open the file."""
        data = io.BytesIO(self.read_bytes())
        return data if "b" in mode else io.TextIOWrapper(data, *arguments, **named)


class _Reader(TraversableResources):
    """Find the data files of a package among those that were checked."""

    def __init__(self, place: _Held) -> None:
        self._place = place

    def files(self) -> Traversable:
        """Give the package's folder."""
        return self._place


class _FromBytes(importlib.machinery.SourceFileLoader):
    """Compile a module from the bytes that were checked, whatever its file and the caches are by now."""

    def __init__(self, fullname: str, path: str, name: str, found: Mapping[str, bytes]) -> None:
        super().__init__(fullname, path)
        self._name, self._found = name, found

    def get_code(self, fullname: str) -> CodeType:
        """Give the code of the file."""
        code: CodeType = self.source_to_code(self._found[self._name], self.get_filename(fullname))
        return code

    def get_resource_reader(self, name: str | None = None) -> TraversableResources:  # type: ignore[override]  # noqa: ARG002 - as abc has it
        """Give the reader of its package's data files."""
        return _Reader(_Held(self._found, self._name.rpartition("/")[0]))


class Finder(importlib.abc.MetaPathFinder):
    """Find the package's modules among the files that were checked."""

    def __init__(self, package: Path, found: Mapping[str, bytes]) -> None:
        self._package, self._found = package, found

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - the finder's shape
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """Give the spec of a module of this package. Raises `ModuleNotFoundError` for one that was not checked."""
        top, _, rest = fullname.partition(".")
        if top != self._package.name:
            return None
        name, inside = rest.replace(".", "/"), None
        if (within := f"{name}/__init__.py".removeprefix("/")) in self._found:
            inside, name = [str(self._package / name)], within
        else:
            name += ".py"
        if name not in self._found:
            raise ModuleNotFoundError(f"{fullname} is not of the module that was checked", name=fullname)
        file = str(self._package / name)
        loader = _FromBytes(fullname, file, name, self._found)
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


def refuse_groups(what: str, source: BinaryIO, sink: BinaryIO) -> int:
    """Answer every command of every group (frames of `hosted.pool`, the first is the setting) as `refuse` does."""
    told, setting = answer(what), True
    while len(head := source.read(4)) == 4:
        table = source.read(4 * (count := int.from_bytes(head, "big")))
        source.read(sum(int.from_bytes(table[at : at + 4], "big") for at in range(0, len(table), 4)))
        if not setting:
            asked = count // 2
            sink.write(b"".join(size.to_bytes(4, "big") for size in (asked, *[len(told)] * asked)) + told * asked)
            sink.flush()
        setting = False
    return 4


def in_source_tree(package: Path) -> bool:
    """Tell whether this is a checkout, whose launcher writes the manifest anew."""
    return (package.parents[1] / "tools" / "manifest.py").is_file()


def run(argv: list[str]) -> int:
    """Check the module, then be the device's process, or the host's worker; give the exit code."""
    what, found = checked(_PACKAGE)
    hosted = argv == [HOSTED]
    if what:
        return (refuse_groups if hosted else refuse)(what, sys.stdin.buffer, sys.stdout.buffer)
    sys.path.insert(0, str(_PACKAGE.parent))  # what was checked is what is run
    if not in_source_tree(_PACKAGE):
        sys.meta_path.insert(0, Finder(_PACKAGE, found))
    from towncircle.psd import integrity

    integrity.loaded(digest(_manifest_of(found).encode()))  # whatever is installed over it from now on
    if hosted:
        from towncircle.psd.hosted import worker

        return worker.main()
    from towncircle.psd import process

    return process.run(argv)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
