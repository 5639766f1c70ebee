"""The integrity of the module's own files, against a manifest that was made at build.

Here: how a manifest is written, and the check as a self-test of the running device. Not here: which files the module is
made of and the check before any of it runs (`guard`), who writes the manifest (a wheel's build hook, or
`tools/manifest.py` in a source tree), and what a fault leads to (`device`). The build calls this file before anything
is installed: it needs nothing but the standard library and the kernel's errors.
Kept: the manifest is never made at start. A file that is missing, altered or too many is a fault, and so is a missing
or altered manifest. The build that runs is the one that was loaded, whatever is installed over it since: its files are
then those of another build, which is a fault too. What this cannot do: whoever can write both the files and the
manifest is not caught; that is the work of the package's own signature and of the machine's owner
(docs/security-policy.md).
"""

from __future__ import annotations

import os
from pathlib import Path

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BrokenInvariant
from towncircle.psd.guard import MANIFEST, ROOMS, altered, digest, files, manifest

__all__ = ["MANIFEST", "ROOMS", "check", "files", "loaded", "manifest", "module_digest", "running", "write"]
_PACKAGE = Path(__file__).resolve().parents[1]


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
    what = altered(package)
    if what:
        raise BrokenInvariant("psd.module-altered", what=what)
    found = digest((package / MANIFEST).read_bytes())
    if package == _PACKAGE and found != module_digest():
        raise BrokenInvariant("psd.module-altered", what="its files are of another build than the one that runs")
    return found


def _told() -> str:
    place = _PACKAGE / MANIFEST
    return digest(place.read_bytes()) if place.is_file() else ""


_loaded = [_told()]


def loaded(build: str) -> None:
    """Take the digest of the manifest that this module was checked against before it was loaded (`guard`)."""
    _loaded[0] = build


def module_digest() -> str:
    """Give the digest of the manifest of this module as it was loaded, which names its build; empty without one."""
    return _loaded[0]


def running() -> bytes:
    """Give the digest of the build that runs, or nothing where it has no manifest."""
    return bytes.fromhex(module_digest())
