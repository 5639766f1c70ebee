"""Printers of a licensee: their profiles, kept by name.

Here: what a printer is (the way to it, its language, its head, the paper in it, its calibration) and keeping it. Not
here: sending (`towncircle.transport.printers`), what was sent (`spool`), how a page is drawn (`towncircle.paper`).
Kept: an address is checked before it is kept, so that no file name, queue or host of it can be taken for an option.
Lengths are units (thousandths of a point), scales parts of a million; both come from the printer's calibration page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.store import Record, Transaction
from towncircle.licensee.looks import Drawn
from towncircle.licensee.promises import open_batches
from towncircle.mailpiece.calibration import Calibration

Kind = Literal["folder", "lp", "raw"]
Language = Literal["pdf", "zpl"]
PORT = 9100
TRUE_SCALE = 1_000_000
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
_QUEUE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,126}", re.ASCII)  # CUPS takes no space, slash or number sign
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})|[0-9A-Fa-f:]{2,45}", re.ASCII)
_OPTION = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}=[A-Za-z0-9_.,-]{1,127}", re.ASCII)
_TAKEN = (  # of `lp`: paper, quality and turn; others make more or fewer of a piece, or another size of it
    "media",
    "InputSlot",
    "MediaType",
    "resolution",
    "Resolution",
    "orientation-requested",
    "ColorModel",
    "print-quality",
)
_MARK = re.compile(r"(?:[0-9a-f]{16})?", re.ASCII)
_HEADS = (203, 300, 600)
_FAR = 36_000  # house: half an inch is no calibration but another form
_STRETCH = 50_000  # house: parts of a million; beyond it the driver fits the page to the paper


@dataclass(frozen=True, slots=True, kw_only=True)
class Printer:
    """Hold the profile of a printer.

    `kind` is the way to it: a spool `folder` (address: its path), the system's `lp` (a queue), or `raw` TCP (HOST or
    HOST:PORT). `options` go to `lp` with a PDF, such as `media=Custom.4.125x9.5in`; only those that leave every piece
    one piece of its size. `form` is the form that lies in it, or empty for any. The shift moves what is printed right
    and down. `mark` names a hidden file that was laid into a spool folder, empty where there was none to lay it into: a
    folder without it (an empty mount point) is another one.
    """

    name: str
    kind: Kind
    address: str
    language: Language = "pdf"
    dpi: int = 300
    form: str = ""
    shift_x: int = 0
    shift_y: int = 0
    scale_x: int = TRUE_SCALE
    scale_y: int = TRUE_SCALE
    native: bool = False
    options: tuple[str, ...] = ()
    mark: str = ""

    def checked(self) -> Printer:
        """Give the profile as it is kept. Raises `BadInput` (printer.unfit), naming the part."""
        fit = {
            "name": _NAME.fullmatch(self.name) is not None,
            "kind": self.kind in get_args(Kind),
            "language": self.language in get_args(Language),
            "dpi": self.dpi in _HEADS,
            "shift": max(abs(self.shift_x), abs(self.shift_y)) <= _FAR,
            "scale": max(abs(self.scale_x - TRUE_SCALE), abs(self.scale_y - TRUE_SCALE)) <= _STRETCH,
            "address": self._reachable(),
            "mark": _MARK.fullmatch(self.mark) is not None,
            "options": all(_OPTION.fullmatch(option) and option.partition("=")[0] in _TAKEN for option in self.options),
        }
        for part, well in fit.items():
            if not well:
                raise BadInput("printer.unfit", part=part, text=str(getattr(self, part, ""))[:80])
        return self

    def _reachable(self) -> bool:
        if not self.address or len(self.address) > 1000 or not self.address.isprintable():
            return False
        if self.kind == "folder":
            return Path(self.address).is_absolute()
        if self.kind == "lp":
            return _QUEUE.fullmatch(self.address) is not None
        try:
            host, port = self.host_port()
        except ValueError:
            return False
        return _HOST.fullmatch(host) is not None and 0 < port < 65536

    def host_port(self) -> tuple[str, int]:
        """Give the host and the port of a raw address; `[::1]:9100` for an IPv6 address with a port."""
        if self.address.startswith("["):
            host, _, rest = self.address[1:].partition("]")
            return host, int(rest.removeprefix(":") or PORT)
        host, colon, port = self.address.partition(":")
        if ":" in port:
            return self.address, PORT
        return host, int(port) if colon else PORT


def keep(ctx: Context, *, printer: Printer) -> Record:
    """Keep a printer, or another profile for one that is known.

    Raises `BadInput` (printer.unfit), `Refused` (printer.busy): an entry under way is found again where it was sent,
    and a file that waits was drawn for the printer as it was.
    """
    held = ctx.tx.get("printer", printer.name)
    body = asdict(printer.checked())
    if held is not None:
        same = all(held.body.get(part) == body[part] for part in _DRAWN)
        _check_free(ctx, printer.name, states=("sending",) if same else _OPEN)
    ctx.note("printer.kept", printer.name, way=printer.kind, language=printer.language, dpi=printer.dpi)
    return ctx.tx.put("printer", printer.name, body, owner=ctx.party, expected=held.version if held else 0)


def calibrated(printer: Printer, found: Calibration) -> Printer:
    """Give a printer with what its calibration page says; only a label printer's language can stretch a page."""
    moved = replace(printer, shift_x=found.shift_x, shift_y=found.shift_y)
    if printer.language != "zpl":
        return moved
    return replace(moved, scale_x=found.scale_x, scale_y=found.scale_y)


def uncalibrated(printer: Printer) -> Printer:
    """Give a printer as it prints by itself, which is what a calibration page must show."""
    return replace(printer, shift_x=0, shift_y=0, scale_x=TRUE_SCALE, scale_y=TRUE_SCALE)


def drawn(printer: Printer) -> Drawn:
    """Give what files are drawn for that another program sends to a printer. Raises `BadInput` (printer.unfit).

    Such a file is a PDF, which no page can be stretched in.
    """
    if (printer.scale_x, printer.scale_y) != (TRUE_SCALE, TRUE_SCALE):
        raise BadInput("printer.unfit", part="scale", text=f"{printer.scale_x}, {printer.scale_y}")
    return Drawn(dpi=printer.dpi, shift_x=printer.shift_x, shift_y=printer.shift_y)


def remove(ctx: Context, *, name: str) -> None:
    """Take a printer out of use; what was sent to it stays on record.

    Raises `Refused` (printer.unknown, printer.busy).
    """
    held = _row(ctx.tx, name)
    _check_free(ctx, name, states=_OPEN)
    ctx.note("printer.removed", name)
    ctx.tx.put("printer", name, {**held.body, "removed": True}, owner=held.owner, expected=held.version)


_OPEN = ("queued", "sending")
_DRAWN = ("language", "dpi", "form", "shift_x", "shift_y", "scale_x", "scale_y", "native")  # what a file depends on


def _check_free(ctx: Context, name: str, *, states: tuple[str, ...]) -> None:
    begun = [row.key for row in open_batches(ctx.tx) if row.body.get("printer") == name]
    if begun and states == _OPEN:
        raise Refused("printer.batch-open", name=name, batches=", ".join(begun))
    waiting = [row.key for row in ctx.tx.find("spool") if row.body["printer"] == name and row.body["state"] in states]
    if waiting:
        raise Refused("printer.busy", name=name, entries=", ".join(key.lstrip("0") for key in waiting[:6]))


def printer_of(view: Transaction, name: str) -> Printer:
    """Give a printer by its name. Raises `Refused` (printer.unknown), `BadInput` (printer.unfit: an older one)."""
    return _of(_row(view, name).body).checked()


def all_of(view: Transaction) -> list[Printer]:
    """Give the printers in use, by name."""
    return [_of(row.body) for row in view.find("printer") if not row.body.get("removed")]


def _row(view: Transaction, name: str) -> Record:
    row = view.get("printer", name)
    if row is None or row.body.get("removed"):
        raise Refused("printer.unknown", name=name[:40])
    return row


def _of(body: Mapping[str, Any]) -> Printer:
    held = {name: value for name, value in body.items() if name != "removed"}
    return Printer(**{**held, "options": tuple(held["options"])})
