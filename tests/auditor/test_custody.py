"""The auditor names every hand-over that nobody signed, every service that nobody permitted, every untold defect."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.auditor.story import ACME, DEVICE, HARBOR, POST, START, Story, told

from towncircle.auditor import audit
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.wire.bodies import HandOverReceipt
from towncircle.wire.message import seal

SHIPMENT, DEFECT = "SHP-222222222222", "DFT-222222222222"
LATE = START.plus(hours=3)


def fact(story: Story, party: str, kind: str, subject: str, **body: object) -> None:
    story.fact(party, kind, subject, LATE, **body)


def signed(story: Story, signer: str, paper: HandOverReceipt) -> bytes:
    return seal(
        sender=signer,
        audience=HARBOR,
        id="MSG-777777777777",
        issued=LATE,
        expires=LATE.plus(hours=24),
        counter=77,
        body=paper,
        signer=story.keys[signer],
    )


def handed_over(
    story: Story,
    *,
    service: str = "Registered Mail",
    permission: str = "",
    signer: str = ACME,
    device: str = DEVICE,
    shipment: str = SHIPMENT,
    receipt: bytes | None = None,
) -> None:
    """Ship the device and have it signed for, by whoever a test wants."""
    told_ = {"device": DEVICE, "direction": "out", "service": service, "permission": permission}
    fact(story, HARBOR, "custody.shipped", DEVICE, licensee=ACME, shipment=SHIPMENT)
    paper = HandOverReceipt(shipment=shipment, device=DeviceId(device), condition="sound", hand_over=b"", at=LATE)
    raw = signed(story, signer, paper) if receipt is None else receipt
    fact(story, HARBOR, "hand-over.signed", SHIPMENT, licensee=ACME, **told_)
    body = {**told_, "receipt": base64.b64encode(raw).decode(), "paper": ""}
    line = {"kind": "shipment", "key": SHIPMENT, "owner": ACME, "version": 1, "body": body}
    story.lines(HARBOR, "records.jsonl").append(line)
    fact(story, HARBOR, "custody.leased", DEVICE, licensee=ACME, shipment=SHIPMENT)


def permitted(story: Story) -> None:
    named = {"direction": "out", "service": "Armored", "permission": "MTM-1", "document": ""}
    fact(story, POST, "service.permitted", HARBOR, **named)
    handed_over(story, service="Armored", permission="MTM-1")


def defective(story: Story, *, told_: bool = True, filed: bool = True) -> None:
    fact(story, HARBOR, "defect.notified", DEVICE, licensee=ACME, defect=DEFECT)
    if told_:
        fact(story, HARBOR, "malfunction.reported", DEVICE, defect=DEFECT, stage="notice", remedy="")
    if filed:
        fact(story, POST, "malfunction.told", DEVICE, provider=HARBOR, defect=DEFECT, stage="notice", remedy="")


def reset_of(story: Story, before: Callable[[Story], None]) -> None:
    """Have something happen before the story's reset was reserved."""
    rows = story.lines(HARBOR, "facts.jsonl")
    (reserved,) = [row for row in rows if row["type"] == "reset.reserved"]
    at = rows.index(reserved)
    count = len(rows)
    before(story)
    for place, row in enumerate(rows[count:]):
        rows.remove(row)
        rows.insert(at + place, {**row, "occurred_at": reserved["occurred_at"], "recorded_at": reserved["recorded_at"]})
    story.rechain(HARBOR)


def corrected(story: Story) -> None:
    defective(story)
    fact(story, HARBOR, "defect.examined", DEVICE, licensee=ACME, defect=DEFECT, remedy="corrected")


def removal(story: Story) -> None:
    fact(story, HARBOR, "removal.ordered", DEVICE, licensee=ACME, order="RMV-222222222222", receipt="")


def leased_unsigned(story: Story) -> None:
    fact(story, HARBOR, "custody.shipped", DEVICE, licensee=ACME, shipment=SHIPMENT)
    fact(story, HARBOR, "custody.leased", DEVICE, licensee=ACME, shipment=SHIPMENT)


def no_record(story: Story) -> None:
    handed_over(story)
    story.lines(HARBOR, "records.jsonl").pop()


def scrapped(story: Story, *before: str) -> None:
    for kind in (*before, "custody.scrapped"):
        fact(story, HARBOR, kind, DEVICE, licensee=ACME)


def codes(story: Story, out: Path) -> list[str]:
    story.write(out)
    return [one.code for one in audit(out).differences]


@pytest.mark.parametrize(
    "story_of",
    [
        handed_over,
        permitted,
        defective,
        lambda story: scrapped(story, "custody.checked out", "device.came-back"),
        lambda story: scrapped(story, "custody.checked out", "element.hosted"),
        lambda story: reset_of(story, corrected),
    ],
    ids=["handed over", "permitted", "defective", "scrapped", "scrapped in the server", "corrected"],
)
def test_what_is_in_order_is_no_difference(story_of: Callable[[Story], None], tmp_path: Path) -> None:
    story = told()
    story_of(story)
    assert codes(story, tmp_path) == []


@pytest.mark.parametrize(
    ("bend", "code"),
    [
        (leased_unsigned, "custody.unsigned"),
        (no_record, "custody.record"),
        (lambda story: handed_over(story, receipt=b""), "custody.receipt"),
        (lambda story: handed_over(story, receipt=b"\x01\x02"), "custody.receipt"),
        (lambda story: handed_over(story, signer=HARBOR), "custody.receipt"),
        (lambda story: handed_over(story, device="TC1A0000000018"), "custody.receipt"),
        (lambda story: handed_over(story, shipment="SHP-333333333333"), "custody.receipt"),
        (lambda story: handed_over(story, service="Armored"), "custody.service"),
        (lambda story: handed_over(story, service="Armored", permission="MTM-1"), "custody.service"),
        (lambda story: defective(story, told_=False, filed=False), "custody.malfunction"),
        (lambda story: defective(story, filed=False), "custody.malfunction"),
        (lambda story: defective(story, told_=False), "custody.malfunction"),
        (scrapped, "custody.scrapped"),
        (lambda story: scrapped(story, "custody.checked out"), "custody.scrapped"),
        (lambda story: scrapped(story, "device.came-back"), "custody.scrapped"),
        (lambda story: scrapped(story, "custody.new", "custody.shipped"), "custody.scrapped"),
        (lambda story: reset_of(story, defective), "custody.reset"),
        (lambda story: reset_of(story, removal), "custody.reset"),
    ],
)
def test_what_is_not_is_named(bend: Callable[[Story], None], code: str, tmp_path: Path) -> None:
    story = told()
    bend(story)
    assert code in codes(story, tmp_path)


def test_the_story_is_of_one_day() -> None:
    assert Instant.parse("2026-11-22T00:00Z") > LATE
