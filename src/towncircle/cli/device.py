"""`towncircle device`: serve a device in each product category, enrol who may call it, and ask how it stands.

Here: arguments, and the loop of a server until Ctrl-C. Not here: the hosts (`world.stations`, `psd.hosted`).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli import device_keys, device_lines
from towncircle.cli.show import as_json, by_argument, opened, standing, standing_json, table
from towncircle.psd.key_arguments import add_token

if TYPE_CHECKING:
    from towncircle.transport.stations import Call


def add(subparsers: Any) -> None:
    """Register the command and its verbs."""
    parser = subparsers.add_parser(
        "device",
        help="serve devices: alone, on a LAN, hosted",
        description="Serve devices in the four product categories, and enrol the stations that may call them.",
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    alone = verbs.add_parser("serve-pipe", help="stand-alone: one device on this pipe, 4-byte length frames")
    alone.add_argument("store", metavar="DIR", help="the device's store folder")
    alone.set_defaults(run=_serve_pipe)
    lan = verbs.add_parser("serve-lan", help="LAN: one device for several enrolled workstations, over TLS")
    lan.add_argument("store", type=Path, metavar="DIR", help="the device's store folder")
    lan.set_defaults(run=_serve_lan)
    wan = _add_wan(verbs)
    both = verbs.add_parser("serve-hybrid", help="hybrid: a LAN device that falls back to a hosted one at a WAN host")
    both.add_argument("store", type=Path, metavar="DIR", help="the LAN device's store folder, with the notes")
    both.add_argument("--wan", type=Path, required=True, metavar="OUT", help="this host's enrolment at the WAN host")
    both.add_argument("--wan-address", required=True, metavar="HOST:PORT", help="where the hosted device is served")
    both.add_argument("--hosted", required=True, metavar="ID", help="the hosted device")
    both.set_defaults(run=_serve_hybrid)
    move = verbs.add_parser("move", help="move a hybrid's service to its hosted device for good")
    move.add_argument("store", type=Path, metavar="DIR", help="the LAN device's store folder")
    move.set_defaults(run=_move)
    for server in (lan, wan, both):
        server.add_argument("--stations", type=Path, required=True, metavar="DIR", help="the host's list of stations")
        server.add_argument("--listen", default="127.0.0.1", metavar="HOST", help="address (default: 127.0.0.1)")
        server.add_argument("--port", type=int, default=0, metavar="N", help="port (default: any free one)")
    for verb in (lan, wan, both, move, *_add_others(verbs), *device_lines.add(verbs)):
        verb.add_argument("--json", action="store_true", help="print JSON with stable keys")
    device_keys.add(verbs)


def _add_wan(verbs: Any) -> argparse.ArgumentParser:
    """Register the server of hosted devices."""
    words = "WAN: many devices of one PostgreSQL database for enrolled licensees"
    wan: argparse.ArgumentParser = verbs.add_parser("serve-wan", help=words)
    wan.add_argument(
        "dsn", nargs="?", metavar="DSN", help="libpq connection string of the database; without a password in it"
    )
    wan.add_argument(
        "--dsn-from", type=Path, metavar="FILE", help="a file with it: whoever is on the machine reads arguments"
    )
    wan.add_argument(
        "--secret",
        type=Path,
        metavar="FILE",
        help="the operator's 32-byte secret (made where FILE is missing and the database has no device)",
    )
    wan.add_argument(
        "--wrapping",
        type=Path,
        metavar="DIR",
        help="folder of the wrapping keys (default: beside FILE, named FILE.keys)",
    )
    add_token(wan)
    wan.add_argument("--memory", type=int, default=300, metavar="MIB", help="limit of resident memory (default 300)")
    wan.add_argument("--workers", type=int, metavar="N", help="worker processes (default: one a core)")
    wan.add_argument("--parts", type=int, default=0, metavar="N", help="make a new database in N parts by device")
    wan.add_argument("--world", type=Path, metavar="DIR", help="heed this world's clock (devices under a test root)")
    wan.add_argument(
        "--require-standby", action="store_true", help="refuse a database whose commits wait for no standby"
    )
    wan.add_argument(
        "--keys-lost",
        action="store_true",
        help="the Provider's word that the secret, or the folder of wrapping keys, is lost for good: no key is "
        "opened and nothing is written; the devices say how they stand and sign nothing, so that their licensees "
        "give them back (towncircle withdraw DIR --failed). No other host may have the database; the options of keys, "
        "--memory, --workers and --parts mean nothing then",
    )
    wan.set_defaults(run=_serve_wan)
    return wan


def _add_others(verbs: Any) -> tuple[Any, ...]:
    """Register the verbs that serve nothing."""
    enrol = verbs.add_parser("enrol", help="make a station's key and certificate, once, and let it call")
    enrol.add_argument("stations", type=Path, metavar="DIR", help="the host's list of stations (made if missing)")
    enrol.add_argument("name", metavar="NAME", help="the station's name")
    enrol.add_argument("out", type=Path, metavar="OUT", help="the folder to bring to the station")
    enrol.add_argument("--device", action="append", default=[], metavar="ID", help="a device it may call")
    enrol.add_argument("--every-device", action="store_true", help="it may call every device of the host")
    enrol.add_argument(
        "--role",
        choices=("user", "provider", "watch"),
        default="user",
        help="what it may call: as the licensee's user (default), as the Provider's officer (destroys keys, prints "
        "nothing), or who a device is and how it stands only",
    )
    enrol.add_argument(
        "--again", action="store_true", help="a new key and certificate for a station that is enrolled; old ones end"
    )
    enrol.set_defaults(run=_enrol)
    strike = verbs.add_parser("strike", help="refuse a station from now on")
    strike.add_argument("stations", type=Path, metavar="DIR", help="the host's list of stations")
    strike.add_argument("name", metavar="NAME", help="the station's name")
    strike.set_defaults(run=_strike)
    ask = verbs.add_parser("status", help="ask a served device how it stands, from an enrolled station")
    ask.add_argument("station", type=Path, metavar="OUT", help="the folder of the enrolment")
    ask.add_argument("address", metavar="HOST:PORT", help="where the device is served")
    ask.add_argument("device", metavar="ID", help="the device")
    ask.set_defaults(run=_status)
    permit = verbs.add_parser(
        "permit-renewal", help="the Provider's officer permits a device's next key before its time"
    )
    permit.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    permit.add_argument("device", metavar="DEVICE", help="the device; the permission ends with its next renewal")
    permit.add_argument("--reason", required=True, metavar="TEXT", help="why its key is in doubt, without names")
    by_argument(permit, "crypto-officer")
    permit.set_defaults(run=_permit)
    return enrol, strike, ask, permit


def _serve_pipe(args: argparse.Namespace) -> int:
    import os

    from towncircle.psd import guard
    from towncircle.world.lines import clock_arguments
    from towncircle.world.notebook import refuse_notes

    refuse_notes(Path(args.store))
    line = [sys.executable, "-P", guard.__file__, args.store, *clock_arguments(Path(args.store))]
    os.execv(sys.executable, line)  # noqa: S606 - our own entry


def _serve_lan(args: argparse.Namespace) -> int:
    from towncircle.psd.keeping import KeptPort
    from towncircle.psd.ports import ProcessPort
    from towncircle.world.lan import note
    from towncircle.world.lines import clock_arguments
    from towncircle.world.notebook import refuse_notes
    from towncircle.world.stations import OneDevice, gate

    refuse_notes(args.store)
    port = KeptPort(lambda: ProcessPort(args.store, arguments=clock_arguments(args.store)), told=_tell)
    try:
        note(args.store, args.stations)
        return _serve(args, gate(args.stations, OneDevice(port, port.device)), str(port.device))
    finally:
        port.close()


def _serve_hybrid(args: argparse.Namespace) -> int:
    from towncircle.kernel.ids import DeviceId
    from towncircle.psd.client import DeviceClient
    from towncircle.psd.keeping import KeptPort
    from towncircle.psd.ports import ProcessPort
    from towncircle.world.hybrid import SENDING_S, HybridPort
    from towncircle.world.lines import clock_arguments
    from towncircle.world.notebook import Notebook, first_of
    from towncircle.world.stations import gate, port_to

    known = first_of(args.store)
    hosted = DeviceId.parse(args.hosted)
    own = KeptPort(
        lambda: ProcessPort(args.store, arguments=clock_arguments(args.store)),
        told=_tell,
        device=DeviceId.parse(known) if known else None,
    )
    wan = port_to(args.wan, device_lines.address(args.wan_address), hosted, timeout_s=SENDING_S)
    try:
        used = bool(known) or DeviceClient(own).status().registers.pieces > 0
        notebook = Notebook(args.store, first=own.device, other=hosted, used=used)
        try:
            return _serve(args, gate(args.stations, HybridPort(own, wan, notebook).call), f"{own.device} and {hosted}")
        finally:
            notebook.close()
    finally:
        own.close()
        wan.close()


def _move(args: argparse.Namespace) -> int:
    from towncircle.world.notebook import move

    move(args.store)
    if args.json:
        as_json({"moved": str(args.store)})
    else:
        table([("moved", "new pieces come from the hosted device; the LAN device can be withdrawn")])
    return 0


def _tell(words: str) -> None:
    print(f"towncircle: {words}", file=sys.stderr, flush=True)


def _serve_wan(args: argparse.Namespace) -> int:
    import os
    from contextlib import closing

    from towncircle.pki.randomness import SystemRandomness
    from towncircle.psd.hosted.caches import MIB
    from towncircle.psd.hosted.funnel import Lanes
    from towncircle.psd.hosted.pool import Pool, workers_within
    from towncircle.psd.hosted.resealing import check_whole, make_secret, note_secret, take_secret
    from towncircle.psd.opening import token_words
    from towncircle.psd.postgres import PostgresMemory
    from towncircle.psd.process import no_core
    from towncircle.world.clock import FILE as CLOCK_FILE
    from towncircle.world.stations import gate

    no_core()
    dsn = _dsn(args)
    if args.keys_lost:
        return _serve_keyless(args, dsn)
    check_whole(args.secret)
    limit = args.memory * MIB
    workers = args.workers if args.workers is not None else min(os.cpu_count() or 1, workers_within(limit))
    clock = str((args.world / CLOCK_FILE).resolve()) if args.world else ""
    wrapping = args.wrapping or args.secret.with_name(f"{args.secret.name}.keys")
    told = {"memory_limit": limit, "clock": clock, "wrapping": wrapping, "standby": args.require_standby}
    told["token"] = token_words(args)
    new = {"create": True, "partitions": args.parts, "standby": args.require_standby}
    with closing(PostgresMemory(dsn, **new)) as store:
        made = {"secret": f"made in {args.secret}"} if make_secret(args.secret, store, SystemRandomness()) else {}
        secret = args.secret.read_bytes()
        pool = Pool(dsn=dsn, secret=secret, workers=workers, **told)  # its workers start with the first command
        take_secret(store, secret, wrapping)
        if not note_secret(args.secret, store):
            _tell(f"it could not be noted beside {args.secret} that this database is served with it: device reseal for")
            _tell("another database would replace it, and no key of this one would open any more. Make its folder")
            _tell(f"writable for this host, or {args.secret.name}.fleets in it")
        standbys = store.standbys() or "none"
    lanes = Lanes(pool)
    try:
        return _serve(args, gate(args.stations, lanes.exchange), "hosted devices", standby=standbys, **made)
    finally:
        lanes.close()


def _serve_keyless(args: argparse.Namespace, dsn: str) -> int:
    """Serve a fleet whose keys are lost, until its devices are given back."""
    from contextlib import closing

    from towncircle.psd.hosted.keyless import KeylessHost
    from towncircle.psd.postgres import PostgresMemory
    from towncircle.psd.process import SystemClock, WorldClock
    from towncircle.world.clock import FILE as CLOCK_FILE
    from towncircle.world.stations import gate

    store = PostgresMemory(dsn, alone=True, standby=args.require_standby, aside=_tell)
    rehearsed = WorldClock(args.world / CLOCK_FILE) if args.world else None
    with closing(KeylessHost(store, clock=SystemClock(), rehearsed=rehearsed)) as host:
        _tell(
            "KEYS LOST: no key is opened and no device of this database signs anything. What they hold comes back when"
        )
        _tell(
            "each is given back (withdraw DIR --failed), examined and claimed; such a notice is not taken back, though"
        )
        _tell("the keys are found. If they may be found, end this host now.")
        return _serve(args, gate(args.stations, host.exchange), "hosted devices without their keys", keys="lost")


def _dsn(args: argparse.Namespace) -> str:
    """Give the connection string, from the argument or from the file that is named."""
    from towncircle.kernel.errors import BadInput

    one = bool(args.dsn) != bool(args.dsn_from)
    if not one or not (args.secret or args.keys_lost):
        usage = "towncircle device serve-wan --dsn-from FILE --secret FILE --stations LIST"
        what = "name one database, by --dsn-from FILE or by DSN"
        if one:
            what = "name the file of the operator's secret, by --secret FILE"
        raise BadInput("cli.usage", what=what, usage=usage, command="towncircle device serve-wan")
    told: str = args.dsn or args.dsn_from.read_text(encoding="utf-8").strip()
    return told


def _serve(args: argparse.Namespace, call: Call, what: str, **more: str) -> int:
    from towncircle.pki.randomness import SystemRandomness
    from towncircle.psd.process import SystemClock
    from towncircle.transport.stations import StationServer, context_for
    from towncircle.world.stations import ending, renew_own

    now = SystemClock().now()
    renew_own(args.stations, SystemRandomness(), now)
    context = context_for(args.stations, server=True)
    for words in ending(args.stations, now):
        _tell(words)
    server = StationServer(context, call, address=(args.listen, args.port), note=_tell)
    address = f"{server.address[0]}:{server.address[1]}"
    if args.json:
        as_json({"address": address, "serves": what, **more})
    else:
        table([("serves", what), ("address", address), *more.items()])
    sys.stdout.flush()
    try:
        server.run()
    except KeyboardInterrupt:
        server.close()
    return 0


def _enrol(args: argparse.Namespace) -> int:
    from towncircle.kernel.errors import BadInput
    from towncircle.kernel.ids import DeviceId
    from towncircle.pki.randomness import SystemRandomness
    from towncircle.psd.process import SystemClock
    from towncircle.world.stations import EVERY, enrol, found, roles_enrolled

    randomness, now = SystemRandomness(), SystemClock().now()
    devices = [EVERY] if args.every_device else [DeviceId.parse(text) for text in args.device]
    if bool(devices) == args.again:  # who is enrolled keeps what he may do
        raise BadInput("cli.no-device-named")
    found(args.stations, randomness, now)
    chance, again = randomness, args.again
    print_ = enrol(
        args.stations, args.name, args.out, devices=devices, randomness=chance, now=now, role=args.role, again=again
    )
    role = roles_enrolled(args.stations)[args.name]
    if args.json:
        as_json({"name": args.name, "role": role, "fingerprint": print_, "folder": str(args.out)})
    else:
        table([("enrolled", f"{args.name} as {role}"), ("folder", str(args.out)), ("fingerprint", print_)])
    return 0


def _strike(args: argparse.Namespace) -> int:
    from towncircle.world.stations import strike

    strike(args.stations, args.name)
    if args.json:
        as_json({"struck": args.name})
    else:
        table([("struck", args.name)])
    return 0


def _permit(args: argparse.Namespace) -> int:
    from towncircle.kernel.ids import DeviceId
    from towncircle.world.renewing import permit

    device = DeviceId.parse(args.device)
    with opened(args.world) as world:
        provider = permit(world, device, args.reason, by=args.by)
    if args.json:
        as_json({"device": device, "provider": provider, "reason": args.reason})
    else:
        table([("permitted", f"the next key of {device}, once"), ("by", provider), ("reason", args.reason)])
    return 0


def _status(args: argparse.Namespace) -> int:
    from towncircle.kernel.ids import DeviceId
    from towncircle.psd.client import DeviceClient
    from towncircle.psd.process import SystemClock
    from towncircle.world.stations import ending_own, port_to

    line = port_to(args.station, device_lines.address(args.address), DeviceId.parse(args.device))
    try:
        told = DeviceClient(line).status()
    finally:
        line.close()
    if args.json:
        as_json(standing_json(told))
    else:
        table(standing(told))
        for warning in (*told.warnings, *ending_own(args.station, SystemClock().now())):
            print(f"! {warning}")
    return 0
