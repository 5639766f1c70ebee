"""The ways to printers, each against something real: a folder, a program `lp` on the path, a socket that listens."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from towncircle.kernel.errors import Refused
from towncircle.transport import printers
from towncircle.transport.printers import FolderWay, LpWay, RawWay

DATA = bytes(range(256)) * 5000  # more than a socket takes at once


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "label.zpl"
    path.write_bytes(DATA)
    return path


class Listener:
    """Be a printer at a port: take `most` bytes, a few at a time, then close, or break the line."""

    def __init__(self, most: int | None = None) -> None:
        self.taken = b""
        self._most = most
        self._door = socket.create_server(("127.0.0.1", 0))
        self._door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.port = self._door.getsockname()[1]
        self.calls = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._door.accept()
            except OSError:
                return
            self.calls += 1
            with line:
                while self._most is None or len(self.taken) < self._most:
                    got = line.recv(1500)
                    if not got:
                        break
                    self.taken += got
                if self._most is not None:  # a cable pulled out: what was on the way is thrown away
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))

    def close(self) -> None:
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        self._thread.join(timeout=5)


@contextmanager
def listening(most: int | None = None) -> Iterator[Listener]:
    printer = Listener(most)
    try:
        yield printer
    finally:
        printer.close()


def test_a_folder_gets_the_file_whole_under_its_name(file: Path, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    way = FolderWay(spool, "one.zpl", file)
    way.ready()
    assert sorted(path.name for path in spool.iterdir()) == [".one.zpl.part", ".one.zpl.receipt"]
    assert way.hand_over() == "one.zpl"
    way.written_down()
    assert [path.name for path in spool.iterdir()] == ["one.zpl"]
    assert (spool / "one.zpl").read_bytes() == DATA
    with pytest.raises(Refused, match=r"printer\.name-taken"):
        FolderWay(spool, "one.zpl", file).ready()


def test_a_folder_knows_after_a_crash_whether_it_has_the_file(file: Path, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    FolderWay(spool, "one.zpl", file).ready()
    assert FolderWay(spool, "one.zpl", file).after_crash()
    assert sorted(path.name for path in spool.iterdir()) == [".one.zpl.receipt", "one.zpl"]
    (spool / "one.zpl").unlink()  # somebody printed it
    assert FolderWay(spool, "one.zpl", file).after_crash()
    spool.rename(tmp_path / "not mounted")
    spool.mkdir()
    with pytest.raises(Refused, match=r"printer\.away"):  # an empty mount point is not the folder that took it
        FolderWay(spool, "one.zpl", file).after_crash()
    spool.rmdir()
    with pytest.raises(Refused, match=r"printer\.away"):  # and not that nothing was printed
        FolderWay(spool, "one.zpl", file).after_crash()
    with pytest.raises(Refused, match=r"printer\.unreachable"):
        FolderWay(spool, "one.zpl", file).ready()


def test_a_socket_gets_every_byte_though_it_takes_few_at_a_time(file: Path) -> None:
    with listening() as printer:
        with closing(RawWay("127.0.0.1", printer.port, file)) as way:
            way.ready()
            assert way.hand_over() == f"{len(DATA)} bytes"
        assert printer.taken == DATA
        assert printer.calls == 1


def test_a_refused_connection_printed_nothing(file: Path) -> None:
    with listening() as printer:
        port = printer.port
    with pytest.raises(Refused, match=r"printer\.unreachable") as caught:
        RawWay("127.0.0.1", port, file).ready()
    assert "Nothing was printed" in caught.value.sentence


def test_a_line_that_breaks_in_the_middle_leaves_doubt(file: Path) -> None:
    with listening(most=9000) as printer:
        with closing(RawWay("127.0.0.1", printer.port, file)) as way:
            way.ready()
            with pytest.raises(Refused, match=r"printer\.doubt") as caught:
                way.hand_over()
            assert f"of {len(DATA)} bytes" in caught.value.sentence
        assert len(printer.taken) >= 9000
        assert not RawWay("127.0.0.1", printer.port, file).after_crash()


def test_a_printer_that_never_closes_leaves_doubt(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printers, "CLOSE_S", 0.05)
    file.write_bytes(b"short")
    with (
        socket.create_server(("127.0.0.1", 0)) as door,
        closing(RawWay("127.0.0.1", door.getsockname()[1], file)) as way,
    ):
        way.ready()
        with pytest.raises(Refused, match=r"printer\.doubt"):
            way.hand_over()


def test_a_printer_that_never_stops_talking_leaves_doubt_in_bounded_time(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printers, "CLOSE_S", 0.2)
    stopped = threading.Event()

    def talk(door: socket.socket) -> None:
        line, _ = door.accept()
        with line, suppress(OSError):
            while not stopped.wait(0.01):
                line.sendall(b"@PJL INFO STATUS CODE=10001\r\n")

    file.write_bytes(b"short")
    with (
        socket.create_server(("127.0.0.1", 0)) as door,
        closing(RawWay("127.0.0.1", door.getsockname()[1], file)) as way,
    ):
        threading.Thread(target=talk, args=(door,), daemon=True).start()
        way.ready()
        began = time.monotonic()
        with pytest.raises(Refused, match=r"printer\.doubt"):
            way.hand_over()
        stopped.set()
        assert time.monotonic() - began < 2


LP = """#!{python}
import os, signal, sys
with open({log!r}, "a") as log:
    print(*sys.argv[1:], sep="\\t", file=log)
mode = open({mode!r}).read()
if mode == "refuse":
    print("lp: The printer or class does not exist.", file=sys.stderr)
    sys.exit(1)
if mode == "die":
    os.kill(os.getpid(), signal.SIGTERM)
with open(sys.argv[-1], "rb") as given, open({got!r}, "ab") as got:
    got.write(given.read())
print("request id is Envelopes-12 (1 file(s))")
"""


@pytest.fixture
def lp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program `lp` on the path that notes what it got, and give its folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    places = {name: str(folder / name) for name in ("log", "mode", "got")}
    (folder / "mode").write_text("take")
    (folder / "lp").write_text(LP.format(python=sys.executable, **places))
    (folder / "lp").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def test_lp_gets_queue_title_options_and_file_as_they_are(lp: Path, file: Path) -> None:
    odd = file.rename(file.with_name("a b; touch x $(id).pdf"))
    way = LpWay("Envelopes", "JOB-1 $(id)", odd, ("print-scaling=none",))
    way.ready()
    assert way.hand_over() == "request id is Envelopes-12 (1 file(s))"
    told = (lp / "log").read_text().rstrip("\n").split("\t")
    assert told == ["-d", "Envelopes", "-t", "JOB-1 $(id)", "-o", "print-scaling=none", "--", str(odd)]
    assert (lp / "got").read_bytes() == DATA
    assert not way.after_crash()


@pytest.mark.parametrize(("mode", "code"), [("refuse", r"printer\.lp-refused"), ("die", r"printer\.doubt")])
def test_what_lp_says_or_does_not_say_is_told_apart(lp: Path, file: Path, mode: str, code: str) -> None:
    (lp / "mode").write_text(mode)
    way = LpWay("Envelopes", "title", file)
    way.ready()
    with pytest.raises(Refused, match=code):
        way.hand_over()
    assert not (lp / "got").exists()


def test_without_lp_the_next_step_is_told(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused, match=r"printer\.no-lp") as caught:
        LpWay("Envelopes", "title", file).ready()
    assert "cups-client" in caught.value.next_step
