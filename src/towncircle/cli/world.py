"""`towncircle world`: make a world and travel through its time."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from towncircle.psd.key_arguments import add_arguments

_EPILOG = """\
examples:
  towncircle world new my-world                         a world whose clock runs with this machine's
  towncircle world new then --regime ibi-1998           the 1998 rule, its clock frozen at 1998-09-02
  towncircle world advance my-world 73h                 73 hours later
  towncircle world regime then imi-2024                 IMI from now on; the 1998 devices serve until their last day
A world is one folder: parties, stores, keys, devices and clock. Copy it whole, or not at all."""

_MOST_LICENSEES = 99  # house


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "world",
        help="make a world of parties, or travel through its time",
        description="Make a world: a Postal Service, a lockbox bank, two Providers and two licensees.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_new(actions)
    _add_changes(actions)
    go = actions.add_parser(
        "advance", help="go forward in time", description="Go forward in time; mail that waits is delivered."
    )
    go.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    go.add_argument("step", metavar="STEP", help="such as 90s, 15m, 73h, 2d, 1w or 3mo (calendar months)")
    go.add_argument("--json", action="store_true", help="print JSON with stable keys")
    go.set_defaults(run=run_advance)


def _add_new(actions: Any) -> None:
    new = actions.add_parser("new", help="make a world in a new folder", description="Make a world in a new folder.")
    new.add_argument("world", type=Path, metavar="DIR", help="a folder that does not exist yet, or is empty")
    new.add_argument(
        "--regime",
        default="imi-2024",
        metavar="REGIME",
        help="the rule set: imi-2024 (default), ibi-1998, cfr-501",
    )
    new.add_argument("--seed", type=int, metavar="N", help="make everything repeat to the byte; the clock is frozen")
    new.add_argument("--start", metavar="INSTANT", help="freeze the clock at an instant such as 2026-11-23T14:00Z")
    new.add_argument(
        "--keys", default="file", metavar="KIND", help="where devices keep keys: file (default), passphrase, pkcs11"
    )
    new.add_argument(
        "--applicant",
        action="append",
        default=[],
        metavar="PROVIDER",
        help="a Provider that is not authorized yet: towncircle products (default: both are, from the start)",
    )
    new.add_argument(
        "--licensees",
        type=int,
        default=2,
        metavar="N",
        help="how many: mailroom, annex, then mailer-3 and so on (default: 2); more later: world enrol",
    )
    add_arguments(new)
    new.add_argument("--json", action="store_true", help="print JSON with stable keys")
    new.set_defaults(run=run_new)


def _add_changes(actions: Any) -> None:
    later = actions.add_parser(
        "regime",
        help="go over to a later rule set",
        description="Have a world go by a later rule set from now on. Devices in use keep the regime that they were "
        "leased under until they are decertified; both run side by side, and new leases are of the new one.",
    )
    later.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    later.add_argument("regime", metavar="REGIME", help="a rule set laid over the present one: imi-2024, cfr-501")
    later.add_argument("--json", action="store_true", help="print JSON with stable keys")
    later.set_defaults(run=run_regime)
    enrol = actions.add_parser(
        "enrol",
        help="bring another licensee or Provider into a world",
        description="Bring a licensee or a Provider into a world that exists: with store, key and certificate. A "
        "licensee applies for its license then, as in a new world. Stop 'towncircle up' before, and start it again.",
    )
    enrol.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    enrol.add_argument("party", metavar="PARTY", help="licensee.NAME or provider.NAME")
    enrol.add_argument(
        "--applicant", action="store_true", help="a Provider that is not authorized yet: towncircle products"
    )
    enrol.add_argument("--json", action="store_true", help="print JSON with stable keys")
    enrol.set_defaults(run=run_enrol)


def run_new(args: argparse.Namespace) -> int:
    """Make a world."""
    from towncircle.cli.show import as_json
    from towncircle.kernel.instants import Instant
    from towncircle.psd.opening import chosen, keys_of
    from towncircle.rules import ruleset
    from towncircle.rules.rulesets import REGISTRY
    from towncircle.world.world import World

    for one in REGISTRY.values():
        if one.added and one.trouble:  # a copy that bears another's name is not what --regime gives
            print(f"The rule set in {one.folder} is left aside: {one.trouble}.", file=sys.stderr)
    start = Instant.parse(args.start) if args.start else None
    about = REGISTRY[ruleset(args.regime).name]
    if start is None and (args.seed is not None or about.frozen):
        start = Instant.parse(about.start)
    keys = chosen(args.keys, keys_of(args))
    applicants = tuple(args.applicant)
    licensees = licensees_of(args.licensees)
    world = World.create(
        args.world, regime=args.regime, seed=args.seed, start=start, applicants=applicants, licensees=licensees
    )
    if keys is not None:
        keys.keep(args.world)
    now = world.clock.now()
    world.close()
    if args.json:
        as_json({"world": str(args.world), "id": world.config.id, "regime": args.regime, "now": now.iso()})
    else:
        print(f"The world {args.world} is made: {args.regime}, {now.iso()}.")
        print(f"Next: towncircle license {args.world}")
    return 0


def licensees_of(count: int) -> tuple[str, ...]:
    """Name the licensees of a new world. Raises `BadInput` (world.licensees)."""
    from towncircle.kernel.errors import BadInput
    from towncircle.world.world import DEFAULT_LICENSEES

    if not 1 <= count <= _MOST_LICENSEES:
        raise BadInput("world.licensees", most=_MOST_LICENSEES)
    named = (*DEFAULT_LICENSEES, *(f"licensee.mailer-{number}" for number in range(3, count + 1)))
    return named[:count]


def run_enrol(args: argparse.Namespace) -> int:
    """Bring another party into a world."""
    from towncircle.cli.show import as_json
    from towncircle.world.enrolling import enrol

    party = enrol(args.world, args.party, applicant=args.applicant)
    if args.json:
        as_json({"world": str(args.world), "party": party})
        return 0
    print(f"{party} is in {args.world} now.")
    if party.role == "licensee":
        print(f"Next: towncircle license {args.world} --licensee {party.name}")
    return 0


def run_regime(args: argparse.Namespace) -> int:
    """Go over to a later rule set."""
    from towncircle.cli.show import as_json
    from towncircle.world.succession import succeed

    before = succeed(args.world, args.regime)
    if args.json:
        as_json({"world": str(args.world), "regime": args.regime, "before": before})
    else:
        print(f"The world {args.world} goes by {args.regime} now. What was leased under {before} stays in use until")
        print(f"its last day: towncircle fleet {args.world}")
    return 0


def run_advance(args: argparse.Namespace) -> int:
    """Go forward in time."""
    from towncircle.cli.show import as_json, opened

    with opened(args.world) as world:
        then = world.advance(args.step)
    if args.json:
        as_json({"world": str(args.world), "now": then.iso()})
    else:
        print(f"It is now {then.iso()} in {args.world}.")
    return 0
