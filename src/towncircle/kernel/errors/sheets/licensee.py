"""Error codes of the licensee and the persons it has authorised."""

from towncircle.kernel.errors import Row

ROWS = {
    "licensee.deposit-open": Row(
        kind="refused",
        sentence="The deposit {deposit_id} of {amount} by {form} was ordered and waits for its receipt.",
        clause="P050 3.2",
        next_step="Order the same amount again, which finishes it without a second deposit, then order the other one.",
    ),
    "licensee.no-device": Row(
        kind="refused",
        sentence="This licensee has no device {device}.",
        clause="P050 1.3",
        next_step="Lease a device first (towncircle lease), or name one that 'towncircle status' lists.",
    ),
    "licensee.not-a-decision": Row(
        kind="refused",
        sentence="What {provider} handed on is not a decision signed by the Postal Service.",
        clause="P050 2.1",
        next_step="Ask the Provider for the Postal Service's own signed decision.",
    ),
    "licensee.not-the-statement": Row(
        kind="refused",
        sentence="What came back is not the statement of {provider} about the reset {request}.",
        clause="P050 3.5(c)",
        next_step="Finish the reset: towncircle reset DIR --finish",
    ),
    "person.not-approved": Row(
        kind="refused",
        sentence="{what} needs two persons; {actor} asked and nobody has approved.",
        clause="P050 2.6",
        next_step="Have another authorised person do it (--by NAME); authorise one with: towncircle person DIR NAME",
    ),
    "person.same-person": Row(
        kind="refused",
        sentence="{what} needs two persons; {actor} has asked for it and cannot approve it too.",
        clause="P050 2.6",
        next_step="Have another authorised person do it (--by NAME); authorise one with: towncircle person DIR NAME",
    ),
    "person.unknown": Row(
        kind="refused",
        sentence="'{name}' is not authorised to act here; authorised: {known}.",
        clause="house",
        next_step="Sign in as an authorised person, or have one authorised: towncircle person DIR NAME [--at PARTY]",
    ),
    "person.other-office": Row(
        kind="refused",
        sentence="'{name}' does not hold the office for '{act}', which is of {needed}; offices held: {held}.",
        clause="house",
        next_step="Have who holds it do it (--by NAME), or grant it: towncircle person DIR NAME --at {at} "
        "--office {office}",
    ),
    "person.other-party": Row(
        kind="refused",
        sentence="'{act}' is no act of a person of {party}.",
        clause="house",
        next_step="Have the party do it whose act it is: docs/offices.md",
    ),
    "person.no-such-office": Row(
        kind="input",
        sentence="'{office}' is no office of {party}; its offices: {known}.",
        clause="house",
        next_step="Name one of these with --office, or leave it out.",
    ),
    "person.no-such-party": Row(
        kind="input",
        sentence="There is no party '{name}' in this world; there are: {known}.",
        clause="house",
        next_step="Name one of these with --at.",
    ),
    "person.unreadable": Row(
        kind="input",
        sentence="'{name}' is not a sign-in name.",
        clause="house",
        next_step="Use 1 to 32 small letters, digits and dashes, a letter first; a sign-in name, no personal data.",
    ),
    "licensee.checked-out": Row(
        kind="refused",
        sentence="The device {device} is out of service since {at}: its balance of {amount} was settled ({refund}).",
        clause="502.20(e), 502.27(b), P050 3.3(c), PRE-19",
        next_step=(
            "A balance is given back once, and pieces of this device are neither corrected, redated nor printed again. "
            "Lease another device (towncircle lease DIR), reset it, and print anew what is to be mailed."
        ),
    ),
    "licensee.reason": Row(
        kind="input",
        sentence="The reason is no text of 1 to {most} printable characters on one line.",
        clause="house",
        next_step="Say in a few words why: --reason 'the display is broken'.",
    ),
    "licensee.fault-unsettled": Row(
        kind="refused",
        sentence=(
            "The device {device} is faulted, and a reset or a case of it is open: only the device or its examination "
            "can say what is in it. Nothing is credited; the balance stays in the books."
        ),
        clause="502.20(f)",
        next_step=(
            "Have it examined by the Provider. Lease another device meanwhile: towncircle lease DIR. An approved "
            "transfer is ended by two persons: towncircle transfer cancel DIR --by NAME"
        ),
    ),
    "licensee.check-out-open": Row(
        kind="refused",
        sentence="The device {device} goes out of service or is out of it: it is neither reset nor renewed any more.",
        clause="502.20(e)",
        next_step="Finish what was begun (towncircle reset DIR --finish); then lease another (towncircle lease DIR).",
    ),
    "licensee.not-what-it-gave": Row(
        kind="refused",
        sentence="{provider} states {amount} for the device {device}, which gave back {given}. Nothing was booked.",
        clause="502.27(b)(1)",
        next_step="Have the Provider reconcile it with the device's own signed withdrawal; it is asked anew each day. "
        "Or have a person take its figure, on record: towncircle withdraw DIR --device {device} --accept {amount} "
        "--by NAME --reason TEXT",
    ),
    "licensee.not-disputed": Row(
        kind="refused",
        sentence="{amount} is not what a Provider states, and a device or the books contest, for {device}.",
        clause="502.27(b)(1)",
        next_step="See what is in dispute: towncircle status DIR --json (disputed_balances); accept just that.",
    ),
    "licensee.states-more": Row(
        kind="refused",
        sentence="{amount} is stated for the device {device}, in which these books have only {held}.",
        clause="502.27(b)(1)",
        next_step="Have the Provider reconcile it with the device's own signed withdrawal.",
    ),
    "licensee.service-moved": Row(
        kind="refused",
        sentence="The service of {device} was moved for good to {half}, which pays all new pieces: nothing was set.",
        clause="house",
        next_step="Set postage into that one: towncircle reset DIR AMOUNT --device {half}. Give the other one back: "
        "towncircle withdraw DIR",
    ),
    "licensee.device-faulted": Row(
        kind="refused",
        sentence="The device {device} is faulted and cannot sign what it gives back: nothing can be transferred.",
        clause="P050 2.7",
        next_step=(
            "Return it (towncircle withdraw DIR) and lease another (towncircle lease DIR). Its last signed reading "
            "stands until the Provider has examined it (502.20(f))."
        ),
    ),
    "licensee.device-signs": Row(
        kind="refused",
        sentence="The device {device} signs: its keys are not lost, and it gives its balance back by its own word.",
        clause="502.27(b)",
        next_step="Leave --failed out: towncircle withdraw DIR",
    ),
    "licensee.transfer-open": Row(
        kind="refused",
        sentence="The transfer {transfer} of the balance of {device} is open: {state}.",
        clause="P050 2.6",
        next_step=(
            "Approve or cancel it (towncircle transfer --help); one that was approved is finished by: "
            "towncircle reset DIR --finish. Where its device gives nothing more, two persons end it: transfer cancel."
        ),
    ),
    "licensee.no-transfer": Row(
        kind="refused",
        sentence="No transfer is open. {last}",
        clause="P050 2.6",
        next_step="Ask for one: towncircle transfer request DIR --by NAME --reason TEXT",
    ),
}
