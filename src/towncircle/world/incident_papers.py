"""Incident reports as PDF: the loss of a device, and its recovery, as the Postal Service filed them (502.24).

Here: what stands on them, from the Postal Service's records. Not here: their looks (`paper.incident_forms`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.paper.incident_forms import Told, incident_pages
from towncircle.paper.pdf import write_pdf
from towncircle.provider.searching import INSPECTION, STEPS
from towncircle.rules.duties import HEADQUARTERS
from towncircle.world.config import POSTAL
from towncircle.world.world import World

UNKNOWN = "unknown: it was filed before this was kept"
_STEPS = {step.name: (step.clause, step.does) for step in (*STEPS, INSPECTION)} | {
    "police-report": ("502.24(b)(1)", "A police report is made."),
    "cpip-copy": ("502.24(b)(1)", "The CPIP specialist gets a copy of it."),
}
_RESULTS = {
    "nothing": "nothing was found",
    "new-address": "a new address was found",
    "not-applicable": "does not apply",
}
_SOURCES = {"licensee": "the licensee's report (502.24(b))", "search": "the Provider's search (502.24(a))"}


@cites("502.24", "502.24d/1")
def write_reports(world: World, device: str, out: Path) -> list[Path]:
    """Write every incident report of a device into a folder; give the files. Raises `Refused` (missing.no-report)."""
    with world.store(POSTAL).reading() as view:
        rows = view.find("incident-report", owner=device)
        words = {row.key: row.body for row in view.find("incident-words", owner=device)}
        held = view.get("device", device)
        license_ = view.get("license", str(held.body["license"])) if held is not None else None
        filed = {fact.subject: fact.recorded_at for fact in view.facts() if fact.type == "incident.filed"}
    if not rows:
        raise Refused("missing.no-report", device=device)
    out.mkdir(parents=True, exist_ok=True)
    files, order = [], list(filed)
    for row in sorted(rows, key=lambda row: order.index(row.key)):
        path, at = out / f"incident-{row.key}.pdf", filed[row.key]
        told = _told(row, dict(words.get(row.key, {})), license_, at)
        pages = incident_pages(told, recovered=row.body["event"] == "recovered")
        write_pdf(pages, path, title=f"Incident report {row.key} - SPECIMEN", at=at)
        files.append(path)
    return files


def zone_of(license_: Record | None) -> str:
    """Give the zone of the post office of a license; that of headquarters where none is known."""
    return str(license_.body.get("zone") or HEADQUARTERS) if license_ is not None else HEADQUARTERS


def office_of(license_: Record | None) -> str:
    """Name the post office of a license."""
    if license_ is None:
        return "unknown"
    return " ".join(str(license_.body.get(f"office_{part}", "")) for part in ("city", "state", "zip")).strip()


def registers_row(ascending: int, descending: int, pieces: int | None = None) -> tuple[str, str]:
    """Give the registers of a device as the row of a paper."""
    label, value = "Ascending register, descending register", f"{Mills(ascending)}, {Mills(descending)}"
    return (label, value) if pieces is None else (f"{label}, pieces", f"{value}, {pieces}")


def _told(row: Record, words: dict[str, str], license_: Record | None, filed: Instant) -> Told:
    body, zone, recovered = row.body, zone_of(license_), row.body["event"] == "recovered"
    at = Instant(body["determined_at"]).words_in(zone)
    report = [
        ("Report", row.key),
        ("Event", str(body["event"])),
        ("Found" if recovered else "Determined", at),
        ("Rests on", _SOURCES[body["source"]]),
        ("Filed with the Postal Service", filed.words_in(zone)),
    ]
    if recovered:
        report.insert(1, ("References the first report", body["references"] or "none: no loss had been reported"))
    held = body.get("registers")
    return Told(
        report=report,
        device=[
            ("Device", row.owner),
            ("License", f"{license_.key}, {license_.owner}" if license_ is not None else UNKNOWN),
            ("Provider", str(body["provider"])),
            ("Licensing post office", office_of(license_)),
        ],
        registers=[registers_row(*held) if held else ("Registers", UNKNOWN)],
        happened=[("Place", words.get("place") or ("not told" if words else UNKNOWN))],
        words=words.get("details", ""),
        done=list(_done(row, zone)),
        clause="502.24(d)" if recovered else "502.20(g), 502.24",
    )


def _done(row: Record, zone: str) -> Iterator[tuple[str, str]]:
    for name, result, reference, document, at in row.body["steps"]:
        clause, does = _STEPS.get(name, ("502.24", name))
        told = [_RESULTS.get(result, result), Instant(at).words_in(zone), f"reference {reference}"]
        yield f"{clause} {does}", ", ".join(told)
        if document:
            yield f"{clause} SHA-256 of the paper that shows it", document
