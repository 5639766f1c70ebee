"""The papers of a batch: its manifest, the rows that were refused, the rows that were not printed.

Here: three files and the check of the totals. Not here: printing (`batching`).
Kept: the manifest names every piece (row of the list, number of the device, amount, category, file, page), and is given
only where its totals are the device's own: every piece's amount and the ascending register are read back out of the
bytes that the device signed. A file is written beside and renamed when it is whole.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, TextIO

from towncircle.indicium import Layout, layout
from towncircle.indicium.values import from_bytes
from towncircle.kernel.errors import BrokenInvariant
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record, Transaction
from towncircle.licensee import batches, spool
from towncircle.licensee.address_data import counted
from towncircle.licensee.mailroom import CLAIMED, PRINTED, numbers_of
from towncircle.licensee.pricing import UNRECORDED, claim_of, doubts_of_job
from towncircle.licensee.tapes import whole_pieces
from towncircle.mailpiece.harmless import cell
from towncircle.mailpiece.row_rates import COLUMNS, SIDES
from towncircle.mailpiece.sheets import position, stock
from towncircle.mailpiece.weights import plain_ounces

MANIFEST, ERRORS, LEFT = "manifest.json", "errors.csv", "not-printed.csv"
_LINES = ("name", "company", "urbanization", "street", "street2", "city", "state")


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulty:
    """Hold one thing that is wrong with a row of the list."""

    row: int
    column: str
    code: str
    what: str


def write_errors(out: Path, faults: Iterable[Faulty]) -> Path:
    """Write what is wrong with the rows of a list, a line each."""

    def write(stream: TextIO) -> None:
        lines = csv.writer(stream)
        lines.writerow(("row", "column", "code", "what"))
        lines.writerows((one.row, cell(one.column), one.code, cell(one.what)) for one in faults)

    return _put(out / ERRORS, write)


def write_left(out: Path, view: Transaction, batch: Record) -> Path:
    """Write the pieces of a batch that were not printed, nor sent in for a refund, as a list that can be printed."""

    def write(stream: TextIO) -> None:
        lines = csv.writer(stream)
        lines.writerow((*_LINES, "zip", "weight_oz", "shape", *COLUMNS))
        for job in batches.jobs(view, batch):
            if job.body["state"] not in (PRINTED, CLAIMED):
                lines.writerows(_listed(piece) for piece in whole_pieces(job.body["pieces"]))

    return _put(out / LEFT, write)


def _listed(piece: Mapping[str, Any]) -> list[str]:
    where = piece["address"]
    code = "-".join(part for part in (where["zip5"], where["plus4"], where["delivery_point"]) if part)
    said = [cell(where[name]) for name in _LINES]
    return [*said, code, plain_ounces(Fraction(piece["weight"])), piece["shape"], *_rated(piece)]


def _rated(piece: Mapping[str, Any]) -> list[str]:
    """Give the cells of the columns that say what is claimed for a piece; an estimated zone is found anew."""
    claim = claim_of(piece)
    said = {
        "mail_class": claim.mail_class,
        "price_type": claim.price_type,
        "zone": "" if claim.zone_estimated else claim.zone,
        "extras": ";".join(claim.extras) or "none",
        "declared_value": "" if claim.declared_value is None else str(claim.declared_value).replace(",", ""),
        "nonmachinable": "yes" if claim.nonmachinable else "no",
        **dict(zip(SIDES, piece.get("size", "").split("x"), strict=False)),
    }
    return [said.get(name, "") for name in COLUMNS]


def names_another(out: Path, batch: str) -> bool:
    """Tell whether a folder has a manifest that is not of this batch; its name stands first."""
    try:
        with (out / MANIFEST).open("rb") as stream:
            head = stream.read(200)
    except FileNotFoundError:
        return False
    return not head.startswith(f'{{\n "batch": "{batch}",'.encode())


def write_manifest(out: Path, view: Transaction, batch: Record, *, regime: str) -> Path:
    """Write the manifest of a batch that has ended. Raises `BrokenInvariant` (batch.totals-differ)."""
    body = batch.body
    postage = body["spent"] - body["refunded_mills"] - body["lost_mills"]
    done = [job for job in _heads(view, batch) if job["state"] == PRINTED]
    head = {
        "batch": batch.key,
        "state": body["state"],
        "specimen": True,
        "regime": regime,
        "device": body["device"],
        "mailing_date": body["mailing_date"],
        "department": body["department"],
        **({"printer": body["printer"]} if "printer" in body else {}),
        **{name: body[name] for name in ("template", "source", "rows_left_out")},
        "totals": {
            "pieces": body["printed"],
            "postage_mills": postage,
            "postage": str(Mills(postage)),
            "categories": _categories(done),
            "prices_less_than_sure": sum((job["doubts"] for job in done), Counter()),
            "pieces_not_printed": body["count"] - body["printed"] - body["refunded"],
            "pieces_refunded": body["refunded"],
            "refunded_mills": body["refunded_mills"],
            "pieces_lost": body["lost"],
            "lost_mills": body["lost_mills"],
        },
        **({"labels": body["labels"]} if "labels" in body else {}),
        **_rested(body, done),
        "files": [{name: job[name] for name in _FILE if name in job} for job in done],
    }

    def write(stream: TextIO) -> None:
        text = json.dumps(head, ensure_ascii=False, indent=1)
        stream.write(text.removesuffix("\n}") + ',\n "pieces": [')
        total, count = ZERO, 0
        for line, amount in _pieces(view, batch):
            stream.write(f"{',' if count else ''}\n  {line}")
            total, count = total + amount, count + 1
        stream.write("\n ]\n}\n")
        if (count, int(total)) != (body["printed"], postage):
            raise BrokenInvariant("batch.totals-differ", batch=batch.key, told=Mills(postage), found=total)

    return _put(out / MANIFEST, write)


_FILE = (
    "file", "sha256", "bytes", "job", "pieces", "first_piece", "last_piece", "postage_mills", "start", "entry",
    "entry_state",
)  # fmt: skip


def _heads(view: Transaction, batch: Record) -> Iterator[dict[str, Any]]:
    """Give what the manifest says of each job."""
    for job, part in zip(batches.jobs(view, batch), batch.body["parts"], strict=True):
        if job.body["state"] != PRINTED:
            continue
        numbers = numbers_of(job.body)
        yield {
            "state": job.body["state"],
            "file": job.body["files"][0],
            "sha256": job.body["sha256"],
            "bytes": job.body["bytes"],
            "job": job.key,
            "pieces": len(numbers),
            "first_piece": numbers[0],
            "last_piece": numbers[-1],
            "postage_mills": job.body["total"],
            "categories": part["categories"],
            "doubts": doubts_of_job(job.body["pieces"]),
            "routed": counted(whole_pieces(job.body["pieces"])),
            **({"start": part["start"]} if "start" in part else {}),
            **_entry(view, job),
        }


def _entry(view: Transaction, job: Record) -> dict[str, int | str]:
    """Give the entry of the spool by which a job went to a printer, and how it stands; nothing where it is a file."""
    rows = view.find("spool", owner=job.key)
    if not rows or not rows[0].body["printer"]:
        return {}
    return {"entry": rows[0].body["number"], "entry_state": spool.standing_of(rows[0])}


def _rested(body: Mapping[str, Any], done: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Give which data the addresses rest on and until when they are good; the counts are those of printed pieces."""
    if not body.get("address_data"):
        return {}
    routed = Counter[str]()
    for job in done:
        routed.update(job["routed"])
    return {"address_data": {**body["address_data"], **routed}}


def _categories(done: Iterable[dict[str, Any]]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for job in done:
        for category, (count, mills) in job["categories"].items():
            held = found.setdefault(category, {"pieces": 0, "postage_mills": 0})
            held["pieces"] += count
            held["postage_mills"] += mills
    return dict(sorted(found.items()))


def _pieces(view: Transaction, batch: Record) -> Iterator[tuple[str, Mills]]:
    """Give the line of each printed piece and the amount that the device signed for it."""
    for job in batches.jobs(view, batch):
        if job.body["state"] != PRINTED:
            continue
        signed = _signed(job)
        held = stock(job.body["stock"]) if job.body.get("stock") else None
        for place, (piece, number, amount) in enumerate(
            zip(job.body["pieces"], numbers_of(job.body), signed, strict=True)
        ):
            page, label = (place, 0) if held is None else position(held, job.body["start"], place)
            line = {
                "row": piece["row"],
                "piece": number,
                "amount_mills": int(amount),
                "category": piece["category"],
                "confidence": piece.get("confidence", UNRECORDED),
                "file": job.body["files"][0],
                "page": page + 1,
                **({"label": label} if label else {}),
                **({"tape": piece["tape"]} if "tape" in piece else {}),
                **_routed(piece),
            }
            yield json.dumps(line, ensure_ascii=False), amount


def _routed(piece: Mapping[str, Any]) -> dict[str, str]:
    """Say by which data the ZIP+4 of a piece was verified, where it has one."""
    if not piece["address"].get("plus4"):
        return {}
    return {"zip4": f"verified by {piece['verified_by']}" if piece.get("verified_by") else "not verified"}


def _signed(job: Record) -> list[Mills]:
    """Read each amount out of the signed bytes and check it, the count and the ascending register on the way."""
    form = layout(job.body["layout"])
    found = [bytes.fromhex(mark) for mark in job.body["indicia"]]
    amounts = _column(form, "postage_mills", found)
    planned = [Mills(piece["amount"]) for piece in job.body["pieces"]]
    if amounts != planned:
        raise BrokenInvariant("batch.totals-differ", batch=job.key, told=sum(planned, ZERO), found=sum(amounts, ZERO))
    if form.has("ascending_mills"):
        registers = _column(form, "ascending_mills", found)
        before = [registers[0] - amounts[0], *registers]
        risen = [after - held for held, after in pairwise(before)]
        if risen != amounts:
            raise BrokenInvariant(
                "batch.totals-differ", batch=job.key, told=sum(amounts, ZERO), found=before[-1] - before[0]
            )
    return amounts


def _column(form: Layout, name: str, marks: list[bytes]) -> list[Mills]:
    field = form.field(name)
    values = [from_bytes(field, mark[field.offset : field.end]) for mark in marks]
    return [Mills(value) for value in values if isinstance(value, int)]


def _put(path: Path, write: Callable[[TextIO], None]) -> Path:
    draft = path.with_name(f"{path.name}.new")
    with draft.open("w", encoding="utf-8", newline="") as stream:
        write(stream)
    draft.replace(path)
    return path
