"""`towncircle quality`: forward a mailpiece for quality assurance, and see who forwarded what (502.26)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, journeys_of, opened, table, world_argument

if TYPE_CHECKING:
    from towncircle.licensee.trend import Graded, Trend
    from towncircle.wire.bodies import QualityFinding
    from towncircle.world.journeys import Journeys
    from towncircle.world.quality import Standing

_EPILOG = """\
examples:
  towncircle quality send my-world envelope.png        the grade, each deficiency, and how to mend it
  towncircle quality check my-world envelope.png       the grade alone: nothing is forwarded
  towncircle quality trend my-world                    how each printer prints over time
  towncircle quality status my-world                   when the next piece is due, and whether resets are denied
  towncircle quality status my-world --overdue         only those who forwarded none in time
A piece of poor quality is a piece: it brings guidance, not denial. Denied is only who forwarded none in six months."""


def add(subparsers: Any) -> None:
    """Register the command and its actions."""
    parser = subparsers.add_parser(
        "quality",
        help="forward a mailpiece for quality assurance; who forwarded what",
        description="Forward the scan of a mailpiece to the Provider, which reads, judges and grades it, and show how "
        "each device stands with its pieces.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    one = actions.add_parser(
        "send",
        help="forward the scan of a piece",
        description="Forward the scan of a mailpiece to the Provider (P050 2.5(h)) and show its finding. The same file "
        "sent again gives the first answer. Exit code 1 where there is a deficiency.",
    )
    world_argument(one)
    one.add_argument("file", type=Path, metavar="FILE", help="PDF, PNG, JPEG or TIFF of the side with the indicium")
    one.set_defaults(run=_send)
    own = actions.add_parser(
        "check",
        help="grade scans of your own, without forwarding them",
        description="Grade the scan of a mailpiece and keep the grades for the trend of its printer. Nothing leaves "
        "the licensee, and it is no piece forwarded for quality assurance.",
    )
    world_argument(own)
    own.add_argument("files", nargs="+", type=Path, metavar="FILE", help="PDF, PNG, JPEG or TIFF of one piece each")
    own.set_defaults(run=_check)
    trend = actions.add_parser(
        "trend",
        help="how each printer and device prints over time",
        description="Show of each printer, and of each device, the grades of its pieces over time with the weakest "
        "component: those forwarded for quality assurance and scans of your own. All are estimates. The printer is "
        "that of the print records. Exit code 1 where one is to be looked at: its last 5 pieces are below grade C on "
        "average, or a grade below those before (house).",
    )
    world_argument(trend)
    trend.set_defaults(run=_trend)
    other = actions.add_parser(
        "status",
        help="how each device stands with its pieces",
        description="Show of each leased device the last piece, when the next is due, whether its licensee was warned, "
        "whether resets are denied and whether the Postal Service was told. Exit code 1 where a piece is overdue.",
    )
    other.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    other.add_argument("--overdue", action="store_true", help="only devices of which no piece came in time")
    other.add_argument("--json", action="store_true", help="print JSON with stable keys")
    other.set_defaults(run=_status)


def _send(args: argparse.Namespace) -> int:
    from towncircle.world.quality import send

    with journeys_of(args) as journeys:
        finding = send(journeys, journeys.device, args.file)
    if args.json:
        as_json(_finding(finding))
    else:
        _show(finding)
    return 1 if finding.deficiencies else 0


def _show(finding: QualityFinding) -> None:
    table(
        [
            ("piece", finding.piece),
            ("device", finding.device),
            ("grade", f"{finding.grade} (an estimate: a scan is no verifier)"),
            ("verdict", finding.verdict),
            *((row.what.replace("-", " "), f"{row.found}, grade {row.grade}") for row in finding.measured),
        ]
    )
    for ground, guidance in zip(finding.deficiencies, finding.guidance, strict=True):
        print(f"! {ground.sentence} [{ground.clause}]")
        print(f"  {guidance}")
    if not finding.deficiencies:
        print("No deficiency was found.")
    print("Not measured:")
    for what in finding.unmeasured:
        print(f"  {what}")


def _finding(finding: QualityFinding) -> dict[str, object]:
    pairs = zip(finding.deficiencies, finding.guidance, strict=True)
    return {
        "piece": finding.piece,
        "device": finding.device,
        "grade": finding.grade,
        "verdict": finding.verdict,
        "measured": [{"what": row.what, "found": row.found, "grade": row.grade} for row in finding.measured],
        "deficiencies": [
            {"code": ground.code, "sentence": ground.sentence, "clause": ground.clause, "guidance": guidance}
            for ground, guidance in pairs
        ],
        "unmeasured": list(finding.unmeasured),
    }


def _check(args: argparse.Namespace) -> int:
    from towncircle.symbol.grading import ESTIMATE
    from towncircle.world.quality import check

    with journeys_of(args) as journeys:
        found = [(path, check(journeys, path)) for path in args.files]
    if args.json:
        as_json({"estimate": ESTIMATE, "checks": [{"file": str(path), **_graded(one)} for path, one in found]})
    else:
        for path, one in found:
            print(f"{path}: grade {one.grade}, printer {one.printer}{_weakest(one.weakest)}")
        print(f"The grades are {ESTIMATE}.")
    return 0


def _trend(args: argparse.Namespace) -> int:
    with journeys_of(args) as journeys:
        return show_trend(journeys, json=args.json)


def show_trend(journeys: Journeys, *, json: bool) -> int:
    """Print how a licensee's printers and devices print over time, and give the exit code."""
    from towncircle.licensee.trend import graded, trends
    from towncircle.symbol.grading import ESTIMATE

    with journeys.world.store(journeys.licensee).reading() as view:
        pieces = graded(view)
    found = {by: trends(pieces, by=by) for by in ("printer", "device")}
    warned = any(one.warning for group in found.values() for one in group)
    if json:
        told = {f"{by}s": [_trended(one) for one in group] for by, group in found.items()}
        as_json({"estimate": ESTIMATE, **told})
        return 1 if warned else 0
    for by, group in found.items():
        for one in group:
            before = f", {_letter(one.before_points)} before" if one.before_points is not None else ""
            print(f"{by} {one.name}: {_letter(one.recent_points)} of late{before}{_weakest(one.weakest)}")
            for piece in one.pieces if by == "printer" else ():
                kind = "forwarded" if piece.forwarded else "own scan"
                print(f"    {piece.at.iso()[:10]}  {piece.grade}  {kind}{_weakest(piece.weakest)}")
            if one.warning:
                print(f"  ! {one.warning}")
    print(f"The grades are {ESTIMATE}." if pieces else "No piece was graded yet.")
    return 1 if warned else 0


def _weakest(name: str) -> str:
    return f"; the weakest is {name.replace('-', ' ')}" if name else ""


def _letter(points: int) -> str:
    """Give the mean of grades as a letter with its number, A 4 to F 0."""
    from towncircle.licensee.trend import GRADES

    return f"{GRADES[(points + 50) // 100]} ({points // 100}.{points % 100:02})"


def _graded(one: Graded) -> dict[str, object]:
    return {
        "at": one.at.iso(),
        "device": one.device,
        "printer": one.printer,
        "forwarded": one.forwarded,
        "grade": one.grade,
        "weakest": one.weakest,
        "components": dict(one.components),
    }


def _trended(one: Trend) -> dict[str, object]:
    return {
        "name": one.name,
        "recent_points": one.recent_points,
        "before_points": one.before_points,
        "weakest": one.weakest,
        "warning": one.warning,
        "pieces": [_graded(piece) for piece in one.pieces],
    }


def _status(args: argparse.Namespace) -> int:
    from towncircle.world.quality import standings

    with opened(args.world) as world:
        rows = [row for row in standings(world) if row.duty.state == "overdue" or not args.overdue]
    late = any(row.duty.state == "overdue" for row in rows)
    if args.json:
        as_json({"devices": [_standing(row) for row in rows]})
        return 1 if late else 0
    for row in rows:
        last = f"{row.last.occurred_at.iso()[:10]}, grade {row.last.body['grade']}" if row.last else "none"
        print(f"{row.device}  {row.licensee} at {row.provider}: {row.duty.state}, until {row.duty.last_day}")
        words = [f"last piece {last}"]
        words += ["licensee warned"] if row.warned else []
        words += ["noncompliance told to licensee and Postal Service"] if row.reported else []
        words += ["resets denied"] if row.denied else []
        print(f"    {'; '.join(words)}")
    if not rows:
        print("No piece is overdue." if args.overdue else "No device owes a piece.")
    return 1 if late else 0


def _standing(row: Standing) -> dict[str, object]:
    return {
        "device": row.device,
        "licensee": row.licensee,
        "provider": row.provider,
        "state": row.duty.state,
        "due": row.duty.last_day.isoformat(),
        "last_piece": row.last.body["piece"] if row.last else "",
        "last_grade": row.last.body["grade"] if row.last else "",
        "last_at": row.last.occurred_at.iso() if row.last else "",
        "warned": row.warned,
        "reported": row.reported,
        "denied": row.denied,
    }
