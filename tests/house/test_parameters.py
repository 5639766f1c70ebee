"""Every parameter of the rule is read by something: change it, and what the program does changes.

A probe asks the real program one question under a given rule set. It is run under the shipped value and under another
one, and the two answers must differ. A parameter without a probe fails here, and so does one whose probe sees nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import pytest
from tests.mailpiece import pages
from tests.psd import setting
from tests.verification import story as marks

from towncircle.bank.lockbox import FORMS
from towncircle.kernel import persons
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.kernel.store import MemoryStore, Record, Transaction
from towncircle.licensee.limits import Limits
from towncircle.mailpiece.lints import lint
from towncircle.pki.authority import serial_for
from towncircle.pki.verifying import PublicKey
from towncircle.postal import delays
from towncircle.provider import accounts, advances, leasing, renewing
from towncircle.provider.handovers import permission_for
from towncircle.rules import RULESETS, RuleSet, ruleset
from towncircle.rules.rulesets import REGISTRY
from towncircle.verification import Observed, judge, pack
from towncircle.verification.refunding import refund_share, share_is_known, share_of
from towncircle.wire.bodies import DeviceKeyReport, DeviceParameters, LockboxReport, LockboxRow, PackTerms

ON = date(2026, 11, 21)
HUNDRED = Mills.dollars(100)
Probe = Callable[[RuleSet], object]

# another value for each kind of parameter, and for those whose answer changes only on one side
OTHERS: dict[str, object] = {
    "descending_cap": 50_000,
    "lapse_effect": "warn",
    "service_out": "Armored Express",
    "service_back": "Armored Express",
    "decertified_on": date(2024, 6, 29),
    "indicia_valid_through": date(2026, 12, 31),
    "refund_window": "5 days",
    "contact_interval": "5 hours",
    "contact_warning": "3 hours",
    "certificate_warning": "80 days",
    "key_renewal_interval": "10 days",
    "clock_difference_minutes": 1,
    "advance_limit_days": 1,
    "indicium_margin_right": "3 in",
    "indicium_margin_top": "2 in",
    "correction_bottom": "3 in",
    "marking_height": "1 in",
    "marking_distance": "120 in",
    "fim_shapes": "card",
    "delivery_barcode": "none",
    "month_only_grace": "5 days",
    "keyed_postage_limit": 99_999,
    "next_collection": "2 days",
    "refund_share": 80,
    "refund_share_up_to": 400_000,
    **{f"available_{form.replace('-', '_')}": 7 for form in FORMS},
    "advance_limit": 1,
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
        advance_days=terms.advance_days,
        piece_limit_mills=terms.piece_limit_mills,
    )
    return story


def device_under_terms(rules: RuleSet) -> setting.Story:
    """Bring a device into service that got the terms of a rule set from its Provider at a contact."""
    story = device_story(rules)
    story.reset(10)
    story.contact(terms=leasing.device_terms(rules, ON))
    return story


def warned(rules: RuleSet, word: str, *, back: int, left_hours: int = 0) -> object:
    """Ask whether a device warns, so long before its contact deadline, or `back` days before its certificate ends."""
    story = device_under_terms(rules)
    certificate = story.state().indicia_certificate
    assert certificate is not None
    due = story.client.status().contact_due
    story.clock.at = certificate.not_after.plus(days=-back) if back else due.plus(hours=-left_hours)
    if back:
        story.contact(terms=leasing.device_terms(rules, ON))
    return any(word in line for line in story.client.status().warnings)


def behind(rules: RuleSet) -> object:
    """Evidence a piece after a contact with a Provider whose clock is three minutes ahead."""
    story = device_under_terms(rules)
    story.contact(contact_at=story.now.plus(microseconds=180_000_000), terms=leasing.device_terms(rules, ON))
    try:
        story.evidence()
    except Refused as refused:
        return refused.code
    return "evidenced"


def ahead(rules: RuleSet) -> object:
    """Evidence a piece that is dated two days ahead."""
    try:
        device_under_terms(rules).evidence(date=(ON + timedelta(days=2)).isoformat())
    except Refused as refused:
        return refused.code
    return "evidenced"


def renewed_after(rules: RuleSet, days: int) -> object:
    """Ask a Provider to have the next key of a device certified, so many days after the last one."""
    story = device_story(rules)
    public = story.client.identify().indicia_public
    held, _ = story.workshop.authority.certify_device(
        device=story.name,
        indicia=PublicKey("ecdsa-p256", public),
        messages=PublicKey("ecdsa-p256", public),
        serials=(serial_for(1, test=True), serial_for(2, test=True)),
        not_before=setting.START,
        not_after=setting.START.plus(days=365),
    )
    row = Record(
        kind="device", key=story.name, owner="l", version=1, body={"zone": "UTC", "indicia_certificate": held.hex()}
    )
    report = DeviceKeyReport(
        device=story.name,
        regime="",
        scheme="",
        indicia_public=public[:-1] + b"x",
        message_public=b"",
        indicia_proof=b"",
    )
    with MemoryStore().transaction() as tx:
        now = setting.START.plus(days=days)
        ctx = replace(context(tx), now=now)
        try:
            renewing._not_too_soon(ctx, row, report, rules)
        except Refused as refused:
            return refused.code
    return "certified"


def context(tx: Transaction) -> Context:
    return Context(
        tx=tx,
        now=setting.START,
        party="provider.p",
        actor="ann",
        randomness=SeededRandomness(1, "provider.p"),
        rule_digest="",
        unseal=lambda *_: None,
    )


def available(rules: RuleSet, form: str) -> object:
    """Credit a deposit, and say from when all of the account may be drawn."""
    day = setting.START.date_in("America/New_York").isoformat()
    row = LockboxRow(deposit_id="d", licensee="l", provider="p", amount=HUNDRED, form=form)
    report = LockboxReport(day=day, number=1, deposits=(row,), opening=ZERO, closing=HUNDRED)
    with MemoryStore().transaction() as tx:
        accounts._credit(context(tx), row, report, rules)
        return accounts.not_available(context(tx), "l")


def advance(rules: RuleSet) -> object:
    """Agree to advance $100."""
    with MemoryStore().transaction() as tx:
        ctx = replace(context(tx), party="provider.p")
        persons.authorise(ctx, name="ann", offices=("accounts",))
        accounts.open_account(ctx, "l", "a")
        try:
            advances.agree(ctx, licensee="l", limit=HUNDRED, rules=rules)
        except Refused as refused:
            return refused.code
    return "agreed"


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


def piece(rules: RuleSet, *, mills: int = 730, ahead: int = 0) -> object:
    """Have one piece evidenced, by the host's check and by the device's, and give both answers."""
    story = device_story(rules)
    story.reset(200)
    today = story.now.date_in("America/New_York")
    day = today + timedelta(days=ahead)
    answers = []
    for check in (
        lambda: Limits.of(rules, today, zone="America/New_York").check(day=day, amounts=[Mills(mills)]),
        lambda: story.evidence(amounts=(mills,), date=day.isoformat()),
    ):
        try:
            check()
        except (BadInput, Refused) as refused:
            answers.append(refused.code)
    return answers


def terms(rules: RuleSet, regime: str) -> PackTerms:
    """Give what the Postal Service publishes of a regime, where `rules` stand in for the rule set of their name."""

    def named(name: str) -> RuleSet:
        return rules if name == rules.name else ruleset(name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pack, "ruleset", named)
        judged_in = "imi-2024" if rules.name == "ibi-1998" else rules.name
        return pack.terms_of(regime, on=ON, judged_in=judged_in, stale_days=400)


def judged(rules: RuleSet, regime: str, finding: str, *, now: Instant, purpose: str = "postage") -> object:
    """Judge one mark by the terms of a rule set and give one finding."""
    story = marks.Story(REGISTRY[regime].layout)
    row = story.row(regime=regime)
    known = story.pack(terms=(terms(rules, regime),), certificates=(row,), next_update=now.plus(days=400))
    observed = replace(Observed(), purpose=purpose, deposited_at=now)
    return judge(story.mark(), known, None, now, observed).finding(finding)


def page(rules: RuleSet, which: str) -> object:
    """Lint a page that was laid out by the shipped rule set."""
    made = {
        "piece": pages.piece,
        "of 1998": pages.piece_1998,
        "marked": lambda: pages.piece(art=pages.MARKING),
        "corrected": pages.correction,
    }[which]()
    return [finding.code for finding in lint(made, rules, ON)]


def refund(rules: RuleSet) -> object:
    return judged(rules, rules.name, "refund.window", now=marks.NOON.plus(days=20), purpose="refund")


def shipped(rules: RuleSet, direction: str) -> list[object]:
    """Say by which of two services a device goes without a written permission."""
    services = ("Registered Mail", OTHERS[f"service_{direction}"])
    return [service for service in services if goes(rules, direction, service)]


def goes(rules: RuleSet, direction: str, service: object) -> bool:
    with MemoryStore().transaction() as tx:
        try:
            return permission_for(tx, rules, ON, direction=direction, service=str(service)) == ""
        except Refused:
            return False


def delayed(rules: RuleSet) -> object:
    """Find a mailing delayed, and say through which day it may be accepted."""
    with MemoryStore().transaction() as tx:
        ctx = context(tx)
        ctx.tx.put("license", "20260-000001", {"zone": "America/New_York"}, owner="m", expected=0)
        ctx.tx.put("device", pages.DEVICE, {"license": "20260-000001"}, owner="p", expected=0)
        found = delays.find(ctx, device=pages.DEVICE, month="2026-11", reasons="flood", rules=rules)
        return found.body["through"]


def shared(rules: RuleSet) -> object:
    """Tell whether a share of $450 is known."""
    try:
        share_is_known(rules, Mills.dollars(450), ON)
    except Refused:
        return False
    return True


PROBES: dict[str, Probe] = {
    "descending_cap": cap,
    "contact_interval": lambda rules: after_silence(rules, hours=6),
    "contact_warning": lambda rules: warned(rules, "Contact the Provider within", back=0, left_hours=5),
    "certificate_warning": lambda rules: warned(rules, "certificate", back=60),
    "key_renewal_interval": lambda rules: renewed_after(rules, 20),
    "clock_difference_minutes": behind,
    "advance_limit_days": ahead,
    "lapse_effect": lambda rules: after_silence(rules, months=3, hours=1),
    "refund_window": refund,
    **{f"available_{form.replace('-', '_')}": partial(available, form=form) for form in FORMS},
    "advance_limit": advance,
    "refund_share": lambda rules: share_of(Mills(740), refund_share(rules, ON)),
    "refund_share_up_to": shared,
    "indicium_margin_right": lambda rules: page(rules, "piece"),
    "indicium_margin_top": lambda rules: page(rules, "piece"),
    "correction_bottom": lambda rules: page(rules, "corrected"),
    "marking_height": lambda rules: page(rules, "marked"),
    "marking_distance": lambda rules: page(rules, "marked"),
    "fim_shapes": lambda rules: page(rules, "piece"),
    "delivery_barcode": lambda rules: (page(rules, "piece"), page(rules, "of 1998")),
    "month_only_grace": delayed,
    "keyed_postage_limit": lambda rules: piece(rules, mills=100_000),
    "next_collection": lambda rules: (piece(rules, ahead=3), terms(rules, rules.name).advance_days),
    "decertified_on": lambda rules: judged(rules, "ibi-1998", "regime.valid-through", now=marks.NOON),
    "indicia_valid_through": lambda rules: judged(rules, "ibi-1998", "regime.valid-through", now=marks.NOON),
    "service_out": lambda rules: shipped(rules, "out"),
    "service_back": lambda rules: shipped(rules, "back"),
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
    assert piece(rules, mills=100_000, ahead=3) == []
    assert piece(rules, mills=100_001) == ["mailroom.amount-over-limit", "psd.amount-over-limit"]
    assert piece(rules, ahead=4) == ["mailroom.date-refused", "psd.date-refused"]
    assert piece(rules, ahead=-1) == ["mailroom.date-refused", "psd.date-refused"]
    day = marks.NOON.date_in("America/New_York") + timedelta(days=1)
    through = ruleset("imi-2024").with_value("indicia_valid_through", day)
    assert judged(through, "ibi-1998", "regime.valid-through", now=marks.NOON).ok is True  # type: ignore[attr-defined]  # a finding
