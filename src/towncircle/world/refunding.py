"""Refunds of unused postage as one walks them in a world: journey D, from spoiled pieces to the credit.

Here: the steps of licensee, Provider and MATS coordinator, each as one call, and the form on paper. Not here: decisions
(`licensee.refunds`, `provider.refunds`, `postal.refunds`).
Kept: every step can be walked again after a crash and then finishes what was begun.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from towncircle.kernel.errors import BadInput, Refused, RelayedRefusal
from towncircle.kernel.ids import JobId, RefundId
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record
from towncircle.licensee import refunds as claims
from towncircle.paper import form_3533
from towncircle.paper.pdf import write_pdf
from towncircle.postal import refunds as coordinator
from towncircle.provider import envelopes, refund_endings, refunds
from towncircle.rules.duties import HEADQUARTERS
from towncircle.verification.refunding import kept_until, unused
from towncircle.wire.bodies import Annotation, RefundStatement
from towncircle.wire.bodies.refund import REFUSED, SENT
from towncircle.world import spooling
from towncircle.world.config import POSTAL
from towncircle.world.journeys import Journeys
from towncircle.world.printing import print_unused, take_back
from towncircle.world.turns import turn
from towncircle.world.verifying import marks_of
from towncircle.world.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """Hold a sample of kept envelopes: the pieces asked for, and of one that was answered what was not as sent in."""

    sample: str
    pieces: tuple[int, ...]
    wrong: tuple[int, ...]
    outcome: str


def payloads_of(files: Iterable[Path]) -> tuple[bytes, ...]:
    """Give the marks that stand on scanned pieces. Raises `BadInput` (refund.no-mark) for a page without one."""
    found: list[bytes] = []
    for path in files:
        for mark in marks_of(path):
            if mark.payload is None:
                raise BadInput("refund.no-mark", piece=len(found) + 1, why=f"{path.name} page {mark.page} shows none.")
            found.append(mark.payload)
    return tuple(found)


def submit(journeys: Journeys, payloads: tuple[bytes, ...], *, by: str = "", unused_job: str = "") -> RefundStatement:
    """Send unused pieces in for a refund; an interrupted form is finished by sending the same pieces in again.

    Where that refund came to nothing meanwhile, they are another one. Raises what `claims.begin` raises, and `Refused`
    (mailroom.under-way) while another process writes pages: what it gives away is not claimed beside it. Pages
    that were written and never handed over are taken away.
    """
    name = journeys.new(RefundId.new)

    def begun() -> Record:
        with turn(journeys.world.folder, journeys.licensee):
            held: Record = journeys.do(
                lambda ctx: claims.begin(ctx, payloads=payloads, refund=name, unused_job=unused_job), actor=by
            )
            for job in held.body["jobs"]:
                take_back(journeys, job)
                spooling.take_back(journeys, job)
        return held

    held = begun()
    if held.body["state"] == claims.CLAIMED and follow(journeys, held.key).state == REFUSED:
        held = begun()
    told: RefundStatement = journeys.do(lambda ctx: claims.claim(ctx, refund=held.key), actor=by)
    return told


def submit_job(journeys: Journeys, job: JobId, out: Path, *, by: str = "") -> tuple[RefundStatement, Path]:
    """Send the pieces of a job in that was never handed over; give also the PDF of them, which goes to the Provider."""
    paper, payloads = print_unused(journeys, job, out)
    return submit(journeys, payloads, by=by, unused_job=job), paper


def follow(journeys: Journeys, refund: str) -> RefundStatement:
    """Ask how a refund stands."""
    held = journeys.do(lambda ctx: claims.held_refund(ctx, refund))
    if held.body["state"] == claims.BEGUN:
        journeys.do(lambda ctx: claims.claim(ctx, refund=refund))
    told: RefundStatement = journeys.do(lambda ctx: claims.follow(ctx, refund=refund))
    return told


def refunds_of(journeys: Journeys) -> list[str]:
    """Name the refunds that a licensee sent in."""
    with journeys.world.store(journeys.licensee).reading() as view:
        return [row.key for row in view.find("refund")]


def scan(world: World, refund: str, payloads: tuple[bytes, ...], *, by: str) -> Record:
    """Scan the pieces at the Provider that has them, as one of its persons."""
    _settle_form(world, refund)
    pack = world.pack()
    kept: Record = world.desk(provider_of(world, refund)).perform(
        lambda ctx: refunds.scan(ctx, refund=refund, seen=payloads, pack=pack), actor=by
    )
    return kept


def certify(world: World, refund: str, *, by: str) -> Record:
    """Certify a refund as another person of the Provider; the form goes to the MATS coordinator.

    Raises the Postal Service's refusal of the form, which is open again then.
    """
    _settle_form(world, refund)
    kept: Record = world.desk(provider_of(world, refund)).perform(
        lambda ctx: refunds.certify(ctx, refund=refund, rules=world.rules), actor=by
    )
    told = _settle_form(world, refund)
    if told is not None:
        raise told
    return kept


def refuse(world: World, refund: str, *, by: str) -> Record:
    """Refuse a refund in which nothing qualifies, as a person of the Provider."""
    _settle_form(world, refund)
    kept: Record = world.desk(provider_of(world, refund)).perform(
        lambda ctx: refund_endings.refuse(ctx, refund=refund, rules=world.rules), actor=by
    )
    return kept


def _settle_form(world: World, refund: str) -> RelayedRefusal | None:
    """Reopen a form that the Postal Service refused, and give its refusal; None where it refused none."""
    provider = provider_of(world, refund)
    desk = world.desk(provider)
    with world.store(provider).reading() as view:
        told, held = desk.outbox.refused(view, refunds.form_key(refund)), view.get("refund", refund)
    assert held is not None
    if told is None or held.body["state"] != SENT:
        return None
    desk.perform(lambda ctx: refund_endings.reopen(ctx, refund=refund, version=held.version, told=told), actor=provider)
    return told


def decide(world: World, refund: str, *, by: str, refuse: str = "") -> Record:
    """Decide as the MATS coordinator; what is granted is credited at the Provider."""
    world.deliver()
    pack = world.pack()
    kept: Record = world.desk(POSTAL).perform(
        lambda ctx: coordinator.decide(ctx, refund=refund, pack=pack, refuse=refuse), actor=by
    )
    world.deliver()
    return kept


def sample(world: World, refund: str, *, by: str, numbers: tuple[int, ...] = (), count: int = 1) -> Sampled:
    """Ask for kept envelopes as the Postal Service."""
    kept: Record = world.desk(POSTAL).perform(
        lambda ctx: coordinator.sample(ctx, refund=refund, numbers=numbers, count=count, rules=world.rules), actor=by
    )
    return _sampled(kept)


def show(world: World, refund: str, payloads: tuple[bytes, ...], *, by: str) -> list[Sampled]:
    """Answer the open samples of a refund with the envelopes that were scanned for them, as a person of the Provider.

    Gives the samples with what the Postal Service found.
    """
    names: list[str] = world.desk(provider_of(world, refund)).perform(
        lambda ctx: envelopes.show(ctx, refund=refund, seen=payloads), actor=by
    )
    world.deliver()
    with world.store(POSTAL).reading() as view:
        rows = [view.get("refund-sample", name) for name in names]
    return [_sampled(row) for row in rows if row is not None]


def _sampled(row: Record) -> Sampled:
    body = row.body
    return Sampled(
        sample=row.key, pieces=tuple(body["pieces"]), wrong=tuple(body["wrong"]), outcome=body["outcome"] or "asked"
    )


def destroy(world: World, refund: str, *, by: str) -> Record:
    """Destroy the envelopes when they need not be kept any more."""
    kept: Record = world.desk(provider_of(world, refund)).perform(
        lambda ctx: envelopes.destroy(ctx, refund=refund, rules=world.rules), actor=by
    )
    return kept


def provider_of(world: World, refund: str) -> str:
    """Name the Provider that has a refund. Raises `Refused` (refund.unknown)."""
    for provider in world.config.providers:
        with world.store(provider).reading() as view:
            if view.get("refund", refund) is not None:
                return provider
    raise Refused("refund.unknown", refund=refund[:40])


def voucher_of(world: World, refund: str) -> form_3533.Voucher:
    """Give Form 3533 of a refund as its Provider has it."""
    provider = provider_of(world, refund)
    with world.store(provider).reading() as view:
        held, papers = view.get("refund", refund), view.get("refund-pieces", refund)
        device = view.get("device", str(held.body["device"])) if held is not None else None
    assert held is not None
    assert papers is not None
    assert device is not None
    body = held.body
    pieces = unused(bytes.fromhex(piece) for piece in papers.body["pieces"])
    notes = tuple(Annotation.from_list(row) for row in body["annotations"])
    struck = {one.piece for one in notes}
    sent_in = Counter(piece.value for piece in pieces)
    good = Counter(piece.value for piece in pieces if piece.number not in struck) if body["scanned_by"] else Counter()
    sent = Instant(body["sent_at"]) if body.get("sent_at") else None
    return form_3533.Voucher(
        refund=refund,
        state=body["state"],
        licensee=held.owner,
        license=body["license"],
        device=body["device"],
        provider=provider,
        lines=tuple(
            form_3533.Line(
                value_mills=int(value), claimed=many, qualifying=good[value], total_mills=value * good[value]
            )
            for value, many in sorted(sent_in.items())
        ),
        notes=tuple(
            form_3533.Note(piece=one.piece, code=one.code, sentence=one.sentence, clause=one.clause) for one in notes
        ),
        share=body["share"],
        amount_mills=body["amount"],
        claimed_by=body["claimed_by"],
        claimed_at=Instant(body["presented"]).iso(),
        scanned_by=body["scanned_by"],
        certified_by=body["certified_by"],
        certified_at=sent.iso() if sent else "",
        decided_by=body.get("decided_by", ""),
        kept_until=kept_until(world.rules, sent).date_in(HEADQUARTERS).isoformat() if sent else "",
        zone=str(device.body["zone"]),
    )


def write_form(world: World, refund: str, folder: Path) -> tuple[Path, Path]:
    """Write Form 3533 of a refund as a PDF and as a file for machines; give both."""
    voucher = voucher_of(world, refund)
    folder.mkdir(parents=True, exist_ok=True)
    paper, file = folder / f"form-3533-{refund}.pdf", folder / f"form-3533-{refund}.json"
    write_pdf(form_3533.pages(voucher), paper, title=f"Form 3533 {refund}")
    file.write_bytes(form_3533.to_file(voucher))
    return paper, file
