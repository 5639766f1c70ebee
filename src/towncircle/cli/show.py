"""Shared pieces of the commands: the world argument, JSON and plain tables.

Here: what more than one command prints alike. Not here: any command.
"""

from __future__ import annotations

import argparse
import getpass
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from towncircle.psd.commands import StatusReport
    from towncircle.wire.bodies import AccountAnswer
    from towncircle.world.journeys import Journeys
    from towncircle.world.world import World


def world_argument(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """Add the arguments of a command that works in a world as a licensee."""
    words = "the world's folder (default: the one in this folder)" if optional else "the world's folder"
    parser.add_argument("world", type=Path, nargs="?" if optional else None, metavar="DIR", help=words)
    parser.add_argument(
        "--licensee",
        default="mailroom",
        metavar="NAME",
        help="who acts: mailroom (default), annex or another",
    )
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")


def only_world(place: Path) -> Path:
    """Give the one world in a folder, or the folder if it is one. Raises `BadInput` (cli.which-world)."""
    from towncircle.kernel.errors import BadInput
    from towncircle.world.config import FILE

    found = [file.parent for file in (place / FILE, *sorted(place.glob(f"*/{FILE}"))) if file.is_file()]
    if len(found) != 1:
        raise BadInput("cli.which-world", count=len(found))
    return found[0]


def provider_argument(parser: argparse.ArgumentParser) -> None:
    """Add the argument of a command about an account, where a licensee may have several."""
    parser.add_argument(
        "--provider", default="", metavar="NAME", help="with which Provider the account is (default: the only one)"
    )


def by_argument(parser: argparse.ArgumentParser, office: str) -> None:
    """Add `--by`: the person of the party who does an act of an office; a sandbox has one of each office's name."""
    parser.add_argument(
        "--by", default=office, metavar="NAME", help=f"who does it: a person who holds the office (default: {office})"
    )


def files_told(files: Sequence[Path], *, json: bool) -> int:
    """Tell which files a command wrote."""
    if json:
        as_json({"files": [str(path) for path in files]})
    else:
        for path in files:
            print(path)
    return 0


@contextmanager
def opened(folder: Path) -> Iterator[World]:
    """Open a world for one command and close it afterwards."""
    from towncircle.world.up import open_world

    world = open_world(folder)
    try:
        yield world
    finally:
        world.close()


@contextmanager
def journeys_of(args: argparse.Namespace) -> Iterator[Journeys]:
    """Open a world as the licensee that the arguments name."""
    from towncircle.world.journeys import Journeys

    with opened(args.world) as world:
        name = args.licensee if args.licensee.startswith("licensee.") else f"licensee.{args.licensee}"
        yield Journeys(world, name)


def standing(told: StatusReport) -> list[tuple[str, object]]:
    """Give the rows that say how a device stands, with the countdown to its next contact."""
    from towncircle.psd.warning import countdown

    rows: list[tuple[str, object]] = [
        ("device", told.device),
        ("state", told.sentence),
        ("ascending register", told.registers.ascending),
        ("descending register", told.registers.descending),
        ("pieces", told.registers.pieces),
    ]
    if told.reprints:
        rows.append(("reprints", told.reprints))
    if told.contact_due:
        left = f"{countdown(told.contact_left_us)} left" if told.contact_left_us >= 0 else "past"
        rows.append(("next contact due", f"{told.contact_due.iso()} ({left})"))
    if told.certificate_until:
        rows.append(("certificate ends", told.certificate_until.iso()))
    return [*rows, ("now", told.now.iso())]


def standing_json(told: StatusReport) -> dict[str, object]:
    """Give how a device stands as a record with stable keys."""
    return {
        "device": told.device,
        "state": told.state,
        "sentence": told.sentence,
        "ascending_mills": int(told.registers.ascending),
        "descending_mills": int(told.registers.descending),
        "pieces": told.registers.pieces,
        "reprints": told.reprints,
        "contact_due": told.contact_due.iso(),
        "contact_left_seconds": told.contact_left_us // 1_000_000,
        "certificate_until": told.certificate_until.iso() if told.certificate_until else "",
        "open_request": told.open_request,
        "warnings": list(told.warnings),
        "now": told.now.iso(),
    }


def pin_typed(file: Path | None, name: str, *, which: str = "") -> str:
    """Give the PIN of a person (`which`: the old one): the first line of a file, or as it is typed, unseen."""
    if file is not None:
        return file.read_text(encoding="utf-8").partition("\n")[0].strip()
    return getpass.getpass(f"{which}PIN of {name}: ").strip()


def as_json(record: object) -> None:
    """Print one JSON document."""
    print(json.dumps(record, ensure_ascii=False, indent=2, default=str))


def table(rows: Sequence[tuple[str, object]]) -> None:
    """Print two columns, the left one as wide as it needs."""
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value}")


def disputes_of(journeys: Journeys) -> list[dict[str, object]]:
    """Give the returned devices of which the Provider states another amount than they gave back."""
    from towncircle.licensee.returns import disputes

    with journeys.world.store(journeys.licensee).reading() as view:
        found = disputes(view)
    return [{"device": device, "stated_mills": int(stated), "gave_mills": int(gave)} for device, stated, gave in found]


def tell_disputes(differing: Sequence[Mapping[str, object]]) -> None:
    """Print them for people."""
    from towncircle.kernel.money import Mills

    for one in differing:
        stated, gave = Mills(int(str(one["stated_mills"]))), Mills(int(str(one["gave_mills"])))
        print(
            f"! {stated} is stated for the returned device {one['device']}, which gave back {gave}: nothing is booked"
        )


def account_answer(*answers: AccountAnswer, json: bool, none: str = "") -> None:
    """Print what the Provider answered to requests about an account; with JSON one, or a list where `none` is."""
    records = [
        {
            "reference": told.reference,
            "kind": told.kind,
            "state": told.state,
            "amount_mills": int(told.amount),
            "outstanding_mills": int(told.outstanding),
            "limit_mills": int(told.limit),
            "account_mills": int(told.account_balance),
            "check": told.check,
            "reason": told.reason,
            "at": told.at.iso(),
        }
        for told in answers
    ]
    if json:
        as_json({"requests": records} if none else records[0])
        return
    for told in answers:
        rows: list[tuple[str, object]] = [(told.kind, told.reference), ("state", told.state), ("amount", told.amount)]
        if told.outstanding or told.kind == "advance":
            rows.append(("advances outstanding", told.outstanding))
        rows += [("check", told.check)] if told.check else []
        rows += [("finding", told.reason)] if told.reason else []
        table([*rows, ("account", told.account_balance)])
    if not answers:
        print(none)
