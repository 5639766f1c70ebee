"""Error codes of written notices."""

from towncircle.kernel.errors import Row

ROWS = {
    "notice.not-one": Row(
        kind="refused",
        sentence="What {giver} handed out as a notice is none of its own.",
        clause="502.26",
        next_step="Ask again; if it stays, tell the Postal Service: it was changed on the way.",
    ),
    "notice.taken": Row(
        kind="refused",
        sentence="The notice {reference} is kept already, and says something else.",
        clause="house",
        next_step="Give each notice a name of its own.",
    ),
}
