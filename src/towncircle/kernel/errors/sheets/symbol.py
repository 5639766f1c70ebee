"""Error codes of the symbol room and of reading images."""

from towncircle.kernel.errors import Row

ROWS = {
    "symbol.payload-unfit": Row(
        kind="input",
        sentence="{symbology} cannot hold {what}.",
        clause="house",
        next_step="Use a smaller layout, or let the symbol choose its own size.",
    ),
    "symbol.no-such-fim": Row(
        kind="input",
        sentence="There is no facing identification mark '{letter}'.",
        clause="P050 4.12",
        next_step="Use A, B, C, D or E; an indicium takes D.",
    ),
    "symbol.postnet-digits": Row(
        kind="input",
        sentence="'{text}' cannot be a POSTNET barcode.",
        clause="house",
        next_step="Give 5, 9 or 11 digits.",
    ),
    "symbol.imb-tracking-length": Row(
        kind="input",
        sentence="The tracking code has {length} characters, not 20 (USPS code {usps_code}).",
        clause="USPS-B-3200",
        next_step="Give 2 digits of barcode id, 3 of service type, and 15 of mailer id and serial number.",
    ),
    "symbol.imb-tracking-digits": Row(
        kind="input",
        sentence="The tracking code holds something else than digits (USPS code {usps_code}).",
        clause="USPS-B-3200",
        next_step="Give 20 digits without spaces or dashes.",
    ),
    "symbol.imb-barcode-id": Row(
        kind="input",
        sentence="The second digit of the tracking code is {digit} (USPS code {usps_code}).",
        clause="USPS-B-3200",
        next_step="The second digit of the barcode id is 0 to 4.",
    ),
    "symbol.imb-routing-length": Row(
        kind="input",
        sentence="The routing code has {length} characters (USPS code {usps_code}).",
        clause="USPS-B-3200",
        next_step="Give no routing code, or 5, 9 or 11 digits.",
    ),
    "symbol.imb-routing-digits": Row(
        kind="input",
        sentence="The routing code holds something else than digits (USPS code {usps_code}).",
        clause="USPS-B-3200",
        next_step="Give no routing code, or 5, 9 or 11 digits without spaces or dashes.",
    ),
    "symbol.imb-bars": Row(
        kind="input",
        sentence="An Intelligent Mail barcode has 65 bars of A, D, F and T; these are {length} characters.",
        clause="USPS-B-3200",
        next_step="Write every bar as A (ascender), D (descender), F (full) or T (tracker).",
    ),
    "symbol.imb-unreadable": Row(
        kind="input",
        sentence="These bars are no valid Intelligent Mail barcode, upright or upside down.",
        clause="USPS-B-3200",
        next_step="At least one bar is wrong: read them again.",
    ),
    "symbol.imb-not-found": Row(
        kind="input",
        sentence="No Intelligent Mail barcode of 65 bars was found in the image.",
        clause="USPS-B-3200",
        next_step="Give the part of the image that holds the barcode, at 200 dpi or more.",
    ),
    "symbol.not-grey": Row(
        kind="input",
        sentence="Reading needs a grey image of two dimensions and 8 bits, not {what}.",
        clause="house",
        next_step="Convert the image to 8-bit grey first.",
    ),
    "symbol.too-many-pixels": Row(
        kind="input",
        sentence="The image has {pixels} pixels, more than the limit of {limit}.",
        clause="house",
        next_step="Scan at 600 dpi or less, one piece an image.",
    ),
    "symbol.none-found": Row(
        kind="input",
        sentence="No PDF417 or Data Matrix symbol was found in {file}.",
        clause="P050 4.2",
        next_step="Scan the indicium flat, in focus, at 300 dpi or more, with its blank margin around it.",
    ),
    "symbol.none-an-indicium": Row(
        kind="input",
        sentence="{count} symbol(s) were read in {file}, but none is an indicium: {why}",
        clause="P050 4.5",
        next_step="Scan the side of the piece that bears the indicium.",
    ),
    "scan.no-such-file": Row(
        kind="input",
        sentence="There is no file '{file}'.",
        clause="house",
        next_step="Check the name.",
    ),
    "scan.not-readable": Row(
        kind="input",
        sentence="The file '{file}' cannot be opened ({why}).",
        clause="house",
        next_step="Check that it is a file and that you may read it.",
    ),
    "scan.empty-file": Row(
        kind="input",
        sentence="The file '{file}' is empty.",
        clause="house",
        next_step="Scan or export it again.",
    ),
    "scan.file-too-large": Row(
        kind="input",
        sentence="The file '{file}' has {size} bytes, more than the limit of {limit}.",
        clause="house",
        next_step="Split it, or scan at a lower resolution.",
    ),
    "scan.not-an-image": Row(
        kind="input",
        sentence="The file '{file}' is no PDF, PNG, JPEG or TIFF that can be opened.",
        clause="house",
        next_step="Export it as PDF, PNG, JPEG or TIFF.",
    ),
    "scan.too-many-pixels": Row(
        kind="input",
        sentence="Page {page} of '{file}' would have {pixels} pixels, more than the limit of {limit}.",
        clause="house",
        next_step="Scan at 600 dpi or less, one piece a page.",
    ),
    "scan.too-many-pages": Row(
        kind="input",
        sentence="The file '{file}' has {pages} pages, more than the limit of {limit}.",
        clause="house",
        next_step="Split it.",
    ),
    "scan.not-a-mark": Row(
        kind="input",
        sentence="That file is no PDF, PNG, JPEG or TIFF, and its text '{text}' is not hexadecimal either.",
        clause="house",
        next_step="Give a scan, or the bytes of a mark as they are or as two hexadecimal digits a byte.",
    ),
    "scan.no-files": Row(
        kind="input",
        sentence="There is no file in the folder '{folder}'.",
        clause="house",
        next_step="Name the folder that holds the scans.",
    ),
    "scan.other-results": Row(
        kind="input",
        sentence="'{file}' does not hold the results of this run, of this folder with these options.",
        clause="house",
        next_step="Name another file with --out, or go on with the options that the run began with.",
    ),
    "scan.observed-columns": Row(
        kind="input",
        sentence="'{file}' has not the columns file, due and redate.",
        clause="house",
        next_step="Begin it with the line: file,due,redate",
    ),
    "scan.observed-row": Row(
        kind="input",
        sentence="Line {line} of '{file}' has an amount or a date that cannot be read.",
        clause="house",
        next_step="Write due as dollars such as 1.07 and redate as 2026-11-27; either may be empty.",
    ),
    "scan.not-hex": Row(
        kind="input",
        sentence="'{text}' is not hexadecimal.",
        clause="house",
        next_step="Write two digits of 0-9 and a-f a byte; spaces and line breaks do not matter.",
    ),
}
