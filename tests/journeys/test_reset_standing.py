"""Where a reset stands, in human words, in each state that a bad network can leave it in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.journeys.stories import mailer, new_world, reopened

from towncircle.cli.main import main
from towncircle.kernel.cites import cites
from towncircle.kernel.money import Mills
from towncircle.world.journeys import Journeys

HARBOR = "provider.harbor"


@cites("502.25a", "P050-3.5c")
def test_a_reset_is_told_of_in_each_state_and_asking_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "w"
    world = new_world(place)
    journeys = mailer(world, deposit=300, reset=0)

    def told(word: str, words: str) -> None:
        journeys.world.close()
        capsys.readouterr()
        assert main(["reset", str(place), "--status", "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert (answer["reset"], words in answer["sentence"]) == (word, True), answer

    def open_again() -> Journeys:
        return Journeys(reopened(place))

    told("none", "No reset was ever asked for")
    journeys = open_again()
    with journeys.world.shelf.client(journeys.device) as client:
        request = client.request_reset(Mills.dollars(100)).message
    told("unknown", "Nothing is reserved for the reset of $100.00")
    journeys = open_again()
    journeys.world.desk(HARBOR).receive(request)  # and the authorisation was lost
    for _ in range(2):
        told("reserved", "Credit pending: the reset of $100.00 will finish at the next connection")
    assert main(["reset", str(place), "--finish"]) == 0
    told("posted", "The reset of $100.00 is posted.")
    assert main(["reset", str(place), "5", "--status"]) == 2
