"""Contact deadlines, the lock, and the clock that runs wrong."""

from __future__ import annotations

import pytest
from tests.psd.setting import DEVICE, START, Story, batch

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.wire import bodies


def audit_of(story: Story) -> bodies.DeviceAudit:
    body = story.workshop.open(story.name, story.client, story.client.audit().message).body
    assert isinstance(body, bodies.DeviceAudit)
    return body


@pytest.mark.parametrize(("past_us", "locked"), [(-1, False), (0, False), (1, True)])
def test_72_hours_are_72_hours_to_the_microsecond(past_us: int, locked: bool) -> None:
    story = Story().to("in service")
    due = START.plus(hours=72)
    assert story.client.status().contact_due == due
    story.clock.at = due.plus(microseconds=past_us)
    if not locked:
        assert story.evidence(date="2026-11-24").count == 1
        return
    with pytest.raises(Refused, match=r"psd\.locked") as refused:
        story.evidence(date="2026-11-24")
    assert "72 hours" in refused.value.sentence
    assert str(due) in refused.value.sentence
    assert "Contact the Provider" in refused.value.next_step


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("1998-11-30T15:00:00Z", "1999-02-28T15:00:00Z"),
        ("1999-11-30T15:00:00Z", "2000-02-29T15:00:00Z"),
        ("1998-10-31T15:00:00Z", "1999-01-31T15:00:00Z"),
        ("1998-09-21T14:00:00Z", "1998-12-21T15:00:00Z"),  # the same wall time, summer and winter
    ],
)
def test_three_months_are_calendar_months(start: str, due: str) -> None:
    began, ends = Instant.parse(start), Instant.parse(due)
    for past_us, locked in ((0, False), (1, True)):
        story = Story(
            device=DeviceId.of(vendor="TC", model="1B", serial=4), start=began, regime="ibi-1998", scheme="dsa-1024"
        )
        story.commission()
        story.reset()
        assert story.client.status().contact_due == ends
        story.clock.at = ends.plus(microseconds=past_us)
        assert (story.client.status().state == "locked") is locked


def test_only_a_contact_opens_a_locked_device() -> None:
    story = Story().to("locked")
    for call in (lambda: story.client.request_reset(Mills.dollars(1)), lambda: story.evidence(date="2026-11-24")):
        with pytest.raises(Refused, match=r"psd\.locked"):
            call()
    assert story.client.status().state == "locked"
    assert story.workshop.contact(story.client, DEVICE, story.now).state == "in service"
    assert story.client.status().state == "in service"
    assert story.evidence(date="2026-11-24").count == 1
    assert story.client.status().contact_due == story.now.plus(hours=72)


def test_the_lock_is_kept_when_the_clock_is_put_back_behind_the_deadline() -> None:
    story = Story().to("locked")
    with pytest.raises(Refused, match=r"psd\.locked"):
        story.evidence()
    story.clock.at = START.plus(hours=1)
    with pytest.raises(Refused, match=r"psd\.locked"):
        story.evidence()
    story.restart()
    assert story.client.status().state == "locked"


def test_a_lapse_that_only_warns_does_not_lock() -> None:
    story = Story()
    story.commission(lapse_effect="warn")
    story.reset()
    story.clock.pass_time(hours=80)
    status = story.client.status()
    assert status.state == "in service"
    assert any("was due" in warning for warning in status.warnings)
    assert story.evidence(date="2026-11-24").count == 1


def test_warnings_count_down_before_the_lock() -> None:
    story = Story().to("in service")
    assert story.client.status().warnings == ()
    story.clock.pass_time(hours=50)
    status = story.client.status()
    assert status.contact_left_us == 22 * 3_600_000_000
    assert any("within 22 hours" in warning for warning in status.warnings)


def test_a_clock_put_back_moves_no_money_until_it_is_right() -> None:
    story = Story().to("in service")
    story.clock.pass_time(hours=2)
    story.evidence("JOB-1")
    opened = story.workshop.open(DEVICE, story.client, story.client.request_reset(Mills.dollars(1)).message)
    reset = story.workshop.authorisation(DEVICE, opened, story.now)
    withdrawal = story.workshop.seal(DEVICE, bodies.Withdraw(reason="returned"), story.now)
    client = story.client
    story.clock.pass_time(microseconds=-60_000_000)  # the terms allow 5 minutes: the Provider's orders are not too new
    before = story.state()
    for call in (lambda: client.apply_reset(reset), lambda: client.withdraw(withdrawal)):
        with pytest.raises(Refused, match=r"psd\.clock-back"):
            call()
    assert story.state() == before
    story.clock.pass_time(microseconds=60_000_000)
    client.apply_reset(reset)
    story.clock.pass_time(hours=-1)
    before = story.state()
    for call in (lambda: story.evidence("JOB-2"), lambda: client.request_reset(Mills.dollars(1))):
        with pytest.raises(Refused, match=r"psd\.clock-back"):
            call()
    assert story.state() == before
    assert any("clock" in warning for warning in client.status().warnings)
    story.clock.pass_time(hours=1)
    assert story.evidence("JOB-2").count == 1
    assert client.withdraw(withdrawal).state == "withdrawn"


def test_a_clock_that_ran_ahead_is_set_right_by_the_providers_signed_time() -> None:
    story = Story().to("in service")
    story.clock.pass_time(days=2000)
    with pytest.raises(Refused, match=r"psd\.locked"):
        story.evidence()
    story.clock.at = START.plus(hours=1)
    story.contact()
    assert story.client.status().high_water == START.plus(hours=1)
    assert story.evidence().count == 1


@pytest.mark.parametrize(("past_us", "taken"), [(0, False), (1, True)])
def test_an_order_to_give_back_lowers_a_mark_that_ran_ahead_of_it_by_more_than_the_terms_allow(
    past_us: int, taken: bool
) -> None:
    story = Story().to("in service")
    story.clock.pass_time(microseconds=5 * 60_000_000 + past_us)
    story.evidence()
    story.clock.at = START
    order = story.workshop.seal(DEVICE, bodies.Withdraw(reason="returned"), story.now)
    if not taken:
        with pytest.raises(Refused, match=r"psd\.clock-back"):
            story.client.withdraw(order)
        return
    assert story.client.withdraw(order).state == "withdrawn"
    assert story.state().high_water == START


@pytest.mark.parametrize(("minutes", "past_us", "stopped"), [(5, 0, False), (5, 1, True), (1, 0, False), (1, 1, True)])
def test_a_clock_behind_the_providers_by_more_than_the_terms_allow_moves_no_money(
    minutes: int, past_us: int, stopped: bool
) -> None:
    story = Story().to("in service")
    terms = story.workshop.terms(story.now, clock_difference_minutes=minutes)
    ahead = story.now.plus(microseconds=minutes * 60_000_000 + past_us)
    story.contact(contact_at=ahead, terms=terms)
    if stopped:
        with pytest.raises(Refused, match=r"psd\.clock-back"):
            story.evidence()
        story.clock.at = ahead
    assert story.evidence().count == 1


@pytest.mark.parametrize(("past_us", "taken"), [(0, True), (1, False)])
def test_an_order_from_the_future_is_refused_beyond_the_difference_of_the_terms(past_us: int, taken: bool) -> None:
    story = Story().to("in service")
    ahead = story.now.plus(microseconds=5 * 60_000_000 + past_us)
    order = story.workshop.seal(DEVICE, bodies.Withdraw(reason="returned"), ahead)
    if taken:
        assert story.client.withdraw(order).state == "withdrawn"
    else:
        with pytest.raises(Refused, match=r"wire\.not-yet-valid"):
            story.client.withdraw(order)


def test_a_renewal_of_the_first_version_leaves_the_terms_as_they_were() -> None:
    story = Story().to("in service")
    before = story.state().terms
    opened = story.workshop.open(DEVICE, story.client, story.client.audit().message)
    first = bodies.FirstRenewal(
        audit_counter=opened.envelope.counter,
        contact_at=story.now,
        parameters=None,
        settle_request="",
        settle_outcome="",
    )
    story.client.contact(story.workshop.seal(DEVICE, first, story.now))
    assert story.state().terms == before is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"contact_warning_hours": 10**12},
        {"contact_warning_months": 10**6},
        {"certificate_warning_days": 10**9},
        {"clock_difference_minutes": 10**9},
        {"advance_limit_days": 10**6},
    ],
)
def test_terms_that_a_device_cannot_reckon_with_are_refused_and_its_status_goes_on(changes: dict[str, int]) -> None:
    story = Story().to("in service")
    before = story.state().terms
    for parameters in (None, story.workshop.parameters(story.now)):
        with pytest.raises(Refused, match=r"psd\.parameters-unusable") as refused:
            story.contact(terms=story.workshop.terms(story.now, **changes), parameters=parameters)
        assert next(iter(changes)) in refused.value.sentence
    assert story.state().terms == before
    assert story.client.status().state == "in service"


@pytest.mark.parametrize(("past_us", "taken"), [(0, True), (1, False)])
def test_a_device_without_terms_takes_no_order_from_beyond_its_own_ceiling(past_us: int, taken: bool) -> None:
    story = Story().to("initialised")
    ahead = story.now.plus(microseconds=5 * 60_000_000 + past_us)
    order = story.workshop.seal(DEVICE, bodies.FirstAuthorise(parameters=story.workshop.parameters(story.now)), ahead)
    story.workshop.certify(story.client, DEVICE, story.now)
    if taken:
        story.client.authorise(order)
        assert story.state().terms is None
    else:
        with pytest.raises(Refused, match=r"wire\.not-yet-valid"):
            story.client.authorise(order)


def test_a_device_without_terms_dates_no_piece_beyond_its_own_ceiling() -> None:
    story = Story().to("initialised")
    story.workshop.certify(story.client, DEVICE, story.now)
    for days, taken in ((32, False), (31, True)):
        first = bodies.FirstAuthorise(parameters=story.workshop.parameters(story.now, advance_days=days))
        order = story.workshop.seal(DEVICE, first, story.now)
        if taken:
            story.client.authorise(order)
        else:
            with pytest.raises(Refused, match=r"psd\.parameters-unusable.*32 days ahead"):
                story.client.authorise(order)
    story.reset()
    assert story.evidence("JOB-1", date="2026-12-22").count == 1
    with pytest.raises(Refused, match=r"psd\.date"):
        story.evidence("JOB-2", date="2026-12-23")


def test_terms_that_fall_below_the_parameters_bound_the_mailing_date_and_block_no_contact() -> None:
    story = Story().to("in service")
    story.contact(terms=story.workshop.terms(story.now, advance_limit_days=1))
    assert story.evidence("JOB-1", date="2026-11-22").count == 1
    with pytest.raises(Refused, match=r"psd\.date"):
        story.evidence("JOB-2", date="2026-11-23")


def test_a_renewal_answers_the_last_audit_only_and_once() -> None:
    story = Story().to("in service")
    first = story.workshop.open(DEVICE, story.client, story.client.audit().message)
    second = story.workshop.open(DEVICE, story.client, story.client.audit().message)
    with pytest.raises(Refused, match=r"psd\.renewal-stale"):
        story.client.contact(story.workshop.renewal(DEVICE, first, story.now))
    good = story.workshop.renewal(DEVICE, second, story.now)
    done = story.client.contact(good)
    assert story.client.contact(good) == done  # a retry gets the first answer
    with pytest.raises(Refused, match=r"psd\.renewal-stale"):
        story.client.contact(story.workshop.renewal(DEVICE, second, story.now))


def test_a_renewal_that_comes_after_its_own_term_does_not_open_the_device() -> None:
    story = Story().to("in service")
    opened = story.workshop.open(DEVICE, story.client, story.client.audit().message)
    late = story.workshop.renewal(DEVICE, opened, story.now)
    sealed = story.workshop.seal(
        DEVICE,
        bodies.Renewal(
            audit_counter=opened.envelope.counter,
            contact_at=story.now,
            parameters=None,
            settle_request="",
            settle_outcome="",
            terms=story.workshop.terms(story.now),
        ),
        story.now,
        hours=500,
    )
    story.clock.pass_time(hours=100)
    with pytest.raises(Refused, match=r"wire\.expired"):
        story.client.contact(late)
    story.client.contact(sealed)
    assert story.client.status().state == "locked"


def test_usage_is_reported_until_a_renewal_has_answered_and_nothing_is_lost_in_between() -> None:
    story = Story().to("in service")
    story.evidence("JOB-1", amounts=(100, 100))
    opened = story.workshop.open(DEVICE, story.client, story.client.audit().message)
    story.evidence("JOB-2", amounts=(7,))
    assert [row.count for row in audit_of(story).usage] == [3]
    opened = story.workshop.open(DEVICE, story.client, story.client.audit().message)
    story.evidence("JOB-3", amounts=(9,))
    story.client.contact(story.workshop.renewal(DEVICE, opened, story.now))
    assert [(row.count, row.mills) for row in audit_of(story).usage] == [(1, 9)]


def test_an_audit_tells_registers_totals_and_deadline() -> None:
    story = Story().to("in service")
    story.evidence(amounts=(730,))
    audit = audit_of(story)
    assert (audit.registers.ascending, audit.registers.descending, audit.registers.pieces) == (730, 99_270, 1)
    assert (audit.resets_total, audit.withdrawn_total, audit.state) == (100_000, 0, "in service")
    assert audit.contact_due == START.plus(hours=72)


def test_parameters_come_only_signed_and_only_where_they_fit() -> None:
    story = Story().to("in service")
    for changes, word in (
        ({"specimen": False}, "specimens"),
        ({"layout": "ibi-full"}, "dsa-1024"),
        ({"layout": "imi-huge"}, "imi-huge"),
        ({"zone": "Mars/Olympus"}, "Mars"),
        ({"lapse_effect": "explode"}, "explode"),
        ({"contact_hours": 0, "contact_months": 0}, "interval"),
        ({"advance_days": 400}, "400"),
        ({"piece_limit_mills": Mills(2**24)}, "piece limit"),
        ({"office_zip": "2026"}, "2026"),
    ):
        before = story.state().parameters
        with pytest.raises(Refused, match=r"psd\.parameters-unusable") as refused:
            story.contact(parameters=story.workshop.parameters(story.now, **changes))
        assert word in refused.value.sentence
        assert story.state().parameters == before
    story.contact(parameters=story.workshop.parameters(story.now, advance_days=9))
    assert story.evidence(date="2026-11-30").count == 1


def test_a_cap_that_falls_under_the_balance_stops_resets_and_takes_nothing_away() -> None:
    story = Story().to("in service")
    story.contact(parameters=story.workshop.parameters(story.now, cap_mills=Mills.dollars(50)))
    assert story.client.status().registers.descending == Mills.dollars(100)
    with pytest.raises(Refused, match=r"psd\.over-cap"):
        story.client.request_reset(Mills(1))
    assert story.evidence(amounts=(60_000,)).count == 1
    story.reset(5)


def test_withdrawal_gives_the_balance_back_once_and_reports_what_it_was() -> None:
    story = Story().to("in service")
    story.evidence(amounts=(730,))
    order = story.workshop.seal(DEVICE, bodies.Withdraw(reason="returned"), story.now)
    done = story.client.withdraw(order)
    body = story.workshop.open(DEVICE, story.client, done.message).body
    assert isinstance(body, bodies.DeviceWithdrawal)
    assert (body.registers.descending, body.resets_total) == (99_270, 100_000)
    state = story.state()
    assert (state.registers.ascending, state.registers.descending, state.withdrawn_total) == (730, 0, 99_270)
    assert story.client.withdraw(order) == done
    with pytest.raises(Refused, match=r"machine\.illegal-move"):
        story.client.withdraw(story.workshop.seal(DEVICE, bodies.Withdraw(reason="again"), story.now))
    assert story.client.recover("JOB-1").count == 1


def test_zeroising_needs_the_name_and_leaves_no_key() -> None:
    from towncircle.kernel.errors import BadInput

    story = Story().to("withdrawn")
    with pytest.raises(BadInput, match=r"psd\.zeroise-unconfirmed"):
        story.client.zeroise(DeviceId("TC1A0000000099"))
    assert story.state().indicia_key is not None
    story.client.zeroise(DEVICE)
    state = story.state()
    assert state.indicia_key is None
    assert state.message_key is None
    with pytest.raises(Refused, match=r"machine\.illegal-move"):
        story.client.audit()


def test_a_faulted_device_releases_nothing_not_even_what_it_signed_before() -> None:
    story = Story().to("in service")
    story.evidence()
    story.restart(tests={"broken": lambda: False})
    for call in (story.evidence, lambda: story.client.recover("JOB-1"), story.client.audit):
        with pytest.raises(Refused, match=r"psd\.faulted"):
            call()
    story.restart()
    assert story.client.status().state == "faulted"
    assert batch().request_id == "JOB-1"
