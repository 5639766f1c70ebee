"""Error codes of devices that are given back, transfers and persons."""

from towncircle.kernel.errors import Row

ROWS = {
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
        clause="502.20(e)",
        next_step="A balance is given back once. Lease another device: towncircle lease DIR",
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
        next_step="Have the Provider reconcile it with the device's own signed withdrawal.",
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
    "licensee.transfer-open": Row(
        kind="refused",
        sentence="The transfer {transfer} of the balance of {device} is open: {state}.",
        clause="P050 2.6",
        next_step=(
            "Approve or cancel it (towncircle transfer --help); one that was approved is finished by: "
            "towncircle reset DIR --finish"
        ),
    ),
    "licensee.no-transfer": Row(
        kind="refused",
        sentence="No transfer is open. {last}",
        clause="P050 2.6",
        next_step="Ask for one: towncircle transfer request DIR --by NAME --reason TEXT",
    ),
    "provider.check-out-open": Row(
        kind="refused",
        sentence="The device {device} goes out of service already: the notice of {at} was for a {purpose}.",
        clause="502.20(e)",
        next_step="Finish that one; a device is checked out once.",
    ),
    "provider.not-given-back": Row(
        kind="refused",
        sentence="The device {device} has not given its balance back yet.",
        clause="502.27(b)",
        next_step="Connect it: towncircle reset DIR --finish",
    ),
    "provider.balance-differs": Row(
        kind="broken",
        sentence="The device {device} gave back {amount}; the books have {due} in it.",
        clause="502.27(b)(1)",
        next_step="Nothing was credited. This is a defect: please report it with the command you ran.",
    ),
    "postal.balance-differs": Row(
        kind="refused",
        sentence="Form 3601-C credits {amount} for the device {device}, which signed {given}.",
        clause="502.27(b)(2)",
        next_step="Report the balance that the device itself has signed.",
    ),
    "postal.withdrawn-before": Row(
        kind="refused",
        sentence="The device {device} is withdrawn from service since {at}.",
        clause="502.20(e)",
        next_step="A device goes out of service once; check the device id.",
    ),
}
