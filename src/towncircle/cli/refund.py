"""`towncircle refund`: send unused pieces in, have them scanned, certified, decided, sampled (502.27(a))."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, journeys_of, opened, table, world_argument

if TYPE_CHECKING:
    from collections.abc import Iterable

    from towncircle.kernel.store import Record
    from towncircle.paper.form_3533 import Voucher
    from towncircle.wire.bodies import Annotation, RefundStatement


def add(subparsers: Any) -> None:
    """Register the command and its verbs."""
    parser = subparsers.add_parser(
        "refund",
        help="refund unused pieces: submit, scan, certify, refuse, decide, sample, show, destroy, status, read",
        description="Refund postage that was printed and not mailed (502.27(a)). The licensee submits the pieces on "
        "Form 3533; the Provider scans them, and another of its persons certifies the form; the District MATS "
        "coordinator decides it, and the account is credited. The envelopes are kept for a time, in which the Postal "
        "Service may sample them: the Provider shows those that are asked for. A piece is mailed once or refunded "
        "once. Persons are authorised first: towncircle "
        "person DIR NAME --at provider.harbor (the Provider's), --at postal.usps (the coordinator).",
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    _add_submit(verbs)
    for name, run, words in (
        ("scan", _scan, "scan the pieces that came in, at the Provider"),
        ("certify", _certify, "certify the refund, as another person, and send the form to the MATS coordinator"),
        ("refuse", _refuse, "refuse a refund in which nothing qualifies, with its annotations, at the Provider"),
        ("decide", _decide, "decide as the District MATS coordinator; the credit is arranged"),
        ("sample", _sample, "ask for kept envelopes as the Postal Service"),
        (
            "show",
            _showing,
            "scan the envelopes of a sample at the Provider; exit code 1 where one is not as sent in",
        ),
        ("destroy", _destroy, "destroy the envelopes when they need not be kept any more"),
    ):
        verb = verbs.add_parser(name, help=words)
        verb.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
        verb.add_argument("refund", metavar="REFUND", help="the refund, such as RFD-7K3MQ9ZX2RTB")
        if name in ("scan", "show"):
            verb.add_argument("files", nargs="+", type=Path, metavar="FILE", help="the pieces as they are at hand")
        if name == "decide":
            verb.add_argument("--refuse", default="", metavar="TEXT", help="refuse it all, for this reason")
        if name == "sample":
            verb.add_argument("--piece", type=int, action="append", default=[], metavar="N", help="a piece of the form")
            verb.add_argument("--count", type=int, default=1, metavar="N", help="or so many by chance (default: 1)")
        verb.add_argument("--by", required=True, metavar="NAME", help="the authorised person who does it")
        verb.add_argument("--json", action="store_true", help="print JSON with stable keys")
        verb.set_defaults(run=run)
    status = verbs.add_parser("status", help="show the licensee's refunds, or one, and write its Form 3533")
    world_argument(status)
    status.add_argument("refund", nargs="?", default="", metavar="REFUND", help="the refund; without it: all")
    status.add_argument("--form", type=Path, metavar="FOLDER", help="write Form 3533 as PDF and as a file")
    status.set_defaults(run=_status)
    read = verbs.add_parser("read", help="read a Form 3533 file and check its control totals")
    read.add_argument("file", type=Path, metavar="FILE", help="the .json file")
    read.add_argument("--json", action="store_true", help="print JSON with stable keys")
    read.set_defaults(run=_read)


def _add_submit(verbs: Any) -> None:
    submit = verbs.add_parser("submit", help="send unused pieces in: PDF or image files, as printed or scanned")
    world_argument(submit)
    submit.add_argument("files", nargs="*", type=Path, metavar="FILE", help="the pieces, all of one device")
    submit.add_argument("--job", default="", metavar="JOB", help="instead: a job that was never handed over")
    submit.add_argument(
        "--out", type=Path, metavar="FOLDER", help="with --job: where its pieces are printed to send in"
    )
    submit.add_argument("--by", default="", metavar="NAME", help="the authorised person who applies")
    submit.set_defaults(run=_submit)


def _submit(args: argparse.Namespace) -> int:
    from towncircle.world import refunding

    paper = None
    payloads = refunding.payloads_of(args.files)
    with journeys_of(args) as journeys:
        if args.job:
            told, paper = refunding.submit_job(journeys, args.job, args.out or Path(f"refund-{args.job}"), by=args.by)
        else:
            told = refunding.submit(journeys, payloads, by=args.by)
    _show_statement(args, told)
    if paper is not None and not args.json:
        print(f"wrote {paper}: these are the pieces to send in")
    if not args.json:
        print(f"Next: the Provider scans them: towncircle refund scan {args.world} {told.refund} FILE --by NAME")
    return 0


def _scan(args: argparse.Namespace) -> int:
    from towncircle.world import refunding

    payloads = refunding.payloads_of(args.files)
    with opened(args.world) as world:
        held = refunding.scan(world, args.refund, payloads, by=args.by)
    return _show_record(args, held, next_step="another person certifies it: towncircle refund certify")


def _certify(args: argparse.Namespace) -> int:
    from towncircle.world import refunding

    with opened(args.world) as world:
        held = refunding.certify(world, args.refund, by=args.by)
    return _show_record(args, held, next_step="the MATS coordinator decides it: towncircle refund decide")


def _refuse(args: argparse.Namespace) -> int:
    from towncircle.world import refunding

    with opened(args.world) as world:
        held = refunding.refuse(world, args.refund, by=args.by)
    return _show_record(args, held)


def _decide(args: argparse.Namespace) -> int:
    from towncircle.world import refunding

    with opened(args.world) as world:
        held = refunding.decide(world, args.refund, by=args.by, refuse=args.refuse)
    return _show_record(args, held)


def _sample(args: argparse.Namespace) -> int:
    from towncircle.world import refunding

    with opened(args.world) as world:
        done = refunding.sample(world, args.refund, by=args.by, numbers=tuple(args.piece), count=args.count)
    _print(args, {"refund": args.refund, "sample": done.sample, "pieces": list(done.pieces)})
    if not args.json:
        print(f"Next: the Provider scans them: towncircle refund show {args.world} {args.refund} FILE --by NAME")
    return 0


def _showing(args: argparse.Namespace) -> int:
    from towncircle.world import refunding

    payloads = refunding.payloads_of(args.files)
    with opened(args.world) as world:
        done = refunding.show(world, args.refund, payloads, by=args.by)
    rows = [
        {"sample": one.sample, "outcome": one.outcome, "pieces": list(one.pieces), "wrong": list(one.wrong)}
        for one in done
    ]
    if args.json:
        as_json({"refund": args.refund, "samples": rows})
    for row in rows if not args.json else ():
        table([(name, value) for name, value in row.items()])
    return 1 if any(one.outcome == "irregular" for one in done) else 0


def _destroy(args: argparse.Namespace) -> int:
    from towncircle.kernel.instants import Instant
    from towncircle.world import refunding

    with opened(args.world) as world:
        held = refunding.destroy(world, args.refund, by=args.by)
    _print(args, {"refund": held.key, "destroyed_at": Instant(held.body["destroyed_at"]).iso()})
    return 0


def _status(args: argparse.Namespace) -> int:
    from towncircle.world import refunding

    with journeys_of(args) as journeys:
        names = [args.refund] if args.refund else refunding.refunds_of(journeys)
        told = [refunding.follow(journeys, name) for name in names]
        written = refunding.write_form(journeys.world, args.refund, args.form) if args.refund and args.form else ()
    if args.json:
        as_json({"refunds": [_statement(one) for one in told], "files": [str(path) for path in written]})
        return 0
    for one in told:
        _show_statement(args, one)
    for path in written:
        print(f"wrote {path}")
    if not told:
        print("No refund was asked for yet. Send pieces in: towncircle refund submit DIR FILE")
    return 0


def _read(args: argparse.Namespace) -> int:
    from towncircle.kernel.money import Mills
    from towncircle.paper.form_3533 import read_file

    voucher: Voucher = read_file(args.file.read_bytes(), path=str(args.file))
    record: dict[str, object] = {"refund": voucher.refund, "state": voucher.state, "pieces": voucher.pieces}
    record |= {"qualifying": voucher.qualifying}
    record |= {"amount_mills": voucher.amount_mills} if args.json else {"amount": Mills(voucher.amount_mills)}
    _print(args, record)
    if not args.json:
        print("The control totals hold.")
    return 0


def _statement(told: RefundStatement) -> dict[str, object]:
    return {
        "refund": told.refund,
        "state": told.state,
        "claimed_mills": int(told.claimed),
        "qualifying_mills": int(told.total),
        "share_percent": told.share,
        "amount_mills": int(told.amount),
        "account_mills": int(told.account_balance),
        "annotations": [_note(one) for one in told.annotations],
    }


def _note(one: Annotation) -> dict[str, object]:
    return {"piece": one.piece, "code": one.code, "sentence": one.sentence, "clause": one.clause}


def _show_statement(args: argparse.Namespace, told: RefundStatement) -> None:
    if args.json:
        as_json(_statement(told))
        return
    rows: list[tuple[str, object]] = [("refund", told.refund), ("state", told.state), ("sent in", told.claimed)]
    if told.state not in ("received", "scanned"):
        rows += [("qualifies", told.total), ("refunded", f"{told.amount} ({told.share} percent)")]
    table([*rows, ("account", told.account_balance)])
    _print_notes(told.annotations)


def _show_record(args: argparse.Namespace, held: Record, *, next_step: str = "") -> int:
    from towncircle.kernel.money import Mills
    from towncircle.wire.bodies import Annotation

    body = held.body
    notes = [Annotation.from_list(row) for row in body["annotations"]]
    people = {name: body[name] for name in ("scanned_by", "certified_by", "decided_by") if body.get(name)}
    record: dict[str, object] = {"refund": held.key, "state": body["state"], **people}
    if args.json:
        record |= {"qualifying_mills": body["total"], "share_percent": body["share"], "amount_mills": body["amount"]}
        as_json({**record, "annotations": [_note(one) for one in notes]})
        return 0
    if body["state"] != "scanned":
        record |= {"qualifies": Mills(body["total"]), "refunded": f"{Mills(body['amount'])} ({body['share']} percent)"}
    table([(name.replace("_", " "), value) for name, value in record.items()])
    _print_notes(notes)
    if next_step:
        print(f"Next: {next_step} {args.world} {held.key} --by NAME")
    return 0


def _print_notes(notes: Iterable[Annotation]) -> None:
    for one in notes:
        print(f"! piece {one.piece}: {one.sentence} [{one.clause}]")


def _print(args: argparse.Namespace, record: dict[str, object]) -> None:
    if args.json:
        as_json(record)
    else:
        table([(name.replace("_", " "), value) for name, value in record.items()])
