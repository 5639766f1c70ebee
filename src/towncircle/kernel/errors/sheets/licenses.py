"""Error codes of licenses after they were issued: refusals of 2.2, revocations, appeals, changed data."""

from towncircle.kernel.errors import Row


def _ground(sentence: str, clause: str) -> Row:
    return Row(
        kind="refused",
        sentence=sentence + " {particulars}",
        clause=clause,
        next_step="Give the device back (towncircle withdraw), or appeal to the Manager, MTM "
        "(towncircle license DIR appeal, P050 2.4).",
    )


ROWS = {
    "license.revoked-illegal-use": _ground(
        "The device is used for an illegal scheme, or there is probable cause to believe in a use in violation.",
        "P050 2.3(a)",
    ),
    "license.revoked-not-reset": _ground("The device was not reset or audited within the time set.", "P050 2.3(b)"),
    "license.revoked-control": _ground(
        "Sufficient control of the device is not exercised, or the standards for its care or use are not followed.",
        "P050 2.3(c)",
    ),
    "license.revoked-abroad": _ground(
        "The device is kept or used outside the United States, its territories and possessions, without approval.",
        "P050 2.3(d)",
    ),
    "license.revoked-other-office": _ground(
        "Mail is deposited at other than the licensing post office, and neither P050 5.0 nor D072 permits it.",
        "P050 2.3(e)",
    ),
    "license.revoked-no-quality-piece": _ground(
        "No mailpiece was forwarded for quality assurance as 2.5(h) requires.", "P050 2.3(f)"
    ),
    "license.revoked-before": Row(
        kind="refused",
        sentence="A license of this applicant, {license}, was revoked on {day}, less than the look-back before this "
        "application.",
        clause="P050 2.2",
        next_step="Apply after {until}, or appeal in writing to the Manager, MTM (P050 2.4).",
    ),
    "license.believed-violation": Row(
        kind="refused",
        sentence="There is sufficient reason to believe that the device is to be used in violation of the standards "
        "(caution {caution}).",
        clause="P050 2.2",
        next_step="Appeal in writing to the Manager, MTM (P050 2.4).",
    ),
    "license.no-such-ground": Row(
        kind="input",
        sentence="'{ground}' is no ground for a revocation.",
        clause="P050 2.3",
        next_step="Give one or more of: {known}.",
    ),
    "license.no-grounds": Row(
        kind="input",
        sentence="A revocation names its grounds, and each has particulars.",
        clause="P050 2.3",
        next_step="Give --ground GROUND=PARTICULARS, once for each ground.",
    ),
    "license.ground-not-shown": Row(
        kind="refused",
        sentence="The records of the Postal Service do not show the ground '{ground}' for the license {license}.",
        clause="P050 2.3",
        next_step="Look at towncircle deadlines DIR --party postal.usps, or revoke on a ground that is shown.",
    ),
    "license.permitted": Row(
        kind="refused",
        sentence="The license {license} has an authorization in force, '{permit}', until {until}: this is no ground.",
        clause="P050 2.3(d)",
        next_step="Withdraw the authorization first: towncircle licenses DIR end-permit LICENSE --permit KIND.",
    ),
    "license.no-such-permit": Row(
        kind="input",
        sentence="'{text}' is no kind of authorization.",
        clause="P050 2.3(d)",
        next_step="Give one of: {known}.",
    ),
    "license.permit-ended": Row(
        kind="input",
        sentence="An authorization up to {day} would have ended before it begins.",
        clause="P050 2.3(d)",
        next_step="Give --until DATE, today or later.",
    ),
    "license.no-permit": Row(
        kind="refused",
        sentence="The license {license} has no authorization '{permit}' that could be withdrawn.",
        clause="P050 2.3(d)",
        next_step="Look at the list: towncircle licenses DIR.",
    ),
    "license.unknown": Row(
        kind="refused",
        sentence="There is no license or application {about} of this party.",
        clause="P050 2.1",
        next_step="Check the number: towncircle licenses DIR lists them.",
    ),
    "license.not-valid": Row(
        kind="refused",
        sentence="The license {license} is {state} since {at}, by decision {decision}.",
        clause="P050 2.3",
        next_step="Nothing is revoked or revised twice; appeals are under P050 2.4.",
    ),
    "license.nothing-to-decline": Row(
        kind="refused",
        sentence="No noncompliance of the license {license} was reported that is undecided.",
        clause="P050 2.3(f)",
        next_step="Look at towncircle deadlines DIR --party postal.usps.",
    ),
    "license.receipt-known": Row(
        kind="refused",
        sentence="The decision about {about} was received on {day}; a decision is received once.",
        clause="P050 2.4",
        next_step="Nothing is to be done.",
    ),
    "license.receipt-impossible": Row(
        kind="input",
        sentence="The decision about {about} was made on {made} and cannot have been received on {day}.",
        clause="P050 2.4",
        next_step="Give the day that the return receipt shows.",
    ),
    "license.nothing-to-appeal": Row(
        kind="refused",
        sentence="There is no refusal or revocation about {about} against which to appeal.",
        clause="P050 2.4",
        next_step="Name the refused application or the revoked license.",
    ),
    "license.no-notice": Row(
        kind="refused",
        sentence="No refusal or revocation about {about} was decided, so there is no notice of one.",
        clause="P050 2.3(g)",
        next_step="The license itself is Form 3601-B: towncircle license DIR forms",
    ),
    "license.appeal-late": Row(
        kind="refused",
        sentence="The last day for an appeal about {about} was {last_day}; the decision stands.",
        clause="P050 2.4",
        next_step="Apply again when the grounds have fallen away.",
    ),
    "license.appeal-filed": Row(
        kind="refused",
        sentence="An appeal about {about} is on the docket already: {docket}.",
        clause="P050 2.4",
        next_step="Wait for the decision: towncircle license DIR standing",
    ),
    "license.appeal-empty": Row(
        kind="input",
        sentence="An appeal is in writing: it gives its reasons, in at most {most} characters.",
        clause="P050 2.4",
        next_step="Give --reasons TEXT.",
    ),
    "license.no-such-docket": Row(
        kind="refused",
        sentence="There is no open appeal under the docket {docket}.",
        clause="P050 2.4",
        next_step="See towncircle licenses DIR.",
    ),
    "license.same-person": Row(
        kind="refused",
        sentence="{person} made the decision about {about}; an appeal is decided by another person.",
        clause="P050 2.4 (house)",
        next_step="Have the Manager, MTM, decide (--by).",
    ),
    "license.lease-cancelled": Row(
        kind="refused",
        sentence="The lease of the device {device} was cancelled at {at}: the license {license} was revoked by "
        "decision {decision}.",
        clause="502.20(h), P050 2.3",
        next_step="Give the device back (towncircle withdraw); what it holds is credited. A reset that was authorised "
        "before stands.",
    ),
    "license.revoked-here": Row(
        kind="refused",
        sentence="The license {license} was revoked by decision {decision}: nothing is leased under it.",
        clause="P050 2.3, 502.20(c)",
        next_step="Appeal (towncircle license DIR appeal), or apply again when the grounds have fallen away.",
    ),
    "license.given-up": Row(
        kind="refused",
        sentence="The license {license} was given up: a replacement is issued under a license of the new post office.",
        clause="P050 2.5(e)",
        next_step="Be licensed at the new post office: towncircle license DIR move --office-zip ZIP",
    ),
    "license.device-in-service": Row(
        kind="refused",
        sentence="The device {device} is in service under the license {license}: it must be checked out first.",
        clause="P050 2.5(e)",
        next_step="Give it back (towncircle withdraw), then give the license up.",
    ),
    "license.data-fictitious": Row(
        kind="refused",
        sentence="The stated Form 3601-A data of the license {license} cannot be taken; every ground is named.",
        clause="P050 2.5(e), P050 2.2",
        next_step="Mend the grounds and state the data again.",
    ),
    "license.not-the-licensee": Row(
        kind="refused",
        sentence="{sender} does not hold the license {license}, or transmits in the name of another.",
        clause="P050 2.5(d), PRE-07",
        next_step="The licensee must sign what it states of its own license, and its Provider transmit it.",
    ),
    "license.data-open": Row(
        kind="refused",
        sentence="The data of the license {license} are known to be old: the change {statement} was not notified.",
        clause="P050 2.5(d)",
        next_step="Notify it: towncircle license DIR revise",
    ),
    "license.no-change": Row(
        kind="input",
        sentence="Nothing of the Form 3601-A data of the license {license} is given that differs.",
        clause="P050 2.5(d)",
        next_step="Give what changed, such as --telephone TEXT; or verify: towncircle license DIR verify",
    ),
    "license.same-office": Row(
        kind="input",
        sentence="The license {license} is of the post office {office_zip} already.",
        clause="P050 2.5(e)",
        next_step="Give --office-zip of the new post office.",
    ),
    "license.on-file": Row(
        kind="refused",
        sentence="{licensee} holds the license {license} at that post office already.",
        clause="P050 2.1, PRE-09",
        next_step="Nothing is to be done: one license serves all its systems there.",
    ),
    "license.no-such-person": Row(
        kind="input",
        sentence="'{licensee}' is no party that can hold a license.",
        clause="P050 2.1",
        next_step="Name a licensee, such as licensee.mailroom.",
    ),
}
