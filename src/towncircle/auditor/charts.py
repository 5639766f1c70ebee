"""The recipes and accounts of the books, as docs/export.md gives them.

Here: what each recipe debits and credits, which fact goes with it, and whose books have which accounts. Not here: the
lines of an export (`shapes`), adding anything up (`books`).
Kept: this is the auditor's own copy of the documented format; it is not taken from the rooms that issue.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# (books, recipe): what it debits, what it credits, the type of its fact
RECIPES: Mapping[tuple[str, str], tuple[frozenset[str], frozenset[str], str]] = MappingProxyType(
    {
        (books, recipe): (frozenset(debits.split()), frozenset(credits_.split()), fact)
        for books, recipe, debits, credits_, fact in (
            ("provider", "deposit-received", "deposits", "account", "deposit.credited"),
            ("provider", "deposit-returned", "account advances", "deposits", "deposit.returned"),
            ("provider", "advance-given", "advances", "account", "advance.given"),
            ("provider", "advance-repaid", "account", "advances", "advance.repaid"),
            ("provider", "reset-reserved", "account", "in-transit", "reset.reserved"),
            ("provider", "reset-posted", "in-transit", "descending", "reset.posted"),
            ("provider", "reset-voided", "in-transit", "account", "reset.voided"),
            ("provider", "usage-read", "descending", "ascending", "audit.taken"),
            ("provider", "balance-withdrawn", "descending", "account", "balance.withdrawn"),
            ("provider", "unused-refunded", "refunded-unused", "account", "unused.refunded"),
            ("provider", "malfunction-credited", "malfunction-credits", "account", "malfunction.credited"),
            ("provider", "account-paid-out", "account", "paid-out", "account.paid-out"),
            ("postal", "deposit-reported", "lockbox", "trust", ""),
            ("postal", "return-reported", "trust", "lockbox", ""),
            ("postal", "setting-filed", "trust", "postage-set", ""),
            ("postal", "refund-filed", "postage-set", "trust", ""),
            ("postal", "payout-instructed", "trust", "lockbox", "payout.instructed"),
            ("postal", "sanction-paid", "remitted", "sanctions", ""),
            ("postal", "sanction-repaid", "sanctions", "remitted", ""),
            ("bank", "item-received", "items", "held", "deposit.received"),
            ("bank", "item-returned", "held", "items", "item.returned"),
            ("bank", "check-issued", "held", "items", "check.issued"),
            ("licensee", "deposit-made", "on-deposit", "paid-in", "deposit.made"),
            ("licensee", "reset-received", "in-device", "on-deposit", "reset.received"),
            ("licensee", "balance-returned", "on-deposit", "in-device", "balance.returned"),
            ("licensee", "account-credited", "on-deposit", "by-statement", ""),
            ("licensee", "account-charged", "by-statement", "on-deposit", ""),
            ("licensee", "postage-evidenced", "postage", "in-device", "evidence.made"),
        )
    }
)
# kind of account: its books, whether a credit raises it, the owners in its name, whether it has the floor 0
ACCOUNTS: Mapping[str, tuple[str, bool, tuple[str, ...], bool]] = MappingProxyType(
    {
        "deposits": ("provider", False, ("licensee",), True),
        "advances": ("provider", False, ("licensee",), True),
        "malfunction-credits": ("provider", False, ("licensee",), True),
        "account": ("provider", True, ("licensee",), True),
        "in-transit": ("provider", True, ("licensee", "device"), True),
        "descending": ("provider", True, ("licensee", "device"), True),
        "ascending": ("provider", True, ("licensee", "device"), True),
        "refunded-unused": ("provider", False, ("licensee",), True),
        "paid-out": ("provider", True, ("licensee",), True),
        "lockbox": ("postal", False, ("provider",), False),
        "trust": ("postal", True, ("provider", "licensee"), False),
        "postage-set": ("postal", True, ("provider", "licensee"), False),
        "remitted": ("postal", False, ("provider",), True),
        "sanctions": ("postal", True, ("provider",), True),
        "items": ("bank", False, ("provider",), False),
        "held": ("bank", True, ("provider", "licensee"), False),
        "paid-in": ("licensee", True, ("licensee",), True),
        "on-deposit": ("licensee", False, ("provider", "licensee"), False),
        "by-statement": ("licensee", True, ("provider", "licensee"), False),
        "in-device": ("licensee", False, ("licensee", "device"), True),
        "postage": ("licensee", False, ("licensee", "department"), True),
    }
)
