"""Error codes of the world and of the desk that each party answers from."""

from towncircle.kernel.errors import Row

ROWS = {
    "desk.not-for-me": Row(
        kind="refused",
        sentence="{party} does not take messages of the type {type} from {sender}.",
        clause="house",
        next_step="Send it to the party whose business it is.",
    ),
    "desk.no-answer": Row(
        kind="broken",
        sentence="The answer to message {message} is missing.",
        clause="house",
        next_step="This is a defect: please report it with the command you ran.",
    ),
    "desk.no-bench": Row(
        kind="broken",
        sentence="{party} has no device at hand and was asked to use one.",
        clause="house",
        next_step="This is a defect: please report it with the command you ran.",
    ),
    "desk.wrong-reply": Row(
        kind="refused",
        sentence="The answer that came back does not belong to message {message}.",
        clause="house",
        next_step="Run the command again: the message is sent again and the right answer is taken.",
    ),
    "world.hybrid-served": Row(
        kind="refused",
        sentence="The hybrid in {folder} is served already.",
        clause="house",
        next_step="End the other host first: two hosts could send one request to two devices.",
    ),
    "world.hybrid-other": Row(
        kind="input",
        sentence="The notes in {folder} are of a hybrid of {first} and {other}.",
        clause="house",
        next_step="Serve it with these two devices; another hosted device needs a folder and a LAN device of its own.",
    ),
    "world.hybrid-notes": Row(
        kind="refused",
        sentence="The hybrid's notes {path} cannot be written: {what}.",
        clause="house",
        next_step="Nothing of the command was run. Free some space or mend the disk, then send it again.",
    ),
    "world.hybrid-folder": Row(
        kind="refused",
        sentence="{folder} has a hybrid's notes: served in another way, its device would give pieces that they miss.",
        clause="house",
        next_step="Serve it with towncircle device serve-hybrid; its LAN device works without the hosted one too.",
    ),
    "world.hybrid-request": Row(
        kind="refused",
        sentence="The request {request} is with the LAN device {first}; this call is for the hosted device {other}.",
        clause="502.8(b)",
        next_step="Ask the LAN device for it, from a station that is enrolled for it, or use a fresh id.",
    ),
    "world.no-hybrid": Row(
        kind="input",
        sentence="{folder} is no hybrid's folder.",
        clause="house",
        next_step="Name the folder that towncircle device serve-hybrid was started with.",
    ),
    "world.station-known": Row(
        kind="input",
        sentence="A station called {name} is enrolled already.",
        clause="house",
        next_step="Choose another name, or strike the old one first (towncircle device strike).",
    ),
    "world.station-unknown": Row(
        kind="input",
        sentence="No station called {name} is enrolled.",
        clause="house",
        next_step="Check the name in enrolled.json of the host's folder.",
    ),
    "world.station-refused": Row(
        kind="refused",
        sentence="This caller is not enrolled for the device {device}.",
        clause="502.8(b)",
        next_step="Have the host's operator enrol it (towncircle device enrol).",
    ),
    "world.missing": Row(
        kind="input",
        sentence="There is no world at {path}.",
        clause="house",
        next_step="Check the path, or make one with: towncircle world new {path}",
    ),
    "world.exists": Row(
        kind="input",
        sentence="{path} already exists and is not empty.",
        clause="house",
        next_step="Choose another folder; nothing that lies there is written over.",
    ),
    "world.damaged": Row(
        kind="refused",
        sentence="The world file {path} cannot be used: {what}.",
        clause="house",
        next_step="Restore the file from a copy of the world; nothing was changed.",
    ),
    "world.too-new": Row(
        kind="refused",
        sentence="The world at {path} has format {found}; this program knows {known}.",
        clause="house",
        next_step="Use the newer towncircle that wrote it.",
    ),
    "world.clock-back": Row(
        kind="refused",
        sentence="A world's time goes forward only; {step} would not.",
        clause="house",
        next_step="Give a step such as 73h, 2d or 3mo.",
    ),
    "world.no-licensee": Row(
        kind="refused",
        sentence="The world has no licensee '{name}'.",
        clause="house",
        next_step="The licensees are: {known}.",
    ),
    "world.no-party": Row(
        kind="refused",
        sentence="The world has no party '{name}'.",
        clause="house",
        next_step="The parties are: {known}.",
    ),
    "world.no-provider": Row(
        kind="refused",
        sentence="The world has no Provider '{name}'.",
        clause="house",
        next_step="The Providers are: {known}.",
    ),
    "world.no-device": Row(
        kind="refused",
        sentence="{licensee} has no device yet.",
        clause="P050 1.3",
        next_step="Apply for a license and lease a device: towncircle license DIR, then towncircle lease DIR.",
    ),
    "world.no-license": Row(
        kind="refused",
        sentence="{licensee} holds no license yet.",
        clause="P050 1.3",
        next_step="Apply for one first: towncircle license DIR.",
    ),
    "world.in-use": Row(
        kind="refused",
        sentence="The parties of this world run as processes already (process {pid}).",
        clause="house",
        next_step="Stop them with Ctrl-C where they run, or work with them as they are.",
    ),
    "world.not-up": Row(
        kind="refused",
        sentence="The process of {party} did not start (exit code {code}).",
        clause="house",
        next_step="Look at what it printed above, and check that the world opens: towncircle status DIR",
    ),
    "world.untrusted": Row(
        kind="refused",
        sentence="The certificate of {subject} is not to be trusted: {why}",
        clause="502.28",
        next_step="Restore the world folder from a whole copy; a certificate is never taken on its own word.",
    ),
    "world.enclosure-refused": Row(
        kind="refused",
        sentence="What {sender} enclosed cannot be accepted: {why}",
        clause="502.28",
        next_step="Look at the enclosed message and its signer; sending it again changes nothing.",
    ),
    "world.exposed": Row(
        kind="refused",
        sentence="Others on this machine can read {path} (mode {mode}): private and financial data lie in it.",
        clause="IMI-04",
        next_step="Close it, then open the world again: chmod -R go-rwx {path}",
    ),
}
