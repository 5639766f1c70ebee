"""Error codes of administrative sanctions."""

from towncircle.kernel.errors import Row


def _refused(sentence: str, clause: str, next_step: str) -> Row:
    return Row(kind="refused", sentence=sentence, clause=clause, next_step=next_step)


def _input(sentence: str, clause: str, next_step: str) -> Row:
    return Row(kind="input", sentence=sentence, clause=clause, next_step=next_step)


ROWS = {
    "sanction.no-such-form": _input(
        "'{name}' is no sanction; there are {known}.", "502.15, 502.21", "Name one with --form."
    ),
    "sanction.no-such-control": _refused(
        "No sanction follows a failure of '{provision}'; it may follow one of {known}.",
        "502.21(b)",
        "Name the provision that was not kept.",
    ),
    "sanction.no-incident": _refused(
        "No row names a device that the register knows as lost or stolen, so no procedure of {provision} has failed.",
        "502.24(e)",
        "Name the device in the row of its loss: loss:DATE:AMOUNT:REFERENCE:DEVICE",
    ),
    "sanction.exempt": _refused(
        "The system {device} is owned or leased by the Postal Service: no sanction takes it in.",
        "502.21(a)",
        "Leave its rows out.",
    ),
    "sanction.no-known-day": _refused(
        "It is not said when the Provider knew or should have known of the weakness.",
        "502.15(b)",
        "Give the day: --known-on DATE.",
    ),
    "sanction.before-known": _refused(
        "The row '{row}' lies before {day}, when the Provider knew or should have known.",
        "502.15(b)",
        "Leave it out: costs and losses are measured from that day.",
    ),
    "sanction.no-rate": _refused(
        "The rule says interest and gives no rate; none is named here.",
        "502.15(b), 502.21(b)",
        "Name a rate in millionths a year and where it is published: --rate 50000 --rate-source REF.",
    ),
    "sanction.bad-row": _input(
        "'{row}' is no row of a sanction: one of {known}, a day that is not ahead, an amount above zero.",
        "502.21(b)",
        "Write a row as loss:1999-03-01:125.50:FILE-7 or loss:1999-03-01:125.50:FILE-7:TC1A0000000017.",
    ),
    "sanction.bad-holding": _input(
        "'{how}' is neither owned nor leased.", "502.21(a)", "Say --how owned or --how leased."
    ),
    "sanction.not-due": _refused(
        "Nothing of the sanction {procedure} is due now: it is {state}.",
        "502.15(e), 502.21(f)",
        "Wait until it is in force; an appeal stays it until it is decided.",
    ),
    "sanction.paid-before": _refused(
        "The paper {reference} paid {amount} on the sanction {procedure} already; a paper pays once.",
        "502.21(c)",
        "Give the reference of the other payment, or the amount that this one paid.",
    ),
    "sanction.overpaid": _refused(
        "Of the sanction {procedure} {left} is left; an amount above zero and not above that can be paid.",
        "502.21(c)",
        "Give another amount.",
    ),
    "sanction.nothing-to-repay": _refused(
        "The sanction {procedure} is {state}, and {paid} was paid on it: there is nothing to pay back.",
        "502.15(d), 502.21(d)",
        "Only what was paid on a sanction that was withdrawn or reversed is paid back.",
    ),
    "sanction.repaid-before": _refused(
        "What was paid on the sanction {procedure} was paid back by {reference} already.",
        "502.15(d), 502.21(d)",
        "Name that paper, or leave it.",
    ),
}
