"""Write the device's own pages from its code: `docs/device-states.md` and `docs/security-policy.md`.

Run: `python tools/policy.py` writes them; `python tools/policy.py --check` names those that differ (exit code 1).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src"
if str(SRC) not in sys.path:
    sys.path.insert(0, str(SRC))

from towncircle.provider.custody import JOINT  # noqa: E402 - the checkout's own package
from towncircle.provider.inventory import CUSTODY  # noqa: E402
from towncircle.psd import commands, integrity, keys, registers, selftest, services, states  # noqa: E402


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    heads = list(head)
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


def states_page() -> str:
    """Draw the device's states, who may do what in each, and what goes with which custody."""
    lines = [
        "# The device's states",
        "",
        "This page is generated from the code by `tools/policy.py`. Two automata are never merged: the device's own",
        "state is inside it and signed, its custody is the Provider's record. What is not listed is refused, changes",
        "nothing, and the refusal names what is possible.",
        "",
        "## Device",
        "",
        "```mermaid",
        states.DEVICE.mermaid(),
        "```",
        "",
    ]
    lines += _table(("state", "in words"), ((name, states.WORDS[name]) for name in states.DEVICE.states))
    lines += ["## Services by role and state", ""]
    roles = [role for role in services.ROLES if role != services.ANYONE]
    rows = []
    for state in states.DEVICE.states:
        open_to_all = set(services.legal(services.ANYONE, state))
        cells = [", ".join(x for x in services.legal(role, state) if x not in open_to_all) or "none" for role in roles]
        rows.append((state, *cells))
    lines += [f"Everybody may call {', '.join(services.legal(services.ANYONE, states.LOCKED))} in every state.", ""]
    lines += _table(("state", *roles), rows)
    lines += ["## Moves", ""]
    lines += _table(
        ("in state", "event", "leads to", "clause"),
        ((m.state, m.event, m.to, m.clause) for m in states.DEVICE.moves if m.state != m.to),
    )
    lines += ["## Custody", "", "```mermaid", CUSTODY.mermaid(), "```", ""]
    lines += ["## Which device state may stand with which custody", ""]
    lines += ["A signed reading that is not in this table freezes the device until a person has looked.", ""]
    lines += _table(
        ("custody", "device states", "clause", "because"),
        ((pair.custody, ", ".join(pair.states), pair.clause, pair.why) for pair in JOINT),
    )
    return "\n".join(lines)


_OPENING = f"""# Security policy of the reference device

This page is generated from the code by `tools/policy.py`. It has the shape of a FIPS 140-3 security policy and claims
nothing: the module is not validated, no laboratory has tested it, and no certificate is applied for. The rule of 1998
and its successors ask for a validated module; certificates under FIPS 140-2 went to the historical list in 2026, so a
product needs one under FIPS 140-3. This module is for specimens under a test root, for research and for rehearsal.

## What the module is

A software module: the files of the rooms {", ".join(f"`{room}`" for room in integrity.ROOMS)} of the package
`towncircle`, run by CPython with the libraries `cryptography` (OpenSSL), `cbor2` and SQLite through `apsw`. Its
boundary is those files and the memory of the one process that runs them. Its one interface is `exchange`
(`src/towncircle/psd/device.py`): bytes in, bytes out, at most {commands.MAX_COMMAND:,} bytes a command, at
most {commands.MAX_PIECES:,} pieces. Data, control and status share it; there is no maintenance interface and no
bypass.

It keeps postage value: the ascending register (40 bits of a mill, so less than {registers.ASCENDING_LIMIT}), the
descending register, the piece counter, a message counter, the high-water time. The law of the registers is checked at
start and after every command.

## Approved mode

The module is in its approved mode while it has its keys, is not faulted and its scheme is `ecdsa-p256` (SHA-256,
AES-256-GCM; for a hosted device HMAC-SHA-256); the answer to `status` says so in `approved_mode`. It is not where the
keys are sealed under a passphrase (Argon2id is no approved way to derive a key), nor where they are drawn from a seed.
A PKCS#11 token makes and keeps keys by its own rules: what it is approved for is its own to say, and no known answer is
asked of it at power-on. Under the rule set of 1998 it signs specimens with DSA 1024 and SHA-1,
which FIPS 186-5 keeps for verifying only: it then says that it is not in the approved mode.
"""

_CLOSING = """## What any failure leads to

A failed self-test, a new pair that fails its test, or registers that break their law, put the module into its error
state `faulted`: it tells identity, status and self-tests, may have its keys destroyed, and signs nothing. Registers
concern their device alone, and so does a pair that a PKCS#11 token made. Every other failure is the module's, and lasts
for as long as its process runs, whatever a later test finds. The device for which it was found, at its start, on demand
or at the birth of its key, is faulted for good: that is written into its store.

The command that finds it is answered with what failed (`psd.selftest-failed`, `psd.pairwise-failed`,
`psd.module-altered`), whatever serves the device; those that follow hear `psd.faulted` with the reason.

A worker of a host is one module for all its devices: such a failure, whichever device asked, stops all of them for as
long as the worker runs, and what it signed in the group under way is not released; devices of the host's other workers
go on. Of the others nothing is written, and of none where the worker fails at its own start: a sound worker goes on
with them where they stood. A worker that failed is not started again by itself: the operator ends `serve-wan` and
starts it again. A module whose own files are not those of its build writes nothing into the store of any device; there,
too, a sound module goes on, once `serve-wan`, `serve-lan` or the process on the pipe was started again. The one thing
that a failed module still does is to destroy keys, and only of a device whose own store says a state in which that is
possible, whatever the failed module makes of it.

## Integrity of the program

The manifest is made when the wheel is built (`tools/build_hook.py`); a source tree has it refreshed by its launcher
(`./towncircle`), never by the module. It is a digest, not a signature: who can write the files can write the
manifest. A device's process, and a worker of `serve-wan`, goes in by `psd/guard.py`, which needs the standard library
alone: it checks all files before it runs any of them, compiles what it runs from the files that it checked, and takes
nothing of this package from a compiled cache (in a source tree caches are used). Where a file is not as it was
built, no room is loaded, the store is not opened, and every command is answered with `psd.module-altered`. The build
that a device names as running is the manifest of the files that were loaded. Where another build is installed over it
and the process lives on, it stays the former one: an order for the new build waits for the next start, and a self-test
on demand fails. The guard
itself, the worker of a PKCS#11 library, the interpreter and the libraries are outside it.
Install from a signed source, into a place that the device's user cannot write.

## What zeroising cannot reach

Zeroising and the end of a rollover leave no copy of the key in a device's own store, its write-ahead log, the
process or the token; a test scans for them. While a token is away its key is there still, and a zeroised device says
so (`psd.token-owed`); the old key of a rollover is noted. A backup of such a store made before holds the key as the
store did,
sealed. Where the operator's secret (or the salt of a passphrase) lies in the device's folder alone, zeroise overwrites
it there, so that a backup of the store alone opens nothing any more; a device that lives on has it replaced
(`towncircle device reseal`), which overwrites the old one. What remains: a backup with the secret in it;
a secret or a passphrase that the operator keeps elsewhere or for several devices, which he destroys himself; old blocks
of the disk below, which hold the sealed form and perhaps the old secret.

A database keeps older versions of a row in its pages, its log, standbys and backups. Copies of a hosted device's key
stay there, and are dead: its wrapping key, without which the operator's secret does not open them, was overwritten in
the host's folder (`psd/hosted/wrapping.py`, ADR 0044); a test searches the whole cluster and the folder for anything
that still opens. Out of reach are copies that somebody made of that folder, old blocks of a disk or file system that
writes elsewhere, the memory of another host of the database that had opened the key (it lets go when it is told that
it was overtaken, with its next commit for the device, or when its table of opened keys is full), and keys of a release
before there were wrapping keys, whose copies open with the operator's secret until it is replaced and destroyed;
replacing it gives such keys a wrapping key.

## Physical security

None is claimed. It is software on a general computer: who owns the computer can copy its memory and its store. What
limits the harm: the cap of the descending register, which bounds what *each* copy or restore prints before it has to
contact the Provider (within the contact term), not what all of them print together; the message counter and the
registers, by which a store that is older than the device's last signed word at the Provider is caught at the next
contact; duplicate detection at the scanner, and examination, which alone find a store that was restored from a copy
newer than that word. A product keeps its keys in
hardware: the key slots take a PKCS#11 token behind the same verb, in every category; hosted devices may share one
(ADR 0058). Tested with SoftHSM2, which is software too: what a token withstands is its maker's claim, not this
module's. Whoever has the PIN and the library can have anything signed while he has them.

## Other areas

- Operational environment: modifiable; one process owns a store (an exclusive lock), which the operating system
  enforces.
- Non-invasive attacks: no mitigation is claimed beyond those of OpenSSL. The repeatable DSA of sandboxes is not
  constant in time and signs under keys that anybody can derive from the seed.
- Random numbers: the operating system's source; a seeded source only under a test root, so that rehearsals repeat.
- Life cycle: sources, tests, locks with hashes and this page lie in one repository; every known answer is broken in
  turn by a test.
"""


def policy_page() -> str:
    """Describe the module as a FIPS 140-3 security policy would, from its own tables."""
    lines = [_OPENING, "## Roles", ""]
    lines += _table(("role", "how it proves itself"), services.ROLES.items())
    lines += [
        "There is no identity beyond the role and no concurrent session: one command ends before the next begins.",
        "",
        "## Services",
        "",
        "In which state each is possible: [device-states.md](device-states.md).",
        "",
    ]
    lines += _table(
        ("service", "what it does", "roles", "proof", "keys"),
        (
            (f"`{s.event}`", s.what, ", ".join(s.roles), "seal" if s.sealed else "port", s.keys)
            for s in services.SERVICES.values()
        ),
    )
    lines += ["## Keys and their life", ""]
    lines += _table(
        ("key", "kind", "born", "kept", "used", "replaced", "ends"),
        ((k.name, k.kind, k.born, k.kept, k.used, k.replaced, k.ends) for k in keys.LIVES),
    )
    lines += ["No private key is ever an answer, an argument, an error or a line of a log.", "", "## Self-tests", ""]
    lines += [
        "These run at power-on, which is the start of the process, and whenever `selftest` is called; the law of the",
        "registers is checked with them for each device. A pair is tested when a key is born. A worker of a host is",
        "the module of many devices: it runs them on demand once a minute at most, and tells what the last run gave.",
        "",
    ]
    lines += _table(("test", "what is asked"), ((name, selftest.WHAT[name]) for name in selftest.TESTS))
    return "\n".join([*lines, _CLOSING])


PAGES: dict[str, Callable[[], str]] = {"device-states.md": states_page, "security-policy.md": policy_page}


def written(name: str) -> str:
    """Give a page as it would be written."""
    return PAGES[name]().rstrip("\n") + "\n"


def stale() -> list[str]:
    """Name the pages that are not as they would be written."""
    docs = ROOT / "docs"
    return [
        name
        for name in PAGES
        if not (docs / name).exists() or (docs / name).read_text(encoding="utf-8") != written(name)
    ]


def main() -> int:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description="Write the device's generated pages, or check them.")
    parser.add_argument("--check", action="store_true", help="write nothing; name the pages that differ")
    args = parser.parse_args()
    differing = stale()
    for name in differing:
        if not args.check:
            (ROOT / "docs" / name).write_text(written(name), encoding="utf-8")
        print(f"docs/{name} {'differs from the code: run python tools/policy.py' if args.check else 'written'}")
    return 1 if args.check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
