"""Error codes of Providers and their products: qualification, submission, approval, change."""

from towncircle.kernel.errors import Row


def _refused(sentence: str, clause: str, next_step: str) -> Row:
    return Row(kind="refused", sentence=sentence, clause=clause, next_step=next_step)


def _input(sentence: str, clause: str, next_step: str) -> Row:
    return Row(kind="input", sentence=sentence, clause=clause, next_step=next_step)


ROWS = {
    "product.no-such-step": _input(
        "There is no step '{name}'; there are {known}.", "502.9", "Name one of them with --step."
    ),
    "product.no-paper": _refused("No paper shows it: {does}.", "502.9", "Add it: --document FILE --reference REF"),
    "product.step-open": _refused("Open: {does}.", "502.9", "Record its paper."),
    "product.steps-open": _refused(
        "For {what}, {count} steps are open.", "502.9", "Record the paper of each, then try again."
    ),
    "product.not-authorized": _refused(
        "{provider} is not authorized in writing (it stands as {state}): none of its devices is certified, "
        "and no system of it approved.",
        "502.2",
        "Complete its qualification: towncircle products qualify, then towncircle products authorize",
    ),
    "product.control-open": _refused(
        "Control of {provider} changes, and the evidence of who acquires it is not here.",
        "502.3",
        "Record it: towncircle products qualify DIR PROVIDER --step control --document FILE",
    ),
    "product.bad-build": _input(
        "'{text}' is no digest of a build: 64 digits from 0 to f.", "502.11", "Give it as 'towncircle device' shows it."
    ),
    "product.no-such-class": _input(
        "'{text}' is no class of systems; there are {known}.", "502.6", "Name one with --class."
    ),
    "product.not-identical": _refused(
        "The system is of build {ours} here and of build {theirs} there: they are not identical.",
        "502.12(c)",
        "Submit an identical system to both.",
    ),
    "product.not-simultaneous": _refused(
        "One of the two systems was submitted on {theirs} and the other on {ours}: not simultaneously.",
        "502.12(c)",
        "Submit both again on one day.",
    ),
    "product.not-submitted": _refused(
        "The system {system} of {provider} was not submitted.", "502.9", "Begin with --step letter-of-intent."
    ),
    "product.system-not-approved": _refused(
        "The system {system} of {provider} is not approved: none of its devices is certified.",
        "502.11, 502.12",
        "Submit it, from --step letter-of-intent to --step testing: towncircle products submit; "
        "then: towncircle products approve",
    ),
    "product.build-not-approved": _refused(
        "The build {build} of the system {system} is not approved for {provider}: no device is certified that runs it.",
        "502.11",
        "Hand it over and have it tested: towncircle products submit --step product, laboratory, testing; "
        "then: towncircle products change --build",
    ),
    "product.not-approved": _refused(
        "The system {system} of {provider} is not approved, so nothing of it is changed after approval.",
        "502.11",
        "Approve it first.",
    ),
}
