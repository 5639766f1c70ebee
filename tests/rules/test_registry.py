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
from tests.journeys.stories import HARBOR, MAILROOM, mailer, new_world

from towncircle.auditor import audit
from towncircle.indicium.catalogue import layout
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.provider.denials import EFFECTS
from towncircle.rules import RULESETS, ruleset
from towncircle.rules.acts import act_named
from towncircle.rules.limits import DENIES
from towncircle.rules.registry import ELSEWHERE, INDICIA, registry
from towncircle.rules.rulesets import REGISTRY, chain, examined
from towncircle.verification import terms_of
from towncircle.verification.refunding import share_is_known
from towncircle.world import printing
from towncircle.world.config import POSTAL
from towncircle.world.deadlines import duties_of
from towncircle.world.exporting import export
from towncircle.world.recording import record
from towncircle.world.verifying import Mark, verify
from towncircle.world.world import World

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
    assert [rules.limits[name].length() for name in ("incident-report", "recovery-report")] == ["10 days", "10 days"]
    assert rules.limits["loss-notice"] == ruleset("imi-2024").limits["loss-notice"]
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
    told: dict[str, object] = {"by": HARBOR, "reference": "soc-27", "document": b"report"}
    for period in ("", "27", "2o27"):
        with pytest.raises(BadInput, match=r"acts\.bad-period"):
            record(world, "soc-reports", **told, period=period)  # type: ignore[arg-type]  # the words above
    with pytest.raises(BadInput, match=r"acts\.bad-period"):
        record(world, "resetting-system-audit", **{**told, "by": POSTAL}, period="2027")  # type: ignore[arg-type]
    done = record(world, "soc-reports", **told, period="2027")  # type: ignore[arg-type]
    assert (done.clauses, done.body["period"]) == (("39 CFR 501.15",), "2027")
    assert record(world, "soc-reports", **told, period="2027") == done  # type: ignore[arg-type]
    held = {duty.limit.id: duty for duty in duties_of(world, HARBOR, as_of=world.clock.now()) if duty.period == "2027"}
    states = {name: (duty.state, duty.last_day.isoformat()) for name, duty in held.items()}
    assert states == {
        "soc-reports": ("met", "2027-08-15"),
        "soc-remediation": ("due", "2027-09-30"),
        "soc-change-letter": ("due", "2027-10-15"),
    }
    export(world, tmp_path / "export")
    assert audit(tmp_path / "export").differences == []
    world.close()


def test_an_act_of_one_rule_set_is_none_of_another(tmp_path: Path) -> None:
    assert ruleset("cfr-501").acts.keys() == {"soc-reports", "soc-remediation", "soc-change-letter"}
    with pytest.raises(BadInput, match=r"acts\.no-such-act"):
        act_named("soc-reports", ruleset("imi-2024").acts)


ACT = """
source = "a text that nobody has seen"
quality = "primary"
[dance]
clause = "502.1"
orders = "A dance is danced."
by = "provider"
actor = "officer"
"""


@pytest.mark.parametrize(
    ("acts", "told"),
    [
        (ACT.replace('by = "provider"', 'by = "king"'), "dance is an act of nobody"),
        (ACT.replace("[dance]", "[factory-inspection]"), "has the name of another one"),
        (ACT.replace('clause = "502.1"', ""), "it lacks 'clause'"),
        (ACT + "colour = 5\n", "unknown keys ['colour']"),
        (ACT + 'period = "yes"\n', "neither true nor false"),
        (ACT.replace('"officer"', "7"), "a key whose value is no text"),
    ],
)
def test_an_act_that_makes_no_sense_is_named_and_harms_no_other(
    acts: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped(tmp_path)
    below = tmp_path / "canada_2030" / "acts"
    below.mkdir()
    monkeypatch.setenv(ELSEWHERE, str(tmp_path))
    (below / "own.toml").write_text(ACT)
    assert not examined(registry())["canada-2030"].trouble
    (below / "own.toml").write_text(acts)
    held = examined(registry())
    assert told in held["canada-2030"].trouble
    assert {name for name, one in held.items() if not one.trouble} == {*REGISTRY}


def test_above_the_sum_of_which_the_retelling_knows_a_share_none_is_made_up() -> None:
    rules = ruleset("cfr-501")
    for mills in (499_999, 500_000):
        share_is_known(rules, Mills(mills), DAY)
    with pytest.raises(Refused, match=r"refund\.share-unknown") as caught:
        share_is_known(rules, Mills(500_001), DAY)
    assert caught.value.clause == "DMM 604.9.3.2"
    share_is_known(ruleset("imi-2024"), Mills(500_001), DAY)


def test_marks_of_1998_end_on_the_day_of_the_rule_set_in_force() -> None:
    for judged_in, day in (("imi-2024", "2025-06-30"), ("cfr-501", "2025-06-20")):
        terms = terms_of("ibi-1998", on=DAY, judged_in=judged_in, stale_days=30)
        assert terms.indicia_valid_through == day


def test_a_fourth_rule_set_that_nobody_has_seen_is_loaded(tmp_path: Path) -> None:
    dropped(tmp_path)
    assert said(tmp_path, ASK + "print(r.mills('descending_cap', date(2030, 1, 2)), len(r.inherited))") == "$200.00 29"


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


# ---- what a hostile or careless folder says: named when it is read, and nobody else is harmed

LIMIT = """
source = "a text that nobody has seen"
quality = "primary"
[canadian]
title = "do it"
clause = "502.1"
cites = []
quote = "must do it"
shape = "obligation"
journal = "provider"
party = "provider"
actor = "the Provider"
about = "device"
starts = ["custody.leased"]
values = [{ from = 1998-09-02, value = "3 days" }]
consequence = { says = "It is late." }
"""
HOSTILE: dict[str, tuple[dict[str, object], str, str, str]] = {
    "the name of a shipped set": ({"name": "imi-2024"}, CAP, LIMIT, "about.json: name: 'imi-2024' is the name"),
    "its own name below it": ({"name": "imi-2024", "over": "imi-2024"}, CAP, LIMIT, "about.json: name: 'imi-2024'"),
    "a number for a name": ({"name": 5}, CAP, LIMIT, "about.json: name: it is no text"),
    "a list below it": ({"over": ["imi-2024"]}, CAP, LIMIT, "about.json: over: it is neither"),
    "an unknown layout": ({"layout": "maple"}, CAP, LIMIT, "about.json: layout: 'maple' is none of ibi-full"),
    "an unknown scheme": ({"scheme": "rot13"}, CAP, LIMIT, "about.json: scheme: 'rot13' does not sign imi-std"),
    "a start that is no time": ({"start": "soon"}, CAP, LIMIT, "about.json: start: "),
    "a start before the rules": ({"start": "2005-01-01T00:00Z"}, CAP, LIMIT, "begins on 2005-01-01"),
    "no yes or no": ({"frozen": "yes"}, CAP, LIMIT, "about.json: frozen: it is neither"),
    "another unit": ({}, CAP.replace('"mills"', '"integer"'), LIMIT, "funds.toml: descending_cap: unit is 'integer'"),
    "an unknown parameter": ({}, CAP.replace("descending_cap", "moose"), LIMIT, "funds.toml: moose: nothing asks"),
    "an unknown denial": (
        {},
        CAP,
        LIMIT.replace('late."', 'late.", denies = "printing"'),
        "limits/own.toml: canadian: denies is 'printing'",
    ),
    "a denial where none is done": (
        {},
        CAP,
        LIMIT.replace('"provider"', '"postal"', 1)
        .replace('late."', 'late.", denies = "resets"')
        .replace("custody.leased", "license.issued"),
        "limits/own.toml: canadian: denies is 'resets'",
    ),
    "an unknown fact": ({}, CAP, LIMIT.replace("custody.leased", "moose.seen"), "canadian: it rests on 'moose.seen'"),
    "an unknown term": (
        {},
        CAP,
        LIMIT.replace('values = [{ from = 1998-09-02, value = "3 days" }]', 'term_of = "moose"'),
        "canadian: term_of is 'moose'",
    ),
    "a role nobody has": ({}, CAP, LIMIT.replace('late."', 'late.", notify = ["king"]'), "names 'king'"),
    "a term of ages": ({}, CAP, LIMIT.replace("3 days", "9999 years"), "canadian: value '9999 years' is longer"),
    "a number for a title": ({}, CAP, LIMIT.replace('"do it"', "5"), "canadian has a key whose value is no text"),
    "a day that is a number": ({}, CAP, LIMIT.replace("1998-09-02", "1998"), "canadian has values whose 'from'"),
    "a file that is no text": ({}, "\x00", LIMIT, "funds.toml cannot be used"),
}


@pytest.mark.parametrize(("about", "rules", "limits", "told"), HOSTILE.values(), ids=HOSTILE)
def test_what_a_folder_says_wrongly_is_named_and_harms_no_other(
    about: dict[str, object], rules: str, limits: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped(tmp_path, {**ABOUT, **about}, rules)
    below = tmp_path / "canada_2030" / "limits"
    below.mkdir()
    (below / "own.toml").write_text(limits)
    monkeypatch.setenv(ELSEWHERE, str(tmp_path))
    held = examined(registry())
    troubles = [one.trouble for one in held.values() if one.trouble]
    assert len(troubles) == 1
    assert told in troubles[0]
    assert {name: one for name, one in held.items() if not one.trouble} == dict(REGISTRY)


def test_a_folder_that_says_nothing_wrong_is_usable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dropped(tmp_path)
    below = tmp_path / "canada_2030" / "limits"
    below.mkdir()
    (below / "own.toml").write_text(LIMIT.replace('late."', 'late.", denies = "resets"'))
    monkeypatch.setenv(ELSEWHERE, str(tmp_path))
    assert {name for name, one in examined(registry()).items() if not one.trouble} == {*REGISTRY, "canada-2030"}


def test_a_set_over_one_that_cannot_be_used_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dropped(tmp_path, {**ABOUT, "layout": "maple"})
    other = tmp_path / "quebec"
    other.mkdir()
    (other / "about.json").write_text(json.dumps({**ABOUT, "name": "quebec", "over": "canada-2030"}))
    monkeypatch.setenv(ELSEWHERE, str(tmp_path))
    assert "laid over 'canada-2030'" in examined(registry())["quebec"].trouble


def test_what_can_be_denied_and_printed_is_what_the_program_does() -> None:
    assert {"provider": tuple(EFFECTS)} == dict(DENIES)
    assert {name: layout(name).scheme for name in INDICIA} == dict(INDICIA)


def test_a_folder_to_compare_with_is_examined_too(tmp_path: Path) -> None:
    place = dropped(tmp_path, rules=CAP.replace('"mills"', '"integer"')) / "canada_2030"
    with pytest.raises(BadInput, match=r"funds\.toml: descending_cap: unit is 'integer'"):
        ruleset("imi-2024").with_folder(place)


def test_a_world_is_not_begun_before_its_rules(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"rules\.not-in-force"):
        World.create(tmp_path / "early", regime="imi-2024", seed=1, start=Instant.parse("2005-01-01T00:00Z"))
    assert not (tmp_path / "early").exists()
