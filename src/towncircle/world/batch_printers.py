"""A batch on a printer: each of its parts is an entry of the spool, as any other job on a printer is.

Here: what is looked at before anything is reserved, where the file of a part is drawn, queueing and sending it, finding
out about what an interruption left. Not here: the steps of a batch (`batching`), those of one entry (`spooling`), the
states (`licensee.spool`).
Kept: a part is closed and queued in one transaction, once its file is whole in the licensee's spool; what was queued
and not sent is sent first when the batch goes on, and nothing is sent twice by itself. A printer that is not there
stops the batch before the next part; what nobody knows of a part does not, and is told at the end.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import JobId
from towncircle.kernel.store import Record
from towncircle.licensee import batches, envelopes, mailroom, printers, spool
from towncircle.licensee.looks import Drawn
from towncircle.licensee.printers import Printer
from towncircle.mailpiece.forms import form_of_piece
from towncircle.world import spooling, turns
from towncircle.world.checking import Terms
from towncircle.world.composing import Written, draw
from towncircle.world.journeys import Journeys

_DOUBT = ("printer.doubt", "printer.interrupted")


def drawn_on(journeys: Journeys, printer: str, drawn: Drawn) -> Drawn:
    """Give what the pages of a batch are drawn for: the dots of its printer, which moves them itself; else as said."""
    return Drawn(dpi=_profile(journeys, printer).dpi) if printer else drawn


def check(journeys: Journeys, printer: str, terms: Terms, parts: Iterable[Sequence[Mapping[str, Any]]]) -> None:
    """See that a printer can print a batch: it holds the form, and a page of each form can be drawn for it.

    Raises `Refused` (printer.unknown, printer.other-form, paper.*).
    """
    if not printer:
        return
    profile, seen = _profile(journeys, printer), set[str]()
    for pieces in parts:
        for piece in pieces:
            key = form_of_piece(piece).key
            if key in seen:
                continue
            seen.add(key)
            body = {
                "device": journeys.device,
                "layout": terms.layout,
                **terms.design,
                "pieces": [piece],
                "numbers": [1],
            }
            if "stock" in body:
                body["start"] = terms.template.start
            spooling.check_form(profile, Record(kind="job", key="", owner="", version=0, body=body))
            stationery = terms.shared.put_together()
            draw(envelopes.proofs(body, stationery, [1]), profile, io.BytesIO(), title="")


class ToPrinter:
    """Take the parts of one batch to its printer; `patient`: whatever a printer does, the batch goes on."""

    def __init__(self, journeys: Journeys, name: str, *, patient: bool = False) -> None:
        self._journeys, self._name, self._patient = journeys, name, patient
        self.profile: Printer = _profile(journeys, name)
        self.folder = spooling.folder_of(journeys)
        self._troubles: dict[int, Refused] = {}

    def hand_over(self, row: Record, written: Written) -> None:
        """Close a part whose file is whole, queue it and send it. Raises as `mailroom.printed` and `send`."""
        told: dict[str, int | str] = {"sha256": written.sha256, "bytes": written.size}

        def queued(ctx: Context) -> Record:
            held = ctx.tx.find("spool", owner=row.key)
            if held:
                return held[0]
            mailroom.printed(ctx, job=JobId(row.key), files=[written.file], **told)
            every = range(1, len(row.body["pieces"]) + 1)
            return spool.queue(ctx, job=row, pieces=every, printer=self._name, file=written.file, digest=written.sha256)

        entry: Record = self._journeys.do(queued)
        self._send(entry.body["number"])

    def send_waiting(self, batch: Record) -> None:
        """Send what an interruption left queued, and find out about what it left under way. Raises as the way does."""
        with self._journeys.world.store(self._journeys.licensee).reading() as view:
            entries = [row for job in batches.jobs_of(batch) for row in view.find("spool", owner=job)]
        for row in entries:
            if row.body["state"] in (spool.QUEUED, spool.SENDING):
                self._send(row.body["number"])

    def take_back(self, job: str) -> None:
        """Take away the file of a part whose pieces were sent in for a refund."""
        (self.folder / f"{job}.{self.profile.language}").unlink(missing_ok=True)

    def _send(self, number: int) -> None:
        try:
            trouble = spooling.send(self._journeys, number, wait_s=turns.WAIT_S).trouble
        except Refused as under_way:  # somebody else sends, and for long
            trouble = under_way
        if trouble is None:
            return
        self._troubles[number] = trouble
        if trouble.code not in _DOUBT and not self._patient:
            raise trouble

    def troubles_of(self, batch: Record) -> tuple[Refused, ...]:
        """Tell the trouble of each entry of a batch that nobody knows the end of, also of an earlier run."""
        told = dict(self._troubles)
        for row in entries_of(self._journeys, batch):
            if row.body["state"] == spool.UNKNOWN:
                told.setdefault(row.body["number"], Refused("printer.interrupted", entry=row.body["number"]))
        return tuple(told[number] for number in sorted(told))


def entries_of(journeys: Journeys, batch: Record) -> list[Record]:
    """Give the entries of the spool that a batch made, in their order."""
    with journeys.world.store(journeys.licensee).reading() as view:
        return [row for job in batches.jobs_of(batch) for row in view.find("spool", owner=job)[:1]]


def _profile(journeys: Journeys, name: str) -> Printer:
    with journeys.world.store(journeys.licensee).reading() as view:
        return printers.printer_of(view, name)
