"""`towncircle print --printer`: jobs to a printer instead of files.

Here: which job it is and what is shown of it. Not here: the arguments (`print`), the steps (`world.spooling`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from towncircle.cli.main import EXIT_CODES
from towncircle.cli.show import as_json, table
from towncircle.kernel.errors import TowncircleError
from towncircle.kernel.ids import JobId
from towncircle.kernel.money import Mills
from towncircle.licensee import mailroom
from towncircle.licensee.spool import standing_of
from towncircle.world import address_data, spooling

if TYPE_CHECKING:
    from towncircle.kernel.store import Record
    from towncircle.world.journeys import Journeys
    from towncircle.world.spooling import Handed


def resumed(journeys: Journeys, printer: str) -> tuple[list[Handed], list[TowncircleError]]:
    """Print the open jobs on a printer, paid ones first; one that is refused does not hold up the others."""
    done: list[Handed] = []
    refused: list[TowncircleError] = []
    for row in sorted(journeys.open_jobs(), key=lambda row: str(row.body["state"])):
        try:
            done.append(spooling.print_on(journeys, JobId(row.key), printer))
        except TowncircleError as error:
            refused.append(error)
    return done, refused


def told(journeys: Journeys, done: list[Handed], refused: Sequence[TowncircleError] = (), *, json: bool) -> int:
    """Show what was handed to a printer; the first trouble is raised, or with JSON told and the exit code.

    `refused` holds what kept open jobs from becoming entries.
    """
    with journeys.world.store(journeys.licensee).reading() as view:
        jobs = {one.entry.key: view.get("job", one.entry.body["job"]) for one in done}
    rested = {key: address_data.told(journeys, job.body) for key, job in jobs.items() if job is not None}
    left = journeys.status().registers.descending
    troubles = [*(one.trouble for one in done if one.trouble is not None), *refused]
    if json:
        rows = [
            {
                **_record(one.entry, jobs[one.entry.key]),
                "address_data": rested[one.entry.key],
                "trouble": one.trouble.as_dict() if one.trouble else None,
            }
            for one in done
        ]
        more = {"refused": [error.as_dict() for error in refused]} if refused else {}
        as_json({"jobs": rows, **more, "descending_mills": int(left)})
        return EXIT_CODES[troubles[0].kind] if troubles else 0
    for one in done:
        held = _record(one.entry, jobs[one.entry.key])
        table(
            [
                ("job", held["job"]),
                ("pieces", held["pieces"]),
                ("postage", Mills(int(str(held["total_mills"])))),
                ("printer", f"{held['printer']}, {held['state']}"),
                ("spool entry", held["entry"]),
                ("left in the device", left),
                *address_data.rows_of(rested[one.entry.key]),
            ]
        )
    if not done and not refused:
        print("No job is open.")
    for trouble in troubles:
        raise trouble
    return 0


def _record(entry: Record, job: Record | None) -> dict[str, object]:
    from towncircle.licensee.spool import numbers

    assert job is not None
    return {
        "job": job.key,
        "pieces": len(numbers(entry.body["pieces"])),
        "form": "reprint" if entry.body["again"] else mailroom.form_of(job.body),
        "total_mills": 0 if entry.body["again"] else job.body["total"],
        "printer": entry.body["printer"],
        "entry": entry.body["number"],
        "state": standing_of(entry),
    }
