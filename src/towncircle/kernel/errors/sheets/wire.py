"""Error codes of the wire."""

from towncircle.kernel.errors import Row

_AGAIN = "Nothing was changed. Have the sender make the message again."

ROWS = {
    "wire.unsigned": Row(
        kind="refused",
        sentence="The message carries no signature.",
        clause="502.8(b)",
        next_step=_AGAIN,
    ),
    "wire.bad-signature": Row(
        kind="refused",
        sentence="The message's signature does not match the key {key_id}: it was changed or forged.",
        clause="502.8(b)",
        next_step="Nothing was changed. If it comes again, report it as an irregularity.",
    ),
    "wire.wrong-audience": Row(
        kind="refused",
        sentence="The message is for {audience}, not for {reader}.",
        clause="house",
        next_step="Nothing was changed. Send it to the party it names.",
    ),
    "wire.expired": Row(
        kind="refused",
        sentence="The message {id} was valid until {expires}.",
        clause="house",
        next_step=_AGAIN,
    ),
    "wire.not-yet-valid": Row(
        kind="refused",
        sentence="The message {id} is valid from {issued} only.",
        clause="house",
        next_step="Nothing was changed. Check both clocks and send it again then.",
    ),
    "wire.replayed": Row(
        kind="refused",
        sentence="The message {id} (counter {counter}) is a replay.",
        clause="house",
        next_step="Nothing was changed. A new message needs a new id and the next counter.",
    ),
    "wire.conflict": Row(
        kind="refused",
        sentence="The id {id} already names a message with other content.",
        clause="house",
        next_step="Nothing was changed. Use a fresh id for a new message.",
    ),
    "wire.too-large": Row(
        kind="refused",
        sentence="The message has {size} bytes; at most {limit} are read.",
        clause="house",
        next_step="Nothing was changed. Send it in smaller parts.",
    ),
    "wire.unknown-type": Row(
        kind="refused",
        sentence="The message type {number} is not known.",
        clause="house",
        next_step="Nothing was changed. See the message page for the types; an update may be needed here.",
    ),
    "wire.unknown-version": Row(
        kind="refused",
        sentence="Version {version} of {name} is not known; version {known} is.",
        clause="house",
        next_step="Nothing was changed. Update the older of the two parties.",
    ),
    "wire.unknown-key": Row(
        kind="refused",
        sentence="The key {key_id} is not a key of {sender} for that time.",
        clause="502.28",
        next_step="Nothing was changed. The sender must use a certified key that is in force.",
    ),
    "wire.unknown-sender": Row(
        kind="refused",
        sentence="The sender '{sender}' is not known.",
        clause="502.28",
        next_step="Nothing was changed. The sender must be certified first.",
    ),
    "wire.malformed": Row(
        kind="refused",
        sentence="The message is not well formed: {why}.",
        clause="house",
        next_step=_AGAIN,
    ),
    "wire.bad-field": Row(
        kind="input",
        sentence="The field {field} is not {needed}.",
        clause="house",
        next_step="Correct the field and send it again.",
    ),
    "wire.wrong-scheme": Row(
        kind="input",
        sentence="Messages are signed with ecdsa-p256, not with {scheme}.",
        clause="502.8(b)",
        next_step="Use the party's message key.",
    ),
    "wire.trust-list-wrong": Row(
        kind="refused",
        sentence="The trust list is not what its root may sign: {why}",
        clause="502.28",
        next_step="Do not use it. Load the Postal Service's trust list again, and report it if it comes again.",
    ),
    "wire.trust-list-old": Row(
        kind="refused",
        sentence="Trust list {number} does not stand now: list {last} was seen already, and it holds until {due}.",
        clause="502.28",
        next_step="Load the Postal Service's latest trust list, and check the clock.",
    ),
    "wire.cannot-encode": Row(
        kind="broken",
        sentence="A message holds what cannot be written: {what}.",
        clause="house",
        next_step="This is a defect: please report it with the command you ran.",
    ),
}
