"""Error codes of refunds of unused postage."""

from towncircle.kernel.errors import Row

ROWS = {
    "refund.no-mark": Row(
        kind="input",
        sentence="Piece {piece} cannot stand on Form 3533: {why}",
        clause="502.27(a)(1)",
        next_step="Scan it anew at 300 dpi or more, or leave it out: Part IV groups pieces by the postage they show.",
    ),
    "refund.share-unknown": Row(
        kind="refused",
        sentence="The pieces come to {total}, and {ruleset} says what is refunded up to {most} only.",
        clause="502.27(a)",
        next_step="Send the pieces in on forms of no more than {most} each.",
    ),
    "refund.no-pieces": Row(
        kind="input",
        sentence="A form has 1 to {most} pieces; this one has {count}.",
        clause="502.27(a)(1)",
        next_step="Name the scans of the unused pieces; put more than that on further forms.",
    ),
    "refund.two-devices": Row(
        kind="refused",
        sentence="The pieces are of several devices: {devices}. One form is for one device.",
        clause="502.27(a)(1)",
        next_step="Send a form for each device.",
    ),
    "refund.not-ours": Row(
        kind="refused",
        sentence="Piece {piece} is of no print job of this licensee.",
        clause="502.27(a)(1)",
        next_step="Only the licensee whose device evidenced a piece is refunded for it; leave it out.",
    ),
    "refund.job-handed-over": Row(
        kind="refused",
        sentence="The job {job} is {state}: its pieces are at hand or were never paid.",
        clause="502.27(a)(1)",
        next_step="Send the pieces themselves in: towncircle refund submit DIR FILE",
    ),
    "refund.job-claimed": Row(
        kind="refused",
        sentence="The pieces of the job {job} were sent in for a refund: they are not handed over.",
        clause="502.27(a)(1)",
        next_step="See what became of them: towncircle refund status DIR",
    ),
    "refund.part-of-job": Row(
        kind="refused",
        sentence="The job {job} was never handed over; of its {count} pieces all are sent in, or none.",
        clause="502.27(a)(1)",
        next_step="Send the whole job in (towncircle refund submit DIR --job {job}), or print it first: "
        "towncircle print DIR --out OUT --resume",
    ),
    "refund.printed-again": Row(
        kind="refused",
        sentence="Piece {piece} was printed besides, as entry {entry} of the spool ({state}): it could be mailed "
        "and refunded.",
        clause="502.27(a)(2)",
        next_step="Mail what was printed. Or, if that spoiled too, say so: "
        "towncircle spool spoil DIR {entry} --pieces {place}",
    ),
    "refund.claimed": Row(
        kind="refused",
        sentence="Piece {piece} of the job {job} was sent in for the refund {refund}: it is not printed again.",
        clause="502.27(a)(2)",
        next_step="Print a new piece. See what became of the refund: towncircle refund status DIR",
    ),
    "refund.groups-differ": Row(
        kind="refused",
        sentence="Part IV of the refund {refund} says {said}; its pieces make {found}.",
        clause="502.27(a)(1)",
        next_step="Group the pieces by postage value and total them anew.",
    ),
    "refund.unknown": Row(
        kind="refused",
        sentence="There is no refund {refund} here.",
        clause="502.27(a)",
        next_step="See the refunds and their numbers: towncircle refund status DIR",
    ),
    "refund.backdated": Row(
        kind="refused",
        sentence="The application of the refund {refund} is of {issued} and came in at {received}: not within the time "
        "for which a message is good.",
        clause="502.27(a)(1)",
        next_step="Send the pieces in anew: their age is counted to the day on which they come in.",
    ),
    "refund.other-device": Row(
        kind="refused",
        sentence="Piece {piece} of the refund {refund} is not of the device {device}.",
        clause="502.27(a)(3)",
        next_step="Ask about the pieces of one device at a time.",
    ),
    "refund.conflict": Row(
        kind="refused",
        sentence="The refund {refund} was sent in before with other pieces.",
        clause="502.27(a)(1)",
        next_step="Send other pieces in on a form of their own: towncircle refund submit DIR FILE",
    ),
    "refund.not-scanned": Row(
        kind="refused",
        sentence="The pieces of the refund {refund} were not scanned yet.",
        clause="502.27(a)(3)",
        next_step="Scan them first: towncircle refund scan DIR REFUND FILE --by NAME",
    ),
    "refund.certified-before": Row(
        kind="refused",
        sentence="The refund {refund} was certified by {by} at {at} over {amount}; it is {state}.",
        clause="502.27(a)(4)",
        next_step="It is certified once. See what became of it: towncircle refund status DIR",
    ),
    "refund.piece-claimed": Row(
        kind="refused",
        sentence="Piece {piece} of the refund {refund} was certified in the refund {other} meanwhile.",
        clause="502.27(a)(3)",
        next_step="A piece is refunded once. Scan the pieces again, then certify what qualifies.",
    ),
    "refund.nothing-qualifies": Row(
        kind="refused",
        sentence="No piece of the refund {refund} qualifies: nothing is certified.",
        clause="502.27(a)(4)",
        next_step="Refuse it, with the annotations that say why: towncircle refund refuse DIR REFUND --by NAME",
    ),
    "refund.some-qualify": Row(
        kind="refused",
        sentence="Pieces of the refund {refund} qualify: {amount} is to be refunded.",
        clause="502.27(a)(4)",
        next_step="Certify it, as another person than scanned it: towncircle refund certify DIR REFUND --by NAME",
    ),
    "refund.refused-before": Row(
        kind="refused",
        sentence="The refund {refund} was refused by {by} at {at}: nothing of it qualified.",
        clause="502.27(a)(4)",
        next_step="See why: towncircle refund status DIR. Pieces that do qualify may be sent in again.",
    ),
    "refund.does-not-add-up": Row(
        kind="refused",
        sentence="Form 3533 of the refund {refund} says {said}; its own pieces make {found}.",
        clause="502.27(a)(4)",
        next_step="Total the pieces that qualify anew and certify that amount.",
    ),
    "refund.not-its-licensee": Row(
        kind="refused",
        sentence="The application in the refund {refund} is not of the licensee and the device it is for.",
        clause="502.27(a)(2)",
        next_step="Enclose the licensee's own application, as it came.",
    ),
    "refund.other-share": Row(
        kind="refused",
        sentence="The form refunds {said} percent; the rule in force says {due}.",
        clause="502.27(a)(6)",
        next_step="Certify the form by the rule that was in force when the pieces were sent in.",
    ),
    "refund.decided-before": Row(
        kind="refused",
        sentence="The refund {refund} was decided by {by} at {at}: {outcome}, {amount}.",
        clause="502.27(a)(6)",
        next_step="It is decided once. See it: towncircle refund status DIR",
    ),
    "refund.not-decided": Row(
        kind="refused",
        sentence="The refund {refund} is {state}, not {needed}.",
        clause="502.27(a)(6)",
        next_step="See what comes next: towncircle refund status DIR",
    ),
    "refund.envelopes-kept": Row(
        kind="refused",
        sentence="The envelopes of the refund {refund} are kept through {until}: the Postal Service may audit them.",
        clause="502.27(a)(7)",
        next_step="Destroy them after that day.",
    ),
    "refund.envelopes-gone": Row(
        kind="refused",
        sentence="The envelopes of the refund {refund} were destroyed at {at}.",
        clause="502.27(a)(7)",
        next_step="They can be audited only while they are kept.",
    ),
    "refund.sample-too-late": Row(
        kind="refused",
        sentence="The envelopes of the refund {refund} had to be kept through {until} only.",
        clause="502.27(a)(7)",
        next_step="Samples are taken within that time.",
    ),
    "refund.never-came": Row(
        kind="refused",
        sentence="Piece {piece} of the refund {refund} never came in: no envelope of it is kept.",
        clause="502.27(a)(7)",
        next_step="Ask for pieces that are not annotated so: towncircle refund status DIR",
    ),
    "refund.no-sample": Row(
        kind="refused",
        sentence="No sample of the refund {refund} waits for its envelopes.",
        clause="502.27(a)(7)",
        next_step="The Postal Service asks for one: towncircle refund sample DIR REFUND --by NAME",
    ),
    "refund.sample-open": Row(
        kind="refused",
        sentence="A sample of the refund {refund} is not answered yet.",
        clause="502.27(a)(7)",
        next_step="Scan the envelopes that are asked for: towncircle refund show DIR REFUND FILE --by NAME",
    ),
    "refund.no-such-piece": Row(
        kind="input",
        sentence="The refund {refund} has no kept piece {piece}.",
        clause="502.27(a)(7)",
        next_step="Pieces count from 1, as on the form: towncircle refund status DIR",
    ),
    "refund.file-unreadable": Row(
        kind="input",
        sentence="{path} is not a Form 3533 file: {what}.",
        clause="502.27(a)(1)",
        next_step="Give the .json file that towncircle refund status DIR REFUND --form FOLDER wrote.",
    ),
    "refund.file-changed": Row(
        kind="input",
        sentence="The control totals of {path} do not hold: {what}.",
        clause="502.27(a)(1)",
        next_step="Write it anew: towncircle refund status DIR REFUND --form FOLDER",
    ),
}
