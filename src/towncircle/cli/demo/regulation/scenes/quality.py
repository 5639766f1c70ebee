"""Quality pieces and audits (502.23, 502.26, P050 2.5(c), 2.5(h)): in time, poor, missed.

Mail rooms: 11 no piece and declined, 12 no piece and revoked, 13 no audit for three months, 14 no audit and revoked,
15 a poor piece. The others forward theirs in time (`Town.visit`).
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from towncircle.cli.demo.regulation.procedures import procedure, scene, shows
from towncircle.cli.demo.regulation.scenes.licenses import revoke, withdraw
from towncircle.cli.demo.regulation.town import refused
from towncircle.cli.demo.stage import expect
from towncircle.kernel.money import Mills
from towncircle.world import licensing
from towncircle.world.quality import check

if TYPE_CHECKING:
    from pathlib import Path

    from towncircle.cli.demo.regulation.town import Town

_TEN = Mills.dollars(10)

procedure(
    "A quality piece is forwarded, graded and reported",
    "provider quality-piece.received",
    "licensee quality-piece.forwarded",
    "postal quality-piece.reported",
    clause="502.26, P050 2.5(h)",
)


def _faint(path: Path) -> None:
    """Make a scan as faint as an old cartridge prints."""
    from PIL import Image

    with Image.open(path) as image:
        faint = image.convert("L").point(lambda level: 190 + level * 65 // 255)
    stream = io.BytesIO()
    faint.save(stream, "PNG", dpi=(300, 300))
    path.write_bytes(stream.getvalue())


@shows(
    100,
    "A poor quality piece brings notice and guidance",
    "provider quality-piece.received deficiencies=*",
    "postal quality-piece.reported deficiencies=*",
    clause="502.26",
)
def poor_piece(town: Town) -> None:
    """Forward a faint piece: guidance comes, no denial."""
    journeys = town.room(15)
    town.connect(journeys)
    town.fund(journeys)
    finding = town.quality_piece(journeys, _faint)
    expect(finding.deficiencies and finding.guidance, "a faint piece has no deficiency")
    town.fund(journeys)


@shows(
    102,
    "A licensee grades a piece of its own and forwards nothing",
    "licensee quality.checked",
    clause="P050 2.5(h), house",
)
def own_check(town: Town) -> None:
    """Look after the new cartridge whether it prints well."""
    journeys = town.room(15)
    town.connect(journeys)
    found = check(journeys, town.page(journeys))
    expect(not found.forwarded and found.grade != "F", f"a sound piece is graded {found.grade}")


@shows(
    196,
    "No quality piece in six months: warned, denied, reported; allowed after a piece",
    "provider resets.denied limit=quality-piece",
    "provider limit.reminded limit=quality-piece",
    "provider notice.given limit=quality-piece",
    "postal quality.noncompliance-reported",
    "provider resets.allowed limit=quality-piece",
    clause="502.26",
)
def piece_after_all(town: Town) -> None:
    """Be refused a reset, forward a piece, and be set."""
    journeys = town.room(11)
    town.connect(journeys)
    with refused("provider.resets-denied"):
        journeys.reset(_TEN)
    town.quality_piece(journeys)
    journeys.reset(_TEN)


@shows(
    190,
    "A revocation for a missing quality piece is declined",
    "postal license.revocation-declined",
    clause="502.26, P050 2.3(f)",
)
def declined(town: Town) -> None:
    """Decline to revoke one license that was reported, and revoke another on the register's own record."""
    number = licensing.held(town.room(11)).key
    licensing.decline(town.world, number, "The mail room was under water.", by="postmaster")
    revoke(town, 12, "no-quality-piece", "")


@scene(198)
def out_for_quality(town: Town) -> None:
    """Give the device of the revoked license back."""
    withdraw(town, 12, "the license was revoked")


@scene(20)
def silent(town: Town) -> None:
    """Close two mail rooms: nobody connects their devices."""
    town.rests(town.room(13))
    town.rests(town.room(14))


@shows(
    122,
    "A device without contact for its time locks itself and prints nothing",
    "licensee print.given-up",
    clause="P050 3.4, IMI",
)
def locked(town: Town) -> None:
    """Try to print on a locked device."""
    journeys = town.room(13)
    expect(journeys.status().state == "locked", f"the device is {journeys.status().state}")
    with refused("psd.locked"):
        town.print(journeys)


procedure(
    "A locked device is opened by its next contact",
    "provider audit.taken state=locked",
    "licensee contact.made",
    clause="P050 3.4, IMI",
)


@shows(
    130,
    "No audit in three months: resets are denied until the device has connected",
    "provider resets.denied limit=device-audit",
    "provider limit.case-opened limit=device-audit",
    "provider resets.allowed limit=device-audit",
    "postal limit.case-opened limit=license-audit-ground",
    clause="502.23, P050 2.5(c)",
)
def connected_again(town: Town) -> None:
    """Connect a device after four months: the audit is made up for, and it is set again."""
    journeys = town.room(13)
    town.rests(journeys, until_told=False)
    town.connect(journeys)
    journeys.reset(_TEN)


@shows(
    125,
    "A license is revoked because its device was neither reset nor audited",
    "postal license.revoked grounds=['not-reset']",
    clause="P050 2.3(b)",
)
def revoked_unaudited(town: Town) -> None:
    """Revoke on what the register of devices shows."""
    revoke(town, 14, "not-reset", "")


@scene(129)
def out_unaudited(town: Town) -> None:
    """Give its device back."""
    withdraw(town, 14, "the license was revoked")
