"""Error codes of the mail room: print jobs, corrections, departments, PINs, usage."""

from towncircle.kernel.errors import Row

ROWS = {
    "department.unknown": Row(
        kind="refused",
        sentence="There is no department '{department}'.",
        clause="IMI-05",
        next_step="Use a department that exists; without one, 'mailroom' is used.",
    ),
    "department.over-budget": Row(
        kind="refused",
        sentence="The department '{department}' has a budget of {budget}; {bound} is bound and {amount} is wanted.",
        clause="IMI-05",
        next_step="Print fewer pieces, or have the budget raised.",
    ),
    "department.overspent": Row(
        kind="broken",
        sentence="{spent} were to be spent out of the {reserved} reserved for {job}.",
        clause="IMI-05",
        next_step="Export the world and audit it: the audit names the record that was changed.",
    ),
    "department.unfit": Row(
        kind="input",
        sentence="'{text}' is no code or budget of a department.",
        clause="IMI-05",
        next_step="Use small letters, digits and hyphens, at most 32, and a budget of zero or more.",
    ),
    "department.budget-bound": Row(
        kind="refused",
        sentence="The department '{department}' cannot have a budget of {budget}: {bound} is bound already.",
        clause="IMI-05",
        next_step="Give it at least what is spent and reserved: towncircle department list DIR",
    ),
    "department.pin-needed": Row(
        kind="refused",
        sentence="The department '{department}' prints only for persons whom it admits.",
        clause="IMI-05",
        next_step="Say who prints and type the PIN: towncircle print DIR --department CODE --person NAME",
    ),
    "department.no-person": Row(
        kind="refused",
        sentence="Nobody is named who decides whether the job {job} was debited.",
        clause="IMI-05",
        next_step="Say who decides and type the PIN: towncircle department lost DIR JOB --person NAME --reason TEXT",
    ),
    "department.not-admitted": Row(
        kind="refused",
        sentence="'{name}' is not admitted to the department '{department}'.",
        clause="IMI-05",
        next_step="Have the person admitted: towncircle department admit DIR CODE NAME",
    ),
    "pin.unfit": Row(
        kind="input",
        sentence="A PIN has {shortest} to {longest} digits that are not all alike.",
        clause="IMI-05",
        next_step="Choose another PIN; it is not shown and not kept in words anywhere.",
    ),
    "pin.none": Row(
        kind="refused",
        sentence="'{name}' has no PIN yet.",
        clause="IMI-05",
        next_step="Set one: towncircle department pin DIR NAME",
    ),
    "pin.held": Row(
        kind="refused",
        sentence="'{name}' has a PIN; it is changed by who knows it, or reset by another person with a PIN.",
        clause="IMI-05",
        next_step="Type the old one too, or have it reset: towncircle department pin DIR NAME --reset-by NAME",
    ),
    "pin.reset-by-oneself": Row(
        kind="refused",
        sentence="'{name}' does not reset the own PIN: that needs a second person.",
        clause="IMI-05",
        next_step="Have another authorised person do it: towncircle department pin DIR NAME --reset-by NAME",
    ),
    "pin.unvouched": Row(
        kind="refused",
        sentence="'{name}' has given itself the PIN; it resets nobody else's before {until}.",
        clause="IMI-05",
        next_step="Have another person vouch for it: towncircle department pin DIR {name} --reset-by NAME",
    ),
    "pin.needed": Row(
        kind="refused",
        sentence="'{name}' has not typed the PIN for this job.",
        clause="IMI-05",
        next_step="Type it: towncircle print DIR --department CODE --person NAME",
    ),
    "pin.wrong": Row(
        kind="refused",
        sentence="That is not the PIN of '{name}'. {left} more tries are free.",
        clause="IMI-05",
        next_step="Type it again, or have it reset: towncircle department pin DIR NAME --reset-by NAME",
    ),
    "pin.wait": Row(
        kind="refused",
        sentence="The PIN of '{name}' was tried {tries} times in vain; it may be tried again at {until}.",
        clause="IMI-05",
        next_step="Wait, or have it reset by another person: towncircle department pin DIR NAME --reset-by NAME",
    ),
    "usage.bad-month": Row(
        kind="input",
        sentence="'{text}' is no month.",
        clause="IMI-06",
        next_step="Write it as YYYY-MM, such as 2026-11.",
    ),
    "usage.nothing": Row(
        kind="refused",
        sentence="Nothing was printed for {department} department from {first} to {last}.",
        clause="IMI-06",
        next_step="Ask for months and departments in which something was printed: towncircle department usage DIR",
    ),
    "usage.differs": Row(
        kind="broken",
        sentence="The department '{department}' has spent {spent}, and its jobs come to {counted}.",
        clause="IMI-06",
        next_step="Export the world and audit it: the audit names the record that was changed.",
    ),
    "mailroom.no-such-job": Row(
        kind="refused",
        sentence="There is no print job {job}.",
        clause="house",
        next_step="Ask for the open jobs: towncircle print DIR --resume",
    ),
    "mailroom.not-on-tape": Row(
        kind="refused",
        sentence="The postage of a piece is divided over tapes or labels, not over a {form}.",
        clause="P050 4.5",
        next_step="Name the tape or label stock in the printer (--stock).",
    ),
    "mailroom.too-many-tapes": Row(
        kind="refused",
        sentence="{amount} at most {each} a tape would take more than {most} tapes.",
        clause="P050 4.5",
        next_step="Allow more postage on one tape.",
    ),
    "mailroom.nothing-to-print": Row(
        kind="refused",
        sentence="There is no piece to print.",
        clause="house",
        next_step="Give at least one address.",
    ),
    "mailroom.no-price": Row(
        kind="refused",
        sentence="Line {row}: {why}",
        clause="P050 1.5",
        next_step="{next}",
    ),
    "mailroom.prices-unknown": Row(
        kind="refused",
        sentence="{count} of the pieces have no known price, so nothing was printed or debited.",
        clause="P050 1.5",
        next_step="Mend or take out what is named, then print again.",
    ),
    "mailroom.prices-changed": Row(
        kind="refused",
        sentence="The prices of {count} pieces are not what they were when the job was planned; nothing was debited.",
        clause="P050 1.5",
        next_step="Print them again: they are priced anew.",
    ),
    "mailroom.price-changed": Row(
        kind="refused",
        sentence="Piece {piece} was planned at {planned}; {due} is due for it, mailed on {day}.",
        clause="P050 1.5, 502.22(b)",
        next_step="Print it again: it is priced anew.",
    ),
    "mailroom.job-open": Row(
        kind="refused",
        sentence="A print job is open: {jobs}. Its postage may be debited already; another would be debited besides.",
        clause="house",
        next_step="Finish it: towncircle print DIR --out OUT --resume. To print something else first, add --new.",
    ),
    "mailroom.half-silent": Row(
        kind="refused",
        sentence="The device {device} did not evidence the job {job}; whether its half {half} did, nobody tells now.",
        clause="P050 3.3(c)",
        next_step="Try again when the half answers. One that is to go is given back first: towncircle withdraw DIR "
        "--device {half}",
    ),
    "mailroom.marks-lost": Row(
        kind="refused",
        sentence="The device {device} debited the job {job}, {amount}, and gives its marks no more: they are lost.",
        clause="P050 3.3(c)",
        next_step="The money is spent and booked. Print the pieces anew; what is claimed for the lost ones goes by: "
        "towncircle claim --help",
    ),
    "mailroom.not-to-hand-over": Row(
        kind="refused",
        sentence="The job {job} is {state}: its pages were handed over, or are not paid for yet.",
        clause="P050 1.5",
        next_step="If a piece did not come out: towncircle print DIR --reprint {job} --out OUT. The device counts it.",
    ),
    "mailroom.out-taken": Row(
        kind="refused",
        sentence="{out} holds the pages of another job; they are paid for and are not written over.",
        clause="house",
        next_step="Name another folder with --out.",
    ),
    "mailroom.no-postage-set": Row(
        kind="refused",
        sentence="No postage has been set into the device {device} yet.",
        clause="P050 3.1",
        next_step="Set some: towncircle deposit DIR AMOUNT, then towncircle reset DIR AMOUNT.",
    ),
    "mailroom.date-refused": Row(
        kind="refused",
        sentence="The mailing date {date} is not from {first} to {last} ({zone}). Nothing was reserved or debited.",
        clause="P050 4.7",
        next_step="Give the date of deposit, or of the next scheduled collection, with --on.",
    ),
    "mailroom.amount-zero": Row(
        kind="input",
        sentence="{amount} pays for nothing: an indicium shows an amount above zero.",
        clause="P050 1.5",
        next_step="Give the postage that is due. To correct a date only: towncircle print DIR --redate JOB",
    ),
    "mailroom.amount-over-limit": Row(
        kind="input",
        sentence="{amount} is over the keyed-in postage limit of one piece, {limit}. Nothing was reserved or debited.",
        clause="P050 1.5 (house)",
        next_step="Check the amount. A piece that costs more is paid at the post office.",
    ),
    "mailroom.no-indicium": Row(
        kind="refused",
        sentence="The job {job} is {state}: its pieces bear no indicium that could be corrected or printed again.",
        clause="P050 1.6",
        next_step="Finish the job (towncircle print DIR --out OUT --resume), or name the one that paid the pieces.",
    ),
    "mailroom.not-the-piece": Row(
        kind="refused",
        sentence="The job {job} is a correction itself; its pieces were evidenced in the job {of}.",
        clause="P050 4.8, 4.9",
        next_step="Name the job {of}.",
    ),
    "mailroom.no-such-piece": Row(
        kind="input",
        sentence="'{text}' names no pieces of the job {job}, which has {count}.",
        clause="house",
        next_step="Give numbers from 1 to {count}, each once, such as --pieces 1,3.",
    ),
    "mailroom.redate-not-later": Row(
        kind="refused",
        sentence="Piece {piece} is dated {printed}; {date} is not later, so no date correction is due.",
        clause="P050 4.8",
        next_step="Mail the piece as it is, or give the actual date of mailing with --on.",
    ),
    "mailroom.redated-already": Row(
        kind="refused",
        sentence="Piece {piece} bears a REDATE to {redated} already, and a piece bears one.",
        clause="P050 4.8 (house)",
        next_step="Mail it under that date, or take a new envelope and print the piece anew.",
    ),
    "mailroom.not-redatable": Row(
        kind="refused",
        sentence="{count} of the pieces get no REDATE, so nothing was printed.",
        clause="P050 4.8",
        next_step="Leave out what is named with --pieces, then print again.",
    ),
    "mailroom.under-way": Row(
        kind="refused",
        sentence="Another process is printing for {licensee}; its job is not taken up beside it.",
        clause="house",
        next_step="Wait until it is done, then ask again.",
    ),
    "mailroom.not-in-doubt": Row(
        kind="refused",
        sentence="Whether a device debited the job {job} ({state}) is no question for a person: it is ended, or its "
        "device or the registers tell.",
        clause="house",
        next_step="See what is open: towncircle department lost DIR. Go on with the rest: towncircle print DIR --out "
        "OUT --resume",
    ),
    "mailroom.registers-say-otherwise": Row(
        kind="refused",
        sentence="The device {device} counts {counted} pieces that are not written down, and this cannot be so of the "
        "job {job}.",
        clause="P050 3.3(c)",
        next_step="Decide on a job that the registers leave open; see which: towncircle department lost DIR",
    ),
    "mailroom.promised": Row(
        kind="refused",
        sentence="This costs {total}; the device {device} holds {balance}, and {promised} are promised to the batch "
        "{batch}.",
        clause="P050 1.5",
        next_step="Set what is lacking, {lacking}: towncircle reset DIR {lacking} --device {device}. Or finish the "
        "batch first, or end it with --give-up: towncircle print DIR --out {out} --resume",
    ),
    "mailroom.not-shortpaid": Row(
        kind="refused",
        sentence="Piece {piece} is not shortpaid: {paid} is paid and {due} is due.",
        clause="P050 4.9",
        next_step="Check weight and shape of the piece. What was overpaid is not taken back by a correction.",
    ),
    "mailroom.correction-short": Row(
        kind="refused",
        sentence="Piece {piece} lacks {difference} ({due} due, {paid} paid); {amount} would leave it shortpaid.",
        clause="P050 1.5",
        next_step="Leave out --amount, or give {difference}.",
    ),
    "mailroom.correction-over": Row(
        kind="refused",
        sentence="Piece {piece} lacks {difference} ({due} due, {paid} paid); {amount} would overpay it.",
        clause="P050 4.9",
        next_step="Give {difference}, or say with --reason why more is to be paid.",
    ),
    "mailroom.not-correctable": Row(
        kind="refused",
        sentence="{count} of the pieces cannot be corrected so. Nothing was printed or debited.",
        clause="P050 4.9",
        next_step="Mend what is named, or leave it out with --pieces, then print again.",
    ),
    "mailroom.reason-unfit": Row(
        kind="input",
        sentence="The reason is empty, longer than {limit} characters, or not plain text.",
        clause="house",
        next_step="Say in one line why: why the piece is overpaid, or why its zone holds.",
    ),
}
