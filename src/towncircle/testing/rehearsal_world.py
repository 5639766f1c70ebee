"""A world that kills itself at a chosen point: `python -m towncircle.testing.rehearsal_world DIR JOURNEY ...`.

Here: a journey walked in a world whose every store commit, message and device write is a numbered point. Without
`--kill-at` it prints how many points the journey has and their names (the recorded rehearsal); with `--kill-at N` the
process sends itself SIGKILL at point N. Not here: what is done afterwards (`Journeys.settle`, `printing.finish_job`).
Kept: production code runs unchanged; only its stores, its transport and its devices' memories are wrapped. Devices are
opened in this process, so that the kill takes them too, in the middle of their own writes.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path

from towncircle.kernel.ids import DeviceId, JobId
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Store, Transaction
from towncircle.licensee.corrections import Redate, Shortpaid
from towncircle.licensee.mailroom import POSTAGE, form_of
from towncircle.mailpiece import templates
from towncircle.mailpiece.address_files import public_addresses
from towncircle.psd.device import Device
from towncircle.psd.memory import Change, Memory, Record
from towncircle.psd.process import open_device
from towncircle.psd.state import DeviceState
from towncircle.testing.walks import WALKS
from towncircle.transport import Transport
from towncircle.world import batching, printing, returning
from towncircle.world.clock import FILE as CLOCK_FILE
from towncircle.world.config import WorldConfig
from towncircle.world.journeys import Journeys
from towncircle.world.world import Wiring, World

JOURNEYS = (
    *("apply", "lease", "deposit", "reset", "contact", "examine", "print", "withdraw", "transfer"),
    *("redate", "correct", "reprint", "batch", *WALKS),
)
PIECES = 2
BATCHED = 3
APPROVER = "ben"  # who approves the transfer that stands requested in the world


class Points:
    """Count the points of a journey and name them; at the point `kill_at` (counted from 1) call `die`."""

    def __init__(self, kill_at: int = 0, die: Callable[[], None] | None = None) -> None:
        self.names: list[str] = []
        self._kill_at, self._die = kill_at, die or _die

    def reach(self, name: str) -> None:
        """Reach a point."""
        self.names.append(name)
        if len(self.names) == self._kill_at:
            self._die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class RehearsedStore:
    """Wrap a party's store: each commit is a point before it and a point after it."""

    def __init__(self, inner: Store, party: str, points: Points) -> None:
        self._inner, self._party, self._points = inner, party, points

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open a transaction of the wrapped store."""
        with self._inner.transaction() as tx:
            yield tx
            self._points.reach(f"{self._party}: before a commit")
        self._points.reach(f"{self._party}: after a commit")

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Open a view of the wrapped store."""
        with self._inner.reading() as view:
            yield view

    def close(self) -> None:
        """Close the wrapped store where it holds a file."""
        with suppress(AttributeError):
            self._inner.close()  # type: ignore[attr-defined]  # a store in memory has nothing to close


class RehearsedTransport:
    """Wrap a transport: before a message goes and after its reply came are points."""

    def __init__(self, inner: Transport, points: Points) -> None:
        self._inner, self._points = inner, points

    def send(self, audience: str, raw: bytes) -> bytes:
        """Deliver the message and give the reply."""
        self._points.reach(f"to {audience}: before it is sent")
        reply = self._inner.send(audience, raw)
        self._points.reach(f"to {audience}: after the reply came")
        return reply


class RehearsedMemory:
    """Wrap a device's memory: each commit is a point before it and a point after it."""

    def __init__(self, inner: Memory, points: Points) -> None:
        self._inner, self._points = inner, points

    def load(self, ids: Iterable[DeviceId]) -> Mapping[DeviceId, DeviceState]:
        """Give the states of the devices that are kept."""
        return self._inner.load(ids)

    def commit(self, changes: Sequence[Change]) -> None:
        """Keep the changes."""
        self._points.reach("device: before a commit")
        self._inner.commit(changes)
        self._points.reach("device: after a commit")

    def record(self, device: DeviceId, *, kind: str, request_id: str) -> Record | None:
        """Give the record of a request, or None."""
        return self._inner.record(device, kind=kind, request_id=request_id)

    def records(self, device: DeviceId) -> Iterable[Record]:
        """Give all records of a device, oldest first."""
        return self._inner.records(device)

    def forget_keys(self) -> None:
        """Leave no older copy of a state behind."""
        self._inner.forget_keys()

    def close(self) -> None:
        """Let go of the store."""
        self._inner.close()


def in_process(folder: Path, around: Callable[[Memory], Memory] = lambda memory: memory) -> Callable[[Path], Device]:
    """Give the maker of ports to devices of a world that run in this process; `around` may wrap their memories."""
    seed = WorldConfig.read(folder).seed
    return lambda place: open_device(place, clock_file=folder / CLOCK_FILE, seed=seed, around=around)


def rehearsed(folder: Path, points: Points) -> World:
    """Open a world whose stores, messages and devices reach points."""
    wiring = Wiring(
        store=lambda store, party: RehearsedStore(store, party, points),
        transport=lambda transport: RehearsedTransport(transport, points),
        make_port=in_process(folder, lambda memory: RehearsedMemory(memory, points)),
    )
    return World.open(folder, wiring)


def walk(journeys: Journeys, journey: str, *, amount: Mills, out: Path, points: Points | None = None) -> None:
    """Walk one journey in an opened world; a print writes its files into `out`."""
    match journey:
        case "apply":
            from towncircle.world.journeys import Applicant

            journeys.apply(Applicant(), provider=journeys.world.config.providers[0])
        case "lease":
            journeys.lease()
        case "deposit":
            journeys.deposit(amount)
        case "reset":
            journeys.reset(amount)
        case "contact":
            journeys.contact()
        case "withdraw":
            returning.withdraw(journeys, reason="no longer wanted")
        case "transfer":
            returning.approve_transfer(journeys, by=APPROVER)
        case "examine":
            from towncircle.world.examinations import examine

            examine(journeys.world, journeys.device)
        case _ if journey in WALKS:
            WALKS[journey](journeys)
        case _:
            _walk_print(journeys, journey, out, points or Points())


def _walk_print(journeys: Journeys, journey: str, out: Path, points: Points) -> None:
    """Print pieces or a batch of them, or correct or reprint those of the first job that printed any."""

    def progress(what: str, done: int, of: int) -> None:
        points.reach(f"{journey}: {what} {done} of {of}")

    if journey == "batch":
        batching.print_batch(journeys, batch_wish(out), out, progress=progress)
        return
    if journey == "print":
        printing.print_job(journeys, public_addresses()[:PIECES], out, progress=progress)
        return
    with journeys.world.store(journeys.licensee).reading() as view:
        job = JobId(next(row.key for row in view.find("job") if form_of(row.body) == POSTAGE))
    day = journeys.today()
    if journey == "redate":
        printing.redate_job(journeys, Redate(job=job, mailing_date=day), out, progress=progress)
    elif journey == "correct":
        heavy = Shortpaid(job=job, mailing_date=day, weight_oz=Fraction(3))
        printing.correct_job(journeys, heavy, out, progress=progress)
    else:
        printing.reprint_job(journeys, job, (), out, progress=progress)


def batch_wish(out: Path) -> batching.Wish:
    """Give a batch of three parts, a piece each, which may have the device reset on the way; its list lies in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    source = out / "list.csv"
    source.write_text(
        "name,street,city,state,zip\n"
        + "".join(f"Desk {number},475 L'Enfant Plaza SW,Washington,DC,20260\n" for number in range(1, BATCHED + 1)),
        encoding="utf-8",
    )
    template = templates.Template(name="rehearsal", pieces_per_file=1)
    return batching.Wish(source=source, template=template, refill=True)


def rehearse(folder: Path, journey: str, *, amount: Mills, out: Path, kill_at: int = 0) -> list[str]:
    """Open the world, walk the journey and give the names of its points, if the process lives that long."""
    points = Points(kill_at)
    world = rehearsed(folder, points)
    walk(Journeys(world), journey, amount=amount, out=out, points=points)
    world.close()
    return points.names


def run(argv: list[str]) -> int:
    """Run the rehearsal and give its exit code, if it lives that long."""
    parser = argparse.ArgumentParser(prog="towncircle.testing.rehearsal_world", description="Kill a world on purpose.")
    parser.add_argument("world", type=Path, metavar="DIR")
    parser.add_argument("journey", choices=JOURNEYS)
    parser.add_argument("--amount", default="100", metavar="DOLLARS", help="of a deposit or a reset")
    parser.add_argument("--kill-at", type=int, default=0, metavar="N", help="the point (from 1) that gets SIGKILL")
    parser.add_argument("--out", type=Path, default=None, metavar="DIR", help="where a print writes its files")
    args = parser.parse_args(argv)
    out = args.out or args.world / "printed"
    names = rehearse(args.world, args.journey, amount=Mills.parse(args.amount), out=out, kill_at=args.kill_at)
    sys.stdout.write(json.dumps({"points": len(names), "names": names}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
