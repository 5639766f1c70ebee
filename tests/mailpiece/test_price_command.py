"""The command `price`, run through its parser."""

import argparse
import json

import pytest

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
        "zone", "zone_estimated", "zone_note", "presort", "extras",
        "table", "in_force_from", "in_force_through", "confidence", "derived", "steps",
    }  # fmt: skip


@pytest.mark.parametrize(
    "words", ["--weight=-1oz", "--weight 0", "--weight x", "--weight 999999oz", "--weight 1oz --on 1-1"]
)
def test_bad_input_is_said(words):
    with pytest.raises(BadInput):
        run(*words.split())


def test_an_unknown_price_is_refused():
    with pytest.raises(Refused):
        run("--weight", "5oz", "--shape", "flat", "--on", "2026-11-21")
