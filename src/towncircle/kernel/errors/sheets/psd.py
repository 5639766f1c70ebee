"""Error codes of the device."""

from towncircle.kernel.errors import Row

ROWS = {
    "psd.locked": Row(
        kind="refused",
        sentence="The device {device} is locked since {since}: {reason}.",
        clause="P050 3.4, IMI-01",
        next_step="Contact the Provider (towncircle status DIR --contact): the device opens and nothing is lost. "
        "Possible now: {legal}.",
    ),
    "psd.faulted": Row(
        kind="refused",
        sentence="The device {device} is faulted since {since}: {reason}. It signs nothing.",
        clause="P050 2.7",
        next_step="Where it says that its host's process failed, or its program is not the one that was built, end "
        "that process (towncircle device serve-wan, serve-lan) and start it again: the device goes on. Otherwise "
        "return it to the Provider; its last signed reading counts. Possible now: {legal}.",
    ),
    "psd.clock-back": Row(
        kind="refused",
        sentence="The clock says {now}, but the device was already used at {high_water}.",
        clause="house",
        next_step=(
            "Set the clock right. If it had run ahead before, contact the Provider: its signed time sets the "
            "device right."
        ),
    ),
    "psd.over-cap": Row(
        kind="refused",
        sentence="A reset of {amount} on a balance of {descending} would pass the cap of {cap}.",
        clause="P050 3.6",
        next_step="Ask for at most {room}, or evidence postage first.",
    ),
    "psd.funds-short": Row(
        kind="refused",
        sentence="The batch needs {amount}, the descending register holds {descending}.",
        clause="P050 3.2",
        next_step="Reset the device, or send a smaller batch. Nothing was debited.",
    ),
    "psd.ascending-full": Row(
        kind="refused",
        sentence="The ascending register stands at {ascending} and would pass its 40 bits.",
        clause="PRE-12",
        next_step="The device has served its life: withdraw it and lease another.",
    ),
    "psd.pieces-full": Row(
        kind="refused",
        sentence="The piece register stands at {pieces} and would overflow.",
        clause="house",
        next_step="The device has served its life: withdraw it and lease another.",
    ),
    "psd.registers-broken": Row(
        kind="broken",
        sentence="The law of the registers is broken: {what}.",
        clause="502.8(b)",
        next_step="The device signs nothing any more. Return it to the Provider with its store as it is.",
    ),
    "psd.selftest-failed": Row(
        kind="broken",
        sentence="The self-test '{name}' failed.",
        clause="502.8(b)",
        next_step="Nothing is signed any more in this process. End it (of hosted devices towncircle device serve-wan) "
        "and start it again: a device that then still says psd.faulted goes back to the Provider, all others go on.",
    ),
    "psd.pairwise-failed": Row(
        kind="broken",
        sentence="The new {scheme} key failed its pairwise test.",
        clause="502.8(b)",
        next_step="No key was kept, and the device signs nothing any more. Return it to the Provider; its last signed "
        "reading counts. Where it is hosted, end towncircle device serve-wan and start it again: the others go on.",
    ),
    "psd.renewal-stale": Row(
        kind="refused",
        sentence="The renewal answers audit {answers}; the device waits for an answer to {expected}.",
        clause="P050 3.4",
        next_step="Ask the device for a new audit and send it to the Provider.",
    ),
    "psd.settle-unknown": Row(
        kind="refused",
        sentence="The renewal settles the reset request {request}, which is not open here.",
        clause="502.25(a)",
        next_step="Ask the device for a new audit: it tells what was applied.",
    ),
    "psd.parameters-unusable": Row(
        kind="refused",
        sentence="The device cannot keep these parameters: {what}.",
        clause="P050 3.1",
        next_step="Have the Provider sign parameters that fit this device.",
    ),
    "psd.amount-zero": Row(
        kind="input",
        sentence="Piece {piece} of the batch is to pay nothing: an indicium shows an amount above zero.",
        clause="P050 1.5",
        next_step="Give each piece its postage. A date correction bears no indicium and asks no device (P050 4.8).",
    ),
    "psd.amount-over-limit": Row(
        kind="input",
        sentence="{amount} is over the keyed-in postage limit of one piece, {limit}.",
        clause="P050 1.5 (house)",
        next_step="Give at most the limit that the Provider signed into the device. Nothing was debited.",
    ),
    "psd.amount-out-of-range": Row(
        kind="input",
        sentence="{amount} is not an amount from $0.001 to {limit}.",
        clause="P050 4.5",
        next_step="Give an amount within the limit. Nothing was debited.",
    ),
    "psd.reset-open": Row(
        kind="refused",
        sentence="Credit pending: the reset {request} of {amount} is not finished.",
        clause="502.25(a)",
        next_step="Connect to the Provider: it finishes or refuses that reset first.",
    ),
    "psd.reset-not-mine": Row(
        kind="refused",
        sentence="The reset authorisation is for {device}, this device is {mine}.",
        clause="502.25(a)",
        next_step="Give it to the device it names.",
    ),
    "psd.reset-unknown": Row(
        kind="refused",
        sentence="The reset request {request} is not open here.",
        clause="502.25(a)",
        next_step="Ask the device for an audit and send it to the Provider: its signed reading settles the reset.",
    ),
    "psd.reset-mismatch": Row(
        kind="refused",
        sentence="The authorisation of {request} over {amount} is not what was asked ({asked}).",
        clause="502.25(a)",
        next_step="Nothing was credited. Report it as an irregularity.",
    ),
    "psd.not-this-device": Row(
        kind="refused",
        sentence="The order is for {device}, this device is {mine}.",
        clause="house",
        next_step="Give it to the device it names.",
    ),
    "psd.wrong-root": Row(
        kind="refused",
        sentence="The order names the root {given}, this device trusts {pinned}.",
        clause="502.28",
        next_step="Use the Provider and the root that the device was made for.",
    ),
    "psd.wrong-order": Row(
        kind="refused",
        sentence="'{verb}' does not take a {got} from that sender.",
        clause="house",
        next_step="Give the message to the command it is for.",
    ),
    "psd.certificate-refused": Row(
        kind="refused",
        sentence="The certificate for {purpose} is refused: {what}",
        clause="502.28",
        next_step="Have the Postal Service certify the keys of this device under its root.",
    ),
    "psd.not-certified": Row(
        kind="refused",
        sentence="The device {device} has no certificate yet.",
        clause="502.28",
        next_step="Certify it first.",
    ),
    "psd.certificate-not-in-force": Row(
        kind="refused",
        sentence="The certificate {serial} is in force from {begins} to {ends} only.",
        clause="502.28",
        next_step="Have the device certified anew through the Provider.",
    ),
    "psd.batch-size": Row(
        kind="input",
        sentence="A batch of {count} pieces is not possible: 1 to {limit}, with one value of each field a piece.",
        clause="house",
        next_step="Send the pieces in batches of at most {limit}, each under its own id.",
    ),
    "psd.request-id": Row(
        kind="input",
        sentence="'{text}' is not a request id.",
        clause="house",
        next_step="Use 1 to 64 letters, digits, dots, colons, dashes or underscores, a fresh one for each batch.",
    ),
    "psd.request-conflict": Row(
        kind="refused",
        sentence="The request id {request} already names another content.",
        clause="house",
        next_step="Use a fresh id for a new batch; to get the first answer again, ask recover.",
    ),
    "psd.request-unknown": Row(
        kind="refused",
        sentence="The device knows no request {request}.",
        clause="house",
        next_step="Nothing was debited under this id: send the evidence command itself.",
    ),
    "psd.no-such-piece": Row(
        kind="input",
        sentence="The batch {request} has {count} pieces; one of these is not in it.",
        clause="house",
        next_step="Count the pieces of the batch from 0.",
    ),
    "psd.date-unreadable": Row(
        kind="input",
        sentence="'{text}' is not a mailing date.",
        clause="P050 4.6",
        next_step="Write it like 2026-11-21.",
    ),
    "psd.date-refused": Row(
        kind="refused",
        sentence="The mailing date {date} is not from {first} to {last} ({zone}).",
        clause="P050 4.7",
        next_step="Use the date of deposit, or of the next scheduled collection.",
    ),
    "psd.field-not-from-host": Row(
        kind="input",
        sentence="The device knows its own {field} and takes it from nobody.",
        clause="502.8(b)",
        next_step="Leave the field out.",
    ),
    "psd.field-unknown": Row(
        kind="input",
        sentence="The layout {layout} has no field '{field}'.",
        clause="house",
        next_step="Leave the field out, or have another layout authorised.",
    ),
    "psd.field-missing": Row(
        kind="input",
        sentence="The layout {layout} needs the field {field}.",
        clause="P050 4.5",
        next_step="Give one value a piece.",
    ),
    "psd.layout-repeats": Row(
        kind="broken",
        sentence="The layout {layout} has neither a piece counter nor an ascending register.",
        clause="house",
        next_step="Two of its indicia could be alike: use another layout.",
    ),
    "psd.usage-full": Row(
        kind="refused",
        sentence="The device holds {rows} usage rows that no contact has fetched.",
        clause="IMI-02",
        next_step="Contact the Provider (audit, then renewal).",
    ),
    "psd.zeroise-unconfirmed": Row(
        kind="input",
        sentence="Destroying the keys of {device} needs its id as a confirmation.",
        clause="502.28",
        next_step="Repeat the device id exactly.",
    ),
    "psd.malformed": Row(
        kind="input",
        sentence="The device cannot read this: {what}.",
        clause="house",
        next_step="Nothing was changed.",
    ),
    "psd.too-large": Row(
        kind="input",
        sentence="The command has {size} bytes; at most {limit} are read.",
        clause="house",
        next_step="Send smaller batches.",
    ),
    "psd.restarting": Row(
        kind="refused",
        sentence="The device's process does not run and is being started again: {what}.",
        clause="house",
        next_step="Nothing of the command was run. Send it again in {seconds} s; if it goes on, see to the host.",
    ),
    "psd.interrupted": Row(
        kind="refused",
        sentence="The device's process ended with this command under way; nobody knows whether it was run.",
        clause="house",
        next_step=(
            "Send the same command again, under the same request id: it was started anew, and what was run before is "
            "answered with the first answer and never run twice."
        ),
    ),
    "psd.interrupted-once": Row(
        kind="refused",
        sentence="The device's process ended with this command under way; nobody knows whether it was run.",
        clause="house",
        next_step=(
            "Ask status first: this command does something each time it is sent. An open reset is finished with "
            "towncircle reset DIR --finish, a lost audit or key report by making another."
        ),
    ),
    "psd.unreachable": Row(
        kind="refused",
        sentence="The device cannot be reached: {what}.",
        clause="house",
        next_step=(
            "Start it again and ask recover with the same request id: nothing is lost and nothing is evidenced twice."
        ),
    ),
    "psd.clock-unreadable": Row(
        kind="refused",
        sentence="The world's clock file {path} cannot be read.",
        clause="house",
        next_step="Write it anew: a mode, frozen or running, and now_us or offset_us in microseconds.",
    ),
    "psd.no-secret": Row(
        kind="refused",
        sentence="The operator's secret {path} cannot be read.",
        clause="502.8(b)",
        next_step="Put the 32 bytes back in place; without them the keys cannot be opened. "
        "A device whose keys are lost for good is given back: towncircle withdraw DIR --failed. For that a hosted "
        "fleet is served without its keys: towncircle device serve-wan --keys-lost",
    ),
    "psd.keys-lost": Row(
        kind="refused",
        sentence="Its host serves {device} without keys, which are lost by its Provider's word: it can sign nothing.",
        clause="502.8(b)",
        next_step="Where they are lost for good, the device is given back: towncircle withdraw DIR --failed. Where "
        "they are found, the Provider ends that host and starts towncircle device serve-wan with its secret.",
    ),
    "psd.wrapping-failed": Row(
        kind="refused",
        sentence="The wrapping keys in {path} cannot be read or written: {what}.",
        clause="502.8(b)",
        next_step="Put the folder back in place, writable for the host. What is owed is destroyed at its next start.",
    ),
    "psd.wrapping-gone": Row(
        kind="refused",
        sentence="The key cannot be opened: {path} does not hold its wrapping key.",
        clause="502.8(b)",
        next_step="A destroyed key is gone for good. Where the folder is another one, name the one it was made with. "
        "A device whose keys are lost for good is given back: towncircle withdraw DIR --failed",
    ),
    "psd.wrapping-other": Row(
        kind="refused",
        sentence="The wrapping keys in {path} and the database do not belong together.",
        clause="502.8(b)",
        next_step="Name the folder that was made with this database (towncircle device serve-wan --wrapping DIR). A "
        "database that was never served with one takes a new folder. Where the folder is lost for good, no key opens "
        "any more: towncircle device serve-wan --keys-lost serves the devices so that they are given back (towncircle "
        "withdraw DIR --failed).",
    ),
    "psd.store-parted": Row(
        kind="refused",
        sentence="{asked} parts were asked for, and {path} was made with {found} parts.",
        clause="house",
        next_step="Leave --parts away to go on with the database as it is, or name a new one. Parts are chosen when it "
        "is made, by the first towncircle device host or serve-wan.",
    ),
    "psd.reseal-token": Row(
        kind="refused",
        sentence="The keys of {device} lie in a token, or are to: there is nothing to seal anew.",
        clause="502.8(b)",
        next_step="Change the token's PIN with the token's own program.",
    ),
    "psd.reseal-same": Row(
        kind="refused",
        sentence="{path} is no new secret for {device}: its keys are sealed under it, or it lies under a name that the "
        "device keeps for its own.",
        clause="502.8(b)",
        next_step="Name a file of 32 other random bytes, or another passphrase, outside the device's folder; or name "
        "none, and new bytes are made. Nothing has changed.",
    ),
    "psd.secret-shared": Row(
        kind="refused",
        sentence="The secret in {path} opens other databases too: {others}.",
        clause="502.8(b)",
        next_step="Copy the file for each of the other databases, start their hosts with the copy (--secret, and "
        "--wrapping with the folder they have), take their notes out of {notes}, and do this again. Nothing has "
        "changed.",
    ),
    "psd.secret-unnoted": Row(
        kind="refused",
        sentence="Which databases are served with the secret in {path} is not known: {notes} does not name this one.",
        clause="502.8(b)",
        next_step="Start its towncircle device serve-wan once where it can write there, and those of all databases "
        "that have this secret. Where there is none but this one, say so: --only-this-database. Nothing has changed.",
    ),
    "psd.reseal-open": Row(
        kind="refused",
        sentence="The operator's secret was being replaced when something ended it: {path} is still there.",
        clause="502.8(b)",
        next_step="Have the old and the new secret or passphrase at hand where they were, and run towncircle device "
        "reseal again with the same words: it goes on. Where one of both is lost for good, so are keys: the device "
        "is given back (towncircle withdraw DIR --failed), of a hosted fleet after towncircle device "
        "serve-wan --keys-lost.",
    ),
    "psd.fleet-served": Row(
        kind="refused",
        sentence="A host has {path}.",
        clause="502.8(b)",
        next_step="End every towncircle device serve-wan of the database, then run this again.",
    ),
    "psd.fleet-resealed": Row(
        kind="refused",
        sentence="The operator's secret of {path} is another one than this host has, or is being replaced, or "
        "the database is served as one whose keys are lost.",
        clause="502.8(b)",
        next_step="Wait until towncircle device reseal has ended, then end this host and start it with the secret that "
        "its devices are sealed under. Where that is lost for good: towncircle device serve-wan --keys-lost",
    ),
    "psd.fleet-secret": Row(
        kind="refused",
        sentence="The operator's secret of this host opens no key of the devices in {path}.",
        clause="502.8(b)",
        next_step="Start the host with the secret that its devices are sealed under (towncircle device serve-wan "
        "--secret FILE). Nothing was kept of this one. Where that secret is lost for good: towncircle device serve-wan "
        "--keys-lost",
    ),
    "psd.no-standby": Row(
        kind="refused",
        sentence="{path} has no synchronous standby: what a lost server has not passed on would be lost with it.",
        clause="house",
        next_step="Set synchronous_standby_names at the server, or start the host without --require-standby.",
    ),
    "psd.keys-kind": Row(
        kind="input",
        sentence="For keys of the kind '{kind}' something is missing, or too much was told.",
        clause="house",
        next_step="file: nothing, or --secret FILE. passphrase: --passphrase-from FILE. pkcs11: --token LIBRARY "
        "--token-label LABEL --pin-from FILE. Instead of FILE, env:NAME names a variable.",
    ),
    "psd.keys-unclear": Row(
        kind="refused",
        sentence="{path} does not say where the keys of this device lie.",
        clause="502.8(b)",
        next_step="Put it back as it was when the device was made; without it the keys cannot be opened.",
    ),
    "psd.no-such-device": Row(
        kind="input",
        sentence="There is no device {device} in this store.",
        clause="house",
        next_step="Check the directory and the device id.",
    ),
    "psd.store-missing": Row(
        kind="input",
        sentence="There is no device store at {path}.",
        clause="house",
        next_step="Restore the device's folder from a whole copy of the world, or lease a device.",
    ),
    "psd.store-busy": Row(
        kind="refused",
        sentence="The device store {path} is owned by another process.",
        clause="house",
        next_step="Use the device through the process that runs it (a host: towncircle device connect), or end that "
        "process. Nothing was changed.",
    ),
    "psd.store-not-durable": Row(
        kind="refused",
        sentence="The device store {path} did not get the durable setting {pragma} (it has {found}).",
        clause="house",
        next_step="Move the store to a local disk: some network disks do not keep the promises SQLite needs.",
    ),
    "psd.store-too-new": Row(
        kind="refused",
        sentence="The device store {path} has format {found}; this program knows formats up to {known}.",
        clause="house",
        next_step="Use the newer towncircle that wrote it.",
    ),
    "psd.store-stale": Row(
        kind="refused",
        sentence="Another process has taken over the device {device}.",
        clause="house",
        next_step="Nothing was changed. Use the device through its present owner.",
    ),
    "psd.store-failed": Row(
        kind="refused",
        sentence="The device store {path} could not be written: {what}. Nothing was released.",
        clause="house",
        next_step="Free some space or mend the disk, start the device again and ask recover with the same request id.",
    ),
    "psd.store-damaged": Row(
        kind="broken",
        sentence="The device store {path} is damaged: {what}.",
        clause="house",
        next_step="Keep the file as it is and return the device to the Provider; its last signed reading counts.",
    ),
    "psd.record-doubled": Row(
        kind="broken",
        sentence="The request {request} of {device} would be recorded twice.",
        clause="house",
        next_step="This is a defect: please report it with the command you ran.",
    ),
    "psd.module-altered": Row(
        kind="broken",
        sentence="The device's program is not the one that was built: {what}.",
        clause="502.8(b), 502.16",
        next_step=(
            "Install towncircle again (in a source tree: python tools/manifest.py, after looking at what changed). "
            "Then end the process that serves the device (towncircle device serve-lan, serve-wan) and start it again. "
            "Nothing was written into the device's store: a sound program goes on where it stood."
        ),
    ),
    "psd.library-missing": Row(
        kind="refused",
        sentence="The library {library} is not installed.",
        clause="house",
        next_step="Install it with the extra: pip install 'towncircle[{extra}]'.",
    ),
    "psd.host-busy": Row(
        kind="refused",
        sentence="Too many commands wait for one of these devices already.",
        clause="house",
        next_step="Send the command again in a moment, with the same request id. Nothing was changed.",
    ),
    "psd.role-refused": Row(
        kind="refused",
        sentence="The service '{service}' is not for the role '{role}': it is for {roles}.",
        clause="502.8(b)",
        next_step="Call it in that role: through the device's own host, or with an order sealed by whom it is for.",
    ),
    "psd.not-an-examiner": Row(
        kind="refused",
        sentence="{sender} does not prove to be of the Postal Service: {what}",
        clause="P050 2.6, 3.4",
        next_step="Seal the order with a certified Postal Service key, and enclose its chain up to the root.",
    ),
    "psd.token-missing": Row(
        kind="refused",
        sentence="The token library {library} cannot be used: {what}.",
        clause="502.8(b)",
        next_step="Install it (with SoftHSM: apt install softhsm2), or name another library. "
        "A device whose keys are lost for good is given back: towncircle withdraw DIR --failed",
    ),
    "psd.token-refused": Row(
        kind="refused",
        sentence="The token of {library} refused: {what}.",
        clause="502.8(b)",
        next_step="Check the token's label and PIN, and that its keys are those of this device. Nothing was changed. "
        "A device whose keys are lost for good is given back: towncircle withdraw DIR --failed",
    ),
    "psd.token-failed": Row(
        kind="refused",
        sentence="The token library {library} failed twice: {what}.",
        clause="502.8(b)",
        next_step="Nothing was released. Look after the token, then ask again with the same request id. "
        "A device whose keys are lost for good is given back: towncircle withdraw DIR --failed",
    ),
    "psd.token-unset": Row(
        kind="refused",
        sentence="The keys of this device are in a PKCS#11 token, and none was named.",
        clause="502.8(b)",
        next_step="Start it as it was, with --token LIBRARY --token-label LABEL --pin-from FILE. Nothing was changed.",
    ),
    "psd.token-other": Row(
        kind="refused",
        sentence="The fleet of {path} has keys in the token '{label}', and this is another one.",
        clause="502.8(b)",
        next_step="Start the host with the token '{label}' that has the mark of this fleet, a data object. A token to "
        "which keys were moved by its own means has it too. Nothing was changed.",
    ),
    "psd.token-busy": Row(
        kind="refused",
        sentence="The token of {library} is not asked now: {what}.",
        clause="502.8(b)",
        next_step="Nothing was released. Ask again with the same request id in half a minute.",
    ),
    "psd.token-owed": Row(
        kind="refused",
        sentence="{device} is out of use, and its keys in the token are not destroyed yet.",
        clause="502.28",
        next_step="Look after the token and ask for its status again: they are destroyed as soon as the token "
        "answers. A note of it is in the folder of wrapping keys, under 'unsettled'.",
    ),
    "psd.token-folder": Row(
        kind="input",
        sentence="Hosted devices have keys in a token only with a folder of wrapping keys.",
        clause="house",
        next_step="Name the folder too: which keys of the token are in use is noted there, for every host.",
    ),
    "psd.workers": Row(
        kind="input",
        sentence="{workers} worker processes do not fit into {memory} MiB: {most} do.",
        clause="house",
        next_step="Give --memory {least}, or leave --workers out.",
    ),
    "psd.version-lower": Row(
        kind="refused",
        sentence="Version {version} is not higher than {highest}, which this device has taken already.",
        clause="IMI-03",
        next_step="Have the build approved under a higher version; a device never goes back to a lower one.",
    ),
    "psd.approval-refused": Row(
        kind="refused",
        sentence="Version {version} is not approved for this device: {what}.",
        clause="IMI-03, 502.11",
        next_step="Have the Postal Service approve the build for this model and regime, and order it anew.",
    ),
    "psd.build-not-approved": Row(
        kind="refused",
        sentence="This device is bound to version {version} (build {build}), and build {running} runs.",
        clause="IMI-03, 502.11",
        next_step="Install the approved build and start again, or connect for the order that approves this one.",
    ),
}
