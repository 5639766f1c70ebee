"""`towncircle supervision`: suspensions, revocations and sanctions, as the Postal Service decides them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, by_argument, opened, table

if TYPE_CHECKING:
    from towncircle.kernel.context import Context
    from towncircle.kernel.store import Record
    from towncircle.postal.sanctions import Occurrence
    from towncircle.rules import RuleSet

_EPILOG = """\
a Provider does not comply:
  towncircle supervision propose DIR --provider provider.harbor --ground noncompliance --about '502.23' \\
      --deficiency 'audits were not made' --scope all --correct-by 1999-02-15
  towncircle supervision notify DIR PROCEDURE --reasons 'not corrected' --effective 1999-04-01
  towncircle provider answer DIR PROCEDURE --kind defense --reasons TEXT --evidence FILE
  towncircle supervision decide DIR PROCEDURE --reasons TEXT --considered willful=no --considered admitted=yes \\
      --considered cooperated=yes --considered remedied=no --considered history=none
  towncircle supervision extend, revoke or withdraw DIR PROCEDURE; uphold or reverse DIR PROCEDURE (an appeal)
a system is a risk: propose with --form approval --ground risk --scope 'system TC1A' (or class, or version)
a willful violation: towncircle supervision willful DIR ...; the notice comes at once
a sanction:
  towncircle supervision sanction DIR --provider provider.harbor --provision '502.20(f)' \\
      --row loss:1999-01-04:125.50:FILE-7 --rate 50000 --rate-source REF --reasons TEXT --effective 1999-04-01
a paper: towncircle supervision paper DIR PROCEDURE --number 2 --out notice.pdf"""


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "supervision",
        help="suspend, revoke or sanction a Provider or a system; decide defenses and appeals",
        description="The Postal Service's supervision of Providers. Notices reach the Provider at once; times for a "
        "defense and an appeal count from its receipt; what nobody defends against takes effect by itself, and a "
        "suspension runs out by itself. While one is in force, leases and resets of what it names are refused.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    show = _verb(verbs, "show", "show every procedure with its notices and answers", named=False)
    show.set_defaults(run=_show)
    _add_opening(verbs)
    _add_deciding(verbs)
    _add_sanctions(verbs)


def _verb(verbs: Any, name: str, help_: str, *, named: bool = True) -> Any:
    parser = verbs.add_parser(name, help=help_)
    parser.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    if named:
        parser.add_argument("procedure", metavar="PROCEDURE", help="the procedure, such as PRC-7K3MQ9ZX2RTB")
    by_argument(parser, "manager-mtm")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=_act, verb=name)
    return parser


def _option(parser: Any, *names: str) -> None:
    told = {
        "reasons": "facts and reasons, without names of persons",
        "effective": "the effective date",
        "correct-by": "until when the deficiencies may be corrected: a date, or an instant",
        "defend-by": "a shorter time for a defense, where one is deemed necessary",
        "appeal-by": "a shorter time for an appeal, where one is deemed necessary",
    }
    for name in names:
        parser.add_argument(f"--{name}", default="", metavar="TEXT" if name == "reasons" else "DATE", help=told[name])


def _add_opening(verbs: Any) -> None:
    for name, help_, dates in (
        ("propose", "propose a suspension, citing deficiencies, with a time to correct them", ("correct-by",)),
        ("willful", "notify a suspension for a willful violation (502.5)", ("effective", "defend-by")),
    ):
        verb = _verb(verbs, name, help_, named=False)
        verb.add_argument("--provider", required=True, metavar="PARTY", help="the Provider")
        verb.add_argument("--form", default="authorization", choices=("authorization", "approval"))
        verb.add_argument("--ground", required=True, metavar="GROUND", help="unlawful-scheme, noncompliance, ...")
        verb.add_argument("--about", required=True, metavar="TEXT", help="what the ground rests on")
        verb.add_argument("--deficiency", action="append", default=[], metavar="TEXT", help="one deficiency; repeat")
        verb.add_argument("--scope", action="append", default=[], metavar="SCOPE", help="all, 'system TC1A', ...")
        _option(verb, *dates)
    _option(_verb(verbs, "more-time", "give more time to correct"), "correct-by")
    _option(_verb(verbs, "corrected", "find the deficiencies corrected"), "reasons")
    _option(_verb(verbs, "notify", "notify the suspension"), "reasons", "effective", "defend-by")


def _add_deciding(verbs: Any) -> None:
    for name, help_, dates in (
        ("decide", "decide, after the defense, that it is warranted", ("effective", "appeal-by")),
        ("revoke", "turn a suspension into a revocation", ("effective", "appeal-by", "defend-by")),
    ):
        verb = _verb(verbs, name, help_)
        _option(verb, "reasons", *dates)
        verb.add_argument(
            "--considered", action="append", default=[], metavar="NAME=TEXT", help="a circumstance that was weighed"
        )
    extend = _verb(verbs, "extend", "extend a suspension")
    extend.add_argument("--until", required=True, metavar="DATE", help="its new last day")
    _option(extend, "reasons")
    _option(_verb(verbs, "withdraw", "withdraw it, on a solution or for reasons"), "reasons")
    _option(_verb(verbs, "uphold", "uphold what was decided, on appeal"), "reasons")
    _option(_verb(verbs, "reverse", "reverse what was decided, on appeal"), "reasons")
    paper = _verb(verbs, "paper", "write a notice or decision as PDF")
    paper.add_argument("--number", type=int, default=1, metavar="N", help="which notice (default: the first)")
    paper.add_argument("--out", type=Path, required=True, metavar="FILE", help="the PDF to write")
    paper.set_defaults(run=_paper)


def _add_sanctions(verbs: Any) -> None:
    verb = _verb(verbs, "sanction", "notify an administrative sanction with its calculation", named=False)
    verb.add_argument("--provider", required=True, metavar="PARTY", help="the Provider")
    verb.add_argument("--form", default="sanction", choices=("sanction", "reporting-sanction"))
    verb.add_argument("--provision", required=True, metavar="CLAUSE", help="the provision that was not kept")
    verb.add_argument(
        "--row", action="append", default=[], metavar="KIND:DATE:AMOUNT:REF[:DEVICE]", help="cost, loss or recovery"
    )
    verb.add_argument("--rate", type=int, default=0, metavar="N", help="yearly interest in millionths (5 %% is 50000)")
    verb.add_argument("--rate-source", default="", metavar="TEXT", help="where the rate is published")
    verb.add_argument("--known-on", default="", metavar="DATE", help="when the Provider knew or should have (502.15)")
    _option(verb, "reasons", "effective")
    pay = _verb(verbs, "pay", "record what was paid on a sanction")
    pay.add_argument("--amount", required=True, metavar="AMOUNT", help="in dollars, such as 125.50")
    pay.add_argument("--reference", required=True, metavar="REF", help="the check or wire")
    repay = _verb(verbs, "repay", "pay back what was paid on a sanction that was withdrawn or reversed")
    repay.add_argument("--reference", required=True, metavar="REF", help="the check or wire")
    hold = _verb(verbs, "hold", "record that the Postal Service owns or leases a device", named=False)
    hold.add_argument("device", metavar="DEVICE", help="the device")
    hold.add_argument("--how", default="owned", choices=("owned", "leased"))
    hold.add_argument("--reference", required=True, metavar="REF", help="the contract")


def _act(args: argparse.Namespace) -> int:
    from towncircle.world.supervising import by_officer

    with opened(args.world) as world:
        if "provider" in args and args.provider not in world.config.providers:
            from towncircle.kernel.errors import Refused

            known = ", ".join(world.config.providers)
            raise Refused("world.no-provider", name=args.provider[:40], known=known)
        row: Record = by_officer(world, _job(args, world.rules), by=args.by, act=f"supervision {args.verb}")
    if args.json:
        as_json({"name": row.key, **row.body})
        return 0
    shown = ("form", "state", "ended", "correct_by", "defend_by", "effective_on", "appeal_by", "appeal", "how")
    table([("name", row.key), *((name, row.body[name]) for name in shown if row.body.get(name))])
    return 0


def _job(args: argparse.Namespace, rules: RuleSet) -> Callable[[Context], Any]:
    from towncircle.postal import decisions, defenses, suspensions

    if args.verb in ("sanction", "pay", "repay", "hold"):
        return _sanction(args, rules)
    if args.verb in ("propose", "willful"):
        return _opening(args, rules)
    jobs: dict[str, Callable[..., Any]] = {
        "more-time": suspensions.extend_cure,
        "corrected": suspensions.find_corrected,
        "notify": partial(suspensions.notify, rules=rules),
        "decide": partial(decisions.decide, rules=rules),
        "revoke": partial(suspensions.revoke, rules=rules),
        "extend": suspensions.extend,
        "withdraw": decisions.withdraw,
        "uphold": partial(defenses.decide_appeal, reverse=False),
        "reverse": partial(defenses.decide_appeal, reverse=True),
    }
    names = {name: name for name in ("procedure", "defend_by", "appeal_by", "correct_by", "until")}
    names |= {"effective": "effective_on", "reasons": "solution" if args.verb == "withdraw" else "reasons"}
    told: dict[str, Any] = {to: getattr(args, name) for name, to in names.items() if name in args}
    if "considered" in args:
        told["considered"] = {name: text for name, _, text in (one.partition("=") for one in args.considered)}
    return lambda ctx: jobs[args.verb](ctx, **told)


def _opening(args: argparse.Namespace, rules: RuleSet) -> Callable[[Context], Any]:
    from towncircle.postal import suspensions

    complaint = suspensions.Complaint(
        form=args.form,
        provider=args.provider,
        ground=args.ground,
        about=args.about,
        deficiencies=tuple(args.deficiency),
        scope=tuple(args.scope),
    )
    if args.verb == "propose":
        return lambda ctx: suspensions.propose(ctx, complaint, correct_by=args.correct_by)
    dates = {"effective_on": args.effective, "defend_by": args.defend_by}
    return lambda ctx: suspensions.notify_willful(ctx, complaint, rules=rules, **dates)


def _sanction(args: argparse.Namespace, rules: RuleSet) -> Callable[[Context], Any]:
    from towncircle.cli.licenses import day_of
    from towncircle.kernel.money import Mills
    from towncircle.postal import sanctions

    if args.verb == "hold":
        return lambda ctx: sanctions.hold(ctx, device=args.device, how=args.how, reference=args.reference)
    if args.verb == "pay":
        told = {"procedure": args.procedure, "reference": args.reference}
        return lambda ctx: sanctions.pay(ctx, amount=Mills.parse(args.amount), **told)
    if args.verb == "repay":
        return lambda ctx: sanctions.repay(ctx, procedure=args.procedure, reference=args.reference)
    failure = sanctions.Failure(
        form=args.form,
        provider=args.provider,
        provision=args.provision,
        rows=tuple(_row(text) for text in args.row),
        rate=sanctions.Rate(per_million=args.rate, source=args.rate_source),
        known_on=day_of(args.known_on) if args.known_on else None,
    )
    words = {"reasons": args.reasons, "effective_on": args.effective}
    return lambda ctx: sanctions.notify(ctx, failure, rules=rules, **words)


def _row(text: str) -> Occurrence:
    from towncircle.cli.licenses import day_of
    from towncircle.kernel.errors import BadInput
    from towncircle.kernel.money import Mills
    from towncircle.postal.sanctions import KINDS, Occurrence

    parts = text.split(":")
    if len(parts) not in (4, 5):
        raise BadInput("sanction.bad-row", row=text[:80], known=", ".join(KINDS))
    kind, on, amount, reference, device = (*parts, "")[:5]
    return Occurrence(kind=kind, on=day_of(on), amount=Mills.parse(amount), reference=reference, device=device)


def _paper(args: argparse.Namespace) -> int:
    from towncircle.world.supervision_papers import write_paper

    with opened(args.world) as world:
        out = write_paper(world, args.procedure, args.number, args.out)
    as_json({"file": str(out)}) if args.json else print(out)
    return 0


def _show(args: argparse.Namespace) -> int:
    from towncircle.kernel.instants import Instant
    from towncircle.world.config import POSTAL
    from towncircle.world.supervising import kept

    with opened(args.world) as world:
        rows, papers, answers = (
            kept(world, POSTAL, kind) for kind in ("procedure", "supervision-notice", "supervision-answer")
        )
    if args.json:
        as_json(
            {
                "procedures": [{"procedure": row.key, "provider": row.owner, **row.body} for row in rows],
                "notices": [{"notice": row.key, **row.body} for row in papers],
                "answers": [{"docket": row.key, **row.body} for row in answers],
            }
        )
        return 0
    for row in rows:
        body = row.body
        ended = f" ({body['ended']})" if body["ended"] else ""
        print(f"{row.key}  {body['form']}  {row.owner}  {body['state']}{ended}  {', '.join(body['scope'])}")
        for paper in papers:
            if paper.key.partition(" ")[0] == row.key:
                at = Instant(paper.body["at"]).iso()
                print(f"  {paper.key.partition(' ')[2]} {at} {paper.body['step']} [{paper.body['clause']}]")
        for one in answers:
            if one.body["procedure"] == row.key:
                print(f"  {one.key} {one.body['kind']}, {one.body['state']}")
    if not rows:
        print("No procedure was opened.")
    return 0
