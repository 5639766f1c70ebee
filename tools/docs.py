"""Write the pages of `docs/` that come from code and data, or check that they are as they would be written.

Run: `python tools/docs.py` writes them; `python tools/docs.py --check` names those that differ (exit code 1).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src"
for place in (ROOT, SRC):
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))

from towncircle.kernel.errors import Row, sheets  # noqa: E402 - the checkout's own package
from towncircle.kernel.errors.under import UNDER, written  # noqa: E402
from towncircle.kernel.machine import StateTable  # noqa: E402

_EXITS = {"input": "2, input that cannot be used", "refused": "3, refused", "broken": "4, internal"}


def errors_page() -> str:
    """Describe every error code: the sentence, the clause and the next step, sheet by sheet."""
    lines = [
        "# Errors",
        "",
        "This page is generated from `src/towncircle/kernel/errors/sheets/` by `tools/docs.py`.",
        "",
        "Every error carries a stable code, a sentence, the clause it rests on and a next step; the command line, JSON",
        "answers and messages between parties show the same. `{words}` are filled in. The exit code of a command is",
        "2 for input that cannot be used, 3 for what a rule or a state forbids, 4 for what must not happen. Whichever",
        "it is: nothing was changed, unless the sentence says otherwise. Exit code 1 is no error but a negative",
        "finding, such as a verdict other than VALID. Where one guard keeps more of the rule than its clause says, the",
        "other requirements are named too (`under` in JSON, from `src/towncircle/kernel/errors/under.py`).",
        "",
    ]
    for module in iter_modules(sheets.__path__):
        sheet = import_module(f"{sheets.__name__}.{module.name}")
        rows: dict[str, Row] = sheet.ROWS
        title = (sheet.__doc__ or "").splitlines()[0].removeprefix("Error codes of ").rstrip(".")
        lines += [f"## {title[0].upper()}{title[1:]}", ""]
        for code, row in rows.items():
            lines += [
                f"### `{code}`",
                "",
                row.sentence,
                "",
                f"- Next step: {row.next_step}",
                f"- Clause: {row.clause}{_also(code)}",
                f"- Exit code: {_EXITS[row.kind]}",
                "",
            ]
    return "\n".join(lines)


def _also(code: str) -> str:
    return f"; keeps also {written(UNDER[code])}" if code in UNDER else ""


def state_tables() -> list[tuple[str, str, StateTable]]:
    """Find every state table in the code: the module, the constant's name and the table."""
    found = []
    for path in sorted((SRC / "towncircle").rglob("*.py")):
        if "StateTable(" not in path.read_text(encoding="utf-8"):
            continue
        name = ".".join(path.relative_to(SRC).with_suffix("").parts)
        module = import_module(name)
        found += [(name, key, value) for key, value in vars(module).items() if isinstance(value, StateTable)]
    return found


def states_page() -> str:
    """Draw every state table of the code, with the clause of each move."""
    lines = [
        "# States",
        "",
        "This page is generated from the state tables in the code by `tools/docs.py`. What a table does not list is",
        "refused (`machine.illegal-move`), changes nothing, and the refusal names what is possible.",
        "",
    ]
    for module, name, table in state_tables():
        path = f"src/{module.replace('.', '/')}.py"
        still = [move for move in table.moves if move.state == move.to]
        lines += [f"## {table.subject[0].upper()}{table.subject[1:]}", "", f"`{name}` in [`{path}`](../{path})", ""]
        lines += ["```mermaid", table.mermaid(), "```", ""]
        lines += ["| In state | event | leads to | clause |", "|---|---|---|---|"]
        lines += [f"| {m.state} | {m.event} | {m.to} | {m.clause} |" for m in table.moves if m.state != m.to]
        lines += [""]
        if still:
            lines += ["These leave the state as it is:", "", "| In state | event | clause |", "|---|---|---|"]
            lines += [f"| {m.state} | {m.event} | {m.clause} |" for m in still]
            lines += [""]
    return "\n".join(lines)


def _layouts_page() -> str:
    from towncircle.indicium import describe

    return describe.markdown()


def _cli_page() -> str:
    from tools.help_pages import cli_page

    return cli_page()


def _limits_page() -> str:
    from tools.limits_page import limits_page

    return limits_page()


def _wire_page() -> str:
    from towncircle.wire.page import wire_page

    return wire_page()


def _conformance_page() -> str:
    from tools.conformance_page import conformance_page

    return conformance_page()


def _errata_page() -> str:
    from tools.conformance_page import errata_page

    return errata_page()


def _proofs() -> str:
    from tools.proofs import proofs

    return proofs()


def _cautions_page() -> str:
    from towncircle.provider.agreements import CAUTIONS

    first, *points = CAUTIONS.split("\n")
    head = "This page is generated from `src/towncircle/provider/agreements/cautions.txt` by `tools/docs.py`."
    more = "A lease holds the same text, and `towncircle lease` prints it."
    return "\n".join(["# Cautions", "", head, more, "", first, "", *points])


def _facts() -> str:
    from tools.kinds import PARTIES, recorded_by

    return json.dumps({party: sorted(recorded_by(party)) for party in PARTIES}, indent=1)


def _fields() -> str:
    from tools.limits_page import fields_known

    return json.dumps({kind: sorted(names) for kind, names in sorted(fields_known().items())}, indent=1)


def _offices_page() -> str:
    from tools.offices_page import offices_page

    return offices_page()


PAGES: dict[str, Callable[[], str]] = {
    "../src/towncircle/rules/facts.json": _facts,
    "../src/towncircle/rules/fields.json": _fields,
    "../src/towncircle/rules/clauses/proofs.json": _proofs,
    "cautions.md": _cautions_page,
    "cli.md": _cli_page,
    "conformance.md": _conformance_page,
    "errata.md": _errata_page,
    "errors.md": errors_page,
    "layouts.md": _layouts_page,
    "limits.md": _limits_page,
    "offices.md": _offices_page,
    "states.md": states_page,
    "wire.md": _wire_page,
}


def stale() -> list[str]:
    """Name the pages that are not as they would be written."""
    return [name for name, page in PAGES.items() if _held(ROOT / "docs" / name) != _written(page)]


def _written(page: Callable[[], str]) -> str:
    return page().rstrip("\n") + "\n"


def _held(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def main() -> int:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description="Write the generated pages of docs/, or check them.")
    parser.add_argument("--check", action="store_true", help="write nothing; name the pages that differ")
    args = parser.parse_args()
    differing = stale()
    for name in differing:
        if not args.check:
            (ROOT / "docs" / name).write_text(_written(PAGES[name]), encoding="utf-8")
        print(f"docs/{name} {'differs from the code: run python tools/docs.py' if args.check else 'written'}")
    return 1 if args.check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
