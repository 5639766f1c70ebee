"""Missing devices: check 16 of docs/export.md.

Here: incidents, their papers at both ends, the register, scans and resets after a report, the monthly files. Not here:
when something was due (`limits`).
Kept: the files are read by a reader of the auditor's own, and their totals are counted here anew.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from towncircle.auditor.journal import facts_of
from towncircle.auditor.reading import Export, Party, Row
from towncircle.auditor.report import Report
from towncircle.auditor.underway import Underway

_REPORT, _INCIDENT, _FILE, _ACTIVITY = 80, 82, 83, 49
_AWAY = ("custody.missing", "custody.lost", "custody.stolen", "custody.recovered")
_LOSSES = ("custody.lost", "custody.stolen")
_STEPS = (
    *("directory-assistance", "post-office", "cmls-and-mats"),
    *("rental-agency", "last-address", "certified-letter"),
)


def check_missing(export: Export, underway: Underway, report: Report) -> None:
    """Check 16: what is missing is told, searched for, withheld and filed alike at all who keep it."""
    for provider in export.of_role("provider"):
        _check_resets(provider, report)
        _check_steps(provider, report)
        _check_replacements(provider, report)
        _check_all_reported(provider, report)
        for postal in export.of_role("postal"):
            _check_register(provider, postal, underway, report)
            _check_reports(provider, postal, underway, report)
            _check_files(provider, postal, underway, report)
    for postal in export.of_role("postal"):
        _check_scans(postal, report)
    for licensee in export.of_role("licensee"):
        _check_told(export, licensee, underway, report)


def _check_resets(provider: Party, report: Report) -> None:
    away: set[str] = set()
    for row in facts_of(provider, *_AWAY, "custody.leased", "reset.reserved"):
        if row["type"] in _AWAY:
            away.add(row["subject"])
        elif row["type"] == "custody.leased":
            away.discard(row["subject"])
        elif row["body"]["device"] in away:
            where = f"{provider.id}/facts.jsonl line {row.line}"
            report.differ("missing.reset", where, f"{row['body']['device']} was missing when it was authorised.")


def _check_steps(provider: Party, report: Report) -> None:
    """Check that a loss after a search has every step behind it, and a filed loss its police report."""
    taken: dict[str, set[str]] = {}
    police: dict[str, set[str]] = {}
    source: dict[str, str] = {}
    found: set[str] = set()
    kinds = (*_LOSSES, "custody.recovered", "location-step.taken", "police.reported", "cpip.copied")
    for row in facts_of(provider, *kinds, "incident.reported"):
        body, kind, where = row["body"], row["type"], f"{provider.id}/facts.jsonl line {row.line}"
        incident = str(body["incident"])
        if kind == "location-step.taken":
            taken.setdefault(incident, set()).add(str(body["step"]))
        elif kind in ("police.reported", "cpip.copied"):
            police.setdefault(incident, set()).add(kind)
        elif kind in _LOSSES:
            report.checked["missing devices"] += 1
            source[incident] = str(body["source"])
            lacking = [step for step in _STEPS if step not in taken.get(incident, ())]
            if body["source"] == "search" and lacking:
                text = f"{row['subject']} was determined {kind[8:]} before every location step was taken."
                report.differ("missing.steps", where, text, expected="all six", found=f"lacking {', '.join(lacking)}")
        elif kind == "custody.recovered":
            found.add(incident)
        elif incident not in found and source.get(incident) == "licensee" and len(police.get(incident, ())) != 2:
            text = "The incident was reported without a police report and its copy to the CPIP specialist."
            report.differ("missing.police", where, text, found=", ".join(sorted(police.get(incident, ()))) or "neither")


def _check_replacements(provider: Party, report: Report) -> None:
    told: dict[str, set[str]] = {}
    for row in facts_of(provider, "police.reported", "cpip.copied", "replacement.supplied"):
        if row["type"] != "replacement.supplied":
            told.setdefault(row["subject"], set()).add(row["type"])
        elif len(told.get(row["subject"], ())) != 2:
            where = f"{provider.id}/facts.jsonl line {row.line}"
            text = f"{row['subject']} was replaced before it was properly reported to the police."
            report.differ("missing.replaced", where, text)


def _check_register(provider: Party, postal: Party, underway: Underway, report: Report) -> None:
    """Set each loss and find of a Provider against the register of the Postal Service, and the other way."""
    names = {"custody.lost": "device.lost", "custody.stolen": "device.stolen"}
    own, theirs, places = Counter[tuple[str, str]](), Counter[tuple[str, str]](), dict[tuple[str, str], str]()
    for row in facts_of(provider, *_LOSSES):
        key = (row["subject"], names[row["type"]])
        own[key] += 1
        places[key] = f"{provider.id}/facts.jsonl line {row.line}"
    for row in facts_of(postal, *names.values()):
        if row["body"]["provider"] == provider.id:
            key = (row["subject"], row["type"])
            theirs[key] += 1
            places.setdefault(key, f"{postal.id}/facts.jsonl line {row.line}")
    for key in sorted(own.keys() | theirs.keys()):
        if own[key] > theirs[key] and (_ACTIVITY, key[0]) in underway.named:
            continue
        text = f"The register and the Provider differ on {key[0]}, {key[1].removeprefix('device.')}."
        report.same("missing.register", places[key], text, expected=own[key], found=theirs[key])


def _check_reports(provider: Party, postal: Party, underway: Underway, report: Report) -> None:
    filed = {
        row["subject"]: row for row in facts_of(postal, "incident.filed") if row["body"]["provider"] == provider.id
    }
    kept = {row["key"]: row["body"] for row in postal["records.jsonl"] if row["kind"] == "incident-report"}
    made: dict[str, Row] = {}
    first: dict[str, str] = {}
    for row in facts_of(provider, "incident.reported", "recovery.reported"):
        body, where = row["body"], f"{provider.id}/facts.jsonl line {row.line}"
        name = str(body["report"])
        report.checked["incident reports"] += 1
        if name in made:
            report.differ("missing.report-twice", where, f"The report {name} was filed twice.")
        made[name] = row
        if row["type"] == "incident.reported":
            first[str(body["incident"])] = name
        else:
            text = "The report of a recovery does not reference the first report."
            expected = first.get(str(body["incident"]), "")
            report.same("missing.reference", where, text, expected=expected, found=body["references"])
        there = filed.get(name)
        if there is None and (_INCIDENT, provider.id) not in underway.named:
            report.differ("missing.not-filed", where, f"The Postal Service does not have the report {name}.")
        elif there is not None:
            expected_ = (row["subject"], body.get("references", ""))
            found = (there["body"]["device"], there["body"]["references"])
            report.same("missing.report", where, "The report is filed otherwise.", expected=expected_, found=found)
            record = kept.get(name, {})
            said = (record.get("device"), record.get("references"))
            report.same("missing.report", where, "The record of the report is another.", expected=found, found=said)
    for name in sorted(filed.keys() - made.keys()):
        where = f"{postal.id}/facts.jsonl line {filed[name].line}"
        report.differ("missing.not-made", where, f"{provider.id} did not make the report {name}.")


def _check_all_reported(provider: Party, report: Report) -> None:
    """Check that no determined incident is passed over: a later one of its device is reported after it."""
    open_: dict[str, dict[str, Row]] = {}
    for row in facts_of(provider, *_LOSSES, "incident.reported"):
        incidents, incident = open_.setdefault(row["subject"], {}), str(row["body"]["incident"])
        if row["type"] != "incident.reported":
            incidents.setdefault(incident, row)
            continue
        for earlier in list(incidents):
            if earlier == incident:
                break
            where = f"{provider.id}/facts.jsonl line {incidents[earlier].line}"
            text = f"The incident {earlier} of {row['subject']} was determined and never reported; a later one was."
            report.differ("missing.passed-over", where, text, found=incident)
        incidents.pop(incident, None)


def _check_files(provider: Party, postal: Party, underway: Underway, report: Report) -> None:
    received = {
        str(row["body"]["period"]): row
        for row in facts_of(postal, "lost-and-stolen-file.received")
        if row["body"]["provider"] == provider.id
    }
    kept = {row["key"]: row["body"] for row in postal["records.jsonl"] if row["kind"] == "lost-and-stolen-file"}
    sent: set[str] = set()
    for row in facts_of(provider, "lost-and-stolen-file.sent"):
        body, where = row["body"], f"{provider.id}/facts.jsonl line {row.line}"
        period = str(body["period"])
        report.checked["monthly files"] += 1
        if period in sent:
            report.differ("missing.file-twice", where, f"The file of {period} was sent twice.")
        sent.add(period)
        there = received.get(period)
        if there is None:
            if (_FILE, period) not in underway.named:
                report.differ("missing.no-file", where, f"The Postal Service does not have the file of {period}.")
            continue
        text = "The Postal Service has another file."
        report.same("missing.file", where, text, expected=body["digest"], found=there["body"]["digest"])
        _check_file(kept.get(f"{provider.id} {period}", {}), row, provider, where, report)
    for period in sorted(received.keys() - sent):
        where = f"{postal.id}/facts.jsonl line {received[period].line}"
        report.differ("missing.no-file", where, f"{provider.id} did not send the file of {period}.")


def _check_file(record: Mapping[str, Any], sent: Row, provider: Party, where: str, report: Report) -> None:
    """Read a file with the auditor's own reader; its rows are the devices that were missing when it was made."""
    try:
        data = base64.b64decode(str(record.get("file", "")), validate=True)
        lines = data.decode("ascii").splitlines()
    except (binascii.Error, ValueError):
        report.differ("missing.file-broken", where, "The file that is kept cannot be read.")
        return
    rows = [line.split("|") for line in lines]
    text = "The digest of the file that is kept is another."
    report.same("missing.file", where, text, expected=sent["body"]["digest"], found=hashlib.sha256(data).hexdigest())
    devices = [row for row in rows if row[0] == "D" and len(row) == 8]
    mills = sum(int(row[7]) for row in devices if row[7].isdecimal())
    words = Counter(row[3] for row in devices)
    totals = [len(devices), words["lost"], words["stolen"], sum(row[6] == "new" for row in devices)]
    end = rows[-1] if rows and rows[-1][0] == "T" and len(rows[-1]) == 8 else [""] * 8
    told = [*end[1:5], end[6]]
    text = "The control totals of the file are not those of its lines."
    report.same("missing.file-totals", where, text, expected=[str(one) for one in (*totals, mills)], found=told)
    text = "The file does not name the devices that were lost or stolen."
    expected = sorted(_missing_at(provider, sent))
    report.same("missing.file-rows", where, text, expected=expected, found=sorted((row[1], row[3]) for row in devices))


def _missing_at(provider: Party, sent: Row) -> Iterator[tuple[str, str]]:
    """Give what was lost or stolen when a file was made, and determined before the end of its period."""
    now: dict[str, str] = {}
    first: dict[str, str] = {}
    for row in facts_of(provider, *_LOSSES, "custody.recovered"):
        if row.line > sent.line:
            break
        if row["type"] == "custody.recovered":
            now.pop(row["subject"], None)
            first.pop(row["subject"], None)
        else:
            now[row["subject"]] = row["type"].removeprefix("custody.")
            first.setdefault(row["subject"], row.at("occurred_at").date_in("America/New_York").isoformat()[:7])
    for device, word in now.items():
        if first[device] <= sent["body"]["period"]:
            yield device, word


def _check_scans(postal: Party, report: Report) -> None:
    """Check that no mark of a missing device, dated on a later day than its report, was found valid after it."""
    since: dict[str, str] = {}
    dates = {row["scan"]: str(row["date"]) for row in postal["scans.jsonl"]}
    for row in facts_of(postal, "device.lost", "device.stolen", "device.installed", "scan.recorded"):
        if row["type"] == "device.installed":
            since.pop(row["subject"], None)
        elif row["type"] != "scan.recorded":
            since[row["subject"]] = row["occurred_at"][:10]
        elif row["body"]["verdict"] == "VALID":
            reported = since.get(str(row["body"]["device"]))
            if reported is not None and dates.get(row["subject"], "") > reported:
                where = f"{postal.id}/facts.jsonl line {row.line}"
                text = f"A mark of {row['body']['device']} was found valid although it was missing since {reported}."
                report.differ("missing.accepted", where, text, found=dates[row["subject"]])


def _check_told(export: Export, licensee: Party, underway: Underway, report: Report) -> None:
    """Check that what a licensee reported is known to its Provider and at the licensing post office."""
    opened = {row["subject"] for one in export.of_role("provider") for row in facts_of(one, "incident.opened")}
    told = Counter(
        (row["subject"], row["body"]["event"])
        for one in export.of_role("postal")
        for row in facts_of(one, "missing.told")
        if row["body"]["licensee"] == licensee.id
    )
    for row in facts_of(licensee, "device.incident-reported"):
        where, incident = f"{licensee.id}/facts.jsonl line {row.line}", str(row["body"]["incident"])
        if not incident:
            continue  # its Provider refused the report, and said why
        if incident not in opened:
            report.differ("missing.unheard", where, f"No Provider has the incident {incident}.")
        key = (row["subject"], row["body"]["event"])
        told[key] -= 1
        if told[key] < 0 and (_REPORT, licensee.id) not in underway.named:
            report.differ("missing.untold", where, "The licensing post office does not know of the report.")
