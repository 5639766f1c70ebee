"""`towncircle examine`: have the Postal Service examine a device where it stands (P050 2.6, 3.4)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, by_argument, opened, table

if TYPE_CHECKING:
    from towncircle.world.examinations import Examined

_WORDS = {
    "regular": "regular: it agrees with everything that is known",
    "irregular": "irregular",
    "unanswered": "the device gave no report",
    "lapsed": "the order ran out before the device saw it; examine again",
    "": "ordered; it waits for the device's host",
}
_READ = ("ascending", "descending", "pieces", "resets_total", "withdrawn_total", "message_counter")


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "examine",
        help="examine a device: a signed order, its signed report, the finding",
        description="Have the Postal Service examine a device. Its signed order goes by way of the Provider and the "
        "licensee's host, which can neither make nor change it; the device's signed report comes back and is compared "
        "with the register of devices, the daily files, the scans, the certificates and the approved builds. What "
        "differs opens a case (towncircle cases). Exit code 1 where it is not regular. An interrupted examination is "
        "finished by examining again.",
    )
    parser.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    parser.add_argument("device", metavar="DEVICE", help="the device, as printed on its indicia")
    by_argument(parser, "inspector")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Examine a device and show the finding."""
    from towncircle.kernel.ids import DeviceId
    from towncircle.world.examinations import examine

    device = DeviceId.parse(args.device)
    with opened(args.world) as world:
        done = examine(world, device, by=args.by)
    body = done.record.body
    if args.json:
        as_json(
            {
                "examination": done.record.key,
                "device": body["device"],
                "provider": done.record.owner,
                "outcome": body["outcome"] or "ordered",
                "report": {name: done.found.body[name] for name in _READ} if done.found else None,
                "case": body["case"],
                "differences": [
                    {"code": code, "sentence": sentence, "clause": clause}
                    for code, sentence, clause in body["differences"]
                ],
            }
        )
    else:
        _show(done)
    return 0 if body["outcome"] == "regular" else 1


def _show(done: Examined) -> None:
    from towncircle.kernel.money import Mills

    body = done.record.body
    rows: list[tuple[str, object]] = [
        ("examination", done.record.key),
        ("device", body["device"]),
        ("provider", done.record.owner),
        ("finding", _WORDS[body["outcome"]]),
    ]
    if done.found is not None:
        told = done.found.body
        rows += [
            ("ascending register", Mills(told["ascending"])),
            ("descending register", Mills(told["descending"])),
            ("pieces", told["pieces"]),
            ("resets", Mills(told["resets_total"])),
            ("signed at", done.found.occurred_at.iso()),
        ]
    if body["case"]:
        rows.append(("case", body["case"]))
    table(rows)
    for _, sentence, clause in body["differences"]:
        print(f"! {sentence} [{clause}]")
