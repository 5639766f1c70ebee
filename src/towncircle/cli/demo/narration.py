"""The narration of the demo: chapters, lines and a progress display on a terminal.

Here: how it is told. Not here: what happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


class Narrator:
    """Tell the demo. A quiet narrator says nothing (for --json)."""

    def __init__(self, *, quiet: bool) -> None:
        from rich.console import Console

        self._console = Console(quiet=quiet, highlight=False, soft_wrap=False)

    @contextmanager
    def chapter(self, number: int, name: str, of: int) -> Iterator[None]:
        """Tell one chapter; a spinner turns while it goes on."""
        self._console.print(f"\n[bold]{number:>2}/{of}  {name}[/bold]")
        self._status = self._console.status("", spinner="dots")
        with self._status:
            yield

    def doing(self, what: str, done: int, of: int) -> None:
        """Show what goes on now."""
        bar = "=" * (24 * done // of) if of else ""
        self._status.update(f"{what}  {bar:<24} {done} of {of}" if of else what)

    def say(self, text: str) -> None:
        """Tell one line."""
        from rich.padding import Padding
        from rich.text import Text

        self._console.print(Padding(Text(text, overflow="fold"), (0, 0, 0, 5), expand=False))

    def table(self, rows: Iterable[tuple[str, str, str]]) -> None:
        """Tell rows of a number and a text, each with a line of small print below it."""
        from rich.padding import Padding
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 2))
        grid.add_column(justify="right")
        grid.add_column(overflow="fold")
        for number, text, small in rows:
            grid.add_row(number, Text(text))
            grid.add_row("", Text(small, style="dim"))
        self._console.print(Padding(grid, (0, 0, 0, 5), expand=False))

    def result(self, *, ok: bool, seconds: float, detail: str) -> None:
        """Tell how a chapter ended."""
        if not ok:
            from rich.text import Text

            self._console.print(Text(f"     FAILED: {detail}", style="bold red"))
        self._console.print(f"     [dim]{seconds:.1f} s[/dim]")

    def close(self, out: Path, *, ok: bool, look_at: str = "envelopes.pdf", then: str = "status") -> None:
        """Tell where everything is."""
        if ok:
            self._console.print(f"\n[bold]All chapters ended as they should.[/bold] Look at {out}/{look_at}")
            self._console.print(f"Work on with it: towncircle {then} {out}/world")
        else:
            self._console.print("\n[bold red]Not every chapter ended as it should.[/bold red]")
