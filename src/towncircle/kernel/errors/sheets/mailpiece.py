"""Error codes of the mailpiece: weights, rates and the page."""

from towncircle.kernel.errors import Row

ROWS = {
    "weight.unreadable": Row(
        kind="input",
        sentence="'{text}' is not a weight.",
        clause="house",
        next_step="Write a number and oz, lb or g, such as 1oz, 2.5 oz or 28g (at most four decimals).",
    ),
    "weight.not-positive": Row(
        kind="input",
        sentence="A weight of '{text}' is not possible: every mailpiece weighs something.",
        clause="house",
        next_step="Weigh the piece and give a number above zero, such as 1oz.",
    ),
    "weight.too-heavy": Row(
        kind="input",
        sentence="'{text}' is over 70 lb, which is no mailpiece.",
        clause="house",
        next_step="Check the unit: 1oz, 0.5lb or 28g.",
    ),
    "rates.unknown-class": Row(
        kind="input",
        sentence="'{text}' is not a mail class that is priced here.",
        clause="P050 1.4",
        next_step="Use 'first' (First-Class Mail).",
    ),
    "rates.unknown-shape": Row(
        kind="input",
        sentence="'{text}' is not a shape.",
        clause="P050 1.4",
        next_step="Use letter, flat or card.",
    ),
    "rates.unknown-type": Row(
        kind="input",
        sentence="'{text}' is not a price type.",
        clause="house",
        next_step="Use metered, stamped or retail.",
    ),
    "rates.unknown-category": Row(
        kind="input",
        sentence="'{text}' is not a category code of this house.",
        clause="P050 4.5",
        next_step="Codes look like FCLM: F, C or N, the shape L, F or C, the price type S, M, R or A.",
    ),
    "rates.before-tables": Row(
        kind="refused",
        sentence="No price is known for {on}: the first table starts on {first}.",
        clause="P050 1.5",
        next_step="Choose a date on or after {first}.",
    ),
    "rates.after-tables": Row(
        kind="refused",
        sentence="No price is known for {on}: the last table answers through {last} and prices are not guessed.",
        clause="P050 1.5",
        next_step="Update towncircle to a release with newer prices, or choose an earlier date.",
    ),
    "rates.no-table": Row(
        kind="refused",
        sentence="No price is known for {on}: it lies between the tables.",
        clause="P050 1.5",
        next_step="Tables answer these dates: {known}.",
    ),
    "rates.not-found": Row(
        kind="refused",
        sentence="No price is known for {what} on {on} ({note}). It is not guessed.",
        clause="P050 1.5",
        next_step="Ask the post office for the price, or choose another weight, shape or date.",
    ),
    "rates.no-such-type": Row(
        kind="refused",
        sentence="There is no {text} price for a {shape} in this table.",
        clause="P050 1.5",
        next_step="Price types of this shape: {known}.",
    ),
    "rates.letter-too-heavy": Row(
        kind="refused",
        sentence="A letter of {weight} is over {most}: it is priced as a flat.",
        clause="P050 1.5",
        next_step="Use the shape flat.",
    ),
    "rates.too-heavy": Row(
        kind="refused",
        sentence="No price is known for a {shape} of {weight}: table {table} ends at {most}.",
        clause="P050 1.5",
        next_step="Choose a weight up to {most}, or ask the post office for the price.",
    ),
    "rates.card-too-heavy": Row(
        kind="refused",
        sentence="A card of {weight} is over {most}: it is not priced as a card.",
        clause="house",
        next_step="Use the shape letter.",
    ),
    "rates.nonmachinable-letters-only": Row(
        kind="refused",
        sentence="The nonmachinable surcharge is for letters, not for a {shape}.",
        clause="house",
        next_step="Leave the surcharge out.",
    ),
    "page.unknown-form": Row(
        kind="input",
        sentence="'{text}' is not a form of mailpiece.",
        clause="house",
        next_step="Use one of: {known}.",
    ),
    "page.does-not-fit": Row(
        kind="input",
        sentence="'{text}' does not fit into the {what} at a legible size.",
        clause="P050 4.2",
        next_step="Shorten it, or leave the art out; a town circle may name the mailer's ZIP Code instead (P050 4.5).",
    ),
    "page.symbol-too-large": Row(
        kind="refused",
        sentence="A symbol of {columns} by {rows} modules does not fit beside the FIM with modules of two dots.",
        clause="P050 4.4",
        next_step="Use a smaller layout, or more columns and fewer rows.",
    ),
    "page.wrong-side": Row(
        kind="refused",
        sentence="An impression of kind '{kind}' belongs on the {side} side.",
        clause="P050 4.8, 4.9",
        next_step="Lay out the {side} side.",
    ),
    "page.symbol-missing": Row(
        kind="refused",
        sentence="An impression of kind '{kind}' bears the two-dimensional symbol.",
        clause="P050 4.9",
        next_step="Give the symbol.",
    ),
    "page.symbol-forbidden": Row(
        kind="refused",
        sentence="An impression of kind '{kind}' must not bear the two-dimensional symbol.",
        clause="P050 4.8",
        next_step="Leave the symbol out.",
    ),
    "page.lints": Row(
        kind="refused",
        sentence="The page breaks rules of layout.",
        clause="P050 4.0",
        next_step="Nothing was signed or printed. Correct what is named.",
    ),
    "page.lint": Row(
        kind="refused",
        sentence="{what}",
        clause="P050 4.0",
        next_step="Correct the layout.",
    ),
}
