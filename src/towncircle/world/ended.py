"""The end of a device that nobody can ask any more, by its licensee's own books.

Here: what is told of it instead of its status. Not here: giving a device back (`returning`), reporting one (`missing`).
Kept: a device that is in use is never told as ended: its refusal stands.
"""

from __future__ import annotations

from dataclasses import dataclass

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.licensee import missing, returns
from towncircle.wire.bodies.checkout import EXAMINATION
from towncircle.world.journeys import Journeys
from towncircle.world.returning import OUT_OF_REACH


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Hold the end of a device that cannot be asked any more, by its licensee's own books."""

    device: DeviceId
    state: str
    sentence: str
    at: Instant

    def as_dict(self) -> dict[str, object]:
        """Give the end as a record with stable keys."""
        return {"device": self.device, "state": self.state, "sentence": self.sentence, "at": self.at.iso()}

    def standing(self) -> list[tuple[str, object]]:
        """Give the rows that say it to people."""
        return [("device", self.device), ("state", self.sentence)]


def ended(journeys: Journeys, device: DeviceId, refusal: Refused) -> Ended:
    """Tell the end of a device of the licensee's that refused to answer; raises its refusal where it is in use."""
    with journeys.world.store(journeys.licensee).reading() as view:
        case, missed = view.get("check-out", device), view.get("missing", device)
    if not refusal.code.startswith(OUT_OF_REACH):
        raise refusal
    if case is not None and case.body["state"] == returns.DONE:
        at, amount, how = Instant(case.body["at"]), Mills(case.body["amount"]), "It was given back"
        if case.body["outcome"] == EXAMINATION:
            how = "It failed, and its examination was credited"
        sentence = f"{how} on {at.iso()}: {amount} under {case.body['refund']}. It does not answer any more."
        return Ended(device=device, state="out of service", sentence=sentence, at=at)
    if missed is not None and missed.body["state"] != missing.BACK:
        at, told = Instant(missed.body["learned_at"]), missed.body["incident"] or "not yet told to the Provider"
        sentence = f"It was reported as {missed.body['event']} on {at.iso()} ({told}). It does not answer."
        return Ended(device=device, state=str(missed.body["event"]), sentence=sentence, at=at)
    raise refusal
