"""Error codes of CMRS accounts: locks, advances, claims, closings, statements."""

from towncircle.kernel.errors import Row

ROWS = {
    "account.unknown": Row(
        kind="refused",
        sentence="{provider} keeps no account for {licensee}.",
        clause="502.25(c)",
        next_step="Lease a device first: towncircle lease DIR",
    ),
    "account.which-provider": Row(
        kind="refused",
        sentence="{licensee} has accounts with {providers}: which one is meant?",
        clause="502.25(c)",
        next_step="Name the Provider: --provider NAME",
    ),
    "account.conflict": Row(
        kind="refused",
        sentence="The request {reference} was made before, by somebody else or with other words.",
        clause="house",
        next_step="Ask again under the same number and with the same words, or make a new request.",
    ),
    "account.no-request": Row(
        kind="refused",
        sentence="No request {reference} was made here.",
        clause="house",
        next_step="See the requests: towncircle claim status DIR, towncircle close-account status DIR",
    ),
    "account.locked": Row(
        kind="refused",
        sentence="The account of {licensee} is locked: a deposit came back unpaid, and {amount} are to be made good.",
        clause="P050 3.5(a)",
        next_step="Deposit that amount anew: towncircle deposit DIR AMOUNT. The lock ends with the bank's report.",
    ),
    "account.not-available": Row(
        kind="refused",
        sentence="Of the account of {licensee} {amount} may be drawn; {held} are not available before {until}.",
        clause="P050 3.5(a)",
        next_step="Wait for that day, or deposit by a faster way: ACH or wire.",
    ),
    "account.closed": Row(
        kind="refused",
        sentence="The account {account} of {licensee} is closed.",
        clause="502.27(c)",
        next_step="See how its closing stands: towncircle close-account status DIR. A new lease opens it again.",
    ),
    "advance.not-agreed": Row(
        kind="refused",
        sentence="{provider} has not agreed to advance funds for {licensee}.",
        clause="P050 3.5(a), 502.25(c)(1)",
        next_step="Have a person of the Provider agree to it: towncircle advance agree DIR LIMIT --by NAME",
    ),
    "advance.over-limit": Row(
        kind="refused",
        sentence="An agreement over {amount} is more than the rule set allows, {limit}.",
        clause="502.25(c)(1)",
        next_step="Agree to a smaller limit.",
    ),
    "claim.unknown": Row(
        kind="refused",
        sentence="There is no claim {claim} here.",
        clause="502.27(d)",
        next_step="See the claims: towncircle claim status DIR",
    ),
    "claim.not-examined": Row(
        kind="refused",
        sentence="The device {device} is in use, or has given its balance back itself: nothing is lost in it.",
        clause="502.27(d)",
        next_step="Give a device that failed back first: towncircle withdraw DIR",
    ),
    "claim.not-written-off": Row(
        kind="refused",
        sentence="The device {device} is {custody}: nobody but its host says yet that it failed.",
        clause="502.27(d), P050 3.3(a), 502.20(f)",
        next_step="Examine the device that came back and write it off: towncircle custody write-off DIR DEVICE",
    ),
    "claim.no-evidence": Row(
        kind="refused",
        sentence="The last signed registers of the device {device} show no balance that could be lost.",
        clause="502.27(d), P050 3.3",
        next_step="Without the evidence of registers nothing is credited; have the device examined.",
    ),
    "claim.device-claimed": Row(
        kind="refused",
        sentence="The loss of the device {device} was claimed before.",
        clause="502.27(d)",
        next_step="See how that claim stands: towncircle claim status DIR",
    ),
    "claim.no-finding": Row(
        kind="refused",
        sentence="The claim {claim} is not decided without a finding in words.",
        clause="502.27(d)",
        next_step="Say what was found: --finding TEXT",
    ),
    "claim.decided-before": Row(
        kind="refused",
        sentence="The claim {claim} was {state} before, by {by}.",
        clause="502.27(d)",
        next_step="Nothing is left to be done: a claim is decided once.",
    ),
    "closing.no-signature": Row(
        kind="refused",
        sentence="The closing of the account {account} is asked for by nobody.",
        clause="502.27(c)(1), P050 3.3",
        next_step="Ask in writing, as a person: towncircle close-account request DIR --by NAME",
    ),
    "closing.open": Row(
        kind="refused",
        sentence="The closing of the account {account} was asked for before, as {closing}, by {by}.",
        clause="502.27(c)(1), PRE-19",
        next_step="Nothing is left to be asked: towncircle close-account status DIR",
    ),
    "closing.waits": Row(
        kind="refused",
        sentence="The account {account} cannot be closed yet: {what} may still move its money.",
        clause="502.27(c)",
        next_step="Give the device back (towncircle withdraw DIR), or wait until the rest is settled, and ask again.",
    ),
    "closing.advance-outstanding": Row(
        kind="refused",
        sentence="The account {account} cannot be closed: {amount} of the Provider's advances are outstanding.",
        clause="502.25(c)(1)",
        next_step="Deposit that amount: it repays the advances.",
    ),
    "closing.unknown": Row(
        kind="refused",
        sentence="No closing {closing} is noted here, or it is for another amount.",
        clause="502.27(c)",
        next_step="See what was noted: towncircle close-account status DIR",
    ),
    "closing.not-its-licensee": Row(
        kind="refused",
        sentence="The notice of the closing {closing} does not enclose the licensee's own written request.",
        clause="502.27(c)(1)",
        next_step="Send the notice with the request as the licensee sealed it.",
    ),
    "closing.differs": Row(
        kind="refused",
        sentence="The closing {closing} is over {amount}; the trust account holds {held}, the Provider's own part is "
        "{own}.",
        clause="502.27(c)(2)",
        next_step="Wait for the reports and files that are on their way, and instruct again; see: towncircle reconcile",
    ),
    "closing.instructed-before": Row(
        kind="refused",
        sentence="The check of the closing {closing} was instructed before, by {by}.",
        clause="502.27(c)(2), PRE-19",
        next_step="Nothing is left to be done: a closing has one check.",
    ),
    "statement.bad-month": Row(
        kind="input",
        sentence="'{text}' is no month that has begun: it is written as 2026-11.",
        clause="P050 3.5(c)",
        next_step="Name a month up to this one: towncircle statement DIR --month 2026-11",
    ),
    "statement.does-not-add-up": Row(
        kind="refused",
        sentence="The statement of {month} from {provider} does not add up: {why}.",
        clause="P050 3.5(c)",
        next_step="Ask for it again; if it stays so, tell the Provider and the Postal Service.",
    ),
    "statement.no-such-row": Row(
        kind="refused",
        sentence="The statement of {month} has no transaction {reference}.",
        clause="P050 3.5(c)",
        next_step="Take the reference from the statement of the month in which it was.",
    ),
    "lines.broken": Row(
        kind="refused",
        sentence="Line {line} of the file is not as it should be: {why}.",
        clause="502.20(m)",
        next_step="Ask who sent it for the file anew; its page in docs/ describes every line.",
    ),
    "lines.unwritable": Row(
        kind="input",
        sentence="'{field}' cannot stand in a file whose fields are separated by '{separator}'.",
        clause="house",
        next_step="Use plain ASCII without the separator.",
    ),
    "daily.out-of-order": Row(
        kind="refused",
        sentence="The daily file {number} of {day} came where number {expected}, of a later day, was expected.",
        clause="502.20(m)",
        next_step="Send the files in their order, one a day.",
    ),
    "daily.other-file": Row(
        kind="refused",
        sentence="A daily financial file of {day} came before, with other content.",
        clause="502.20(m)",
        next_step="Send the first one again: a day has one file.",
    ),
    "daily.bad-part": Row(
        kind="refused",
        sentence="Part {part} of {parts} of the daily file of {day} is none: parts count from 1, at most {most}, and "
        "make up the digest of the whole.",
        clause="502.20(m)",
        next_step="Split the file anew and send every part in its order.",
    ),
    "daily.part-missing": Row(
        kind="refused",
        sentence="The daily file of {day} is not whole: part {part} of {parts} is missing, or of another file.",
        clause="502.20(m)",
        next_step="Send every part in its order, the last one at the end.",
    ),
    "daily.not-its-own": Row(
        kind="refused",
        sentence="The file says that it is number {number} of {day}, of {provider}; the message says otherwise.",
        clause="502.20(m)",
        next_step="Send the file of that day under its own number.",
    ),
    "daily.not-yet": Row(
        kind="refused",
        sentence="The daily financial file is of {day}, which has not begun at headquarters.",
        clause="502.20(m)",
        next_step="Send the file of a day when that day has come; check the clock.",
    ),
    "daily.unknown": Row(
        kind="refused",
        sentence="No daily financial file of {day} of {provider} was reconciled.",
        clause="502.20(m)",
        next_step="Reconcile today: towncircle reconcile DIR",
    ),
}
