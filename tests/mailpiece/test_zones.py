"""Postal zones: the official chart, and an estimate that says it is one."""

import json
from datetime import date

import pytest

from towncircle.kernel.errors import BadInput, Refused
from towncircle.mailpiece.zones import MOST_BYTES, estimate, read_chart


def cell(zips: str, zone: str, service: str = "") -> dict[str, str]:
    return {"ZipCodes": zips, "Zone": zone, "MailService": service}


def chart(**changes: object) -> bytes:
    """Give a chart in the shape of the Postal Service's page, of made-up zones."""
    sheet = {
        "ZIPCodeError": "", "ShippingDateError": "", "PageError": "", "EffectiveDate": "October 1, 2026",
        "Column0": [cell("005---009", "3*"), cell("010", "4+")], "Column1": [cell("011---020", "5")],
        "Column2": [cell("900---901", "8"), cell("902", "8"), cell("902", "9", "Priority Mail")], "Column3": [],
        "Zip5Digit": [cell("01005---01007", "3"), cell("01009", "2", "Priority Mail")],
    }  # fmt: skip
    return json.dumps(sheet | changes).encode()


@pytest.mark.parametrize(
    ("to", "mail_class", "zone"),
    [
        ("00501", "ground", "3"), ("00999", "ground", "3"), ("01001", "ground", "4"), ("01005", "ground", "3"),
        ("01007", "priority", "3"), ("01008", "priority", "4"), ("01009", "priority", "2"), ("01009", "ground", "4"),
        ("90210", "ground", "8"), ("90210", "priority", "9"),
    ],
)  # fmt: skip
def test_a_chart_gives_the_zone_of_each_destination_and_its_exceptions(to, mail_class, zone):
    found = read_chart(chart(), origin="20260").zone_of(to, mail_class=mail_class)
    assert (found.zone, found.estimated) == (zone, False)
    assert "official zone chart of origin 202, effective 2026-10-01" in found.note


def test_a_destination_that_is_not_in_the_chart_is_refused():
    read = read_chart(chart(), origin="202")
    assert read.effective == date(2026, 10, 1)
    with pytest.raises(Refused) as refusal:
        read.zone_of("50001", mail_class="ground")
    assert refusal.value.code == "zones.not-in-chart"


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"{}", b"\xff\xfe", b"zip,zone\n005,3\n", b"[" * 100_000, b" " * (MOST_BYTES + 1),
        chart(PageError="No Zones found for the entered ZIP Code."), chart(ZIPCodeError="x"),
        chart(EffectiveDate="soon"), chart(Column0="005"), chart(Column0=[7]), chart(Zip5Digit=[cell("010", "3")]),
        chart(Column0=[cell("005---00", "3")]), chart(Column0=[cell("009---005", "3")]),
        chart(Column0=[cell("005", "0")]), chart(Column0=[cell("005", "10")]), chart(Column0=[cell("005", "3!")]),
        chart(Column0=[cell("005", "3", "Carrier")]), chart(Column0=[cell("005", "3"), cell("005", "4")]),
        chart(Column1=[cell("005", "5")]), chart(Column0=[], Column1=[], Column2=[]),
    ],
)  # fmt: skip
def test_a_chart_that_is_not_whole_is_refused(data):
    with pytest.raises(BadInput) as refusal:
        read_chart(data, origin="20260")
    assert refusal.value.code == "zones.chart-unreadable"


def test_an_origin_that_is_none_is_bad_input():
    with pytest.raises(BadInput):
        read_chart(chart(), origin="2026")


@pytest.mark.parametrize(
    ("origin", "to", "zone"),
    [
        ("20260", "20001", "1"),
        ("70117", "37202", "4"),  # as a shipper's page says: support.shippingeasy.com, New Orleans to Nashville
        ("90012", "97201", "5"),  # as another one says: www.shippingschool.com, Los Angeles to Portland
        ("90012", "10001", "8"),
        ("20260", "96813", "8"),
    ],
)
def test_an_estimate_is_by_distance_and_says_so(origin, to, zone):
    found = estimate(origin, to)
    assert (found.zone, found.estimated) == (zone, True)
    assert "the official zone chart decides" in found.note
    assert estimate(to, origin).zone == zone


def test_near_a_border_the_other_zone_is_named():
    assert "zone 6 is near" in estimate("38012", "06484").note  # 6 in the sample chart of support.pb.com


@pytest.mark.parametrize("to", ["00901", "96910", "96799", "09012", "34002", "96201"])
def test_territories_and_military_mail_are_not_estimated(to):
    with pytest.raises(Refused) as refusal:
        estimate("20260", to)
    assert refusal.value.code == "zones.not-estimated"


def test_a_zip_code_that_is_none_is_bad_input():
    with pytest.raises(BadInput):
        estimate("20260", "00000")
