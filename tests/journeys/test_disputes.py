"""A credit that the books do not explain: it is asked for anew each day, and a person may accept it, on record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.journeys.stories import HARBOR, MAILROOM, PEOPLE, mailer, refused
from tests.journeys.test_away import debited, written
from tests.journeys.test_balances import case_of, held_back, job_of, out_of_reach

from towncircle.cli.main import main
from towncircle.kernel import persons
from towncircle.kernel.cites import cites
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.ledger import LICENSEE, Books
from towncircle.licensee import returns
from towncircle.world import returning
from towncircle.world.journeys import Journeys
from towncircle.world.world import World


def stated(journeys: Journeys, device: DeviceId) -> Mills:
    """Settle, and give what stands as stated for the device in dispute."""
    journeys.settle()
    held = journeys.do(lambda ctx: returns.case(ctx, device=device))
    told = returns.disputed(held)
    assert told is not None
    return told[0]


@cites("502.27b/1", "P050-3.3c")
def test_a_dispute_is_asked_anew_each_day_and_ends_where_a_person_accepts_the_figure(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    journeys.do(lambda ctx: persons.authorise(ctx, name="ann"))
    paid = journeys.plan(PEOPLE)
    total = debited(journeys, paid)
    device = held_back(journeys)
    case = journeys.do(lambda ctx: returns.case(ctx, device=device))
    written(journeys, "check-out", device, {name: value for name, value in case.body.items() if name != "given"})
    written(journeys, "job", paid, {**job_of(journeys, paid).body, "state": "given up"})
    credited = Mills.dollars(200) - total
    with out_of_reach(world, device, tmp_path):
        returning.sign_form(world, device, by="officer")
        returning.arrange(world, device, by="mats")
        for _ in range(2):  # the second answer is that of the day
            assert stated(journeys, device) == credited
        with world.store(HARBOR).transaction() as tx:
            held = tx.get("check-out", device)
            assert held is not None
            less = {**held.body, "amount": int(credited) - 10}
            tx.put("check-out", device, less, owner=held.owner, expected=held.version)
        assert stated(journeys, device) == credited  # what was answered today is the answer of today
        world.advance("24h")
        credited -= Mills(10)
        assert stated(journeys, device) == credited
        for amount, who, code in (
            (Mills.dollars(200), "ann", "licensee.not-disputed"),
            (credited, "bob", "person.unknown"),
        ):
            with refused(code):
                journeys.do(lambda ctx: returns.accept(ctx, device=device, amount=amount, reason="x"), actor=who)  # noqa: B023  # done at once
        world.close()
        asked = ["withdraw", str(world.folder), "--device", device, "--accept", str(credited), "--json"]
        assert main(asked) == 2
        assert json.loads(capsys.readouterr().out)["error"]["code"] == "cli.argument-astray"
        assert main([*asked, "--by", "ann", "--reason", "its paper says so too"]) == 0
        assert json.loads(capsys.readouterr().out)["credited_mills"] == int(credited)
        again = Journeys(World.open(world.folder))
        assert case_of(again, device) == returns.DONE
        with again.world.store(MAILROOM).reading() as view:
            (fact,) = [one for one in view.facts() if one.type == "check-out.accepted"]
            assert Books(view, LICENSEE).balance(f"in-device/{MAILROOM}/{device}") == Mills.dollars(200) - credited
        assert (fact.actor, fact.body["stated"], fact.body["gave"]) == ("ann", int(credited), 200_000)
        again.world.close()
