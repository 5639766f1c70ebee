"""Error codes of the Postal Service."""

from towncircle.kernel.errors import Row

ROWS = {
    "postal.not-the-applicant": Row(
        kind="refused",
        sentence="The enclosed application is not signed by the applicant it names ({sender}).",
        clause="P050 2.1",
        next_step="The applicant must sign and send the application.",
    ),
    "postal.not-the-provider": Row(
        kind="refused",
        sentence="{sender} transmits in the name of another Provider.",
        clause="502.20(b)",
        next_step="The Provider that serves the applicant must transmit.",
    ),
    "postal.form-incomplete": Row(
        kind="refused",
        sentence="Form 3601-A lacks the {field}.",
        clause="P050 2.1",
        next_step="Complete the form and apply again.",
    ),
    "postal.form-fictitious": Row(
        kind="refused",
        sentence="The {field} '{value}' is false or fictitious.",
        clause="P050 2.2",
        next_step="Correct it and apply again, or appeal in writing to the Manager, MTM (P050 2.4).",
    ),
    "postal.no-license": Row(
        kind="refused",
        sentence="There is no valid license {license} for {licensee}.",
        clause="502.20(c)",
        next_step="Apply for a license first (towncircle license).",
    ),
    "postal.unknown-device": Row(
        kind="refused",
        sentence="The device {device} is not in the register of {provider}.",
        clause="502.8, PRE-13",
        next_step="Check the device id; the Provider reports each installation on Form 3601-C.",
    ),
    "postal.report-out-of-order": Row(
        kind="refused",
        sentence="Report {number} does not follow report {last}.",
        clause="502.20(m)",
        next_step="Send the missing reports first.",
    ),
    "postal.report-does-not-add-up": Row(
        kind="refused",
        sentence="The report's total {total} is not the sum of its rows, {found}.",
        clause="502.20(m)",
        next_step="Correct the report and send it again under a new number.",
    ),
    "postal.already-certified": Row(
        kind="refused",
        sentence="The device {device} already has certificates for other keys.",
        clause="502.28",
        next_step="Take the device out of service first; a new device gets new certificates.",
    ),
    "postal.no-key-proof": Row(
        kind="refused",
        sentence="The device {device} did not prove that it holds the indicia key it reports.",
        clause="502.28",
        next_step="Initialise the device again, or return it as defective.",
    ),
    "postal.application-of-another": Row(
        kind="refused",
        sentence="The application id {application} belongs to another applicant.",
        clause="P050 2.1",
        next_step="Apply under a new application id.",
    ),
    "postal.not-an-audit": Row(
        kind="refused",
        sentence="What is enclosed is no audit that a device signed but a {type}.",
        clause="502.23",
        next_step="Forward the device's own audit message, unchanged.",
    ),
    "postal.not-a-lease": Row(
        kind="refused",
        sentence="What is enclosed is no signed lease but a {type}.",
        clause="502.25(c)(1)",
        next_step="Forward the licensee's signed lease, unchanged.",
    ),
    "postal.no-such-activity": Row(
        kind="refused",
        sentence="Form 3601-C knows no activity '{event}' at {at}.",
        clause="502.20(e)",
        next_step="Report installed, withdrawn, lost, stolen or recovered, when it has happened.",
    ),
    "postal.not-assigned": Row(
        kind="refused",
        sentence="The device {device} is not of the model, serials and regime that {provider} is authorised for.",
        clause="502.2",
        next_step="Use a serial number of the Provider's own assignment.",
    ),
    "postal.stale-report": Row(
        kind="refused",
        sentence="The key report of the device {device} was good until {expired}.",
        clause="502.28",
        next_step="Initialise a new device: keys that nobody asked to certify in time are not used.",
    ),
    "postal.not-certified": Row(
        kind="refused",
        sentence="No certificate was ever issued to the device {device}.",
        clause="502.28",
        next_step="Check the device id.",
    ),
    "postal.no-such-reason": Row(
        kind="input",
        sentence="'{reason}' is no reason for a revocation.",
        clause="502.28",
        next_step="Give one of: {known}.",
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
    "postal.balance-differs": Row(
        kind="refused",
        sentence="Form 3601-C credits {amount} for the device {device}, which signed {given}.",
        clause="502.27(b)(2)",
        next_step="Report the balance that the device itself has signed.",
    ),
    "postal.unsigned-form": Row(
        kind="refused",
        sentence="Section G of Form 3601-C of the device {device} is not signed by its Provider.",
        clause="502.27(b)(2)",
        next_step="Send the form signed by the Provider that checked the device out.",
    ),
    "postal.withdrawn-before": Row(
        kind="refused",
        sentence="The device {device} is withdrawn from service since {at}.",
        clause="502.20(e)",
        next_step="A device goes out of service once; check the device id.",
    ),
    "postal.out-of-service": Row(
        kind="refused",
        sentence="The device {device} is out of service since {since}: its certificates are revoked, so nothing that "
        "it signs is believed.",
        clause="502.28",
        next_step="Nothing is to be done by an order; who doubts its last reading examines it at hand.",
    ),
    "postal.life-cycle": Row(
        kind="refused",
        sentence="The device {device} is '{status}' in the register: it is not installed again under the same name.",
        clause="502.8",
        next_step="Compare its life with 'towncircle population DIR --device DEVICE'; lease another device.",
    ),
}
