"""Address data: the table of ZIP Codes, ranges that a licensee brings, standard form, and how old data may be."""

import sqlite3
import time
from datetime import date
from pathlib import Path

import pytest
from tests.conformance.breaking import refused
from tests.mailpiece.test_address_files import HEADER, read, written

from towncircle.kernel.errors import BadInput, Refused, RefusedOnGrounds
from towncircle.mailpiece import zipcode
from towncircle.mailpiece.address_source import RangeFile, ZipTable, check_age, covers_of
from towncircle.mailpiece.addresses import address
from towncircle.mailpiece.standard_form import Change, in_standard_form
from towncircle.rules import ruleset

IMI = ruleset("imi-2024")
BOSTON = {"name": "A", "street": "1 Main St", "city": "Boston", "state": "MA", "zip": "02108"}


def codes(**changed: str) -> list[str]:
    with pytest.raises(RefusedOnGrounds) as refusal:
        address(**(BOSTON | changed))
    return [ground.code for ground in refusal.value.grounds]


# ---- the table


def test_the_table_is_what_its_package_gives():
    import zipcodes
    from tools.import_zip_codes import TABLE, table

    assert table(zipcode.edition()) == TABLE.read_text(encoding="utf-8")
    row = zipcodes.matching("10001")[0]
    place = zipcode.place_of("10001")
    assert (place.city, place.state, place.zone) == (row["city"], row["state"], row["timezone"])
    assert (list(place.accepted), list(place.refused)) == (row["acceptable_cities"], row["unacceptable_cities"])
    assert zipcode.source() == f"zipcodes {zipcodes.__version__}"


def test_a_city_is_accepted_however_it_is_written():
    for city in ("St Louis", "Saint Louis", "ST. LOUIS", "saint-louis"):
        assert zipcode.city_accepted(zipcode.place_of("63101"), city), city
    assert zipcode.city_accepted(zipcode.place_of("81212"), "Cañon City")
    assert not zipcode.city_accepted(zipcode.place_of("63101"), "Chicago")


def test_a_wrong_city_is_refused_with_those_that_are_accepted():
    assert codes(city="Springfield") == ["address.city-elsewhere"]
    with pytest.raises(RefusedOnGrounds) as refusal:
        address(**(BOSTON | {"city": "Nyc", "state": "NY", "zip": "10001"}))
    (ground,) = refusal.value.grounds
    assert (ground.code, ground.clause, ground.next_step) == ("address.city-refused", "P050 2.5g", "Write New York.")


def test_a_zip_code_out_of_use_is_refused():
    assert codes(city="New York", state="NY", zip="10184") == ["address.zip-out-of-use"]


# ---- military mail, territories, abroad


@pytest.mark.parametrize(
    ("city", "state", "zip_code"), [("APO", "AE", "09001"), ("FPO", "AP", "96601"), ("dpo", "AA", "34002")]
)
def test_military_mail_is_domestic(city, state, zip_code):
    made = address(name="A", street="PSC 1234 BOX 5678", city=city, state=state, zip=zip_code)
    assert made.delivery_lines[-1] == f"{city.upper()} {state} {zip_code}"


def test_military_mail_names_no_place_and_no_country():
    military = {"street": "PSC 1 BOX 2", "state": "AE", "zip": "09001"}
    assert codes(**military, city="Ramstein") == ["address.military-city"]
    assert codes(**military, city="APO", country="Germany") == ["address.military-country"]
    assert codes(street="PSC 1 BOX 2", city="APO", state="NY", zip="09001") == ["address.zip-elsewhere"]


@pytest.mark.parametrize(
    ("city", "state", "zip_code", "country"),
    [
        ("San Juan", "PR", "00926", "Puerto Rico"),
        ("Hagatna", "GU", "96910", "GU"),
        ("Pago Pago", "AS", "96799", "American Samoa"),
        ("Majuro", "MH", "96960", "Marshall Islands"),
        ("Koror", "PW", "96940", "USA"),
    ],
)
def test_territories_are_domestic(city, state, zip_code, country):
    assert address(name="A", street="1 Main St", city=city, state=state, zip=zip_code, country=country).state == state


def test_a_country_goes_with_its_state_and_an_urbanization_with_puerto_rico():
    assert codes(country="Guam") == ["address.country-elsewhere"]
    assert codes(urbanization="Urb Las Gladiolas") == ["address.urbanization-astray"]
    made = address(
        name="A", urbanization="Urb Las Gladiolas", street="150 Calle A", city="San Juan", state="PR", zip="00926-3232"
    )
    assert made.lines == ("A", "Urb Las Gladiolas", "150 Calle A", "San Juan PR 00926-3232")
    assert codes(company="B", street2="C", urbanization="D", city="San Juan", state="PR", zip="00926") == [
        "address.too-many-lines"
    ]


@pytest.mark.parametrize("changed", [{"country": "France"}, {"state": "ON", "zip": "K1A 0B1", "city": "Ottawa"}])
def test_mail_abroad_is_refused_with_the_reasons(changed):
    with pytest.raises(Refused) as refusal:
        address(**(BOSTON | changed))
    assert refusal.value.code == "address.foreign"
    assert all(word in refusal.value.sentence for word in ("price", "customs", "routing"))


@pytest.mark.parametrize(
    ("text", "routing"), [("02108 0004", "021080004"), ("02108\u20130004", "021080004"), ("02108000475", "02108000475")]
)
def test_the_digits_of_a_delivery_point_are_taken_by_their_shape(text, routing):
    assert address(**(BOSTON | {"zip": text})).routing == routing


# ---- standard form


def test_standard_form_shortens_words_and_tells_each_change():
    given = BOSTON | {"street": "475 North Main Street, Suite 8430", "city": "Nyc", "state": "NY", "zip": "10001"}
    made, changes = in_standard_form(given)
    assert (made["street"], made["street2"], made["city"]) == ("475 N MAIN ST", "STE 8430", "New York")
    assert changes == (
        Change(field="city", before="Nyc", after="New York"),
        Change(field="street", before="475 North Main Street, Suite 8430", after="475 N MAIN ST"),
        Change(field="street2", before="", after="STE 8430"),
    )
    assert in_standard_form(made)[1] == ()


@pytest.mark.parametrize(
    ("street", "state"),
    [
        ("42 Calle 3", "MA"),  # the library makes UNIT 3 of it
        ("Carr 129 KM 2.5", "MA"),  # and moves the road behind the number
        ("PO Box 123", "MA"),
        ("c/o Ann Lee", "MA"),
        ("1 Straße Street", "MA"),
        ("150 Calle Street", "PR"),
        ("", "MA"),
    ],
)
def test_what_is_not_understood_stays_as_it_was_written(street, state):
    given = BOSTON | {"street": street, "state": state}
    assert in_standard_form(given) == (given, ())


def test_a_file_is_put_into_standard_form_only_when_asked(tmp_path):
    file = written(tmp_path, f"{HEADER}\nA,1 Main Street,Boston,MA,02108\n")
    assert [row.address.street for row in read(file)] == ["1 Main Street"]
    (row,) = read(file, standardise=True)
    assert (row.address.street, row.changes) == (
        "1 MAIN ST",
        (Change(field="street", before="1 Main Street", after="1 MAIN ST"),),
    )


# ---- data of the licensee's own


@pytest.fixture
def ranges(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "zip4.sqlite") as made:
        made.execute("CREATE TABLE about (name TEXT, edition TEXT)")
        made.execute("INSERT INTO about VALUES ('ACME ranges', '2026-10')")
        made.execute("CREATE TABLE ranges (zip TEXT, street TEXT, low INT, high INT, side TEXT, plus4 TEXT)")
        made.executemany(
            "INSERT INTO ranges VALUES ('02108', 'N MAIN ST', ?, ?, ?, ?)",
            [(1, 99, "O", "1001"), (2, 98, "E", "1002"), (100, 198, "B", "1003"), (100, 150, "B", "1004")],
        )
    made.close()
    return tmp_path / "zip4.sqlite"


@pytest.mark.parametrize(
    ("street", "given", "standing", "plus4"),
    [
        ("7 North Main Street", "", "found", "1001"),
        ("8 N Main St", "", "found", "1002"),
        ("7 N Main St", "1001", "verified", "1001"),
        ("7 N Main St", "1002", "contradicted", "1001"),
        ("120 N Main St", "", "not verified", ""),
        ("120 N Main St", "1004", "verified", "1003 or 1004"),
        ("9 Elm St", "1001", "not verified", ""),
        ("PO Box 7", "1001", "not verified", ""),
    ],
)
def test_ranges_of_the_licensee_verify_a_zip4(ranges, street, given, standing, plus4):
    source = RangeFile(ranges)
    match = source.match(address(**(BOSTON | {"street": street, "zip": f"02108{given}"})))
    source.close()
    assert (match.standing, match.plus4) == (standing, plus4)
    assert ZipTable().match(address(**(BOSTON | {"zip": f"02108{given}"}))).standing == "not verified"


def test_a_file_is_matched_row_by_row(ranges, tmp_path):
    source = RangeFile(ranges)
    text = (
        f"{HEADER}\nA,7 N Main St,Boston,MA,02108\nA,7 N Main St,Boston,MA,02108-1002\nA,7 Elm St,Boston,MA,02108-1\n"
    )
    first, second, third = read(written(tmp_path, text.replace("-1\n", "-1234\n")), source=source)
    source.close()
    assert (first.address.zip, first.verified_by) == ("02108-1001", "ACME ranges of 2026-10")
    assert first.changes == (Change(field="zip", before="02108", after="02108-1001"),)
    assert [fault.error.code for fault in second.faults] == ["address.plus4-contradicted"]
    assert (third.address.zip, third.verified_by) == ("02108-1234", "")


@pytest.mark.parametrize("content", [None, b"", b"no data base" * 100, "CREATE TABLE about (name, edition)"])
def test_data_that_cannot_be_used_are_refused(tmp_path, content):
    file = tmp_path / "zip4.sqlite"
    if isinstance(content, str):
        made = sqlite3.connect(file)
        made.execute(content)
        made.close()
    elif content is not None:
        file.write_bytes(content)
    with pytest.raises(BadInput) as fault:
        RangeFile(file)
    assert fault.value.code == "addresses.source-unreadable"


ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT '02108' zip, 'N MAIN ST' street"
RANGES = "zip TEXT, street TEXT, low INT, high INT, side TEXT"


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        (f"DROP TABLE ranges; CREATE VIEW ranges AS {ENDLESS}, x low, x high, 'B' side, x plus4 FROM c", "a view"),
        ("CREATE TRIGGER t AFTER INSERT ON ranges BEGIN DELETE FROM ranges; END", "a trigger"),
        ("CREATE VIRTUAL TABLE more USING fts5(a)", "a virtual table"),
        (f"DROP TABLE ranges; CREATE TABLE ranges ({RANGES}, plus4 AS (hex(zeroblob(low * 30000000))))", "worked out"),
        ("UPDATE about SET name = hex(zeroblob(40000))", "too big"),
        ("UPDATE about SET name = CAST(x'ff' AS TEXT)", "UTF-8"),
        ("DELETE FROM about", "one row"),
        ("INSERT INTO about VALUES ('b', '2026-10')", "one row"),
        (";".join(f"CREATE TABLE t{number} (a)" for number in range(200)), "more than 200"),
    ],
)
def test_a_hostile_file_is_refused_in_bounded_time(ranges, sql, why):
    made = sqlite3.connect(ranges)
    made.executescript(sql)
    made.commit()
    made.close()
    began = time.monotonic()
    with pytest.raises(BadInput) as fault:
        RangeFile(ranges)
    assert fault.value.code == "addresses.source-unreadable"
    assert why in fault.value.sentence
    assert time.monotonic() - began < 5


def test_a_look_up_has_a_budget(ranges):
    with sqlite3.connect(ranges) as made:  # a million rows of one street, and no index
        more = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000000) SELECT"
        made.execute(f"INSERT INTO ranges {more} '02108', 'N MAIN ST', 900, 900, 'B', '1' FROM c")
    made.close()
    source, began = RangeFile(ranges), time.monotonic()
    with pytest.raises(BadInput) as fault:
        source.match(address(**(BOSTON | {"street": "7 N Main St"})))
    assert "takes too long" in fault.value.sentence
    assert time.monotonic() - began < 5
    source.close()


def test_places_of_the_licensee_are_used_instead_of_the_packaged_table(ranges, tmp_path):
    with sqlite3.connect(ranges) as made:
        made.execute("CREATE TABLE places (zip TEXT, city TEXT, state TEXT, use TEXT)")
        rows = [("00002", "New Town", "MA", "usual"), ("00002", "Old Town", "MA", "accepted")]
        rows += [("00002", "Nt", "MA", "refused"), ("00003", "A", "MA", "accepted"), ("09001", "APO", "AE", "usual")]
        made.executemany("INSERT INTO places VALUES (?, ?, ?, ?)", rows)
    made.close()
    source = RangeFile(ranges)
    assert (covers_of(source), covers_of(ZipTable())) == ({"zip4", "places"}, {"places"})
    text = (
        f"{HEADER}\nA,7 Elm St,Old Town,MA,00002\nA,7 Elm St,Nt,MA,00002\nA,7 Elm St,Boston,MA,02108\n"
        "A,7 Elm St,Elsewhere,MA,00002\nA,7 Elm St,New Town,VT,00002\nA,7 Elm St,A,MA,00003\nA,7 Elm St,New Town,MA,2\n"
        "A,Unit 1,APO,AE,09001\n"
    )
    found = read(written(tmp_path, text), source=source)
    said = [[fault.error.code for fault in getattr(row, "faults", ())] for row in found]
    assert said == [
        [], ["address.city-refused"], ["address.no-such-zip"], ["address.city-elsewhere"], ["address.zip-elsewhere"],
        ["address.no-such-zip"], ["address.zip-unreadable"], [],
    ]  # fmt: skip
    (changed,) = read(written(tmp_path, f"{HEADER}\nA,7 Elm St,Nt,MA,00002\n"), source=source, standardise=True)
    assert changed.address.city == "New Town"
    source.close()


def test_a_table_of_places_without_its_columns_is_refused(ranges):
    with sqlite3.connect(ranges) as made:
        made.execute("CREATE TABLE places (zip TEXT)")
    made.close()
    with pytest.raises(BadInput) as fault:
        RangeFile(ranges)
    assert "lacks the table places" in fault.value.sentence


# ---- the age of the data


@pytest.mark.requirement("P050-2.5g")
def test_address_data_are_used_for_six_months_and_then_only_with_a_reason():
    for day in (date(2026, 6, 1), date(2026, 12, 1), date(1998, 9, 2)):
        assert check_age("2026-06", IMI, on=day, name="x") == date(2026, 12, 1)
    with refused("P050-2.5g", "addresses.data-old") as refusal:
        check_age("2026-06", IMI, on=date(2026, 12, 2), name="x")
    assert "6 months" in refusal.value.sentence
    assert check_age("2026-06", IMI, on=date(2026, 12, 2), name="x", reason="the new edition is late")
    with pytest.raises(BadInput):
        check_age("2026-06", IMI, on=date(2026, 12, 2), name="x", reason="a\nb")
