"""The reading of an export: files, digests, lines.

Here: `OUT` into typed rows, with a difference for whatever cannot be read. Not here: what the rows mean.
Kept: a digest that does not match is named and the file is read all the same, so that the later checks can say what
was changed. Only what has the shape of docs/export.md is handed on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from towncircle.auditor.report import Report
from towncircle.auditor.shapes import HEADER, INSTANTS, LINES, O, fits
from towncircle.kernel.errors import BadInput
from towncircle.kernel.instants import Instant

FORMAT, VERSION = "towncircle-export", 1
NEEDED = ("head.json", "signature.cose", "facts.jsonl")
ROLES = ("postal", "bank", "provider", "licensee")
_MAX_FILE = 2**31
SKEW_US = 300_000_000  # the clocks of two parties may differ by five minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Hold one line of a file: its number in the file, from 1, and its JSON record."""

    line: int
    data: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.data[name]

    def at(self, name: str) -> Instant:
        """Give an instant of the row (its form was checked when it was read)."""
        return Instant.parse(self.data[name])


@dataclass(slots=True, kw_only=True)
class Party:
    """Hold what one party exported."""

    id: str
    head: dict[str, Any]
    raw: dict[str, bytes]
    rows: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def role(self) -> str:
        """Give the part of the id before the dot."""
        return self.id.split(".", 1)[0]

    def __getitem__(self, name: str) -> list[Row]:
        return self.rows.get(name, [])


@dataclass(slots=True, kw_only=True)
class Export:
    """Hold a whole export: the header that its files agree on, and the parties by id."""

    header: dict[str, Any]
    made_at: Instant
    parties: dict[str, Party]

    def after_end(self, at: Instant) -> bool:
        """Tell whether an instant lies after the export was made, by more than clocks may differ."""
        return at > self.made_at.plus(microseconds=SKEW_US)

    @property
    def quiet(self) -> bool:
        """Tell whether the export says that nothing was under way."""
        return self.header.get("quiet") is not False

    def of_role(self, role: str) -> list[Party]:
        """Give the parties of a role, ordered by id."""
        return [party for name, party in sorted(self.parties.items()) if party.role == role]


def read_export(out: Path, report: Report) -> Export:
    """Read an export. Raises `BadInput`: audit.no-export, audit.empty, audit.not-an-export, ..."""
    if not out.is_dir():
        raise BadInput("audit.no-export", path=out)
    if not any(out.iterdir()):
        raise BadInput("audit.empty", path=out)
    folders = sorted(item for item in out.iterdir() if item.is_dir())
    if not (out / "manifest.json").is_file() and not any((folder / "head.json").is_file() for folder in folders):
        raise BadInput("audit.not-an-export", path=out)
    manifest = _manifest(out, report)
    parties: dict[str, Party] = {}
    for folder in folders:
        if folder.name.split(".", 1)[0] not in ROLES:
            report.differ("file.unlisted", folder.name, "This folder is of no party.")
            continue
        parties[folder.name] = _party(folder, report)
    _check_listed(manifest, out, report)
    named = set(_texts(manifest.get("parties")))
    for name in sorted(named - parties.keys()):
        report.differ("manifest.party-missing", name, "The manifest names this party, and its folder is not there.")
    for name in sorted(parties.keys() - named):
        report.differ("manifest.party-unlisted", name, "The manifest does not name this party.")
    header = _header(manifest, parties, report)
    if header.get("version", VERSION) != VERSION:
        raise BadInput("audit.other-version", path=out, found=header["version"], known=VERSION)
    made = header.get("made_at")
    return Export(header=header, made_at=instant_of(made) or Instant(0), parties=parties)


def _manifest(out: Path, report: Report) -> dict[str, Any]:
    found = _object(out / "manifest.json", "manifest.json", report)
    for key, kind in {**HEADER, "parties": "list", "files": O}.items():
        if found and not fits(found.get(key), kind):
            report.differ("manifest.malformed", "manifest.json", f"'{key}' is missing or not a {kind}.")
            found.pop(key, None)
    return found


def _party(folder: Path, report: Report) -> Party:
    name = folder.name
    head = _object(folder / "head.json", f"{name}/head.json", report)
    raw = {item.name: _bytes(item) for item in sorted(folder.iterdir()) if item.is_file()}
    party = Party(id=name, head=head, raw=raw)
    for needed in (*NEEDED, *(("certificates.jsonl",) if party.role == "postal" else ())):
        if needed not in raw:
            report.differ("file.missing", f"{name}/{needed}", "This file must be there.")
    if head:
        report.same(
            "head.party", f"{name}/head.json", "The head is of another party.", expected=name, found=head.get("party")
        )
        listed = head.get("files")
        own = {key: value for key, value in raw.items() if key not in {"head.json", "signature.cose"}}
        _check_files(listed if isinstance(listed, dict) else {}, own, f"{name}/head.json", f"{name}/", report)
    for file, shape in LINES.items():
        if file in raw:
            party.rows[file] = _rows(raw[file], shape, f"{name}/{file}", report)
    report.checked["facts"] += len(party["facts.jsonl"])
    report.checked["entries"] += len(party["entries.jsonl"])
    return party


def _check_listed(manifest: Mapping[str, Any], out: Path, report: Report) -> None:
    if "files" not in manifest:
        return
    found = {
        path.relative_to(out).as_posix(): _bytes(path)
        for path in sorted(out.rglob("*"))
        if path.is_file() and path != out / "manifest.json"
    }
    report.checked["files"] += len(found) + 1
    _check_files(manifest["files"], found, "manifest.json", "", report)


def _check_files(
    listed: Mapping[str, Any], found: Mapping[str, bytes], where: str, prefix: str, report: Report
) -> None:
    for name in sorted(listed.keys() | found.keys()):
        path, said = f"{prefix}{name}", listed.get(name)
        if name not in found:
            report.differ("file.missing", path, f"{where} lists this file, and it is not there.")
        elif not isinstance(said, dict):
            report.differ("file.unlisted", path, f"{where} does not list this file.")
        else:
            raw = found[name]
            lines, digest = raw.count(b"\n"), hashlib.sha256(raw).hexdigest()
            text = f"The file is not the one that {where} lists"
            report.same("file.digest", path, f"{text}.", expected=said.get("sha256"), found=digest)
            report.same("file.length", path, f"{text}: its length differs.", expected=said.get("bytes"), found=len(raw))
            report.same("file.lines", path, f"{text}: its lines differ.", expected=said.get("lines"), found=lines)


def _header(manifest: Mapping[str, Any], parties: Mapping[str, Party], report: Report) -> dict[str, Any]:
    """Take the header that the heads agree on most; each one that says otherwise is a difference."""
    header: dict[str, Any] = {}
    said = {f"{name}/head.json": party.head for name, party in sorted(parties.items()) if party.head}
    for key, kind in HEADER.items():
        values = [head[key] for head in said.values() if fits(head.get(key), kind)]
        if not values:
            values = [manifest[key]] if key in manifest else []
        if values:
            header[key] = max(values, key=values.count)
        for where, source in {"manifest.json": manifest, **said}.items():
            if source and source.get(key) != header.get(key):
                text = f"'{key}' is not what the other parties say."
                report.differ("head.differs", where, text, expected=header.get(key), found=source.get(key))
    report.same("head.format", "head.json", "This is another format.", expected=FORMAT, found=header.get("format"))
    if instant_of(header.get("made_at")) is None:
        report.differ("head.malformed", "head.json", "'made_at' is no instant.", found=header.get("made_at"))
    return header


def _rows(raw: bytes, shape: Mapping[str, str], where: str, report: Report) -> list[Row]:
    rows = []
    if raw and not raw.endswith(b"\n"):
        report.differ("line.cut", where, "The last line does not end: the file was cut short.")
    for number, line in enumerate(raw.split(b"\n")[: raw.count(b"\n") + 1], start=1):
        if line:
            data = _line(line, shape, f"{where} line {number}", report)
            if data is not None:
                rows.append(Row(line=number, data=data))
        elif number <= raw.count(b"\n"):
            report.differ("line.malformed", f"{where} line {number}", "The line is empty.")
    return rows


def _line(line: bytes, shape: Mapping[str, str], where: str, report: Report) -> dict[str, Any] | None:
    try:
        data = _json(line)
    except (ValueError, RecursionError):
        report.differ("line.malformed", where, "The line is not one JSON object in UTF-8.")
        return None
    if not isinstance(data, dict):
        report.differ("line.malformed", where, "The line is not a JSON object.")
        return None
    for key, kind in shape.items():
        if not fits(data.get(key), kind):
            report.differ("line.malformed", where, f"'{key}' is missing or not a {kind}.", found=data.get(key))
            return None
        if key in INSTANTS and instant_of(data[key]) is None:
            report.differ("line.malformed", where, f"'{key}' is no instant.", found=data[key])
            return None
    return data


def _object(path: Path, where: str, report: Report) -> dict[str, Any]:
    if not path.is_file():
        report.differ("file.missing", where, "This file must be there.")
        return {}
    try:
        data = _json(_bytes(path))
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        code = "manifest.malformed" if where == "manifest.json" else "head.malformed"
        report.differ(code, where, "The file is not one JSON object in UTF-8.")
        return {}
    return data


def _json(raw: bytes) -> Any:
    data = json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    if b"\\u" in raw:
        json.dumps(data, ensure_ascii=False).encode()  # half a surrogate pair is no text
    return data


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _no_constant(text: str) -> None:
    raise ValueError(text)


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > _MAX_FILE:
        raise BadInput("audit.too-large", path=path, limit=_MAX_FILE)
    return path.read_bytes()


def letters(name: str) -> str:
    """Give what two spellings of one name have in common: case and punctuation make no other person."""
    return "".join(filter(str.isalnum, name.casefold()))


def instant_of(text: object) -> Instant | None:
    """Read an instant as the format writes it, or give None."""
    if not isinstance(text, str):
        return None
    try:
        moment = Instant.parse(text)
    except (BadInput, OverflowError):
        return None
    return moment if moment.iso() == text else None


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
