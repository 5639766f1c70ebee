"""Supervision of the Provider (502.1 to 502.14): its qualification, its products, advertising art, weaknesses.

Here: also what all scenes of supervision do at the two desks. Not here: suspensions and sanctions (`suspensions`).
Mail room 6, whose changed data are long told, prints the approved art. The system is TC2A, which the Provider has
approved and leases to nobody yet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from towncircle.cli.demo.regulation.procedures import scene, shows
from towncircle.cli.demo.regulation.town import PROVIDER, refused
from towncircle.cli.demo.stage import expect
from towncircle.licensee import advertising as art_at_host
from towncircle.postal import advertising, products
from towncircle.provider import advertising as art
from towncircle.provider import weaknesses
from towncircle.rules.duties import HEADQUARTERS
from towncircle.rules.offices import acts_of_office
from towncircle.world.supervising import at_provider, by_officer

if TYPE_CHECKING:
    from towncircle.cli.demo.regulation.town import Town
    from towncircle.kernel.store import Record

SYSTEM, ROOM = "TC2A", 6
PAPER = hashlib.sha256(b"a paper of the file").hexdigest()
_BUILDS = tuple(hashlib.sha256(words).hexdigest() for words in (b"TC2A, first build", b"TC2A, second build"))
BUILD = _BUILDS[0]  # the one that no longer runs when it is suspended
_MANAGER = "manager-mtm"
_ART = ("spring", "gamble")

_ACTS = {
    "products.show": "products qualify",
    "products.authorize": "products authorize",
    "products.change_control": "products control",
    "products.submit": "products submit",
    "products.approve": "products approve",
    "products.change": "products change",
    "advertising.decide": "products approve-art or products refuse-art",
    "advertising.submit": "provider art",
    "weaknesses.discover": "provider discover",
    "weaknesses.report": "provider report",
    "supervision.answer": "provider answer",
    "sanctions.notify": "supervision sanction",
    "sanctions.pay": "supervision pay",
    "sanctions.repay": "supervision repay",
    "sanctions.hold": "supervision hold",
    "suspensions.propose": "supervision propose",
    "suspensions.notify": "supervision notify",
    "suspensions.notify_willful": "supervision willful",
    "suspensions.extend_cure": "supervision more-time",
    "suspensions.find_corrected": "supervision corrected",
    "suspensions.extend": "supervision extend",
    "suspensions.revoke": "supervision revoke",
    "decisions.decide": "supervision decide",
    "decisions.withdraw": "supervision withdraw",
    "defenses.decide_appeal": "supervision reverse or supervision uphold",
}


def ahead(town: Town, days: int) -> str:
    """Give the day that lies so many days ahead, at headquarters."""
    return town.world.clock.now().plus(days=days).date_in(HEADQUARTERS).isoformat()


def postal(town: Town, job: Callable[..., Record], *told: object, by: str = _MANAGER, **named: Any) -> Record:
    """Do a step of the Manager, MTM, or of another officer, and bring what it says to the Provider."""
    done: Record = by_officer(town.world, lambda ctx: job(ctx, *told, **named), by=by, act=_act(job, named))
    return done


def provider(town: Town, job: Callable[..., Any], **named: Any) -> Any:
    """Do a step of the Provider, and bring what it says to the Postal Service."""
    act = _act(job, named)
    by = acts_of_office()[act].offices[0]
    return at_provider(town.world, PROVIDER, lambda ctx: job(ctx, **named), by=by, act=act)


def _act(job: Callable[..., Any], named: Mapping[str, Any]) -> str:
    """Name the act of an office that a step is."""
    step = f"{job.__module__.rpartition('.')[2]}.{job.__name__}"
    yes = named.get("approve", named.get("reverse", False))
    return _ACTS[step].partition(" or ")[0 if yes else 2] or _ACTS[step]


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
        postal(town, products.show, provider=PROVIDER, step=step.name, reference="QUAL-1", document=PAPER)
    postal(town, products.authorize, provider=PROVIDER, reference="AUTH-1", document=PAPER)


@shows(
    32,
    "Control of a Provider changes, and the evidence follows",
    "postal provider.control-changes",
    "postal provider.shown step=control",
    clause="502.3",
)
def control_changed(town: Town) -> None:
    """Record the change, and the papers of who acquires control."""
    postal(town, products.change_control, provider=PROVIDER, reference="CTRL-1")
    postal(town, products.show, provider=PROVIDER, step="control", reference="CTRL-2", document=PAPER)


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
    named = {"provider": PROVIDER, "system": SYSTEM, "reference": "TC2A-1", "document": PAPER}
    with refused("product.not-submitted"):
        postal(town, products.approve, **named)
    for step in products.SUBMISSION:
        handed = {"build": _BUILDS[0], "category": "wan"} if step.name in ("product", "laboratory") else {}
        postal(town, products.submit, step=step.name, **named, **handed)
    postal(town, products.approve, **named)


@shows(
    38,
    "A change of an approved system is authorized in writing",
    f"postal product.approved build={_BUILDS[1]}",
    clause="502.11",
)
def another_build(town: Town) -> None:
    """Have another build of the approved system tested, and authorize it; before the tests it is refused."""
    told = {"provider": PROVIDER, "system": SYSTEM, "build": _BUILDS[1], "reference": "TC2A-2", "document": PAPER}
    with refused("product.steps-open"):
        postal(town, products.change, **told)
    for step in products.TESTED:
        postal(town, products.submit, step=step.name, category="wan", **told)
    postal(town, products.change, **told)


# ---- advertising art (502.20(d))


@scene(40)
def art_submitted(town: Town) -> None:
    """Submit two pieces of advertising art."""
    for name, words in zip(_ART, ("Write once", "Win twice"), strict=True):
        provider(town, art.submit, name=name, words=(words,))


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
    told: dict[str, Any] = {"approve": True, "examined": True, "reasons": "It is suitable."}
    postal(town, advertising.decide, provider=PROVIDER, name=_ART[0], **told)
    journeys = town.room(ROOM)
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
    told: dict[str, Any] = {"approve": False, "ground": "unlawful", "reasons": "It is a lottery."}
    postal(town, advertising.decide, provider=PROVIDER, name=_ART[1], **told)
    with refused("advertising.not-approved"):
        town.room(ROOM).do(lambda ctx: art_at_host.fetch(ctx, name=_ART[1], provider=PROVIDER))


# ---- weaknesses that a Provider reports: 502.14


@scene(60)
def discovered(town: Town) -> None:
    """Discover a weakness of a system."""
    told = {"category": "defect", "systems": (SYSTEM,), "words": "A counter is read before it is written."}
    town.notes["weakness"] = provider(town, weaknesses.discover, **told).key


def _reported(town: Town, stage: str, **named: str) -> None:
    provider(town, weaknesses.report, about=town.notes["weakness"], stage=stage, words="As far as known.", **named)


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
    _reported(town, "written", investigation="Every build is run again.", completion_on=ahead(town, 40))


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
    _reported(town, "status", completion_on=ahead(town, 35))


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
