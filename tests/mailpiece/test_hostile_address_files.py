"""Hostile files of addresses: bombs, formulas, characters that deceive. Refused or harmless, within bounds."""

import csv
import io
import struct
import zipfile
from pathlib import Path

import pytest
from tests.mailpiece.test_address_files import HEADER, ROW, code_of, read, workbook, written

from towncircle.kernel.errors import BadInput
from towncircle.mailpiece import address_csv, address_files, address_xlsx
from towncircle.mailpiece.address_files import open_addresses
from towncircle.mailpiece.address_xml import LONGEST_TEXT, Rows, Strings
from towncircle.mailpiece.harmless import cell, visible

SHEET = "worksheet"
GOOD = ["A", "1 Main St", "Boston", "MA", "02108"]
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def forged(folder: Path, **parts: bytes) -> Path:
    """Write a good workbook with some parts put in the place of its own."""
    file = workbook(folder, HEADER.split(","), GOOD)
    with zipfile.ZipFile(file) as held:
        every = {name: held.read(name) for name in held.namelist()}
    names = {
        "sheet": f"{address_xlsx.FOLDER}/{SHEET}s/sheet1.xml",
        "strings": "xl/sharedStrings.xml",
        "book": f"{address_xlsx.FOLDER}/{address_xlsx.BOOK}",
    }
    every |= {names[name]: data for name, data in parts.items()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in every.items():
            made.writestr(name, data)
    return file


def sheet(rows: str) -> bytes:
    return f"<{SHEET} {MAIN}><sheetData>{rows}</sheetData></{SHEET}>".encode()


def test_a_good_forgery_is_read(tmp_path):
    head = "".join(f"<c t='inlineStr'><is><t>{word}</t></is></c>" for word in HEADER.split(","))
    body = "".join(f"<c t='inlineStr'><is><t>{word}</t></is></c>" for word in GOOD)
    (row,) = read(forged(tmp_path, sheet=sheet(f"<row>{head}</row><row>{body}</row>")))
    assert (row.row, row.address.city) == (2, "Boston")


def shared() -> dict[str, bytes]:
    """Give a sheet whose texts all stand among the shared strings, with a reading aid and a text in parts."""
    words = [*HEADER.split(","), *GOOD]
    texts = "".join(f"<si><r><t>{word[:1]}</t></r><r><t>{word[1:]}</t></r><rPh><t>aid</t></rPh></si>" for word in words)
    cells = [f"<c t='s'><v>{number}</v></c>" for number in range(len(words))]
    rows = f"<row>{''.join(cells[:5])}</row><row>{''.join(cells[5:])}</row>"
    return {"strings": f"<sst {MAIN}>{texts}</sst>".encode(), "sheet": sheet(rows)}


def test_shared_strings_are_read_without_their_reading_aids(tmp_path):
    (row,) = read(forged(tmp_path, **shared()))
    assert row.address.lines == ("A", "1 Main St", "Boston MA 02108")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    file = forged(tmp_path, sheet=sheet(" " * (8 << 20)))
    assert file.stat().st_size < 100_000
    assert code_of(file) == "addresses.workbook-bomb"


@pytest.mark.parametrize("limit", ["MOST_UNPACKED", "MOST_STRINGS", "MOST_NAMES"])
def test_a_part_that_is_too_large_is_refused(tmp_path, monkeypatch, limit):
    file = forged(tmp_path, **shared())
    monkeypatch.setattr(address_xlsx, limit, 50)
    assert code_of(file) == "addresses.workbook-bomb"


def test_a_part_is_never_larger_than_it_claims(tmp_path):
    rows = sheet("<row/>" * 1000)
    file = forged(tmp_path, sheet=rows)
    raw, size = bytearray(file.read_bytes()), struct.pack("<L", len(rows))
    assert raw.count(size) == 2
    file.write_bytes(bytes(raw.replace(size, struct.pack("<L", 100))))
    assert code_of(file) == "addresses.workbook-broken"


def test_a_list_of_parts_without_end_is_refused(tmp_path, monkeypatch):
    file = forged(tmp_path)
    monkeypatch.setattr(address_xlsx, "MOST_LIST", 200)
    assert code_of(file) == "addresses.workbook-bomb"


LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("part", ["sheet", "strings", "book"])
def test_entities_are_refused_wherever_they_stand(tmp_path, part):
    assert code_of(forged(tmp_path, **{part: LAUGHS + b"<x>&b;&c;</x>"})) == "addresses.workbook-broken"


@pytest.mark.parametrize(
    "data",
    [
        sheet("<a>" * 100),
        sheet("<row"),
        b"",
        b"\x00\xff",
        b'<worksheet x="' + b"y" * (3 << 20) + b'"/>',
        b"<worksheet><!--" + b"-x" * (2 << 20),
    ],
)
def test_xml_that_is_broken_deep_or_without_end_is_refused(tmp_path, data):
    assert code_of(forged(tmp_path, sheet=data)) in ("addresses.workbook-broken", "addresses.workbook-bomb")


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packings_that_unpack_without_bound_are_refused(tmp_path, packing):
    file = forged(tmp_path)
    with zipfile.ZipFile(file) as held:
        every = {name: held.read(name) for name in held.namelist()}
    with zipfile.ZipFile(file, "w", packing) as made:
        for name, data in every.items():
            made.writestr(name, data)
    assert code_of(file) == "addresses.workbook-broken"


def test_cells_far_out_and_texts_that_are_not_there_are_faults_of_their_row(tmp_path):
    head = "".join(f"<c t='inlineStr'><is><t>{word}</t></is></c>" for word in HEADER.split(","))
    body = "".join(f"<c t='inlineStr'><is><t>{word}</t></is></c>" for word in GOOD)
    far = f"<row r='99999999999'>{body}<c r='XFD1'><v>1</v></c></row>"
    lost = "<row><c r='A1' t='s'><v>77</v></c><c r='B1' t='s'><v>-1</v></c><c r='C1' t='e'><v>#REF!</v></c></row>"
    first, second = read(forged(tmp_path, sheet=sheet(f"<row>{head}</row>{far}{lost}")))
    assert [fault.error.code for fault in first.faults] == ["addresses.too-many-cells"]
    codes = [fault.error.code for fault in second.faults]
    assert codes.count("addresses.cell-broken") == 2
    assert "addresses.formula-failed" in codes


def test_old_encrypted_and_false_workbooks_are_refused(tmp_path):
    assert code_of(written(tmp_path, b"\xd0\xcf\x11\xe0" + bytes(600), "list.xlsx")) == "addresses.workbook-old"
    assert code_of(written(tmp_path, b"PK\x03\x04" + bytes(600), "list.xlsx")) == "addresses.workbook-broken"
    other = tmp_path / "other.xlsx"
    with zipfile.ZipFile(other, "w") as made:
        made.writestr("readme.txt", "x")
    assert code_of(other) == "addresses.workbook-broken"
    whole = workbook(tmp_path, HEADER.split(","), GOOD).read_bytes()
    for end in (30, 500, len(whole) - 30):
        assert code_of(written(tmp_path, whole[:end], "cut.xlsx")) == "addresses.workbook-broken"


@pytest.mark.parametrize(
    "data",
    [
        f'{HEADER}\n"{"x" * 10_000_000},1 Main St,Boston,MA,02108\n',
        f"{HEADER}\n{'x' * 10_000_000},1 Main St,Boston,MA,02108\n",
        f"{HEADER}\n" + '"\n",' * 100_000,
        "," * 3_000_000,
    ],
)
def test_a_row_without_end_is_refused_before_it_is_whole(tmp_path, data):
    assert code_of(written(tmp_path, data)) in (
        "addresses.row-too-long", "addresses.not-csv", "addresses.columns-many",
    )  # fmt: skip


def test_a_long_cell_is_a_fault_of_its_row_and_not_shown_whole(tmp_path):
    (row,) = read(written(tmp_path, f"{HEADER},note\n{'x' * 30_000},1 Main St,Boston,MA,02108,{'y' * 2000}\n"))
    assert [fault.error.code for fault in row.faults] == ["address.too-long", "addresses.cell-too-long"]
    assert all(len(fault.text) < 50 and len(fault.error.sentence) < 200 for fault in row.faults)


@pytest.mark.parametrize("module", [address_csv, address_xlsx])
def test_a_file_that_is_too_large_is_refused_unread(tmp_path, monkeypatch, module):
    file = forged(tmp_path) if module is address_xlsx else written(tmp_path, f"{HEADER}\n{ROW}\n")
    monkeypatch.setattr(module, "MOST_BYTES", file.stat().st_size - 1)
    assert code_of(file) == "addresses.too-large"


def test_a_file_of_too_many_rows_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(address_files, "MOST_ROWS", 2)
    file = written(tmp_path, f"{HEADER}\n{ROW}\n{ROW}")
    assert len(read(file)) == 2
    assert code_of(written(tmp_path, f"{HEADER}\n{ROW}\n{ROW}\n{ROW}")) == "addresses.too-many"


@pytest.mark.parametrize("name", ["A\u202egnp.exe", "A\x00B", "A\x1b[2JB", "A\u200bB", "A\ud7ffB", "\ufeffA"])
def test_characters_that_deceive_are_refused_and_shown_as_what_they_are(tmp_path, name):
    (row,) = read(written(tmp_path, f"{HEADER}\n{name},1 Main St,Boston,MA,02108\n"))
    (fault,) = row.faults
    assert fault.error.code == "address.unprintable"
    assert (fault.text + fault.error.sentence).isprintable()


def test_a_formula_in_an_address_is_refused_and_what_is_written_is_none(tmp_path):
    (row,) = read(written(tmp_path, f"{HEADER}\n=HYPERLINK(0),1 Main St,Boston,MA,02108\n"))
    assert [fault.error.code for fault in row.faults] == ["address.formula"]
    out = io.StringIO()
    texts = ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", " =1", "|x", "%x", "plain", "a=b"]
    csv.writer(out).writerow([cell(text) for text in texts])
    (back,) = csv.reader(io.StringIO(out.getvalue()))
    assert [text for text in back if text.lstrip()[0] in "=+-@|%\t"] == []
    assert [text.removeprefix("'") for text in back] == texts


def test_what_is_shown_is_short_and_printable():
    assert visible("a\u202eb\x07", most=10) == "a\\u202eb\\x07"
    assert visible("x" * 20, most=5) == "xxxxx…"


@pytest.mark.parametrize("name", ["utf-16", "utf-32"])
def test_a_file_that_is_not_of_the_encoding_that_is_named_is_refused_in_words(tmp_path: Path, name: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text("name,street,city,state,zip\nA,475 L'Enfant Plaza SW,Washington,DC,20260\n")
    with pytest.raises(BadInput) as refusal:
        list(open_addresses(path, encoding=name))
    assert refusal.value.code == "addresses.encoding-broken"


def test_a_cell_of_many_runs_is_kept_as_far_as_a_cell_may_reach() -> None:
    rows = Rows(Strings())
    rows.begin("row", {})
    rows.begin("c", {"t": "inlineStr"})
    for _ in range(2 * LONGEST_TEXT):
        rows.begin("t", {})
        rows.text("x")
        rows.end("t")
    rows.end("c")
    rows.begin("c", {"t": "inlineStr"})
    for run in ("475 L'Enfant", " Plaza"):
        rows.begin("t", {})
        rows.text(run)
        rows.end("t")
    rows.end("c")
    rows.end("row")
    ((_, (long, short)),) = rows.done
    assert (len(long), short) == (LONGEST_TEXT + 1, "475 L'Enfant Plaza")
