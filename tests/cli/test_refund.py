"""The refund command as a person walks it: every verb, in text and JSON, with its refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.journeys.test_refunds import funded

from towncircle.cli.main import main
from towncircle.mailpiece.address_files import public_addresses
from towncircle.world import printing


def told(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, object]]:
    code = main(["refund", *map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_refund_is_walked_from_files_to_the_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journeys = funded(tmp_path / "world")
    printing.print_job(journeys, public_addresses()[:2], tmp_path / "out", formats=("pdf",))
    world, paper = tmp_path / "world", next((tmp_path / "out").rglob("*.pdf"))
    journeys.world.close()
    code, answer = told(capsys, "submit", world, paper, "--by", "dora")
    assert (code, answer["state"]) == (0, "received")
    refund = answer["refund"]
    assert told(capsys, "certify", world, refund, "--by", "ben")[0] == 3
    assert told(capsys, "scan", world, refund, paper, "--by", "ann")[1]["state"] == "scanned"
    code, answer = told(capsys, "certify", world, refund, "--by", "ann")
    assert (code, answer["error"]["code"]) == (3, "person.same-person")  # type: ignore[index]  # an object
    assert told(capsys, "certify", world, refund, "--by", "ben")[1]["state"] == "sent"
    code, decided = told(capsys, "decide", world, refund, "--by", "mats")
    assert (code, decided["state"]) == (0, "granted")
    assert told(capsys, "refuse", world, refund, "--by", "ann")[0] == 3
    assert told(capsys, "sample", world, refund, "--by", "olaf", "--piece", "1")[1]["pieces"] == [1]
    code, shown = told(capsys, "show", world, refund, paper, "--by", "ann")
    assert (code, shown["samples"][0]["outcome"]) == (0, "regular")  # type: ignore[index]  # a list
    assert told(capsys, "sample", world, refund, "--by", "olaf", "--piece", "9")[0] == 2
    assert told(capsys, "destroy", world, refund, "--by", "ann")[0] == 3
    code, answer = told(capsys, "status", world, refund, "--form", tmp_path / "paper")
    assert answer["refunds"][0]["amount_mills"] == decided["amount_mills"]  # type: ignore[index]  # a list
    file = next((tmp_path / "paper").glob("*.json"))
    assert told(capsys, "read", file)[1]["qualifying"] == 2
    assert main(["refund", "status", str(world)]) == 0
    assert "credited" in capsys.readouterr().out
    assert told(capsys, "status", world, "RFD-222222222222")[0] == 3
