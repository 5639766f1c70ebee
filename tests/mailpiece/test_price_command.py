"""The command `price`, run through its parser."""

import argparse
import json

import pytest
from tests.mailpiece.test_zones import chart as official

from towncircle.cli import price
from towncircle.kernel.errors import BadInput, Refused


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    price.add(parser.add_subparsers())
    args = parser.parse_args(["price", *words])
    return args.run(args)


def test_the_explanation_names_amount_source_and_table(capsys):
    assert run("--weight", "2oz", "--on", "1998-09-02") == 0
    text = capsys.readouterr().out
    assert "Postage" in text
    assert "$0.55" in text
    assert "1 additional ounce at $0.23" in text
    assert "derived" in text
    assert "first-class 1998" in text


def test_json_has_stable_keys(capsys):
    assert run("--weight", "1oz", "--on", "2026-11-21", "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["amount_mills"] == 780
    assert set(record) == {
        "amount_mills", "amount", "category", "mail_class", "shape", "price_type", "weight_oz", "on", "nonmachinable",
        "zone", "zone_estimated", "zone_note", "presort", "extras", "mailing_pieces", "unchecked",
        "table", "in_force_from", "in_force_through", "checked_on", "known_through", "confidence", "derived", "steps",
    }  # fmt: skip


def test_a_price_past_the_last_check_of_its_source_promises_nothing(capsys):
    on = ("--weight", "1oz", "--on")
    assert run(*on, "2026-11-21") == 0
    text = capsys.readouterr().out
    assert "this price is known to hold 2026-07-12 to 2026-11-21, when it was last checked" in text
    assert "confidence high" in text.splitlines()[-1]
    assert run(*on, "2027-07-10") == 0
    text = capsys.readouterr().out
    assert "Note: As of 2026-11-21, the last day that the source was checked: a later change is not known here." in text
    assert "in force from 2026-07-12; last checked on 2026-11-21, and not known to hold after that" in text
    assert "confidence medium" in text.splitlines()[-1]
    assert run(*on, "1998-09-02") == 0
    assert "this price is known to hold" in capsys.readouterr().out


def test_an_estimated_zone_is_shown_as_one(capsys):
    words = ("--class", "priority", "--type", "commercial", "--weight", "3lb", "--on", "2026-11-21")
    assert run(*words, "--from", "20260", "--to", "90012") == 0
    text = capsys.readouterr().out
    assert "$21.42" in text
    assert "Zone 8 is an ESTIMATE: about 2,298 miles" in text
    assert "confidence low" in text
    assert run(*words, "--from", "20260", "--to", "90012", "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["zone"], record["zone_estimated"], record["confidence"]) == ("8", True, "low")
    assert run(*words, "--zone", "8", "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["amount_mills"], record["zone_estimated"], record["confidence"]) == (21_420, False, "medium")


def test_an_official_chart_stands_for_the_estimate(tmp_path, capsys):
    chart = tmp_path / "202.json"
    chart.write_bytes(official())
    words = (
        "--class",
        "ground",
        "--type",
        "commercial",
        "--weight",
        "1lb",
        "--on",
        "2026-09-01",
        "--chart",
        str(chart),
    )
    assert run(*words, "--from", "20260", "--to", "90210", "--explain") == 0
    text = capsys.readouterr().out
    assert "Zone 8: official zone chart of origin 202, effective 2026-10-01" in text
    assert "n123_2026_mill, table ground-commercial 2026-07-12" in text
    with pytest.raises(BadInput):
        run(*words)
    with pytest.raises(BadInput):
        run(*words[:-1], str(tmp_path / "none.json"), "--from", "20260", "--to", "90210")


def test_what_is_known_is_listed(capsys):
    assert run("--known", "--on", "2026-11-21") == 0
    text = capsys.readouterr().out
    found = "70 found,  0 not found (confidence high, checked 2026-11-21)"
    assert f"* media                          2026-07-12 to 2027-07-10:  {found}" in text
    assert "return-receipt-electronic" in text
    assert run("--known", "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert sum(one["found"] + one["not_found"] for one in record["tables"]) == 3_241


@pytest.mark.parametrize(
    "words",
    [
        "",
        "--weight 1oz --zone 5 --to 20260",
        "--weight 1oz --from 20260",
        "--weight=-1oz",
        "--weight 0",
        "--weight x",
        "--weight 999999oz",
        "--weight 1oz --on 1-1",
    ],
)
def test_bad_input_is_said(words):
    with pytest.raises(BadInput):
        run(*words.split())


def test_an_unknown_price_is_refused():
    with pytest.raises(Refused):
        run("--weight", "5oz", "--shape", "flat", "--on", "2026-11-21")
