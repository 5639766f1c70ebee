"""The monthly statement as a CSV file (P050 3.5(c)): its layout, its writer, and the reader that checks it.

Here: bytes to the statement and back. Not here: its page (`paper.statement`). The layout is documented in
docs/statement-file.md.
Kept: every balance follows from the one before it; the file carries control totals, and the reader adds up again.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.money import ZERO, Mills
from towncircle.wire.bodies import MonthlyStatement, StatementRow
from towncircle.wire.lines import broken, instant_of, number_of, read_lines, same_totals, write_lines

NAME, VERSION, SEPARATOR = "STATEMENT", "1", ","
_PARTS = {"H": 8, "D": 6, "T": 5}


@cites("P050-3.5c")
def write(statement: MonthlyStatement, *, provider: str, licensee: str) -> bytes:
    """Write a statement with its control totals."""
    of = (provider, licensee, statement.account, statement.month, statement.until.iso(), int(statement.opening))
    rows: list[tuple[object, ...]] = [("H", NAME, VERSION, *of)]
    rows += [
        ("D", row.at.iso(), row.kind, row.reference, row.device, int(row.amount), int(row.balance))
        for row in statement.rows
    ]
    return write_lines(rows, totals(statement), separator=SEPARATOR)


def totals(statement: MonthlyStatement) -> tuple[int, int, int, int]:
    """Give the control totals: transactions, mills that came in, mills that went out, the closing balance."""
    came = sum((row.amount for row in statement.rows if row.amount > ZERO), ZERO)
    went = sum((-row.amount for row in statement.rows if row.amount < ZERO), ZERO)
    return len(statement.rows), int(came), int(went), int(statement.closing)


@cites("P050-3.5c")
def read(data: bytes) -> tuple[MonthlyStatement, str, str]:
    """Read a statement and check it; give it with Provider and licensee. Raises `Refused` (lines.broken)."""
    rows = read_lines(data, _PARTS, separator=SEPARATOR)
    head = rows[0]
    if head[1:3] != [NAME, VERSION]:
        raise broken(1, f"it does not begin as {NAME} {VERSION}")
    details = [
        StatementRow(
            at=instant_of(line, row[1]),
            kind=row[2],
            reference=row[3],
            device=row[4],
            amount=Mills(number_of(line, row[5])),
            balance=Mills(number_of(line, row[6])),
        )
        for line, row in enumerate(rows[1:-1], start=2)
    ]
    statement = MonthlyStatement(
        month=head[6],
        account=head[5],
        until=instant_of(1, head[7]),
        opening=Mills(number_of(1, head[8])),
        closing=Mills(number_of(len(rows), rows[-1][4])),
        rows=tuple(details),
    )
    fault = first_fault(statement)
    if fault:
        raise broken(*fault)
    same_totals(rows, totals(statement))
    return statement, head[3], head[4]


def first_fault(statement: MonthlyStatement) -> tuple[int, str] | None:
    """Say where the balances of a statement do not follow from each other: the line of the file, and why."""
    balance, before = statement.opening, None
    for line, row in enumerate(statement.rows, start=2):
        if balance + row.amount != row.balance:
            return line, f"{balance} and {row.amount} do not make {row.balance}"
        if before is not None and row.at < before:
            return line, "it is older than the transaction before it"
        balance, before = row.balance, row.at
    if balance != statement.closing:
        return len(statement.rows) + 2, f"the closing balance is {statement.closing}, not {balance}"
    return None
