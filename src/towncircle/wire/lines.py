"""Files of lines with a kind in front and a line of totals at the end: the parts that several layouts share.

Here: lines to bytes with their digest, and back with the number of fields of each kind checked. Not here: what the
fields mean (`daily_file`, `statement_file`).
Kept: nothing follows the line of totals; its last field is the SHA-256 of all bytes before it; the first fault is named
with its line.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant

_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}", re.ASCII)
Line = list[str]


def write_lines(rows: Iterable[Iterable[object]], totals: Iterable[object], *, separator: str) -> bytes:
    """Write lines and the line T with the totals and the digest. Raises `BadInput` (lines.unwritable)."""
    made = [_line([str(field) for field in row], separator) for row in rows]
    body = "".join(f"{line}\n" for line in made).encode("ascii")
    end = _line(["T", *map(str, totals), hashlib.sha256(body).hexdigest()], separator)
    return body + f"{end}\n".encode("ascii")


def _line(fields: Line, separator: str) -> str:
    for field in fields:
        if separator in field or not field.isascii() or not (field == "" or field.isprintable()):
            raise BadInput("lines.unwritable", field=field[:40], separator=separator)
    return separator.join(fields)


def read_lines(data: bytes, parts: Mapping[str, int], *, separator: str) -> list[Line]:
    """Read lines: the first is H, the last T with the right digest, each with as many fields after its kind as `parts`.

    Raises `Refused` (lines.broken).
    """
    lines = data.split(b"\n")
    if len(lines) < 3 or lines[-1] != b"":
        raise broken(len(lines), "it does not end in a line of totals")
    rows = [_fields(number, line, parts, separator) for number, line in enumerate(lines[:-1], start=1)]
    kinds = [row[0] for row in rows]
    if kinds[0] != "H" or kinds[-1] != "T":
        raise broken(1 if kinds[0] != "H" else len(rows), "a file begins with H and ends with T")
    for place, kind in enumerate(kinds[1:-1], start=2):
        if kind in ("H", "T"):
            raise broken(place, f"a line {kind} stands in the middle")
    body = data[: len(data) - len(lines[-2]) - 1]
    if rows[-1][-1] != hashlib.sha256(body).hexdigest():
        raise broken(len(rows), "the digest is not that of the lines before it")
    return rows


def _fields(number: int, line: bytes, parts: Mapping[str, int], separator: str) -> Line:
    try:
        row = line.decode("ascii").split(separator)
    except UnicodeDecodeError as error:
        raise broken(number, "it is not ASCII") from error
    if len(row) != parts.get(row[0], -1) + 1:
        raise broken(number, f"a line of kind '{row[0][:8]}' does not have {len(row) - 1} fields")
    return row


def number_of(line: int, text: str) -> int:
    """Read a whole number of a line. Raises `Refused` (lines.broken)."""
    if not _NUMBER.fullmatch(text):
        raise broken(line, f"'{text[:20]}' is no whole number")
    return int(text)


def instant_of(line: int, text: str) -> Instant:
    """Read an instant of a line. Raises `Refused` (lines.broken)."""
    try:
        return Instant.parse(text)
    except BadInput as error:
        raise broken(line, error.sentence.rstrip(".")) from error


def same_totals(rows: list[Line], counted: Iterable[object]) -> None:
    """Check the totals of the last line. Raises `Refused` (lines.broken)."""
    told, found = rows[-1][1:-1], [str(value) for value in counted]
    if told != found:
        raise broken(len(rows), f"the control totals are {', '.join(told)}; counted {', '.join(found)}")


def broken(line: int, why: str) -> Refused:
    """Give the refusal of a file that is not as it should be, at a line."""
    return Refused("lines.broken", line=line, why=why)
