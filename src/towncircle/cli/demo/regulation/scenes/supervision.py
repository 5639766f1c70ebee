"""Supervision of the Provider (502.1 to 502.21): products, suspensions, revocations, sanctions, weaknesses, art.

Mail room 6, whose changed data are long told, meets an hour of suspension and prints the approved art. What lasts is
about TC2A, a system that the Provider has approved here and leases to nobody, so that the town goes on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from towncircle.cli.demo.regulation.procedures import scene, shows
from towncircle.cli.demo.regulation.town import PROVIDER, refused
from towncircle.cli.demo.stage import expect
from towncircle.kernel.money import Mills
from towncircle.licensee import advertising as art_at_host
from towncircle.postal import advertising, decisions, defenses, products, sanctions, suspensions
from towncircle.provider import advertising as art
from towncircle.provider import supervision, weaknesses
from towncircle.rules.duties import HEADQUARTERS
from towncircle.rules.procedures import procedures
from towncircle.world.config import POSTAL
from towncircle.world.supervising import at_postal, at_provider, kept

if TYPE_CHECKING:
    from towncircle.cli.demo.regulation.town import Town
    from towncircle.kernel.store import Record

_SYSTEM, _ROOM = "TC2A", 6
_PAPER = hashlib.sha256(b"a paper of the file").hexdigest()
_BUILDS = tuple(hashlib.sha256(words).hexdigest() for words in (b"TC2A, first build", b"TC2A, second build"))
_MANAGER, _DIRECTOR = "manager-mtm", "director"
_ART = ("spring", "gamble")


def _ahead(town: Town, days: int) -> str:
    """Give the day that lies so many days ahead, at headquarters."""
    return town.world.clock.now().plus(days=days).date_in(HEADQUARTERS).isoformat()


def _day(town: Town, days: int) -> date:
    return date.fromisoformat(_ahead(town, days))


def _postal(town: Town, job: Callable[..., Record], *told: object, by: str = _MANAGER, **named: Any) -> Record:
    done: Record = at_postal(town.world, lambda ctx: job(ctx, *told, **named), by=by)
    return done


def _provider(town: Town, job: Callable[..., Any], **named: Any) -> Any:
    return at_provider(town.world, PROVIDER, lambda ctx: job(ctx, **named))


# ---- products (502.1 to 502.12)


@shows(
    30,
    "A Provider is qualified and authorized in writing",
    "postal provider.authorized",
    "postal provider.shown step=integrity",
    "postal provider.shown step=facilities",
    clause="502.1, 502.2",
)
def qualified(town: Town) -> None:
    """File the papers of the Provider's qualification, one by one, and authorize it."""
    for step in products.QUALIFICATION:
        _postal(town, products.show, provider=PROVIDER, step=step.name, reference="QUAL-1", document=_PAPER)
    _postal(town, products.authorize, provider=PROVIDER, reference="AUTH-1", document=_PAPER)


@shows(
    32,
    "Control of a Provider changes, and the evidence follows",
    "postal provider.control-changes",
    "postal provider.shown step=control",
    clause="502.3",
)
def control_changed(town: Town) -> None:
    """Record the change, and the papers of who acquires control."""
    _postal(town, products.change_control, provider=PROVIDER, reference="CTRL-1")
    _postal(town, products.show, provider=PROVIDER, step="control", reference="CTRL-2", document=_PAPER)


@shows(
    36,
    "A system is submitted, tested and approved, bound to its build",
    "postal product.approved",
    "postal product.submitted step=letter-of-intent",
    "postal product.submitted step=laboratory",
    "postal product.submitted step=testing",
    clause="502.9, 502.12, PRE-08",
)
def approved(town: Town) -> None:
    """Submit a system; it is not approved while a step is open, and is when all are done."""
    named = {"provider": PROVIDER, "system": _SYSTEM, "reference": "TC2A-1", "document": _PAPER}
    with refused("product.not-submitted"):
        _postal(town, products.approve, **named)
    for step in products.SUBMISSION:
        handed = {"build": _BUILDS[0], "category": "wan"} if step.name in ("product", "laboratory") else {}
        _postal(town, products.submit, step=step.name, **named, **handed)
    _postal(town, products.approve, **named)


@shows(
    38,
    "A change of an approved system is authorized in writing",
    f"postal product.approved build={_BUILDS[1]}",
    clause="502.11",
)
def another_build(town: Town) -> None:
    """Authorize another build of the approved system."""
    told = {"system": _SYSTEM, "build": _BUILDS[1], "reference": "TC2A-2", "document": _PAPER}
    _postal(town, products.change, provider=PROVIDER, **told)


# ---- advertising art (502.20(d))


@scene(40)
def art_submitted(town: Town) -> None:
    """Submit two pieces of advertising art."""
    for name, words in zip(_ART, ("Write once", "Win twice"), strict=True):
        _provider(town, art.submit, name=name, words=(words,))


@shows(
    44,
    "Advertising art is submitted, approved and printed",
    "postal advertising.approved",
    "provider advertising.submitted",
    "postal advertising.submitted",
    "provider advertising.approved",
    "provider advertising.supplied",
    "licensee advertising.received",
    clause="502.20(d), P050 4.10",
)
def art_approved(town: Town) -> None:
    """Approve one piece of art, and have a mail room fetch it and print it."""
    _postal(town, advertising.decide, provider=PROVIDER, name=_ART[0], approve=True, reasons="It is suitable.")
    journeys = town.room(_ROOM)
    journeys.do(lambda ctx: art_at_host.fetch(ctx, name=_ART[0], provider=PROVIDER))
    town.connect(journeys)
    town.fund(journeys)
    printed = town.print(journeys)
    expect(printed.job.body["art"] == ["Write once"], "the job was planned without the art")


@shows(
    45,
    "Advertising art is refused, and no host is supplied with it",
    "postal advertising.refused",
    "provider advertising.refused",
    clause="502.20(d)",
)
def art_refused(town: Town) -> None:
    """Refuse the other piece of art."""
    _postal(town, advertising.decide, provider=PROVIDER, name=_ART[1], approve=False, reasons="It is a lottery.")
    with refused("advertising.not-approved"):
        town.room(_ROOM).do(lambda ctx: art_at_host.fetch(ctx, name=_ART[1], provider=PROVIDER))


# ---- weaknesses (502.14)


@scene(60)
def discovered(town: Town) -> None:
    """Discover a weakness of a system."""
    told = {"category": "defect", "systems": (_SYSTEM,), "words": "A counter is read before it is written."}
    town.notes["weakness"] = _provider(town, weaknesses.discover, **told).key


def _reported(town: Town, stage: str, **named: str) -> None:
    _provider(town, weaknesses.report, about=town.notes["weakness"], stage=stage, words="As far as known.", **named)


@shows(
    66,
    "A weakness is discovered and reported in a preliminary report",
    "provider weakness.preliminary-reported",
    "provider weakness.discovered",
    "postal weakness.report-filed stage=preliminary",
    clause="502.14(b)",
)
def preliminary(town: Town) -> None:
    """Report what is known, well within the 21 days."""
    _reported(town, "preliminary")


@shows(
    96,
    "The written report of a weakness names its investigation and its end",
    "provider weakness.reported",
    "postal weakness.report-filed stage=written",
    clause="502.14(c)",
)
def written(town: Town) -> None:
    """Report in writing, within 45 days of the preliminary report."""
    _reported(town, "written", investigation="Every build is run again.", completion_on=_ahead(town, 40))


@shows(
    118,
    "The status of an investigation is reported, with a later end",
    "provider weakness.status-reported",
    "provider weakness.completion-moved",
    "postal weakness.report-filed stage=status",
    clause="502.14(c)",
)
def status_reported(town: Town) -> None:
    """Report how the investigation stands, and that it takes longer."""
    _reported(town, "status", completion_on=_ahead(town, 35))


@shows(
    142,
    "The investigation of a weakness ends in its summary",
    "provider weakness.summarised",
    "postal weakness.report-filed stage=summary",
    clause="502.14(c)",
)
def summarised(town: Town) -> None:
    """Sum the investigation up."""
    _reported(town, "summary")


# ---- what all procedures have


def _answer(town: Town, thread: str, kind: str) -> None:
    evidence = (f"file-1 sha256:{_PAPER}",)
    told = {"procedure": town.notes[thread], "kind": kind, "reasons": "It is not so.", "evidence": evidence}
    _provider(town, supervision.answer, **told)


def _decide(town: Town, form: str, thread: str) -> None:
    weighed = dict.fromkeys(procedures()[form].considers, "It was looked at.")
    told = {"procedure": town.notes[thread], "reasons": "The defense does not mend it.", "considered": weighed}
    _postal(town, decisions.decide, rules=town.world.rules, **told)


def _on_appeal(town: Town, thread: str, *, reverse: bool) -> None:
    told = {"procedure": town.notes[thread], "reasons": "The file was read again."}
    _postal(town, defenses.decide_appeal, reverse=reverse, by=_DIRECTOR, **told)


def _withdraw(town: Town, thread: str) -> None:
    _postal(town, decisions.withdraw, procedure=town.notes[thread], solution="It is mended in every device.")


def _ended(town: Town, thread: str, how: str) -> None:
    (row,) = [one for one in kept(town.world, POSTAL, "procedure") if one.key == town.notes[thread]]
    expect(row.body["ended"] == how, f"{thread} is {row.body['state']}, {row.body['ended']}")


# ---- suspensions and revocations (502.5, 502.13)


def _propose(town: Town, form: str, thread: str, *, scope: str = f"system {_SYSTEM}") -> None:
    row = _postal(town, suspensions.propose, _complaint(form, scope), correct_by=_ahead(town, 10))
    town.notes[thread] = row.key


def _complaint(form: str, scope: str) -> suspensions.Complaint:
    ground, about = ("noncompliance", "502.23") if form == "authorization" else ("risk", "A counter may be lost.")
    return suspensions.Complaint(
        form=form, provider=PROVIDER, ground=ground, about=about, deficiencies=("It is open.",), scope=(scope,)
    )


def _notify(town: Town, thread: str) -> None:
    told = {"procedure": town.notes[thread], "reasons": "It was not corrected.", "effective_on": _ahead(town, 40)}
    _postal(town, suspensions.notify, rules=town.world.rules, **told)


def _suspensions(form: str, title: str, first: int) -> None:
    """Play the ways of a suspension from a day on: proposals that end, one that runs out, one that is revoked."""
    clauses = procedures()[form].clauses
    corrected, dropped, silent, revoked = (
        f"{form} {way}" for way in ("corrected", "withdrawn as a proposal", "undefended", "revoked")
    )

    @scene(first)
    def proposed(town: Town) -> None:
        """Propose four suspensions, each for its own story."""
        for thread in (corrected, dropped, silent, revoked):
            _propose(town, form, thread)

    @shows(
        first + 5,
        f"A suspension of {title} is proposed; more time is given, and the deficiencies are corrected",
        f"postal {form}.deficiencies-corrected",
        f"postal {form}.suspension-proposed",
        f"postal {form}.cure-extended",
        f"postal {form}.correction-reported",
        f"postal supervision.given form={form}",
        f"provider supervision.noticed form={form}",
        "provider supervision.answered answer=correction",
        clause=clauses["cure"],
    )
    def mended(town: Town) -> None:
        """Give more time to correct; the Provider corrects, and it is found corrected."""
        name = town.notes[corrected]
        _postal(town, suspensions.extend_cure, procedure=name, correct_by=_ahead(town, 20))
        _answer(town, corrected, "correction")
        _postal(town, suspensions.find_corrected, procedure=name, reasons="It is mended.")

    @shows(
        first + 6,
        f"A proposed suspension of {title} is withdrawn",
        f"postal {form}.proposal-withdrawn",
        clause=clauses["withdrawn"],
    )
    def let_go(town: Town) -> None:
        """Withdraw a proposal."""
        _withdraw(town, dropped)

    @scene(first + 12)
    def notified(town: Town) -> None:
        """Notify two suspensions whose deficiencies were not corrected in time."""
        _notify(town, silent)
        _notify(town, revoked)

    @scene(first + 20)
    def defended(town: Town) -> None:
        """Defend against one of them; the other one stays without a defense."""
        _answer(town, revoked, "defense")

    @shows(
        first + 25,
        f"A suspension of {title} is noticed, defended, decided and in force",
        f"postal {form}.suspended",
        f"postal {form}.suspension-notified",
        f"postal {form}.notice-received",
        f"postal {form}.defended",
        f"postal {form}.decided",
        f"postal {form}.decision-received",
        f"postal {form}.in-force",
        "provider supervision.answered answer=defense",
        clause=f"{clauses['notice']}, {clauses['defense']}, {clauses['decision']}",
    )
    def decided(town: Town) -> None:
        """Decide, after the defense, that the suspension is warranted."""
        _decide(town, form, revoked)

    @shows(
        first + 30,
        f"A suspension of {title} is extended",
        f"postal {form}.suspension-extended",
        clause=clauses["extended"],
    )
    def extended(town: Town) -> None:
        """Extend the suspension beyond its 90 days."""
        told = {"procedure": town.notes[revoked], "until": _ahead(town, 120), "reasons": "It is being looked into."}
        _postal(town, suspensions.extend, **told)

    @scene(first + 40)
    def turned(town: Town) -> None:
        """Turn the suspension into a revocation; that of a system is noticed first."""
        told: dict[str, Any] = {"procedure": town.notes[revoked], "reasons": "Nothing changed."}
        if procedures()[form].heard_again:
            told["effective_on"] = _ahead(town, 40)
        else:
            told["considered"] = dict.fromkeys(procedures()[form].considers, "It was looked at.")
        _postal(town, suspensions.revoke, rules=town.world.rules, **told)

    @scene(first + 45)
    def heard(town: Town) -> None:
        """Defend against a revocation that was noticed, and have it decided."""
        if procedures()[form].heard_again:
            _answer(town, revoked, "defense")
            _decide(town, form, revoked)

    @scene(first + 50)
    def appealed(town: Town) -> None:
        """Appeal against the revocation."""
        _answer(town, revoked, "appeal")

    @shows(
        first + 58,
        f"A revocation of {title} is appealed and reversed",
        f"postal {form}.revoked",
        *([f"postal {form}.revocation-notified"] if procedures()[form].heard_again else []),
        f"postal {form}.appealed",
        f"postal {form}.appeal-decided outcome=reversed",
        f"postal {form}.suspension-withdrawn",
        "provider supervision.answered answer=appeal",
        clause=f"{clauses['revoked']}, {clauses['appeal']}",
    )
    def reversed_(town: Town) -> None:
        """Reverse the revocation as another person than who decided it."""
        _on_appeal(town, revoked, reverse=True)
        _ended(town, revoked, "reversed")

    @shows(
        first + 150,
        f"A suspension of {title} that nobody defends against takes effect, and runs out after its 90 days",
        f"postal {form}.suspension-ended",
        clause=clauses["suspended"],
    )
    def ran_out(town: Town) -> None:
        """Find the suspension that nobody defended against over."""
        _ended(town, silent, "ran out")


_suspensions("authorization", "the authorization", 152)
_suspensions("approval", "the approval of a system", 154)

_WILLFUL, _HOUR = "authorization for a willful violation", "approval for an hour"


@scene(161)
def willful(town: Town) -> None:
    """Notify a willful violation at once, with a shorter time for the defense."""
    told = {"effective_on": _ahead(town, 6), "defend_by": _ahead(town, 5), "rules": town.world.rules}
    complaint = _complaint("authorization", f"system {_SYSTEM}")
    town.notes[_WILLFUL] = _postal(town, suspensions.notify_willful, complaint, **told).key


@shows(
    163,
    "A suspension for a willful violation is withdrawn before it takes effect",
    "postal authorization.suspension-withdrawn",
    clause="502.5(c)(4)(iii)",
)
def willful_withdrawn(town: Town) -> None:
    """Withdraw it, on a solution."""
    _withdraw(town, _WILLFUL)
    _ended(town, _WILLFUL, "withdrawn")


@scene(60)
def own_system_proposed(town: Town) -> None:
    """Propose to suspend the system that the town's mail rooms have."""
    _propose(town, "approval", _HOUR, scope=f"system {town.room(_ROOM).device[:4]}")


@scene(72)
def own_system_noticed(town: Town) -> None:
    """Notify that suspension, and defend against it."""
    _notify(town, _HOUR)
    _answer(town, _HOUR, "defense")


@shows(
    76,
    "While a system is suspended its resets are refused; it is withdrawn on a solution",
    "provider reset.refused code=procedure.in-force",
    "postal approval.suspension-withdrawn",
    clause="502.13(b)(3), 502.13(b)(4)(iii)",
)
def an_hour(town: Town) -> None:
    """Decide it, see a reset refused, and withdraw it: the reset goes through."""
    journeys = town.room(_ROOM)
    town.connect(journeys)
    journeys.deposit(Mills.dollars(10))
    _decide(town, "approval", _HOUR)
    with refused("procedure.in-force"):
        journeys.reset(Mills.dollars(10))
    _withdraw(town, _HOUR)
    journeys.reset(Mills.dollars(10))


# ---- administrative sanctions (502.15, 502.21)


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
    told = {"reasons": "It was late.", "effective_on": _ahead(town, 40), "rules": town.world.rules}
    town.notes[thread] = _postal(town, sanctions.notify, failure, **told).key


def _rows(town: Town) -> tuple[sanctions.Occurrence, ...]:
    amounts = (("cost", -30, 80), ("loss", -20, 125), ("recovery", -5, 60))
    return tuple(
        sanctions.Occurrence(kind=kind, on=_day(town, days), amount=Mills.dollars(dollars), reference="FILE-7")
        for kind, days, dollars in amounts
    )


def _pay(town: Town, thread: str) -> None:
    (row,) = [one for one in kept(town.world, POSTAL, "procedure") if one.key == town.notes[thread]]
    told = {"procedure": row.key, "amount": Mills(row.body["amount"]), "reference": "WIRE-9"}
    _postal(town, sanctions.pay, **told)


def _sanctions(form: str, title: str, first: int) -> None:
    """Play the ways of a sanction from a day on: withdrawn, undefended, appealed and upheld."""
    clauses = procedures()[form].clauses
    threads: Sequence[str] = [f"{form} {way}" for way in ("withdrawn", "undefended", "upheld")]
    withdrawn, silent, upheld = threads

    @scene(first)
    def noticed(town: Town) -> None:
        """Give notice of three sanctions, each with its calculation."""
        for thread in threads:
            _sanction(town, form, thread)

    @shows(first + 5, f"A {title} is withdrawn", f"postal {form}.withdrawn", clause=clauses["withdrawn"])
    def let_go(town: Town) -> None:
        """Withdraw one of them."""
        _withdraw(town, withdrawn)

    @scene(first + 10)
    def defended(town: Town) -> None:
        """Defend against another."""
        _answer(town, upheld, "defense")

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
        """Decide that it is warranted."""
        _decide(town, form, upheld)

    @scene(first + 20)
    def appealed(town: Town) -> None:
        """Appeal: nothing is due until the appeal is decided."""
        _answer(town, upheld, "appeal")
        with refused("sanction.not-due"):
            _pay(town, upheld)

    @shows(
        first + 26,
        f"A {title} is appealed, upheld and paid",
        f"postal {form}.appeal-decided outcome=upheld",
        f"postal {form}.appealed",
        f"postal {form}.paid",
        clause=clauses["appeal"],
    )
    def paid(town: Town) -> None:
        """Uphold it; the Provider pays."""
        _on_appeal(town, upheld, reverse=False)
        _pay(town, upheld)

    @scene(first + 50)
    def paid_too(town: Town) -> None:
        """Pay the sanction that nobody defended against and that took effect by itself."""
        _pay(town, silent)


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
    told = {"device": town.room(_ROOM).device, "how": "leased", "reference": "LEASE-3"}
    _postal(town, sanctions.hold, **told)
