"""The form of the indicium that a template says, on every piece of a batch."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.world.batch_stories import good, job_of, listed, standing

from towncircle.kernel.errors import Refused, RefusedOnGrounds
from towncircle.licensee import envelopes
from towncircle.mailpiece import templates
from towncircle.mailpiece.templates import Template
from towncircle.symbol import fim
from towncircle.world import batching
from towncircle.world.batching import Wish
from towncircle.world.journeys import Journeys


def wish(place: Path, page: str) -> Wish:
    return Wish(source=listed(place, good(2)), template=templates.parse(f"[page]\n{page}".encode(), name="test"))


def test_a_template_says_place_and_courtesy_reply_of_every_piece(room: Journeys, tmp_path: Path) -> None:
    done = batching.print_batch(room, wish(tmp_path, 'place = "zip"\ncourtesy_reply = true\n'), tmp_path / "out")
    assert done.batch.body["printed"] == 2
    job = job_of(room, done.batch.key, 1)
    for page in envelopes.pages(job.body, room.stationery(job)):
        assert [getattr(mark, "pattern", "") for mark, _ in page.having("fim")] == [fim("A")]
        place = [getattr(part, "text", "") for part, _ in page.having("place")]
        assert [text for text in place if text] == ["MAILED FROM ZIP CODE", "20260"]


def test_what_the_rule_ties_to_something_is_refused_before_anything_is_reserved(room: Journeys, tmp_path: Path) -> None:
    before = standing(room)
    with pytest.raises(RefusedOnGrounds) as refused:
        batching.print_batch(room, wish(tmp_path / "month", "month_only = true\n"), tmp_path / "a")
    assert refused.value.code == "batch.bad-rows"
    assert "indicium.date-incomplete" in (tmp_path / "a" / "errors.csv").read_text()
    with pytest.raises(Refused) as caught:
        batching.print_batch(room, wish(tmp_path / "branch", 'place = "branch"\nbranch = "Nowhere"\n'), tmp_path / "b")
    assert caught.value.code == "branch.not-approved"
    assert standing(room) == before


@pytest.mark.parametrize("page", ['place = "branch"\n', 'branch = "Nowhere"\n', 'place = "moon"\n', "month_only = 1\n"])
def test_a_place_that_cannot_be_is_a_fault_of_the_template(page: str) -> None:
    with pytest.raises(RefusedOnGrounds) as refused:
        templates.parse(f"[page]\n{page}".encode(), name="odd")
    assert {ground.code for ground in refused.value.grounds} == {"template.value"}
    assert Template(name="plain").as_dict()["place"] == "office"


def test_a_template_says_how_its_list_is_read(room: Journeys, tmp_path: Path) -> None:
    source = tmp_path / "liste.csv"
    source.write_bytes(
        "Name|Strasse|Ort|Staat|PLZ\nJos\u00e9|475 L'Enfant Plaza Southwest|Washington|DC|20260\n".encode("cp500")
    )
    raw = '[columns]\nname = "Name"\nstreet = "Strasse"\ncity = "Ort"\nstate = "Staat"\nzip = "PLZ"\n'
    raw += '[list]\nencoding = "cp500"\ndivider = "|"\nstandard = true\n'
    asked = Wish(source=source, template=templates.parse(raw.encode(), name="ours"))
    done = batching.print_batch(room, asked, tmp_path / "out")
    (piece,) = job_of(room, done.batch.key, 1).body["pieces"]
    assert piece["address"]["name"] == "Jos\u00e9"
    assert piece["address"]["street"].upper() == "475 LENFANT PLZ SW"
    for fault in ('divider = "x"', "standard = 1", "paper = 1"):
        with pytest.raises(RefusedOnGrounds):
            templates.parse(f"[list]\n{fault}\n".encode(), name="odd")
