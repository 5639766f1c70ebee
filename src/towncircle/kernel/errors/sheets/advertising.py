"""Error codes of slogans and advertising art."""

from towncircle.kernel.errors import Row


def _refused(sentence: str, next_step: str) -> Row:
    return Row(kind="refused", sentence=sentence, clause="502.20(d), P050 4.10", next_step=next_step)


ROWS = {
    "advertising.unsuitable": _refused(
        "The art {name} is not of suitable quality: one or two lines that can be read at their printed "
        "size, or a picture.",
        "Shorten it, and submit it again.",
    ),
    "advertising.taken": _refused(
        "Art was already submitted under the name {name}.", "Submit other art under another name."
    ),
    "advertising.not-submitted": _refused(
        "No art {name} of {provider} waits for a decision.", "See 'towncircle supervision DIR'."
    ),
    "advertising.not-examined": _refused(
        "The content of the art {name} was not examined: nothing that is {forbidden} is printed.",
        "Look at it, and say so (towncircle products approve-art ... --examined), or refuse it.",
    ),
    "advertising.no-ground": _refused(
        "The art {name} is refused on a ground of the rule.", "Give --ground, one of: {known}."
    ),
    "advertising.not-the-approved": _refused(
        "The art {name} is not what the Postal Service has approved, to the dot, and is not printed.",
        "Fetch it from the Provider again (towncircle provider supply-art DIR NAME).",
    ),
    "advertising.not-approved": _refused(
        "The art {name} was not approved by the Postal Service, and no host gets it before.",
        "Submit it (towncircle provider art DIR NAME --line TEXT) and wait for the decision.",
    ),
}
