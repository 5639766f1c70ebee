"""Error codes of the mail rooms' door."""

from towncircle.kernel.errors import Row

ROWS = {
    "door.not-proved": Row(
        kind="refused",
        sentence="Who asks did not show the secret of this licensee.",
        clause="house",
        next_step="Send it as Authorization: Bearer SECRET; it lies in door.json of the licensee's folder.",
    ),
    "door.unreadable": Row(
        kind="input",
        sentence="What was asked cannot be used: {what}.",
        clause="house",
        next_step="Send a JSON object of texts: street, city, state, zip; name, company, street2, weight, shape, "
        "department, person, pin, job.",
    ),
    "door.busy": Row(
        kind="refused",
        sentence="Other pieces are being printed, and the turn of this one did not come. Nothing was printed.",
        clause="house",
        next_step="Ask again.",
    ),
    "door.given": Row(
        kind="refused",
        sentence="The job {job} is over ({state}): its piece is not given a second time.",
        clause="P050 1.5",
        next_step="If the piece did not come out: towncircle print DIR --reprint {job} --out again. The device counts "
        "it.",
    ),
    "door.other-piece": Row(
        kind="refused",
        sentence="The job {job} is not one piece to this address.",
        clause="house",
        next_step="Ask without a job, or with the one that was made for this piece.",
    ),
    "door.other-payer": Row(
        kind="refused",
        sentence="The job {job} was begun for another department or by another person.",
        clause="house",
        next_step="Ask as the person who began it, with the PIN, or without a job.",
    ),
    "door.closed": Row(
        kind="refused",
        sentence="No door is open for {licensee}.",
        clause="house",
        next_step="Run the parties: towncircle up DIR",
    ),
}
