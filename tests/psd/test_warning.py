"""A device warns before something hurts, from the instant that its signed terms set, under both regimes."""

from __future__ import annotations

import pytest
from tests.psd.setting import START, Story

from towncircle.cli.show import standing, standing_json
from towncircle.kernel.cites import cites
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import HOUR_US, Instant
from towncircle.psd.warning import countdown
from towncircle.wire import bodies


def of_1998(start: str = "1998-11-30T15:00:00Z") -> Story:
    device = DeviceId.of(vendor="TC", model="1B", serial=4)
    return Story(device=device, start=Instant.parse(start), regime="ibi-1998", scheme="dsa-1024").to("in service")


def warned(story: Story, word: str) -> bool:
    return any(word in line for line in story.client.status().warnings)


@cites("IMI-01", "P050-3.4")
@pytest.mark.parametrize(("past_us", "warns"), [(-1, False), (0, True), (1, True)])
def test_the_contact_warning_begins_24_hours_or_a_calendar_month_before_the_deadline(past_us: int, warns: bool) -> None:
    imi, old = Story().to("in service"), of_1998()
    begins = {imi: START.plus(hours=48), old: Instant.parse("1999-01-28T15:00:00Z")}  # due on 28 February
    for story, at in begins.items():
        story.clock.at = at.plus(microseconds=past_us)
        assert warned(story, "Contact the Provider within") is warns


@pytest.mark.parametrize(("past_us", "late"), [(0, False), (1, True)])
def test_at_the_deadline_itself_the_warning_still_counts_down(past_us: int, late: bool) -> None:
    story = Story()
    story.commission(lapse_effect="warn")
    story.reset()
    story.clock.at = story.client.status().contact_due.plus(microseconds=past_us)
    assert warned(story, "was due by") is late
    assert warned(story, "within less than a minute") is not late


@pytest.mark.parametrize("hours", [1, 71])
def test_another_signed_term_moves_the_beginning_of_the_warning(hours: int) -> None:
    story = Story().to("in service")
    story.contact(terms=story.workshop.terms(story.now, contact_warning_hours=hours))
    story.clock.at = START.plus(hours=72 - hours)
    assert warned(story, f"within {countdown(hours * HOUR_US)}")
    story.clock.pass_time(microseconds=-1)
    assert not warned(story, "within")


@pytest.mark.parametrize(("past_us", "warns"), [(-1, False), (0, True)])
def test_a_certificate_is_warned_of_from_the_day_that_the_terms_set(past_us: int, warns: bool) -> None:
    for story in (Story().to("in service"), of_1998()):
        certificate = story.state().indicia_certificate
        assert certificate is not None
        story.clock.at = certificate.not_after.plus(days=-30, microseconds=past_us)
        story.contact()
        assert warned(story, "certificate") is warns


def test_a_device_without_terms_warns_until_its_next_contact_brings_them() -> None:
    story = Story()
    story.workshop.initialise(story.client, story.name, story.now)
    story.workshop.certify(story.client, story.name, story.now)
    order = bodies.FirstAuthorise(parameters=story.workshop.parameters(story.now))
    story.client.authorise(story.workshop.seal(story.name, order, story.now))
    assert warned(story, "Contact the Provider within 3 days")
    story.contact()
    assert story.client.status().warnings == ()


@pytest.mark.parametrize(
    ("left_us", "words"),
    [
        (51 * HOUR_US, "2 days 3 hours"),
        (24 * HOUR_US, "1 day"),
        (HOUR_US, "1 hour"),
        (HOUR_US - 1, "59 minutes"),
        (59_999_999, "less than a minute"),
        (-5, "less than a minute"),
    ],
)
def test_a_countdown_names_two_units_at_most(left_us: int, words: str) -> None:
    assert countdown(left_us) == words


def test_whoever_asks_sees_how_long_is_left_and_that_it_is_past() -> None:
    story = Story().to("in service")
    due = story.state().contact_due.iso()
    for hours, left in ((21, "2 days 3 hours left"), (50, "1 hour left"), (1, "less than a minute left"), (1, "past")):
        story.clock.pass_time(hours=hours)
        told = story.client.status()
        assert ("next contact due", f"{due} ({left})") in standing(told)
        assert standing_json(told)["contact_left_seconds"] == (story.state().contact_due - story.now) // 1_000_000
