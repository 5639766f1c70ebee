"""The message page, `docs/wire.md`, generated from the registry.

Here: the page's text. Not here: writing the file (a test compares it with this text and tells how to write it).
"""

from __future__ import annotations

import towncircle.wire.bodies  # noqa: F401 - registers every body
from towncircle.kernel.errors.table import ERRORS
from towncircle.wire.message import DEFAULT_LIMIT, Envelope
from towncircle.wire.registry import MessageType, all_types
from towncircle.wire.shape import Body, Part, Row, parts_of

_HEAD = f"""# Messages

This page is generated from the code (`towncircle.wire.page`); a test compares them.

Nothing crosses between the parties but these messages. A message is a COSE_Sign1 (RFC 9052) with ES256: tag 18, the
protected header `{{1: -7, 4: key id}}`, an empty unprotected header, the payload, and 64 bytes r and s with the low s.
The key id is the first 16 bytes of the SHA-256 of the uncompressed public point. The payload is one CBOR map in the
deterministic form of RFC 8949 4.2.1, with the envelope's keys and the body under key 10. Amounts are integers of a
mill, instants are microseconds since 1970 in UTC, dates are `YYYY-MM-DD`.

A reader refuses: more than {DEFAULT_LIMIT} bytes, any form but the deterministic one, duplicate keys, floats,
indefinite lengths, tags, nesting deeper than 8, bytes behind the end, a missing or unknown key.

A retried message (same id, same bytes) gets the first answer again while it is valid, and is a replay afterwards. The
same id with other bytes is a conflict. Another id with a counter that the sender has used is a replay.
"""


def wire_page() -> str:
    """Write the message page."""
    parts = [_HEAD, "## Envelope\n", _table(parts_of(Envelope), first="Key"), "## Types\n", _overview()]
    for kind in all_types():
        parts.append(f"## {kind.number} {kind.name}{_later(kind)}\n")
        parts.append(f"Version {kind.version}, {kind.direction}. {_first_line(kind.body)}\n")
        parts.append(_table(parts_of(kind.body), first="Key"))
    parts.append("## Shapes inside messages\n")
    for shape in _shapes():
        how = "A map." if issubclass(shape, Body) else "An array in this order."
        parts.append(f"### {shape.__name__}\n")
        parts.append(f"{how} {_first_line(shape)}\n")
        parts.append(_table(parts_of(shape), first="Key" if issubclass(shape, Body) else "Place"))
    parts += ["## Refusals\n", _refusals()]
    return "\n".join(parts)


def _later(kind: MessageType) -> str:
    return f", version {kind.version}" if kind.version > 1 else ""


def _overview() -> str:
    rows = [f"| {kind.number} | {kind.name}{_later(kind)} | {kind.direction} |" for kind in all_types()]
    return "\n".join(["| Number | Name | Direction |", "|---|---|---|", *rows, ""])


def _table(fields: tuple[Part, ...], *, first: str) -> str:
    rows = [f"| {part.key} | `{part.name}` | {part.words} |" for part in fields]
    return "\n".join([f"| {first} | Field | Type |", "|---|---|---|", *rows, ""])


def _refusals() -> str:
    rows = [f"| `{code}` | {row.sentence} |" for code, row in sorted(ERRORS.items()) if code.startswith("wire.")]
    return "\n".join(["| Code | Sentence |", "|---|---|", *rows, ""])


def _first_line(kind: type) -> str:
    return " ".join((kind.__doc__ or "").split("\n\n")[0].split())


def _shapes() -> tuple[type[Body | Row], ...]:
    """Give the bodies and rows that stand inside messages, by name."""
    found: dict[str, type[Body | Row]] = {}
    waiting: list[type] = [kind.body for kind in all_types()]
    while waiting:
        for part in parts_of(waiting.pop()):
            if part.inner is not None and part.inner.__name__ not in found:
                found[part.inner.__name__] = part.inner
                waiting.append(part.inner)
    return tuple(found[name] for name in sorted(found))
