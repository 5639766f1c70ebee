"""Files of addresses: any encoding, divider and heading; workbooks; every fault of every row; bounded memory."""

import codecs
import tracemalloc
from fractions import Fraction
from pathlib import Path

import openpyxl
import pytest

from towncircle.kernel.errors import BadInput
from towncircle.mailpiece.address_columns import parse_map
from towncircle.mailpiece.address_files import FaultyRow, Recipient, open_addresses

HEADER = "name,street,city,state,zip"
ROW = "Renée Muñoz,1 Main St,Boston,MA,02108"


def written(folder: Path, data: str | bytes, name: str = "list.csv", encoding: str = "utf-8") -> Path:
    file = folder / name
    file.write_bytes(data.encode(encoding) if isinstance(data, str) else data)
    return file


def workbook(folder: Path, *rows: list[object], sheet: str = "List") -> Path:
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    book.save(folder / "list.xlsx")
    return folder / "list.xlsx"


def read(file: Path, **how) -> list[Recipient | FaultyRow]:
    return list(open_addresses(file, **how))


def code_of(file: Path, **how) -> str:
    with pytest.raises(BadInput) as fault:
        read(file, **how)
    return fault.value.code


@pytest.mark.parametrize(
    ("encoding", "mark", "told"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", codecs.BOM_UTF8, "utf-8-sig"),
        ("utf-16-le", codecs.BOM_UTF16_LE, "utf-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "utf-16"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
        ("utf-32-le", codecs.BOM_UTF32_LE, "utf-32"),
        ("cp1252", b"", "cp1252 (assumed)"),
    ],
)
def test_an_encoding_is_told_from_the_bytes(tmp_path, encoding, mark, told):
    text = f"{HEADER}\r\n{ROW}\r\nSmith “Co”,2 Main St,Boston,MA,02108\r\n"
    file = open_addresses(written(tmp_path, mark + text.encode(encoding)))
    first, second = file
    assert (first.address.name, second.address.name) == ("Renée Muñoz", "Smith “Co”")
    assert file.table.told == f"CSV, {told}, commas"


def test_other_encodings_are_named(tmp_path):
    file = written(tmp_path, f"{HEADER}\n{ROW}\n", encoding="mac-roman")
    (row,) = read(file, encoding="mac-roman")
    assert row.address.name == "Renée Muñoz"
    for name in ("rot13", "zlib", "no-such", "idna", "unicode_escape"):
        assert code_of(file, encoding=name) == "addresses.encoding-strange"


def test_an_encoding_that_cannot_be_told_is_not_guessed(tmp_path):
    broken = f"{HEADER}\n{ROW}\n{ROW}\n".encode() + b"Ann\xff,1 Main St,Boston,MA,02108\n"
    assert code_of(written(tmp_path, broken)) == "addresses.encoding-broken"
    nothing = f"{HEADER}\n".encode() + b"Ann\x81\x8d,1 Main St,Boston,MA,02108\n"
    assert code_of(written(tmp_path, nothing)) == "addresses.encoding-unknown"
    assert code_of(written(tmp_path, nothing), encoding="utf-8") == "addresses.encoding-broken"


@pytest.mark.parametrize("divider", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_divider_and_a_line_end_are_told(tmp_path, divider, end):
    file = written(tmp_path, end.join([HEADER, ROW, ""]).replace(",", divider))
    (row,) = read(file)
    assert (row.row, row.address.city) == (2, "Boston")
    (same,) = read(written(tmp_path, f"sep={divider}{end}{HEADER}{end}{ROW}{end}".replace(",", divider)))
    assert (same.row, same.address) == (3, row.address)


def test_headings_are_understood_mapped_and_carried_along(tmp_path):
    text = "First Name,Last Name,Address 1,Suite,Town,State/Province,Postal Code,ZIP4,Dept,Class\n"
    file = open_addresses(written(tmp_path, text + "Ann,Lee,1 Main St,Suite 2,Boston,MA,02108,0004,D7,first\n"))
    (row,) = file
    assert row.address.lines == ("Ann Lee", "1 Main St", "Suite 2", "Boston MA 02108-0004")
    assert row.extra == {"Dept": "D7", "Class": "first"}
    text = 'Who,"Line, A",Ort,Land,PLZ,zip\nAnn,1 Main St,Boston,MA,02108,nothing\n'
    chosen = parse_map(["name=WHO,city=ort,zip=PLZ,state=Land", '"street=Line, A"'])
    (row,) = read(written(tmp_path, text), chosen=chosen)
    assert row.address.zip == "02108"
    assert row.extra == {"zip": "nothing"}
    (row,) = read(
        written(tmp_path, "A,B,street,city,state,zip\nAnn,Lee,1 Main St,Boston,MA,02108\n"),
        chosen=parse_map(["name=A+B"]),
    )
    assert row.address.name == "Ann Lee"


@pytest.mark.parametrize(
    ("header", "chosen", "code"),
    [
        ("name,street,city,state,zip,Postal Code,Post Code", [], None),
        ("name,street,city,state,Postal Code,Post Code", [], "addresses.columns-unclear"),
        ("name,street,city,state,zip", ["name=Who"], "addresses.map-not-there"),
        ("name,street,city,state,zip", ["naem=name"], "addresses.map-unknown"),
        ("name,street,city,state,zip", ["name"], "addresses.map-unreadable"),
        ("name,street,city,state,zip", ["name=name,name=city"], "addresses.map-unreadable"),
        ("name,street,city,state,zip,note,note", [], "addresses.columns-twice"),
        (",".join(f"h{number}" for number in range(300)), [], "addresses.columns-many"),
    ],
)
def test_a_heading_is_never_guessed(tmp_path, header, chosen, code):
    file = written(tmp_path, f"{header}\nA,B,C,D,E,F,G\n")
    if code is None:
        read(file)
        return
    with pytest.raises(BadInput) as fault:
        read(file, chosen=parse_map(chosen))
    assert fault.value.code == code


def test_every_fault_of_every_row_is_told_at_once(tmp_path):
    text = (
        "Who,street,Town,state,zip,weight_oz,shape\n,1 Main St,Nyc,NY,10001,0,brick\nA,1 Main St,X,MA,2108,1,card,9\n"
    )
    file = open_addresses(written(tmp_path, text), chosen=parse_map(["name=Who,city=Town"]))
    first, second = file
    assert [(fault.column, fault.error.code) for fault in first.faults] == [
        ("Who", "address.missing"),
        ("Town", "address.city-refused"),
        ("weight_oz", "weight.not-positive"),
        ("shape", "rates.unknown-shape"),
    ]
    assert first.faults[1].text == "Nyc"
    assert "New York" in first.faults[1].error.next_step
    assert [(fault.column, fault.error.code) for fault in second.faults] == [
        ("zip", "address.zip-short"),
        ("", "addresses.too-many-cells"),
    ]
    assert (file.good, file.faulty) == (0, 2)


@pytest.mark.parametrize(
    ("heading", "cell", "ounces"),
    [
        ("Weight", "2", None),
        ("Weight", "2 lb", 32),
        ("weight_oz", "2", 2),
        ("Weight (oz)", "2lb", 32),
        ("Weight lbs", "2", 32),
        ("Pounds", "0.5", 8),
        ("weight_g", "28.3495", Fraction("28.3495") / Fraction("28.349523125")),
        ("Gewicht", "2", 2),
    ],
)
def test_a_weight_without_a_unit_is_never_taken_for_ounces(tmp_path, heading, cell, ounces):
    text = f"name,street,city,state,zip,{heading}\nA,1 Main St,Boston,MA,02108,{cell}\n"
    chosen = parse_map(["weight_oz=Gewicht"] if heading == "Gewicht" else [])
    (row,) = open_addresses(written(tmp_path, text), chosen=chosen)
    if ounces is not None:
        assert row.weight_oz == ounces
        return
    (fault,) = row.faults
    assert (fault.column, fault.error.code) == ("Weight", "weight.no-unit")
    assert "--map weight_oz=HEADING" in fault.error.next_step


def test_a_workbook_is_read_as_it_was_meant(tmp_path):
    file = workbook(
        tmp_path,
        ["Full Name", "Street", "City", "State", "ZIP", "ZIP4", "Weight (oz)", "Note"],
        ["Renée Muñoz", "1 Main St", "Boston", "MA", 2108, 4, 1.5, "=1+1"],
        [None, None, None, None, None],
        ["A <b> & C", "2 Main St", "Boston", "MA", "02108", None, 2, "x"],
        ["B", "=A1", "Boston", "MA", 21080004, None, None, None],
        ["C", "3 Main St", "Boston", "MA", 2108.0, None, None, True],
    )
    opened = open_addresses(file)
    first, second, third, fourth = opened
    assert opened.table.told == "XLSX, sheet List"
    assert first.row == 2
    assert [fault.error.code for fault in first.faults] == ["addresses.formula-unvalued"]
    assert first.faults[0].column == "Note"
    assert (second.row, second.address.name, second.weight_oz) == (4, "A <b> & C", 2)
    assert [(fault.column, fault.error.code) for fault in third.faults] == [("Street", "addresses.formula-unvalued")]
    assert fourth.address.zip == "02108"
    assert fourth.extra["Note"] == "1"


def test_a_number_of_a_workbook_gets_its_leading_zeros_back(tmp_path):
    header = ["name", "street", "city", "state", "zip", "zip4", "delivery point"]
    whole = ["A", "1 Main St", "Boston", "MA", 21080004, None, None]
    parts = ["A", "1 Main St", "Boston", "MA", 2108, 4, 5]
    one, two = read(workbook(tmp_path, header, whole, parts))
    assert one.address.routing == "021080004"
    assert two.address.routing == "02108000405"


def test_a_sheet_is_chosen_by_name(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "Hidden"
    book.active.sheet_state = "hidden"
    for name in ("First", "Second"):
        sheet = book.create_sheet(name)
        sheet.append(["name", "street", "city", "state", "zip"])
        sheet.append([name, "1 Main St", "Boston", "MA", "02108"])
    book.save(tmp_path / "list.xlsx")
    assert read(tmp_path / "list.xlsx")[0].address.name == "First"
    assert read(tmp_path / "list.xlsx", sheet="Second")[0].address.name == "Second"
    assert code_of(tmp_path / "list.xlsx", sheet="Third") == "addresses.no-such-sheet"


def test_csv_keeps_leading_zeros_as_spreadsheets_write_them(tmp_path):
    (row,) = read(written(tmp_path, f'{HEADER}\nA,1 Main St,Boston,MA,"=""02108"""\n'))
    assert row.address.zip5 == "02108"


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_ten_times_the_rows_take_no_more_memory(tmp_path, kind):
    def peak(count: int) -> int:
        if kind == "csv":
            file = written(tmp_path, "\n".join([HEADER, *([ROW] * count)]))
        else:
            file = workbook(tmp_path, HEADER.split(","), *([ROW.split(",")] * count))
        sum(1 for _ in open_addresses(file))  # fills the caches
        tracemalloc.start()
        rows = sum(1 for _ in open_addresses(file))
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert rows == count
        return top

    assert peak(3000) < peak(300) + 1_500_000  # a chunk of a workbook holds some hundred rows
