"""Rates, software, fleet and departments as a person walks them: every verb, in text and JSON, with its refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.stories import mailer, new_world
from tests.journeys.updates import DEARER, OTHER, specimen

from towncircle.cli.main import main
from towncircle.mailpiece import rate_files


def told(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, Any]:
    code = main([*map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def said(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(list(map(str, words))) == 0
    return capsys.readouterr().out


@pytest.fixture
def world(tmp_path: Path) -> Path:
    made = new_world(tmp_path / "world")
    mailer(made, deposit=300, reset=100)
    made.close()
    return tmp_path / "world"


def test_what_comes_down_is_published_taken_and_shown(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "table.toml"
    file.write_bytes(rate_files.write(specimen()))
    assert told(capsys, "rates", "read", file)[1]["tables"][0]["table"] == "specimen"
    main(["print", str(world), "--out", str(tmp_path / "mail"), "--class", "media", "--presort", "5-digit"])
    capsys.readouterr()  # refused: nothing of it is priced again below
    assert main(["print", str(world), "--out", str(tmp_path / "mail")]) == 0
    capsys.readouterr()
    month = ("rates", "rehearse", world, file, "--month", "2026-11")
    answer = told(capsys, *month)[1]
    known = [one for one in answer["pieces"] if one["cost_mills"] is not None]
    assert known
    assert all(one["difference_mills"] == DEARER for one in known)
    assert answer["difference_mills"] == len(known) * DEARER == answer["cost_mills"] - answer["paid_mills"]
    assert f"{len(known)} pieces: paid" in said(capsys, *month)
    assert "No piece was printed" in said(capsys, *month[:-1], "2026-01")
    code, answer = told(capsys, "rates", "publish", world, file)
    assert (code, answer["number"], answer["filing_refused"]) == (0, 1, "")
    assert [one["accepted_at"] for one in told(capsys, "rates", "filed", world)[1]["filed"]] == [""]
    assert "provider.harbor table 1, specimen, from 2026-12-01: not accepted" in said(capsys, "rates", "filed", world)
    assert told(capsys, "rates", "accept", world, 1)[1]["accepted_at"]
    assert ": accepted 2026-" in said(capsys, "rates", "filed", world)
    assert told(capsys, "software", "approve", world, 1, "--changes", "The first.")[1]["version"] == 1
    code, answer = told(capsys, "software", "approve", world, 1, "--changes", "Another.", "--build", OTHER)
    assert (code, answer["error"]["code"]) == (3, "software.version-lower")
    answer = told(capsys, "software", "stage", world, 1, "--group", "licensee.mailroom", "--by", "2026-12-20")[1]
    assert (answer["groups"], answer["percent"]) == (["licensee.mailroom"], 0)
    assert told(capsys, "software", "take", world) == (0, {"version": 1, "waits": 0, "words": "Version 1 is in use."})
    assert told(capsys, "software", "log", world)[1]["changes"][0]["changes"] == "The first."
    assert "version 1, assigned 1" in said(capsys, "software", "show", world)
    answer = told(capsys, "rates", "show", world, "--on", "2026-12-01")[1]
    assert [one["table"] for one in answer["in_use"] if one["series"] == "first-class"] == ["specimen"]
    assert {"ground-commercial", "extra-services"} < {one["series"] for one in answer["in_use"]}
    assert answer["waiting"] == []
    one = ("price", "--weight", "1oz", "--on", "2026-12-01")
    priced = [told(capsys, *one, *where)[1] for where in ((), ("--world", world))]
    assert [each["amount_mills"] for each in priced] == [780, 780 + int(DEARER)]
    assert (priced[1]["table"], priced[1]["confidence"]) == ("first-class specimen", "medium")
    today = told(capsys, "price", "--weight", "1oz", "--world", world)[1]
    assert (today["on"], today["amount_mills"]) == ("2026-11-23", 780)
    parcel = ("price", "--class", "ground", "--type", "commercial", "--weight", "2lb", "--to", "10001")
    assert told(capsys, *parcel, "--world", world)[1]["zone_estimated"] is True
    assert told(capsys, *parcel)[1]["error"]["code"] == "zones.one-way"
    assert "first-class                    2026-12-01" in said(capsys, "price", "--known", "--world", world)
    assert "Waits:  table first-class specimen" in said(capsys, "rates", "show", world)
    code, answer = told(capsys, "fleet", world)
    assert (code, answer["past_their_day"]) == (0, 0)
    assert [(one["version"], one["devices"]) for one in answer["classes"]] == [(1, 1)]
    assert "licensee.mailroom" in said(capsys, "software", "show", world)
    assert told(capsys, "software", "halt", world, 1, "--reason", "it is slow")[1]["halted"] == "it is slow"


def test_a_department_is_kept_guarded_and_reported(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pin = tmp_path / "pin"
    pin.write_text("27182\n")
    assert told(capsys, "department", "keep", world, "claims", "--budget", "30")[0] == 0
    code, answer = told(capsys, "department", "pin", world, "ann", "--pin-from", pin)
    assert (code, answer["error"]["code"]) == (3, "person.unknown")
    main(["person", str(world), "ann"])
    capsys.readouterr()
    assert told(capsys, "department", "pin", world, "ann", "--pin-from", pin) == (0, {"person": "ann", "pin": "set"})
    reset = ("department", "pin", world, "ann", "--pin-from", pin, "--reset-by", "ben", "--proof-from", pin)
    main(["person", str(world), "ben"])
    capsys.readouterr()
    assert told(capsys, *reset)[1]["error"]["code"] == "pin.none"
    assert told(capsys, "department", "pin", world, "ben", "--pin-from", pin)[0] == 0
    assert told(capsys, *reset)[1]["error"]["code"] == "pin.unvouched"
    vouch = ("department", "pin", world, "ben", "--pin-from", pin, "--reset-by", "ann", "--proof-from", pin)
    assert told(capsys, *vouch) == (0, {"person": "ben", "pin": "set"})
    assert told(capsys, *reset) == (0, {"person": "ann", "pin": "set"})
    assert told(capsys, "department", "admit", world, "claims", "ann")[0] == 0
    order = ("print", world, "--out", tmp_path / "out", "--department", "claims")
    assert told(capsys, *order)[1]["error"]["code"] == "department.pin-needed"
    code, answer = told(capsys, *order, "--person", "ann", "--pin-from", pin)
    assert code == 0
    spent = answer["jobs"][0]["total_mills"]
    (row,) = told(capsys, "department", "list", world)[1]["departments"]
    assert (row["department"], row["spent_mills"], row["persons"]) == ("claims", spent, ["ann"])
    (row,) = told(capsys, "department", "usage", world)[1]["departments"]
    assert (row["spent_mills"], row["left_mills"]) == (spent, 30_000 - spent)
    assert "2026-11" in said(capsys, "department", "usage", world, "--department", "claims")
    assert told(capsys, "department", "usage", world, "--from", "2026-13")[0] == 2
    assert told(capsys, "department", "dismiss", world, "claims", "ann")[1]["departments"][0]["persons"] == []
