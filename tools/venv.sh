# Shell functions shared by ./towncircle and ./test: make or refresh .venv from a lock file; quiet when nothing is to do.

find_python() {
    for candidate in "${TOWNCIRCLE_PYTHON:-}" python3 python3.13 python3.12 python3.11; do
        [ -n "$candidate" ] || continue
        command -v "$candidate" >/dev/null 2>&1 || continue
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s' "$candidate"
            return 0
        fi
    done
    if command -v python3 >/dev/null 2>&1; then
        echo "towncircle: Python 3.11 or newer is needed; this machine's python3 is $(python3 -V 2>&1 | cut -d' ' -f2)." >&2
        echo "Next step: install a newer Python (on Debian 12 or newer: apt install python3 python3-venv), or set TOWNCIRCLE_PYTHON to one." >&2
    else
        echo "towncircle: python3 was not found; Python 3.11 or newer is needed." >&2
        echo "Next step: install it (on Debian: apt install python3 python3-venv)." >&2
    fi
    return 1
}

# ensure_venv TOP LOCK: after it, TOP/.venv holds what LOCK names. Two at once wait for each other.
ensure_venv() {
    top=$1 lock=$2 stamp="$1/.venv/.done-$2"
    if [ -f "$stamp" ] && cmp -s "$top/$lock" "$stamp"; then
        return 0
    fi
    python=$(find_python) || exit 2
    if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
        echo "towncircle: $python has no venv module." >&2
        echo "Next step: install it (on Debian: apt install python3-venv)." >&2
        exit 2
    fi
    "$python" - "$top" "$lock" <<'PYTHON' || exit 2
import fcntl, pathlib, shutil, subprocess, sys
top, lock = pathlib.Path(sys.argv[1]), sys.argv[2]
venv, stamp = top / ".venv", top / ".venv" / f".done-{lock}"
with (top / ".venv.lock").open("w") as guard:
    fcntl.flock(guard, fcntl.LOCK_EX)
    wanted = (top / lock).read_bytes()
    if stamp.exists() and stamp.read_bytes() == wanted:
        sys.exit(0)
    print(f"towncircle: setting up .venv from {lock} (once, about a minute) ...", file=sys.stderr, flush=True)
    if not (venv / "bin" / "python").exists():
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    pip = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "-q", "--require-hashes"]
    done = subprocess.run([*pip, "-r", str(top / lock)], capture_output=True, text=True)
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
        print("towncircle: the packages of the lock could not be installed. Next step: check the network or the "
              "package index of this machine, then run the same command again.", file=sys.stderr)
        sys.exit(2)
    (site,) = (venv / "lib").glob("python*/site-packages")
    (site / "towncircle-src.pth").write_text(str(top / "src") + "\n")
    stamp.write_bytes(wanted)
PYTHON
}
