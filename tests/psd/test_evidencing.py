"""Evidence: batches, dates, amounts, retries."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from tests.psd.setting import DEVICE, Story, batch

from towncircle.indicium.catalogue import layout
from towncircle.indicium.codec import decode, encode_content
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.pki.verifying import PublicKey, verify
from towncircle.psd.automaton import decide
from towncircle.psd.commands import (
    Column,
    Evidence,
    Evidenced,
    Recover,
    RequestReset,
    decode_answer,
    encode_command,
)
from towncircle.psd.registers import Registers


def test_each_indicium_is_signed_and_tells_the_registers_after_its_own_debit() -> None:
    story = Story().to("in service")
    done = story.evidence(amounts=(730, 1060, 290))
    key = PublicKey("ecdsa-p256", story.client.identify().indicia_public)
    expected = Mills(0)
    for number, (payload, amount) in enumerate(zip(done.indicia(), (730, 1060, 290), strict=True), start=1):
        read = decode(payload)
        expected += Mills(amount)
        assert verify(key, read.signature, read.content).accepted
        assert read.fields["ascending_mills"] == expected
        assert read.fields["descending_mills"] == Mills.dollars(100) - expected
        assert read.fields["piece_count"] == number
        assert read.fields["postage_mills"] == amount
        assert read.fields["origin_zip"] == "20260"
        assert read.device == DEVICE
        assert read.fields["certificate_serial"] == story.client.identify().certificate_serial


@pytest.mark.parametrize(
    ("layout_id", "extra"),
    [
        ("imi-min", {}),
        ("imi-std", {"mail_service": [0, 40, 65535], "software_id": "0001"}),
        (
            "imi-max",
            {
                "mail_service": [1, 2, 3],
                "software_id": "ffff",
                "destination": ["20260", "202600004", "20260000401"],
                "weight": [1, 350, 65535],
                "shape": ["L", "F", "L"],
                "rate_date": "2026-07-12",
            },
        ),
    ],
)
def test_the_columns_give_the_same_bytes_as_the_codec(layout_id: str, extra: dict[str, object]) -> None:
    story = Story()
    story.commission(layout=layout_id)
    story.reset()
    command = Evidence.of(
        "JOB-1", amounts=[1, 730, 99_000], date=["2026-11-21", "2026-11-22", "2026-11-24"], category="FCML", **extra
    )
    done = story.client.evidence(command)
    chosen = layout(layout_id)
    for payload in done.indicia():
        read = decode(payload)
        fields = {name: value for name, value in read.fields.items() if name != "signature"}
        assert encode_content(chosen, fields) == read.content
    assert [decode(payload).fields["date"] for payload in done.indicia()] == ["2026-11-21", "2026-11-22", "2026-11-24"]
    for name, values in extra.items():
        wanted = values if isinstance(values, list) else [values] * 3
        assert [decode(payload).fields[name] for payload in done.indicia()] == wanted


def test_the_1998_device_signs_with_dsa() -> None:
    device = DeviceId.of(vendor="TC", model="1B", serial=4)
    start = Instant.parse("1998-09-21T15:00:00Z")
    story = Story(device=device, start=start, regime="ibi-1998", scheme="dsa-1024")
    story.commission()
    story.reset()
    command = Evidence.of(
        "JOB-1", amounts=[320], date="1998-09-21", category="FCML", software_id="0001", product_data=bytes(9).hex()
    )
    done = story.client.evidence(command)
    read = decode(done.indicia()[0])
    assert (len(done.contents), len(done.signatures)) == (49, 40)
    assert verify(PublicKey("dsa-1024", story.client.identify().indicia_public), read.signature, read.content).accepted


def test_the_same_id_with_the_same_content_gives_the_same_bytes() -> None:
    story = Story().to("in service")
    command = encode_command(batch(amounts=(730, 500)))
    first = story.device.exchange(command)
    before = story.state()
    story.clock.pass_time(hours=1)
    assert story.device.exchange(command) == first
    assert story.device.exchange(encode_command(Recover(request_id="JOB-1"))) == first
    story.restart()
    assert story.device.exchange(command) == first
    assert story.state().registers == before.registers


def test_the_same_id_with_other_content_is_a_conflict() -> None:
    story = Story().to("in service")
    story.evidence(amounts=(730,))
    with pytest.raises(Refused, match=r"psd\.request-conflict"):
        story.evidence(amounts=(731,))
    with pytest.raises(Refused, match=r"psd\.request-unknown"):
        story.client.recover("JOB-2")


@pytest.mark.parametrize(("count", "well"), [(0, False), (1, True), (1000, True), (1001, False)])
def test_a_batch_has_1_to_1000_pieces(count: int, well: bool) -> None:
    story = Story().to("in service")
    before = story.state()
    command = Evidence(request_id="JOB-1", amounts=(50).to_bytes(4, "little") * count, columns=batch().columns)
    if well:
        assert story.client.evidence(command).count == count
        return
    with pytest.raises(BadInput, match=r"psd\.batch-size"):
        story.client.evidence(command)
    assert story.state() == before


@pytest.mark.parametrize(
    ("amount", "code"),
    [(0, "psd.amount-zero"), (1, ""), (100_000, ""), (100_001, "psd.amount-over-limit")],
)
def test_an_amount_lies_between_a_mill_and_the_signed_limit(amount: int, code: str) -> None:
    story = Story().to("in service")
    if not code:
        assert story.evidence(amounts=(amount,)).count == 1
        return
    with pytest.raises(BadInput, match=code.replace(".", r"\.")):
        story.evidence(amounts=(amount,))


@cites("P050-1.5")
@pytest.mark.parametrize(
    ("amounts", "code", "named"),
    [
        ((730, 0, 730), "psd.amount-zero", "Piece 2"),
        ((730, 0, 100_001), "psd.amount-zero", "Piece 2"),  # in the order of the checks
        ((730, 100_001, 730), "psd.amount-over-limit", "$100.001"),
        ((2**24 - 1,), "psd.amount-over-limit", "$100.00"),  # the last amount that the field holds
        ((2**24,), "psd.amount-over-limit", "$100.00"),
        ((2**32 - 1,), "psd.amount-over-limit", "$100.00"),
        ((2**32,), "psd.amount-out-of-range", "$4,294,967.295"),
        ((-1,), "psd.amount-out-of-range", "$4,294,967.295"),
    ],
)
def test_one_amount_out_of_its_limits_refuses_the_batch_and_changes_nothing(
    amounts: tuple[int, ...], code: str, named: str
) -> None:
    story = Story().to("in service")
    before = story.state()
    with pytest.raises(BadInput, match=code.replace(".", r"\.")) as caught:
        story.evidence(amounts=amounts)
    assert named in caught.value.sentence
    assert story.state() == before


@pytest.mark.parametrize("layout_id", ["imi-min", "imi-std", "imi-max"])
def test_a_limit_that_the_layout_cannot_carry_is_never_signed_in(layout_id: str) -> None:
    top = 256 ** layout(layout_id).field("postage_mills").length
    story = Story()
    story.commission(layout=layout_id, cap_mills=Mills(2 * top), piece_limit_mills=Mills(top - 1))
    assert story.state().granted().piece_limit_mills == top - 1
    with pytest.raises(Refused, match="piece limit"):
        Story().commission(layout=layout_id, piece_limit_mills=Mills(top))
    with pytest.raises(Refused, match="piece limit"):
        Story().commission(layout=layout_id, piece_limit_mills=Mills(0))


def test_a_thousand_pieces_go_in_columns_and_what_they_share_is_said_once() -> None:
    story = Story().to("in service")
    one, many = (encode_command(batch(amounts=(7,) * count)) for count in (1, 1000))
    assert len(many) - len(one) <= 999 * 4 + 8  # an amount each
    varied = encode_command(batch(amounts=(7,) * 1000, category=["FCML", "FCMF"] * 500))
    assert len(varied) - len(many) <= 1000 * 2 + 16  # and which of the two
    answer = story.device.exchange(varied)
    done = decode_answer(answer)
    assert isinstance(done, Evidenced)
    assert len(answer) <= len(done.contents) + len(done.signatures) + 200


def test_a_batch_spends_the_balance_to_the_mill_and_not_one_more() -> None:
    story = Story().to("in service")
    before = story.state()
    with pytest.raises(Refused, match=r"psd\.funds-short"):
        story.evidence(amounts=(50_000, 50_001))
    assert story.state() == before
    assert story.evidence(amounts=(50_000, 50_000)).registers.descending == 0


@pytest.mark.parametrize(
    ("moment", "date", "well"),
    [
        ("2026-11-21T15:00:00Z", "2026-11-20", False),
        ("2026-11-21T15:00:00Z", "2026-11-21", True),
        ("2026-11-21T15:00:00Z", "2026-11-24", True),
        ("2026-11-21T15:00:00Z", "2026-11-25", False),
        ("2026-11-22T04:59:59.999999Z", "2026-11-21", True),  # still the 21st in New York
        ("2026-11-22T05:00:00Z", "2026-11-21", False),
        ("2026-11-22T05:00:00Z", "2026-11-22", True),
    ],
)
def test_a_mailing_date_is_a_day_of_the_office_zone(moment: str, date: str, well: bool) -> None:
    story = Story().to("in service")
    story.clock.at = Instant.parse(moment)
    if well:
        assert decode(story.evidence(date=date).indicia()[0]).fields["date"] == date
        return
    with pytest.raises(Refused, match=r"psd\.date-refused"):
        story.evidence(date=date)


@pytest.mark.parametrize(
    ("zone", "moment", "today"),
    [
        ("Pacific/Guam", "2026-11-21T13:59:59.999999Z", "2026-11-21"),  # UTC+10: the day turns before Washington's
        ("Pacific/Guam", "2026-11-21T14:00:00Z", "2026-11-22"),
        ("Pacific/Honolulu", "2026-11-22T09:59:59.999999Z", "2026-11-21"),  # UTC-10, and no daylight saving time
        ("Pacific/Honolulu", "2026-11-22T10:00:00Z", "2026-11-22"),
        ("America/New_York", "2026-03-08T04:59:59.999999Z", "2026-03-07"),  # the night the clocks go ahead, UTC-5
        ("America/New_York", "2026-03-08T05:00:00Z", "2026-03-08"),
        ("America/New_York", "2026-03-09T03:59:59.999999Z", "2026-03-08"),  # that day had 23 hours: now UTC-4
        ("America/New_York", "2026-03-09T04:00:00Z", "2026-03-09"),
        ("America/New_York", "2026-11-01T03:59:59.999999Z", "2026-10-31"),  # the night they go back
        ("America/New_York", "2026-11-01T04:00:00Z", "2026-11-01"),
        ("America/New_York", "2026-11-02T04:59:59.999999Z", "2026-11-01"),  # that day had 25 hours
        ("America/New_York", "2026-11-02T05:00:00Z", "2026-11-02"),
        ("America/New_York", "2028-02-29T05:00:00Z", "2028-02-29"),
        ("America/New_York", "2028-03-01T05:00:00Z", "2028-03-01"),
    ],
)
def test_the_day_turns_at_midnight_of_the_office_not_of_utc(zone: str, moment: str, today: str) -> None:
    at = Instant.parse(moment)
    story = Story(start=at)
    story.commission(zone=zone, advance_days=1)
    story.reset()
    day = date.fromisoformat(today)
    assert decode(story.evidence("JOB-1", date=today).indicia()[0]).fields["date"] == today
    assert story.evidence("JOB-2", date=str(day + timedelta(days=1))).count == 1
    for wrong in (day - timedelta(days=1), day + timedelta(days=2)):
        with pytest.raises(Refused, match=r"psd\.date-refused"):
            story.evidence("JOB-3", date=str(wrong))


def test_the_ascending_register_is_filled_to_its_last_mill_and_no_reset_passes_it() -> None:
    story = Story().to("in service")
    full = Registers(ascending=Mills(2**40 - 1), descending=Mills(0), pieces=7)
    state = replace(story.state(), registers=full, resets_total=full.control_total)
    state.check()
    for command in (batch(amounts=(1,)), RequestReset(amount=Mills(1))):
        with pytest.raises(Refused, match=r"psd\.(funds-short|ascending-full)"):
            decide(state, command, story.now)
    last = Registers(ascending=Mills(2**40 - 2), descending=Mills(0), pieces=7)
    state = replace(story.state(), registers=last, resets_total=last.control_total)
    assert decide(state, RequestReset(amount=Mills(1)), story.now).message is not None
    with pytest.raises(Refused, match=r"psd\.ascending-full"):
        decide(state, RequestReset(amount=Mills(2)), story.now)


@pytest.mark.parametrize("text", ["20261121", "2026-11-31", "", "tomorrow", "2026-W47-6"])
def test_a_date_that_is_none_is_named(text: str) -> None:
    with pytest.raises(BadInput, match=r"psd\.date-unreadable"):
        Story().to("in service").evidence(date=text)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ascending_mills": 5}, "psd.field-not-from-host"),
        ({"certificate_serial": 5}, "psd.field-not-from-host"),
        ({"colour": "blue"}, "psd.field-unknown"),
        ({"mail_service": 70_000}, "indicium.field-out-of-range"),
        ({"category": "TOO LONG"}, "indicium.field-out-of-range"),
    ],
)
def test_what_the_host_may_not_say_is_refused(changes: dict[str, object], code: str) -> None:
    story = Story().to("in service")
    before = story.state()
    with pytest.raises(BadInput, match=code.replace(".", r"\.")):
        story.evidence(**changes)
    assert story.state() == before


def test_a_missing_field_and_a_missing_date_are_named() -> None:
    story = Story().to("in service")
    with pytest.raises(BadInput, match="software_id"):
        story.client.evidence(Evidence.of("JOB-1", amounts=[730], date="2026-11-21", category="FCML", mail_service=40))
    with pytest.raises(BadInput, match="date"):
        story.client.evidence(Evidence.of("JOB-1", amounts=[730], category="FCML"))


@pytest.mark.parametrize(
    "column",
    [
        Column(name="date"),
        Column(name="date", numbers=(1,), texts=("2026-11-21",)),
        Column(name="date", texts=("2026-11-21", "2026-11-22")),
        Column(name="date", texts=("2026-11-21", "2026-11-22"), at=b"\x00\x00\x02\x00"),
        Column(name="date", texts=("2026-11-21", "2026-11-21"), at=b"\x00\x00\x01\x00"),
        Column(name="date", texts=("2026-11-21",), at=b"\x00"),
    ],
)
def test_a_column_that_is_not_one_value_a_piece_is_refused(column: Column) -> None:
    story = Story().to("in service")
    rest = tuple(held for held in batch().columns if held.name != "date")
    command = Evidence(request_id="JOB-1", amounts=bytes((1, 0, 0, 0)) * 2, columns=(column, *rest))
    with pytest.raises(BadInput, match=r"psd\.(malformed|date-unreadable)"):
        story.client.evidence(command)


def test_overflow_stops_before_it_happens() -> None:
    story = Story().to("in service")
    for registers, code in (
        (Registers(ascending=Mills(2**40 - 800), descending=Mills(5000), pieces=1), "psd.ascending-full"),
        (Registers(ascending=Mills(0), descending=Mills(5000), pieces=2**32 - 1), "psd.pieces-full"),
    ):
        state = replace(story.state(), registers=registers, resets_total=registers.control_total)
        with pytest.raises(Refused, match=code.replace(".", r"\.")):
            decide(state, batch(amounts=(800,)), story.now)
    roomy = Registers(ascending=Mills(2**40 - 801), descending=Mills(5000), pieces=2**32 - 2)
    state = replace(story.state(), registers=roomy, resets_total=roomy.control_total)
    assert decide(state, batch(amounts=(800,)), story.now).state.registers.ascending == 2**40 - 1


def test_a_certificate_out_of_force_evidences_nothing() -> None:
    story = Story().to("authorised")
    story.reset()
    state = story.state()
    certificate = state.indicia_certificate
    assert certificate is not None
    for at, well in ((certificate.not_after, True), (certificate.not_after.plus(microseconds=1), False)):
        late = replace(state, contact_due=at.plus(days=9))
        command = batch(date=at.date_in("America/New_York").isoformat())
        if well:
            assert decide(late, command, at).count == 1
        else:
            with pytest.raises(Refused, match=r"psd\.certificate-not-in-force"):
                decide(late, command, at)


def test_reprints_are_counted_and_give_the_same_bytes() -> None:
    story = Story().to("in service")
    done = story.evidence(amounts=(1, 2, 3))
    again = story.client.reprint("JOB-1", [2, 0])
    assert again.indicia == (done.indicia()[2], done.indicia()[0])
    assert again.reprints == story.client.status().reprints == 2
    with pytest.raises(BadInput, match=r"psd\.no-such-piece"):
        story.client.reprint("JOB-1", [3])
    with pytest.raises(Refused, match=r"psd\.request-unknown"):
        story.client.reprint("JOB-9", [0])
    assert story.client.status().reprints == 2


def test_usage_adds_up_by_mailing_date_and_category() -> None:
    story = Story().to("in service")
    story.evidence("JOB-1", amounts=(100, 200, 300), category=["FCML", "FCMF", "FCML"])
    story.evidence("JOB-2", amounts=(50,), date="2026-11-22")
    rows = [(row.date, row.category, row.count, row.amount) for row in story.client.status().usage]
    assert rows == [("2026-11-21", "FCMF", 1, 200), ("2026-11-21", "FCML", 2, 400), ("2026-11-22", "FCML", 1, 50)]


def test_piece_numbers_run_on_between_batches() -> None:
    story = Story().to("in service")
    firsts = [story.evidence(f"JOB-{n}", amounts=(10,) * 7).first_piece for n in range(4)]
    assert [after - before for before, after in pairwise(firsts)] == [7, 7, 7]


@pytest.mark.parametrize("name", ["", " ", "a b", "x" * 65, "JOB/1", "JÖB"])
def test_a_request_id_is_plain(name: str) -> None:
    with pytest.raises(BadInput, match=r"psd\.request-id"):
        Story().to("in service").evidence(name)
