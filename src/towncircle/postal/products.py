"""Qualification and authorization of Providers, submission and approval of their systems (502.1 to 502.12).

Here: the checklist of each, with its papers, the written authorization, the approval bound to a build, changes after
it. Not here: suspending or revoking them (`suspensions`), examining one device (`examining`).
Kept: nothing is authorized or approved while a step is open, and every open one is named; an approval names builds by
their digest, so a change after it is an approved build of its own, authorized in writing, or an irregularity (502.11).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused, RefusedOnGrounds
from towncircle.kernel.store import Record
from towncircle.postal.procedures import barred
from towncircle.rules.acts import check_reference
from towncircle.rules.procedures import Subject

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
APPLICANT, AUTHORIZED, OPEN, SETTLED = "applicant", "authorized", "open", "settled"
ON_FILE = "on file"
FROM_THE_START = "from-the-start"  # the reference of what a new world begins with (house)
CLASSES = ("stand-alone", "lan", "wan", "hybrid")  # the four categories of 502.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Hold one step of a checklist: its name, its clause and what the paper shows."""

    name: str
    clause: str
    does: str


QUALIFICATION = (
    Step(name="integrity", clause="502.1", does="integrity and financial responsibility"),
    Step(name="prototype", clause="502.1", does="an approved prototype with all features and safeguards"),
    Step(name="factory", clause="502.1", does="manufacturing facilities under its control, open to inspection"),
    Step(name="facilities", clause="502.1", does="facilities for control, distribution, maintenance, replacement"),
)
CONTROL = (Step(name="control", clause="502.3", does="integrity and responsibility of whoever acquires control"),)
SUBMISSION = (
    Step(name="letter-of-intent", clause="PRE-08", does="the letter of intent"),
    Step(name="nondisclosure", clause="PRE-08", does="the nondisclosure agreement"),
    Step(name="concept-of-operations", clause="PRE-08", does="the concept of operations"),
    Step(name="test-plan", clause="502.9", does="the test plan"),
    Step(name="product", clause="502.12", does="the product, its design, manuals and specifications"),
    Step(name="laboratory", clause="502.12", does="an identical system at an accredited laboratory, at the same time"),
    Step(name="testing", clause="502.10", does="the tests and examinations of the Postal Service"),
)


TESTED = tuple(step for step in SUBMISSION if step.name in ("product", "laboratory", "testing"))  # anew for each build


def provider_row(ctx: Context, provider: str) -> Record:
    """Give what is known of a Provider's qualification; one without a file was authorized before files were kept."""
    held = ctx.tx.get("provider-file", provider)
    body: dict[str, Any] = {"state": AUTHORIZED, "steps": {}, "control": SETTLED}
    return held or Record(kind="provider-file", key=provider, owner=provider, version=0, body=body)


@cites("502.2/2", "502.11/2")
def enter(ctx: Context, *, provider: str, authorized: bool, system: Subject) -> None:
    """Begin the file of a Provider of a new world (house): authorized from the start with its system, or an applicant.

    From then on the file says which of its systems are approved: a Provider of before has none and goes on without.
    """
    row = provider_row(ctx, provider)
    row = _write(ctx, row, state=AUTHORIZED if authorized else APPLICANT, systems=ON_FILE)
    if authorized:
        ctx.note("provider.authorized", provider, clauses=("502.2",), provider=provider, reference=FROM_THE_START)
        begin_with(ctx, provider=provider, system=system)


@cites("502.11/2")
def begin_with(ctx: Context, *, provider: str, system: Subject) -> None:
    """Approve the sandbox's own system of a regime that begins, where its Provider is authorized (house).

    No submission stands behind it, and its fact says so: the reference is `from-the-start`. An approved one stays.
    """
    row, key = provider_row(ctx, provider), f"{provider} {system.system}"
    if not keeps_systems(row) or row.body["state"] != AUTHORIZED or ctx.tx.get("submission", key) is not None:
        return
    on = ctx.now.date_in("America/New_York").isoformat()
    paper = {"reference": FROM_THE_START, "document": "", "on": on, "by": ctx.actor}
    body: dict[str, Any] = {"system": system.system, "category": system.category, "state": "approved"}
    body |= {"steps": {}, "builds": {system.build: paper}}
    ctx.tx.put("submission", key, body, owner=provider, expected=0)
    told: dict[str, Any] = {"build": system.build, "reference": FROM_THE_START}
    ctx.note("product.approved", key, clauses=("502.11", "house"), provider=provider, **told)


def keeps_systems(row: Record) -> bool:
    """Tell whether a Provider's file says which of its systems are approved."""
    return row.body.get("systems") == ON_FILE


@cites("502.11/2", "502.2/2")
def check_system(ctx: Context, provider: str, system: Subject) -> None:
    """Check that a Provider's system, of the build that its new devices run, is approved on a submission.

    Raises `Refused` (product.system-not-approved, product.build-not-approved).
    """
    if not keeps_systems(provider_row(ctx, provider)):
        return
    row = ctx.tx.get("submission", f"{provider} {system.system}")
    if row is None or row.body["state"] != "approved":
        raise Refused("product.system-not-approved", system=system.system, provider=provider)
    if system.build not in row.body["builds"]:
        told = {"system": system.system, "provider": provider, "build": system.build[:16]}
        raise Refused("product.build-not-approved", **told)


@cites("502.11/2", "IMI-03/1")
def approved_for(ctx: Context, providers: Iterable[str], system: str, build: str) -> tuple[str, ...]:
    """Name the Providers for which a build of a system is approved on file."""
    rows = ((one, ctx.tx.get("submission", f"{one} {system}")) for one in providers)
    return tuple(one for one, row in rows if row is not None and build in row.body["builds"])


@cites("502.2/2", "502.3")
def check_authorized(ctx: Context, provider: str) -> None:
    """Check that a Provider is authorized in writing and that nobody acquires control of it without evidence.

    Raises `Refused` (product.not-authorized, product.control-open).
    """
    row = provider_row(ctx, provider)
    if row.body["state"] != AUTHORIZED:
        raise Refused("product.not-authorized", provider=provider, state=row.body["state"])
    _settled(row)


def _write(ctx: Context, row: Record, **changes: Any) -> Record:
    return ctx.tx.put(row.kind, row.key, {**row.body, **changes}, owner=row.owner, expected=row.version)


@cites("502.1", "502.3")
def show(ctx: Context, *, provider: str, step: str, reference: str, document: str) -> Record:
    """Record a paper of a Provider's qualification, or of one that acquires control of it.

    Raises `BadInput` (product.no-such-step, acts.bad-reference), `Refused` (product.no-paper).
    """
    row = provider_row(ctx, provider)
    known = _step(step, (*QUALIFICATION, *CONTROL))
    paper = _paper(ctx, known, reference, document)
    steps = {**row.body["steps"], step: paper}
    control = SETTLED if step == CONTROL[0].name else row.body["control"]
    row = _write(ctx, row, steps=steps, control=control)
    ctx.note("provider.shown", provider, clauses=(known.clause,), provider=provider, step=step, reference=reference)
    return row


@cites("502.3")
def change_control(ctx: Context, *, provider: str, reference: str) -> Record:
    """Record that ownership or control of a Provider changes: nothing is approved until the evidence is here."""
    check_reference(reference)
    row = _write(ctx, provider_row(ctx, provider), control=OPEN)
    ctx.note("provider.control-changes", provider, clauses=("502.3",), provider=provider, reference=reference)
    return row


@cites("502.1", "502.2/1")
def authorize(ctx: Context, *, provider: str, reference: str, document: str) -> Record:
    """Authorize a Provider in writing. Raises `RefusedOnGrounds` (product.steps-open), `Refused` (product.no-paper)."""
    row = provider_row(ctx, provider)
    _complete(QUALIFICATION, row.body["steps"], f"the authorization of {provider}", "502.1")
    _settled(row)
    written = Step(name="authorization", clause="502.2", does="the written authorization")
    paper = _paper(ctx, written, reference, document)
    row = _write(ctx, row, state=AUTHORIZED, steps={**row.body["steps"], written.name: paper})
    ctx.note("provider.authorized", provider, clauses=("502.2",), provider=provider, reference=reference)
    return row


def _settled(row: Record) -> None:
    if row.body["control"] != SETTLED:
        raise Refused("product.control-open", provider=row.key)


@cites("502.9", "502.12", "PRE-08")
def submit(
    ctx: Context,
    *,
    provider: str,
    system: str,
    step: str,
    reference: str,
    document: str,
    build: str = "",
    category: str = "",
) -> Record:
    """Record a paper of a product's submission; the steps product and laboratory name the build handed over.

    Once that build is approved, another one may be submitted: it is handed over and tested anew.

    Raises `BadInput`: product.no-such-step, product.bad-build, product.no-such-class; `Refused`: product.not-identical,
    product.not-simultaneous, product.no-paper.
    """
    key = f"{provider} {system}"
    held = ctx.tx.get("submission", key)
    body: dict[str, Any] = {"system": system, "category": "", "state": "submitted", "steps": {}, "builds": {}}
    row = held or Record(kind="submission", key=key, owner=provider, version=0, body=body)
    known = _step(step, SUBMISSION)
    paper = _paper(ctx, known, reference, document)
    steps = _anew(row.body) if known in TESTED else row.body["steps"]
    if step in ("product", "laboratory"):
        if not _DIGEST.fullmatch(build):
            raise BadInput("product.bad-build", text=build[:70])
        paper["build"] = build
        _same(steps, paper, step)
    if step == "product":
        if category not in CLASSES:
            raise BadInput("product.no-such-class", text=category[:40], known=", ".join(CLASSES))
        row = Record(kind=row.kind, key=key, owner=provider, version=row.version,
                     body={**row.body, "category": category})  # fmt: skip
    row = _write(ctx, row, steps={**steps, step: paper})
    told: dict[str, Any] = {"step": step, "reference": reference, "build": build}
    ctx.note("product.submitted", key, clauses=(known.clause,), provider=provider, **told)
    return row


def _anew(body: Mapping[str, Any]) -> dict[str, Any]:
    """Give the steps done, without those of a build that went through all of them and is approved."""
    steps: dict[str, Any] = body["steps"]
    over = all(step.name in steps for step in TESTED) and steps["product"]["build"] in body["builds"]
    return {name: paper for name, paper in steps.items() if not over or _step(name, SUBMISSION) not in TESTED}


@cites("502.12", "502.12/3")
def _same(steps: dict[str, Any], paper: dict[str, Any], step: str) -> None:
    """Check that product and laboratory got the identical system on one day."""
    other = steps.get("laboratory" if step == "product" else "product")
    if other is None:
        return
    if other["build"] != paper["build"]:
        raise Refused("product.not-identical", ours=paper["build"][:16], theirs=other["build"][:16])
    if other["on"] != paper["on"]:
        raise Refused("product.not-simultaneous", ours=paper["on"], theirs=other["on"])


@cites("502.9", "502.11", "502.11/2", "502.12")
def approve(ctx: Context, *, provider: str, system: str, reference: str, document: str) -> Record:
    """Approve a submitted system: the approval is bound to the build that was submitted and tested.

    Raises `RefusedOnGrounds` (product.steps-open), `Refused` (product.not-submitted, product.not-authorized,
    product.control-open, procedure.in-force).
    """
    row = _submission(ctx, provider, system)
    _complete(SUBMISSION, row.body["steps"], f"the approval of {system}", "502.9, 502.12")
    build = str(row.body["steps"]["product"]["build"])
    _unbarred(ctx, row, build)
    return _approved(ctx, row, build, reference, document)


def _unbarred(ctx: Context, row: Record, build: str) -> None:
    """Check that neither the Provider nor its system, of this build, is kept from an approval."""
    check_authorized(ctx, row.owner)
    subject = Subject(system=row.body["system"], category=row.body["category"], build=build)
    if (refusal := barred(ctx, row.owner, subject)) is not None:
        raise refusal


@cites("502.11/2", "502.12", "502.13")
def change(ctx: Context, *, provider: str, system: str, build: str, reference: str, document: str) -> Record:
    """Authorize a change of an approved system in writing: another build of it, handed over and tested, is approved.

    Raises `RefusedOnGrounds` (product.steps-open), `Refused` (product.not-approved, product.no-paper,
    product.not-authorized, product.control-open, procedure.in-force), `BadInput` (product.bad-build).
    """
    row = _submission(ctx, provider, system)
    if row.body["state"] != "approved":
        raise Refused("product.not-approved", system=system, provider=provider)
    if not _DIGEST.fullmatch(build):
        raise BadInput("product.bad-build", text=build[:70])
    steps = row.body["steps"]
    done = {name: paper for name, paper in steps.items() if steps.get("product", {}).get("build") == build}
    _complete(TESTED, done, f"the change of {system} to build {build[:16]}", "502.11, 502.12")
    _unbarred(ctx, row, build)
    return _approved(ctx, row, build, reference, document)


def _approved(ctx: Context, row: Record, build: str, reference: str, document: str) -> Record:
    written = Step(name="approval", clause="502.11", does="the written approval")
    paper = _paper(ctx, written, reference, document)
    row = _write(ctx, row, state="approved", builds={**row.body["builds"], build: paper})
    ctx.note("product.approved", row.key, clauses=("502.11",), provider=row.owner, build=build, reference=reference)
    return row


def _submission(ctx: Context, provider: str, system: str) -> Record:
    row = ctx.tx.get("submission", f"{provider} {system}")
    if row is None:
        raise Refused("product.not-submitted", system=system[:40], provider=provider)
    return row


@cites("502.11/2")
def approved_builds(ctx: Context, device: str, provider: str) -> frozenset[bytes]:
    """Give the builds of a device's system that were approved on file."""
    row = ctx.tx.get("submission", f"{provider} {device[:4]}")
    return frozenset(bytes.fromhex(build) for build in (row.body["builds"] if row else ()))


def _step(name: str, known: Iterable[Step]) -> Step:
    steps = {step.name: step for step in known}
    if name not in steps:
        raise BadInput("product.no-such-step", name=name[:40], known=", ".join(steps))
    return steps[name]


def _paper(ctx: Context, step: Step, reference: str, document: str) -> dict[str, Any]:
    check_reference(reference)
    if not document:
        raise Refused("product.no-paper", does=step.does, clause=step.clause)
    on = ctx.now.date_in("America/New_York").isoformat()
    return {"reference": reference, "document": document, "on": on, "by": ctx.actor}


def _complete(steps: Iterable[Step], done: dict[str, Any], what: str, clause: str) -> None:
    missing = [step for step in steps if step.name not in done]
    if missing:
        grounds = tuple(Refused("product.step-open", does=step.does, clause=step.clause) for step in missing)
        raise RefusedOnGrounds("product.steps-open", grounds, what=what, count=len(missing), clause=clause)
