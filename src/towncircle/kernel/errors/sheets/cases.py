"""Error codes of examinations and irregularity cases."""

from towncircle.kernel.errors import Row

ROWS = {
    "case.unknown": Row(
        kind="refused",
        sentence="There is no case {case}.",
        clause="502.8",
        next_step="Ask for the cases that there are: towncircle cases DIR",
    ),
    "case.over": Row(
        kind="refused",
        sentence="The case {case} is over: its device was {state}.",
        clause="502.8",
        next_step="Nothing is to be done. A new irregularity opens a new case.",
    ),
    "case.two-persons": Row(
        kind="refused",
        sentence="The case {case} is closed by two different persons, each named by a staff number.",
        clause="P050 2.6 (house)",
        next_step="Name both: --by officer-17 --by officer-23 (small letters, digits, dots and dashes).",
    ),
    "case.reason": Row(
        kind="input",
        sentence="A case is closed with a reason of 1 to {most} characters.",
        clause="502.14(c)",
        next_step="Say what was found and done: --reason 'the copy of the store was destroyed'.",
    ),
    "case.nothing-to-close": Row(
        kind="input",
        sentence="It is not said which case is to be closed.",
        clause="502.8",
        next_step="Add --release CASE or --retire CASE, or leave --by and --reason out to see the cases.",
    ),
    "case.not-cleared": Row(
        kind="refused",
        sentence="The device {device} of case {case} has not been found regular since the case was opened.",
        clause="P050 2.6",
        next_step="Have it examined (towncircle examine); if it stays irregular, close the case with --retire.",
    ),
    "postal.not-in-register": Row(
        kind="refused",
        sentence="The register of devices has no device {device}.",
        clause="502.8",
        next_step="Check the number; a device stands in the register once its Provider has reported it installed.",
    ),
    "postal.no-such-examination": Row(
        kind="refused",
        sentence="No examination {reference} of the device {device} was ordered through this Provider.",
        clause="P050 2.6",
        next_step="Return only what answers an order of the Postal Service.",
    ),
    "postal.examination-over": Row(
        kind="refused",
        sentence="The examination {reference} of the device {device} is over: an order has one report.",
        clause="P050 2.6",
        next_step="Nothing is to be done. Another look needs another order (towncircle examine).",
    ),
    "postal.not-a-report": Row(
        kind="refused",
        sentence="What {sender} sent does not answer the order {reference}: it is of another device, order or kind.",
        clause="P050 2.6",
        next_step="Show the order to the device that it names, and return what that device answers.",
    ),
    "postal.report-older": Row(
        kind="refused",
        sentence="The report under {reference} is older than an audit of the device {device}: it was held back.",
        clause="P050 2.6",
        next_step="Show the order to the device again, and return the new report at once.",
    ),
    "postal.no-evidence": Row(
        kind="refused",
        sentence="The report of case {case} holds no message signed by the device {device}.",
        clause="502.14(b)",
        next_step="Enclose the device's own message that shows the irregularity.",
    ),
    "postal.case-taken": Row(
        kind="refused",
        sentence="The case {case} is about another device.",
        clause="502.8",
        next_step="Report the irregularity under a name of its own.",
    ),
    "postal.no-such-case": Row(
        kind="refused",
        sentence="There is no case {case} about this device of this Provider.",
        clause="502.8",
        next_step="Report the irregularity first.",
    ),
    "postal.not-cleared": Row(
        kind="refused",
        sentence="The case {case} is not released: the device {device} was not found regular after it was opened.",
        clause="P050 2.6",
        next_step="Have the device examined, or retire it.",
    ),
    "provider.no-such-examination": Row(
        kind="refused",
        sentence="No examination {reference} of the device {device} waits for this licensee.",
        clause="P050 2.6",
        next_step="Ask again which order waits; the Postal Service may have ordered anew.",
    ),
}
