"""Run the command line: `python -m towncircle`, and the installed `towncircle`.

Kept: where the program is not as it was built and cannot even be loaded, it says so instead of failing somewhere; a
device that was to be served answers every command with it.
"""

import sys
from typing import NoReturn


def entry() -> NoReturn:
    """Run as a program."""
    if sys.argv[1:3] == ["device", "serve-pipe"]:
        from towncircle.psd import guard

        what = guard.altered()
        if what:
            sys.exit(guard.refuse(what, sys.stdin.buffer, sys.stdout.buffer))
    try:
        from towncircle.cli.main import main
    except Exception:  # what an altered file raises can be anything
        from towncircle.psd import guard

        what = guard.altered()
        if not what:
            raise
        words = f"towncircle: The device's program is not the one that was built: {what}."
        rest = f"  code {guard.CODE}, clause 502.8(b), 502.16\n  Next step: Install towncircle again."
        sys.stderr.write(f"{words}\n{rest}\n")
        sys.exit(4)
    sys.exit(main())


if __name__ == "__main__":
    entry()
