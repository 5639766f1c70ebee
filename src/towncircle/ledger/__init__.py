"""The ledger: every cent of every party, in entries that are never edited.

Here: charts of accounts, balanced entries, the recipe of every money event, the books over a party's store, the money
equation and the reconciliation of three books. Not here: SQL, messages, decisions about who may do what.
Kept: debits = credits in every entry; money is integer mills; floors and ceilings belong to accounts; an event has one
key, and the same key with other inputs is a conflict (house.md 5).
"""

from towncircle.ledger.books import Books, DeviceMoney, TrialBalance
from towncircle.ledger.chart import BANK, LICENSEE, POSTAL, PROVIDER, AccountKind, Chart
from towncircle.ledger.entries import Ceiling, Entry, Line
from towncircle.ledger.equation import Equation, Term

__all__ = [
    "BANK",
    "LICENSEE",
    "POSTAL",
    "PROVIDER",
    "AccountKind",
    "Books",
    "Ceiling",
    "Chart",
    "DeviceMoney",
    "Entry",
    "Equation",
    "Line",
    "Term",
    "TrialBalance",
]
