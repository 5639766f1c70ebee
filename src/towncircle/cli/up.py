"""`towncircle up`: run the parties of a world as separate processes over HTTP on 127.0.0.1."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path
from typing import Any

from towncircle.cli.show import as_json, table


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "up",
        help="run the parties as separate processes over HTTP",
        description="Run Postal Service, bank and Providers as processes of their own on free ports of 127.0.0.1, "
        "until Ctrl-C. Other commands on the same world then reach them over HTTP.",
    )
    parser.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Start, show the addresses, wait, stop."""
    from towncircle.world.up import Servers

    servers = Servers.start(args.world)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service manager's word to stop is Ctrl-C too
    try:
        if args.json:
            as_json({"addresses": servers.addresses, "pids": servers.pids()})
        else:
            table([(name, f"{at}  process {servers.pids()[name]}") for name, at in servers.addresses.items()])
            print("Licensees print one piece at once through the door in door.json of their folders.")
            print("Ctrl-C stops them.", flush=True)
        servers.wait()
    except KeyboardInterrupt:
        print("Stopped.")
    finally:
        servers.stop()
    return 0
