"""Error codes of the indicium."""

from towncircle.kernel.errors import Row

ROWS = {
    "indicium.no-such-layout": Row(
        kind="input",
        sentence="There is no layout '{layout}'.",
        clause="house",
        next_step="Use one of: {known}.",
    ),
    "indicium.empty": Row(
        kind="input",
        sentence="There is nothing to decode: no symbol that can be read, and no bytes.",
        clause="house",
        next_step="Give the bytes of one indicium, or a scan of it: flat, in focus, at 300 dpi or more.",
    ),
    "indicium.too-long": Row(
        kind="input",
        sentence="{length} bytes are more than any indicium holds (limit {limit}).",
        clause="house",
        next_step="Give the bytes of one indicium only.",
    ),
    "indicium.unknown-version": Row(
        kind="input",
        sentence="These bytes are no indicium that is known here: the version byte is {version}.",
        clause="P050 4.5",
        next_step="Check that the whole symbol was read; docs/layouts.md lists the version bytes.",
    ),
    "indicium.unknown-vendor": Row(
        kind="input",
        sentence="The version byte {version} is known, but not with this vendor.",
        clause="P050 4.5",
        next_step="docs/layouts.md lists which vendor uses which version byte.",
    ),
    "indicium.field-unreadable": Row(
        kind="input",
        sentence="The field '{field}' holds {hex}, which is not {expected}.",
        clause="P050 4.5",
        next_step="The bytes are damaged or follow another layout: read the symbol again.",
    ),
    "indicium.field-out-of-range": Row(
        kind="input",
        sentence="'{value}' does not fit the field '{field}'.",
        clause="P050 4.5",
        next_step="It takes {expected}.",
    ),
    "indicium.field-missing": Row(
        kind="input",
        sentence="The layout {layout} needs the field '{field}', which was not given.",
        clause="P050 4.5",
        next_step="Give every field that docs/layouts.md lists for {layout}.",
    ),
    "indicium.field-unknown": Row(
        kind="input",
        sentence="The layout {layout} has no field '{field}'.",
        clause="P050 4.5",
        next_step="docs/layouts.md lists the fields of {layout}.",
    ),
    "indicium.vendor-model-unknown": Row(
        kind="input",
        sentence="The layout {layout} has no code for the vendor and model of {device}.",
        clause="house",
        next_step="Use a layout that the device's model may print, or add the code to the layout file.",
    ),
    "indicium.version-not-of-layout": Row(
        kind="input",
        sentence="The version byte {version} with vendor '{vendor}' does not choose the layout {layout}.",
        clause="house",
        next_step="Leave the version out: the layout knows its own.",
    ),
    "indicium.unpackable": Row(
        kind="input",
        sentence="The values given do not fit the layout {layout} ({why}).",
        clause="house",
        next_step="Make each value with the layout's 'raw' and keep the order of its fields.",
    ),
    "indicium.signature-length": Row(
        kind="input",
        sentence="The layout {layout} needs {content} bytes and a signature of {expected}, not {got_content} + {got}.",
        clause="house",
        next_step="Sign with the scheme that the layout names.",
    ),
    "indicium.readable-unfit": Row(
        kind="input",
        sentence="The human-readable part cannot show '{value}' as {what}.",
        clause="P050 4.5",
        next_step="It takes {expected}.",
    ),
    "indicium.date-incomplete": Row(
        kind="refused",
        sentence="The indicium of First-Class Mail must show month, day and year.",
        clause="P050 4.6",
        next_step="Print the complete date; only Standard Mail may omit the day.",
    ),
}
