"""The documented command of each product category serves a device that keeps one contract (PRE-02, PRE-03).

One host a category, started once by its command line; every case leaves the device in service but the last.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from tests.conformance.breaking import refused
from tests.psd.setting import SECRET, batch
from tests.psd.shops import CHANCE, FIRST, OTHER
from tests.psd.test_pkcs11 import PIN, Token
from tests.softhsm import need_softhsm

from towncircle.bench.workshop import Workshop
from towncircle.indicium.codec import decode
from towncircle.kernel.errors import BadInput, Refused, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.psd import commands
from towncircle.psd.client import DeviceClient
from towncircle.psd.device import manufacture
from towncircle.psd.hosted.wrapping import keys_of
from towncircle.psd.keys import TOKEN_MARK
from towncircle.psd.ports import read_frame, write_frame
from towncircle.psd.postgres import PostgresMemory
from towncircle.psd.process import SystemClock, create
from towncircle.transport.stations import StationPort
from towncircle.wire import bodies
from towncircle.world.stations import enrol, found, port_to

HOSTED = DeviceId.of(vendor="TC", model="1A", serial=303)
IN_TOKEN = DeviceId.of(vendor="TC", model="1A", serial=304)
TOKEN = "serve-wan, keys in a token"  # beside the other one: two hosts of one database, one folder
DEVICES = {"serve-pipe": FIRST, "serve-lan": FIRST, "serve-wan": HOSTED, TOKEN: IN_TOKEN, "serve-hybrid": FIRST}


class Town:
    """A folder as a world has it: a clock, the stores of devices, and the database of hosted ones."""

    token: Token

    def __init__(self, folder: Path, dsn: str) -> None:
        self.folder, self.now = folder, SystemClock().now()
        self.workshop = Workshop(self.now)
        self.secret = folder / "secret"
        self.secret.write_bytes(SECRET)
        self.to(self.now)
        with socket.create_server(("127.0.0.1", 0)) as held:
            self.wan_port = str(held.getsockname()[1])
        self.dsn_file = folder / "dsn"
        self.dsn_file.write_text(dsn)
        store = PostgresMemory(dsn, create=True)
        for device in (OTHER, HOSTED, IN_TOKEN):
            manufacture(store, **self.workshop.birth(device))
        store.close()

    def to(self, now: Instant) -> None:
        self.now = now
        draft = self.folder / "clock.new"
        draft.write_text(json.dumps({"mode": "frozen", "now_us": int(now)}))
        draft.replace(self.folder / "clock.json")

    def wan(self, port: str, *more: str, stations: str = "wan") -> list[str]:
        found(self.folder / stations, CHANCE, SystemClock().now())
        words = ["serve-wan", "--dsn-from", str(self.dsn_file), "--secret", str(self.secret)]
        words += ["--stations", str(self.folder / stations)]
        return [*words, "--world", str(self.folder), "--workers", "1", "--port", port, *more]

    def enrolled(self, host: str, name: str, device: DeviceId, role: str = "user") -> Path:
        place, out = self.folder / host, self.folder / f"{host}-{name}"
        if not out.exists():
            found(place, CHANCE, SystemClock().now())
            enrol(place, name, out, devices=[device], randomness=CHANCE, now=SystemClock().now(), role=role)
        return out


class Child:
    """A command that serves, and the bytes to it."""

    def __init__(self, words: list[str]) -> None:
        self._line, self._pipe = [sys.executable, "-m", "towncircle", "device", *words], words[0] == "serve-pipe"
        self.start()

    def start(self) -> None:
        line = self._line if self._pipe else [*self._line, "--json"]
        self.process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self.process.stdout is not None
        told = b"" if not self._pipe else b"}\n"
        while not told.endswith(b"}\n"):
            told += self.process.stdout.readline()
        if not self._pipe:
            host, _, port = json.loads(told)["address"].rpartition(":")
            self.address = (host, int(port))

    def exchange(self, command: bytes) -> bytes:
        self.write(command)
        assert self.process.stdout is not None
        answer = read_frame(self.process.stdout)
        assert answer is not None
        return answer

    def write(self, command: bytes) -> None:
        assert self.process.stdin is not None
        write_frame(self.process.stdin, command)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


class Served:
    """A device in service behind the command of its category."""

    def __init__(self, town: Town, category: str, wan: Child) -> None:
        self.town, self.category, self.device = town, category, DEVICES[category]
        self.host = {"serve-wan": "wan", TOKEN: "token", "serve-lan": "lan"}.get(category, "hybrid")
        self.child = wan if category in ("serve-wan", TOKEN) else Child(self._words())
        self.lines: list[StationPort] = []
        self.line()
        self.town.workshop.commission(self.client, self.device, town.now)
        self.town.workshop.reset(self.client, self.device, Mills.dollars(300), town.now)

    def _words(self) -> list[str]:
        town = self.town
        store = town.folder / "devices" / self.category / "devices" / FIRST  # a town for each, so that each has a store
        (store.parents[1]).mkdir(parents=True)
        (store.parents[1] / "clock.json").symlink_to(town.folder / "clock.json")
        create(store, **town.workshop.birth(FIRST), secret=SECRET)
        words = [self.category, str(store)]
        if self.category == "serve-pipe":
            return words
        town.enrolled(self.host, "desk", FIRST)
        words += ["--stations", str(town.folder / self.host)]
        if self.category == "serve-hybrid":
            own = town.enrolled("wan", "hybrid", OTHER)
            words += ["--wan", str(own), "--wan-address", f"127.0.0.1:{town.wan_port}", "--hosted", OTHER]
        return words

    def close(self) -> None:
        while self.lines:
            self.lines.pop().close()

    def line(self) -> None:
        self.close()
        self.client, self.officer = (DeviceClient(self.port(role)) for role in ("user", "provider"))

    def port(self, role: str = "user"):  # type: ignore[no-untyped-def]
        if self.category == "serve-pipe":
            return self.child
        name = "desk" if role == "user" else role
        port = port_to(self.town.enrolled(self.host, name, self.device, role), self.child.address, self.device)
        self.lines.append(port)
        return port

    def restart(self) -> None:
        self.child.kill()
        self.child.start()
        self.line()

    def lose(self, command: bytes) -> None:
        """Send a command and never read the answer."""
        if self.category == "serve-pipe":
            self.child.write(command)
            self.restart()
            return
        port = self.port()
        line = port._connected(time.monotonic() + 10)
        with line.makefile("rwb") as stream:
            write_frame(stream, self.device.encode("ascii") + command)
        line.close()

    def job(self, name: str, *amounts: int, **more: int) -> commands.Evidence:
        return batch(name, amounts, **more, date=self.town.now.date_in("America/New_York").isoformat())


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, databases: Callable[[], str]) -> Town:
    return Town(tmp_path_factory.mktemp("town"), databases())


@pytest.fixture(scope="module")
def wan(town: Town) -> Iterator[Child]:
    child = Child(town.wan(town.wan_port))
    yield child
    child.kill()


@pytest.fixture(scope="module")
def token_wan(town: Town) -> Iterator[Child]:
    town.token = token = Token(town.folder)
    with pytest.MonkeyPatch.context() as patched:
        for name, value in {**token.environment, "TOWN_PIN": PIN}.items():
            patched.setenv(name, value)
        named = ["--token", str(need_softhsm()), "--token-label", "device", "--pin-from", "env:TOWN_PIN"]
        child = Child(town.wan("0", *named, stations="token"))
        yield child
        child.kill()


@pytest.fixture(scope="module", params=list(DEVICES))
def served(request: pytest.FixtureRequest, town: Town, wan: Child) -> Iterator[Served]:
    host = request.getfixturevalue("token_wan") if request.param == TOKEN else wan
    made = Served(town, request.param, host)
    yield made
    made.close()
    if made.child is not host:
        made.child.kill()


def test_a_repeated_request_is_paid_once_and_another_under_its_name_is_a_conflict(served: Served) -> None:
    client = served.client
    first, before = client.evidence(served.job("SAME", 5, 6)), client.status().registers
    assert client.evidence(served.job("SAME", 5, 6)) == first == client.recover("SAME")
    with pytest.raises(Refused, match=r"psd\.request-conflict"):
        client.evidence(served.job("SAME", 5, 7))
    assert client.status().registers == before


@pytest.mark.requirement("PRE-03/2")
def test_a_refusal_keeps_its_code_and_costs_nothing(served: Served) -> None:
    before = served.client.status().registers
    with refused("PRE-03", "psd.field-not-from-host"):
        served.client.evidence(served.job("OWN", 5, ascending_mills=1))
    with pytest.raises(Refused, match=r"psd\.funds-short"):
        served.client.evidence(served.job("TOO-MUCH", *[99_000] * 5))
    with pytest.raises(Refused, match=r"psd\.request-unknown"):
        served.client.recover("NEVER")
    with pytest.raises(BadInput, match=r"psd\.amount-over-limit"):
        served.client.evidence(served.job("TOO-LARGE", 100_001))
    assert served.client.status().registers == before


def test_malformed_bytes_are_refused_and_change_nothing(served: Served) -> None:
    before, port = served.client.status(), served.port()
    whole = commands.encode_command(served.job("WHOLE", 5))
    for raw in (b"", b"\x00" * 40, whole[:-1], whole + b"\x00", b"\xff" + whole, whole.replace(b"WHOLE", b"WH\xffLE")):
        with pytest.raises((BadInput, Refused)) as caught:
            commands.decode_answer(port.exchange(raw))
        assert caught.value.code in ("psd.malformed", "wire.malformed")
    assert served.client.status().registers == before.registers


def test_reprints_are_counted_and_are_the_same_bytes(served: Served) -> None:
    client = served.client
    made = client.evidence(served.job("AGAIN", 5, 6, 7)).indicia()
    counts = [client.reprint("AGAIN", (0, 2)) for _ in range(2)]
    assert [tuple(one.indicia) for one in counts] == [(made[0], made[2])] * 2
    assert counts[1].reprints == counts[0].reprints + 2


def test_an_examiner_reads_all_and_changes_nothing(served: Served) -> None:
    before, workshop, now = served.client.status().registers, served.town.workshop, served.town.now
    done = served.client.examine(workshop.examination(served.device, now))
    assert done.message
    with pytest.raises(Refused, match=r"psd\.not-an-examiner"):
        served.client.examine(workshop.examination(served.device, now, role="licensee"))
    assert served.client.status().registers == before


def test_the_next_key_signs_once_it_is_certified(served: Served) -> None:
    client, workshop, now = served.client, served.town.workshop, served.town.now
    before = client.identify().indicia_public
    report = workshop.open(served.device, client, client.rekey().message).body
    assert isinstance(report, bodies.DeviceKeyReport)
    client.evidence(served.job("OLD-KEY", 5))
    workshop.certify_next(client, served.device, now, indicia=report.indicia_public)
    old, new = (decode(client.evidence(served.job(name, 5)).indicia()[0]) for name in ("OLD-KEY", "NEW-KEY"))
    assert old.fields["certificate_serial"] != new.fields["certificate_serial"]
    assert client.identify().indicia_public == report.indicia_public != before


def test_a_reset_that_is_asked_again_is_the_same_and_is_applied_once(served: Served) -> None:
    client, workshop, now = served.client, served.town.workshop, served.town.now
    first = client.request_reset(Mills.dollars(20))
    assert client.request_reset(Mills.dollars(20)).message == first.message
    before = client.status().resets_total
    order = workshop.authorisation(served.device, workshop.open(served.device, client, first.message), now)
    assert client.apply_reset(order).message == client.apply_reset(order).message
    assert client.status().resets_total == before + Mills.dollars(20)


def test_silence_locks_and_a_contact_opens(served: Served) -> None:
    served.town.to(served.town.now.plus(hours=73))
    assert served.client.status().state == "locked"
    with pytest.raises(Refused, match=r"psd\.locked"):
        served.client.evidence(served.job("LOCKED", 5))
    served.town.workshop.contact(served.client, served.device, served.town.now)
    assert served.client.evidence(served.job("OPEN", 5)).count == 1


def test_a_process_that_holds_keys_leaves_no_core_file(served: Served) -> None:
    assert served.client.status().state == "in service"
    found = [served.child.process.pid]
    if served.category != "serve-pipe":  # there the command becomes the device's process
        told = subprocess.run(["pgrep", "-P", str(found[0])], capture_output=True, text=True, check=True)
        found = [int(pid) for pid in told.stdout.split()]
    assert found
    for pid in found:
        assert re.search(r"Max core file size +0 +0 ", Path(f"/proc/{pid}/limits").read_text())


def test_a_device_of_a_host_with_a_token_has_its_keys_there_and_its_pin_is_with_no_worker(served: Served) -> None:
    if served.category != TOKEN:
        return
    with closing(PostgresMemory(served.town.dsn_file.read_text())) as store:
        held = store.load([IN_TOKEN, HOSTED])
    assert all(key.sealed.startswith(TOKEN_MARK) for key in keys_of(held[IN_TOKEN]))
    assert not any(key.sealed.startswith(TOKEN_MARK) for key in keys_of(held[HOSTED]))
    processes, found = [str(served.child.process.pid)], list[str]()
    for pid in processes:
        told = subprocess.run(["pgrep", "-P", pid], capture_output=True, text=True, check=False).stdout.split()
        processes += told
        found += told
    assert len(found) >= 2  # a worker of the host, and one of the library
    for pid in found:
        for what in ("cmdline", "environ"):
            words = Path(f"/proc/{pid}/{what}").read_bytes().decode(errors="replace").split("\0")
            assert not any(word == PIN or word.endswith(f"={PIN}") for word in words)


def test_a_lost_answer_is_recovered_or_asked_again_and_paid_once(served: Served) -> None:
    before = served.client.status().registers
    asked = served.job("LOST", 5)
    served.lose(commands.encode_command(asked))
    made = served.client.evidence(asked)
    assert served.client.recover("LOST") == made
    after = served.client.status().registers
    assert (after.pieces, after.ascending) == (before.pieces + 1, before.ascending + Mills(5))


def test_a_host_that_was_killed_goes_on_where_it_was(served: Served) -> None:
    kept, before = served.client.evidence(served.job("KEPT", 5)), served.client.status().registers
    served.restart()
    for _ in range(50):
        with suppress(TowncircleError):
            assert served.client.status().registers == before
            break
    assert served.client.recover("KEPT") == kept
    assert served.client.evidence(served.job("NEXT", 5)).first_piece == before.pieces + 1


def test_at_its_end_it_gives_its_balance_back_once_and_its_keys_are_destroyed(served: Served) -> None:
    client = served.client
    assert client.evidence(served.job("LAST", *[4, 5] * 500)).count == 1000
    client.withdraw(served.town.workshop.seal(served.device, bodies.Withdraw(reason="returned"), served.town.now))
    told = client.status()
    assert (told.state, told.registers.descending) == ("withdrawn", Mills(0))
    with pytest.raises(TowncircleError):
        client.evidence(served.job("AFTER", 5))
    if served.category != "serve-pipe":  # over a network only the Provider destroys keys
        with pytest.raises(Refused, match=r"psd\.role-refused"):
            client.zeroise(served.device)
    served.officer.zeroise(served.device)
    assert client.status().state == "zeroised"
    if served.category == TOKEN:
        assert len(served.town.token.keys()) == 1  # the mark of the fleet
