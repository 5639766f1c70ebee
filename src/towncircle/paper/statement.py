"""A monthly statement, and the document of one transaction, as pages of our own design (P050 3.5(c)).

Here: where things stand on them. Not here: the statement itself (the Provider's), its file (`wire.statement_file`).
"""

from __future__ import annotations

from collections.abc import Iterator

from towncircle.kernel.cites import cites
from towncircle.kernel.money import ZERO, Mills
from towncircle.mailpiece.elements import Page
from towncircle.mailpiece.geometry import POINT
from towncircle.paper.letter import GREY, LEFT, RIGHT, Column, Sheet
from towncircle.wire.bodies import MonthlyStatement, StatementRow
from towncircle.wire.statement_file import totals

_PAIRS = tuple(Column(x=LEFT + offset * POINT) for offset in (0, 110, 270, 370))
_TABLE = (
    Column(x=LEFT),
    Column(x=LEFT + 86 * POINT),
    Column(x=LEFT + 206 * POINT),
    Column(x=LEFT + 306 * POINT),
    Column(x=RIGHT - 70 * POINT, right=True),
    Column(x=RIGHT, right=True),
)
_HEADING = ("Date and time", "Transaction", "Reference", "Device", "Amount", "Balance")
_FOOT = "SPECIMEN: made under a test root"
_SMALL = 8_000


@cites("P050-3.5c")
def pages(statement: MonthlyStatement, *, provider: str, licensee: str, zone: str) -> Iterator[Page]:
    """Lay out a statement: balances, every transaction with the balance after it, the totals; times in a zone."""
    sheet = Sheet(f"{statement.account} {statement.month}", columns=_PAIRS, foot=_FOOT)
    sheet.row("Statement of account", font="bold", size=20_000)
    sheet.row(f"CMRS account {statement.account}, {statement.month}", size=11_000, gap=4 * POINT)
    sheet.rule()
    sheet.row("Licensee", licensee, "Account", statement.account, gap=2 * POINT)
    sheet.row("Provider", provider, "Until", statement.until.words_in(zone))
    sheet.row("Opening balance", str(statement.opening), "Closing balance", str(statement.closing), font="bold")
    _transactions(sheet, statement, zone)
    count, came, went, _ = totals(statement)
    sheet.heading = None
    sheet.rule()
    cells = (f"{count} transactions", "", "", "", str(Mills(came - went)), str(statement.closing))
    sheet.row(*cells, font="bold", columns=_TABLE)
    sheet.row("Came in", str(Mills(came)), "Went out", str(Mills(went)), gap=4 * POINT)
    sheet.need(40 * POINT)
    text = (
        "Each balance is the account after the transaction beside it (P050 3.5(c)). Tell your Provider of anything "
        "that you do not recognise; the same statement as a file carries control totals."
    )
    sheet.text(text, size=8_500, ink=GREY, gap=12 * POINT)
    yield from sheet.pages()


def _transactions(sheet: Sheet, statement: MonthlyStatement, zone: str) -> None:
    sheet.row("Transactions", font="bold", size=12_000, gap=14 * POINT)

    def heading() -> None:
        sheet.row(*_HEADING, size=_SMALL, ink=GREY, gap=2 * POINT, columns=_TABLE)
        sheet.rule(gap=4 * POINT)

    heading()
    sheet.heading = heading
    if not statement.rows:
        sheet.row("No transaction in this month.")
    for row in statement.rows:
        sheet.row(*_cells(row, zone), size=_SMALL, columns=_TABLE)


def _cells(row: StatementRow, zone: str) -> tuple[str, ...]:
    sign = "+" if row.amount > ZERO else ""
    return row.at.words_in(zone), row.kind, row.reference, row.device, f"{sign}{row.amount}", str(row.balance)


@cites("P050-3.5c")
def document(
    statement: MonthlyStatement, row: StatementRow, *, provider: str, licensee: str, zone: str
) -> Iterator[Page]:
    """Lay out the document of one transaction: what it was, and the balance after it."""
    sheet = Sheet(f"{statement.account} {row.reference}", columns=_PAIRS, foot=_FOOT)
    sheet.row("Transaction", font="bold", size=20_000)
    sheet.row(f"{row.kind[0].upper()}{row.kind[1:]}, {row.reference}", size=11_000, gap=4 * POINT)
    sheet.rule()
    for name, value in (
        ("Licensee", licensee),
        ("Provider", provider),
        ("Account", statement.account),
        ("When", row.at.words_in(zone)),
        ("Device", row.device or "none"),
        ("Reference", row.reference),
    ):
        sheet.row(name, value, gap=2 * POINT)
    sheet.rule()
    sheet.row("Amount", str(row.amount), font="bold", size=12_000, gap=4 * POINT)
    sheet.row("Balance after it", str(row.balance), font="bold", size=12_000, gap=4 * POINT)
    yield from sheet.pages()
