"""`towncircle custody sign-form` and `arrange`: the balance of a device that was given back (502.27(b))."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from towncircle.cli.show import as_json, by_argument, opened, table


def add(verbs: Any) -> None:
    """Register the two verbs."""
    for name, office, help_ in (
        ("sign-form", "officer", "sign section G of Form 3601-C for a balance that was given back; it is sent"),
        ("arrange", "mats", "arrange the credit of a balance, as the District MATS coordinator"),
    ):
        verb = verbs.add_parser(name, help=help_)
        verb.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
        verb.add_argument("device", metavar="DEVICE", help="the device, as printed on its indicia")
        verb.add_argument("--json", action="store_true", help="print JSON with stable keys")
        by_argument(verb, office)
        verb.set_defaults(run=_run, verb=name)


def _run(args: argparse.Namespace) -> int:
    from towncircle.kernel.ids import DeviceId
    from towncircle.kernel.money import Mills
    from towncircle.world import returning

    device = DeviceId.parse(args.device)
    with opened(args.world) as world:
        act = returning.sign_form if args.verb == "sign-form" else returning.arrange
        body = act(world, device, by=args.by).body
    amount = Mills(body["amount"])
    rows = {"device": device, "signed_by": body["signed_by"], "arranged_by": body.get("arranged_by", "")}
    if args.json:
        as_json({**rows, "amount_mills": int(amount)})
        return 0
    table([("device", device), ("section F", amount), ("section G, signed by", rows["signed_by"])])
    if args.verb == "sign-form":
        print(f"Next: towncircle custody arrange {args.world} {device} (the District MATS coordinator)")
    else:
        print(f"Arranged by {rows['arranged_by']}: the Provider credits the account.")
        print(f"Next: towncircle withdraw {args.world} --device {device} (the licensee books it)")
    return 0
