"""Messages about a CMRS account (P050 3.3, 3.5, 502.25(c), 502.27(c), (d)): what is asked of it, and its daily books.

Here: the licensee's request (an advance, a claim for postage lost to malfunction, the closing), the closing on its way
to the refund check, the monthly statement, the daily financial file. Not here: deposits and resets (`parties`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.wire.registry import message
from towncircle.wire.shape import SIGNED, Body, Limit, Row

_ID, _SHORT, _DAY = Limit(64), Limit(200), Limit(10)
STATEMENT_ROWS = 1_000  # house: the transactions of one message of a statement
PART_BYTES = 200_000  # house: of a file in one message, which holds 262,144 bytes
CLAIMED, GRANTED, DECLINED, ASKED, PAID = "claimed", "granted", "declined", "asked", "paid"
INSTRUCTED = "instructed"  # at the Postal Service only: the bank has not told the number of the check yet


@message(120, "licensee to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRequest(Body):
    """Ask something of the account in writing; the same request again asks how it stands.

    `amount` is the advance wanted or the loss claimed, `device` the one that failed; a closing has neither.
    """

    reference: Annotated[str, 1, _ID]
    kind: Annotated[Literal["advance", "claim", "closing"], 2]
    device: Annotated[str, 3, _ID]
    amount: Annotated[Mills, 4]
    reason: Annotated[str, 5, _SHORT]
    asked_by: Annotated[str, 6, _ID]


@message(121, "provider to licensee")
@dataclass(frozen=True, slots=True, kw_only=True)
class AccountAnswer(Body):
    """State how a request stands: what was granted or paid, the outstanding advances, and the account after it."""

    reference: Annotated[str, 1, _ID]
    kind: Annotated[Literal["advance", "claim", "closing"], 2]
    state: Annotated[Literal["advanced", "claimed", "granted", "declined", "asked", "paid"], 3]
    amount: Annotated[Mills, 4]
    outstanding: Annotated[Mills, 5]
    limit: Annotated[Mills, 6]
    account_balance: Annotated[Mills, 7, SIGNED]
    check: Annotated[int, 8]
    reason: Annotated[str, 9, _SHORT]
    at: Annotated[Instant, 10]


@message(122, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingNotice(Body):
    """Notify the accounting service center of a closing (502.27(c)); `request` is the licensee's sealed bytes.

    `own` is what of the amount is the Provider's own money: credits for malfunction.
    """

    closing: Annotated[str, 1, _ID]
    account: Annotated[str, 2, _ID]
    amount: Annotated[Mills, 3]
    own: Annotated[Mills, 4]
    request: Annotated[bytes, 5]


@message(123, "postal to bank")
@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutInstruction(Body):
    """Instruct the lockbox bank to issue a refund check (502.27(c))."""

    closing: Annotated[str, 1, _ID]
    provider: Annotated[str, 2, _ID]
    licensee: Annotated[str, 3, _ID]
    amount: Annotated[Mills, 4]
    instructed_by: Annotated[str, 5, _ID]


@message(124, "bank to postal, postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIssued(Body):
    """Tell that a refund check was issued to a licensee, with its number and day."""

    closing: Annotated[str, 1, _ID]
    licensee: Annotated[str, 2, _ID]
    amount: Annotated[Mills, 3]
    check: Annotated[int, 4]
    day: Annotated[str, 5, _DAY]


@message(125, "licensee to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRequest(Body):
    """Ask for the statement of a month (`YYYY-MM`; P050 3.5(c))."""

    month: Annotated[str, 1, Limit(7)]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow(Row):
    """Hold one transaction of a statement with the balance after it; what leaves the account is negative."""

    at: Instant
    kind: Annotated[str, _ID]
    reference: Annotated[str, _ID]
    device: Annotated[str, _ID]
    amount: Annotated[Mills, SIGNED]
    balance: Annotated[Mills, SIGNED]


@message(126, "provider to licensee")
@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyStatement(Body):
    """State all transactions of an account in a month, up to an instant of it (P050 3.5(c))."""

    month: Annotated[str, 1, Limit(7)]
    account: Annotated[str, 2, _ID]
    until: Annotated[Instant, 3]
    opening: Annotated[Mills, 4, SIGNED]
    closing: Annotated[Mills, 5, SIGNED]
    rows: Annotated[tuple[StatementRow, ...], 6]


@message(189, "licensee to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class StatementPartRequest(Body):
    """Ask for a part of the statement of a month, as of an instant (0: now); each has `STATEMENT_ROWS` but the last.

    Parts count from 1. Each is answered by a statement of its own transactions, which opens with the closing balance of
    the part before.
    """

    month: Annotated[str, 1, Limit(7)]
    part: Annotated[int, 2]
    until: Annotated[Instant, 3]


@message(127, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class DailyFinancialFile(Body):
    """Send the daily financial file (502.20(m)); `file` has the layout of docs/daily-financial-file.md."""

    day: Annotated[str, 1, _DAY]
    number: Annotated[int, 2]
    file: Annotated[bytes, 3, Limit(PART_BYTES)]


@message(184, "provider to postal")
@dataclass(frozen=True, slots=True, kw_only=True)
class DailyFilePart(Body):
    """Send one part of a daily financial file that is longer than a message; `digest` is the SHA-256 of the whole.

    Parts count from 1; the last one is answered with the finding. The control totals of the whole stand at its end.
    """

    day: Annotated[str, 1, _DAY]
    number: Annotated[int, 2]
    part: Annotated[int, 3]
    parts: Annotated[int, 4]
    digest: Annotated[str, 5, _ID]
    data: Annotated[bytes, 6, Limit(PART_BYTES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyDifference(Row):
    """Hold one difference between device, Provider's books and trust account, and whether a cause explains it."""

    about: Annotated[str, _SHORT]
    code: Annotated[str, Limit(80)]
    cause: Annotated[str, Limit(80)]
    sentence: str
    amount: Annotated[Mills, SIGNED]
    explained: bool


@message(128, "postal to provider")
@dataclass(frozen=True, slots=True, kw_only=True)
class DailyFinding(Body):
    """State what the three books of a day say of each other."""

    day: Annotated[str, 1, _DAY]
    number: Annotated[int, 2]
    accounts: Annotated[int, 3]
    devices: Annotated[int, 4]
    events: Annotated[int, 5]
    differences: Annotated[tuple[MoneyDifference, ...], 6]
