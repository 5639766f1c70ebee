"""Error codes of batches and their templates."""

from towncircle.kernel.errors import Row

ROWS = {
    "batch.bad-row": Row(
        kind="input",
        sentence="Row {row}: {what}",
        clause="house",
        next_step="Mend the row, or take it out of the list.",
    ),
    "batch.bad-rows": Row(
        kind="refused",
        sentence="{count} of {all} rows cannot be printed. Nothing was reserved or debited.",
        clause="house",
        next_step="Mend what {errors} names, row by row; or print the good rows alone: add --skip-bad-rows.",
    ),
    "batch.balance-short": Row(
        kind="refused",
        sentence="The batch costs {total} and the device holds {balance}. Nothing was reserved or debited.",
        clause="P050 1.5",
        next_step="Set what is lacking, {lacking} (towncircle reset DIR {lacking}), or add --refill, which does it.",
    ),
    "batch.over-cap": Row(
        kind="refused",
        sentence="The batch costs {total}; the device holds {balance} and never more than {cap}. Nothing was debited.",
        clause="P050 3.6",
        next_step="Add --refill: the device is then reset on the way, by {lacking} in all, from the account.",
    ),
    "batch.account-short": Row(
        kind="refused",
        sentence="The batch costs {total}; the device holds {balance} and the account {account}. Nothing was debited.",
        clause="P050 3.5(a)",
        next_step="Deposit what is lacking: towncircle deposit DIR {more}",
    ),
    "batch.money-gone": Row(
        kind="refused",
        sentence="The next part of the batch {batch} costs {total} and the device {device} holds {balance}. What was "
        "printed stands, and the next part was not begun.",
        clause="P050 1.5",
        next_step="Set what the batch lacks (towncircle reset DIR {lacking} --device {device}), then: towncircle print "
        "DIR --out OUT --resume",
    ),
    "batch.device-silent": Row(
        kind="refused",
        sentence="The device {device} of the batch {batch} is {state} and evidences nothing any more.",
        clause="502.8(b)",
        next_step="End the batch with --give-up: what is paid is printed, the rest is listed to be printed anew.",
    ),
    "batch.in-doubt": Row(
        kind="refused",
        sentence="The device {device} debited {counted} pieces, {mills}, that are not written down here; that they are "
        "those of {batch} is not certain.",
        clause="P050 3.3(c)",
        next_step="Have a person decide who knows, job by job: towncircle department lost DIR JOB --person NAME "
        "--reason TEXT. By the registers it may be: {jobs}. Then go on, or give the batch up.",
    ),
    "batch.unknown": Row(
        kind="refused",
        sentence="There is no batch {batch}.",
        clause="house",
        next_step="Ask for what is open: towncircle print DIR --out OUT --resume",
    ),
    "batch.none-open": Row(
        kind="refused",
        sentence="No batch is open, so none can be given up.",
        clause="house",
        next_step="Nothing is to be done: what was printed has its manifest in its folder.",
    ),
    "batch.under-way": Row(
        kind="refused",
        sentence="Another process works at the batch in {out}.",
        clause="house",
        next_step="Let it end, or end it (Ctrl-C); then towncircle print --resume goes on. Nothing was changed.",
    ),
    "batch.other-out": Row(
        kind="refused",
        sentence="The batch {batch} was begun in {out}; its files stay together.",
        clause="house",
        next_step="Go on there: --out {out}",
    ),
    "batch.begun-here": Row(
        kind="refused",
        sentence="The batch {batch} was begun in {out} and is open; another would be paid besides and write over it.",
        clause="house",
        next_step="Go on with it: towncircle print DIR --out {out} --resume",
    ),
    "batch.other-manifest": Row(
        kind="refused",
        sentence="The manifest in {out} is not of the batch {batch}, and is not written over.",
        clause="house",
        next_step="Put the manifest and its files into another folder, then go on: --out {out} --resume",
    ),
    "batch.other-device": Row(
        kind="refused",
        sentence="The batch {batch} is of the device {device}, which is not the one in use ({used}): it is not reset.",
        clause="P050 3.6",
        next_step="End the batch with --give-up: what is paid is kept, the rest is listed to be printed anew.",
    ),
    "batch.too-many-faults": Row(
        kind="refused",
        sentence="The list has {most} faults in its first {rows} rows; the rest was not read. Nothing was reserved.",
        clause="house",
        next_step="Mend what {errors} names, or cut the list into smaller ones; --skip-bad-rows leaves no rest out.",
    ),
    "batch.day-over": Row(
        kind="refused",
        sentence="The mailing date of the batch {batch}, {day}, is over; what is not evidenced yet cannot bear it.",
        clause="P050 4.7",
        next_step="End it with --give-up: what is paid is kept, the rest is released and listed to be printed anew.",
    ),
    "batch.unfinished": Row(
        kind="refused",
        sentence="{left} parts of the batch {batch} are not printed yet.",
        clause="house",
        next_step="Finish it: towncircle print DIR --out OUT --resume",
    ),
    "batch.worker-gone": Row(
        kind="refused",
        sentence="A process that composes pages has ended. What was printed is written down, nothing is lost.",
        clause="house",
        next_step="Go on: towncircle print DIR --out OUT --resume",
    ),
    "batch.totals-differ": Row(
        kind="broken",
        sentence="The device signed {found} for {batch}, and {told} was planned.",
        clause="P050 1.5",
        next_step="Keep the files. Export the world and audit it: the audit names the record that was changed.",
    ),
    "template.unknown": Row(
        kind="input",
        sentence="There is no template '{name}', and no such file. Known: {known}.",
        clause="house",
        next_step="Name one of these, or the path of a TOML file; show them with: towncircle print --templates",
    ),
    "template.unreadable": Row(
        kind="input",
        sentence="The template '{name}' cannot be read: {why}.",
        clause="house",
        next_step="Write it as TOML; docs/printing.md has examples.",
    ),
    "template.unusable": Row(
        kind="refused",
        sentence="The template '{name}' has {count} faults.",
        clause="house",
        next_step="Mend them all; docs/printing.md lists the keys.",
    ),
    "template.value": Row(
        kind="input",
        sentence="{key} is '{value}' and not {wanted}.",
        clause="house",
        next_step="Write {wanted}.",
    ),
    "template.key-unknown": Row(
        kind="input",
        sentence="Nothing reads the key '{key}'.",
        clause="house",
        next_step="Take it out, or mend its spelling.",
    ),
    "batch.piece-over-cap": Row(
        kind="refused",
        sentence="The tapes of the piece bear {amount} together; the device never holds more than {cap}.",
        clause="P050 3.6",
        next_step="Send it as several pieces: all tapes of one piece are evidenced in one command.",
    ),
    "template.label-stock": Row(
        kind="refused",
        sentence="A {form} is label stock, and the template does not say which lies in the printer.",
        clause="P050 4.3",
        next_step='Name it: page.stock = "roll-4x6", or another of towncircle labels; or name another form.',
    ),
    "batch.prices-changed": Row(
        kind="refused",
        sentence="While the list was checked {what} changed: its prices are not sure any more. Nothing was reserved.",
        clause="P050 1.5",
        next_step="Print it again: it is checked and priced anew.",
    ),
    "template.no-override": Row(
        kind="input",
        sentence="The row has a {name} of its own, which the template '{template}' does not allow.",
        clause="house",
        next_step='Take it out of the row, or allow it in the template: overrides = ["{name}"].',
    ),
}
