"""Refunds of unused postage, told by Provider, Postal Service and the scans.

Here: check 19 of docs/export.md. Not here: the sealed forms and their pieces (`refund_forms`), the books added up
(`books`), the credit in each book (`three`).
Kept: who scanned did not certify; what was credited is what the MATS coordinator arranged, which is the share of the
postage of the pieces that he marked; each piece is marked once, and none of them was mailed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from towncircle.auditor.books import Recounted
from towncircle.auditor.devices import ACCEPTED
from towncircle.auditor.journal import facts_of
from towncircle.auditor.reading import Export, Party, Row, instant_of, letters
from towncircle.auditor.refund_forms import Form, check_marked, read_forms, read_terms
from towncircle.auditor.report import Report
from towncircle.auditor.seals import Keys
from towncircle.auditor.underway import Underway

_FORM, _DECIDED = 95, 96
_SENT = ("licensee", "device", "share", "scanned_by", "certified_by")


def check_refunds(
    export: Export, books: Mapping[str, Recounted], keys: Keys, underway: Underway, report: Report
) -> None:
    """Check 19: every refund of unused postage, from the sealed application to the credit."""
    received: dict[str, Row] = {}
    decided: dict[str, Row] = {}
    for postal in export.of_role("postal"):
        _take(postal, "form-3533.received", received, report)
        _take(postal, "refund.decided", decided, report)
    sent: dict[str, Row] = {}
    forms: dict[str, Form] = {}
    terms = read_terms(export, keys)
    for provider in export.of_role("provider"):
        mine = _sent(provider, report)
        forms |= read_forms(provider, keys, mine, terms, report)
        for refund, fact in mine.items():
            _check_form(provider, fact, received.get(refund), underway, report)
            _check_persons(provider, fact, decided.get(refund), forms.get(refund), report)
        _check_credits(books[provider.id], mine, decided, underway, report)
        _check_envelopes(provider, report)
        sent |= mine
    for postal in export.of_role("postal"):
        _check_pieces(postal, decided, forms, report)
    for refund in sorted(received.keys() - sent.keys()):
        report.differ("refund.no-form", refund, "The Postal Service has a form that no Provider sent.")
    for refund in sorted(decided.keys() - received.keys()):
        report.differ("refund.no-form", refund, "A refund was decided whose form was never received.")


def _check_persons(provider: Party, fact: Row, decided: Row | None, form: Form | None, report: Report) -> None:
    """Check that nobody certified or decided what he did before, under whatever spelling of his name."""
    body, where = fact["body"], f"{provider.id}/facts.jsonl line {fact.line}"
    asked = form.claimed_by if form else ""
    acts: list[tuple[str, tuple[str, ...]]] = [(body["certified_by"], (body["scanned_by"], asked))]
    if decided is not None:
        acts.append((decided["actor"], (body["scanned_by"], body["certified_by"], asked)))
    for name, before in acts:
        if not letters(name) or letters(name) in {letters(one) for one in before}:
            text = "A refund was certified or decided by a person who had done another step of it."
            report.differ("refund.one-person", where, text, expected="another person", found=[name, *before])
    if not body["scanned_by"]:
        report.differ("refund.one-person", where, "It is not said who scanned the pieces.")


def _sent(provider: Party, report: Report) -> dict[str, Row]:
    """Give the forms that a Provider sent; one that was refused is sent anew or not at all."""
    sent: dict[str, Row] = {}
    for fact in facts_of(provider, "form-3533.sent", "form-3533.refused"):
        refund, where = fact["subject"], f"{provider.id}/facts.jsonl line {fact.line}"
        if fact["type"] == "form-3533.refused":
            if sent.pop(refund, None) is None:
                report.differ("refund.no-form", where, f"A form of {refund} was refused that was not sent.")
        elif refund in sent:
            report.differ("refund.twice", where, f"form-3533.sent of {refund} stands twice.")
        else:
            sent[refund] = fact
    return sent


def _take(party: Party, kind: str, into: dict[str, Row], report: Report) -> None:
    for fact in facts_of(party, kind):
        if fact["subject"] in into:
            where = f"{party.id}/facts.jsonl line {fact.line}"
            report.differ("refund.twice", where, f"{kind} of {fact['subject']} stands twice.")
        into.setdefault(fact["subject"], fact)


def _check_form(provider: Party, fact: Row, received: Row | None, underway: Underway, report: Report) -> None:
    where = f"{provider.id}/facts.jsonl line {fact.line}"
    report.checked["refunds"] += 1
    _check_share(fact, where, report)
    if received is None:
        if (_FORM, fact["subject"]) not in underway.named:
            report.differ("refund.not-received", where, f"The Postal Service never had the form of {fact['subject']}.")
        return
    names = (*_SENT, "total", "amount")
    said, told = ({name: row["body"].get(name) for name in names} for row in (fact, received))
    report.same("refund.form", where, "The Postal Service received another form.", expected=said, found=told)


def _check_share(fact: Row, where: str, report: Report) -> None:
    """Work the percentage out again: half up to the mill, by the remainder."""
    body = fact["body"]
    whole, rest = divmod(body["total"] * body["share"], 100)
    due = whole + (1 if rest >= 50 else 0)
    text = f"{body['share']} percent of the total is another amount."
    report.same("refund.share", where, text, expected=due, found=body["amount"])
    if not 1 <= body["share"] <= 100:
        report.differ("refund.share", where, "No such percentage is refunded.", found=body["share"])


def _check_pieces(postal: Party, decided: Mapping[str, Row], forms: Mapping[str, Form], report: Report) -> None:
    """Compare the marked pieces with the decisions and with the scans."""
    marked: dict[str, list[Row]] = defaultdict(list)
    seen: set[str] = set()
    accepted = [row for row in postal["scans.jsonl"] if row["verdict"] == "VALID" and row["disposition"] in ACCEPTED]
    mailed = {(row["device"], row["ascending"]) for row in accepted}  # one that was only held went back
    contents = {row.data.get("content") for row in accepted}  # release 0.1.0 named none
    for row in postal["records.jsonl"]:
        if row["kind"] != "repaid":
            continue
        body, where = row["body"], f"{postal.id}/records.jsonl line {row.line}"
        marked[str(body.get("refund"))].append(row)
        report.checked["refunded pieces"] += 1
        if row["key"] in seen:
            report.differ("refund.piece-twice", where, "This piece was refunded before.", found=row["key"])
        seen.add(row["key"])
        if row["key"] in contents or (body.get("ascending") and (row["owner"], body["ascending"]) in mailed):
            text = "This piece was refunded and mailed."
            report.differ("refund.two-fates", where, text, expected="one fate", found=row["key"])
    for refund in sorted(decided.keys() | marked.keys()):
        rows = marked.get(refund, [])
        fact = decided.get(refund)
        found = (len(rows), sum(int(row["body"].get("postage", 0)) for row in rows))
        body = fact["body"] if fact else {}
        granted = body.get("outcome") == "granted"
        expected = (body["pieces"], body["total"]) if granted else (0, 0)
        text = "The pieces that were marked refunded are not those of the decision."
        report.same("refund.pieces", f"{postal.id} {refund}", text, expected=expected, found=found)
        form = forms.get(refund)
        if form is not None:
            check_marked(form, rows, f"{postal.id} {refund}", report)
        if fact is not None:
            where = f"{postal.id}/facts.jsonl line {fact.line}"
            _check_share(fact, where, report)
            report.same("refund.outcome", where, "Another outcome.", expected=body["amount"] > 0, found=granted)


def _check_credits(
    books: Recounted, sent: Mapping[str, Row], decided: Mapping[str, Row], underway: Underway, report: Report
) -> None:
    provider = books.party.id
    credited = {
        entry.row["reference"]: (entry.row["licensee"], entry.row["device"], entry.amount)
        for entry in books.live("unused-refunded")
    }
    for refund in sorted(credited.keys() | sent.keys()):
        fact = decided.get(refund)
        body = fact["body"] if fact else None
        due = (body["licensee"], body["device"], body["amount"]) if body and body["outcome"] == "granted" else None
        if refund not in credited and (due is None or (_DECIDED, refund) in underway.named):
            continue
        text = "The account was not credited with just what the MATS coordinator arranged."
        found = credited.get(refund, "no credit")
        report.same("refund.credit", f"{provider} {refund}", text, expected=due or "no such decision", found=found)
        form = sent.get(refund)
        if form is None:
            report.differ("refund.no-form", f"{provider} {refund}", "It was credited and never certified.")
        elif body is not None and (body["provider"] != provider or body["amount"] > form["body"]["amount"]):
            text = "More was arranged than was certified, or for another Provider."
            certified, arranged = (provider, form["body"]["amount"]), (body["provider"], body["amount"])
            report.differ("refund.more", f"{provider} {refund}", text, expected=certified, found=arranged)


def _check_envelopes(provider: Party, report: Report) -> None:
    for fact in facts_of(provider, "refunded-envelopes.destroyed"):
        until = instant_of(fact["body"]["kept_until"])
        if until is None or fact.at("occurred_at") <= until:
            where = f"{provider.id}/facts.jsonl line {fact.line}"
            text = "The envelopes were destroyed within the time for which they are kept."
            report.differ("refund.envelopes", where, text, expected=f"after {fact['body']['kept_until']}")
