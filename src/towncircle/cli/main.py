"""The entry point: reads the command line, runs one command, renders what it raises.

Here: the list of commands and the one place where errors become text and exit codes. Not here: the commands.
Kept: anything that is not in the error table is internal and leaks nothing (style.md); `--help` imports no heavy room.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from importlib import import_module
from typing import NoReturn

from towncircle import __version__
from towncircle.kernel.errors import BadInput, BrokenInvariant, TowncircleError

COMMANDS = (
    "demo",
    "world",
    "license",
    "licenses",
    "branch",
    "postmaster",
    "lease",
    "deposit",
    "returned_item",
    "advance",
    "ach",
    "statement",
    "reset",
    "print",
    "forms",
    "labels",
    "printer",
    "spool",
    "withdraw",
    "transfer",
    "person",
    "department",
    "refund",
    "claim",
    "close_account",
    "reconcile",
    "status",
    "examine",
    "cases",
    "supervision",
    "inspection",
    "products",
    "provider",
    "missing",
    "custody",
    "verify",
    "scan",
    "decode",
    "addresses",
    "price",
    "rates",
    "software",
    "fleet",
    "imb",
    "export",
    "audit",
    "conformance",
    "record",
    "deadlines",
    "notices",
    "quality",
    "population",
    "up",
    "device",
    "bench",
)
EXIT_CODES = {"input": 2, "refused": 3, "broken": 4}
_EPILOG = """\
first steps:
  ./towncircle demo                   the whole journey in a fresh world, with printed envelopes
  ./towncircle world new my-world     a world of your own, then: print, verify, export, audit
exit codes: 0 well, 1 a negative finding, 2 usage, 3 refused, 4 internal. Every command takes --json.
What is printed is a SPECIMEN: it is signed under a test root and is not valid as postage."""


class Parser(argparse.ArgumentParser):
    """Read a command line; what cannot be read is an error of the table like any other."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line. Raises `BadInput` (cli.usage)."""
        usage = " ".join(self.format_usage().removeprefix("usage:").split())
        raise BadInput("cli.usage", what=message[:1].upper() + message[1:], usage=usage, command=self.prog)


def build_parser() -> Parser:
    """Build the parser of all commands."""
    parser = Parser(
        prog="towncircle",
        description="Fund, print, verify, refund and police digitally signed postage.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"towncircle {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        import_module(f"towncircle.cli.{name}").add(subparsers)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command and give its exit code."""
    given = sys.argv[1:] if argv is None else argv
    as_json = "--json" in given
    try:
        args = build_parser().parse_args(given)
        return int(args.run(args))
    except TowncircleError as error:
        return render(error, as_json=as_json)
    except KeyboardInterrupt:
        print("\nInterrupted. Nothing was lost: run it again, with --resume where there is one.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stdout = None  # the reader went away; what it did not read is not known to be well
        return 1
    except Exception as error:
        if os.environ.get("TOWNCIRCLE_DEBUG"):
            raise
        return render(_in_our_words(error), as_json=as_json)


def _in_our_words(error: Exception) -> TowncircleError:
    """Give what the operating system says about a file as an error of the table; all else is our own fault."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return BadInput("cli.file", path=error.filename, why=error.strerror)
    from towncircle.psd import guard

    what = guard.altered()
    if what:  # then it is no wonder
        return BrokenInvariant("psd.module-altered", what=what)
    return BrokenInvariant("kernel.internal", what=type(error).__name__)


def render(error: TowncircleError, *, as_json: bool) -> int:
    """Show an error as text on stderr, or as JSON on stdout, and give its exit code."""
    from towncircle.kernel.errors.under import written  # only when something goes wrong

    record = error.as_dict()
    if as_json:
        print(json.dumps({"error": record}, ensure_ascii=False))
    else:
        lines = [f"towncircle: {record['sentence']}"]
        grounds = record.get("grounds")
        if isinstance(grounds, list):
            lines += [f"  - {ground['sentence']} [{ground['clause']}]" for ground in grounds]
        also = f"; also {written(error.under)}" if error.under else ""
        lines += [f"  code {record['code']}, clause {record['clause']}{also}", f"  Next step: {record['next_step']}"]
        print("\n".join(lines), file=sys.stderr)
    return EXIT_CODES[error.kind]


def entry() -> NoReturn:
    """Run as a program."""
    sys.exit(main())


if __name__ == "__main__":
    entry()
