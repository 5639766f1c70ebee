"""Error codes of the stores on disk."""

from towncircle.kernel.errors import Row

ROWS = {
    "storage.missing": Row(
        kind="input",
        sentence="There is no store at {path}.",
        clause="house",
        next_step="Check the path, or make a world with: towncircle world new DIR",
    ),
    "storage.damaged": Row(
        kind="broken",
        sentence="The store {path} is damaged: {what}. Nothing was changed.",
        clause="house",
        next_step="Keep the file as it is, restore a copy of the whole world folder, then export and audit it",
    ),
    "storage.too-new": Row(
        kind="refused",
        sentence="The store {path} has format {found}; this program knows formats up to {known}.",
        clause="house",
        next_step="Use the newer towncircle that wrote it.",
    ),
    "storage.not-durable": Row(
        kind="refused",
        sentence="The store {path} did not get the durable setting {pragma} (it has {found}).",
        clause="house",
        next_step="Move the world to a local disk: some network disks do not keep the promises SQLite needs.",
    ),
    "storage.busy": Row(
        kind="refused",
        sentence="The store {path} is in use by another process.",
        clause="house",
        next_step="Wait for the other command to end, or stop it, then run this one again. Nothing was changed.",
    ),
    "storage.nested": Row(
        kind="broken",
        sentence="A transaction on {path} was opened inside another one.",
        clause="house",
        next_step="This is a defect: please report it with the command you ran.",
    ),
}
