"""Error codes of what comes down with a connection: rate tables, software; and of systems that end."""

from towncircle.kernel.errors import Row

ROWS = {
    "updates.file-unreadable": Row(
        kind="input",
        sentence="The rate file cannot be read: {what}.",
        clause="IMI-03",
        next_step="Write it as docs/rate-tables.md describes: towncircle rates read FILE checks it.",
    ),
    "updates.file-faulty": Row(
        kind="refused",
        sentence="The rate file has {count} faults, so nothing of it was taken.",
        clause="IMI-03",
        next_step="Mend what is named; docs/rate-tables.md says what a file holds.",
    ),
    "updates.file-row": Row(
        kind="input",
        sentence="{where}: {what}.",
        clause="IMI-03",
        next_step="Mend it as docs/rate-tables.md describes: towncircle rates read FILE checks the file again.",
    ),
    "updates.file-totals": Row(
        kind="input",
        sentence="The rate file says {lines} lines and {total}; it has {counted_lines} and {counted_total}.",
        clause="IMI-03",
        next_step="Fetch the file again: something was lost or changed on the way.",
    ),
    "updates.file-size": Row(
        kind="input",
        sentence="The rate file has {size} bytes; {limit} can be published.",
        clause="IMI-03 (house)",
        next_step="Publish fewer lines in one table.",
    ),
    "updates.too-late": Row(
        kind="refused",
        sentence="A table for {first} had to be published by {ready}: not every host connects before its first day.",
        clause="IMI-03",
        next_step="Say why it is late: towncircle rates publish DIR FILE --late REASON",
    ),
    "updates.not-the-provider": Row(
        kind="refused",
        sentence="The table is of {sender}; this device is leased from {provider}.",
        clause="IMI-03",
        next_step="Take tables from the Provider of the device alone; connect again.",
    ),
    "updates.other-day": Row(
        kind="refused",
        sentence="The table begins on {first}, and its message says {told}.",
        clause="IMI-03",
        next_step="Tell the Provider; the table is not used.",
    ),
    "updates.changed": Row(
        kind="refused",
        sentence="Table {number} of {provider} is not the one that was taken under this number.",
        clause="IMI-03",
        next_step="Tell the Provider: a published table is never changed, a new one has a higher number.",
    ),
    "updates.not-filed": Row(
        kind="refused",
        sentence="There is no table {number} of {provider} on file.",
        clause="P050 1.5",
        next_step="See which ones are: `towncircle rates filed DIR`.",
    ),
    "updates.not-accepted": Row(
        kind="refused",
        sentence="Table {number} of {provider} was not accepted, so no acceptance of it is withdrawn.",
        clause="P050 1.5",
        next_step="See which ones are: `towncircle rates filed DIR`.",
    ),
    "updates.not-withdrawn": Row(
        kind="refused",
        sentence="The acceptance of table {number} of {provider} is not withdrawn, so there is no notice of it.",
        clause="P050 1.5",
        next_step="See how it stands: `towncircle rates filed DIR`.",
    ),
    "updates.withdrawn": Row(
        kind="refused",
        sentence="Table {number} of {provider} stands as accepted through {through} already, and hosts go by it.",
        clause="P050 1.5",
        next_step="That stays: its notice has run. For other prices the Provider publishes another table.",
    ),
    "updates.withdrawn-too-late": Row(
        kind="refused",
        sentence="An acceptance that ends with {through} had to be withdrawn by {ready}: hosts connect after it.",
        clause="P050 1.5 (house)",
        next_step="Name a later day with --through.",
    ),
    "updates.no-reasons": Row(
        kind="input",
        sentence="The withdrawal of table {number} gives no reasons, or more than 2,000 characters.",
        clause="P050 1.5 (house)",
        next_step="Give them with --reasons; they go to the Provider.",
    ),
    "updates.batch-open": Row(
        kind="refused",
        sentence="A print job is open ({jobs}): nothing is changed during a batch.",
        clause="IMI-03",
        next_step="Finish it (towncircle print DIR --out OUT --resume), then connect again.",
    ),
    "software.bad-build": Row(
        kind="input",
        sentence="Version {version} of build '{build}' cannot be approved as told.",
        clause="502.11",
        next_step="Give a version from 1, the SHA-256 of the manifest, and what is new (at most 2,000 characters).",
    ),
    "software.build-known": Row(
        kind="refused",
        sentence="The build {build} is approved already, as version {version}.",
        clause="502.11",
        next_step="Stage that version.",
    ),
    "software.not-submitted": Row(
        kind="refused",
        sentence="The build {build} of {model} is approved in writing for no Provider: its submission is open.",
        clause="502.11, 502.12, IMI-03",
        next_step="Hand it over and have it tested: towncircle products submit --step product, laboratory, testing; "
        "then: towncircle products change",
    ),
    "software.version-lower": Row(
        kind="refused",
        sentence="Version {version} of {model} is not higher than {highest}, which is approved.",
        clause="IMI-03, 502.11",
        next_step="Approve it under a higher version; versions only rise.",
    ),
    "software.bad-stage": Row(
        kind="input",
        sentence="A release cannot be staged to {percent} percent by {install_by}.",
        clause="IMI-03",
        next_step="Give 0 to 100 percent and a day that is not past.",
    ),
    "software.no-release": Row(
        kind="refused",
        sentence="No version {version} is released here; known: {known}.",
        clause="IMI-03",
        next_step="Have the build approved first: towncircle software approve DIR",
    ),
    "software.halted": Row(
        kind="refused",
        sentence="Version {version} was halted: {reason}",
        clause="IMI-03",
        next_step="Have a mended build approved under a higher version.",
    ),
    "software.stage-shrinks": Row(
        kind="refused",
        sentence="Version {version} is staged to {now} percent already; {percent} would leave some out.",
        clause="IMI-03",
        next_step="Stage it to more, or halt it: towncircle software halt DIR VERSION --reason TEXT",
    ),
    "software.no-reason": Row(
        kind="input",
        sentence="A release is halted for a reason.",
        clause="IMI-03",
        next_step="Say it: --reason TEXT",
    ),
}
