# Shell functions for ./test: install what tests need beside Python packages, where this machine lets us.

# ensure_tool COMMAND PACKAGE: quiet when it is there; without the right to install, the tests that need it say so.
ensure_tool() {
    command -v "$1" >/dev/null 2>&1 && return 0
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 0
    echo "towncircle: installing $2 for the tests ..." >&2
    { apt-get install -y -q "$2" || { apt-get update -q && apt-get install -y -q "$2"; }; } >/dev/null 2>&1 ||
        echo "towncircle: $2 could not be installed; the tests that need it are skipped (apt install $2)." >&2
}
