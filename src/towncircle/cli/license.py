"""`towncircle license`: Forms 3601-A and 3601-B, and what a licensee does about a license afterwards (P050 2.0)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, files_told, journeys_of, table

if TYPE_CHECKING:
    from towncircle.wire.bodies import LicenseDecision, LicenseStanding, RevisedLicense
    from towncircle.world.journeys import Journeys

_DATA = ("name", "street", "city", "state", "zip", "telephone", "contact", "device_location")
_FIELDS = (*_DATA[:7], "office_zip", _DATA[7])
_ACTIONS = ("apply", "standing", "appeal", "revise", "verify", "move", "forms", "papers")


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "license",
        help="apply for a license through a Provider; appeal, revise, verify, move it",
        description="apply (the default): apply for a license (P050 2.1); without options the sandbox's own mail room "
        "applies. standing: how the license or an application stands, with the written notice of a refusal or a "
        "revocation. appeal: to the Manager, MTM, in the time that P050 2.4 gives. revise: notify changed Form 3601-A "
        "data. verify: state the data anew as they stand. move: change the post office of deposit, which checks the "
        "device out of service and asks for a license there (2.5(e)). forms: write Forms 3601-A and 3601-B as PDF, "
        "of a refused application (--about) Form 3601-A. papers: write the notice of a refusal or revocation, the "
        "docket of an appeal and its decision as PDF.",
    )
    parser.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    parser.add_argument("action", nargs="?", default="apply", choices=_ACTIONS, help="what to do (default: apply)")
    parser.add_argument(
        "--licensee",
        default="mailroom",
        metavar="NAME",
        help="who acts: mailroom (default), annex or another",
    )
    parser.add_argument("--provider", default="harbor", metavar="NAME", help="harbor (default) or summit")
    for name in _FIELDS:
        parser.add_argument(
            f"--{name.replace('_', '-')}", metavar="TEXT", help=f"Form 3601-A: {name.replace('_', ' ')}"
        )
    parser.add_argument("--license", metavar="NUMBER", default="", help="the license meant (default: the last one)")
    parser.add_argument("--about", metavar="NUMBER", default="", help="the refused application or revoked license")
    parser.add_argument("--reasons", metavar="TEXT", default="", help="the reasons of an appeal")
    parser.add_argument(
        "--evidence", metavar="FILE", type=Path, help="a paper that goes with the appeal, by its digest"
    )
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("forms"), help="where the papers are written")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do what is asked about a license and show the outcome."""
    given = {name: getattr(args, name) for name in _FIELDS if getattr(args, name) is not None}
    with journeys_of(args) as journeys:
        return int(_RUN[args.action](args, journeys, given))


def _apply(args: argparse.Namespace, journeys: Journeys, given: dict[str, str]) -> int:
    from towncircle.world.journeys import Applicant

    decision = journeys.apply(Applicant(**given), provider=f"provider.{args.provider.removeprefix('provider.')}")
    _show_decision(args, decision)
    return 0


def _show_decision(args: argparse.Namespace, decision: LicenseDecision) -> None:
    record = {
        "license": decision.license,
        "outcome": decision.outcome,
        "office_zip": decision.office_zip,
        "office": f"{decision.office_city} {decision.office_state}",
    }
    if args.json:
        as_json(record)
        return
    table(list(record.items()))
    if decision.outcome == "existing":
        print("This licensee holds a license at that post office already: one serves all its systems there.")
    who = "" if args.licensee == "mailroom" else f" --licensee {args.licensee}"
    print(f"Next: towncircle lease {args.world}{who}")


def _standing(args: argparse.Namespace, journeys: Journeys, _given: dict[str, str]) -> int:
    from towncircle.world import licensing

    told = licensing.ask_standing(journeys, args.about or args.license)
    record = _standing_record(told)
    if args.json:
        as_json(record)
    else:
        table([(name.replace("_", " "), value) for name, value in record.items() if value and name != "grounds"])
        for ground in told.grounds:
            print(f"! {ground.sentence} [{ground.clause}]")
    return 0 if told.state == "valid" else 1


def _standing_record(told: LicenseStanding) -> dict[str, object]:
    return {
        "about": told.about,
        "license": told.license,
        "state": told.state,
        "decision": told.decision,
        "since": told.at.iso(),
        "appeal_by": told.appeal_by,
        "docket": told.docket,
        "appeal": told.appeal,
        "reasons": told.reasons,
        "grounds": [{"code": one.code, "sentence": one.sentence, "clause": one.clause} for one in told.grounds],
    }


def _appeal(args: argparse.Namespace, journeys: Journeys, _given: dict[str, str]) -> int:
    import hashlib

    from towncircle.world import licensing

    evidence = hashlib.sha256(args.evidence.read_bytes()).hexdigest() if args.evidence else ""
    told = licensing.appeal(journeys, about=args.about or args.license, reasons=args.reasons, evidence=evidence)
    record = {"docket": told.docket, "about": told.about, "filed_at": told.filed_at.iso()}
    if args.json:
        as_json(record)
    else:
        table(list(record.items()))
        print("The decision stands meanwhile: the rule gives an appeal under P050 2.4 no stay.")
    return 0


def _revise(args: argparse.Namespace, journeys: Journeys, given: dict[str, str]) -> int:
    from towncircle.world import licensing

    return _revised(args, licensing.revise(journeys, {k: given[k] for k in _DATA if k in given}, number=args.license))


def _verify(args: argparse.Namespace, journeys: Journeys, _given: dict[str, str]) -> int:
    from towncircle.world import licensing

    return _revised(args, licensing.verify(journeys, number=args.license))


def _revised(args: argparse.Namespace, told: RevisedLicense) -> int:
    record = {"license": told.license, "state": told.state, "revision": told.revision, "at": told.at.iso()}
    if args.json:
        as_json(record)
    else:
        table(list(record.items()))
    return 0


def _move(args: argparse.Namespace, journeys: Journeys, _given: dict[str, str]) -> int:
    from towncircle.world import licensing

    _show_decision(args, licensing.move(journeys, office_zip=args.office_zip or ""))
    return 0


def _forms(args: argparse.Namespace, journeys: Journeys, _given: dict[str, str]) -> int:
    from towncircle.world.license_papers import write_forms

    return files_told(write_forms(journeys, args.out, number=args.license, about=args.about), json=args.json)


def _papers(args: argparse.Namespace, journeys: Journeys, _given: dict[str, str]) -> int:
    from towncircle.world import licensing
    from towncircle.world.notice_papers import write_decisions

    told = licensing.ask_standing(journeys, args.about or args.license)  # the notice is received with it
    named = {"licensee": journeys.licensee, "appeal_by": told.appeal_by}
    return files_told(write_decisions(journeys.world, told.about, args.out, **named), json=args.json)


_RUN = {
    "apply": _apply,
    "standing": _standing,
    "appeal": _appeal,
    "revise": _revise,
    "verify": _verify,
    "move": _move,
    "forms": _forms,
    "papers": _papers,
}
