"""Addresses: what is taken, what is refused, and that a file's faults are told all at once."""

from pathlib import Path

import pytest

from towncircle.kernel.errors import BadInput, Refused, RefusedOnGrounds
from towncircle.mailpiece.address_files import public_addresses, read_addresses
from towncircle.mailpiece.addresses import address, parse_address

USPS = {"company": "USPS", "street": "475 L'Enfant Plaza SW", "city": "Washington", "state": "dc", "zip": "20260"}


def written(folder: Path, raw: bytes, name: str = "list.csv") -> Path:
    file = folder / name
    file.write_bytes(raw)
    return file


def grounds_of(**changed) -> set[str]:
    with pytest.raises(RefusedOnGrounds) as refusal:
        address(**(USPS | changed))
    return {ground.code for ground in refusal.value.grounds}


def test_a_good_address_gives_its_lines_and_its_routing_code():
    made = address(**(USPS | {"zip": "20260-0004-75", "name": "  Mail   Desk "}))
    assert made.lines == ("Mail Desk", "USPS", "475 L'Enfant Plaza SW", "Washington DC 20260-0004")
    assert made.delivery_lines[-1] == "WASHINGTON DC 20260-0004"
    assert made.routing == "20260000475"
    assert address(**USPS).routing == "20260"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"zip": "00000"}, "address.no-such-zip"),
        ({"zip": "2026"}, "address.zip-unreadable"),
        ({"zip": "20260-12"}, "address.zip-unreadable"),
        ({"zip": ""}, "address.missing"),
        ({"state": "NY"}, "address.zip-elsewhere"),
        ({"state": "ZZ"}, "address.no-such-state"),
        ({"state": ""}, "address.missing"),
        ({"company": ""}, "address.missing"),
        ({"street": " "}, "address.missing"),
        ({"street": "x" * 47}, "address.too-long"),
        ({"company": "郵便局"}, "address.unprintable"),
        ({"company": "bell\x07"}, "address.unprintable"),
    ],
)
def test_a_fault_is_named(changed, code):
    assert grounds_of(**changed) == {code}


def test_all_faults_are_named_at_once():
    assert grounds_of(company="", street="", zip="x", state="QQ") == {
        "address.missing",
        "address.zip-unreadable",
        "address.no-such-state",
    }


def test_a_foreign_address_is_refused():
    with pytest.raises(Refused) as refusal:
        address(**USPS, country="France")
    assert refusal.value.code == "address.foreign"
    assert address(**USPS, country="USA").state == "DC"
    with pytest.raises(Refused) as refusal:
        parse_address("M. Dupont; 1 rue de la Paix; Paris; France")
    assert refusal.value.code == "address.foreign"


@pytest.mark.parametrize(
    "text",
    [
        "USPS\n475 L'Enfant Plaza SW\nWashington DC 20260",
        "USPS; 475 L'Enfant Plaza SW; Washington, DC 20260",
        "USPS, 475 L'Enfant Plaza SW, Washington, DC 20260",
        "USPS, 475 L'Enfant Plaza SW, Washington DC 20260",
        "USPS; 475 L'Enfant Plaza SW; Washington, DC, 20260; USA",
    ],
)
def test_free_text_is_read(text):
    assert parse_address(text).lines == ("USPS", "475 L'Enfant Plaza SW", "Washington DC 20260")


def test_company_and_second_line_are_told_apart():
    assert parse_address("A. Clerk; GPO; 732 North Capitol St NW; Washington DC 20401").company == "GPO"
    assert parse_address("A. Clerk; 732 North Capitol St NW; Room 3; Washington DC 20401").street2 == "Room 3"


@pytest.mark.parametrize("text", ["", "nowhere", "a; b 20260", "one; two; three; four; five; Washington DC 20260"])
def test_text_that_is_no_address_is_bad_input(text):
    with pytest.raises(BadInput):
        parse_address(text)


def test_the_public_addresses_are_good_and_mixed():
    rows = public_addresses()
    assert len(rows) >= 12
    assert {row.shape for row in rows} == {"letter", "flat", "card"}
    assert len({row.weight_oz for row in rows if row.shape == "letter"}) > 3


def test_every_faulty_row_is_named_with_its_line(tmp_path):
    raw = b"""company,street,city,state,zip,weight_oz,shape
A,1 St,Washington,DC,20260,0,letter

B,1 St,Washington,NY,20260,1,
C,1 St,Washington,DC,20260,1,brick
"""
    with pytest.raises(RefusedOnGrounds) as refusal:
        read_addresses(written(tmp_path, raw))
    assert [ground.params["row"] for ground in refusal.value.grounds] == [2, 4, 5]
    assert "3 of 3 rows" in refusal.value.sentence


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_encodings_are_understood(encoding, tmp_path):
    file = tmp_path / "list.csv"
    file.write_bytes("name,street,city,state,zip\r\nRenée Muñoz,1 Main St,Boston,MA,02108\r\n".encode(encoding))
    (row,) = read_addresses(file)
    assert row.address.name == "Renée Muñoz"
    assert (row.weight_oz, row.shape) == (None, None)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "addresses.empty"),
        (b"name,street,city,state,zip\n", "addresses.empty"),
        (b"name,street,city,state\nA,B,C,D\n", "addresses.columns-missing"),
        (b"street,city,state,zip\nB,C,D,E\n", "addresses.columns-missing"),
        (b"name,name,street,city,state,zip\nA,A,B,C,D,E\n", "addresses.columns-twice"),
        (b'name,street,city,state,zip\n"A,B,C,D,E\n', "addresses.not-csv"),
    ],
)
def test_a_file_that_cannot_be_used_is_bad_input(raw, code, tmp_path):
    with pytest.raises(BadInput) as fault:
        read_addresses(written(tmp_path, raw))
    assert fault.value.code == code


def test_a_missing_file_is_bad_input(tmp_path):
    with pytest.raises(BadInput):
        read_addresses(tmp_path / "none.csv")
