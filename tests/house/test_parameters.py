"""Every parameter of the rule is read by something: change it, and what the program does changes.

A probe asks the real program one question under a given rule set. It is run under the shipped value and under another
one, and the two answers must differ. A parameter without a probe fails here, and so does one whose probe sees nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.mailpiece import pages
from tests.psd import setting
from tests.verification import story as marks

from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.kernel.store import MemoryStore, Record
from towncircle.mailpiece.lints import lint
from towncircle.provider import leasing
from towncircle.rules import RULESETS, RuleSet, ruleset
from towncircle.rules.rulesets import REGISTRY
from towncircle.verification import Observed, judge, pack
from towncircle.wire.bodies import DeviceParameters, PackTerms

ON = date(2026, 11, 21)
HUNDRED = Mills.dollars(100)
Probe = Callable[[RuleSet], object]

# another value for each kind of parameter, and for those whose answer changes only on one side
OTHERS: dict[str, object] = {
    "descending_cap": 50_000,
    "lapse_effect": "warn",
    "decertified_on": date(2024, 6, 29),
    "indicia_valid_through": date(2026, 12, 31),
    "refund_window": "5 days",
    "contact_interval": "5 hours",
    "indicium_margin_right": "3 in",
    "indicium_margin_top": "2 in",
    "correction_bottom": "3 in",
    "marking_height": "1 in",
}


def granted(rules: RuleSet) -> DeviceParameters:
    """Give what the Provider sets in a device that it leases under a rule set."""
    product = leasing.Product(
        vendor="TC",
        model="1A",
        regime=rules.name,
        scheme="ecdsa-p256",
        domain=b"",
        layout="imi-std",
        advance_days=3,
        piece_limit=HUNDRED,
        root_fingerprint=b"",
        zone_of=lambda _: "America/New_York",
    )
    office = {"office_zip": "20260", "office_city": "Washington", "office_state": "DC"}
    row = Record(kind="license", key="20260-000001", owner="licensee.acme", version=1, body=office)
    with MemoryStore().transaction() as tx:
        ctx = Context(
            tx=tx,
            now=setting.START,
            party="provider.harbor",
            actor="licensee.acme",
            randomness=SeededRandomness(1, "probe"),
            rule_digest=rules.digest,
            unseal=lambda *_: None,
        )
        return leasing._parameters(ctx, row, product, rules, "licensee.acme")


def device_story(rules: RuleSet) -> setting.Story:
    """Bring a device under the parameters of a rule set into service."""
    terms = granted(rules)
    story = setting.Story()
    story.commission(
        cap_mills=terms.cap_mills,
        contact_months=terms.contact_months,
        contact_hours=terms.contact_hours,
        lapse_effect=terms.lapse_effect,
    )
    return story


def cap(rules: RuleSet) -> object:
    """Reset a device by $100."""
    try:
        device_story(rules).reset(100)
    except Refused as refused:
        return refused.code
    return "reset"


def after_silence(rules: RuleSet, *, months: int = 0, hours: int = 0) -> object:
    """Evidence a piece after a silence of the device."""
    story = device_story(rules)
    story.reset(10)
    story.clock.at = story.clock.at.plus_months(months, zone="America/New_York").plus(hours=hours)
    day = story.now.date_in("America/New_York").isoformat()
    try:
        story.evidence(date=day)
    except Refused as refused:
        return refused.code
    return "evidenced"


def terms(rules: RuleSet, regime: str) -> PackTerms:
    """Give what the Postal Service publishes of a regime, where `rules` stand in for the rule set of their name."""

    def named(name: str) -> RuleSet:
        return rules if name == rules.name else ruleset(name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pack, "ruleset", named)
        judged_in = "imi-2024" if rules.name == "ibi-1998" else rules.name
        return pack.terms_of(regime, on=ON, judged_in=judged_in, advance_days=3, stale_days=400)


def judged(rules: RuleSet, regime: str, finding: str, *, now: Instant, purpose: str = "postage") -> object:
    """Judge one mark by the terms of a rule set and give one finding."""
    story = marks.Story(REGISTRY[regime].layout)
    row = story.row(regime=regime)
    known = story.pack(terms=(terms(rules, regime),), certificates=(row,), next_update=now.plus(days=400))
    observed = replace(Observed(), purpose=purpose, deposited_at=now)
    return judge(story.mark(), known, None, now, observed).finding(finding)


def page(rules: RuleSet, which: str) -> object:
    """Lint a page that was laid out by the shipped rule set."""
    made = {"piece": pages.piece, "marked": lambda: pages.piece(art=pages.MARKING), "corrected": pages.correction}[
        which
    ]()
    return [finding.code for finding in lint(made, rules, ON)]


def refund(rules: RuleSet) -> object:
    return judged(rules, rules.name, "refund.window", now=marks.NOON.plus(days=20), purpose="refund")


PROBES: dict[str, Probe] = {
    "descending_cap": cap,
    "contact_interval": lambda rules: after_silence(rules, hours=6),
    "lapse_effect": lambda rules: after_silence(rules, months=3, hours=1),
    "refund_window": refund,
    "indicium_margin_right": lambda rules: page(rules, "piece"),
    "indicium_margin_top": lambda rules: page(rules, "piece"),
    "correction_bottom": lambda rules: page(rules, "corrected"),
    "marking_height": lambda rules: page(rules, "marked"),
    "decertified_on": lambda rules: judged(rules, "ibi-1998", "regime.valid-through", now=marks.NOON),
    "indicia_valid_through": lambda rules: judged(rules, "ibi-1998", "regime.valid-through", now=marks.NOON),
}

CASES = [
    pytest.param(ruleset(name), parameter, id=f"{name}-{parameter}")
    for name in RULESETS
    for parameter in ruleset(name).parameters
]


@pytest.mark.parametrize(("rules", "parameter"), CASES)
def test_changing_a_parameter_changes_what_the_program_does(rules: RuleSet, parameter: str) -> None:
    probe = PROBES[parameter]
    assert probe(rules.with_value(parameter, OTHERS[parameter])) != probe(rules)


@pytest.mark.parametrize(("rules", "parameter"), CASES)
def test_a_probe_gives_the_same_answer_twice(rules: RuleSet, parameter: str) -> None:
    assert PROBES[parameter](rules) == PROBES[parameter](rules)


def test_every_parameter_has_a_probe() -> None:
    names = {parameter for name in RULESETS for parameter in ruleset(name).parameters}
    assert PROBES.keys() == names
    assert OTHERS.keys() == names


def test_the_probes_see_the_limits_themselves() -> None:
    rules = ruleset("imi-2024")
    assert after_silence(rules, hours=72) == "evidenced"
    assert after_silence(rules, hours=73) == "psd.locked"
    assert after_silence(ruleset("ibi-1998"), months=3) == "evidenced"
    assert cap(rules.with_value("descending_cap", int(HUNDRED))) == "reset"
    assert cap(rules.with_value("descending_cap", int(HUNDRED) - 1)) == "psd.over-cap"
    day = marks.NOON.date_in("America/New_York") + timedelta(days=1)
    through = ruleset("imi-2024").with_value("indicia_valid_through", day)
    assert judged(through, "ibi-1998", "regime.valid-through", now=marks.NOON).ok is True  # type: ignore[attr-defined]  # a finding
