"""Make or refresh the checkout's `.venv` from a lock file; called by `tools/venv.sh` when it is not up to date.

Run: `python tools/make_venv.py TOP LOCK`. Two at once wait for each other. A venv whose Python is gone, or that was
made in another place, is made anew. Exit code 2 and two lines of text when it cannot be done.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

KEPT_LINES = 6  # of what pip or venv says about a failure


class SetupError(Exception):
    """Say what could not be done, and the next step."""


def make(top: Path, lock: str) -> None:
    """Make the venv hold what the lock names."""
    venv, done = top / ".venv", top / ".venv" / f".done-{lock}"
    made_at = venv / ".made-at"
    wanted = (top / lock).read_bytes()
    with (top / ".venv.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        here = made_at.is_file() and made_at.read_text() == f"{top}\n" and os.access(venv / "bin" / "python", os.X_OK)
        if here and done.is_file() and done.read_bytes() == wanted:
            return
        print(f"towncircle: setting up .venv from {lock} (once, about a minute) ...", file=sys.stderr, flush=True)
        if not here:
            shutil.rmtree(venv, ignore_errors=True)
            _run([sys.executable, "-m", "venv", str(venv)], "the virtual environment could not be made")
        pip = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "-q"]
        _run([*pip, "--require-hashes", "-r", str(top / lock)], "the packages of the lock could not be installed")
        (site,) = (venv / "lib").glob("python*/site-packages")
        (site / "towncircle-src.pth").write_text(f"{top / 'src'}\n")
        made_at.write_text(f"{top}\n")
        done.write_bytes(wanted)


def _run(command: list[str], failure: str) -> None:
    told = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if told.returncode:
        lines = [line for line in told.stdout.splitlines() if line.strip()]
        telling = [line for line in lines if line.startswith("ERROR")] or lines
        if "Retrying (" in told.stdout:
            telling.insert(0, "The package index did not answer.")
        raise SetupError("\n".join([f"towncircle: {failure}:", *(f"  {line[:300]}" for line in telling[:KEPT_LINES])]))


def main() -> int:
    """Make the venv and give the exit code."""
    try:
        make(Path(sys.argv[1]), sys.argv[2])
    except SetupError as error:
        print(error, file=sys.stderr)
        print(
            "Next step: check the network or this machine's package index, then run the same command again.",
            file=sys.stderr,
        )
        return 2
    except OSError as error:
        print(f"towncircle: .venv cannot be made: {error.filename}: {error.strerror}.", file=sys.stderr)
        print("Next step: check that you may write to this folder and that the disk is not full.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted; the next command goes on with it.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
