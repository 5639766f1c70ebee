"""How the printers of a licensee print over time, as far as scans of its pieces tell.

Here: the graded pieces (those forwarded for quality assurance, and scans of the licensee's own), the printer that each
came from, the trend of each printer and device, the warning. Not here: how a piece is graded (`symbol.grading`).
Kept: all grades are estimates, and no grade is made up: a piece that was graded before its measures were kept has none
here. The printer is the one of the print records that was last given the piece; where they name none, it is unknown.
How a scan lies and reads (its turn, its tries) is the scanner's, and no figure of a printer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from towncircle.kernel.context import Context
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record, Transaction
from towncircle.licensee.spool import numbers

GRADES = "FDCBA"  # their places are their points: F 0, A 4
UNKNOWN = "unknown"
RECENT = 5  # house: pieces that make the trend of now
LEAST_POINTS = 200  # house: hundredths; the mean of the recent pieces below which a printer is to be looked at: C
FALL_POINTS = 100  # house: hundredths; a fall of a whole grade against the pieces before
_LEAST_BEFORE = 3  # house: pieces before the recent ones that a fall is measured against
_OF_THE_SCAN = ("turn", "tries")
CHECK, PIECE = "quality-check", "quality-piece"


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """Hold one graded piece: when, of which device and printer, and the grade of each component.

    `forwarded`: it went to the Provider; otherwise it is a scan of the licensee's own. `grade` is the lowest.
    """

    at: Instant
    device: str
    printer: str
    forwarded: bool
    components: Mapping[str, str]

    @property
    def grade(self) -> str:
        """Give the lowest grade of a component; F where nothing could be read."""
        return min(self.components.values(), key=GRADES.index, default="F")

    @property
    def weakest(self) -> str:
        """Name the component of the lowest grade, or "" where all are A or nothing could be read."""
        worst = min(self.components, key=lambda name: GRADES.index(self.components[name]), default="")
        return worst if worst and self.components[worst] != "A" else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Hold the trend of a printer or device; points are hundredths of a grade (F 0, A 400), None where there are none.

    `weakest` is the component whose grades are lowest over the recent pieces, "" where all are A. `warning` is a
    sentence or "".
    """

    name: str
    pieces: tuple[Graded, ...]
    recent_points: int
    before_points: int | None
    weakest: str
    warning: str


def keep_check(ctx: Context, *, device: str, digest: str, mark: bytes, measured: Sequence[Sequence[str]]) -> Record:
    """Keep the grades of a scan of the licensee's own; the same file is one check."""
    held = ctx.tx.get(CHECK, digest)
    if held is not None:
        return held
    body = {"mark": mark.hex(), "measured": [list(row) for row in measured], "at": int(ctx.now)}
    kept = ctx.tx.put(CHECK, digest, body, owner=device, expected=0)
    ctx.note("quality.checked", device, scan=digest, measured=len(measured))
    return kept


def graded(view: Transaction) -> list[Graded]:
    """Give the graded pieces, oldest first."""
    rows = [row for kind in (PIECE, CHECK) for row in view.find(kind) if "measured" in row.body]
    return sorted(graded_of(view, rows), key=lambda one: one.at)


def graded_of(view: Transaction, rows: Sequence[Record]) -> list[Graded]:
    """Give the graded pieces of some records."""
    printers = _printers(view, {row.body["mark"]: row.owner for row in rows if row.body.get("mark")})
    return [
        Graded(
            at=Instant(row.body["at"]),
            device=row.owner,
            printer=printers.get(row.body.get("mark", ""), UNKNOWN),
            forwarded=row.kind == PIECE,
            components={name: grade for name, _, grade in row.body["measured"] if name not in _OF_THE_SCAN},
        )
        for row in rows
    ]


def _printers(view: Transaction, marks: Mapping[str, str]) -> dict[str, str]:
    """Name the printer that was last given each mark (hexadecimal, with its device)."""
    found: dict[str, str] = {}
    for device in sorted(set(marks.values())):
        for job in view.find("job", owner=device):
            places = {mark: at for at, mark in enumerate(job.body.get("indicia", ()), start=1) if mark in marks}
            entries = view.find("spool", owner=job.key) if places else []
            for mark, piece in places.items():
                given = [row.body["printer"] for row in entries if _has_left(row) and piece in _standing(row)]
                if given:
                    found[mark] = given[-1] or UNKNOWN  # into files
    return found


def _has_left(row: Record) -> bool:
    return row.body["state"] not in ("queued", "sending")


def _standing(row: Record) -> set[int]:
    return set(numbers(row.body["pieces"])) - set(numbers(row.body["spoiled"]))


def trends(pieces: Iterable[Graded], *, by: str) -> list[Trend]:
    """Give the trend of each printer or device (`by`), by name; pieces are oldest first."""
    groups: dict[str, list[Graded]] = {}
    for one in pieces:
        groups.setdefault(one.printer if by == "printer" else one.device, []).append(one)
    return [_trend(name, groups[name]) for name in sorted(groups)]


def _trend(name: str, pieces: list[Graded]) -> Trend:
    recent, before = pieces[-RECENT:], pieces[:-RECENT]
    now = _points([one.grade for one in recent])
    then = _points([one.grade for one in before]) if len(before) >= _LEAST_BEFORE else None
    names = sorted({component for one in recent for component in one.components})
    of = {
        component: [one.components[component] for one in recent if component in one.components] for component in names
    }
    weakest = min(names, key=lambda component: _points(of[component]), default="")
    if weakest and _points(of[weakest]) == 100 * (len(GRADES) - 1):
        weakest = ""
    return Trend(
        name=name, pieces=tuple(pieces), recent_points=now, before_points=then, weakest=weakest,
        warning=_warning(now, then, weakest),
    )  # fmt: skip


def _points(grades: Sequence[str]) -> int:
    return 100 * sum(GRADES.index(grade) for grade in grades) // len(grades)


def _warning(now: int, then: int | None, weakest: str) -> str:
    about = f" The weakest is {weakest.replace('-', ' ')}." if weakest else ""
    if now < LEAST_POINTS:
        return f"The last pieces are below grade C on average.{about}"
    if then is not None and then - now >= FALL_POINTS:
        return f"The last pieces are a grade or more below those before.{about}"
    return ""
