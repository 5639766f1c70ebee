"""Error codes of the custody of devices."""

from towncircle.kernel.errors import Row


def _refused(sentence: str, clause: str, next_step: str) -> Row:
    return Row(kind="refused", sentence=sentence, clause=clause, next_step=next_step)


def _input(sentence: str, clause: str, next_step: str) -> Row:
    return Row(kind="input", sentence=sentence, clause=clause, next_step=next_step)


ROWS = {
    "custody.inspection-failed": _refused(
        "The device {device} did not pass its inspection before distribution: it is {state}.",
        "502.18",
        "Lease again: another device is taken from the bench; keep this one for an examination.",
    ),
    "custody.carrier-not-permitted": _refused(
        "Devices are not shipped by {service}: the rule names {named}, and no written permission for another is here.",
        "502.20(l)",
        "Ship by {named}, or show that the carrier is as safe and have it permitted: towncircle custody carrier --help",
    ),
    "custody.not-permitted": _refused(
        "No permission of {service} for {provider} stands that could be withdrawn.",
        "502.20(l)",
        "Name the service as it was permitted, with --back for devices that are sent back.",
    ),
    "custody.no-paper": _refused(
        "The permission of {service} was given in writing, and no paper withdraws it.",
        "502.20(l)",
        "Add it: --document FILE --reference REF",
    ),
    "custody.carrier-not-shown": _refused(
        "{provider} has not shown that the security of {service} is equivalent to that of Registered Mail.",
        "502.20(l)",
        "Have the Provider show it first: towncircle custody carrier DIR show --service NAME --document FILE",
    ),
    "custody.return-service": _refused(
        "A device is not sent back by {service}: the rule names {named}, and no written permission is here.",
        "P050 2.9",
        "Send it by {named}, or ask the Manager, MTM, for a written permission.",
    ),
    "custody.no-shipment": _refused(
        "No hand-over of the device {device} ({direction}) is known here.",
        "PRE-13",
        "Ask 'towncircle custody show DIR' which hand-overs there are.",
    ),
    "custody.not-arrived": _refused(
        "The device {device} was sent back under {shipment} and has not arrived.",
        "P050 2.9",
        "Ask again when the Provider has signed for it: towncircle custody receive DIR DEVICE",
    ),
    "custody.other-paper": _refused(
        "The receipt for the device {device} does not hold the Provider's own paper of the hand-over {shipment}.",
        "PRE-13",
        "Ask for the paper again and sign for what it says.",
    ),
    "custody.not-as-stated": _refused(
        "The device that came is not the unused {device} of the hand-over {shipment}: it reports itself as {state}.",
        "P050 2.5(a)",
        "Do not sign for it and do not use it; tell the Provider.",
    ),
    "custody.in-the-future": _refused(
        "{what} of the device {device} is dated {at}, after the message that tells of it.",
        "P050 2.7, 2.9",
        "Look at the clock of the host, and tell it with the time at which it was.",
    ),
    "custody.stays": _refused(
        "The device {device} stays in the licensee's custody: it is {custody}, and no notice was given that it leaves.",
        "P050 2.5(a), 2.9",
        "Give it back first, so that its balance is credited: towncircle withdraw DIR",
    ),
    "custody.not-given-up": _refused(
        "The device {device} was not given back: it stays in the licensee's custody.",
        "P050 2.5(a), 2.9",
        "Give it back first, so that its balance is credited: towncircle withdraw DIR",
    ),
    "custody.sent-before": _refused(
        "The device {device} was sent back before, under {shipment}, article {article}.",
        "P050 2.9",
        "One device is one parcel: look at 'towncircle custody show DIR'.",
    ),
    "custody.defective": _refused(
        "The device {device} was found {kind} at {at}: it is not used under any circumstance.",
        "P050 2.7",
        "Ask how it stands: towncircle custody defect DIR; for a replacement: towncircle withdraw DIR, then lease.",
    ),
    "custody.not-in-use": _refused(
        "The device {device} is not in use: it is {custody}.",
        "P050 2.7",
        "Name a device that is leased, or that is suspect.",
    ),
    "custody.no-defect": _refused(
        "No defect of the device {device} is open.",
        "502.20(f)",
        "Its licensee reports one: towncircle custody defect DIR --kind faulty --details TEXT",
    ),
    "custody.not-retrieved": _refused(
        "The device {device} of the defect {defect} was not retrieved: it cannot be examined yet.",
        "502.20(f), 502.20(j)",
        "Retrieve it first: towncircle custody retrieve DIR DEVICE --reference REF",
    ),
    "custody.no-replacement": _refused(
        "No replacement of the device {device} was supplied: its licensee has leased no other one since the defect.",
        "P050 2.7, 502.22(a)",
        "Lease one to the licensee first (towncircle lease), or say that the device was withdrawn.",
    ),
    "custody.removal-ordered": _refused(
        "The Postal Service has ordered the removal of the device {device} ({order}): it is not given back to use.",
        "502.20(i)",
        "Check it out of service: towncircle withdraw DIR",
    ),
    "custody.not-silent": _refused(
        "The device {device} was not checked out as one that can sign nothing.",
        "502.20(e)",
        "Let it give its balance back by its own word: towncircle withdraw DIR",
    ),
    "custody.no-notice": _refused(
        "The report on the defect {defect} of the device {device} has no notice before it.",
        "502.20(f)",
        "Send the notice of the defect first.",
    ),
    "custody.report-differs": _refused(
        "The defect {defect} is one of the device {device}.",
        "502.20(j)",
        "Report each defect of each device under a name of its own.",
    ),
    "custody.not-unwanted": _refused(
        "The device {device} is not an element in the Provider's server that is to be disabled.",
        "502.20(e)",
        "Look at 'towncircle custody show DIR'.",
    ),
    "custody.not-disabled": _refused(
        "The element {device} could not be disabled: a reset of it is open, or it signs nothing any more.",
        "502.20(e)",
        "Let the reset be settled (towncircle reset DIR --finish) and disable it again.",
    ),
    "custody.withdrawn": _refused(
        "The device {device} is out of service already.",
        "502.20(i)",
        "There is nothing to remove.",
    ),
    "custody.no-receipt": _refused(
        "No inspector's receipt for the device {device} is here for this licensee.",
        "P050 2.6",
        "An inspector who takes a device along gives one: towncircle custody take DIR DEVICE",
    ),
    "custody.part-over": _refused(
        "The life of the {part} of the device {device} is over with {until}.",
        "502.22(a)",
        "Replace the part or the device first, and give the new part's last day.",
    ),
    "custody.title-stays": _refused(
        "The title to the device {device} does not pass to {party}: every system is leased, and only the Postal "
        "Service may purchase one.",
        "502.20(a), PRE-10",
        "Lease the device.",
    ),
    "custody.not-owned": _refused(
        "The title to the device {device} is held by {owner}: this Provider does not scrap it.",
        "502.20(a)",
        "Ask its owner.",
    ),
    "custody.not-out": _refused(
        "The device {device} is {custody}: only one that was checked out of service is scrapped.",
        "502.20(e), PRE-06, 502.8",
        "Check it out first: towncircle withdraw DIR",
    ),
    "custody.still-defective": _refused(
        "The defect {defect} of the device {device} was not examined yet.",
        "502.20(j), P050 2.7",
        "Record what its examination found: towncircle custody examine DIR DEVICE",
    ),
    "custody.other-receipt": _refused(
        "The receipt is not for the device {device} of the hand-over {shipment}, or does not hold the paper it is for.",
        "PRE-13",
        "Do not keep it; ask again, and tell the Postal Service if it stays so.",
    ),
    "custody.not-back": _refused(
        "The device {device} did not come back: nobody here has signed for it.",
        "P050 2.9, PRE-13, 502.20(e)",
        "Sign for it when it comes: towncircle custody receive DIR DEVICE",
    ),
    "custody.form-kept": _refused(
        "The Form 3601-C of the device {device} is kept until {until}.",
        "502.20(e)",
        "Keep it at least that long.",
    ),
    "custody.address-data-old": _refused(
        "The address matching data of {edition} is no update: {why}.",
        "P050 2.5(g)",
        "Install an edition that is newer and not past its time.",
    ),
    "custody.not-entitled": _refused(
        "{party} has no right to the licensee's records: its Provider and the Postal Service have.",
        "P050 2.5(b)",
        "Name the Provider of one of the licensee's devices, or postal.usps.",
    ),
    "custody.no-review": _refused(
        "No review was asked for under {reference}.",
        "P050 2.5(b)",
        "The Provider or the Postal Service asks for one: towncircle custody ask-review DIR --at PARTY --reference REF",
    ),
    "custody.not-in-stock": _refused(
        "{device} is not in this Provider's stock.",
        "502.18",
        "See what is: towncircle custody show DIR; new devices: towncircle custody manufacture DIR --count N",
    ),
    "custody.count": _input(
        "One order makes 1 to {most} devices.",
        "house",
        "Give --count a number in that range, or order again.",
    ),
    "custody.review-taken": _refused(
        "The request {reference} is another one: it is of {licensee}.",
        "P050 2.5(b)",
        "Ask under another number.",
    ),
    "custody.condition": _input(
        "The condition of the device must be said, in at most {most} characters.",
        "PRE-13",
        "Say how it came: --condition 'sound, seal unbroken'",
    ),
    "custody.details": _input(
        "It must be said what is the matter, in at most {most} characters.",
        "P050 2.7",
        "Say what was seen, without names.",
    ),
    "custody.article": _input(
        "{text!r} is no article number of {service}.",
        "502.20(l), P050 2.9",
        "Copy it from the label or the carrier's receipt; of Registered Mail: R and nine digits, R and a letter, nine "
        "digits and US, or 22 digits.",
    ),
    "custody.article-taken": _refused(
        "The article number {article} is the one of the device {device}.",
        "502.20(l)",
        "Each device has a label of its own: copy the number from that one.",
    ),
    "custody.not-collected": _refused(
        "The Provider has recorded no retrieval of the device {device} under {reference}.",
        "502.20(f), P050 2.7",
        "Have its Provider record it first: towncircle custody retrieve DIR DEVICE --reference REF; or send the "
        "device: towncircle custody return DIR DEVICE --article NUMBER",
    ),
    "custody.reference": _input(
        "A reference must be given, in at most {most} characters; no name of a person.",
        "502.20(f)",
        "Give a file number.",
    ),
    "custody.fault": _input(
        "The fault that was found must be said, in at most {most} characters.",
        "502.20(j)",
        "Say which failure caused it.",
    ),
    "custody.no-such-part": _input(
        "There is no part {part}.",
        "502.22(a)",
        "Name one of: {known}.",
    ),
    "custody.edition": _input(
        "{text} names no edition of the address matching data.",
        "P050 2.5(g)",
        "Write year and month: --edition 1998-09",
    ),
}
