"""A rule set is a folder: a third one that is data only, and a fourth that nobody has seen."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from tests.house.source import ROOT, modules
from tests.journeys.stories import HARBOR, MAILROOM, mailer, new_world

from towncircle.auditor import audit
from towncircle.indicium.catalogue import layout
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.facts import Fact
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.licensee import address_data
from towncircle.mailpiece.address_source import check_age
from towncircle.mailpiece.elements import MAIL_BARCODES
from towncircle.postal import standing
from towncircle.postal.decertification import ends
from towncircle.provider import defects, upkeep
from towncircle.provider.denials import EFFECTS
from towncircle.provider.handovers import SERVICES
from towncircle.provider.upkeep import PARTS
from towncircle.rules import RULESETS, RuleSet, ruleset
from towncircle.rules.acts import act_named, acts_told, check_told
from towncircle.rules.duties import HEADQUARTERS, derive
from towncircle.rules.folders import load
from towncircle.rules.limits import DENIES, LONGEST, Link
from towncircle.rules.parameters import CLAUSE_LETTERS, Dated
from towncircle.rules.procedures import procedures
from towncircle.rules.reachable import _SAID, Around, limits_read, of_limit, of_use
from towncircle.rules.registry import ELSEWHERE, INDICIA, NAME_LETTERS, registry
from towncircle.rules.replaying import acts_differing, changed
from towncircle.rules.rulesets import REGISTRY, chain, examined
from towncircle.rules.soundness import COUNTED, LONGEST_TEXT, WORDS, troubles, troubles_of_use
from towncircle.rules.terms import Term
from towncircle.verification import refunding, terms_of
from towncircle.verification.refunding import share_is_known
from towncircle.wire.bodies.common import Ground
from towncircle.wire.bodies.custody import HandOver
from towncircle.wire.bodies.device import DeviceKeyReport
from towncircle.wire.bodies.provider import Initialise
from towncircle.wire.bodies.published import CertificateRow, PackTerms
from towncircle.wire.bodies.quality import Notice
from towncircle.wire.bodies.updates import BuildApproval
from towncircle.wire.shape import _TEXT_LIMIT, Limit
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
        (ACT.replace('"officer"', '"king"'), "dance: actor 'king' is no office of a provider"),
        (ACT.replace('"officer"', '"postmaster"'), "dance: actor 'postmaster' is no office of a provider"),
        (ACT.replace("[dance]", '["a dance"]'), "'a dance' is no name of an act"),
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


def test_an_act_that_was_recorded_under_its_former_name_is_still_known() -> None:
    for name in ("examination-announced", "inspection-announced"):
        assert [act.name for act in acts_told(recorded(act=name))] == ["examination-announced"]


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
met_by = ["device.came-back"]
values = [{ from = 1998-09-02, value = "3 days" }]
consequence = { says = "It is late." }
"""
MET = 'met_by = ["device.came-back"]'
STARTED = LIMIT.replace('["custody.leased"]', '[{ fact = "custody.leased" }]')


STARTS_PARTY = '[{ fact = "custody.leased", by = "party" }]'


def met(act: str, by: str = "party") -> str:
    """Give the limit as one that an act of people meets."""
    link = f'met_by = [{{ fact = "act.recorded", by = "{by}", where = {{ act = "{act}" }} }}]'
    return LIMIT.replace(MET, link)


def figure(name: str, unit: str, value: str) -> str:
    """Give a parameter of a unit and a value."""
    return CAP.replace("descending_cap", name).replace('"mills"', f'"{unit}"').replace("200_000", value)


def ending(value: str = "2030-12-31", regime: str = "ibi-1998") -> str:
    """Give a limit by which systems of a regime are withdrawn."""
    link = f'{{ fact = "custody.leased", where = {{ regime = "{regime}" }} }}' if regime else '"custody.leased"'
    calendar = LIMIT.replace("[canadian]", "[withdrawal]").replace('"obligation"', '"calendar"')
    return calendar.replace('"custody.leased"', link).replace('"3 days"', value)


def monthly(meets: str) -> str:
    """Give the limit as one that is due on the fifth day of each month, and what meets it."""
    calendar = LIMIT.replace('"obligation"', '"calendar"').replace('"3 days"', "5")
    return calendar.replace(MET, f"met_by = [{meets}]")


READ = LIMIT.replace("[canadian]", "[address-data]")  # a limit that the program reads itself
SOC = '{ fact = "act.recorded", by = "party", where = { act = "soc-reports" } }'
HOSTILE: dict[str, tuple[dict[str, object], str, str, str]] = {
    "the name of a shipped set": ({"name": "imi-2024"}, CAP, LIMIT, "about.json: name: 'imi-2024' is the name"),
    "its own name below it": ({"name": "imi-2024", "over": "imi-2024"}, CAP, LIMIT, "about.json: name: 'imi-2024'"),
    "a number for a name": ({"name": 5}, CAP, LIMIT, "about.json: name: it is no text"),
    "a list below it": ({"over": ["imi-2024"]}, CAP, LIMIT, "about.json: over: it is neither"),
    "an unknown layout": ({"layout": "maple"}, CAP, LIMIT, "about.json: layout: 'maple' is none of ibi-full"),
    "a layout that no job fills": ({"layout": "imi-max"}, CAP, LIMIT, "about.json: layout: 'imi-max' is none of ibi"),
    "a layout that nobody counts by": ({"layout": "imi-min"}, CAP, LIMIT, "about.json: layout: 'imi-min' is none of"),
    "an unknown scheme": ({"scheme": "rot13"}, CAP, LIMIT, "about.json: scheme: 'rot13' does not sign imi-std"),
    "a start that is no time": ({"start": "soon"}, CAP, LIMIT, "about.json: start: "),
    "a start on the eve of the rules": (
        {"start": "1998-09-02T03:59:59Z", "over": "ibi-1998", "layout": "ibi-full", "scheme": "dsa-1024"},
        CAP.replace("2020-01-01", "1998-09-02"),
        LIMIT,
        "about.json: start: on 1998-09-01 the parameter advance_limit is not in force",
    ),
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
    "a thread that no fact names": ({}, CAP, STARTED.replace("}]", ', by = "devise" }]'), "canadian: by is 'devise'"),
    "a field that no fact has": (
        {},
        CAP,
        STARTED.replace("}]", ', where = { colour = "red" } }]'),
        "where names 'colour'",
    ),
    "a number in a where": (
        {},
        CAP,
        STARTED.replace("}]", ", where = { reason = 5 } }]"),
        "a key whose value is no text",
    ),
    "a regime that nobody has": (
        {},
        CAP,
        STARTED.replace("}]", ', where = { regime = "atlantis" } }]'),
        "where asks for the regime 'atlantis'",
    ),
    "a part that no device has": (
        {},
        CAP,
        LIMIT.replace('["custody.leased"]', '[{ fact = "part.replaced", where = { part = "flywheel" } }]'),
        "where asks for part 'flywheel', which is none of clock",
    ),
    "a date that no decision sets": (
        {},
        CAP,
        LIMIT.replace('"obligation"', '"set limit"\nuntil = "colour"'),
        "canadian: until is 'colour', which 'custody.leased' does not say",
    ),
    "an act that nobody records": ({}, CAP, met("soc-report"), "the act 'soc-report', which nobody records"),
    "an act of the other party": ({}, CAP, met("factory-inspection"), "the act 'factory-inspection' of the Postal"),
    "an act about nobody": ({}, CAP, met("test-indicia-made", by="about"), "'test-indicia-made' is about nobody"),
    "an act that is done for no year": (
        {},
        CAP,
        met("test-indicia-made").replace('"obligation"', '"calendar"').replace("3 days", "15 August"),
        "the act 'test-indicia-made' is done for none",
    ),
    "negative days": ({}, CAP, LIMIT.replace("3 days", "-3 days"), "not a term: -3 days"),
    "half a day": ({}, CAP, LIMIT.replace('"3 days"', "0.5"), "not a term: 0.5"),
    "a day after all days": (
        {},
        CAP,
        LIMIT.replace('"3 days"', "9999-12-31"),
        "value 9999-12-31 lies outside the years",
    ),
    "a day of the month and a term": (
        {},
        CAP,
        LIMIT.replace('"3 days" }]', '"3 days" }, { from = 1999-01-01, value = 5 }]').replace("obligation", "calendar"),
        "canadian: values are of several kinds",
    ),
    "dates in the wrong order": (
        {},
        CAP,
        LIMIT.replace('"3 days" }]', '"3 days" }, { from = 1997-01-01, value = "5 days" }]'),
        "not in the order of their dates",
    ),
    "a shape that nobody knows": ({}, CAP, LIMIT.replace('"obligation"', '"spiral"'), "canadian has no known shape"),
    "a journal that nobody keeps": ({}, CAP, LIMIT.replace('"provider"', '"king"', 1), "canadian has no known shape"),
    "a reminder in months": ({}, CAP, LIMIT + 'reminder = "1 month"\n', "counted back, in days or hours"),
    "a requirement that is none": ({}, CAP, LIMIT.replace("cites = []", 'cites = ["P050-99"]'), "cites names P050-99"),
    "a limit without a clause": ({}, CAP, LIMIT.replace('"502.1"', '""'), "canadian has an empty title, clause"),
    "a name with a space": ({}, CAP, LIMIT.replace("[canadian]", '["the canadian"]'), "is no name of a limit"),
    "a denial about a licensee": (
        {},
        CAP,
        STARTED.replace("}]", ', by = "licensee" }]').replace('late."', 'late.", denies = "resets"'),
        "denies is 'resets' of a device, and it is about the licensee",
    ),
    "a limit twice": ({}, CAP, LIMIT + LIMIT.partition('"primary"')[2], "own.toml cannot be used"),
    "money with a point": ({}, CAP.replace("200_000", "200.5"), LIMIT, "a value that is not of the unit mills"),
    "money below nothing": ({}, CAP.replace("200_000", "-1"), LIMIT, "a value that is not of the unit mills"),
    "money beyond all": ({}, CAP.replace("200_000", "1" + 40 * "0"), LIMIT, "is more than 1_000_000_000_000"),
    "more than the whole": (
        {"over": "cfr-501"},
        figure("refund_share", "integer", "150"),
        LIMIT,
        "150 is more than 100",
    ),
    "months where days are counted": (
        {},
        figure("refund_window", "term", '"2 months"'),
        LIMIT,
        "refund_window: value '2 months' is counted in days only",
    ),
    "days where hours are counted": (
        {},
        figure("contact_interval", "term", '"5 days"'),
        LIMIT,
        "contact_interval: value '5 days' is counted in months or hours only",
    ),
    "a barcode that nobody prints": (
        {},
        figure("delivery_barcode", "text", '"PLANET"'),
        LIMIT,
        "value 'PLANET' is none of Intelligent Mail",
    ),
    "a margin wider than paper": ({}, figure("indicium_margin_top", "length", '"99999 in"'), LIMIT, "longer than any"),
    "a figure without a clause": ({}, CAP.replace('"P050 3.6"', '""'), LIMIT, "descending_cap: it has no clause"),
    "a start in no zone": ({"start": "2030-01-02T14:00+99:00"}, CAP, LIMIT, "about.json: start: "),
    "a start after all time": ({"start": "9999-01-01T00:00Z"}, CAP, LIMIT, "about.json: start: "),
    "an end before its beginning": (
        {},
        figure("decertified_on", "date", "2025-12-01"),
        LIMIT,
        "decertified_on (2025-12-01) lies after the last day in service (2024-12-31)",
    ),
    "an end in days": ({}, CAP, ending('"90 days"'), "withdrawal: its values are no date"),
    "an end of nobody": ({}, CAP, ending(regime=""), "a fact that starts it names no regime"),
    "an end of itself": ({}, CAP, ending(regime="canada-2030"), "withdrawal: it ends 'canada-2030'"),
    "an end without its limit": (
        {"over": "ibi-1998"},
        figure("decertified_on", "date", "2025-12-01"),
        LIMIT,
        "decertified_on is there without indicia_valid_through",
    ),
    "a file that is no text": ({}, "\x00", LIMIT, "funds.toml cannot be used"),
    "a name longer than messages hold": ({"name": "postal-regulation-2030"}, CAP, LIMIT, "is not of at most 16 small"),
    "a day where the program counts a term": (
        {},
        CAP,
        READ.replace('"3 days"', "2030-12-31"),
        "address-data: its length is '2030-12-31', and the program counts it as a term",
    ),
    "a day of the month where it counts a term": (
        {},
        CAP,
        monthly("").replace("[canadian]", "[address-data]"),
        "address-data: its length is '5', and the program counts it as a term",
    ),
    "hours where it counts days": ({}, CAP, READ.replace("3 days", "48 hours"), "'48 hours', which is counted in days"),
    "a term of a day": (
        {},
        CAP,
        READ.replace('values = [{ from = 1998-09-02, value = "3 days" }]', 'term_of = "indicia_valid_through"'),
        "address-data: its length is '",
    ),
    "a decision where it counts a term": (
        {},
        CAP,
        READ.replace('"obligation"', '"set limit"\nuntil = "until"')
        .replace("custody.leased", "limit.missed")
        .replace('values = [{ from = 1998-09-02, value = "3 days" }]', ""),
        "address-data: it has no term, by which the program counts",
    ),
    "a term that begins too late": (
        {},
        CAP,
        READ.replace("1998-09-02", "2030-01-03"),
        "address-data: values begin on 2030-01-03, and a world of this set begins on 2030-01-02",
    ),
    "a procedure of another party": (
        {},
        CAP,
        LIMIT.replace("[canadian]", "[authorization-appeal]"),
        "authorization-appeal: it is in the journal of the provider",
    ),
    "two lengths": ({}, CAP, LIMIT.replace("values =", 'term_of = "refund_window"\nvalues ='), "says twice how long"),
    "a zone for a day": (
        {},
        CAP,
        LIMIT.replace('"obligation"', '"set limit"\nuntil = "zone"'),
        "canadian: until is 'zone', which holds no day: until, through",
    ),
    "each month, met by an act of each year": (
        {"over": "cfr-501"},
        CAP,
        monthly(SOC),
        "canadian: it is met for a month, and the act 'soc-reports' is done for a year",
    ),
    "each month, met by any act": (
        {},
        CAP,
        monthly('{ fact = "act.recorded", by = "party" }'),
        "met for a month by any",
    ),
    "each month, met by what names none": (
        {},
        CAP,
        monthly('{ fact = "custody.leased", by = "party" }'),
        "canadian: it is met for a month, and 'custody.leased' names none",
    ),
    "each year, met by a file of a month": (
        {},
        CAP,
        monthly('{ fact = "lost-and-stolen-file.sent", by = "party" }').replace("value = 5", 'value = "5 May"'),
        "canadian: it is met for a year, and 'lost-and-stolen-file.sent' names none",
    ),
    "an obligation that nobody can meet": (
        {},
        CAP,
        LIMIT.replace(MET, ""),
        "limits/own.toml: canadian: met_by and ends are empty: nobody could ever meet this obligation",
    ),
    "a day that nobody can keep": (
        {},
        CAP,
        LIMIT.replace(MET, "").replace('"obligation"', '"calendar"').replace('"3 days"', "2030-12-31"),
        "limits/own.toml: canadian: met_by and ends are empty: nobody could ever meet this calendar",
    ),
    "each month, met by nothing": ({}, CAP, monthly(""), "canadian: it is due each month, and nothing meets it"),
    "a title longer than a notice": ({}, CAP, LIMIT.replace("do it", "a" * 201), "canadian: title is longer than 200"),
    "a clause longer than a notice": ({}, CAP, LIMIT.replace("502.1", "5" * 81), "canadian: clause is longer than 80"),
    "words longer than a notice": (
        {},
        CAP,
        LIMIT.replace("It is late.", "a" * 990),
        "canadian: says is longer than 989",
    ),
    "a clause longer than a ground": (
        {},
        CAP.replace("P050 3.6", "3" * 81),
        LIMIT,
        "descending_cap: clause is longer than 80",
    ),
    "a service longer than a shipment": (
        {},
        figure("service_out", "text", f'"{"a" * 81}"'),
        LIMIT,
        "service_out: value is longer than 80",
    ),
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


@pytest.mark.parametrize(
    ("slip", "told"),
    [
        ("limit/own.toml", "limit cannot be used: nothing reads it"),
        ("limits/own.tml", "own.tml cannot be used: nothing reads it"),
        ("limits", "limits cannot be used: nothing reads it"),
        ("about.json.orig", "about.json.orig cannot be used"),
        ("latin.toml", "latin.toml cannot be used: 'utf-8' codec"),
        ("about.json", "its about.json cannot be read ('utf-8' codec"),
        ("folder.toml/x", "folder.toml cannot be used: [Errno"),
    ],
)
def test_a_file_that_nobody_reads_or_nobody_can_read_is_named(
    slip: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = dropped(tmp_path) / "canada_2030" / slip
    place.parent.mkdir(exist_ok=True)
    place.write_bytes("# caf\u00e9\n".encode("latin-1"))
    monkeypatch.setenv(ELSEWHERE, str(tmp_path))
    held = examined(registry())
    (trouble,) = (one.trouble for one in held.values() if one.trouble)
    assert told in trouble
    assert {name: one for name, one in held.items() if not one.trouble} == dict(REGISTRY)


def test_two_that_lie_over_each_other_are_both_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dropped(tmp_path, {**ABOUT, "over": "quebec"})
    other = tmp_path / "quebec"
    other.mkdir()
    (other / "about.json").write_text(json.dumps({**ABOUT, "name": "quebec", "over": "canada-2030"}))
    monkeypatch.setenv(ELSEWHERE, str(tmp_path))
    held = examined(registry())
    assert {name for name, one in held.items() if "it is laid over" in one.trouble} == {"canada-2030", "quebec"}


def test_the_environment_may_name_the_folder_of_a_set_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ELSEWHERE, str(dropped(tmp_path) / "canada_2030"))
    assert {name for name, one in examined(registry()).items() if not one.trouble} == {*REGISTRY, "canada-2030"}


def test_an_act_that_undoes_a_limit_from_below_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = dropped(tmp_path, {**ABOUT, "over": "cfr-501"}) / "canada_2030" / "acts"
    below.mkdir()
    mine = ACT.replace("[dance]", "[soc-reports]")
    (below / "own.toml").write_text(mine)  # done for no year
    monkeypatch.setenv(ELSEWHERE, str(tmp_path))
    assert "soc-reports: it is met for a period" in examined(registry())["canada-2030"].trouble
    (below / "own.toml").write_text(mine + "period = true\n")
    assert not examined(registry())["canada-2030"].trouble


def test_what_ships_keeps_what_is_asked_of_others() -> None:
    for name, about in REGISTRY.items():
        rules, folder = ruleset(name), files("towncircle.rules").joinpath(about.folder)
        start = Instant.parse(about.start).date_in("UTC")
        told: dict[str, Any] = {"asked": ruleset("cfr-501").parameters, "regimes": chain(name), "start": start}
        parameters, limits, _, places = load(folder)
        assert list(troubles(parameters, limits, places=places, whole=rules.parts(), **told)) == []
        told.pop("asked")
        assert list(troubles_of_use(parameters, places=places, whole=rules.parts(), **told)) == []


def test_a_folder_that_says_nothing_wrong_is_usable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dropped(tmp_path)
    below = tmp_path / "canada_2030" / "limits"
    below.mkdir()
    whole = LIMIT.replace('late."', 'late.", denies = "resets"')
    monkeypatch.setenv(ELSEWHERE, str(tmp_path))
    for text in (
        whole,
        whole.replace(MET, 'ends = ["device.came-back"]'),  # what ends needs nobody who meets it
        *(LIMIT.replace(MET, "").replace('"obligation"', f'"{shape}"') for shape in ("window", "retention")),
    ):
        (below / "own.toml").write_text(text)
        assert {name for name, one in examined(registry()).items() if not one.trouble} == {*REGISTRY, "canada-2030"}


@pytest.mark.parametrize(
    ("start", "usable"),
    [
        ("1998-09-02T03:59:59Z", False),  # a minute before midnight in Washington: the day before
        ("1998-09-02T04:00:00Z", True),
        ("1998-09-03T03:59:59Z", True),
    ],
)
def test_the_first_day_of_a_set_is_the_post_offices_own(
    start: str, usable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = {"over": "ibi-1998", "layout": "ibi-full", "scheme": "dsa-1024", "start": start}
    dropped(tmp_path, {**ABOUT, **old}, CAP.replace("2020-01-01", "1998-09-02"))
    monkeypatch.setenv(ELSEWHERE, str(tmp_path))
    about = examined(registry())["canada-2030"]
    assert (not about.trouble) is usable
    assert about.former is not usable  # a world that an earlier release began under it goes on


def test_a_set_over_one_that_cannot_be_used_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dropped(tmp_path, {**ABOUT, "layout": "maple"})
    other = tmp_path / "quebec"
    other.mkdir()
    (other / "about.json").write_text(json.dumps({**ABOUT, "name": "quebec", "over": "canada-2030"}))
    monkeypatch.setenv(ELSEWHERE, str(tmp_path))
    assert "laid over 'canada-2030'" in examined(registry())["quebec"].trouble


def test_the_words_and_units_that_are_asked_for_are_those_that_the_program_reads() -> None:
    assert set(WORDS["delivery_barcode"]) == set(MAIL_BARCODES.values())
    assert _SAID["part"] == PARTS
    every = {name: one for name in RULESETS for name, one in ruleset(name).parameters.items()}
    assert {name for name, one in every.items() if one.unit == "term"} == {*COUNTED}


def test_what_can_be_denied_and_printed_is_what_the_program_does() -> None:
    assert {"provider": tuple(EFFECTS)} == dict(DENIES)
    assert {name: layout(name).scheme for name in INDICIA} == dict(INDICIA)


def test_a_folder_to_compare_with_is_examined_too(tmp_path: Path) -> None:
    place = dropped(tmp_path, rules=CAP.replace('"mills"', '"integer"')) / "canada_2030"
    with pytest.raises(BadInput, match=r"funds\.toml: descending_cap: unit is 'integer'"):
        ruleset("imi-2024").with_folder(place)


@pytest.mark.parametrize(("regime", "start"), [("imi-2024", "2005-01-01T00:00Z"), ("ibi-1998", "1998-09-02T03:59:59Z")])
def test_a_world_is_not_begun_before_its_rules(regime: str, start: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"rules\.not-in-force"):
        World.create(tmp_path / "early", regime=regime, seed=1, start=Instant.parse(start))
    assert not (tmp_path / "early").exists()
    ruleset("ibi-1998").check_start(Instant.parse("1998-09-02T04:00:00Z").date_in(HEADQUARTERS))


# ---- a fourth that says nothing wrong: nobody's rule, in use by data only

RURITANIA = ROOT / "tests" / "data" / "rule-sets"
COMMANDS = """
import contextlib, io, json, sys
from towncircle.cli.main import main
told = []
for line in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        told.append([main(line), out.getvalue(), err.getvalue()])
print(json.dumps(told))
"""


def ran(*lines: tuple[object, ...]) -> list[tuple[int, str, str]]:
    """Run commands, one after the other, as a user does who names a directory of rule sets."""
    env = {**os.environ, ELSEWHERE: str(RURITANIA), "PYTHONPATH": str(ROOT / "src")}
    words = json.dumps([list(map(str, line)) for line in lines])
    done = subprocess.run([sys.executable, "-c", COMMANDS, words], env=env, capture_output=True, text=True, check=True)
    return [(code, out, err) for code, out, err in json.loads(done.stdout.splitlines()[-1])]


def test_a_fourth_rule_set_is_walked_by_the_ordinary_commands(tmp_path: Path) -> None:
    assert not [module.path for module in modules() if "ruritania" in module.text.lower()]
    world, paper = tmp_path / "world", tmp_path / "paper"
    paper.write_text("the bell was heard")
    told = ("--by", HARBOR, "--reference", "bell-1")
    listing = ("deadlines", world, "--party", "harbor", "--all", "--json")
    made, licensed, leased, no_period, no_paper, before, rung, after = ran(
        ("world", "new", world, "--regime", "ruritania-2026"),
        ("license", world),
        ("lease", world),
        ("record", world, "feast-report", *told, "--document", paper),
        ("record", world, "bell-rung", *told),
        listing,
        ("record", world, "bell-rung", *told, "--document", paper),
        listing,
    )
    assert [step[0] for step in (made, licensed, leased, rung)] == [0, 0, 0, 0]
    assert "acts.bad-period" in no_period[2]
    assert "acts.no-document, clause Ruritania 7" in no_paper[2]
    rows, later = ({row["limit"]: row for row in json.loads(text)["deadlines"]} for text in (before[1], after[1]))
    held = {name: (rows[name]["state"], rows[name]["last_day"], rows[name]["clause"]) for name in ("bell", "feast")}
    assert held == {  # Thanksgiving is no business day
        "bell": ("due", "2026-11-30", "Ruritania 7"),
        "feast": ("due", "2026-12-26", "Ruritania 8"),
    }
    assert any(row["until"].startswith("2026-11-27T18:00") for row in rows.values())  # a hundred hours
    assert later["bell"]["state"] == "met"


# ---- what the program reads of a limit, and what messages hold of it


def test_each_limit_that_the_program_reads_is_read_by_its_term_or_by_the_parameter_that_it_names() -> None:
    rules = ruleset("cfr-501")
    own = {
        address_data.LIMIT,
        upkeep.FORM_LIMIT,
        defects.LIMIT,
        refunding._RETENTION,
        standing.APPEAL,
        "inspection-answer",
    }
    assert set(limits_read()) == own | {
        name for form in procedures().values() for key, name in form.limits.items() if key != "cure"
    }
    around = Around(parameters=rules.parameters, acts={}, regimes=chain("cfr-501"), start=DAY)
    for name in limits_read():
        limit = rules.limits[name]
        named = rules.with_limit(replace(limit, values=(), term_of="refund_window"))
        assert str(named.length_of(name, DAY)) == "60 days"
        assert [*of_limit(named.limits[name], around), *of_use(named.limits[name], around)] == []
        assert str(rules.length_of(name, DAY)) == str(Term.parse(str(limit.on(DAY))))
        late = Dated(since=date(2027, 1, 1), value="3 days")
        wrong = [
            replace(limit, values=(), term_of="indicia_valid_through"),
            replace(limit, values=(), until="until"),  # a day that a decision sets is no term
            replace(limit, values=(replace(late, since=DAY, value=date(2027, 1, 1)),)),
            replace(limit, values=(late,)),
        ]
        told = ("counts it as a term", "it has no term", "counts it as a term", "values begin on 2027-01-01")
        for one, words in zip(wrong, told, strict=True):
            assert any(words in what for what in of_use(one, around)), (name, words)
        with pytest.raises(Refused, match=r"rules\.not-in-force"):
            rules.with_limit(wrong[3]).check_start(DAY)
    reading = {module.path for module in modules() if re.search(r"limits\[[^]]*\]\.(on|length)\(", module.text)}
    assert not reading  # nobody reads a limit past `length_of`


def test_mail_is_printed_where_the_age_of_address_data_is_a_parameter(tmp_path: Path) -> None:
    place = dropped(tmp_path, rules=figure("address_term", "term", '"90 days"')) / "canada_2030"
    (place / "limits").mkdir()
    same = READ.replace('values = [{ from = 1998-09-02, value = "3 days" }]', 'term_of = "address_term"')
    (place / "limits" / "own.toml").write_text(same)
    rules = ruleset("imi-2024").with_folder(place)
    assert check_age("2026-10", rules, on=DAY, name="own") == date(2026, 12, 30)
    with pytest.raises(Refused, match=r"addresses\.data-old.*90 days"):
        check_age("2026-08", rules, on=DAY, name="own")


def test_what_a_set_says_fits_the_messages_that_bear_it() -> None:
    def most(row: type, name: str) -> int:
        hint = get_type_hints(row, include_extras=True)[name]
        held = [one.most for one in getattr(hint, "__metadata__", ()) if isinstance(one, Limit)]
        return held[0] if held else _TEXT_LIMIT.most

    assert {most(row, "regime") for row in (PackTerms, CertificateRow, BuildApproval, Initialise, DeviceKeyReport)} == {
        NAME_LETTERS
    }
    assert {key: most(Notice, key) - (len("If missed: ") if key == "says" else 0) for key in LONGEST} == dict(LONGEST)
    assert most(Ground, "clause") == CLAUSE_LETTERS
    assert dict.fromkeys(SERVICES.values(), most(HandOver, "service")) == dict(LONGEST_TEXT)


def test_a_limit_of_each_month_is_met_by_an_act_of_the_month(tmp_path: Path) -> None:
    place = dropped(tmp_path) / "canada_2030"
    for name, text in (
        ("acts", ACT + 'period = "month"\n'),
        ("limits", monthly(SOC.replace("soc-reports", "dance")).replace('"device"', '"Provider"')),
    ):
        (place / name).mkdir()
        (place / name / "own.toml").write_text(text.replace('["custody.leased"]', STARTS_PARTY))
    rules = ruleset("imi-2024").with_folder(place)
    act = rules.acts["dance"]
    told = {"party": HARBOR, "document": "", "about": ""}
    check_told(act, period="2026-11", **told)
    for period in ("", "2026", "2026-13"):
        with pytest.raises(BadInput, match=r"acts\.bad-period"):
            check_told(act, period=period, **told)
    begun = Instant.parse("2026-10-15T12:00Z")
    leased = Fact(
        id="FCT-0", type="custody.leased", subject="dev", actor=HARBOR, occurred_at=begun, recorded_at=begun, body={}
    )
    danced = replace(recorded(act="dance", period="2026-10"), occurred_at=begun, recorded_at=begun)
    now = Instant.parse("2026-12-07T12:00Z")
    found = derive(rules, [leased, danced], party=HARBOR, as_of=now, wanted=lambda limit: limit.id == "canadian")
    assert [(duty.period, duty.state, duty.last_day.isoformat()) for duty in found] == [
        ("2026-10", "met", "2026-11-05"),
        ("2026-11", "overdue", "2026-12-05"),
        ("2026-12", "due", "2027-01-05"),
    ]


def test_a_where_asks_for_a_number_or_a_yes_as_it_is_written() -> None:
    fact = recorded(count=7, annotated=True)  # type: ignore[arg-type]  # a fact holds numbers and yes or no too
    for where, fits in (({"count": "7"}, True), ({"count": "8"}, False), ({"annotated": "true"}, True)):
        assert (Link(fact="act.recorded", where=where).thread(fact, HARBOR) == "soc-27") is fits
    assert Link(fact="act.recorded", where={"annotated": "1"}).thread(fact, HARBOR) is None


def test_a_fact_that_sets_no_day_stops_nobody() -> None:
    rules = ruleset("imi-2024")
    limit = replace(rules.limits["authorization-cure"], until="zone", starts=(Link(fact="act.recorded"),))
    limit = replace(limit, id="odd", journal="provider", values=())
    assert derive(rules.with_limit(limit), [recorded(zone="America/New_York")], party=HARBOR,
                  as_of=Instant.parse("2027-09-01T12:00Z"), wanted=lambda one: one.id == "odd") == []  # fmt: skip


def test_a_world_that_cannot_be_made_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise Refused("rules.not-in-force", ruleset="x", name="y", on=DAY, since=DAY)

    monkeypatch.setattr(World, "publish", broken)
    made = {"regime": "imi-2024", "seed": 1, "start": Instant.parse("2026-11-21T12:00Z")}
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder in (tmp_path / "world", empty):
        with pytest.raises(Refused):
            World.create(folder, **made)  # type: ignore[arg-type]  # the words above
    assert [*tmp_path.rglob("*")] == [empty]


# ---- the digest covers the acts


def test_a_changed_act_has_another_digest_and_older_decisions_are_known() -> None:
    rules = ruleset("cfr-501")
    bare = RuleSet(rules.name, rules.parameters, rules.inherited, rules.limits)
    acted = RuleSet(rules.name, rules.parameters, rules.inherited, rules.limits, rules.acts)
    assert {bare.digest, acted.digest} == rules.former  # as it was before acts, and before the design, were covered
    assert len({bare.digest, acted.digest, rules.digest}) == 3
    assert all(rules.knows(digest) for digest in (rules.digest, *rules.former))
    assert not rules.knows(ruleset("imi-2024").digest)
    for change in ({"document": False}, {"actor": "custodian"}, {"orders": "Nothing."}, {"rule": "39 CFR 501.1"}):
        acts = {**rules.acts, "soc-reports": replace(rules.acts["soc-reports"], **change)}
        assert RuleSet(rules.name, rules.parameters, rules.inherited, rules.limits, acts).digest != acted.digest


@pytest.mark.parametrize("name", ["ibi-1998", "imi-2024"])
def test_another_layout_is_another_digest_and_decisions_under_the_digest_of_before_are_known(name: str) -> None:
    rules = ruleset(name)
    whole = {"inherited": rules.inherited, "limits": rules.limits, "acts": rules.acts}
    before = RuleSet(name, rules.parameters, **whole)  # as the release before digested it
    assert rules.digest != before.digest
    assert rules.knows(before.digest)
    about = REGISTRY[name]
    assert rules.design == {"over": about.over, "layout": about.layout, "scheme": about.scheme}
    for change in ({"layout": "imi-min"}, {"scheme": "rsa"}, {"over": "cfr-501"}):
        other = RuleSet(name, rules.parameters, **whole, design={**rules.design, **change})
        assert other.digest != rules.digest
        assert not rules.knows(other.digest)
        assert other.former == rules.former
    same = [rules.with_limit(rules.limits["license-appeal"]), rules.with_value("descending_cap", 500_000)]
    assert {one.digest for one in same} == {rules.digest}


def test_a_folder_of_acts_changes_a_rule_set_and_tells_which_records_it_refuses(tmp_path: Path) -> None:
    below = tmp_path / "acts"
    below.mkdir()
    (below / "own.toml").write_text(ACT.replace("[dance]", "[soc-reports]") + "period = true\ndocument = true\n")
    ours, facts = ruleset("cfr-501"), [recorded(document="ab"), recorded(document="")]
    theirs = ours.with_folder(tmp_path)
    assert changed(ours, theirs) == ["soc-reports"]
    assert theirs.digest != ours.digest
    found = [row[1:] for row in acts_differing(facts, ours, theirs, party=HARBOR)]
    mine, yours = (f"recorded under {clause} by the officer" for clause in ("39 CFR 501.15", "502.1"))
    assert found == [("soc-reports", mine, yours)]  # without a paper both refuse it
    assert list(acts_differing(facts, ours, ours, party=HARBOR)) == []
    (below / "own.toml").write_text(ACT.replace("[dance]", "[soc-reports]"))
    with pytest.raises(BadInput, match="soc-reports: it is met for a period"):
        ours.with_folder(tmp_path)


def recorded(**told: str) -> Fact:
    now = Instant.parse("2027-08-01T12:00Z")
    body = {"act": "soc-reports", "period": "2027", **told}
    return Fact(
        id="FCT-1", type="act.recorded", subject="soc-27", actor=HARBOR, occurred_at=now, recorded_at=now, body=body
    )


# ---- which regime ends is what the limit says, not what marks look like


def test_a_regime_ends_where_the_limit_names_it_whatever_its_layout() -> None:
    rules = ruleset("cfr-501")
    assert {name: rules.ended(name) for name in RULESETS} == {"cfr-501": False, "ibi-1998": True, "imi-2024": False}
    limit = rules.limits["withdrawal"]
    link = replace(limit.starts[0], where={"regime": "imi-2024"})
    other = rules.with_limit(replace(limit, starts=(link,)))  # the same layout as the one that goes on
    assert ends(other, "imi-2024") == (date(2024, 6, 30), date(2024, 12, 31))
    assert ends(other, "ibi-1998") is None
    assert ends(ruleset("ibi-1998"), "ibi-1998") is None


OLD_WORLD = """
from pathlib import Path
from towncircle.kernel.errors import BadInput
from towncircle.world.journeys import Journeys, Applicant
from towncircle.world.world import World
folder, told = Path({folder!r}), []
if folder.exists():
    with_world = World.open(folder)
    journeys = Journeys(with_world)
    for job in (journeys.lease, lambda: World.create(folder / "more", regime="canada-2030", seed=1, start=None)):
        try:
            job()
        except BadInput as error:
            told.append(error.code)
    told.append(with_world.rules.name)
else:
    World.create(folder, regime="canada-2030", seed=1, start=None).close()
    with_world = World.open(folder)
    Journeys(with_world).apply(Applicant(), provider="provider.harbor")
with_world.close()
print(told)
"""


def test_a_world_of_a_set_that_an_earlier_release_took_opens_and_none_is_begun_under_it(tmp_path: Path) -> None:
    dropped(tmp_path / "rules")
    code = OLD_WORLD.format(folder=str(tmp_path / "world"))
    assert said(tmp_path / "rules", code) == "[]"
    place = tmp_path / "rules" / "canada_2030"
    (place / "about.json").write_text(json.dumps({**ABOUT, "layout": "imi-min"}))
    (place / "notes.txt").write_text("an earlier release passed over it")
    assert said(tmp_path / "rules", code) == "['rules.set-unusable', 'rules.set-unusable', 'canada-2030']"


def test_a_set_whose_limit_would_stop_a_party_begins_no_world_and_stops_none_that_stands(tmp_path: Path) -> None:
    below = dropped(tmp_path) / "canada_2030" / "limits"
    below.mkdir()
    (below / "own.toml").write_text(LIMIT.replace("do it", "a" * 201))
    assert said(tmp_path, ASK + "print(r.name)") == "canada-2030"
    begun = "from towncircle.rules.rulesets import begun; begun('canada-2030')"
    assert "canadian: title is longer than 200 letters" in said(tmp_path, begun)
