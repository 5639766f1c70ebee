"""Error codes of slogans and advertising art."""

from towncircle.kernel.errors import Row


def _refused(sentence: str, next_step: str) -> Row:
    return Row(kind="refused", sentence=sentence, clause="502.20(d)", next_step=next_step)


ROWS = {
    "advertising.unsuitable": _refused(
        "The art {name} is not of suitable quality: one or two lines that can be read at their printed size.",
        "Shorten it, and submit it again.",
    ),
    "advertising.taken": _refused(
        "Art was already submitted under the name {name}.", "Submit other art under another name."
    ),
    "advertising.not-submitted": _refused(
        "No art {name} of {provider} waits for a decision.", "See 'towncircle supervision DIR'."
    ),
    "advertising.not-approved": _refused(
        "The art {name} was not approved by the Postal Service, and no host gets it before.",
        "Submit it (towncircle provider art DIR NAME --line TEXT) and wait for the decision.",
    ),
}
