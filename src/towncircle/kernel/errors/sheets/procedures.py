"""Error codes of supervision: suspensions, revocations, sanctions, and what they forbid."""

from towncircle.kernel.errors import Row


def _refused(sentence: str, clause: str, next_step: str) -> Row:
    return Row(kind="refused", sentence=sentence, clause=clause, next_step=next_step)


def _input(sentence: str, clause: str, next_step: str) -> Row:
    return Row(kind="input", sentence=sentence, clause=clause, next_step=next_step)


ROWS = {
    "procedure.unknown": _refused(
        "There is no procedure '{procedure}' here.", "502.5", "See 'towncircle supervision DIR' for their names."
    ),
    "procedure.no-such-form": _input(
        "'{name}' is no procedure of suspension: it is authorization or approval.",
        "502.5, 502.13",
        "Name one of the two with --form.",
    ),
    "procedure.no-such-step": _refused(
        "The procedure {procedure} is {state} since the last step, which {by} took; '{event}' is not possible now. "
        "Possible: {legal}.",
        "502.5, 502.13",
        "Look at it with 'towncircle supervision DIR'.",
    ),
    "procedure.no-such-ground": _refused(
        "'{ground}' with '{about}' is no ground for this; there are: {known}.",
        "502.5(a)",
        "Name a ground and what it rests on: a provision of part 502 (noncompliance), the procedure of a final "
        "decision (instructions), or the facts in words.",
    ),
    "procedure.no-deficiency": _refused(
        "The notice cites no deficiency.", "502.5(c)(1)", "Name each with --deficiency TEXT."
    ),
    "procedure.no-time": _refused(
        "No time to correct the deficiencies is set.",
        "502.5(c)(1)",
        "Set it by the risk to postal revenue: --correct-by DATE. Only a willful violation under 502.5 has none.",
    ),
    "procedure.no-willful-branch": _refused(
        "A system is never suspended without an opportunity to correct: 502.13 knows no willful violation.",
        "502.13(b)(1)",
        "Propose the suspension with --correct-by; a willful Provider is a matter of 502.5.",
    ),
    "procedure.scope": _refused(
        "'{scope}' is nothing that this decision can be about; it is about one or more of: {known}.",
        "502.5(a), 502.13(b)(4)(ii)",
        "Name it as --scope 'system TC1A', 'class stand-alone', 'version DIGEST', or --scope all for an authorization.",
    ),
    "procedure.cure-running": _refused(
        "The Provider may correct the deficiencies of {procedure} until {until}.",
        "502.5(c)(1)",
        "Wait for that day, or find the deficiencies corrected.",
    ),
    "procedure.defense-open": _refused(
        "No defense in {procedure} is here, and the time for one runs until {last_day}.",
        "502.5(d)",
        "Wait for the defense or for the end of its time: without one, what was noticed takes effect by itself.",
    ),
    "procedure.no-effective-date": _refused(
        "The notice names no effective date.", "502.5(c)(2)", "Give one after the time for a defense: --effective DATE."
    ),
    "procedure.effective-early": _refused(
        "The effective date {day} lies within the time for a defense, which runs until {last}.",
        "502.5(c)(2)",
        "Name a later day, or shorten the time for a defense with --defend-by.",
    ),
    "procedure.period-longer": _refused(
        "The period may be shorter than the rule's, never longer: {day} is after {longest}.",
        "502.5(d)",
        "Name an earlier day, or none.",
    ),
    "procedure.day-past": _refused("The day {day} is past.", "502.5", "Name today or a later day."),
    "procedure.not-considered": _refused(
        "The decision does not say what was found of: {missing}.",
        "502.5(a), 502.5(b)",
        "Say it for each: --considered willful=TEXT, and so for admitted, cooperated, remedied and history.",
    ),
    "procedure.no-reasons": _input(
        "The facts and reasons are missing, or longer than {most} characters.",
        "502.5(e)",
        "Give them: --reasons TEXT, without names of persons.",
    ),
    "procedure.no-solution": _refused(
        "{procedure} is withdrawn on a solution that was found and put into practice; none is named.",
        "502.5(c)(4)(iii)",
        "Say what it is, or why nothing is left of it: --reasons TEXT.",
    ),
    "procedure.not-longer": _refused(
        "The suspension {procedure} runs until {until}; {day} does not extend it.",
        "502.5(c)(4)(i)",
        "Extend it to a later day, before it ends; after its end another procedure is needed.",
    ),
    "procedure.not-suspended": _refused(
        "Nothing of {procedure} is suspended now (it is {state}), and a revocation comes only out of a suspension.",
        "502.5(a), 502.5(b)",
        "Follow the procedure: propose, notify, decide; then revoke at the end of the suspension.",
    ),
    "procedure.receipt-impossible": _refused(
        "The notice of {procedure} cannot have been received at {at}.", "502.5(d)", "Give the instant of its receipt."
    ),
    "procedure.not-noticed": _refused(
        "No notice of {procedure} that a {kind} could answer is here.",
        "502.5(d)",
        "See 'towncircle provider notices DIR'.",
    ),
    "procedure.answer-empty": _refused(
        "A {kind} specifies its reasons and includes all supporting evidence.",
        "502.5(d)",
        "Give both: --reasons TEXT --evidence FILE.",
    ),
    "procedure.nothing-to-answer": _refused(
        "In {procedure}, which is {state}, no {kind} is possible now.",
        "502.5(d)",
        "See 'towncircle supervision DIR' for how it stands; a withdrawn decision needs no answer.",
    ),
    "procedure.too-late": _refused(
        "The {kind} in {procedure} comes too late: the last day was {last_day}.",
        "502.5(d)",
        "What was noticed or decided takes effect; other remedies are not precluded.",
    ),
    "procedure.no-appeal": _refused(
        "No appeal in {procedure} waits for a decision: it is '{appeal}'.", "502.5(e)", "Nothing is to be done."
    ),
    "procedure.same-person": _refused(
        "{person} made the decision in {procedure} and cannot decide the appeal against it.",
        "502.5(e)",
        "Let another person decide: --by NAME.",
    ),
    "procedure.in-force": _refused(
        "The {title} of {provider} is {word} ({procedure}): what it takes in is neither leased nor reset.",
        "502.5(c)(3)",
        "Devices keep evidencing the postage they hold, and can be returned; see 'towncircle provider notices DIR'.",
    ),
}
