"""The system's own `lp` and print service: a scheduler of the tests' own on 127.0.0.1, and a queue of it."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from towncircle.kernel.errors import Refused
from towncircle.transport.printers import LpWay

SERVICE = Path("/usr/lib/cups")
PROGRAMS = [shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in ("cupsd", "lp", "lpstat")]
HERE = all(PROGRAMS) and (SERVICE / "daemon").is_dir()
pytestmark = pytest.mark.skipif(not HERE and not os.environ.get("CI"), reason="apt install cups-daemon cups-client")

SCHEDULER = """\
Listen 127.0.0.1:{port}
Browsing No
WebInterface No
DefaultAuthType None
<Location />
  Allow from 127.0.0.1
</Location>
<Policy default>
  <Limit All>
    Order deny,allow
  </Limit>
</Policy>
"""
FILES = """\
ServerRoot {top}/etc
ServerBin {top}/bin
RequestRoot {top}/spool
CacheDir {top}/cache
StateDir {top}/state
TempDir {top}/tmp
AccessLog {top}/log/access
ErrorLog {top}/log/error
PageLog {top}/log/page
User {user}
Group {group}
"""
QUEUE = """\
<DefaultPrinter Envelopes>
DeviceURI keep:{top}/out
State Idle
Accepting Yes
Shared No
</DefaultPrinter>
"""
DEVICE = """\
#!/bin/sh
# the device at the end of the queue: it keeps what a printer would be sent
[ $# -eq 0 ] && exit 0
place="${DEVICE_URI#keep:}"
cat "${6:--}" > "$place/$3.part" && printf '%s' "$5" > "$place/$3.options" && mv "$place/$3.part" "$place/$3"
"""


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run a print service with the queue `Envelopes`; give the folder that its printer fills."""
    assert HERE, "CI tests the real lp: apt install cups-daemon cups-client"
    top = tmp_path_factory.mktemp("cups")
    for name in ("etc", "bin/backend", "bin/filter", "spool", "cache", "state", "tmp", "log", "out"):
        (top / name).mkdir(parents=True)
    for name in ("daemon", "notifier"):
        (top / "bin" / name).symlink_to(SERVICE / name)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    mine = pwd.getpwuid(os.getuid()).pw_name
    user, group = ("lp", "lp") if os.getuid() == 0 else (mine, "lp")
    for name, text in (("cupsd.conf", SCHEDULER), ("cups-files.conf", FILES), ("printers.conf", QUEUE)):
        (top / "etc" / name).write_text(text.format(port=port, top=top, user=user, group=group))
    device = top / "bin" / "backend" / "keep"
    device.write_text(DEVICE)
    device.chmod(0o700)  # as who runs the service: it may read its spool
    line = [str(PROGRAMS[0]), "-f", "-c", str(top / "etc" / "cupsd.conf"), "-s", str(top / "etc" / "cups-files.conf")]
    service = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("CUPS_SERVER", f"127.0.0.1:{port}")
            until(lambda: b"scheduler is running" in told("-r"))
            yield top / "out"
    finally:
        service.terminate()
        service.wait(timeout=10)


def told(*question: str) -> bytes:
    return subprocess.run([str(PROGRAMS[2]), *question], capture_output=True, check=False, timeout=10).stdout


def until(well: Callable[[], bool]) -> None:
    ends = time.monotonic() + 10
    while not well():
        assert time.monotonic() < ends, "the print service did not come so far"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("name", "options"),
    [("job.pdf", ("print-scaling=none", "media=Custom.4.125x9.5in")), ("label.zpl", ("raw",))],
)
def test_a_queue_of_the_print_service_gets_every_byte(
    printed: Path, tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    file = tmp_path / name
    file.write_bytes((b"%PDF-1.7\n" if name.endswith("pdf") else b"^XA") + bytes(range(256)) * 400)
    way = LpWay("Envelopes", name, file, options)
    way.ready()
    request = way.hand_over()
    assert request.startswith("request id is Envelopes-")
    until((printed / name).exists)
    assert (printed / name).read_bytes() == file.read_bytes()
    given = (printed / f"{name}.options").read_text().split()
    assert set(options) - {"raw"} <= set(given)
    number = request.split()[3]
    until(lambda: number in told("-W", "completed", "-o").decode())
    assert number not in told("-o").decode()  # nothing of it waits
    with suppress(FileNotFoundError):
        (printed / name).unlink()


def test_a_queue_that_the_print_service_does_not_know_printed_nothing(printed: Path, tmp_path: Path) -> None:
    file = tmp_path / "job.pdf"
    file.write_bytes(b"%PDF-1.7\n")
    way = LpWay("Nowhere", "job.pdf", file)
    way.ready()
    with pytest.raises(Refused, match=r"printer\.lp-refused") as caught:
        way.hand_over()
    assert "does not exist" in caught.value.sentence
    assert not (printed / "job.pdf").exists()
