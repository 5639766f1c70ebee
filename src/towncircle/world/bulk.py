"""Folders of scans: every file read, judged and written down, one line each (journey C in bulk).

Here: which files, what was done before, one file's marks to a record, what was observed of each. Not here: the decision
(`verification`), arguments (`cli/verify`).
Kept: a file that cannot be read is a line with its error, and the next file follows. A line is written when its file is
done; a run that was interrupted goes on behind the last whole line. A scan is recorded in the transaction that keeps
its answer under the run's name and the file's name and digest, so that a file whose line was lost is not scanned twice.
Only one page is in memory at a time.
"""

from __future__ import annotations

import csv
import fcntl
import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from towncircle.kernel.errors import BadInput
from towncircle.kernel.ids import ScanId
from towncircle.kernel.instants import Instant
from towncircle.mailpiece.harmless import cell, visible
from towncircle.paper import scan
from towncircle.postal import scans
from towncircle.verification import Observed, Pack, PieceVerdict, Verdict
from towncircle.verification.piece import WORST_FIRST
from towncircle.world import observing
from towncircle.world.config import POSTAL
from towncircle.world.guarding import is_transient
from towncircle.world.verifying import Mark, device_of, marks_in, of_one_piece, seen_on, verify, verify_piece
from towncircle.world.world import World

FORMAT = 2  # the first did not say the world, --at and what was observed
MAX_OBSERVED_BYTES = 50_000_000
_PACK_FILES = 500  # files judged by one pack before it is fetched again


@dataclass(slots=True, kw_only=True)
class Run:
    """Hold how the files of a folder are judged: nothing is recorded where `site` is empty.

    `at` is the instant to judge by where it is not the world's. `piece` takes all marks of a file as those of one
    piece; `observed` says what was seen of all pieces, and `seen` which of it was seen otherwise of the file of that
    name.
    """

    folder: Path
    out: Path
    world: World | None
    site: str = ""
    piece: bool = False
    observed: Observed = field(default_factory=Observed)
    seen: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    at: Instant | None = None
    batch: str = ""
    judged: int = 0
    pack: Pack | None = None


def files_of(folder: Path, *, leave_out: Path) -> list[str]:
    """List the files of a folder and of those in it, by name; hidden ones, links and the results are left out."""
    found = []
    for place, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            path = Path(place) / name
            hidden = name.startswith(".") or path.is_symlink() or not path.is_file()
            if not hidden and not (leave_out.exists() and path.samefile(leave_out)):
                found.append(path.relative_to(folder).as_posix())
    return sorted(found)


@contextmanager
def _alone(run: Run) -> Iterator[None]:
    """Be the only run that writes these results. Raises `BadInput` (scan.results-in-use)."""
    with run.out.open("ab") as results:
        try:
            fcntl.flock(results, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BadInput("scan.results-in-use", file=run.out.name) from error
        yield


def _asked(run: Run) -> dict[str, Any]:
    """Say by what the files of a run are judged: results that were begun by something else are others."""
    plain = Observed()
    told = {one.name: getattr(run.observed, one.name) for one in fields(Observed)}
    seen = json.dumps({file: _said(one) for file, one in run.seen.items()}, sort_keys=True)
    return {
        "format": FORMAT,
        "folder": run.folder.resolve().as_posix(),
        "site": run.site,
        "piece": run.piece,
        "world": run.world.config.id if run.world is not None else "",
        "at": run.at.iso() if run.at is not None else "",
        "observed": _said({name: value for name, value in told.items() if value != getattr(plain, name)}),
        "seen": hashlib.sha256(seen.encode()).hexdigest() if run.seen else "",
    }


def _said(told: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in sorted(told.items())}


_NAMES = {
    "folder": "the folder",
    "site": "--site",
    "piece": "--piece",
    "world": "--world",
    "at": "--at",
    "observed": "what was observed of all pieces (--due, --weighed, --zone, --extra, --redate, --branch, ...)",
    "seen": "the list of --observed",
}


def _check_same(run: Run, held: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Refuse to go on with other settings; results of the first format do not say all of them.

    Raises `BadInput` (scan.other-results, scan.other-run).
    """
    if held.get("format") not in (1, FORMAT) or not {"folder", "site", "piece"} <= held.keys():
        raise BadInput("scan.other-results", file=run.out.name)
    differences = [
        f"{name} was {_short(held[key])}, now {_short(asked[key])}"
        for key, name in _NAMES.items()
        if key in held and held[key] != asked[key]
    ]
    if differences:
        raise BadInput("scan.other-run", file=run.out.name, differences="; ".join(differences))


def _short(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {one}" for name, one in value.items())[:80] or "nothing"
    return str(value)[:80] or "none"


def go_on(run: Run) -> dict[str, str]:
    """Begin the results, or go on with them: give the verdict of each file that is done, by name and state.

    A file whose error may have been the machine's is not done. What a power cut left of a last line is cut off. Raises
    `BadInput`: scan.other-results where the file holds no results, scan.other-run where other settings began them.
    """
    asked = _asked(run)
    if not run.out.exists() or not run.out.stat().st_size:
        run.batch = _new_name(run.world) if run.site else ""
        _append(run.out, {**asked, "batch": run.batch})
        return {}
    data = run.out.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    try:
        lines = [json.loads(line) for line in whole.splitlines()]
        head = dict(lines.pop(0))
        run.batch = str(head["batch"])
        done = {_line_key(line): str(line["verdict"]) for line in lines if not _may_pass(line)}
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise BadInput("scan.other-results", file=run.out.name) from error
    _check_same(run, head, asked)
    if len(whole) < len(data):
        os.truncate(run.out, len(whole))
    return done


def _line_key(line: Mapping[str, Any]) -> str:
    return f"{line['file']} {line['state']}"


def _may_pass(line: Mapping[str, Any]) -> bool:
    """Tell whether a line is an error that may be none at another time."""
    return "error" in line and is_transient(str(line["error"]["code"]))


def _new_name(world: World | None) -> str:
    assert world is not None
    name: str = world.desk(POSTAL).perform(lambda ctx: ScanId.new(ctx.randomness), actor=POSTAL)
    return name


def judge_files(run: Run) -> Iterator[tuple[int, int, str]]:
    """Judge what is not done yet, a line each; give how many are done, of how many, and the verdict of the last.

    Raises as `go_on`, and `BadInput` (scan.no-files, scan.results-in-use).
    """
    with _alone(run):
        done = go_on(run)
        names = files_of(run.folder, leave_out=run.out)
        if not names:
            raise BadInput("scan.no-files", folder=run.folder.name)
        for at, name in enumerate(names, start=1):
            state, shown = _state(run.folder / name), _shown(name)
            verdict = done.get(f"{shown} {state}")
            if verdict is None:
                line = _line(run, name)
                verdict, run.judged = str(line["verdict"]), run.judged + 1
                _append(run.out, {"file": shown, "state": state, **line})
            yield at, len(names), verdict


def _shown(name: str) -> str:
    """Give a file's name as the results have it: bytes that are no UTF-8 are spelled, such as `\\udce9`."""
    return name.encode("utf-8", "backslashreplace").decode()


def _state(path: Path) -> str:
    """Give size and time of change of a file: another one of the same name is another file."""
    try:
        told = path.stat()
    except OSError:
        return "gone"
    return f"{told.st_size}-{told.st_mtime_ns}"


def _line(run: Run, name: str) -> dict[str, Any]:
    """Judge one file: its verdict is the worst of its marks, or ERROR."""
    seen = replace(run.observed, **run.seen.get(_shown(name), {}))
    try:
        data = scan.read_bytes(run.folder / name)
        marks = list(marks_in(data, name))
        marks = of_one_piece(marks) if run.piece else marks
    except BadInput as error:
        return {"verdict": "ERROR", "error": {"code": error.code, "sentence": error.sentence}}
    if run.world is not None and (run.pack is None or run.judged % _PACK_FILES == 0):
        run.pack = run.world.pack(run.at)
    return _recorded(run, name, marks, seen, data) if run.site else _verified(run, marks, seen)


def _verified(run: Run, marks: list[Mark], seen: Observed) -> dict[str, Any]:
    if run.piece:
        now = run.at or (run.world.clock.now() if run.world else Instant(0))
        whole, judged = verify_piece(marks, run.world, at=now, observed=seen, pack=run.pack)
        return _told([one.mark for one in judged], [one.verdict for one in judged], whole)
    judged = [verify(mark, run.world, at=run.at, observed=seen, pack=run.pack) for mark in marks]
    return _told(marks, [one.verdict for one in judged], None)


def _recorded(run: Run, file: str, marks: list[Mark], seen: Observed, data: bytes) -> dict[str, Any]:
    """Record the scans of a file and their answer in one transaction; a file done before gives its first answer."""
    assert run.world is not None
    now, pack = run.at or run.world.clock.now(), run.pack
    assert pack is not None
    given = [(mark.payload or b"", device_of(mark.payload or b"")) for mark in marks]
    digest = hashlib.sha256(data).hexdigest()
    name = f"{run.batch} {hashlib.sha256(os.fsencode(file) + bytes(1) + data).hexdigest()}"  # a copy is another piece

    about: dict[str, Any] = {"pack": pack, "site": run.site, "scanned_at": now}

    def work(ctx: Any) -> dict[str, Any]:
        if run.piece:
            whole = scans.record_piece(
                ctx, marks=given, files=[digest] * len(given), observed=seen_on(marks, seen), **about
            )
            return _told(marks, whole.marks, whole)
        judged = [
            scans.record(ctx, payload=payload, device=device, file=digest, observed=seen_on((mark,), seen), **about)
            for mark, (payload, device) in zip(marks, given, strict=True)
        ]
        return _told(marks, judged, None)

    told: dict[str, Any] = run.world.desk(POSTAL).perform(
        lambda ctx: scans.once(ctx, name=name, work=lambda: work(ctx)), actor=POSTAL
    )
    return told


def _told(marks: Any, verdicts: Any, whole: PieceVerdict | None) -> dict[str, Any]:
    rows = [_row(mark, verdict) for mark, verdict in zip(marks, verdicts, strict=True)]
    words = [row["verdict"] for row in rows]
    worst = whole.verdict if whole else min(words, key=WORST_FIRST.index, default="VALID")
    return {"verdict": worst, **({"piece": whole.as_dict()} if whole else {}), "marks": rows}


def _row(mark: Mark, verdict: Verdict) -> dict[str, Any]:
    return {
        "page": mark.page,
        **({"more_symbols": True} if mark.more else {}),
        "verdict": verdict.verdict,
        "disposition": verdict.disposition,
        "specimen": verdict.specimen,
        "fields": dict(verdict.fields),
        "faults": [
            {"code": one.code, "text": one.text, "clause": one.clause} for one in verdict.findings if one.ok is not True
        ],
    }


def _append(path: Path, record: Mapping[str, Any]) -> None:
    """Write a line and have it on the disk."""
    with path.open("ab") as stream:
        stream.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())


def write_csv(results: Path, out: Path) -> int:
    """Write the results of a run as CSV, a row for each mark or error; gives the number of rows."""
    columns = ("file", "page", "verdict", "disposition", "specimen", "device", "date", "postage_mills", "why")
    text, rows = io.StringIO(newline=""), 0
    writer = csv.writer(text)
    writer.writerow(columns)
    tried_again = _tried_again(results)
    with results.open(encoding="utf-8") as stream:
        next(stream)
        for at, raw in enumerate(stream):
            line = json.loads(raw)
            if tried_again.get(_line_key(line), at) > at:
                continue
            if "error" in line:
                writer.writerow([_plain(line["file"]), "", "ERROR", "", "", "", "", "", line["error"]["sentence"]])
                rows += 1
            for mark in line.get("marks", ()):
                shown, why = mark["fields"], "; ".join(fault["text"] for fault in mark["faults"])
                told = [shown.get(name, "") for name in ("device", "date", "postage_mills")]
                head = [_plain(line["file"]), mark["page"], mark["verdict"], mark["disposition"], mark["specimen"]]
                writer.writerow([*head, *told, why])
                rows += 1
    out.write_text(text.getvalue(), encoding="utf-8", newline="")
    return rows


def _tried_again(results: Path) -> dict[str, int]:
    """Give the number of the last line of each file that was tried more than once."""
    last: dict[str, int] = {}
    with results.open(encoding="utf-8") as stream:
        next(stream)
        for at, raw in enumerate(stream):
            line = json.loads(raw)
            if _may_pass(line) or _line_key(line) in last:
                last[_line_key(line)] = at
    return last


def _plain(name: str) -> str:
    """Keep a spreadsheet from taking a file's name for a formula, and a reader from being turned about by it."""
    return cell(visible(name, most=1_000))


def observations(path: Path) -> dict[str, dict[str, Any]]:
    """Read what was seen of each piece: CSV with the columns file, due and redate, and any more of `observing.COLUMNS`.

    All but the file may be empty. Raises `BadInput`: scan.observed-columns, scan.observed-row, and as `read_bytes`.
    """
    data = scan.read_bytes(path)
    if len(data) > MAX_OBSERVED_BYTES:
        raise BadInput("scan.file-too-large", file=path.name, size=len(data), limit=MAX_OBSERVED_BYTES)
    reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig", "replace"), newline=""))
    found: dict[str, dict[str, Any]] = {}
    try:
        columns = set(reader.fieldnames or ())
        if not {"file", "due", "redate"} <= columns <= {"file", *observing.COLUMNS}:
            raise BadInput("scan.observed-columns", file=path.name, more=", ".join(observing.COLUMNS[2:]))
        for row in reader:
            found[row["file"]] = observing.seen(row)
    except csv.Error as error:  # a cell of any length is none
        raise BadInput("scan.observed-row", file=path.name, line=reader.line_num, why=str(error)) from error
    except BadInput as error:
        if error.code == "scan.observed-columns":
            raise
        raise BadInput("scan.observed-row", file=path.name, line=reader.line_num, why=error.sentence) from error
    return found
