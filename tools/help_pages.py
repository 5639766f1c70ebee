"""The help of every command as one page, `docs/cli.md`.

Here: `cli_page()`, read from the parser itself, so that no width of a terminal and no version of Python shows in it.
Not here: writing the file (`tools/docs.py`).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from towncircle.cli.main import build_parser

_HEAD = """\
# Commands

This page is generated from the commands' own help by `tools/docs.py`.

Every command takes `--json` and answers with one JSON document of stable keys; an error is then
`{"error": {"code", "sentence", "clause", "next_step"}}`. Exit codes: 0 well, 1 a negative finding, 2 usage or input
that cannot be used, 3 refused, 4 internal. [Errors](errors.md) lists every code.
"""


def cli_page() -> str:
    """Describe every command: usage, arguments, options, examples."""
    lines = [_HEAD]
    for name, text, parser in commands(build_parser()):
        lines += [f"## {name}", "", " ".join((parser.description or text).split()), ""]
        lines += ["```", usage(name, parser), "```", ""]
        rows = [(_shown(action), action.help or "") for action in _own(parser)]
        if rows:
            lines += ["| argument | meaning |", "|---|---|"]
            lines += [f"| `{shown}` | {_cell(meaning)} |" for shown, meaning in rows]
            lines += [""]
        if parser.epilog:
            lines += ["```", parser.epilog, "```", ""]
    return "\n".join(lines)


def commands(
    parser: argparse.ArgumentParser, above: str = "towncircle"
) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Give every command and action with its one-line help and its parser, in the order of the help."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no public way to its commands
        if not isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            continue
        short = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001
        for name, inner in action.choices.items():
            yield f"{above} {name}", short.get(name, ""), inner
            yield from commands(inner, f"{above} {name}")


def usage(name: str, parser: argparse.ArgumentParser) -> str:
    """Write how a command is called, options before arguments, as argparse takes them."""
    actions = _own(parser)
    if not actions:
        return f"{name} ACTION ..."
    options = [_bracketed(action, _shown(action)) for action in actions if action.option_strings]
    places = [_bracketed(action, _shown(action)) for action in actions if not action.option_strings]
    return " ".join([name, *options, *places])


def _own(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    skipped = (argparse._HelpAction, argparse._SubParsersAction)  # noqa: SLF001
    found = [action for action in parser._actions if not isinstance(action, skipped)]  # noqa: SLF001
    return sorted(found, key=lambda action: bool(action.option_strings))


def _shown(action: argparse.Action) -> str:
    word = str(action.metavar or action.dest.upper())
    if not action.option_strings:
        return f"{word} ..." if action.nargs == "*" else word
    return action.option_strings[-1] + ("" if action.nargs == 0 else f" {word}")


def _bracketed(action: argparse.Action, text: str) -> str:
    free = action.option_strings and not action.required
    return f"[{text}]" if free or action.nargs in ("?", "*") else text


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
