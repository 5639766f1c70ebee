"""Pages as PDF: a small writer of our own.

Here: objects, fonts, the page tree, the cross-reference table. Not here: operators (`operators`), where things stand
(`towncircle.mailpiece`).
Kept: bytes depend on the pages and nothing else: no ids, no dates unless given, fonts embedded, layers that pages share
are written once as form objects, the page tree is balanced, and pages are written as they come, so a file of 100,000
envelopes needs the memory of a few.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable
from datetime import UTC
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from towncircle.kernel.errors import BadInput
from towncircle.kernel.instants import Instant
from towncircle.mailpiece.elements import Layer, Page
from towncircle.mailpiece.typeface import face
from towncircle.paper.fonts import font_file
from towncircle.paper.operators import FONT_NAMES, BarSize, bar_glyphs, draw, number

_KIDS = 64  # of one node of the page tree
_ROWS = 512  # of the cross-reference table, written at a time
_RESOURCES, _CATALOG, _INFO = 1, 2, 3
_WIN_ANSI = range(0x20, 0x100)


def write_pdf(
    pages: Iterable[Page],
    out: BinaryIO | Path,
    *,
    title: str = "",
    at: Instant | None = None,
    compress: bool = True,
    shift: tuple[int, int] = (0, 0),
) -> int:
    """Write pages to a file or stream as they come, and give their number.

    `at` becomes the creation date; without it there is none. `shift` moves what is printed right and down, in units,
    for a printer that needs it. Raises `BadInput` (paper.no-pages).
    """
    if isinstance(out, Path):
        with out.open("wb") as stream:
            return write_pdf(pages, stream, title=title, at=at, compress=compress, shift=shift)
    writer = _Writer(out, compress=compress, shift=shift)
    for page in pages:
        writer.add(page)
    return writer.close(title, at)


def to_pdf(pages: Iterable[Page], *, title: str = "", at: Instant | None = None) -> bytes:
    """Give pages as the bytes of a PDF file. Raises `BadInput` (paper.no-pages)."""
    from io import BytesIO

    stream = BytesIO()
    write_pdf(pages, stream, title=title, at=at)
    return stream.getvalue()


class _Writer:
    """Write one file; also the `Resources` that the operators ask for names."""

    def __init__(self, out: BinaryIO, *, compress: bool, shift: tuple[int, int]) -> None:
        self._out = out
        self._shift = shift
        self._compress = compress
        self._offsets = array("Q", [0, 0, 0, 0])  # object 0 is none; 1 to 3 are written last
        self._at = 0
        self._fonts: dict[str, bytes] = {}
        self._bar_fonts: dict[BarSize, bytes] = {}
        self._layers: dict[Layer, tuple[int, bytes]] = {}
        self._leaf = array("Q")
        self._leaf_id = 0
        self._leaves: list[tuple[int, int]] = []
        self._open: dict[int, array[int]] = {}
        self._heads: dict[tuple[int, int, int], bytes] = {}
        self._pages = 0
        self._write(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")

    def font(self, key: str) -> bytes:
        """Give the resource name of a font and remember that it is used."""
        return self._fonts.setdefault(key, FONT_NAMES[key])

    def bars(self, size: BarSize) -> bytes:
        """Give the resource name of a barcode font and remember that it is used."""
        return self._bar_fonts.setdefault(size, b"/I%d" % len(self._bar_fonts))

    def add(self, page: Page) -> None:
        """Write one page."""
        names = [self._layer(layer, page) for layer in page.layers]
        content = b"\n".join([*(b"%s Do" % name for name in names), draw(page.elements, self)])
        body = self._stream(self._reserve(), b"", content)
        if len(self._leaf) == _KIDS:
            self._end_leaf()
        if not self._leaf:
            self._leaf_id = self._reserve()
        size = (page.form.width, page.form.height, self._leaf_id)
        head = self._heads.get(size)
        if head is None:
            (right, down), (width, height, _) = self._shift, size
            edges = (-right, down, width - right, height + down)  # the sheet moves, what stands on it does not
            box = f"[{' '.join(map(number, edges))}]".encode()
            head = b"<</Type/Page/Parent %d 0 R/MediaBox%s/Resources %d 0 R/Contents " % (size[2], box, _RESOURCES)
            self._heads = {size: head}
        self._leaf.append(self._object(self._reserve(), b"%s%d 0 R>>" % (head, body)))
        self._pages += 1

    def close(self, title: str, at: Instant | None) -> int:
        """Write what all pages share, and the tables."""
        if not self._pages:
            raise BadInput("paper.no-pages")
        self._end_leaf()
        root = self._tree(self._leaves)
        fonts = [b"%s %d 0 R" % (name, self._true_type(key)) for key, name in self._fonts.items()]
        fonts += [b"%s %d 0 R" % (name, self._bar_font(size)) for size, name in self._bar_fonts.items()]
        layers = [b"%s %d 0 R" % (name, id_) for id_, name in self._layers.values()]
        shared = b"<</Font<<%s>>/XObject<<%s>>/ProcSet[/PDF/Text/ImageB]>>" % (b" ".join(fonts), b" ".join(layers))
        self._object(_RESOURCES, shared)
        self._object(_CATALOG, b"<</Type/Catalog/Pages %d 0 R>>" % root)
        self._object(_INFO, _info(title, at))
        table, count = self._at, len(self._offsets)
        self._write(b"xref\n0 %d\n0000000000 65535 f \n" % count)
        for first in range(1, count, _ROWS):
            rows = [b"%010d 00000 n \n" % offset for offset in self._offsets[first : first + _ROWS]]
            self._write(b"".join(rows))
        trailer = b"trailer\n<</Size %d/Root %d 0 R/Info %d 0 R>>\nstartxref\n%d\n%%%%EOF\n"
        self._write(trailer % (count, _CATALOG, _INFO, table))
        return self._pages

    def _write(self, data: bytes) -> None:
        self._out.write(data)
        self._at += len(data)

    def _reserve(self) -> int:
        self._offsets.append(0)
        return len(self._offsets) - 1

    def _object(self, id_: int, body: bytes) -> int:
        self._offsets[id_] = self._at
        self._write(b"%d 0 obj\n%s\nendobj\n" % (id_, body))
        return id_

    def _stream(self, id_: int, entries: bytes, data: bytes, *, shared: bool = False) -> int:
        if self._compress:
            data = _packed(data) if shared else zlib.compress(data, 6)
            entries += b"/Filter/FlateDecode"
        return self._object(id_, b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(data), data))

    def _layer(self, layer: Layer, page: Page) -> bytes:
        known = self._layers.get(layer)
        if known is not None:
            return known[1]
        box = f"[0 0 {number(page.form.width)} {number(page.form.height)}]".encode()
        entries = b"/Type/XObject/Subtype/Form/BBox%s/Resources %d 0 R" % (box, _RESOURCES)
        id_ = self._stream(self._reserve(), entries, draw(layer.elements, self))
        name = b"/L%d" % len(self._layers)
        self._layers[layer] = (id_, name)
        return name

    def _end_leaf(self) -> None:
        self._leaves.append((self._leaf_id, len(self._leaf)))
        self._open[self._leaf_id] = self._leaf  # its parent is known only when all leaves are
        self._leaf = array("Q")

    def _tree(self, level: list[tuple[int, int]]) -> int:
        """Write the nodes of the page tree from the leaves up and give the root."""
        kids = self._open
        while True:
            above: list[tuple[int, int]] = []
            groups = [level[at : at + _KIDS] for at in range(0, len(level), _KIDS)]
            for group in groups:
                parent = self._reserve() if len(level) > 1 else 0
                for id_, count in group:
                    up = b"/Parent %d 0 R" % parent if parent else b""
                    refs = b" ".join(b"%d 0 R" % kid for kid in kids.pop(id_))
                    self._object(id_, b"<</Type/Pages%s/Count %d/Kids[%s]>>" % (up, count, refs))
                if not parent:
                    return group[0][0]
                kids[parent] = array("Q", [id_ for id_, _ in group])
                above.append((parent, sum(count for _, count in group)))
            level = above

    def _true_type(self, key: str) -> int:
        metrics, name = face(key), face(key).name.encode()
        data = font_file(face(key).name)
        file = self._stream(self._reserve(), b"/Length1 %d" % len(data), data, shared=True)
        box = b" ".join(b"%d" % value for value in metrics.bbox)
        descriptor = self._object(
            self._reserve(),
            b"<</Type/FontDescriptor/FontName/%s/Flags 32/FontBBox[%s]/ItalicAngle 0/Ascent %d/Descent %d"
            b"/CapHeight %d/StemV %d/FontFile2 %d 0 R>>"
            % (name, box, metrics.ascent, metrics.descent, metrics.cap_height, 140 if key == "bold" else 88, file),
        )
        widths = b" ".join(b"%d" % width for width in metrics.widths)
        return self._object(
            self._reserve(),
            b"<</Type/Font/Subtype/TrueType/BaseFont/%s/FirstChar %d/LastChar %d/Widths[%s]"
            b"/Encoding/WinAnsiEncoding/FontDescriptor %d 0 R>>"
            % (name, _WIN_ANSI.start, _WIN_ANSI.stop - 1, widths, descriptor),
        )

    def _bar_font(self, size: BarSize) -> int:
        pitch, bar, third, _ = size
        glyphs = bar_glyphs(size)
        refs = b" ".join(
            b"/%s %d 0 R" % (letter.encode(), self._stream(self._reserve(), b"", glyph))
            for letter, glyph in glyphs.items()
        )
        names = b" ".join(b"%d /%s" % (ord(letter), letter.encode()) for letter in glyphs)
        first, last = ord(min(glyphs)), ord(max(glyphs))
        widths = b" ".join(b"%d" % (pitch if chr(code) in glyphs else 0) for code in range(first, last + 1))
        return self._object(
            self._reserve(),
            b"<</Type/Font/Subtype/Type3/FontBBox[0 0 %d %d]/FontMatrix[.001 0 0 .001 0 0]/CharProcs<<%s>>"
            b"/Encoding<</Type/Encoding/Differences[%s]>>/FirstChar %d/LastChar %d/Widths[%s]/Resources<<>>>>"
            % (bar, 3 * third, refs, names, first, last, widths),
        )


@lru_cache(maxsize=8)
def _packed(font: bytes) -> bytes:
    """Compress a font once: every file has it, and a file may have one page."""
    return zlib.compress(font, 6)


def _info(title: str, at: Instant | None) -> bytes:
    entries = b"/Producer(towncircle)"
    if title:
        entries += b"/Title<FEFF%s>" % title.encode("utf-16-be").hex().upper().encode()
    if at is not None:
        entries += f"/CreationDate(D:{at.utc().astimezone(UTC):%Y%m%d%H%M%S}Z)".encode()
    return b"<<%s>>" % entries
