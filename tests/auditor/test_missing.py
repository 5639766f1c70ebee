"""The auditor names every word about a missing device that the others do not have."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.auditor.story import ACME, DEVICE, HARBOR, POST, START, Story, told

from towncircle.auditor import audit
from towncircle.wire.lost_and_stolen import MissingDevice, MonthlyFile, write

INCIDENT, SECOND = "INC-222222222222", "INC-333333333333"
LATE = START.plus(hours=3)
STEPS = (
    *("directory-assistance", "post-office", "cmls-and-mats"),
    *("rental-agency", "last-address", "certified-letter"),
)
PERIOD = "2026-11"


def fact(story: Story, party: str, kind: str, subject: str, **body: object) -> None:
    story.fact(party, kind, subject, LATE, **body)


def lost(story: Story, source: str = "licensee", *, steps: tuple[str, ...] = (), event: str = "lost") -> None:
    fact(story, HARBOR, "incident.opened", INCIDENT, device=DEVICE, licensee=ACME, source=source)
    for step in steps:
        told_ = {"step": step, "result": "nothing", "reference": "f", "document": ""}
        fact(story, HARBOR, "location-step.taken", DEVICE, incident=INCIDENT, **told_)
    fact(story, HARBOR, f"custody.{event}", DEVICE, incident=INCIDENT, source=source)
    fact(story, POST, f"device.{event}", DEVICE, provider=HARBOR)


def police(story: Story) -> None:
    fact(story, HARBOR, "police.reported", DEVICE, incident=INCIDENT, reference="26-1", document="")
    fact(story, HARBOR, "cpip.copied", DEVICE, incident=INCIDENT, reference="C-1")


def filed(story: Story, *, there: bool = True) -> None:
    fact(story, HARBOR, "incident.reported", DEVICE, incident=INCIDENT, report=INCIDENT)
    if there:
        received(story, INCIDENT, "")


def received(story: Story, report: str, references: str) -> None:
    told_ = {"device": DEVICE, "references": references}
    fact(story, POST, "incident.filed", report, provider=HARBOR, event="lost", **told_)
    record(story, "incident-report", report, told_)


def record(story: Story, kind: str, key: str, body: dict[str, object]) -> None:
    line = {"kind": kind, "key": key, "owner": HARBOR, "version": 1, "body": body}
    story.lines(POST, "records.jsonl").append(line)


def recovered(story: Story, references: str = INCIDENT) -> None:
    fact(story, HARBOR, "custody.recovered", DEVICE, incident=INCIDENT)
    fact(story, HARBOR, "recovery.reported", DEVICE, incident=INCIDENT, report=SECOND, references=references)
    received(story, SECOND, references)


def month(story: Story, *, named: bool = True, bend: Callable[[bytes], bytes] = bytes, there: bool = True) -> None:
    row = MissingDevice(
        device=DEVICE, license="L", status="lost", since=LATE, incident=INCIDENT, new=True, descending_mills=5
    )
    devices = (row,) if named else ()
    data = bend(write(MonthlyFile(provider=HARBOR, period=PERIOD, made_at=LATE, devices=devices, purged=0)))
    digest = hashlib.sha256(data).hexdigest()
    told_ = {"period": PERIOD, "digest": digest, "rows": len(devices)}
    fact(story, HARBOR, "lost-and-stolen-file.sent", PERIOD, purged=0, **told_)
    if there:
        fact(story, POST, "lost-and-stolen-file.received", PERIOD, provider=HARBOR, differences=0, **told_)
        record(story, "lost-and-stolen-file", f"{HARBOR} {PERIOD}", {"file": base64.b64encode(data).decode()})


def scanned_late(story: Story) -> None:
    lost(story)
    story.lines(POST, "facts.jsonl")[-1]["occurred_at"] = "2026-11-20T10:00:00Z"
    valid = [row for row in story.lines(POST, "facts.jsonl") if row["type"] == "scan.recorded"]
    rows = story.lines(POST, "facts.jsonl")
    rows.append(rows.pop(rows.index(valid[0])))
    story.rechain(POST)


def reset_late(story: Story) -> None:
    rows = story.lines(HARBOR, "facts.jsonl")
    place = next(place for place, row in enumerate(rows) if row["type"] == "reset.reserved")
    lost(story)
    rows[place:place] = [rows.pop(-1)]
    story.rechain(HARBOR)


def reported(story: Story, *, at_post: bool = True) -> None:
    lost(story)
    fact(story, ACME, "device.incident-reported", DEVICE, event="lost", incident=INCIDENT)
    if at_post:
        fact(story, POST, "missing.told", DEVICE, licensee=ACME, provider=HARBOR, event="lost")


def no_steps(story: Story) -> None:
    lost(story, "search", steps=STEPS[1:])


def not_told(story: Story) -> None:
    lost(story)
    story.lines(POST, "facts.jsonl").pop()


def well(story: Story) -> None:
    reported(story)
    police(story)
    filed(story)
    month(story)
    recovered(story)


def lost_again(story: Story) -> None:
    """Lose the device in another incident, and report only that one."""
    fact(story, HARBOR, "custody.lost", DEVICE, incident=SECOND, source="licensee")
    fact(story, HARBOR, "incident.reported", DEVICE, incident=SECOND, report=SECOND)


def codes(story: Story, tmp_path: Path) -> set[str]:
    return {one.code for one in audit(story.write(tmp_path / "out")).differences}


@pytest.mark.parametrize(
    "tell",
    [well, lambda story: lost(story, "search", steps=STEPS), lambda story: month(story, named=False)],
    ids=["reported, filed, found", "searched for", "a month without any"],
)
def test_what_agrees_is_no_difference(tmp_path: Path, tell: Callable[[Story], None]) -> None:
    story = told()
    tell(story)
    assert [str(one) for one in audit(story.write(tmp_path / "out")).differences] == []


CHEATS: dict[str, tuple[list[Callable[[Story], object]], str]] = {
    "a loss that the register does not have": ([not_told], "missing.register"),
    "a loss that the Provider does not have": (
        [lambda s: fact(s, POST, "device.stolen", DEVICE, provider=HARBOR)],
        "missing.register",
    ),
    "a loss before the last step": ([no_steps], "missing.steps"),
    "a report without the police": ([lost, filed], "missing.police"),
    "a report that was not filed": ([lost, police, lambda s: filed(s, there=False)], "missing.not-filed"),
    "a report that nobody made": ([lambda s: received(s, SECOND, "")], "missing.not-made"),
    "a report made twice": ([lost, police, filed, lambda s: filed(s, there=False)], "missing.report-twice"),
    "an earlier loss that was never reported": ([lost, recovered, lost_again], "missing.passed-over"),
    "a recovery that references nothing": (
        [lost, police, filed, lambda s: recovered(s, references="")],
        "missing.reference",
    ),
    "a replacement before the police": (
        [lost, lambda s: fact(s, HARBOR, "replacement.supplied", DEVICE, incident=INCIDENT, by="TC1A0000000018")],
        "missing.replaced",
    ),
    "a reset of a lost device": ([reset_late], "missing.reset"),
    "a mark that was accepted after the loss": ([scanned_late], "missing.accepted"),
    "a file that names nothing": ([lost, lambda s: month(s, named=False)], "missing.file-rows"),
    "a file that names what was not lost": ([month], "missing.file-rows"),
    "a file with other totals": (
        [lost, lambda s: month(s, bend=lambda data: data.replace(b"T|1|1|", b"T|2|1|"))],
        "missing.file-totals",
    ),
    "a file that was not received": ([lambda s: month(s, named=False, there=False)], "missing.no-file"),
    "a file sent twice": (
        [lambda s: month(s, named=False), lambda s: month(s, named=False, there=False)],
        "missing.file-twice",
    ),
    "a report that the post office does not have": ([lambda s: reported(s, at_post=False)], "missing.untold"),
    "a report that no Provider has": (
        [lambda s: fact(s, ACME, "device.incident-reported", DEVICE, event="lost", incident=SECOND)],
        "missing.unheard",
    ),
}


@pytest.mark.parametrize("name", CHEATS)
def test_each_cheat_is_named(tmp_path: Path, name: str) -> None:
    story = told()
    tell, expected = CHEATS[name]
    for one in tell:
        one(story)
    assert expected in codes(story, tmp_path)
