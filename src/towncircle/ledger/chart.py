"""The charts of accounts.

Here: which kinds of account each party's books have, their side, sign and floor. Not here: balances.
Kept: the money equation is generated from the chart, so every kind carries its place in it (house.md 5). An account is
named by its kind and its owners: `account/20260-000001`, `descending/20260-000001/TC1A0000000017`,
`trust/provider.harbor/20260-000001`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from towncircle.kernel.errors import BrokenInvariant

Side = Literal["debit", "credit"]
Place = Literal["left", "right", "right, taken off", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountKind:
    """Describe one kind of account.

    `side` is the side that raises it. `owners` names the parts of its accounts' names after the kind. `floor` is the
    lowest balance it may have on its own side (None: no floor). `place` and `words` put it into the money equation.
    """

    name: str
    side: Side
    owners: tuple[str, ...]
    meaning: str
    clause: str
    floor: int | None = 0
    place: Place = ""
    words: str = ""


class Chart:
    """Hold the kinds of account of one party's books."""

    def __init__(self, name: str, kinds: tuple[AccountKind, ...]) -> None:
        self.name = name
        self.kinds = {kind.name: kind for kind in kinds}
        for kind in kinds:  # the equation follows from debits = credits only if sides and places agree
            assert kind.place in {"", "right" if kind.side == "credit" else "left", "right, taken off"}
            assert kind.place != "right, taken off" or kind.side == "debit"

    def kind_of(self, account: str) -> AccountKind:
        """Give the kind of an account. Raises `BrokenInvariant` (ledger.no-such-account)."""
        name, *owners = account.split("/")
        kind = self.kinds.get(name)
        if kind is None or len(owners) != len(kind.owners) or not all(owners):
            raise BrokenInvariant("ledger.no-such-account", account=account, chart=self.name)
        return kind


_PER_LICENSEE = ("licensee",)
_PER_DEVICE = ("licensee", "device")

PROVIDER = Chart(
    "provider",
    (
        AccountKind(
            name="deposits",
            side="debit",
            owners=_PER_LICENSEE,
            meaning="money that reached the Postal Service's trust account for the licensee, less returned items",
            clause="502.25(c)",
            place="left",
            words="deposits (returned items negative)",
        ),
        AccountKind(
            name="advances",
            side="debit",
            owners=_PER_LICENSEE,
            meaning="what the Provider has advanced for the licensee and not got back",
            clause="P050 3.5a",
            place="left",
            words="outstanding advances",
        ),
        AccountKind(
            name="malfunction-credits",
            side="debit",
            owners=_PER_LICENSEE,
            meaning="postage lost to malfunction, borne by the Provider",
            clause="502.27(d)",
            place="left",
            words="malfunction credits",
        ),
        AccountKind(
            name="account",
            side="credit",
            owners=_PER_LICENSEE,
            meaning="the licensee's CMRS account: what can be set into devices or paid out",
            clause="P050 3.5a",
            place="right",
            words="account",
        ),
        AccountKind(
            name="in-transit",
            side="credit",
            owners=_PER_DEVICE,
            meaning="reserved for a reset that is authorised and not yet settled by a signed reading",
            clause="502.25(a)",
            place="right",
            words="in transit",
        ),
        AccountKind(
            name="descending",
            side="credit",
            owners=_PER_DEVICE,
            meaning="postage that the device still holds, at its last signed reading",
            clause="P050 3.6",
            place="right",
            words="sum(descending)",
        ),
        AccountKind(
            name="ascending",
            side="credit",
            owners=_PER_DEVICE,
            meaning="postage that the device has evidenced, at its last signed reading",
            clause="PRE-12",
            place="right",
            words="sum(ascending)",
        ),
        AccountKind(
            name="refunded-unused",
            side="debit",
            owners=_PER_LICENSEE,
            meaning="evidenced postage that was refunded because its pieces were not mailed",
            clause="502.27(a)",
            place="right, taken off",
            words="refunded unused",
        ),
        AccountKind(
            name="paid-out",
            side="credit",
            owners=_PER_LICENSEE,
            meaning="paid to the licensee by check when the account was closed",
            clause="502.27(c)",
            place="right",
            words="paid out",
        ),
    ),
)

POSTAL = Chart(
    "postal",
    (
        AccountKind(
            name="lockbox",
            side="debit",
            owners=("provider",),
            meaning="money at the lockbox bank, as the bank's reports say",
            clause="502.25(c)",
            floor=None,
        ),
        AccountKind(
            name="trust",
            side="credit",
            owners=("provider", "licensee"),
            meaning="held in trust for the licensee; below zero it is the Provider's advance or a returned item",
            clause="502.25(c)",
            floor=None,
        ),
        AccountKind(
            name="postage-set",
            side="credit",
            owners=("provider", "licensee"),
            meaning="postage set into devices less refunds, as the Provider's daily files say",
            clause="502.20(m)",
            floor=None,
        ),
        AccountKind(
            name="remitted",
            side="debit",
            owners=("provider",),
            meaning="what a Provider has paid on sanctions, less what was paid back to it",
            clause="502.15, 502.21",
        ),
        AccountKind(
            name="sanctions",
            side="credit",
            owners=("provider",),
            meaning="sanctions that a Provider has paid and that stand",
            clause="502.15, 502.21",
        ),
    ),
)

BANK = Chart(
    "bank",
    (
        AccountKind(
            name="items",
            side="debit",
            owners=("provider",),
            meaning="items taken in less items returned and checks issued",
            clause="502.25(c)",
            floor=None,
        ),
        AccountKind(
            name="held",
            side="credit",
            owners=("provider", "licensee"),
            meaning="held for the Postal Service, by Provider and licensee",
            clause="502.25(c)",
            floor=None,
        ),
    ),
)

LICENSEE = Chart(
    "licensee",
    (
        AccountKind(
            name="paid-in",
            side="credit",
            owners=_PER_LICENSEE,
            meaning="what the licensee has paid to the lockbox bank",
            clause="P050 3.2",
        ),
        AccountKind(
            name="on-deposit",
            side="debit",
            owners=("provider", "licensee"),
            meaning="what lies with a Provider; below zero it is an advance, or a receipt is not here yet",
            clause="502.25(c)",
            floor=None,
        ),
        AccountKind(
            name="by-statement",
            side="credit",
            owners=("provider", "licensee"),
            meaning="refunds, credits and advances by a Provider's statement, less returned items and refund checks",
            clause="P050 3.5(c)",
            floor=None,
        ),
        AccountKind(
            name="in-device",
            side="debit",
            owners=_PER_DEVICE,
            meaning="resets that the device has applied, less what it has evidenced",
            clause="P050 3.6",
        ),
        AccountKind(
            name="postage",
            side="debit",
            owners=("licensee", "department"),
            meaning="postage evidenced for a department",
            clause="IMI-05",
        ),
    ),
)
