"""The PDF file: whole, embedded, the same on every run, and streaming."""

import io
import re
from dataclasses import replace

import pypdfium2
import pytest
from tests.mailpiece.pages import piece, piece_1998, redate

from towncircle.kernel.errors import BadInput
from towncircle.kernel.instants import Instant
from towncircle.mailpiece.elements import Symbol
from towncircle.paper.pdf import to_pdf, write_pdf
from towncircle.paper.png import raster, render

LETTER = piece()


def objects(data: bytes) -> dict[int, bytes]:
    """Follow the cross-reference table and check that each entry points at its object."""
    table = int(re.search(rb"startxref\n([0-9]+)\n%%EOF\n\Z", data)[1])
    assert data[table : table + 5] == b"xref\n"
    count = int(data[table + 5 :].split(b"\n", 1)[0].split()[1])
    rows = data[data.index(b"\n", table + 5) + 1 :]
    found = {}
    for number in range(count):
        row = rows[number * 20 : number * 20 + 20]
        assert len(row) == 20
        assert row[-2:] == b" \n"
        if number == 0:
            assert row == b"0000000000 65535 f \n"
            continue
        offset = int(row[:10])
        head = b"%d 0 obj\n" % number
        assert data[offset : offset + len(head)] == head
        found[number] = data[offset + len(head) : data.index(b"\nendobj\n", offset)]
    return found


@pytest.mark.parametrize("count", [1, 64, 65, 200])
def test_the_file_opens_with_every_page(count):
    data = to_pdf([LETTER] * count)
    document = pypdfium2.PdfDocument(data)
    assert len(document) == count
    assert document[count - 1].get_size() == (684, 297)
    document.close()
    objects(data)


def test_the_page_tree_is_balanced():
    kids = [body.count(b" 0 R") for body in objects(to_pdf([LETTER] * 5000)).values() if b"/Type/Pages" in body]
    assert max(kids) <= 65  # 64 kids and a parent
    assert len(kids) == 79 + 2 + 1


def test_the_same_pages_are_the_same_bytes_and_a_date_shows_only_if_given():
    assert to_pdf([LETTER, redate()]) == to_pdf([piece(), redate()])
    assert b"Date" not in to_pdf([LETTER])
    assert b"/CreationDate(D:20261121150405Z)" in to_pdf([LETTER], at=Instant.parse("2026-11-21T15:04:05Z"))


def test_every_font_is_embedded():
    bodies = objects(to_pdf([LETTER])).values()
    fonts = [body for body in bodies if b"/Type/Font/" in body]
    assert sum(b"/Subtype/TrueType" in body for body in fonts) == 3
    assert sum(b"/Subtype/Type3" in body for body in fonts) == 1
    descriptors = [body for body in bodies if b"/FontDescriptor/FontName" in body]
    assert len(descriptors) == 3
    assert all(b"/FontFile2" in body for body in descriptors)


def test_shared_parts_are_written_once():
    one, many = len(to_pdf([LETTER])), len(to_pdf([LETTER] * 101))
    assert (many - one) / 100 < 1400
    forms = [body for body in objects(to_pdf([LETTER, piece_1998(), LETTER])).values() if b"/Subtype/Form" in body]
    assert len(forms) == 6


def test_text_can_be_copied_out():
    document = pypdfium2.PdfDocument(to_pdf([LETTER]))
    text = document[0].get_textpage().get_text_bounded()
    for words in ("UNITED STATES POSTAL SERVICE", "475 L'ENFANT PLAZA SW", "$0.78", "TC1A0000000017", "SPECIMEN"):
        assert words in text
    document.close()


def test_special_characters_survive():
    from dataclasses import replace

    from tests.mailpiece.pages import SENDER

    odd = replace(SENDER, name=r"Café (Zürich) \ Söhne")
    document = pypdfium2.PdfDocument(to_pdf([piece(sender=odd)]))
    assert r"Café (Zürich) \ Söhne" in document[0].get_textpage().get_text_bounded()
    document.close()


def test_pages_are_written_as_they_come():
    stream, seen = io.BytesIO(), []

    def coming():
        for _ in range(3):
            seen.append(stream.tell())
            yield LETTER

    assert write_pdf(coming(), stream) == 3
    assert seen[0] < seen[1] < seen[2]


def test_uncompressed_pages_say_what_they_draw():
    stream = io.BytesIO()
    write_pdf([LETTER], stream, compress=False)
    assert b"/IM true" in stream.getvalue()
    assert b"(UNITED STATES POSTAL SERVICE) Tj" in stream.getvalue()


def test_no_modules_of_a_symbol_can_read_as_its_end():
    """An inline image ends at EI: a reader that looks for it must not find it among the modules."""
    symbol = next(one for one in LETTER.elements if isinstance(one, Symbol))
    bytes_of_it = (b"\nEI Q\n" * 300)[: len(symbol.modules.packed)]
    hostile = replace(symbol, modules=replace(symbol.modules, packed=bytes_of_it))
    others = tuple(one for one in LETTER.elements if one is not symbol)
    stream = io.BytesIO()
    write_pdf([replace(LETTER, elements=(*others, hostile))], stream, compress=False)
    inline = re.findall(rb"BI ([^\n]*)\nID (.*?)\sEI", stream.getvalue(), re.DOTALL)
    assert [bytes.fromhex(data.decode().rstrip(">")) for head, data in inline if b"/AHx" in head] == [bytes_of_it]


def test_no_pages_is_bad_input():
    with pytest.raises(BadInput):
        to_pdf([])


def test_rendering_faults_are_bad_input(tmp_path):
    data = to_pdf([LETTER])
    for given, index, dpi in ((data, 1, 300), (data, 0, 10), (b"no pdf", 0, 300), (tmp_path / "none.pdf", 0, 300)):
        with pytest.raises(BadInput):
            raster(given, index, dpi=dpi)


def test_a_png_carries_its_resolution(tmp_path):
    from PIL import Image

    path = tmp_path / "one.pdf"
    write_pdf([LETTER], path)
    image = Image.open(io.BytesIO(render(path, dpi=150)))
    assert image.size == (1425, 619)
    assert round(image.info["dpi"][0]) == 150
    for dpi, a_metre in ((203, 7992), (300, 11811), (600, 23622)):  # the nearest whole number of dots a metre
        data = render(path, dpi=dpi)
        assert data[data.index(b"pHYs") + 4 :][:9] == a_metre.to_bytes(4, "big") * 2 + b"\1"
