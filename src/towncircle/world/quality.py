"""Quality pieces as one walks them in a world (P050 2.5(h), 502.26): forwarding a scan, and who forwarded what.

Here: the journey of one piece, a licensee's own checks, and the Provider's report of its licensees. Not here:
arguments of commands, decisions.
Kept: a piece that was interrupted is forwarded by sending its scan again, or by `Journeys.settle`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, RelayedRefusal
from towncircle.kernel.facts import Fact
from towncircle.kernel.ids import DeviceId
from towncircle.licensee import quality, trend
from towncircle.licensee.funds import held_device
from towncircle.paper import scan
from towncircle.rules.duties import Duty
from towncircle.wire.bodies import QualityFinding
from towncircle.world import guarding
from towncircle.world.outbox import ON_THE_WAY
from towncircle.world.verifying import device_of

if TYPE_CHECKING:
    from towncircle.world.journeys import Journeys
    from towncircle.world.world import World

LIMIT = "quality-piece"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Hold how a leased device stands with its pieces: the last one, the duty of today, whether resets are denied.

    `warned` and `reported` say whether the licensee was reminded and the Postal Service told under today's duty.
    """

    provider: str
    device: str
    licensee: str
    last: Fact | None
    duty: Duty
    warned: bool
    reported: bool
    denied: bool


def send(journeys: Journeys, device: DeviceId, path: Path) -> QualityFinding:
    """Forward the scan of a piece; the same file gives the first answer. Raises the Provider's refusal."""
    data = scan.read_bytes(path)
    if not scan.looks_like_a_scan(data):
        raise BadInput("quality.not-a-scan", file=path.name)
    mark = guarding.first_mark(data, path.name)  # a file that cannot be opened is told before it leaves
    piece: str = journeys.do(lambda ctx: quality.write_down(ctx, device=device, scan=data, mark=mark))
    return forward(journeys, piece)


def check(journeys: Journeys, path: Path) -> trend.Graded:
    """Grade a scan of the licensee's own piece and keep the grades; nothing is forwarded.

    Raises `BadInput` (quality.not-a-scan, quality.blank, scan.*), `Refused` (licensee.no-device).
    """
    data = scan.read_bytes(path)
    if not scan.looks_like_a_scan(data):
        raise BadInput("quality.not-a-scan", file=path.name)
    seen = guarding.sighting(data, path.name)
    if seen.blank:
        raise BadInput("quality.blank")
    device = device_of(seen.payload) or journeys.device
    digest = hashlib.sha256(data).hexdigest()
    rows = [(one.name, f"{one.found} {one.unit}", one.grade) for one in seen.measures]

    def keep(ctx: Context) -> trend.Graded:
        held_device(ctx, DeviceId(device))
        row = trend.keep_check(ctx, device=device, digest=digest, mark=seen.payload, measured=rows)
        return trend.graded_of(ctx.tx, [row])[0]

    kept: trend.Graded = journeys.do(keep)
    return kept


def forward(journeys: Journeys, piece: str) -> QualityFinding:
    """Forward a piece that was written down; one that the Provider refuses is closed."""
    try:
        finding: QualityFinding = journeys.do(lambda ctx: quality.forward(ctx, piece=piece))
    except RelayedRefusal as refusal:
        if not refusal.code.startswith(ON_THE_WAY):
            journeys.do(lambda ctx: quality.give_up(ctx, piece=piece))
        raise
    return finding


def settle(journeys: Journeys) -> None:
    """Forward what a crash left between its steps; what the Provider refuses is closed and told."""
    for piece in journeys.do(quality.open_pieces):
        forward(journeys, piece)


def standings(world: World) -> list[Standing]:
    """Give how every device that owes a piece stands with its Provider, those without a piece first."""
    from towncircle.world.deadlines import duties_of

    now, found = world.clock.now(), []
    for provider in world.config.providers:
        with world.store(provider).reading() as view:
            facts, denials = view.facts(), view.find("denial")
            owners = {row.key: row.owner for row in view.find("device")}
        denied = {row.key for row in denials if LIMIT in row.body["duties"].values()}
        done = {(fact.type, fact.body.get("duty")) for fact in facts}
        for duty in duties_of(world, provider, as_of=now):
            if duty.limit.id == LIMIT and duty.closed is None:
                pieces = [one for one in facts if (one.type, one.subject) == ("quality-piece.received", duty.thread)]
                standing = Standing(
                    provider=provider,
                    device=duty.thread,
                    licensee=owners[duty.thread],
                    last=pieces[-1] if pieces else None,
                    duty=duty,
                    warned=("limit.reminded", duty.key) in done,
                    reported=("limit.missed", duty.key) in done,
                    denied=duty.thread in denied,
                )
                found.append(standing)
    return sorted(found, key=lambda one: (one.duty.until, one.device))
