"""Error codes of printers and the spool."""

from towncircle.kernel.errors import Row

ROWS = {
    "printer.scale-off": Row(
        kind="refused",
        sentence="The printer is {percent} % of true size {way}: more than {most} % off.",
        clause="P050 4.2",
        next_step="Print at 100 %, without fitting to the page, and measure the calibration page again.",
    ),
    "printer.shift-off": Row(
        kind="refused",
        sentence="The printer is more than {most} mm off its place.",
        clause="P050 4.4",
        next_step="Put in the paper of the page, set its size in the driver, and measure the calibration page again.",
    ),
    "printer.measures-unreadable": Row(
        kind="input",
        sentence="'{text}' are not four measures.",
        clause="house",
        next_step="Write LEFT,TOP,ACROSS,DOWN in millimetres, such as 25.4,25.6,190.5,54.0.",
    ),
    "printer.unfit": Row(
        kind="input",
        sentence="'{text}' is no {part} of a printer.",
        clause="house",
        next_step="A name has small letters, digits and hyphens; a folder is an absolute path, an lp queue is as "
        "lpstat names it, a raw printer is HOST or HOST:PORT; a head has 203, 300 or 600 dots an inch; a shift is at "
        "most half an inch, a scale within 5 percent; options name paper, quality and turn: media, InputSlot, "
        "MediaType, resolution, Resolution, orientation-requested, ColorModel, print-quality, each with its value.",
    ),
    "printer.unknown": Row(
        kind="refused",
        sentence="There is no printer '{name}'.",
        clause="house",
        next_step="Use one of: towncircle printer list DIR. Or add it: towncircle printer add DIR NAME --folder PATH",
    ),
    "printer.busy": Row(
        kind="refused",
        sentence="The printer '{name}' has entries that wait, drawn for it as it is, or are under way: {entries}.",
        clause="house",
        next_step="Send them (towncircle spool send DIR), or say that they spoiled: towncircle spool spoil DIR N",
    ),
    "printer.batch-open": Row(
        kind="refused",
        sentence="A batch is being printed on the printer '{name}' as it is: {batches}.",
        clause="house",
        next_step="Finish it first: towncircle print DIR --printer {name} --resume, or --give-up",
    ),
    "printer.other-form": Row(
        kind="refused",
        sentence="The printer '{name}' holds {loaded}, and the job is for {wanted}.",
        clause="house",
        next_step="Load the other form and say so (towncircle printer add DIR NAME ... --form FORM), or use another "
        "printer.",
    ),
    "printer.unreachable": Row(
        kind="refused",
        sentence="The printer at {address} cannot be reached: {why}. Nothing was printed.",
        clause="house",
        next_step="Mend the way to it; the entry waits: towncircle spool send DIR",
    ),
    "printer.away": Row(
        kind="refused",
        sentence="The folder {address} that took what was under way is not there, or lies elsewhere: nobody can say "
        "whether it has it.",
        clause="house",
        next_step="Bring it back (mount it), then: towncircle spool send DIR. If it is gone for good, say what came "
        "out: towncircle spool confirm DIR N, or spoil",
    ),
    "printer.other-folder": Row(
        kind="refused",
        sentence="The folder {address} is not the one that was added: its mark is gone, as of a mount point that "
        "nothing is mounted on. Nothing was handed over.",
        clause="house",
        next_step="Mount it, then: towncircle spool send DIR. If it is another folder at the same "
        "place: towncircle printer add DIR NAME --folder PATH --new-folder",
    ),
    "printer.name-taken": Row(
        kind="refused",
        sentence="{path} is there already; it was not written over, and nothing was printed.",
        clause="house",
        next_step="Look what it is; take it away, then: towncircle spool send DIR",
    ),
    "printer.no-lp": Row(
        kind="refused",
        sentence="This system has no program lp, so nothing was printed.",
        clause="house",
        next_step="Install the system's print client (Debian: cups-client), or use a spool folder or a raw printer.",
    ),
    "printer.lp-refused": Row(
        kind="refused",
        sentence="lp did not take the file for the queue {queue}: {why}. Nothing was printed.",
        clause="house",
        next_step="Look at the queue (lpstat -p), then: towncircle spool send DIR",
    ),
    "printer.doubt": Row(
        kind="refused",
        sentence="The line to {address} broke while it printed ({why}); nobody knows what came out.",
        clause="house",
        next_step="Look at the printer, then say it of each piece: towncircle spool confirm DIR N --pieces 1-3, and "
        "towncircle spool spoil DIR N --pieces 4. Nothing is sent again by itself.",
    ),
    "printer.interrupted": Row(
        kind="refused",
        sentence="The process that sent entry {entry} ended before it could say what became of it; nobody knows what "
        "came out.",
        clause="house",
        next_step="Look at the printer, then: towncircle spool confirm DIR {entry}, or towncircle spool spoil DIR "
        "{entry}",
    ),
    "spool.no-such-entry": Row(
        kind="refused",
        sentence="The spool has no entry {entry}.",
        clause="house",
        next_step="See what it has: towncircle spool list DIR",
    ),
    "spool.no-such-piece": Row(
        kind="input",
        sentence="Entry {entry} holds the pieces {pieces}, each once, and no others.",
        clause="house",
        next_step="Name pieces of the entry, such as --pieces 1-3,5",
    ),
    "spool.nothing-left": Row(
        kind="refused",
        sentence="Of entry {entry} everything is said already.",
        clause="house",
        next_step="Name the pieces that are otherwise than was said: --pieces 2",
    ),
    "spool.spoiled-already": Row(
        kind="refused",
        sentence="The pieces {pieces} of entry {entry} spoiled, and that is not taken back: they may be printed again.",
        clause="house",
        next_step="See where they stand now: towncircle spool list DIR",
    ),
    "spool.not-spoiled": Row(
        kind="refused",
        sentence="The pieces {pieces} of {job} stand with a printer or in files (entry {entry}, {state}); printed "
        "again, they would be there twice.",
        clause="house",
        next_step="If they did not come out well, say so first: towncircle spool spoil DIR {entry} --pieces {pieces}",
    ),
    "spool.file-changed": Row(
        kind="refused",
        sentence="The file of entry {entry} is not the one that was queued ({path}).",
        clause="house",
        next_step="Say that the entry spoiled (towncircle spool spoil DIR {entry}) and print its pieces again.",
    ),
    "spool.under-way": Row(
        kind="refused",
        sentence="Another process is sending the spool of {licensee}.",
        clause="house",
        next_step="Wait until it is done, then look: towncircle spool list DIR",
    ),
}
