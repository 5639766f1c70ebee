"""What licensees say of corrections and reprints, against their own evidence and their devices.

Here: check 13 of docs/export.md. Not here: the money of a postage correction, which is evidence like any other
(`devices`).
Kept: a correction names the job of its pieces, which was evidenced before; a postage correction is evidence of its own;
a REDATE is later than what it corrects and was not made after its day; no reprint was written down that no device
counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta

from towncircle.auditor.journal import facts_of
from towncircle.auditor.reading import Export, Party, Row
from towncircle.auditor.report import Report, dollars

_TYPES = ("date.corrected", "postage.corrected", "print.reprinted")


def check_corrections(export: Export, devices: Mapping[str, Row], report: Report) -> None:
    """Check 12: every correction and reprint has its job, and each device counted what was printed again."""
    counted: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for party in export.of_role("licensee"):
        made = {fact["subject"]: fact for fact in facts_of(party, "evidence.made")}
        for fact in facts_of(party, *_TYPES):
            where = f"{party.id}/facts.jsonl line {fact.line}"
            report.checked["corrections"] += 1
            of = made.get(fact["body"]["of"])
            if of is None or of.line > fact.line:
                text = f"The job {fact['body']['of']} of its pieces was not evidenced before it."
                report.differ("correction.no-piece", where, text, found=fact["body"]["of"])
                continue
            if not 1 <= fact["body"]["count"] <= of["body"]["count"]:
                text = f"The job {fact['body']['of']} does not have so many pieces."
                report.differ(
                    "correction.count", where, text, expected=of["body"]["count"], found=fact["body"]["count"]
                )
            if fact["type"] == "date.corrected":
                _check_redate(fact, of, where, report)
            elif fact["type"] == "postage.corrected":
                _check_postage(fact, made.get(fact["subject"]), where, report)
            else:
                counted[fact["body"]["device"]].append((fact["body"]["reprints"], fact["body"]["count"]))
        _check_unnamed(party, made, report)
    for device, reprints in sorted(counted.items()):
        _check_reprints(device, reprints, devices.get(device), report)


def _check_redate(fact: Row, of: Row, where: str, report: Report) -> None:
    printed, day = fact["body"]["printed_date"], fact["body"]["mailing_date"]
    text = "The REDATE names another date than the indicia bear."
    report.same("redate.printed-date", where, text, expected=of["body"]["mailing_date"], found=printed)
    if day <= printed:
        report.differ("redate.not-later", where, "The REDATE is not later.", expected=f"after {printed}", found=day)
    made = (fact.at("recorded_at").utc() - timedelta(days=1)).date().isoformat()  # whatever the zone
    if made > day:
        text = "The REDATE was made after the day that it shows."
        report.differ("redate.backdated", where, text, expected=f"{made} or later", found=day)


def _check_postage(fact: Row, own: Row | None, where: str, report: Report) -> None:
    names = ("device", "count", "total")
    said = tuple(fact["body"][name] for name in names)
    expected = tuple(own["body"][name] for name in names) if own is not None else "no such evidence"
    text = "The postage correction is not what its own job evidenced."
    report.same("correction.no-evidence", where, text, expected=expected, found=said)
    total, over = fact["body"]["total"], fact["body"]["overpaid"]
    if total <= 0 or not 0 <= over < total:
        text = f"A correction of {dollars(total)} that overpays by {dollars(over)} corrects nothing."
        report.differ("correction.amount", where, text, found=(total, over))


def _check_reprints(device: str, reprints: list[tuple[int, int]], row: Row | None, report: Report) -> None:
    """Compare the device's counts after each reprint with the pieces printed; a crash may leave a gap, never less."""
    last = 0
    for total, count in sorted(reprints):
        if total - count < last:
            text = f"{device} counted fewer reprints than were written down."
            report.differ("reprint.uncounted", device, text, expected=last + count, found=total)
        last = total
    if row is not None and row["reprints"] < last:
        text = f"{device} counts fewer reprints than it told its licensee."
        report.differ("reprint.uncounted", device, text, expected=last, found=row["reprints"])


def _check_unnamed(party: Party, made: Mapping[str, Row], report: Report) -> None:
    """Find a postage correction that was planned as one and evidenced, and then not told as one."""
    told = {fact["subject"] for fact in facts_of(party, "postage.corrected")}
    for fact in facts_of(party, "print.planned"):
        if fact["body"].get("form") == "correction" and fact["subject"] in made.keys() - told:
            where = f"{party.id}/facts.jsonl line {fact.line}"
            report.differ("correction.untold", where, f"The correction {fact['subject']} was evidenced and not told.")
