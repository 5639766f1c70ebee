"""What `verify` and `scan` do with a folder: every file a line of JSON, with progress; run again, they go on.

Here: arguments, progress, the summary. Not here: the work (`towncircle.world.bulk`).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from towncircle.cli.show import as_json

if TYPE_CHECKING:
    from towncircle.kernel.instants import Instant
    from towncircle.verification import Observed
    from towncircle.world.world import World

_EVERY_SECONDS = 1.0


def given(args: argparse.Namespace) -> bool:
    """Tell whether the arguments name a folder. Raises `BadInput` (cli.one-folder)."""
    from towncircle.kernel.errors import BadInput

    folders = [path for path in args.files if path.is_dir()]
    if not folders:
        if args.out or args.csv or args.observed:
            raise BadInput("cli.one-folder", why="--out, --csv and --observed are for one")
        return False
    if len(args.files) > 1 or args.hex is not None:
        raise BadInput("cli.one-folder", why="name nothing else beside it")
    if args.out is None:
        raise BadInput("cli.one-folder", why="--out names the file of its results")
    return True


def judge(args: argparse.Namespace, world: World | None, *, at: Instant | None, seen: Observed, site: str = "") -> int:
    """Judge a folder's files, show how far it is, and give the exit code: 0 where all are VALID."""
    from towncircle.world import bulk

    run = bulk.Run(
        folder=args.files[0],
        out=args.out,
        world=world,
        site=site,
        piece=args.piece,
        observed=seen,
        seen=bulk.observations(args.observed) if args.observed else {},
        at=at,
    )
    words: Counter[str] = Counter()
    began = told = time.monotonic()
    try:
        for done, of, verdict in bulk.judge_files(run):
            words[verdict] += 1
            now = time.monotonic()
            if sys.stderr.isatty() and now - told >= _EVERY_SECONDS:
                told = now
                print(f"\r{_progress(done, of, run.judged, now - began)}\033[K", end="", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print(f"\n{words.total()} files are done. Run the same command again to go on.", file=sys.stderr)
        raise
    if args.csv:
        bulk.write_csv(args.out, args.csv)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    if args.json:
        as_json({"files": words.total(), "judged_now": run.judged, "verdicts": dict(words), "out": str(args.out)})
    else:
        print(f"{words.total():,} files, {run.judged:,} of them now: {_counts(words)}. Results: {args.out}")
    return 0 if set(words) == {"VALID"} else 1


def _progress(done: int, of: int, judged: int, spent: float) -> str:
    rate = judged / spent if spent > 0 else 0
    left = f", about {round((of - done) / rate):,} s left" if rate else ""
    return f"{done:,} of {of:,} files, {rate:,.1f} a second{left}"


def _counts(words: Counter[str]) -> str:
    return ", ".join(f"{count:,} {word}" for word, count in words.most_common())
