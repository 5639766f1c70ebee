# Shell functions shared by ./towncircle and ./test: make or refresh .venv from a lock file; quiet when nothing is to do.

is_new_enough() {
    command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# find_python: name a Python that is new enough, TOWNCIRCLE_PYTHON before all others; else say what to install.
find_python() {
    if [ -n "${TOWNCIRCLE_PYTHON:-}" ]; then
        is_new_enough "$TOWNCIRCLE_PYTHON" && printf '%s' "$TOWNCIRCLE_PYTHON" && return 0
        echo "towncircle: TOWNCIRCLE_PYTHON is '$TOWNCIRCLE_PYTHON', which is no Python 3.11 or newer." >&2
        echo "Next step: set it to one, or unset it." >&2
        return 1
    fi
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        is_new_enough "$candidate" && printf '%s' "$candidate" && return 0
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

# is_ready TOP LOCK: TOP/.venv was made here, from this very lock, and its Python is still there.
is_ready() {
    [ -x "$1/.venv/bin/python" ] && [ -f "$1/.venv/.made-at" ] && read -r made_at <"$1/.venv/.made-at" &&
        [ "$made_at" = "$1" ] && cmp -s "$1/$2" "$1/.venv/.done-$2"
}

# ensure_venv TOP LOCK: after it, TOP/.venv holds what LOCK names. Two at once wait for each other.
ensure_venv() {
    is_ready "$1" "$2" && return 0
    python=$(find_python) || exit 2
    if ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
        echo "towncircle: $python has no venv module." >&2
        echo "Next step: install it (on Debian: apt install python3-venv)." >&2
        exit 2
    fi
    "$python" -I "$1/tools/make_venv.py" "$1" "$2" || exit $?
}
