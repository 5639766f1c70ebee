"""Error codes of the mailpiece: weights and the page."""

from towncircle.kernel.errors import Row

ROWS = {
    "weight.unreadable": Row(
        kind="input",
        sentence="'{text}' is not a weight.",
        clause="house",
        next_step="Write a number and oz, lb or g, such as 1oz, 2.5 oz or 28g (at most four decimals).",
    ),
    "weight.no-unit": Row(
        kind="input",
        sentence="'{text}' is a weight of no unit.",
        clause="house",
        next_step="Write the unit, such as {text}oz or {text}lb; of a list: name its column weight_oz or weight_lb, or "
        "say --map weight_oz=HEADING.",
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
    "page.form-unsuited": Row(
        kind="refused",
        sentence="A {form} is not for a piece that is paid as a {shape}.",
        clause="P050 5.1",
        next_step="This form serves: {known}. Choose another form or another shape; 'towncircle forms' lists them.",
    ),
    "page.unknown-stock": Row(
        kind="input",
        sentence="'{text}' is no label stock whose sheet is known.",
        clause="house",
        next_step="Use one of: {known}.",
    ),
    "page.no-such-place": Row(
        kind="input",
        sentence="A sheet of {name} has no label {place}.",
        clause="house",
        next_step="Count the labels along the rows from the upper left: 1 to {most}.",
    ),
    "labels.no-label": Row(
        kind="refused",
        sentence="A {form} is no adhesive label.",
        clause="P050 4.3",
        next_step="Name a label or a tape; 'towncircle forms' lists them.",
    ),
    "labels.taken": Row(
        kind="refused",
        sentence="The label stock {stock} is in the register already.",
        clause="P050 4.3",
        next_step="Look it up with 'towncircle labels list'; what was withdrawn does not come back under its name.",
    ),
    "labels.not-approved": Row(
        kind="refused",
        sentence="The label stock '{stock}' is not approved on this day.",
        clause="P050 4.3, 4.9",
        next_step="Use an approved stock: {known}.",
    ),
    "labels.no-stock": Row(
        kind="refused",
        sentence="A {form} is printed on approved label stock only, and none was named.",
        clause="P050 4.3",
        next_step="Name the stock that lies in the printer (--stock): {known}.",
    ),
    "labels.other-form": Row(
        kind="refused",
        sentence="The label stock {stock} is not for a {form}.",
        clause="P050 4.3",
        next_step="Name the stock that lies in the printer, or leave --stock out for envelopes.",
    ),
    "labels.not-a-register": Row(
        kind="refused",
        sentence="What {sender} sent is no register of label stocks.",
        clause="P050 4.3",
        next_step="Take the register that the Postal Service publishes.",
    ),
    "page.no-room": Row(
        kind="refused",
        sentence="A {form} has no legal place for the indicium: {room} above the OCR read area, it needs {needs}.",
        clause="P050 4.4",
        next_step="Use a higher form, or a label on the piece.",
    ),
    "page.no-fim-room": Row(
        kind="refused",
        sentence="A {form} has no room for the FIM that its piece must bear.",
        clause="P050 4.12",
        next_step="Use a form that is 3 inches wide at least.",
    ),
    "page.unknown-raster": Row(
        kind="input",
        sentence="{dpi} dots an inch is no raster that symbols are laid out for.",
        clause="P050 4.2",
        next_step="Use one of: {known}.",
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
    "page.no-marking": Row(
        kind="input",
        sentence="'{text}' names no class of mail, so there is no marking for it.",
        clause="P050 4.11",
        next_step="Print a category of a class that is known here.",
    ),
    "page.marking-too-small": Row(
        kind="refused",
        sentence="The marking {text} cannot stand in capitals of the height of the rule in {width} by {height}; no "
        "exception is made for a small advertising area.",
        clause="P050 4.11",
        next_step="Use a larger envelope, or print the marking elsewhere and leave the area to nothing.",
    ),
}
