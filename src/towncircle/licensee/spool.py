"""The spool: what was handed to which printer, what came out, and what spoiled.

Here: entries (one handing-over of pieces of one job each), their states, and who may print a piece again. What is
printed again into files is an entry without a printer: nobody knows what became of a file. Not here: the bytes and the
ways to printers (`towncircle.world.spooling`), the device's count of reprints (`reprints`).
Theory of operation. An entry is `queued` in the transaction that closes its job. Before the first byte leaves it is
`sending`; then it is `handed over`, or `queued` again where certainly nothing left, or `unknown` where nobody can know.
It stays `sending` as long as that could not be found out or written down; a person may say it then too.
A person says of each piece whether it came out (`confirmed`) or not (`spoiled`). Nothing is sent twice by itself: a
piece that stands with a printer is printed again only after somebody said that it spoiled, and the device counts it.
A spoiled piece may instead be sent in for a refund (502.27(a)).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import JobId
from towncircle.kernel.machine import Move, StateTable
from towncircle.kernel.store import Record, Transaction

QUEUED, SENDING, HANDED_OVER, UNKNOWN, DECIDED = "queued", "sending", "handed over", "unknown", "decided"
CONFIRMED, SPOILED = "confirmed", "spoiled"
MOST_REASON = 200

SPOOL = StateTable(
    "the spool entry",
    QUEUED,
    [
        Move(QUEUED, "send", SENDING, "house"),
        Move(QUEUED, "spoil", DECIDED, "house"),
        Move(SENDING, "arrive", HANDED_OVER, "house"),
        Move(SENDING, "not leave", QUEUED, "house"),
        Move(SENDING, "get lost", UNKNOWN, "house"),
        Move(SENDING, "confirm", DECIDED, "house"),
        Move(SENDING, "spoil", DECIDED, "house"),
        Move(HANDED_OVER, "confirm", DECIDED, "house"),
        Move(HANDED_OVER, "spoil", DECIDED, "house"),
        Move(UNKNOWN, "confirm", DECIDED, "house"),
        Move(UNKNOWN, "spoil", DECIDED, "house"),
        Move(DECIDED, "confirm", DECIDED, "house"),
        Move(DECIDED, "spoil", DECIDED, "house"),
    ],
)
Spans = list[list[int]]


def queue(
    ctx: Context, *, job: Record, pieces: Sequence[int], printer: str, file: str, digest: str, again: bool = False
) -> Record:
    """Queue pieces of a job (their numbers from 1) for a printer; the job's own handing-over is queued once.

    Raises `Refused` (spool.not-spoiled) where one of the pieces stands with a printer already.
    """
    may_print_again(ctx.tx, job=job.key, pieces=pieces)
    number = ctx.tx.next_number("spool")
    ctx.note("print.queued", job.key, device=job.body["device"], printer=printer, entry=number, count=len(pieces))
    body = {
        "number": number,
        "job": job.key,
        "device": job.body["device"],
        "printer": printer,
        "pieces": spans(pieces),
        "state": SPOOL.start,
        CONFIRMED: [],
        SPOILED: [],
        "file": file,
        "sha256": digest,
        "reference": "",
        "why": "",
        "again": again,
    }
    return ctx.tx.put("spool", _key(number), body, owner=job.key, expected=0)


def into_files(ctx: Context, *, job: Record, pieces: Sequence[int]) -> Record:
    """Write down that pieces of a job (their numbers from 1) are printed again into files: copies like any other.

    Raises `Refused` (spool.not-spoiled) where one of the pieces stands with a printer, or in files, already.
    """
    row = queue(ctx, job=job, pieces=pieces, printer="", file="", digest="", again=True)
    return _moved(ctx, _moved(ctx, row, "send"), "arrive")


def begin(ctx: Context, *, number: int) -> Record:
    """Write down that an entry is about to leave. Raises `Refused` (machine.illegal-move, spool.no-such-entry)."""
    return _moved(ctx, entry(ctx.tx, number), "send")


def ended(ctx: Context, *, number: int, event: str, reference: str = "", why: str = "") -> Record:
    """Write down what became of the sending: the event is `arrive`, `not leave` or `get lost`."""
    row = _moved(ctx, entry(ctx.tx, number), event, reference=reference[:MOST_REASON], why=why[:MOST_REASON])
    about: dict[str, Any] = {"device": row.body["device"], "printer": row.body["printer"], "entry": number}
    ctx.note("print.sent", row.body["job"], **about, state=row.body["state"])
    return row


def decide(ctx: Context, *, number: int, pieces: Sequence[int] = (), came_out: bool, reason: str = "") -> Record:
    """Write down which pieces of an entry came out well, or spoiled and why; none named: all not decided yet.

    Raises `BadInput` (spool.no-such-piece), `Refused` (machine.illegal-move, spool.nothing-left,
    spool.spoiled-already).
    """
    row = entry(ctx.tx, number)
    own, spoiled = numbers(row.body["pieces"]), set(numbers(row.body[SPOILED]))
    known = spoiled | set(numbers(row.body[CONFIRMED]))
    chosen = list(pieces) or [piece for piece in own if piece not in known]
    if not set(chosen) <= set(own) or len(set(chosen)) != len(chosen):
        raise BadInput("spool.no-such-piece", entry=number, pieces=as_text(row.body["pieces"]))
    if not chosen:
        raise Refused("spool.nothing-left", entry=number)
    if spoiled & set(chosen):
        raise Refused("spool.spoiled-already", entry=number, pieces=as_text(spans(spoiled & set(chosen))))
    kept = set(numbers(row.body[CONFIRMED])) - set(chosen)
    told = {
        CONFIRMED: spans(kept | set(chosen) if came_out else kept),
        SPOILED: spans(spoiled if came_out else spoiled | set(chosen)),
    }
    about: dict[str, Any] = {"device": row.body["device"], "printer": row.body["printer"], "entry": number}
    if came_out:
        ctx.note("print.confirmed", row.body["job"], **about, count=len(chosen))
        return _moved(ctx, row, "confirm", **told)
    ctx.note("print.spoiled", row.body["job"], **about, count=len(chosen), reason=reason[:MOST_REASON])
    return _moved(ctx, row, "spoil", **told, why=reason[:MOST_REASON] or row.body["why"])


def may_print_again(view: Transaction, *, job: str, pieces: Iterable[int]) -> None:
    """Refuse to print pieces of a job again that stand with a printer and did not spoil (spool.not-spoiled)."""
    rows = view.find("spool", owner=job)
    last = {piece: row for row in rows for piece in numbers(row.body["pieces"])}
    standing: dict[int, list[int]] = {}
    for piece in pieces:
        row = last.get(piece)
        if row is not None and piece not in numbers(row.body[SPOILED]):
            standing.setdefault(row.body["number"], []).append(piece)
    for number, held in standing.items():
        state = standing_of(entry(view, number))
        raise Refused("spool.not-spoiled", pieces=as_text(spans(held)), job=JobId(job), entry=number, state=state)


def copy_of(view: Transaction, *, job: str, piece: int) -> Record | None:
    """Give the entry by which a piece may lie on paper besides the one at hand: it waits, or it was printed again."""
    rows = [row for row in view.find("spool", owner=job) if piece in numbers(row.body["pieces"])]
    if not rows or piece in numbers(rows[-1].body[SPOILED]):
        return None
    last = rows[-1]
    return last if last.body["again"] or last.body["state"] in (QUEUED, SENDING) else None


def entry(view: Transaction, number: int) -> Record:
    """Give an entry by its number. Raises `Refused` (spool.no-such-entry)."""
    row = view.get("spool", _key(number))
    if row is None:
        raise Refused("spool.no-such-entry", entry=number)
    return row


def standing_of(row: Record) -> str:
    """Say in a word or a few how an entry stands."""
    if row.body["state"] != DECIDED:
        return str(row.body["state"])
    words = [word for word in (CONFIRMED, SPOILED) if row.body[word]]
    left = len(numbers(row.body["pieces"])) - sum(len(numbers(row.body[word])) for word in words)
    return " and ".join([*words, "open"] if left else words)


def spans(pieces: Iterable[int]) -> Spans:
    """Put numbers into spans, `[[1, 3], [5, 5]]`: an entry of 100,000 pieces is still a small record."""
    found: Spans = []
    for piece in sorted(pieces):
        if found and found[-1][1] == piece - 1:
            found[-1][1] = piece
        else:
            found.append([piece, piece])
    return found


def numbers(held: Iterable[Sequence[int]]) -> list[int]:
    """Give the numbers in spans."""
    return [piece for first, last in held for piece in range(first, last + 1)]


def as_text(held: Iterable[Sequence[int]]) -> str:
    """Write spans as people do: 1-3, 5."""
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in held)


_SPAN = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?", re.ASCII)


def from_text(text: str) -> tuple[int, ...]:
    """Read numbers of pieces as people write them, `1-3,5`. Raises `BadInput` (cli.pieces-unreadable)."""
    found: list[int] = []
    for part in text.split(","):
        matched = _SPAN.fullmatch(part.strip())
        if matched is None:
            raise BadInput("cli.pieces-unreadable", text=text[:40])
        first, last = int(matched[1]), int(matched[2] or matched[1])
        found += range(first, last + 1)
    if not found:
        raise BadInput("cli.pieces-unreadable", text=text[:40])
    return tuple(found)


def _moved(ctx: Context, row: Record, event: str, **changed: Any) -> Record:
    state = SPOOL.move(row.body["state"], event).to
    return ctx.tx.put("spool", row.key, {**row.body, "state": state, **changed}, owner=row.owner, expected=row.version)


def _key(number: int) -> str:
    return f"{number:09d}"
