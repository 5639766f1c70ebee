"""`towncircle device connect, disconnect, host`: which devices of a world are reached over a network.

Here: arguments. Not here: the lines (`world.lines`), the hosts (`device`).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from towncircle.cli.show import as_json, opened, table


def add(verbs: Any) -> tuple[argparse.ArgumentParser, ...]:
    """Register the verbs."""
    connect = verbs.add_parser(
        "connect",
        help="reach a device of a world at its host: print, reset and all others go there",
        description="Reach a device of a world at its host over TLS. The device must answer there first; from then on "
        "print, reset, contact, withdraw and all other commands of the world go over the line.",
    )
    connect.add_argument("--station", type=Path, required=True, metavar="OUT", help="the folder of the enrolment")
    connect.add_argument("--address", required=True, metavar="HOST:PORT", help="where the device is served")
    connect.add_argument(
        "--bench",
        action="store_true",
        help="the line of the Provider's own bench: an enrolment in the role of the Provider, to destroy keys over it",
    )
    connect.set_defaults(run=_connect)
    disconnect = verbs.add_parser("disconnect", help="run a device of a world in a process of its own again")
    disconnect.set_defaults(run=_disconnect)
    for verb in (connect, disconnect):
        verb.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
        verb.add_argument("device", metavar="DEVICE", help="the device")
    host = verbs.add_parser(
        "host",
        help="have a Provider make its new devices in a database and serve them from its host",
        description="Have a Provider make the devices that it leases from now on in a PostgreSQL database (WAN). Its "
        "host, towncircle device serve-wan, serves them: each new device's licensee is enrolled there for that device "
        "alone, the Provider itself for all of them. Devices leased earlier stay where they are.",
    )
    host.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    host.add_argument("--provider", default="harbor", metavar="NAME", help="the Provider (default: harbor)")
    host.add_argument("--dsn-from", type=Path, metavar="FILE", help="a file with the database's connection string")
    host.add_argument("--stations", type=Path, metavar="LIST", help="the host's list of stations")
    host.add_argument("--address", metavar="HOST:PORT", help="where the host will listen (its --listen and --port)")
    host.add_argument("--parts", type=int, default=0, metavar="N", help="make a new database in N parts by device")
    host.add_argument("--end", action="store_true", help="make new devices with processes of their own again")
    host.set_defaults(run=_host)
    return connect, disconnect, host


def address(text: str) -> tuple[str, int]:
    """Read HOST:PORT. Raises `BadInput` (cli.no-address)."""
    from towncircle.kernel.errors import BadInput

    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit():
        raise BadInput("cli.no-address", text=text[:60])
    return host.strip("[]"), int(port)


def _connect(args: argparse.Namespace) -> int:
    from towncircle.kernel.ids import DeviceId
    from towncircle.world.lines import Line, connect, connect_bench
    from towncircle.world.supervising import provider_of

    device, line = DeviceId.parse(args.device), Line(station=args.station, address=address(args.address))
    with opened(args.world) as world:
        if args.bench:
            connect_bench(world.folder / provider_of(world, device), device, line)
        else:
            connect(world.shelf.folder_of(device), line)
    if args.json:
        as_json({"device": device, "address": args.address, "station": str(args.station)})
    else:
        table([("device", device), ("is reached at", args.address)])
    return 0


def _disconnect(args: argparse.Namespace) -> int:
    from towncircle.kernel.ids import DeviceId
    from towncircle.world.lines import disconnect

    device = DeviceId.parse(args.device)
    with opened(args.world) as world:
        disconnect(world.shelf.folder_of(device))
    if args.json:
        as_json({"device": device, "address": ""})
    else:
        table([("device", device), ("runs in", "a process of its own")])
    return 0


def _host(args: argparse.Namespace) -> int:
    from towncircle.kernel.errors import BadInput, Refused
    from towncircle.pki.randomness import SystemRandomness
    from towncircle.psd.process import SystemClock
    from towncircle.world.hosting import end_hosting, host

    provider = args.provider if args.provider.startswith("provider.") else f"provider.{args.provider}"
    with opened(args.world) as world:
        if provider not in world.config.providers:
            raise Refused("world.no-provider", name=provider, known=", ".join(world.config.providers))
        folder = world.folder / provider
    if args.end:
        end_hosting(folder)
        told = {"provider": provider, "new devices": "have processes of their own"}
    else:
        if not (args.dsn_from and args.stations and args.address):
            raise BadInput("cli.host-incomplete")
        dsn = args.dsn_from.read_text(encoding="utf-8").strip()
        where = address(args.address)
        chance, now = SystemRandomness(), SystemClock().now()
        host(folder, dsn=dsn, stations=args.stations, address=where, randomness=chance, now=now, parts=args.parts)
        told = {"provider": provider, "new devices": f"are made in the database and reached at {args.address}"}
    if args.json:
        as_json(told)
    else:
        table(list(told.items()))
    return 0
