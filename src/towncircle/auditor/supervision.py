"""Supervision: notices at both ends, sanctions calculated anew, what was reset against a decision in force.

Here: check 21 of docs/export.md. Not here: whether a ground was there, which people found.
Kept: the sum of a sanction is recomputed here from its rows in fractions, none of the issuer's arithmetic; nothing is
paid while an appeal stays it, and who decided does not decide the appeal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from fractions import Fraction

from towncircle.auditor.books import Recounted
from towncircle.auditor.journal import facts_of
from towncircle.auditor.reading import Export, Party, Row
from towncircle.auditor.report import Report

_NOTICE = 140
_FORMS = ("authorization", "approval", "reporting-sanction", "sanction")
_SAME = ("form", "step", "force")


def check_supervision(export: Export, books: Mapping[str, Recounted], report: Report) -> None:
    """Check 21: notices are the same at both ends, sanctions add up, nothing was reset against a decision in force.

    What was paid on a sanction and paid back stands in the books as the facts have it.
    """
    given: dict[tuple[str, str, int], Row] = {}
    for postal in export.of_role("postal"):
        for fact in facts_of(postal, "supervision.given"):
            given[fact["body"]["provider"], fact["subject"], fact["body"]["number"]] = fact
        _check_sanctions(postal, report)
        _check_books(books[postal.id], report)
        _check_appeals(postal, report)
    waiting = {row["audience"] for row in _waiting(export)}
    for provider in export.of_role("provider"):
        received = _check_received(provider, given, report)
        for (to, name, number), fact in sorted(given.items()):
            if to == provider.id and (to, name, number) not in received and provider.id not in waiting:
                where = f"postal.usps/facts.jsonl line {fact.line}"
                report.differ("supervision.not-received", where, f"{to} never received notice {number} of {name}.")
        _check_resets(provider, report)


def _waiting(export: Export) -> Iterator[Row]:
    for postal in export.of_role("postal"):
        for row in postal["messages.jsonl"]:
            if row["type"] == _NOTICE and row["direction"] == "waiting":
                yield row


def _check_received(
    provider: Party, given: dict[tuple[str, str, int], Row], report: Report
) -> set[tuple[str, str, int]]:
    received: set[tuple[str, str, int]] = set()
    for fact in facts_of(provider, "supervision.noticed"):
        name = (provider.id, fact["subject"], fact["body"]["number"])
        where = f"{provider.id}/facts.jsonl line {fact.line}"
        report.checked["notices of supervision"] += 1
        if name in received:
            report.differ("supervision.twice", where, f"Notice {name[2]} of {name[1]} was received twice.")
        received.add(name)
        own = given.get(name)
        expected = [own["body"][field] for field in _SAME] if own else "no such notice"
        found = [fact["body"][field] for field in _SAME]
        report.same("supervision.differs", where, "It was given otherwise.", expected=expected, found=found)
    return received


def _check_resets(provider: Party, report: Report) -> None:
    """Find resets that were authorised while a decision about all systems, or about this one, was in force."""
    force: dict[str, tuple[str, str, list[str]]] = {}
    last: dict[str, int] = {}
    for fact in facts_of(provider, "supervision.noticed", "reset.reserved"):
        body, now = fact["body"], fact["recorded_at"]
        if fact["type"] == "supervision.noticed":
            if body["force"] == "none" or body["number"] < last.get(fact["subject"], 0):
                continue  # it says nothing of force, or a later notice overtook it
            last[fact["subject"]] = body["number"]
            if body["force"] == "over":
                force.pop(fact["subject"], None)
            elif not body["form"].endswith("sanction"):
                earlier = force.get(fact["subject"])
                begins = body["begins"] or (earlier[0] if earlier else now)
                force[fact["subject"]] = (begins, body["ends"], body["scope"])
            continue
        for name, (begins, ends, scope) in force.items():
            held = begins <= now and (not ends or now <= ends)
            if held and {"all", f"system {body['device'][:4]}"} & set(scope):
                where = f"{provider.id}/facts.jsonl line {fact.line}"
                text = f"{body['device']} was reset while {name} was in force."
                report.differ("supervision.reset", where, text, found=fact["subject"])


def _check_sanctions(postal: Party, report: Report) -> None:
    sums: dict[str, int] = {}
    paid: dict[str, int] = {}
    stayed: set[str] = set()
    fallen: set[str] = set()
    kinds = ("assessed", "imposed", "paid", "repaid", "withdrawn", "appealed", "appeal-decided")
    for fact in facts_of(postal, *(f"{form}.{kind}" for form in _FORMS[2:] for kind in kinds)):
        name, body, kind = fact["subject"], fact["body"], fact["type"].partition(".")[2]
        where = f"{postal.id}/facts.jsonl line {fact.line}"
        if kind == "assessed":
            report.checked["sanctions"] += 1
            sums[name] = _recomputed(body)
            text = "The sum of the sanction is not what its rows make."
            report.same("sanction.sum", where, text, expected=sums[name], found=body["total"])
        elif kind == "imposed":
            text = "Another sum was imposed than was assessed."
            report.same("sanction.imposed", where, text, expected=sums.get(name), found=body["amount"])
        elif kind == "paid":
            paid[name] = paid.get(name, 0) + body["amount"]
            text = "What was paid does not add up."
            report.same("sanction.paid", where, text, expected=paid[name], found=body["paid"])
            if paid[name] > sums.get(name, 0) or name in stayed:
                report.differ("sanction.not-due", where, f"More was taken on {name} than was due.", found=paid[name])
        elif kind == "repaid":
            text = "Not what was paid was paid back, or on a sanction that stands, or twice."
            owed = paid.pop(name, 0) if name in fallen else 0
            report.same("sanction.repaid", where, text, expected=owed or "nothing", found=body["amount"])
        elif kind == "withdrawn":
            fallen.add(name)
        elif kind == "appealed":
            stayed.add(name)
        else:
            stayed.discard(name)


def _check_books(books: Recounted, report: Report) -> None:
    """Set what was paid and paid back against the books; a payment says whether it was booked when it was made."""
    for what in ("paid", "repaid"):
        told: dict[tuple[str, str, str], tuple[object, str]] = {}
        for fact in facts_of(books.party, *(f"{form}.{what}" for form in _FORMS[2:])):
            body = fact["body"]
            name = (fact["subject"], str(body.get("reference")), str(body.get("provider")))
            told[name] = (body["amount"], f"{books.party.id}/facts.jsonl line {fact.line}")
            if what == "paid" and not body.get("booked"):
                told[name] = (body["amount"], "")  # of a release that kept no books of sanctions
        for entry in books.live(f"sanction-{what}"):
            row = entry.row
            where = f"{books.party.id}/entries.jsonl entry {row['number']}"
            name = (row["reference"], next(iter(row["names"]), ""), row["provider"])
            amount = told.pop(name, ("no such fact", ""))[0]
            text = f"The facts do not have it as {what}."
            report.same("sanction.books", where, text, expected=amount, found=entry.amount)
        for name, (owed, where) in told.items():
            if where:
                text = f"No entry books what was {what} on {name[0]}."
                report.differ("sanction.books", where, text, expected=owed)


def _recomputed(body: dict[str, object]) -> int:
    """Recompute a sanction from its rows: `kind|day|mills|reference|device`."""
    rows, rate, to = body["rows"], body["rate"], date.fromisoformat(str(body["to"]))
    assert isinstance(rows, list)
    assert isinstance(rate, int)
    total, interest = 0, Fraction(0)
    for row in rows:
        kind, on, mills, *_ = str(row).split("|")
        amount = -int(mills) if kind == "recovery" else int(mills)
        total += amount
        interest += Fraction(amount * rate * max(0, (to - date.fromisoformat(on)).days), 1_000_000 * 365)
    rounded = int(abs(interest) + Fraction(1, 2))
    return max(0, total + (rounded if interest >= 0 else -rounded))


def _check_appeals(postal: Party, report: Report) -> None:
    deciders: dict[str, str] = {}
    appealed: set[str] = set()
    kinds = ("decided", "appealed", "appeal-decided")
    for fact in facts_of(postal, *(f"{form}.{kind}" for form in _FORMS for kind in kinds)):
        name, kind = fact["subject"], fact["type"].partition(".")[2]
        where = f"{postal.id}/facts.jsonl line {fact.line}"
        if kind == "decided":
            deciders[name] = fact["actor"]
        elif kind == "appealed":
            appealed.add(name)
        elif name not in appealed:
            report.differ("supervision.no-appeal", where, f"No appeal in {name} was open when it was decided.")
        else:
            appealed.discard(name)
            if fact["actor"] == deciders.get(name):
                report.differ("supervision.one-person", where, f"Who decided in {name} decided the appeal too.")
