"""Suspensions and revocations (502.5, 502.13): proposed, noticed, defended, decided, appealed, over.

Mail room 6 meets the suspension of its own system. What lasts is about TC2A (`supervision`), so that the town goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from towncircle.cli.demo.regulation.procedures import scene, shows
from towncircle.cli.demo.regulation.scenes.supervision import BUILD, PAPER, ROOM, SYSTEM, ahead, postal, provider
from towncircle.cli.demo.regulation.town import PROVIDER, refused
from towncircle.cli.demo.stage import expect
from towncircle.kernel.money import Mills
from towncircle.postal import decisions, defenses, suspensions
from towncircle.provider import supervision
from towncircle.rules.procedures import procedures
from towncircle.world.config import POSTAL
from towncircle.world.supervising import kept

if TYPE_CHECKING:
    from towncircle.cli.demo.regulation.town import Town

_DIRECTOR = "director"
_WAYS = ("corrected", "withdrawn as a proposal", "undefended", "revoked")


# ---- what all procedures have


def answer(town: Town, thread: str, kind: str) -> None:
    """Answer as the Provider: a correction, a defense or an appeal."""
    evidence = (f"file-1 sha256:{PAPER}",)
    told: dict[str, Any] = {
        "procedure": town.notes[thread],
        "kind": kind,
        "reasons": "It is not so.",
        "evidence": evidence,
    }
    provider(town, supervision.answer, **told)


def decide(town: Town, form: str, thread: str, **shorter: str) -> None:
    """Decide, after the defense, that what was noticed is warranted; an appeal may get a `shorter` time."""
    weighed = dict.fromkeys(procedures()[form].considers, "It was looked at.")
    told: dict[str, Any] = {
        "procedure": town.notes[thread],
        "reasons": "The defense does not mend it.",
        "considered": weighed,
        **shorter,
    }
    postal(town, decisions.decide, rules=town.world.rules, **told)


def on_appeal(town: Town, thread: str, *, reverse: bool) -> None:
    """Decide an appeal as another person than who decided."""
    told: dict[str, Any] = {"procedure": town.notes[thread], "reasons": "The file was read again."}
    postal(town, defenses.decide_appeal, reverse=reverse, by=_DIRECTOR, **told)


def withdraw(town: Town, thread: str) -> None:
    """Withdraw a procedure, on a solution."""
    postal(town, decisions.withdraw, procedure=town.notes[thread], solution="It is mended in every device.")


def _ended(town: Town, thread: str, how: str) -> None:
    (row,) = [one for one in kept(town.world, POSTAL, "procedure") if one.key == town.notes[thread]]
    expect(row.body["ended"] == how, f"{thread} is {row.body['state']}, {row.body['ended']}")


# ---- suspensions and revocations, of an authorization and of systems


def _propose(town: Town, form: str, thread: str, *, scope: str = f"system {SYSTEM}") -> None:
    row = postal(town, suspensions.propose, _complaint(form, scope), correct_by=ahead(town, 10))
    town.notes[thread] = row.key


def _complaint(form: str, scope: str) -> suspensions.Complaint:
    ground, about = ("noncompliance", "502.23") if form == "authorization" else ("risk", "A counter may be lost.")
    return suspensions.Complaint(
        form=form, provider=PROVIDER, ground=ground, about=about, deficiencies=("It is open.",), scope=(scope,)
    )


def _notify(town: Town, thread: str) -> None:
    told: dict[str, Any] = {
        "procedure": town.notes[thread],
        "reasons": "It was not corrected.",
        "effective_on": ahead(town, 40),
    }
    postal(town, suspensions.notify, rules=town.world.rules, **told)


def _threads(form: str) -> list[str]:
    return [f"{form} {way}" for way in _WAYS]


def _suspensions(form: str, title: str, first: int) -> None:
    """Play the ways of a suspension from a day on: proposals that end, one that runs out, one that is revoked."""
    _proposals(form, title, first)
    _suspended(form, title, first)
    _ran_out(form, title, first)
    _revoked(form, title, first)


def _proposals(form: str, title: str, first: int) -> None:
    clauses = procedures()[form].clauses
    corrected, dropped, *_ = _threads(form)

    @scene(first)
    def proposed(town: Town) -> None:
        """Propose four suspensions, each for its own story."""
        for thread in _threads(form):
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
        postal(town, suspensions.extend_cure, procedure=name, correct_by=ahead(town, 20))
        answer(town, corrected, "correction")
        postal(town, suspensions.find_corrected, procedure=name, reasons="It is mended.")

    @shows(
        first + 6,
        f"A proposed suspension of {title} is withdrawn",
        f"postal {form}.proposal-withdrawn",
        clause=clauses["withdrawn"],
    )
    def let_go(town: Town) -> None:
        """Withdraw a proposal."""
        withdraw(town, dropped)


def _suspended(form: str, title: str, first: int) -> None:
    clauses = procedures()[form].clauses
    *_, silent, revoked = _threads(form)

    @scene(first + 12)
    def notified(town: Town) -> None:
        """Notify two suspensions whose deficiencies were not corrected in time."""
        _notify(town, silent)
        _notify(town, revoked)

    @scene(first + 20)
    def defended(town: Town) -> None:
        """Defend against one of them; the other one stays without a defense."""
        answer(town, revoked, "defense")

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
        decide(town, form, revoked)

    @shows(
        first + 30,
        f"A suspension of {title} is extended",
        f"postal {form}.suspension-extended",
        clause=clauses["extended"],
    )
    def extended(town: Town) -> None:
        """Extend the suspension beyond its 90 days."""
        told: dict[str, Any] = {
            "procedure": town.notes[revoked],
            "until": ahead(town, 120),
            "reasons": "It is being looked into.",
        }
        postal(town, suspensions.extend, **told)


def _ran_out(form: str, title: str, first: int) -> None:
    clauses = procedures()[form].clauses
    silent = _threads(form)[2]

    @shows(
        first + 150,
        f"A suspension of {title} that nobody defends against takes effect, and runs out after its 90 days",
        f"postal {form}.suspension-ended",
        clause=clauses["suspended"],
    )
    def ran_out(town: Town) -> None:
        """Find the suspension that nobody defended against over."""
        _ended(town, silent, "ran out")


def _revoked(form: str, title: str, first: int) -> None:
    clauses = procedures()[form].clauses
    revoked = _threads(form)[-1]

    @scene(first + 40)
    def turned(town: Town) -> None:
        """Turn the suspension into a revocation; that of a system is noticed first."""
        told: dict[str, Any] = {"procedure": town.notes[revoked], "reasons": "Nothing changed."}
        if procedures()[form].heard_again:
            told["effective_on"] = ahead(town, 40)
        else:
            told["considered"] = dict.fromkeys(procedures()[form].considers, "It was looked at.")
        postal(town, suspensions.revoke, rules=town.world.rules, **told)

    @scene(first + 45)
    def heard(town: Town) -> None:
        """Defend against a revocation that was noticed, and have it decided."""
        if procedures()[form].heard_again:
            answer(town, revoked, "defense")
            decide(town, form, revoked)

    @scene(first + 50)
    def appealed(town: Town) -> None:
        """Appeal against the revocation."""
        answer(town, revoked, "appeal")

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
        on_appeal(town, revoked, reverse=True)
        _ended(town, revoked, "reversed")


_suspensions("authorization", "the authorization", 152)
_suspensions("approval", "the approval of a system", 154)

_WILLFUL, _HOUR = "authorization for a willful violation", "approval for an hour"


@scene(161)
def willful(town: Town) -> None:
    """Notify a willful violation at once, with a shorter time for the defense."""
    told: dict[str, Any] = {"effective_on": ahead(town, 6), "defend_by": ahead(town, 5), "rules": town.world.rules}
    complaint = _complaint("authorization", f"system {SYSTEM}")
    town.notes[_WILLFUL] = postal(town, suspensions.notify_willful, complaint, **told).key


@shows(
    163,
    "A suspension for a willful violation is noticed at once, to be defended in less time, and withdrawn",
    "postal authorization.suspension-withdrawn",
    "postal authorization.suspension-notified defend_by=*",
    clause="502.5(c)(2), 502.5(c)(4)(iii)",
)
def willful_withdrawn(town: Town) -> None:
    """Withdraw it, on a solution."""
    withdraw(town, _WILLFUL)
    _ended(town, _WILLFUL, "withdrawn")


@scene(60)
def own_system_proposed(town: Town) -> None:
    """Propose to suspend the system that the town's mail rooms have."""
    _propose(town, "approval", _HOUR, scope=f"system {town.room(ROOM).device[:4]}")


@scene(72)
def own_system_noticed(town: Town) -> None:
    """Notify that suspension, and defend against it."""
    _notify(town, _HOUR)
    answer(town, _HOUR, "defense")


@shows(
    76,
    "While a system is suspended its resets are refused; it is withdrawn on a solution",
    "provider reset.refused code=procedure.in-force",
    "postal approval.suspension-withdrawn",
    clause="502.13(b)(3), 502.13(b)(4)(iii)",
)
def an_hour(town: Town) -> None:
    """Decide it, see a reset refused, and withdraw it: the reset goes through."""
    journeys = town.room(ROOM)
    town.connect(journeys)
    journeys.deposit(Mills.dollars(10))
    decide(town, "approval", _HOUR)
    with refused("procedure.in-force"):
        journeys.reset(Mills.dollars(10))
    withdraw(town, _HOUR)
    journeys.reset(Mills.dollars(10))


# ---- a class and a version instead of a system (502.13(a))

_PARTS = {"a class": "class stand-alone", "a version": f"version {BUILD[:12]}"}


@scene(228)
def parts_proposed(town: Town) -> None:
    """Propose to suspend a class of systems, and one version of a system."""
    for thread, scope in _PARTS.items():
        _propose(town, "approval", thread, scope=scope)


@scene(242)
def parts_noticed(town: Town) -> None:
    """Notify both."""
    for thread in _PARTS:
        _notify(town, thread)


@shows(
    290,
    "The approval of a class of systems, and of a version, is suspended",
    *(f"postal approval.suspended scope=['{scope.replace(' ', '_')}']" for scope in _PARTS.values()),
    clause="502.13(a), 502.13(b)(3)",
)
def parts_in_force(town: Town) -> None:
    """Find that nobody defended against either: the class is restored, the version stays suspended."""
    withdraw(town, "a class")
    _ended(town, "a class", "withdrawn")
    _ended(town, "a version", "")
