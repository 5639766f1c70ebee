"""The papers of a device as PDF: Form 3601-C, the lease, the Acknowledgment of Deposit, the receipts.

Here: what stands on them, gathered from the Provider's records and journal, and from the Postal Service's word that it
filed the acknowledgment. Not here: their looks (`paper.custody_forms`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.facts import Fact
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.mailpiece.elements import Page
from towncircle.paper.custody_forms import Activity, activity_pages, agreement_pages, receipt_pages
from towncircle.paper.incident_forms import Told, malfunction_pages
from towncircle.paper.pdf import write_pdf
from towncircle.provider.agreements import DEPOSIT_ACKNOWLEDGMENT, LEASE_AGREEMENT, digest_of
from towncircle.provider.articles import number_of
from towncircle.provider.inventory import HELD
from towncircle.world.config import POSTAL
from towncircle.world.custody import Kept, kept, kept_until
from towncircle.world.incident_papers import office_of, registers_row
from towncircle.world.supervising import provider_of
from towncircle.world.world import World

_EVENTS = {
    "device.inspected": "Inspected before distribution (502.18)",
    "form-3601-c.filed": "Installed at the licensee",
    "defect.notified": "Defect reported by the licensee (P050 2.7)",
    "defect.retrieved": "Retrieved as defective (502.20(f))",
    "defect.examined": "Examined, fault reported (502.20(j))",
    "removal.ordered": "Removal ordered by the Postal Service (502.20(i))",
    "element.disabled": "Disabled in the Provider's server (502.20(e))",
    "custody.lost": "Lost (502.24)",
    "custody.stolen": "Stolen (502.24)",
    "custody.recovered": "Recovered (502.24(c))",
    "device.unwanted": "Withdrawal notified (P050 2.9)",
    "custody.checked out": "Checked out of service (502.20(e))",
    "title.passed": "Title passed to the Postal Service (502.20(a))",
    "custody.scrapped": "Scrapped, keys destroyed",
}


@cites("502.27b/2", "502.20e/4", "P050-2.7")
def write_papers(world: World, device: str, out: Path) -> list[Path]:
    """Write the papers of a device into a folder; give the files. Raises `Refused` (provider.unknown-device)."""
    provider = provider_of(world, device)
    (one,) = [each for each in kept(world) if each.device.key == device]
    with world.store(provider).reading() as view:
        facts = [fact for fact in view.facts() if device in (fact.subject, fact.body.get("device"))]
        checked_out, lease = view.get("check-out", device), view.get("lease", one.device.body["lease"])
    assert lease is not None
    out.mkdir(parents=True, exist_ok=True)
    at = facts[-1].recorded_at
    papers = {
        "form-3601-c.pdf": activity_pages(_activity(world, one, facts, checked_out)),
        "lease.pdf": _lease(one, lease, facts),
        "acknowledgment-of-deposit.pdf": _acknowledgment(world, one, lease, facts),
    }
    for number, row in enumerate(one.shipments, start=1):
        papers[f"receipt-{number}.pdf"] = _receipt(row, one)
    papers |= _inspector(world, one) | _malfunctions(world, one)
    for name, pages in papers.items():
        write_pdf(pages, out / name, at=at)
    return [out / name for name in papers]


def _activity(world: World, one: Kept, facts: list[Fact], held: Record | None) -> Activity:
    body, notes = one.device.body, dict[str, Any](held.body) if held is not None else {}
    return Activity(
        device=[
            ("Device", one.device.key),
            ("Licensee, license", f"{one.device.owner}, {body['license']}"),
            ("Provider, lease", f"{one.provider}, {body['lease']}"),
            ("Title", one.owner),
        ],
        events=[(_words(fact.occurred_at, one), _EVENTS[fact.type]) for fact in facts if fact.type in _EVENTS],
        hand_overs=[(_words(Instant(row.body["at"]), one), _hand_over(row, one)) for row in one.shipments],
        registers=[
            (
                "Ascending register, descending register, pieces",
                f"{Mills(body['ascending'])}, {Mills(body['descending'])}, {body['pieces']}",
            )
        ],
        check_out=[
            ("Reason", notes["reason"]),
            ("Descending balance noted at the notice", str(Mills(notes["noted"]))),
            ("Outcome", notes.get("outcome", "open")),
        ]
        if held is not None
        else [],
        amount=given_back(one.device, facts, held),
        signed=signed_by(one, held),
        kept_until=kept_until(world, one.provider, one.device.key) or "it is filed",
    )


@cites("502.27b/2")
def signed_by(one: Kept, held: Record | None) -> str:
    """Say what section G says: the person of the Provider who signed; without a balance, who checked the device out."""
    body = dict(held.body) if held is not None else {}
    if body.get("signed_by"):
        return f"{body['signed_by']} for {one.provider}, {_words(Instant(body['signed_at']), one)}"
    return f"{one.provider}, {_words(Instant(body['at']), one)}" if body.get("state") == "done" else "not yet"


@cites("502.27b/2")
def given_back(device: Record, facts: list[Fact], held: Record | None) -> str:
    """Say what section F says of a device's balance: the amount, or why there is none (yet)."""
    if held is not None:
        body = held.body
        if body["state"] == HELD:
            return f"{Mills(body['amount'])}, waiting for the District MATS coordinator"
        return str(Mills(body["amount"])) if body["state"] == "done" else "not yet known"
    custody = str(device.body["custody"])
    if any(fact.type == "removal.ordered" and fact.body["condition"] for fact in facts):
        return "not yet known: an inspector of the Postal Service took it along"
    if custody in ("missing", "lost", "stolen"):
        return f"none: it is {custody}, and its last signed reading stands"
    return "none: it is in service" if custody == "leased" else f"none yet: it is {custody}"


def _hand_over(row: Record, one: Kept) -> str:
    body = row.body
    way = "To the licensee" if body["direction"] == "out" else "Back to the Provider"
    state = f"received {_words(Instant(body['received_at']), one)}" if body["received_at"] else "on its way"
    return f"{way} by {body['service']}, article {number_of(row) or 'not told'}, {state}"


def _lease(one: Kept, lease: Record, facts: list[Fact]) -> list[Page]:
    rows = _signed(one, lease, facts)
    return agreement_pages("Lease of a postage evidencing system", LEASE_AGREEMENT, rows, form="Lease")


@cites("502.25c/3", "502.25c/5")
def _acknowledgment(world: World, one: Kept, lease: Record, facts: list[Fact]) -> list[Page]:
    with world.store(POSTAL).reading() as view:
        filed = [
            fact.recorded_at
            for fact in view.facts()
            if fact.type == "deposit-acknowledgment.filed" and fact.subject == lease.body["license"]
        ]
    rows = _signed(one, lease, facts)
    rows.append(("Filed by the accounting service center", _words(filed[-1], one) if filed else "on its way"))
    rows.append(("SHA-256 of the text", digest_of(DEPOSIT_ACKNOWLEDGMENT)))
    title = "Acknowledgment of Deposit Requirement"
    return agreement_pages(title, DEPOSIT_ACKNOWLEDGMENT, rows, form="Deposit")


def _signed(one: Kept, lease: Record, facts: list[Fact]) -> list[tuple[str, str]]:
    signed = next(fact for fact in facts if fact.type == "lease.signed")
    return [
        ("Licensee", one.device.owner),
        ("Provider", one.provider),
        ("Lease, device", f"{lease.key}, {one.device.key}"),
        ("Signed by the licensee", f"{_words(signed.occurred_at, one)}, message {lease.body['signed']}"),
    ]


def _receipt(row: Record, one: Kept) -> list[Page]:
    body, provider = row.body, one.provider
    out = body["direction"] == "out"
    giver, receiver = (provider, row.owner) if out else (row.owner, provider)
    return receipt_pages(
        "Hand-over of a device",
        {
            "Device": body["device"],
            "Hand-over": row.key,
            "Given by": f"{giver}, {_words(Instant(body['at']), one)}",
            "Service": body["service"],
            "Article number": number_of(row) or "not told",
            "Written permission": body["permission"] or "none needed: the service that the rule names",
            "Received by": f"{receiver}, {_words(Instant(body['received_at']), one)}"
            if body["received_at"]
            else "not yet",
            "Condition": body["condition"] or "not yet seen",
        },
    )


@cites("P050-2.6/4", "502.20i/1")
def _inspector(world: World, one: Kept) -> dict[str, list[Page]]:
    """Give the receipt of an inspector who took the device along, or the order to remove it."""
    with world.store(POSTAL).reading() as view:
        held = view.get("removal", one.device.key)
    if held is None:
        return {}
    body, at = held.body, Instant(held.body["at"]).words_in(str(one.device.body["zone"]))
    rows = {
        "Device": one.device.key,
        "Licensee": one.device.owner,
        "Provider": one.provider,
        "Order": str(body["order"]),
        "Reason": str(body["reason"]),
    }
    if not body["taken"]:
        rows |= {"Ordered by": f"{POSTAL}, {at}", "Under": "502.20(i)"}
        return {"removal-order.pdf": receipt_pages("Removal of a device from service", rows, form="Order")}
    rows |= {"Condition": str(body["condition"]), "Taken along by": f"{POSTAL}, an inspector, {at}"}
    rows["Under"] = "P050 2.6, 502.20(i)"
    return {"inspector-receipt.pdf": receipt_pages("Inspector's receipt for a device that is taken along", rows)}


@cites("502.20f/2", "502.20j/2")
def _malfunctions(world: World, one: Kept) -> dict[str, list[Page]]:
    """Give the notice of each defect and the report of its fault, as the Manager, MTM, filed them."""
    with world.store(POSTAL).reading() as view:
        rows = [row for row in view.find("malfunction", owner=one.provider) if row.body["device"] == one.device.key]
        license_ = view.get("license", str(one.device.body["license"]))
    zone, papers = str(one.device.body["zone"]), {}
    for row in sorted(rows, key=lambda row: int(row.body["notice"]["at"])):
        for stage in ("notice", "report"):
            if stage not in row.body:
                continue
            body = row.body[stage]
            told = Told(
                report=[
                    ("Defect", row.key),
                    ("To", f"{POSTAL}, the Manager, MTM"),
                    ("By", f"{one.provider}, {Instant(body['at']).words_in(zone)}"),
                ],
                device=[
                    ("Device", one.device.key),
                    ("License", f"{one.device.body['license']}, {one.device.owner}"),
                    ("Licensing post office", office_of(license_)),
                ],
                registers=[registers_row(body["ascending"], body["descending"])],
                happened=[("Kind", str(row.body["kind"]))],
                words=str(body["fault"]),
                done=[("Remedy", str(body["remedy"])), ("Examination, reference", str(body["reference"]))]
                if stage == "report"
                else (),
                clause="502.20(f), 502.20(j)" if stage == "report" else "502.20(f), P050 2.7",
            )
            papers[f"malfunction-{row.key}-{stage}.pdf"] = malfunction_pages(told, report=stage == "report")
    return papers


def _words(at: Instant, one: Kept) -> str:
    """Write an instant as the clock of the device's post office showed it."""
    return at.words_in(str(one.device.body["zone"]))
