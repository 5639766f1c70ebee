"""Error codes of missing devices."""

from towncircle.kernel.errors import Row


def _refused(sentence: str, clause: str, next_step: str) -> Row:
    return Row(kind="refused", sentence=sentence, clause=clause, next_step=next_step)


def _input(sentence: str, clause: str, next_step: str) -> Row:
    return Row(kind="input", sentence=sentence, clause=clause, next_step=next_step)


ROWS = {
    "missing.not-in-hand": _refused(
        "The device {device} was reported as {event} at {at}: it is not used.",
        "P050 2.8",
        "If it was found, report that: towncircle missing report DIR --event recovered; else lease a replacement.",
    ),
    "missing.evidenced-meanwhile": _refused(
        "The device {device} was reported as {event} at {at} while it evidenced the job {job}: the pieces are paid "
        "and are not handed over, because no facility accepts them.",
        "502.24(b)",
        "When the device is found and given back, print the job: towncircle print DIR --resume; or send its pieces "
        "in for a refund: towncircle refund submit DIR --job {job} --out FOLDER",
    ),
    "missing.no-details": _refused(
        "The report on the device {device} does not say where it happened and how.",
        "P050 2.8",
        "Give the place and the details: --place 'mail room, ground floor' --details 'not on its desk at opening'.",
    ),
    "missing.not-yet": _refused(
        "What is reported of the device {device} lies ahead: {at}.",
        "P050 2.8",
        "Give the instant at which it happened.",
    ),
    "missing.report-open": _refused(
        "The report of the device {device} as {event} has not reached its Provider yet.",
        "P050 2.8",
        "Send it first: towncircle missing report DIR with the same event.",
    ),
    "missing.paper-size": _input(
        "A copy of a police report has at most {most} bytes.", "P050 2.8", "Scan it at a lower resolution."
    ),
    "missing.reported": _refused(
        "The device {device} is {custody}: what it signed was read, and it gets no renewal and no postage.",
        "502.24",
        "Report that it was found (towncircle missing report --event recovered); then it is inspected and given back.",
    ),
    "missing.reason": _input(
        "It is not said what is known about the device.", "502.24", "Say it, without names: --details 'TEXT'."
    ),
    "missing.no-such-step": _input(
        "There is no location step '{name}'; there are {known}.", "502.24(a)", "Name one of them with --step."
    ),
    "missing.bad-reference": _input(
        "'{text}' is no reference: 1 to 80 letters, digits and ./:_-, no spaces.",
        "502.24",
        "Give a file number or a tracking number; no name of a person.",
    ),
    "missing.no-search": _refused(
        "No search for the device {device} is open: it is {state}.",
        "502.24(a)",
        "Begin one with 'towncircle missing search', or see 'towncircle missing show'.",
    ),
    "missing.step-needs-paper": _refused(
        "The step {step} is shown by a paper: {does}", "502.24(a)(6)", "Add it: --document receipt.pdf"
    ),
    "missing.step-applies": _refused(
        "The step {step} cannot be left out: only the rental agency may not apply.",
        "502.24(a)",
        "Take the step, and tell its result: nothing or new-address.",
    ),
    "missing.not-located": _refused(
        "No new address of the licensee of {device} is known, so there is nothing to inspect.",
        "502.24(a)(7)",
        "Take the other steps first; one with the result new-address makes the inspection due.",
    ),
    "missing.step-open": _refused("Open step {step}: {does}", "502.24(a)", "Take it and record its evidence."),
    "missing.steps-open": _refused(
        "For the device {device} {count} steps are open.", "502.24", "Take each of them, then try again."
    ),
    "missing.no-report": _refused(
        "No incident report about the device {device} has been filed.",
        "502.24",
        "File it first: towncircle missing incident DIR DEVICE",
    ),
    "missing.no-incident": _refused(
        "Nothing is open about the device {device}: it is not missing.",
        "502.24",
        "Begin with the licensee's report (towncircle missing report) or a search (towncircle missing search).",
    ),
    "missing.no-police-paper": _refused(
        "A police report of the device {device} comes with its number and a copy.",
        "502.24(b)(1)",
        "Give both: --report NUMBER --document FILE; then --cpip REFERENCE for the specialist's copy.",
    ),
    "missing.no-copy": _refused(
        "The CPIP specialist keeps no reference without the paper: no copy of a police report on {device} was shown.",
        "502.24(b)(1)",
        "Show the copy: --document FILE; its SHA-256 is kept.",
    ),
    "missing.no-police-report": _refused(
        "The licensee of {device} has filed no police report that is known here.",
        "502.24(b)(1)",
        "towncircle missing police DIR --report NUMBER --document FILE",
    ),
    "missing.no-cpip-copy": _refused(
        "The CPIP specialist of the Inspection Service has no copy of the police report on {device}.",
        "502.24(b)(1)",
        "Send the copy, then: towncircle missing police DIR --cpip REFERENCE",
    ),
    "missing.replacement-withheld": _refused(
        "No replacement is issued: the device {device} (incident {incident}) was not properly reported to the police "
        "and the Inspection Service.",
        "502.24(b)(2)",
        "towncircle missing police DIR --report NUMBER --document FILE --cpip REFERENCE",
    ),
    "missing.not-determined": _refused(
        "The device {device} was not determined lost or stolen, so there is no incident to report.",
        "502.24",
        "Close the search first: towncircle missing determine DIR --event lost",
    ),
    "missing.not-recovered": _refused(
        "The device {device} was not found.", "502.24(c)", "Report that it was: towncircle missing recovered DIR"
    ),
    "missing.no-reading": _refused(
        "The device {device} has signed nothing since it was found: its registers are not inspected.",
        "502.24(c)",
        "Connect it (towncircle missing contact DIR DEVICE), or record that it is broken: --outcome broken.",
    ),
    "missing.broken-signs": _refused(
        "The device {device} has signed since it was found, so it is not broken.",
        "502.24(c)",
        "Record --outcome regular.",
    ),
    "missing.not-inspected": _refused(
        "The recovered device {device} was not inspected and found regular.",
        "502.24(c)",
        "towncircle missing inspect DIR --outcome regular --reference REF",
    ),
    "missing.replaced": _refused(
        "The recovered device {device} is not given back: {replacement} was supplied in its place.",
        "502.24(c)",
        "Check it out: towncircle missing return DIR; its balance goes to the account.",
    ),
    "missing.first-report": _refused(
        "The loss of the device {device} was not reported yet, so its recovery has nothing to reference.",
        "502.24(d)",
        "File the first report: towncircle missing incident DIR",
    ),
    "missing.bad-period": _input("'{text}' is no month.", "502.20(k)", "Give one as 1999-07."),
    "missing.period-open": _refused(
        "The month {period} is not over: its file is due on the first of the next.",
        "502.20(k)",
        "Wait until it is over.",
    ),
    "missing.file-broken": _refused(
        "Line {line} of the file is not as the layout says: {why}.",
        "502.20(k)",
        "Ask for the file again; its layout is in docs/lost-and-stolen-file.md.",
    ),
    "missing.file-not-yours": _refused(
        "The file is of {provider} and of {period}, and not of who sent it or of the month it was sent for.",
        "502.20(k)",
        "Send your own file.",
    ),
    "missing.file-twice": _refused(
        "The file of {period} is here already.", "502.20(k)", "Nothing is to be done: one file a month."
    ),
    "missing.report-taken": _refused(
        "The name {report} of an incident report is taken.", "502.24", "Give a report a new name."
    ),
    "missing.no-reference": _refused(
        "A recovery report on {device} references the first report on it; open is: {first}.",
        "502.24(d)",
        "Name that report.",
    ),
    "missing.not-registered": _refused(
        "The register has the device {device} as '{status}', not as lost or stolen.",
        "502.20(g), 502.24",
        "Report the loss first: a device activity of Form 3601-C.",
    ),
    "missing.no-such-move": _refused(
        "A device {device} that is '{status}' in the register cannot become '{event}'.",
        "502.24(c)",
        "Compare your inventory with the register of the Postal Service.",
    ),
    "missing.step-evidence": _input(
        "The evidence of {step} says its {needs}, and '{told}' is none.",
        "502.24(a)",
        "Give it with --told: number-called (digits), office-zip (5 digits), agency (its name), visited-on (a past "
        "date), article (of the letter).",
    ),
    "missing.elsewhere": _refused(
        "What {provider} does is done in its own process, which runs elsewhere.",
        "house",
        "Stop 'towncircle up' with Ctrl-C, then try again.",
    ),
}
