"""The duties of the device: value only by its Provider's order, registers that cannot lie, a lock, keys born inside."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conformance.breaking import refused
from tests.psd.setting import DEVICE, Story, batch
from tests.psd.test_resetting import asked, refusal
from tests.psd.test_services import Workshop2

from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.psd import commands, integrity
from towncircle.psd.commands import Evidence
from towncircle.psd.registers import Registers, check_law
from towncircle.psd.services import ANYONE
from towncircle.wire import bodies

OLD = DeviceId.of(vendor="TC", model="1B", serial=4)


def piece_of_1998(request_id: str, day: str) -> Evidence:
    more = {"category": "FCML", "software_id": "0001", "product_data": bytes(9).hex()}
    return Evidence.of(request_id, amounts=[320], date=day, **more)  # type: ignore[arg-type]  # as the host gives them


def of_1998(start: str = "1998-11-30T15:00:00Z") -> Story:
    story = Story(device=OLD, start=Instant.parse(start), regime="ibi-1998", scheme="dsa-1024")
    story.commission()
    story.reset()
    return story


@pytest.mark.requirement("PRE-03/1", "P050-1.1/2")
@pytest.mark.parametrize("field", ["ascending_mills", "psd_serial", "certificate_serial"])
def test_the_host_hands_in_no_register_and_no_identity(field: str) -> None:
    story = Story().to("in service")
    for row in ("PRE-03", "P050-1.1"):
        with refused(row, "psd.field-not-from-host"):
            story.evidence(**{field: 1})
    assert story.client.status().registers.ascending == 0


@pytest.mark.requirement("PRE-04")
def test_a_device_serves_no_one_but_its_host() -> None:
    story = Story().to("in service")
    answer = story.device.exchange(commands.encode_command(batch()), role=ANYONE)
    with refused("502.8b", "psd.role-refused"):
        commands.decode_answer(answer)


@pytest.mark.requirement("PRE-11/1", "P050-3.6")
def test_no_reset_brings_the_descending_register_over_its_cap() -> None:
    story = Story().to("in service")  # with $100 on it
    with refused("P050-3.6", "psd.over-cap"):
        story.client.request_reset(Mills.dollars(400) + Mills(1))
    opened = asked(story, 400)
    story.contact(parameters=story.workshop.parameters(story.now, cap_mills=Mills.dollars(450)))
    with refused("P050-3.6", "psd.over-cap"):
        story.client.apply_reset(story.workshop.authorisation(DEVICE, opened, story.now))


@pytest.mark.requirement("PRE-12/1")
def test_a_debit_that_the_ascending_register_does_not_count_breaks_the_device() -> None:
    story = Story().to("in service")
    story.evidence(amounts=(730, 270))
    assert story.client.status().registers.ascending == Mills(1_000)
    uncounted = Registers(ascending=Mills(0), descending=Mills(99_000), pieces=2)
    with refused("502.8b", "psd.registers-broken"):
        check_law(uncounted, resets_total=Mills(100_000), withdrawn_total=Mills(0), limit=Mills(500_000))


@pytest.mark.requirement("PRE-12/3")
def test_what_would_pass_the_last_value_of_the_ascending_register_is_refused() -> None:
    last = Mills(2**40 - 1)
    full = Registers(ascending=last, descending=Mills(500), pieces=1)
    with refused("PRE-12", "psd.ascending-full"):
        full.debited(Mills(1), pieces=1)


@pytest.mark.requirement("PRE-17/1", "P050-1.1/3", "502.25a/4")
@pytest.mark.parametrize("changes", [{"amount": Mills.dollars(101)}, {"request_counter": 3}])
def test_value_comes_only_for_the_very_request(changes: dict[str, object]) -> None:
    story = Story().to("authorised")
    opened = asked(story)
    with refused("502.25a", "psd.reset-mismatch"):
        story.client.apply_reset(story.workshop.authorisation(DEVICE, opened, story.now, **changes))
    sealed = story.workshop.authorisation(DEVICE, opened, story.now)
    story.client.apply_reset(sealed)
    story.client.apply_reset(sealed)  # told again, it gives its first answer
    assert story.client.status().registers.descending == Mills.dollars(100)


@pytest.mark.requirement("502.25a/4")
def test_a_request_that_was_refused_is_completed_no_more() -> None:
    story = Story().to("authorised")
    opened = asked(story)
    assert isinstance(opened.body, bodies.ResetRequest)
    story.client.apply_reset(refusal(story, opened.body.request_id))
    with refused("502.25a", "psd.reset-unknown"):
        story.client.apply_reset(story.workshop.authorisation(DEVICE, opened, story.now))


@pytest.mark.requirement("P050-3.1/1")
def test_a_device_is_authorised_only_with_parameters_it_can_keep() -> None:
    story = Story().to("authorised")
    with refused("P050-3.1", "psd.parameters-unusable"):
        story.contact(parameters=story.workshop.parameters(story.now, layout="martian"))


@pytest.mark.requirement("P050-3.1/3")
def test_a_second_request_waits_for_the_first() -> None:
    story = Story().to("in service")
    asked(story, 10)
    with refused("502.25a", "psd.reset-open"):
        story.client.request_reset(Mills.dollars(20))


@pytest.mark.requirement("P050-3.2/1")
def test_no_piece_is_evidenced_beyond_what_was_paid() -> None:
    story = Story().to("in service")
    with refused("P050-3.2", "psd.funds-short"):
        story.evidence(amounts=(99_999, 2))
    assert story.client.status().registers.pieces == 0


@pytest.mark.requirement("PRE-15/1", "P050-2.5c", "P050-3.4/1", "502.23/1", "IMI-10")
def test_a_device_of_1998_that_is_not_audited_in_three_calendar_months_locks() -> None:
    story = of_1998()
    story.clock.at = Instant.parse("1999-02-28T15:00:00Z")  # the 90th day; the same wall time three months on
    story.client.evidence(piece_of_1998("JOB-1", "1999-02-28"))
    story.clock.pass_time(microseconds=1)
    for row in ("P050-3.4", "502.23", "IMI-10"):
        with refused(row, "psd.locked"):
            story.client.evidence(piece_of_1998("JOB-2", "1999-02-28"))
    later = of_1998("1998-09-02T15:00:00Z")
    later.clock.at = Instant.parse("1998-12-02T10:00:00Z")  # the 91st day
    later.client.evidence(piece_of_1998("JOB-1", "1998-12-02"))


@pytest.mark.requirement("IMI-01/1")
def test_an_imi_device_locks_past_72_hours() -> None:
    story = Story().to("in service")
    story.clock.pass_time(hours=72)
    story.evidence(date="2026-11-24")
    story.clock.pass_time(microseconds=1)
    with refused("IMI-01", "psd.locked"):
        story.evidence("JOB-2", date="2026-11-24")


@pytest.mark.requirement("IMI-01/2")
def test_a_contact_opens_a_locked_device_and_nothing_else_does() -> None:
    story = Story().to("locked")
    story.restart()
    with refused("IMI-01", "psd.locked"):
        story.evidence(date="2026-11-24")
    story.contact()
    assert story.evidence(date="2026-11-24").count == 1


@pytest.mark.requirement("P050-3.4/2")
def test_an_update_that_answers_another_audit_satisfies_nothing() -> None:
    story = Story().to("in service")
    audit = story.workshop.open(DEVICE, story.client, story.client.audit().message)
    answer = story.workshop.renewal(DEVICE, audit, story.now)
    story.client.audit()
    with refused("P050-3.4", "psd.renewal-stale"):
        story.client.contact(answer)


@pytest.mark.requirement("P050-3.4/3", "P050-2.5b/1")
def test_nobody_but_the_postal_service_examines_a_device() -> None:
    story = Story().to("in service")
    assert story.client.examine(story.workshop.examination(DEVICE, story.now)).message
    for order in (
        story.workshop.examination(DEVICE, story.now, chain=()),
        Workshop2(Story()).examination(DEVICE, story.now),
    ):
        for row in ("P050-2.6", "P050-3.4"):
            with refused(row, "psd.not-an-examiner"):
                story.client.examine(order)


@pytest.mark.requirement("P050-2.5f/2", "P050-2.7/4")
def test_a_faulty_device_is_used_under_no_circumstance() -> None:
    story = Story().to("faulted")
    for call in (story.evidence, story.reset, story.client.audit):
        with refused("P050-2.7", "psd.faulted"):
            call()


@pytest.mark.requirement("P050-4.7/1", day="2026-11-20")
@pytest.mark.requirement("P050-4.7/2", day="2026-11-25")
@pytest.mark.parametrize("day", ["2026-11-20", "2026-11-25"])
def test_a_date_before_the_deposit_or_past_the_next_collections_is_refused(day: str) -> None:
    story = Story().to("in service")
    with refused("P050-4.7", "psd.date-refused"):
        story.evidence(date=day)


@pytest.mark.requirement("502.8b/1")
def test_a_device_whose_selftest_failed_signs_nothing() -> None:
    story = Story().to("in service")
    with refused("502.8b", "psd.selftest-failed"):
        story.restart(tests={"a test that fails": lambda: False})
        story.client.selftest()


@pytest.mark.requirement("502.8b/2")
def test_an_order_that_was_changed_on_the_way_is_refused() -> None:
    story = Story().to("authorised")
    sealed = story.workshop.authorisation(DEVICE, asked(story), story.now)
    with refused("502.8b", "wire.bad-signature"):
        story.client.apply_reset(sealed[:-1] + bytes([sealed[-1] ^ 1]))


@pytest.mark.requirement("502.16")
def test_an_altered_program_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "psd").mkdir()
    for folder in (tmp_path, tmp_path / "psd"):
        (folder / "__init__.py").write_text("built = 1\n")
    integrity.write(tmp_path)
    integrity.check(tmp_path)
    (tmp_path / "psd" / "__init__.py").write_text("built = 2\n")
    with refused("502.16", "psd.module-altered"):
        integrity.check(tmp_path)


@pytest.mark.requirement("502.28/2")
def test_a_device_takes_no_certificate_of_another_root() -> None:
    from towncircle.bench.workshop import Workshop

    story = Story().to("initialised")
    stranger = Workshop(story.now, seed=99)
    with refused("502.28"):
        stranger.commission(story.client, story.name, story.now)


@pytest.mark.requirement("502.28/7")
def test_keys_are_destroyed_by_a_confirmed_order_only() -> None:
    story = Story().to("withdrawn")
    with refused("502.28", "psd.zeroise-unconfirmed"):
        story.client.zeroise(DeviceId.of(vendor="TC", model="1A", serial=18))
    story.client.zeroise(DEVICE)
    assert story.client.status().state == "zeroised"


@pytest.mark.requirement("IMI-02/2")
def test_a_device_whose_usage_nobody_fetched_refuses_more(monkeypatch: pytest.MonkeyPatch) -> None:
    from towncircle.psd import contact

    monkeypatch.setattr(contact, "MAX_USAGE_ROWS", 1)
    story = Story().to("in service")
    story.evidence()
    with refused("IMI-02", "psd.usage-full"):
        story.evidence("JOB-2", category="FCMF")
    story.contact()
    story.evidence("JOB-2", category="FCMF")
