"""The monthly file of lost or stolen devices (502.20(k)): its layout, its writer, and the reader that checks it.

Here: bytes to rows and back. Not here: which devices are in it (the Provider), and whether they are all (the Postal
Service). The layout is documented in docs/lost-and-stolen-file.md.
Kept: a file that was read whole agrees with its own control totals; the first fault is named with its line.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant

NAME, VERSION = "LOST-AND-STOLEN", "1"
_PERIOD = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)
_PARTS = {"H": 5, "D": 7, "T": 7}
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingDevice:
    """Hold one device: since when it is lost or stolen, the incident, whether it is new, and its last balance."""

    device: str
    license: str
    status: str
    since: Instant
    incident: str
    new: bool
    descending_mills: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyFile:
    """Hold a file: whose it is, the period (`YYYY-MM`), when it was made, its devices, and how many it purged."""

    provider: str
    period: str
    made_at: Instant
    devices: tuple[MissingDevice, ...]
    purged: int


def period_of(text: str) -> str:
    """Read a period. Raises `BadInput` (missing.bad-period)."""
    if not _PERIOD.fullmatch(text):
        raise BadInput("missing.bad-period", text=text[:20])
    return text


@cites("502.20k")
def write(file: MonthlyFile) -> bytes:
    """Write a file with its control totals."""
    lines = [f"H|{NAME}|{VERSION}|{file.provider}|{file.period}|{file.made_at.iso()}"]
    lines += [
        f"D|{row.device}|{row.license}|{row.status}|{row.since.iso()}|{row.incident}|{'new' if row.new else 'known'}"
        f"|{row.descending_mills}"
        for row in file.devices
    ]
    body = "".join(f"{line}\n" for line in lines).encode("ascii")
    return body + f"T|{'|'.join(map(str, _totals(file)))}|{hashlib.sha256(body).hexdigest()}\n".encode("ascii")


def _totals(file: MonthlyFile) -> tuple[int, ...]:
    rows = file.devices
    return (
        len(rows),
        sum(row.status == "lost" for row in rows),
        sum(row.status == "stolen" for row in rows),
        sum(row.new for row in rows),
        file.purged,
        sum(row.descending_mills for row in rows),
    )


@cites("502.20k")
def read(data: bytes) -> MonthlyFile:
    """Read a file and check it against its control totals. Raises `Refused` (missing.file-broken)."""
    lines = data.split(b"\n")
    if len(lines) < 3 or lines[-1] != b"":
        raise _broken(len(lines), "it does not end in a line of totals")
    rows = [_parts(number, line) for number, line in enumerate(lines[:-1], start=1)]
    head, devices, end = rows[0], rows[1:-1], rows[-1]
    if [head[0], *head[1:3]] != ["H", NAME, VERSION]:
        raise _broken(1, f"it does not begin as {NAME} {VERSION}")
    if end[0] != "T" or not all(map(_NUMBER.fullmatch, end[1:7])):
        raise _broken(len(rows), "it is no line of totals")
    digest = hashlib.sha256(data[: data.rindex(b"T|")]).hexdigest()
    if end[7] != digest:
        raise _broken(len(rows), "the digest is not that of the lines before it")
    try:
        file = MonthlyFile(
            provider=head[3],
            period=period_of(head[4]),
            made_at=Instant.parse(head[5]),
            devices=tuple(_device(number, row) for number, row in enumerate(devices, start=2)),
            purged=int(end[5]),
        )
    except BadInput as error:
        raise _broken(1, error.sentence) from error
    told = tuple(map(int, end[1:7]))
    if told != _totals(file):
        raise _broken(len(rows), f"the control totals are {_totals(file)}, not {told}")
    if len({row.device for row in file.devices}) != len(file.devices):
        raise _broken(len(rows), "a device stands in it twice")
    return file


def _parts(number: int, line: bytes) -> list[str]:
    try:
        parts = line.decode("ascii").split("|")
    except UnicodeDecodeError as error:
        raise _broken(number, "it is not ASCII") from error
    if len(parts) != _PARTS.get(parts[0], -1) + 1:
        raise _broken(number, f"a line of kind '{parts[0][:8]}' does not have {len(parts) - 1} fields")
    return parts


def _device(number: int, row: list[str]) -> MissingDevice:
    if row[0] != "D" or row[3] not in ("lost", "stolen") or row[6] not in ("new", "known"):
        raise _broken(number, "it is no line of a lost or stolen device")
    if not _NUMBER.fullmatch(row[7]):
        raise _broken(number, "the balance is no number of mills")
    try:
        return MissingDevice(
            device=DeviceId.parse(row[1]),
            license=row[2],
            status=row[3],
            since=Instant.parse(row[4]),
            incident=row[5],
            new=row[6] == "new",
            descending_mills=int(row[7]),
        )
    except BadInput as error:
        raise _broken(number, error.sentence) from error


def _broken(line: int, why: str) -> Refused:
    return Refused("missing.file-broken", line=line, why=why)
