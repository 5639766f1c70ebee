"""`towncircle demo`: the whole journey in a fresh world, from license to verified mailpiece, and what trouble does.

Here: arguments, narration, the result. Not here: what happens in a chapter (`chapters`, `trouble`), the year that
`--chapter regulation` plays (`regulation/`).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from towncircle.kernel.errors import BadInput

_EPILOG = """\
examples:
  towncircle demo                                 the present regime, mail to a dozen public addresses
  towncircle demo --regime ibi-1998               the same in September 1998: PDF417, DSA, three months
  towncircle demo --addresses list.csv --out out  your own recipients
  towncircle demo --chapter regulation            a year of one Provider with 50 licensees: every procedure
  towncircle demo --chapter regulation --resume   the same, taken up where it was interrupted
Left in DIR: envelopes.pdf, envelopes/*.png, world/ (work on with it), export/ (what the auditor read); of the year
world/, export/, and procedures.json, the table of every procedure with its count and its facts.
The same seed gives the same bytes. Everything printed is a SPECIMEN."""


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "demo",
        help="the whole journey in a fresh world, in ten chapters",
        description="License, lease, fund, print, read back and verify; then a copy, a forgery, a silent device, "
        "a crash, and an audit that recomputes every cent.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("demo-out"),
        metavar="DIR",
        help="where all of it goes: a new folder, or the last demo's (default: demo-out)",
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="chooses keys, ids and the step of the crash (default: 1)"
    )
    parser.add_argument(
        "--regime",
        default="imi-2024",
        metavar="REGIME",
        help="the rule set: imi-2024 (default), ibi-1998, cfr-501",
    )
    parser.add_argument("--addresses", type=Path, metavar="FILE.csv", help="recipients (default: public addresses)")
    parser.add_argument(
        "--processes", action="store_true", help="run the parties as separate processes over HTTP on 127.0.0.1"
    )
    parser.add_argument(
        "--chapter", choices=("regulation",), help="play one long chapter instead of the ten: a year of the regulation"
    )
    parser.add_argument("--licensees", type=int, metavar="N", help="with --chapter: how many (40 to 99; default: 50)")
    parser.add_argument("--resume", action="store_true", help="with --chapter: go on from the last checkpoint in DIR")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run all chapters; exit code 0 when every one ended as it should."""
    if args.chapter:
        return _long_chapter(args)
    if args.licensees is not None or args.resume:
        raise BadInput("cli.argument-astray", arguments="--licensees or --resume", needs="--chapter regulation")
    from towncircle.cli.demo.narration import Narrator
    from towncircle.cli.demo.stage import Stage
    from towncircle.cli.show import as_json

    narrator = Narrator(quiet=args.json)
    with Stage(
        args.out,
        seed=args.seed,
        regime=args.regime,
        addresses=args.addresses,
        processes=args.processes,
        narrator=narrator,
    ) as stage:
        told = stage.play()
    ok = all(chapter["ok"] for chapter in told)
    if args.json:
        as_json({"chapters": told, "ok": ok})
    else:
        narrator.close(args.out, ok=ok)
    return 0 if ok else 1


def _long_chapter(args: argparse.Namespace) -> int:
    """Play the year of the regulation; exit code 0 when every procedure occurred and every check is well."""
    if args.addresses is not None or args.processes:
        raise BadInput("cli.argument-astray", arguments="--addresses or --processes", needs="the ten chapters")
    from towncircle.cli.demo.narration import Narrator
    from towncircle.cli.demo.regulation.chapter import TABLE, Chapter
    from towncircle.cli.demo.regulation.town import Pace
    from towncircle.cli.show import as_json

    narrator = Narrator(quiet=args.json)
    pace = Pace() if args.licensees is None else Pace(licensees=args.licensees)
    chapter = Chapter(args.out, seed=args.seed, regime=args.regime, pace=pace, narrator=narrator)
    ok = chapter.play(resume=args.resume)
    if args.json:
        as_json(chapter.told)
    else:
        narrator.close(args.out, ok=ok, look_at=TABLE, then="deadlines")
    return 0 if ok else 1
