"""`towncircle products`: qualification of Providers, submission and approval of systems, advertising art."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, opened

if TYPE_CHECKING:
    from towncircle.kernel.context import Context
    from towncircle.kernel.store import Record

_EPILOG = """\
a Provider:   qualify --step integrity, prototype, factory, facilities; then authorize
its control:  control DIR PROVIDER --reference REF, then qualify --step control --document FILE
a system:     submit --system TC2A --step letter-of-intent, nondisclosure, concept-of-operations, test-plan, product,
              laboratory, testing; product and laboratory name the identical build, on one day; then approve
a change:     change --system TC2A --build DIGEST --reference LETTER --document FILE
advertising:  approve-art DIR PROVIDER --name NAME --examined --reasons TEXT
              refuse-art DIR PROVIDER --name NAME --ground deceptive --reasons TEXT"""
_VERBS = {
    "qualify": "record a paper of a Provider's qualification",
    "control": "record that control of a Provider changes",
    "authorize": "authorize a Provider in writing",
    "submit": "record a paper of a system's submission",
    "approve": "approve a system, bound to the build that was submitted",
    "change": "authorize another build of an approved system in writing",
    "approve-art": "approve advertising art",
    "refuse-art": "refuse advertising art",
}

_STEPS = {
    "qualify": "integrity, prototype, factory, facilities; after a change of control: control",
    "submit": "letter-of-intent, nondisclosure, concept-of-operations, test-plan, product, laboratory, testing",
}


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "products",
        help="qualify and authorize Providers, approve systems, builds and advertising art",
        description="What the Postal Service has on file of Providers and their systems. Nothing is authorized or "
        "approved while a step is open; a build that was not approved makes a device irregular at its examination.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    show = verbs.add_parser("show", help="show what is on file")
    show.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    show.add_argument("--json", action="store_true", help="print JSON with stable keys")
    show.set_defaults(run=_show)
    for name, help_ in _VERBS.items():
        verb = verbs.add_parser(name, help=help_)
        verb.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
        verb.add_argument("provider", metavar="PROVIDER", help="the Provider, such as provider.harbor")
        _options(verb, name)
        verb.add_argument("--by", required=True, metavar="NAME", help="the authorised person of the Postal Service")
        verb.add_argument("--json", action="store_true", help="print JSON with stable keys")
        verb.set_defaults(run=_act, verb=name)


def _options(verb: Any, name: str) -> None:
    if name.endswith("-art"):
        verb.add_argument("--name", required=True, metavar="NAME", help="the art")
        verb.add_argument("--reasons", default="", metavar="TEXT", help="the reasons, without names")
        if name == "approve-art":
            said = "its content was looked at: not obscene, defamatory or deceptive, and no unlawful act is advocated"
            verb.add_argument("--examined", action="store_true", help=said)
        else:
            words = "obscene, defamatory, deceptive, unlawful, quality or attribution"
            verb.add_argument("--ground", default="", metavar="GROUND", help=words)
        return
    verb.add_argument("--reference", required=True, metavar="REF", help="a file number; no name of a person")
    if name in ("qualify", "submit"):
        verb.add_argument("--step", required=True, metavar="STEP", help=f"one of: {_STEPS[name]}")
    if name in ("submit", "approve", "change"):
        verb.add_argument("--system", required=True, metavar="SYSTEM", help="vendor and model, such as TC2A")
    if name in ("submit", "change"):
        verb.add_argument("--build", default="", metavar="DIGEST", help="the build: 64 hexadecimal digits")
    if name == "submit":
        verb.add_argument("--class", dest="category", default="", metavar="CLASS", help="stand-alone, lan, wan, hybrid")
    if name != "control":
        verb.add_argument("--document", type=Path, default=None, metavar="FILE", help="its paper; the SHA-256 is kept")


def _act(args: argparse.Namespace) -> int:
    from towncircle.kernel.errors import Refused
    from towncircle.world.supervising import by_officer

    with opened(args.world) as world:
        if args.provider not in world.config.providers:
            known = ", ".join(world.config.providers)
            raise Refused("world.no-provider", name=args.provider[:40], known=known)
        row: Record = by_officer(world, _job(args), by=args.by, act=f"products {args.verb}")
    as_json({"name": row.key, **row.body}) if args.json else print(f"{row.key}  {row.body['state']}")
    return 0


def _job(args: argparse.Namespace) -> Callable[[Context], Any]:
    from towncircle.postal import advertising, products

    named = ("provider", "reference", "step", "system", "build", "category", "name", "reasons", "examined", "ground")
    told: dict[str, Any] = {name: getattr(args, name) for name in named if name in args}
    if "document" in args:
        told["document"] = hashlib.sha256(args.document.read_bytes()).hexdigest() if args.document else ""
    jobs: dict[str, Callable[..., Any]] = {
        "qualify": products.show,
        "control": products.change_control,
        "authorize": products.authorize,
        "submit": products.submit,
        "approve": products.approve,
        "change": products.change,
    }
    if args.verb.endswith("-art"):
        return lambda ctx: advertising.decide(ctx, approve=args.verb == "approve-art", **told)
    return lambda ctx: jobs[args.verb](ctx, **told)


def _show(args: argparse.Namespace) -> int:
    from towncircle.world.config import POSTAL
    from towncircle.world.supervising import kept

    with opened(args.world) as world:
        found = {kind: kept(world, POSTAL, kind) for kind in ("provider-file", "submission", "advertising")}
    if args.json:
        as_json({kind: [{"name": row.key, **row.body} for row in rows] for kind, rows in found.items()})
        return 0
    for kind, rows in found.items():
        for row in rows:
            print(f"{kind:<14}  {row.key:<24}  {row.body['state']:<12}  {', '.join(row.body.get('steps', ()))}")
    if not any(found.values()):
        print("Nothing is on file: this world is older than the files of Providers and their systems.")
    return 0
