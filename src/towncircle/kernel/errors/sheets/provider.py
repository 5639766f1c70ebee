"""Error codes of the Provider."""

from towncircle.kernel.errors import Row

ROWS = {
    "provider.not-the-applicant": Row(
        kind="refused",
        sentence="{sender} sent an application in the name of {named}.",
        clause="P050 2.1",
        next_step="The applicant must sign and send its own application.",
    ),
    "provider.unknown-device": Row(
        kind="refused",
        sentence="The device {device} does not belong to {provider}.",
        clause="502.20(a), P050 3.5(b)",
        next_step="Connect to the Provider that leased the device.",
    ),
    "provider.no-license": Row(
        kind="refused",
        sentence="{licensee} holds no valid license {license}: a system is leased only to licensees.",
        clause="502.20(c)",
        next_step="Apply for a license first (towncircle license).",
    ),
    "provider.no-financial-agreement": Row(
        kind="refused",
        sentence="The lease lacks the financial agreement for resetting.",
        clause="P050 2.5(i)",
        next_step="Sign the lease with its financial agreement.",
    ),
    "provider.other-agreement": Row(
        kind="refused",
        sentence="What was signed is not {what} that this Provider offers.",
        clause="502.25(c)",
        next_step="Read and sign the text as it is offered now.",
    ),
    "provider.frozen": Row(
        kind="refused",
        sentence="The device {device} is frozen: {trouble}.",
        clause="502.20(j), P050 2.6",
        next_step="Do not use it. A case is open (towncircle cases): it is examined, then released or retired.",
    ),
    "provider.cap-not-allowed": Row(
        kind="refused",
        sentence="The device {device} has a cap of {cap}; the Postal Service never allowed more than {highest}.",
        clause="PRE-11, P050 3.6",
        next_step="Give the device the cap of the rule set at its next contact; only the Postal Service changes it.",
    ),
    "provider.reset-conflict": Row(
        kind="refused",
        sentence="The request id {request_id} was used for another device or another amount.",
        clause="502.25(a)",
        next_step="Ask again under a new request id.",
    ),
    "provider.reset-open": Row(
        kind="refused",
        sentence="The device {device} has the reset {request_id} open.",
        clause="502.25(a)",
        next_step="Contact the Provider (towncircle status --contact): it settles the open reset first.",
    ),
    "provider.not-leased": Row(
        kind="refused",
        sentence="The device {device} is '{custody}', not leased: resets are denied.",
        clause="502.20(e)",
        next_step="Ask the Provider what became of the device.",
    ),
    "provider.resets-denied": Row(
        kind="refused",
        sentence="Resets of the device {device} are denied; a time limit ran out: {title} ({clause}).",
        clause="502.25(a)",
        next_step="Do what is owed (towncircle deadlines DIR --party PROVIDER); connecting the device makes an overdue "
        "audit (towncircle status DIR --contact), and towncircle quality send DIR SCAN a missing quality piece.",
    ),
    "provider.no-such-reset": Row(
        kind="refused",
        sentence="There is no reset {request_id} of the device {device}.",
        clause="502.25(a)",
        next_step="Contact the Provider with a device audit: the registers settle what happened.",
    ),
    "provider.report-gap": Row(
        kind="refused",
        sentence="Lockbox report {number} does not follow report {last}.",
        clause="502.25(c)",
        next_step="Send the missing reports first.",
    ),
    "provider.bad-report": Row(
        kind="refused",
        sentence="Lockbox report {number} cannot be booked: {what}.",
        clause="502.25(c)",
        next_step="Correct the report and send it again under the same number.",
    ),
    "provider.not-ours": Row(
        kind="refused",
        sentence="The deposit {deposit_id} belongs to another Provider.",
        clause="502.25(c)",
        next_step="The lockbox bank must report it to that Provider.",
    ),
    "provider.stale-reading": Row(
        kind="refused",
        sentence="The message {counter} of the device {device} came late: a newer reading of it was taken since.",
        clause="502.25(a)",
        next_step="Run the command again: the device reports its registers anew.",
    ),
    "provider.renewal-too-soon": Row(
        kind="refused",
        sentence="The device {device} got its last certificate at {issued}; its next key is certified from {first} on.",
        clause="502.28",
        next_step=(
            "Ask again from {first} on. If a key is in doubt, the Provider's officer permits it at once: "
            "towncircle device permit-renewal."
        ),
    ),
    "provider.no-reason": Row(
        kind="input",
        sentence="A permission for {device} needs its reason.",
        clause="502.28",
        next_step="Say with --reason why the key is in doubt, without names of persons.",
    ),
    "provider.not-its-keys": Row(
        kind="refused",
        sentence="The key report is not of the device {device} and its message key.",
        clause="502.28",
        next_step="Have the device report its own next key (rekey), signed by the message key it has.",
    ),
    "provider.no-such-examination": Row(
        kind="refused",
        sentence="No examination {reference} of the device {device} waits for this licensee.",
        clause="P050 2.6",
        next_step="Ask again which order waits; the Postal Service may have ordered anew.",
    ),
    "provider.case-open": Row(
        kind="refused",
        sentence="The irregularity case {case} of {device} is open: its balance neither goes back nor moves.",
        clause="P050 2.6",
        next_step=(
            "Have the device examined (towncircle examine DIR) and the case closed by two persons "
            "(towncircle cases DIR --release CASE --by STAFF --by STAFF); then ask again."
        ),
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
    "provider.balance-waiting": Row(
        kind="refused",
        sentence="The balance of the returned device {device}, {amount}, waits for {waits}.",
        clause="502.27(b)(2), (4)",
        next_step="Nothing is lost: towncircle custody sign-form DIR {device} (the Provider; a Provider that runs by "
        "'towncircle up' is stopped for it), towncircle custody arrange DIR {device} (the MATS coordinator), then: "
        "towncircle withdraw DIR --device {device}",
    ),
    "provider.no-balance-held": Row(
        kind="refused",
        sentence="No balance of the device {device} waits for its form to be signed.",
        clause="502.27(b)(2)",
        next_step="Look at it: towncircle custody show DIR",
    ),
    "provider.other-balance": Row(
        kind="refused",
        sentence="{arranged} was arranged for the device {device}; its form says {amount}.",
        clause="502.27(b)(4)",
        next_step="Nothing was credited. Compare the Form 3601-C of both parties.",
    ),
    "provider.balance-differs": Row(
        kind="broken",
        sentence="The device {device} gave back {amount}; the books have {due} in it.",
        clause="502.27(b)(1), P050 3.3",
        next_step="Nothing was credited. This is a defect: please report it with the command you ran.",
    ),
    "provider.retired": Row(
        kind="refused",
        sentence="The device {device} was retired in case {case}: it gets no postage, and its last signed reading "
        "stands.",
        clause="P050 2.6",
        next_step="Give it back (towncircle withdraw), then lease another (towncircle lease).",
    ),
}
