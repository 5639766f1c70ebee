"""Where a reset stands, in human words, in each state that a bad network can leave it in; asking settles it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journeys.stories import MAILROOM, mailer, new_world, refused, reopened

from towncircle.cli.main import main
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import RequestId
from towncircle.kernel.money import ZERO, Mills
from towncircle.ledger import Books
from towncircle.licensee import funds
from towncircle.wire.bodies import ResetStanding
from towncircle.world import settling
from towncircle.world.journeys import Journeys

HARBOR = "provider.harbor"


@pytest.fixture
def journeys(tmp_path: Path) -> Iterator[Journeys]:
    world = new_world(tmp_path / "w")
    yield mailer(world, deposit=300, reset=0)
    world.close()


def request(journeys: Journeys, dollars: int) -> bytes:
    with journeys.world.shelf.client(journeys.device) as client:
        return bytes(client.request_reset(Mills.dollars(dollars)).message)


def provider_says(journeys: Journeys) -> ResetStanding:
    told = journeys.do(lambda ctx: funds.ask_reset(ctx, device=journeys.device))
    assert isinstance(told, ResetStanding)
    return told


def settled(journeys: Journeys, *, inside: int, left: int) -> bool:
    """Tell whether nothing is open and device and books agree about the dollars."""
    status = journeys.status()
    with journeys.world.store(HARBOR).reading() as view:
        books = Books(view)
        transit = books.sums(MAILROOM).get("in-transit", ZERO)
        found = (books.device(MAILROOM, journeys.device).descending, books.balance(f"account/{MAILROOM}"))
    assert found == (Mills.dollars(inside), Mills.dollars(left))
    return (status.open_request, status.registers.descending, transit) == ("", Mills.dollars(inside), ZERO)


@cites("502.25a", "P050-3.5c")
def test_a_status_query_settles_an_open_reset_wherever_it_was_lost(
    journeys: Journeys, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "w"

    def told(word: str, words: str) -> Journeys:
        journeys.world.close()
        capsys.readouterr()
        assert main(["reset", str(place), "--status", "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert (answer["reset"], words in answer["sentence"]) == (word, True), answer
        assert "next connection" not in answer["sentence"]
        return Journeys(reopened(place))

    journeys = told("none", "No reset was ever asked for")
    request(journeys, 100)  # it never came
    with refused("provider.no-such-reset"):
        provider_says(journeys)
    journeys = told("posted", "The reset of $100.00 is posted.")
    assert settled(journeys, inside=100, left=200)
    journeys.world.desk(HARBOR).receive(request(journeys, 50))  # and the authorisation was lost
    for _ in range(2):  # the Provider's answer alone changes nothing
        said = provider_says(journeys)
        assert (said.state, "the reset of $50.00 will finish at the next connection" in said.sentence) == (
            "reserved",
            True,
        )
    journeys = told("posted", "The reset of $50.00 is posted.")
    assert settled(journeys, inside=150, left=150)
    request(journeys, 200)  # more than the account has
    journeys = told("unknown", "Nothing is reserved for the reset of $200.00: it was refused")
    assert settled(journeys, inside=150, left=150)
    journeys.world.desk(HARBOR).receive(request(journeys, 25))  # and the device locks before it hears of it
    journeys.world.advance("73h")
    assert journeys.status().state == "locked"
    journeys = told("posted", "The reset of $25.00 is posted.")
    assert settled(journeys, inside=175, left=125)
    assert journeys.status().state == "in service"
    journeys.world.close()
    assert main(["reset", str(place), "5", "--status"]) == 2


@cites("502.25a", "P050-3.5c")
def test_the_next_connection_finishes_an_open_reset_and_one_that_cannot_be_finished_undoes_no_contact(
    journeys: Journeys,
) -> None:
    journeys.world.desk(HARBOR).receive(request(journeys, 100))

    def hindered(*_: object) -> None:
        raise Refused("provider.no-such-reset", request_id=RequestId.parse(journeys.status().open_request), device="it")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settling, "_settle_reset", hindered)
        words = journeys.contact()
        assert "The reset of $100.00 is not settled: " in words
        word, sentence = settling.standing(journeys)
        assert (word, "is not settled: " in sentence) == ("reserved", True)
    assert "The reset of $100.00 is posted." in journeys.contact()
    assert settled(journeys, inside=100, left=200)
    assert "reset" not in journeys.contact()


@cites("502.25a", "P050-3.5c")
def test_a_reservation_that_ended_before_the_device_came_is_voided_and_the_money_is_back(journeys: Journeys) -> None:
    journeys.world.desk(HARBOR).receive(request(journeys, 100))
    journeys.world.advance("31d")
    words = "The device did not take the reset of $100.00; the money is back in the account."
    assert settling.standing(journeys) == ("voided", words)
    assert settled(journeys, inside=0, left=300)
