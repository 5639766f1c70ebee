"""The duties of Intelligent Mail Indicia at hosts and in fleets: each is broken, and the refusal names its clause."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conformance.breaking import refused
from tests.journeys.test_journeys import PEOPLE

from towncircle.kernel import persons
from towncircle.kernel.ids import JobId
from towncircle.licensee import departments, pins, usage
from towncircle.world import printing
from towncircle.world.departments import Payer, prove
from towncircle.world.journeys import Journeys


@pytest.mark.requirement("IMI-05/3")
def test_without_the_pin_nobody_incurs_expense_for_a_department(journeys: Journeys, tmp_path: Path) -> None:
    job = journeys.new(JobId.new)
    journeys.do(lambda ctx: persons.authorise(ctx, name="ann"))
    journeys.do(lambda ctx: departments.admit(ctx, department="mailroom", name="ann", admitted=True))
    journeys.do(lambda ctx: pins.set_pin(ctx, name="ann", pin="27182"))
    for payer, code in (
        (Payer(), "department.pin-needed"),
        (Payer(person="ann"), "pin.needed"),
    ):
        with refused("IMI-05", code):
            journeys.do(
                lambda ctx, payer=payer: departments.check_person(
                    ctx, department="mailroom", person=payer.person, job=job
                )
            )
    with refused("IMI-05", "pin.wrong"):
        printing.print_job(journeys, PEOPLE, tmp_path / "out", payer=Payer(person="ann", pin="31415"))
    for _ in range(pins.MOST_TRIES - 1):
        with refused("IMI-05", "pin.wrong"):
            prove(journeys, Payer(person="ann", pin="31415"), job=job)
    with refused("IMI-05", "pin.wait"):
        prove(journeys, Payer(person="ann", pin="27182"), job=job)


@pytest.mark.requirement("IMI-06")
def test_a_report_of_usage_that_would_not_add_up_is_refused(journeys: Journeys) -> None:
    with journeys.world.store(journeys.licensee).transaction() as tx, refused("IMI-06", "usage.nothing"):
        usage.trends(tx)
