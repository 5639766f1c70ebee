"""The integrity of the module's own files, against a manifest that was made at build.

Here: which files the module is made of, how a manifest is written, and how it is checked. Not here: who writes it (a
wheel's build hook, or `tools/manifest.py` in a source tree), and what a fault leads to (`device`). The build calls
this file before anything is installed: it needs nothing but the standard library and the kernel's errors.
Kept: the manifest is never made at start. A file that is missing, altered or too many is a fault, and so is a missing
or altered manifest. What this cannot do: whoever can write both the files and the manifest is not caught; that is the
work of the package's own signature and of the machine's owner (docs/security-policy.md).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BrokenInvariant

ROOMS = ("kernel", "rules", "indicium", "pki", "wire", "psd")  # what the device's process runs
MANIFEST = "psd/MANIFEST"
_HEAD = "towncircle module manifest 1"
_PACKAGE = Path(__file__).resolve().parents[1]


def files(package: Path) -> Iterator[str]:
    """Name the module's files under the package folder, in order; compiled caches and the manifest are not of them."""
    for room in ROOMS:
        for path in sorted((package / room).rglob("*")):
            name = path.relative_to(package).as_posix()
            if path.is_file() and path.suffix != ".pyc" and name != MANIFEST:
                yield name


def manifest(package: Path) -> str:
    """Give the manifest of the files as they lie: a line each, and a last line over all the others."""
    lines = [_HEAD, *(f"{_digest((package / name).read_bytes())}  {name}" for name in files(package))]
    body = "".join(f"{line}\n" for line in lines)
    return f"{body}{_digest(body.encode())}  {MANIFEST}\n"


def write(package: Path) -> bool:
    """Write the manifest where it is not what the files ask for, and tell whether it was written."""
    text, place = manifest(package), package / MANIFEST
    held = place.read_text(encoding="utf-8") if place.exists() else ""
    if held != text:
        draft = package.parent / f".manifest-{os.getpid()}"  # outside the rooms: a device may check them right now
        draft.write_text(text, encoding="utf-8")
        draft.replace(place)
    place.touch()  # newer than its folder: the launcher compares times
    return held != text


@cites("502.8b", "502.16")
def check(package: Path = _PACKAGE) -> str:
    """Check the files against the manifest and give its digest. Raises `BrokenInvariant` (psd.module-altered)."""
    try:
        held = (package / MANIFEST).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BrokenInvariant("psd.module-altered", what="its manifest cannot be read") from error
    if held != manifest(package):
        raise BrokenInvariant("psd.module-altered", what=_difference(package, held))
    return _digest(held.encode())


@cache
def module_digest() -> str:
    """Give the digest of the manifest that came with this module, which names its build; empty where there is none."""
    place = _PACKAGE / MANIFEST
    return _digest(place.read_bytes()) if place.is_file() else ""


def running() -> bytes:
    """Give the digest of the build that runs, or nothing where it has no manifest."""
    return bytes.fromhex(module_digest())


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
        if named[name] != _digest((package / name).read_bytes()):
            return f"{name[:200]} is not as it was built"
    return "its manifest was changed"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
