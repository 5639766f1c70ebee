"""One rule set after another, and who comes later (IMI-08, 502.20(e), 502.25(a)).

Mail rooms: 39 leased its device under the earlier rule, on the eve of the year (`year`); 40 comes when the year has
begun, and loses the line in a reset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from towncircle.cli.demo.regulation.procedures import scene, shows
from towncircle.cli.demo.regulation.scenes.licenses import withdraw
from towncircle.cli.demo.regulation.town import EARLIER, LATER, PROVIDER, name_of, refused
from towncircle.cli.demo.stage import expect
from towncircle.kernel.money import Mills
from towncircle.licensee import funds
from towncircle.provider import upkeep
from towncircle.provider.inventory import device_record
from towncircle.wire.bodies import ResetStanding
from towncircle.world import refunding
from towncircle.world.enrolling import enrol

if TYPE_CHECKING:
    from pathlib import Path

    from towncircle.cli.demo.regulation.town import Town
    from towncircle.kernel.context import Context
    from towncircle.kernel.store import Record
    from towncircle.verification import Verdict

_FIVE, _TEN = Mills.dollars(5), Mills.dollars(10)
_OVER = 92  # the day on which the request of day 60 is good no more (`psd.resetting`)


@shows(
    9,
    "A device of a system that was decertified is denied postage and withdrawn from service",
    "postal device.decertified",
    "postal device.inactive",
    "postal regime.adopted",
    "provider custody.checked_out",
    clause="IMI-08",
    needs="decertified_on",
)
def decertified(town: Town) -> None:
    """Ask for a reset of a device that was leased under the earlier rule, in vain, and give it back."""
    journeys = town.room(EARLIER)
    town.notes["earlier"] = journeys.device
    if "decertified_on" not in town.world.rules.parameters:
        return  # nothing was before this rule set
    town.connect(journeys)
    with refused("provider.resets-denied"):
        journeys.reset(_TEN)
    withdraw(town, EARLIER, "its system is decertified")


@shows(
    8,
    "A piece of a decertified system is refused at the facility",
    "postal scan.recorded verdict=INVALID device=@device.inactive",
    clause="IMI-09",
    needs="decertified_on",
)
def not_postage(town: Town) -> None:
    """Mail a piece that was printed before the rule set of the year."""
    if "decertified_on" not in town.world.rules.parameters:
        return  # nothing was before this rule set
    mailed, _ = town.notes["earlier pieces"].split()
    found = town.judge(bytes.fromhex(mailed))
    expect("regime.valid-through" in _bad(found), f"the piece is {found.verdict}")


@shows(
    10,
    "Unused postage of a decertified system is not refunded",
    "provider refund.scanned annotated=1 pieces=1",
    clause="IMI-09, 502.27(a)",
    needs="decertified_on",
)
def not_refunded(town: Town) -> None:
    """Send the other piece in: it is annotated, and nothing is certified."""
    if "decertified_on" not in town.world.rules.parameters:
        return  # nothing was before this rule set
    journeys = town.room(EARLIER)
    _, unused = (bytes.fromhex(piece) for piece in town.notes["earlier pieces"].split())
    town.authorise(journeys.licensee, "dora")
    refund = refunding.submit(journeys, (unused,), by="dora").refund
    refunding.scan(town.world, refund, (unused,), by="ann")
    with refused("refund.nothing-qualifies"):
        refunding.certify(town.world, refund, by="ben")


def _bad(found: Verdict) -> set[str]:
    return {one.code for one in found.findings if one.ok is False}


@scene(300)
def form_kept(town: Town) -> None:
    """Ask to destroy a Form 3601-C that is not a year old."""
    with refused("custody.form-kept"):
        _let_go(town)


@shows(
    361, "A Form 3601-C that was kept for its year is destroyed", "provider form-3601-c.destroyed", clause="502.20(e)"
)
def form_destroyed(town: Town) -> None:
    """Destroy the oldest form, which was filed on the eve of the year."""
    _let_go(town)


def _let_go(town: Town) -> None:
    def job(ctx: Context, *, device: str) -> Record:
        upkeep.let_form_go(ctx, town.world.rules, device=device)
        return device_record(ctx, device)

    town.provider(town.notes["earlier"], job, act="custody let-go")


@shows(
    13,
    "A licensee comes into an installation that is at work already",
    "postal party.enrolled",
    "postal license.issued licensee=" + name_of(LATER),
    clause="house; P050 2.1",
)
def comes(town: Town) -> None:
    """Enrol a mail room, license it, and lease and set its device."""

    def enrolled(folder: Path) -> object:
        return enrol(folder, name_of(LATER))

    town.apart(enrolled)
    town.open(LATER)


@scene(60)
def line_dead(town: Town) -> None:
    """Lose the Provider's authorisation of a reset; the mail room closes, and asks only where its reset stands."""
    journeys = town.room(LATER)
    town.connect(journeys)
    town.line.lose(PROVIDER, reply=1)
    with refused("transport.unreachable"):
        journeys.reset(_FIVE)
    town.rests(journeys)
    told = journeys.do(lambda ctx: funds.ask_reset(ctx, device=journeys.device))
    expect(isinstance(told, ResetStanding) and told.state == "reserved", f"the reset is told of as {told}")


@shows(
    _OVER,
    "A reset whose authorisation came too late is voided by the device's own word",
    "provider reset.voided",
    "provider reset.reserved",
    clause="502.25(a)",
)
def voided(town: Town) -> None:
    """Connect when the request has run out: the device is told, and its next audit gives the money back."""
    journeys = town.room(LATER)
    town.rests(journeys, until_told=False)
    for _ in range(2):
        town.connect(journeys)
    journeys.reset(_FIVE)
