"""Error codes of the mail room: print jobs, corrections, departments."""

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
    "mailroom.no-such-job": Row(
        kind="refused",
        sentence="There is no print job {job}.",
        clause="house",
        next_step="Ask for the open jobs: towncircle print DIR --resume",
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
        next_step="Take the piece out of the list, or change its shape or weight.",
    ),
    "mailroom.prices-unknown": Row(
        kind="refused",
        sentence="{count} of the pieces have no known price, so nothing was printed or debited.",
        clause="P050 1.5",
        next_step="Mend or take out what is named, then print again.",
    ),
    "mailroom.job-open": Row(
        kind="refused",
        sentence="A print job is open: {jobs}. Its postage may be debited already; another would be debited besides.",
        clause="house",
        next_step="Finish it: towncircle print DIR --out OUT --resume. To print something else first, add --new.",
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
        next_step="Say in one line why the piece is overpaid.",
    ),
}
