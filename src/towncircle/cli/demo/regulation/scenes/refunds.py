"""Refunds of unused postage (502.27(a), P050 3.3(b)): granted, annotated, sampled, destroyed, refused.

Mail rooms: 27 granted, 28 refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from towncircle.cli.demo.regulation.procedures import scene, shows
from towncircle.cli.demo.stage import expect
from towncircle.world import refunding

if TYPE_CHECKING:
    from towncircle.cli.demo.regulation.town import Town


def _certified(town: Town, number: int) -> str:
    """Print three pieces, mail one of them, send all in, and have them scanned and certified; give the refund."""
    journeys = town.room(number)
    town.connect(journeys)
    town.fund(journeys)
    town.authorise(journeys.licensee, "dora")
    printed = town.print(journeys, 3)
    town.connect(journeys)
    pieces = tuple(bytes.fromhex(piece) for piece in printed.job.body["indicia"])
    town.scan(pieces[0])
    refund = refunding.submit(journeys, pieces, by="dora").refund
    refunding.scan(town.world, refund, pieces, by="ann")
    refunding.certify(town.world, refund, by="ben")
    town.notes[f"refund of {number}"] = refund
    town.notes[f"envelopes of {number}"] = " ".join(piece.hex() for piece in pieces)
    return refund


@shows(
    52,
    "Unused postage is refunded; a piece that was mailed is annotated",
    "provider unused.refunded",
    "licensee refund.claimed",
    "provider form-3533.filed",
    "provider refund.scanned annotated=1",
    "provider form-3533.sent",
    "postal form-3533.received",
    "postal refund.decided outcome=granted",
    "licensee refund.credited",
    clause="502.27(a), P050 3.3(b)",
)
def granted(town: Town) -> None:
    """Decide a refund as the MATS coordinator; the account is credited."""
    refund = _certified(town, 27)
    refunding.decide(town.world, refund, by="mats")
    told = refunding.follow(town.room(27), refund)
    expect(told.state == "credited", f"the refund is {told.state}")


@shows(
    58,
    "Kept envelopes are sampled",
    "postal refund.sampled outcome=regular",
    "postal refund.sample-asked",
    "provider refund.sample-asked",
    "provider refund.sample-shown",
    clause="502.27(a)(7)",
)
def sampled(town: Town) -> None:
    """Ask for an envelope within its forty-five days; the Provider scans what it has and shows it."""
    refund = town.notes["refund of 27"]
    refunding.sample(town.world, refund, by="olaf")
    kept = tuple(map(bytes.fromhex, town.notes["envelopes of 27"].split()))
    (told,) = refunding.show(town.world, refund, kept, by="cleo")
    expect(told.outcome == "regular", f"the sample is {told.outcome}")


@shows(
    103,
    "Refunded envelopes are destroyed after their retention",
    "provider refunded-envelopes.destroyed",
    clause="502.27(a)(7)",
)
def destroyed(town: Town) -> None:
    """Destroy the envelopes when they need not be kept any more."""
    refunding.destroy(town.world, town.notes["refund of 27"], by="cleo")


@shows(
    54,
    "A refund is refused by the MATS coordinator",
    "postal refund.decided outcome=refused",
    "provider refund.refused",
    "licensee refund.refused",
    clause="502.27(a)(6)",
)
def turned_down(town: Town) -> None:
    """Refuse a refund with its reason."""
    refund = _certified(town, 28)
    refunding.decide(town.world, refund, by="mats", refuse="The pieces were found in a mail sack.")
    refunding.follow(town.room(28), refund)


@scene(105)
def kept_too(town: Town) -> None:
    """Destroy the envelopes of the other refund too."""
    refunding.destroy(town.world, town.notes["refund of 28"], by="cleo")
