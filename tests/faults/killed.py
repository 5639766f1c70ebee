"""Worlds that get SIGKILL in the middle of a journey, and what must be true of them when they are opened again.

A journey is walked in a forked child of this process, whose world is wrapped by `towncircle.testing.rehearsal_world`:
a real process and a real SIGKILL, without the cost of starting an interpreter for each point.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from towncircle.auditor.auditing import audit
from towncircle.kernel import persons
from towncircle.kernel.ids import DeviceId, JobId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.ledger import BANK as BANK_CHART
from towncircle.ledger import LICENSEE as LICENSEE_CHART
from towncircle.ledger import POSTAL as POSTAL_CHART
from towncircle.ledger import Books
from towncircle.ledger.entries import Entry
from towncircle.ledger.reconcile import reconcile
from towncircle.licensee.mailroom import POSTAGE, REDATE, form_of
from towncircle.mailpiece.address_files import public_addresses
from towncircle.testing.rehearsal_world import APPROVER, PIECES, in_process, rehearse
from towncircle.world import printing, returning
from towncircle.world.config import BANK, POSTAL
from towncircle.world.exporting import export
from towncircle.world.journeys import Applicant, Journeys
from towncircle.world.world import Wiring, World

LICENSEE, HARBOR = "licensee.mailroom", "provider.harbor"
START = Instant.parse("2026-11-23T14:00Z")
DEPOSIT, FIRST, SECOND = Mills.dollars(600), Mills.dollars(200), Mills.dollars(100)


@contextmanager
def opened(folder: Path) -> Iterator[Journeys]:
    """Open a world as a user does after a crash, with its devices in this process."""
    world = World.open(folder, Wiring(make_port=in_process(folder)))
    try:
        yield Journeys(world)
    finally:
        world.close()


def prepared(folder: Path, *, up_to: str) -> Path:
    """Make a world in which the journeys up to one are done."""
    World.create(folder, regime="imi-2024", seed=7, start=START).close()
    with opened(folder) as journeys:
        steps = {
            "apply": lambda: journeys.apply(Applicant(), provider=HARBOR),
            "lease": journeys.lease,
            "deposit": lambda: journeys.deposit(DEPOSIT),
            "reset": lambda: journeys.reset(FIRST),
            "request": lambda: ask_transfer(journeys),
            "print": lambda: printed_yesterday(journeys, folder),
        }
        for name, step in steps.items():
            if up_to == "nothing":
                break
            step()
            if name == up_to:
                break
    return folder


def ask_transfer(journeys: Journeys) -> None:
    """Authorise two persons; one of them asks for a transfer."""
    for name in ("anna", APPROVER):
        journeys.do(lambda ctx, name=name: persons.authorise(ctx, name=name))  # type: ignore[misc]  # bound at once
    returning.request_transfer(journeys, by="anna", reason="the display is broken")


def printed_yesterday(journeys: Journeys, folder: Path) -> None:
    """Print pieces and let a day go by, so that they may be redated; the device is in touch with its Provider."""
    printing.print_job(journeys, public_addresses()[:PIECES], folder / "yesterday", formats=("pdf",))
    journeys.world.advance("1d")
    journeys.contact()


def folder_in_memory() -> Path:
    """Give a folder for worlds, in memory where the machine has one: a SIGKILL takes nothing from the system's cache.

    The stores sync after every commit, and on a disk the sweep would mostly wait for that.
    """
    shared = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="towncircle-", dir=shared if os.access(shared, os.W_OK) else None))


def killed(template: Path, folder: Path, journey: str, point: int, amount: Mills) -> Path:
    """Copy a prepared world and walk a journey in it that gets SIGKILL at a point."""
    shutil.copytree(template, folder)
    child = os.fork()
    if child == 0:
        try:
            rehearse(folder, journey, amount=amount, out=folder / "printed", kill_at=point)
        finally:
            os._exit(1)  # the journey ended, well or not, before the kill
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"point {point} of {journey} was not reached"
    assert os.WTERMSIG(status) == signal.SIGKILL
    return folder


def facts_of_money(journeys: Journeys) -> dict[str, object]:
    """Gather everything about money that a settled world must agree on, and assert that it does."""
    world = journeys.world
    with world.store(HARBOR).reading() as view:
        books = Books(view)
        books.check()
        equation = books.equation(LICENSEE)
        account = books.balance(f"account/{LICENSEE}")
        provider = books.entries()
        devices = {row.key: (row.body["open_reset"], row.body["frozen"]) for row in view.find("device")}
        resets = {row.key: row.body["state"] for row in view.find("reset")}
        held = {device: books.device(LICENSEE, device) for device in devices}
    with world.store(POSTAL).reading() as view:
        Books(view, POSTAL_CHART).check()
        trust = Books(view, POSTAL_CHART).balance(f"trust/{HARBOR}/{LICENSEE}")
        postal = [Entry.from_dict(body) for body in view.entries()]
        copies = {row.key: (row.body["ascending"], row.body["descending"]) for row in view.find("device")}
    with world.store(BANK).reading() as view:
        Books(view, BANK_CHART).check()
        at_bank = Books(view, BANK_CHART).balance(f"held/{HARBOR}/{LICENSEE}")
        bank = [Entry.from_dict(body) for body in view.entries()]
    assert reconcile(providers={HARBOR: provider}, postal=postal, bank=bank).differences == ()
    registers = {}
    for device, (open_reset, frozen) in devices.items():
        with world.shelf.client(DeviceId(device)) as client:
            status = client.status()
        assert (status.registers.ascending, status.registers.descending) == (
            held[device].ascending,
            held[device].descending,
        )
        assert held[device].in_transit == 0
        assert status.open_request == ""
        assert (open_reset, frozen) == ("", "")
        assert copies[device] == (status.registers.ascending, status.registers.descending)
        registers[device] = (status.registers, status.resets_total)
    with world.store(LICENSEE).reading() as view:
        own = Books(view, LICENSEE_CHART)
        own.check()
        for device, (_, resets_total) in registers.items():
            assert own.turnover(f"in-device/{LICENSEE}/{device}")[0] == resets_total
    assert account == trust
    assert set(resets.values()) <= {"posted", "voided"}
    return {
        "account": account,
        "at the bank": at_bank,
        "deposits": equation.left_sum,
        "registers": registers,
        "resets": resets,
    }


def nothing_waits(journeys: Journeys) -> None:
    """Assert that no party has a message in its outbox, and none that was refused.

    But for the certificates of a device whose lease ran out before it was prepared: nobody needs them any more.
    """
    for party in journeys.world.config.parties:
        with journeys.world.store(party).reading() as view:
            rows = [(row.key, row.body["state"]) for row in view.find("outgoing")]
        abandoned = {f"certificates {device}" for device in journeys.world.shelf.devices()[:-1]}
        rows = [row for row in rows if row[0] not in abandoned or row[1] != "refused"]
        assert [row for row in rows if row[1] not in ("answered", "delivered")] == []


def prints_agree(journeys: Journeys) -> None:
    """Assert that every job is over, its reservation settled, its indicia the device's own and no two alike."""
    with journeys.world.store(journeys.licensee).reading() as view:
        jobs, reservations = view.find("job"), {row.key: row.body for row in view.find("reservation")}
        departments = view.find("department")
    seen: list[str] = []
    spent = 0
    for job in jobs:
        assert job.body["state"] in ("printed", "given up")
        assert reservations[job.key]["state"] == "settled"
        if form_of(job.body) == REDATE:
            assert (reservations[job.key]["spent"], job.body["indicia"]) == (0, [])
            continue
        if job.body["state"] == "printed":
            with journeys.world.shelf.client(DeviceId(job.body["device"])) as client:
                assert [mark.hex() for mark in client.recover(job.key).indicia()] == job.body["indicia"]
            seen += job.body["indicia"]
            spent += job.body["total"]
        assert reservations[job.key]["spent"] == (job.body["total"] if job.body["state"] == "printed" else 0)
    assert len(seen) == len(set(seen))
    assert all(row.body["reserved"] == 0 for row in departments)
    assert sum(row.body["spent"] for row in departments) == spent
    assert journeys.status().registers.ascending == spent
    assert journeys.status().registers.pieces == len(seen)


def corrections_agree(journeys: Journeys) -> None:
    """Assert that what stands on a piece's job is what its corrections' jobs have, and no piece is overpaid."""
    with journeys.world.store(journeys.licensee).reading() as view:
        jobs = {row.key: row.body for row in view.find("job")}
        told = [fact.subject for fact in view.facts() if fact.type in ("date.corrected", "postage.corrected")]
    made = {key for key, body in jobs.items() if form_of(body) != POSTAGE and body["state"] == "printed"}
    assert sorted(told) == sorted(made)
    tied = [
        job
        for body in jobs.values()
        for name in ("redates", "additions")
        for held in body.get(name, {}).values()
        for job, _ in held
    ]
    assert set(tied) == made
    for key in made:
        for piece in jobs[key]["pieces"]:
            assert form_of(jobs[key]) == REDATE or piece["paid"] + piece["amount"] == piece["due"]


def audited(journeys: Journeys, out: Path) -> None:
    """Assert that the auditor, who has only the export, finds no difference."""
    assert export(journeys.world, out).quiet
    report = audit(out, root=journeys.world.config.root)
    assert [str(difference) for difference in report.differences] == []


def audited_midway(journeys: Journeys, out: Path) -> None:
    """Assert that the auditor finds no difference in what the kill left, as it lies there."""
    export(journeys.world, out)
    report = audit(out, root=journeys.world.config.root)
    assert [str(difference) for difference in report.differences] == []


def jobs_open(journeys: Journeys) -> list[JobId]:
    return [JobId(row.key) for row in journeys.open_jobs()]
