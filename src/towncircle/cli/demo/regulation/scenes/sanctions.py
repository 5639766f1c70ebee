"""Administrative sanctions (502.15, 502.21): calculated, noticed, defended, imposed, appealed, paid."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from towncircle.cli.demo.regulation.procedures import scene, shows
from towncircle.cli.demo.regulation.scenes.supervision import ROOM, ahead, postal
from towncircle.cli.demo.regulation.scenes.suspensions import answer, decide, on_appeal, withdraw
from towncircle.cli.demo.regulation.town import PROVIDER, refused
from towncircle.kernel.money import Mills
from towncircle.postal import sanctions
from towncircle.rules.procedures import procedures
from towncircle.world.config import POSTAL
from towncircle.world.supervising import kept

if TYPE_CHECKING:
    from towncircle.cli.demo.regulation.town import Town


def _sanction(town: Town, form: str, thread: str) -> None:
    rows = _rows(town)
    failure = sanctions.Failure(
        form=form,
        provider=PROVIDER,
        provision="502.20(f)" if form == sanctions.CONTROLS else "502.14(b)",
        rows=rows,
        rate=sanctions.Rate(per_million=50_000, source="named in this notice"),
        known_on=rows[0].on,
    )
    told: dict[str, Any] = {"reasons": "It was late.", "effective_on": ahead(town, 40), "rules": town.world.rules}
    town.notes[thread] = postal(town, sanctions.notify, failure, **told).key


def _rows(town: Town) -> tuple[sanctions.Occurrence, ...]:
    amounts = (("cost", -30, 80), ("loss", -20, 125), ("recovery", -5, 60))
    return tuple(
        sanctions.Occurrence(
            kind=kind, on=date.fromisoformat(ahead(town, days)), amount=Mills.dollars(dollars), reference="FILE-7"
        )
        for kind, days, dollars in amounts
    )


def _pay(town: Town, thread: str) -> None:
    (row,) = [one for one in kept(town.world, POSTAL, "procedure") if one.key == town.notes[thread]]
    told: dict[str, Any] = {"procedure": row.key, "amount": Mills(row.body["amount"]), "reference": "WIRE-9"}
    postal(town, sanctions.pay, **told)


def _threads(form: str) -> list[str]:
    return [f"{form} {way}" for way in ("withdrawn", "undefended", "upheld")]


def _sanctions(form: str, title: str, first: int) -> None:
    """Play the ways of a sanction from a day on: withdrawn, undefended, appealed and upheld."""
    clauses = procedures()[form].clauses
    threads = _threads(form)
    withdrawn = threads[0]

    @scene(first)
    def noticed(town: Town) -> None:
        """Give notice of three sanctions, each with its calculation."""
        for thread in threads:
            _sanction(town, form, thread)

    @shows(first + 5, f"A {title} is withdrawn", f"postal {form}.withdrawn", clause=clauses["withdrawn"])
    def let_go(town: Town) -> None:
        """Withdraw one of them."""
        withdraw(town, withdrawn)

    _imposed(form, title, first)


def _imposed(form: str, title: str, first: int) -> None:
    clauses = procedures()[form].clauses
    *_, upheld = _threads(form)

    @scene(first + 10)
    def defended(town: Town) -> None:
        """Defend against another."""
        answer(town, upheld, "defense")

    @shows(
        first + 15,
        f"A {title} is calculated, noticed, defended and imposed",
        f"postal {form}.imposed",
        f"postal {form}.assessed",
        f"postal {form}.noticed",
        f"postal {form}.notice-received",
        f"postal {form}.defended",
        f"postal {form}.decided",
        f"postal {form}.decision-received",
        f"postal {form}.in-force",
        clause=f"{clauses['notice']}, {clauses['defense']}, {clauses['decision']}",
    )
    def decided(town: Town) -> None:
        """Decide that it is warranted, with a shorter time for an appeal."""
        decide(town, form, upheld, appeal_by=ahead(town, 12))

    @scene(first + 20)
    def appealed(town: Town) -> None:
        """Appeal: nothing is due until the appeal is decided."""
        answer(town, upheld, "appeal")
        with refused("sanction.not-due"):
            _pay(town, upheld)

    @shows(
        first + 26,
        f"A {title} is appealed in the shorter time that its decision gives, upheld and paid",
        f"postal {form}.appeal-decided outcome=upheld",
        f"postal {form}.decided appeal_by=*",
        f"postal {form}.appealed",
        f"postal {form}.paid",
        clause=clauses["appeal"],
    )
    def paid(town: Town) -> None:
        """Uphold it; the Provider pays."""
        on_appeal(town, upheld, reverse=False)
        _pay(town, upheld)

    _paid_back(form, title, first)


def _paid_back(form: str, title: str, first: int) -> None:
    withdrawn, (_, silent, _) = procedures()[form].clauses["withdrawn"], _threads(form)

    @scene(first + 50)
    def paid_too(town: Town) -> None:
        """Pay the sanction that nobody defended against and that took effect by itself."""
        _pay(town, silent)

    @shows(
        first + 52,
        f"A {title} is withdrawn after it was paid, and paid back",
        f"postal {form}.repaid",
        clause=withdrawn,
    )
    def paid_back(town: Town) -> None:
        """Withdraw it after all; the Provider gets back what it paid."""
        told = {"procedure": town.notes[silent], "reference": "WIRE-11"}
        with refused("sanction.nothing-to-repay"):
            postal(town, sanctions.repay, **told)
        withdraw(town, silent)
        postal(town, sanctions.repay, **told)


_sanctions(sanctions.CONTROLS, "sanction", 162)
_sanctions(sanctions.REPORTING, "sanction for failing to report", 164)


@shows(
    180,
    "A device that the Postal Service owns is out of reach of a sanction",
    "postal system.held-by-postal",
    clause="502.21(a)",
)
def owned(town: Town) -> None:
    """Record that the Postal Service leases the device of a mail room."""
    told: dict[str, Any] = {"device": town.room(ROOM).device, "how": "leased", "reference": "LEASE-3"}
    postal(town, sanctions.hold, **told)
