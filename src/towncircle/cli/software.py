"""`towncircle software`: approved builds, staged releases, what each device runs, the change log (IMI-03, 502.11)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, journeys_of, opened, table, world_argument

if TYPE_CHECKING:
    from towncircle.kernel.store import Record

_EPILOG = """\
examples:
  towncircle software approve DIR 2 --changes 'It warns earlier.'    the Postal Service approves this build as version 2
  towncircle software stage DIR 2 --group licensee.annex --by 2027-01-31
  towncircle software stage DIR 2 --percent 25 --by 2027-01-31       more devices; a stage only adds
  towncircle software take DIR                                       a host takes what waits, as each connection does
  towncircle software show DIR                                       releases, and what each device says it runs
  towncircle software log DIR                                        the change log of the licensee's device
  towncircle software halt DIR 2 --reason 'it prints too slowly'
A build is approved as a version once it was submitted, tested and authorized: towncircle products submit, change.
No message replaces a file: the owner of a machine installs the build, and the device takes it as its own at its next
start, where it is the approved one (ADR 0032)."""


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "software",
        help="software versions: approve, stage, halt, take, show, change log",
        description="Versions of the device's software: approved by the Postal Service, staged by the Provider, taken "
        "with a connection, bound at the next start, and never back to a lower one.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    approve = _desk(verbs, "approve", "approve a build as a version, as the Postal Service", _approve)
    approve.add_argument("--build", default="", metavar="SHA256", help="of its manifest (default: this installation's)")
    approve.add_argument("--person", default="manager-mtm", metavar="NAME", help="who approves (manager-mtm)")
    approve.add_argument("--changes", required=True, metavar="TEXT", help="what is new, for the change log")
    stage = _desk(verbs, "stage", "choose devices for a version, as a Provider", _stage)
    stage.add_argument("--percent", type=int, default=0, metavar="N", help="a share of all devices, 0 to 100")
    stage.add_argument("--group", action="append", default=[], metavar="NAME", help="a device, licensee or model")
    stage.add_argument("--by", required=True, metavar="DATE", help="the last day to install it")
    halt = _desk(verbs, "halt", "stop a version, as a Provider", _halt)
    halt.add_argument("--reason", required=True, metavar="TEXT", help="why, without names")
    for verb in (stage, halt):
        verb.add_argument("--person", default="crypto-officer", metavar="NAME", help="who does it (crypto-officer)")
        verb.add_argument("--provider", default="provider.harbor", metavar="PARTY", help="whose (provider.harbor)")
    show = verbs.add_parser("show", help="show releases and what each device says it runs")
    show.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    show.add_argument("--json", action="store_true", help="print JSON with stable keys")
    show.set_defaults(run=_show)
    for name, help_, run in (
        ("take", "take what waits for the device and this host", _take),
        ("log", "show the change log of the device", _log),
    ):
        verb = verbs.add_parser(name, help=help_)
        world_argument(verb)
        verb.set_defaults(run=run)


def _desk(verbs: Any, name: str, help_: str, run: Any) -> Any:
    parser = verbs.add_parser(name, help=help_)
    parser.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    parser.add_argument("version", type=int, metavar="VERSION", help="a whole number; versions only rise")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)
    return parser


def _approve(args: argparse.Namespace) -> int:
    from towncircle.psd.integrity import module_digest
    from towncircle.world.updates import approve_build

    with opened(args.world) as world:
        build = args.build or module_digest()
        row = approve_build(world, version=args.version, build=build, changes=args.changes, person=args.person)
    return _told(row, ("model", "version", "build", "regime", "changes"), json=args.json)


def _stage(args: argparse.Namespace) -> int:
    from towncircle.cli.price import day_of
    from towncircle.world.updates import stage

    with opened(args.world) as world:
        row = stage(
            world,
            args.provider,
            version=args.version,
            percent=args.percent,
            groups=args.group,
            by=day_of(args.by),
            person=args.person,
        )
    return _told(row, ("model", "version", "percent", "groups", "install_by"), json=args.json)


def _halt(args: argparse.Namespace) -> int:
    from towncircle.world.updates import halt

    with opened(args.world) as world:
        row = halt(world, args.provider, version=args.version, reason=args.reason, person=args.person)
    return _told(row, ("model", "version", "halted"), json=args.json)


def _told(row: Record, names: tuple[str, ...], *, json: bool) -> int:
    told = {name: row.body[name] for name in names}
    as_json(told) if json else table(list(told.items()))
    return 0


def _take(args: argparse.Namespace) -> int:
    from towncircle.world.updates import take

    with journeys_of(args) as journeys:
        words = take(journeys, journeys.device)
        told = journeys.status()
    record = {"version": told.software_version, "waits": told.software_next, "words": words}
    if args.json:
        as_json(record)
    else:
        print(words or "There is no new version for this device.")
    return 0


def _show(args: argparse.Namespace) -> int:
    releases: list[dict[str, object]] = []
    devices: list[dict[str, object]] = []
    with opened(args.world) as world:
        for provider in world.config.providers:
            with world.store(provider).reading() as view:
                names = ("version", "model", "build", "percent", "groups", "install_by", "halted", "changes")
                rows = view.find("release")
                releases += [{"provider": provider, **{name: row.body[name] for name in names}} for row in rows]
                told = ("version", "next", "assigned", "build")
                devices += [
                    {"provider": provider, "device": row.key, **{name: row.body[name] for name in told}}
                    for row in view.find("software")
                ]
    if args.json:
        as_json({"releases": releases, "devices": devices})
        return 0
    for one in releases:
        groups = f" and {one['groups']}" if one["groups"] else ""
        state = f"halted: {one['halted']}" if one["halted"] else f"{one['percent']} %{groups}"
        print(f"{one['provider']}  {one['model']} version {one['version']}  {state}  by {one['install_by'] or '-'}")
    for one in devices:
        waits = f", version {one['next']} waits for its start" if one["next"] else ""
        print(f"{one['device']}  version {one['version']}{waits}, assigned {one['assigned']}")
    if not releases:
        print("No version is released yet.")
    return 0


def _log(args: argparse.Namespace) -> int:
    from towncircle.world.updates import change_log

    with journeys_of(args) as journeys:
        lines = change_log(journeys, journeys.device)
    if args.json:
        as_json({"changes": [{"version": version, "state": state, "changes": text} for version, state, text in lines]})
        return 0
    for version, state, text in lines:
        print(f"version {version} ({state}): {text}")
    if not lines:
        print("This device has taken no version yet.")
    return 0
