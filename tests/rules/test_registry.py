"""A rule set is a folder: a third one that is data only, and a fourth that nobody has seen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from tests.house.source import ROOT, modules
from tests.journeys.stories import MAILROOM, mailer, new_world

from towncircle.kernel.money import Mills
from towncircle.rules import RULESETS, ruleset
from towncircle.rules.registry import ELSEWHERE, registry
from towncircle.rules.rulesets import chain
from towncircle.verification import terms_of
from towncircle.world import printing
from towncircle.world.verifying import Mark, verify

DAY = date(2026, 11, 21)
ABOUT = {
    "name": "canada-2030",
    "over": "imi-2024",
    "title": "A rule that nobody has seen",
    "source": "house",
    "start": "2030-01-02T14:00Z",
    "frozen": True,
    "layout": "imi-std",
    "scheme": "ecdsa-p256",
}
CAP = """
source = "a text that nobody has seen"
quality = "primary"
[descending_cap]
clause = "P050 3.6"
quote = "two hundred dollars"
unit = "mills"
values = [{ from = 2020-01-01, value = 200_000 }]
"""


def said(folder: Path, code: str) -> str:
    """Run a program of its own under the rule sets of a folder; give the last line that it said."""
    env = {**os.environ, ELSEWHERE: str(folder), "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip().splitlines()[-1]


def dropped(folder: Path, about: dict[str, object] | None = None, rules: str = CAP) -> Path:
    place = folder / "canada_2030"
    place.mkdir(parents=True)
    (place / "about.json").write_text(json.dumps(ABOUT if about is None else about))
    (place / "funds.toml").write_text(rules)
    return folder


ASK = "from towncircle.rules import ruleset; from datetime import date; r = ruleset('canada-2030'); "


def test_the_third_rule_set_is_data_only() -> None:
    rules = ruleset("cfr-501")
    assert chain("cfr-501") == ("ibi-1998", "imi-2024", "cfr-501")
    assert str(rules.term("refund_window", DAY)) == "60 days"
    assert rules.day("indicia_valid_through") == date(2025, 6, 20)
    assert str(rules.term("contact_interval", DAY)) == "72 hours"
    assert rules.mills("descending_cap", DAY) == Mills.dollars(500)
    assert {parameter.quality for parameter in rules.parameters.values() if parameter.retold} == {"secondary"}
    naming = {module.path for module in modules() if "cfr-501" in module.text}
    assert {path for path in naming if not path.startswith("cli/")} == set()  # only the help of commands names it


def test_under_the_third_rule_set_a_mailer_prints_and_a_piece_of_60_days_is_refunded(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world", "cfr-501")
    journeys = mailer(world, MAILROOM, deposit=100, reset=50)
    from towncircle.mailpiece.address_files import public_addresses

    done = printing.print_job(journeys, public_addresses()[:1], tmp_path / "out", formats=("pdf",))
    mark = bytes.fromhex(done.job.body["indicia"][0])
    judged = verify(Mark(file="piece", page=0, payload=mark), world).verdict
    assert (judged.verdict, judged.specimen) == ("VALID", True)
    terms = world.pack().terms
    assert {name: one.refund_days for name, one in terms.items()} == {"ibi-1998": 30, "imi-2024": 30, "cfr-501": 60}
    assert terms["ibi-1998"].indicia_valid_through == "2025-06-20"
    assert terms["imi-2024"].indicia_valid_through == ""
    world.close()


def test_marks_of_1998_end_on_the_day_of_the_rule_set_in_force() -> None:
    for judged_in, day in (("imi-2024", "2025-06-30"), ("cfr-501", "2025-06-20")):
        terms = terms_of("ibi-1998", on=DAY, judged_in=judged_in, stale_days=30)
        assert terms.indicia_valid_through == day


def test_a_fourth_rule_set_that_nobody_has_seen_is_loaded(tmp_path: Path) -> None:
    dropped(tmp_path)
    assert said(tmp_path, ASK + "print(r.mills('descending_cap', date(2030, 1, 2)), len(r.inherited))") == "$200.00 28"


@pytest.mark.parametrize(
    ("about", "rules", "told"),
    [
        (
            {**ABOUT, "over": None},
            CAP,
            "lacks these parameters: advance_limit, advance_limit_days, available_ach_credit",
        ),
        ({**ABOUT, "over": "atlantis"}, CAP, "it is laid over 'atlantis'"),
        ({**ABOUT, "over": "canada-2030"}, CAP, "it is laid over 'canada-2030'"),
        ({key: value for key, value in ABOUT.items() if key != "layout"}, CAP, "about.json lacks layout"),
        ({**ABOUT, "colour": "red"}, CAP, "cannot be read"),
        (ABOUT, CAP.replace('clause = "P050 3.6"', ""), "'clause'"),
        (ABOUT, CAP.replace('quote = "two hundred dollars"', 'quote = ""'), "no quote"),
    ],
)
def test_a_rule_set_that_lacks_something_names_it(
    about: dict[str, object], rules: str, told: str, tmp_path: Path
) -> None:
    dropped(tmp_path, about, rules)
    assert told in said(tmp_path, ASK)


def test_a_folder_that_cannot_be_used_stops_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv(ELSEWHERE, str(tmp_path))
    held = registry()
    assert "cannot be read" in held["empty"].trouble
    assert all(not held[name].trouble for name in RULESETS)


def test_a_copy_of_a_rule_set_with_another_number_has_another_digest(tmp_path: Path) -> None:
    place = tmp_path / "imi_mine"
    shutil.copytree(ROOT / "src" / "towncircle" / "rules" / "imi_2024", place)
    about = json.loads((place / "about.json").read_text())
    (place / "about.json").write_text(json.dumps({**about, "name": "imi-mine"}))
    code = "from towncircle.rules import ruleset; print(ruleset('imi-mine').digest == ruleset('imi-2024').digest)"
    assert said(tmp_path, code) == "False"
