"""Who may call which device over a network, and the hosts that serve them.

Here: a host's folder (its authority, its own certificate, the list of who is enrolled), enrolling and striking, and the
gate in front of the devices of a LAN host or of the Provider's WAN host. Not here: sockets (`transport.stations`).
Kept: a caller reaches only the devices that he was enrolled for, in the role that he was enrolled with; who is struck
from the list is refused at his next command, whatever his certificate says. Who was let down for one device keeps
the others. Whose device is out of service watches it, and fetches what it evidenced for him: that is paid. Over a
network only the Provider destroys keys. Enrolling hands out a key once and keeps no copy of it.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.randomness import Randomness
from towncircle.pki.stations import HOST_NAME, Identity, certify, ends, found_host
from towncircle.psd import commands, services
from towncircle.psd.ports import BytePort
from towncircle.transport.reception import TIMEOUT_S
from towncircle.transport.stations import StationPort
from towncircle.world.enrolled import Enrolled

Row = dict[str, Any]
_LIST = "enrolled.json"
_EXCEPT = "except"  # in an enrolment: what he may do at devices of the host where it is less than his role
WARN_WEEKS = 13  # house: so early a host and a station speak of the end of a certificate
EVERY = "*"  # in an enrolment: every device of the host
USER, FORMER, NOBODY = "user", "former", ""  # what a licensee's station may do, by what became of its device
WATCH = "watch"
ROLES: Mapping[str, str] = MappingProxyType(
    {"user": services.USER, "provider": services.OFFICER, WATCH: services.ANYONE, FORMER: services.ANYONE}
)
WAIT_S = 10  # house
LIST_WAIT_S = 10  # house: how long one waits for another process that changes a list
_PAUSE_S = 0.02
COMMAND_S = 27  # house: a host answers a command within it, and a station waits for longer (`TIMEOUT_S`)


def found(folder: Path, randomness: Randomness, now: Instant) -> None:
    """Make a host's folder, unless it is there; a certificate of the host's own that ends soon is renewed."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(folder):  # two at once would make two authorities
        if (folder / _LIST).exists():
            renew_own(folder, randomness, now)
            return
        authority = found_host("device host authority", randomness, now)
        _put(folder / "authority.key", authority.key)
        _put(folder / "authority.pem", authority.certificate)
        _put_own(folder, certify(authority, HOST_NAME, randomness, now, host=True))
        _put(folder / _LIST, b"{}")


def enrol(
    folder: Path,
    name: str,
    out: Path,
    *,
    devices: Sequence[str],
    randomness: Randomness,
    now: Instant,
    role: str = "user",
    again: bool = False,
) -> str:
    """Make a caller's key and certificate in `out`, and write it into the list; give the fingerprint.

    `devices` are those he may call, or `EVERY` alone; `role` is one of `ROLES`. With `again` a caller who is enrolled
    gets a new key and certificate for what he may do already, and the old ones are refused. Raises `BadInput`
    (world.station-known) where the name is enrolled otherwise, (world.station-unknown).
    """
    authority = Identity(
        key=(folder / "authority.key").read_bytes(), certificate=(folder / "authority.pem").read_bytes()
    )
    made = certify(authority, name, randomness, now, host=False)
    with _alone(folder):
        listed = _listed(folder)
        known = {print_: row for print_, row in listed.items() if row["name"] == name}
        if known and not again:
            raise BadInput("world.station-known", name=name)
        if again and not known:
            raise BadInput("world.station-unknown", name=name)
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(out.iterdir()):
            raise BadInput("world.exists", path=out)
        _put(out / "authority.pem", authority.certificate)
        _put_own(out, made)
        row: Row = {"name": name, "devices": [str(device) for device in devices], "role": role}
        for print_, held in known.items():
            row = dict(held)
            del listed[print_]
        listed[made.fingerprint] = {**row, "until": ends(made.certificate).iso()}
        _put(folder / _LIST, json.dumps(listed, indent=1).encode())
    return made.fingerprint


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Be the only one to change the list: an enrolment never brings a struck caller back.

    Raises `Refused` (world.list-busy) where another process has it for too long: it may have been stopped.
    """
    ends = time.monotonic() + LIST_WAIT_S
    with (folder / ".lock").open("w") as guard:
        while True:
            try:
                fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= ends:
                    raise Refused("world.list-busy", folder=folder) from error
            time.sleep(_PAUSE_S)
        yield


def strike(folder: Path, name: str) -> None:
    """Strike a caller from the list. Raises `BadInput` (world.station-unknown)."""
    with _alone(folder):
        listed = _listed(folder)
        kept = {print_: row for print_, row in listed.items() if row["name"] != name}
        if len(kept) == len(listed):
            raise BadInput("world.station-unknown", name=name)
        _put(folder / _LIST, json.dumps(kept, indent=1).encode())


def ending(folder: Path, now: Instant) -> list[str]:
    """Say which certificates of a host end soon: its authority's, its own, and those of who is enrolled.

    Of an enrolment by an earlier release nobody here knows the end; its own station does (`ending_own`).
    """
    soon = now.plus(days=7 * WARN_WEEKS)
    said = [
        f"The certificate of the {what} ends on {until.iso()}: {way}."
        for what, name, way in (
            ("host's authority", "authority.pem", "found a new list of stations, and enrol everybody there"),
            ("host", "own.pem", "it is renewed at a start, as far as the authority lasts"),
        )
        if (until := ends((folder / name).read_bytes())) <= soon
    ]
    for row in _listed(folder).values():
        if "until" in row and Instant.parse(str(row["until"])) <= soon:
            words = f"towncircle device enrol {folder} {row['name']} OUT --again"
            said.append(f"The certificate of the station {row['name']} ends on {row['until']}: {words}.")
    return said


def ending_own(out: Path, now: Instant) -> list[str]:
    """Say whether a station's own certificate ends soon."""
    until = ends((out / "own.pem").read_bytes())
    if until > now.plus(days=7 * WARN_WEEKS):
        return []
    return [f"This station's certificate ends on {until.iso()}: have the host's operator enrol it anew (--again)."]


def renew_own(folder: Path, randomness: Randomness, now: Instant) -> None:
    """Renew a host's own certificate where it ends soon, if its authority lasts."""
    if not (folder / _LIST).exists():
        return
    soon, authority_until = now.plus(days=7 * WARN_WEEKS), ends((folder / "authority.pem").read_bytes())
    if ends((folder / "own.pem").read_bytes()) > soon or authority_until <= now:
        return
    authority = Identity(
        key=(folder / "authority.key").read_bytes(), certificate=(folder / "authority.pem").read_bytes()
    )
    _put_own(folder, certify(authority, HOST_NAME, randomness, now, host=True))


def rows_enrolled(folder: Path) -> dict[str, Row]:
    """Give the enrolments of a host by name."""
    return {str(row["name"]): row for row in _listed(folder).values()}


def roles_enrolled(folder: Path) -> dict[str, str]:
    """Give who is enrolled with a host, in which role."""
    return {name: str(row.get("role", USER)) for name, row in rows_enrolled(folder).items()}


def allow(folder: Path, name: str, role: str) -> None:
    """Change the role of a caller from his next command on."""
    with _alone(folder):
        listed = _listed(folder)
        changed = {print_: {**row, "role": role} if row["name"] == name else row for print_, row in listed.items()}
        _put(folder / _LIST, json.dumps(changed, indent=1).encode())


def is_list(folder: Path) -> bool:
    """Tell whether a folder holds a host's list of stations."""
    return (folder / _LIST).is_file()


def restrain(folder: Path, device: DeviceId, *, role: str) -> None:
    """Strike everybody but the Provider who may call a device, or make him its former user, from his next command on.

    Who is enrolled for other devices besides, or for every one, keeps those; nobody gets back what he has lost.
    """
    with _alone(folder):
        _restrain(folder, _listed(folder), {device: role})


def restrain_all(folder: Path, rows: Iterable[Row], roles: Mapping[DeviceId, str]) -> bool:
    """Do for many devices what `restrain` does for one; `rows` are the list as it was read before.

    Tells whether something had to be changed; where nothing had, the list is not read again.
    """
    if all(_restrained_all(row, roles) is row for row in rows):
        return False
    with _alone(folder):
        _restrain(folder, _listed(folder), roles)
    return True


def _restrain(folder: Path, listed: dict[str, Row], roles: Mapping[DeviceId, str]) -> None:
    found = {print_: _restrained_all(row, roles) for print_, row in listed.items()}
    kept = {print_: row for print_, row in found.items() if row["devices"]}
    if kept != listed:
        _put(folder / _LIST, json.dumps(kept, indent=1).encode())


def _restrained_all(row: Row, roles: Mapping[DeviceId, str]) -> Row:
    named = roles if EVERY in row["devices"] else [name for name in map(DeviceId, row["devices"]) if name in roles]
    for device in named:
        row = _restrained(row, device, roles[device])
    return row


def _restrained(row: Row, device: DeviceId, role: str) -> Row:
    held = _role(row, device)
    if held in (NOBODY, "provider", role) or (held, role) == (WATCH, FORMER):
        return row
    others = [name for name in row["devices"] if name != device]
    if role == NOBODY and EVERY not in others:
        return {**row, "devices": others}
    if not others:
        return {**row, "role": role}
    return {**row, _EXCEPT: {**row.get(_EXCEPT, {}), str(device): role}}


def _role(row: Row, device: DeviceId) -> str:
    """Give the role in which somebody may call a device. A list of an earlier release has users only."""
    if not {str(device), EVERY} & set(row["devices"]):
        return NOBODY
    return str(row.get(_EXCEPT, {}).get(str(device), row.get("role", USER)))


def is_enrolled(folder: Path, out: Path) -> bool:
    """Tell whether the enrolment in `out` is whole and in the list of a host's folder."""
    try:
        own = Identity(key=(out / "own.key").read_bytes(), certificate=(out / "own.pem").read_bytes())
        return own.fingerprint in _listed(folder) and (out / "authority.pem").exists()
    except (OSError, ValueError):
        return False


@cites("PRE-02")
def gate(folder: Path, call: Callable[[DeviceId, bytes], bytes]) -> Gate:
    """Let enrolled callers through to their devices. The gate raises `Refused` (world.station-refused)."""
    return Gate(folder, call)


class Gate:
    """Stand in front of the devices of a host."""

    def __init__(self, folder: Path, call: Callable[[DeviceId, bytes], bytes]) -> None:
        self._folder, self._call, self._listed = folder, call, Enrolled(folder / _LIST)

    def __call__(self, caller: str, device: DeviceId, command: bytes) -> bytes:
        """Pass a command on and give its answer. Raises `Refused` (world.station-refused, psd.role-refused)."""
        row = self._row(caller)
        role = NOBODY if row is None else _role(row, device)
        if role == NOBODY:
            raise Refused("world.station-refused", device=device)
        _check_role(role, command)
        return self._call(device, command)

    def knows(self, caller: str) -> bool:
        """Tell whether a caller is on the list, for whatever devices. Raises `Refused` (transport.not-enrolled)."""
        return self._row(caller) is not None

    def _row(self, caller: str) -> Row | None:
        try:
            return self._listed.find(caller)
        except (OSError, ValueError) as error:
            raise Refused("transport.not-enrolled", folder=self._folder) from error


def _check_role(listed: str, command: bytes) -> None:
    event, role = commands.NAMES[type(commands.decode_command(command))], ROLES[listed]
    if (listed, event) == (FORMER, "recover"):
        return  # it changes nothing, and gives again what was paid for
    services.check(services.role_at_port(role, event), event)
    if event == "zeroise" and role != services.OFFICER:
        raise Refused("psd.role-refused", service=event, role=role, roles=services.OFFICER)


class OneDevice:
    """Serve one device to many callers, one command at a time, first come, first served (the LAN category).

    Who cannot be served in time is told so, and nothing of his command is run: psd.host-busy. A request that waits is
    run before a later question whether it was, so that nobody is told of a "never" that is debited afterwards.
    """

    def __init__(self, port: BytePort, device: DeviceId) -> None:
        self._port, self._device = port, device
        self._tickets, self._changed = list[object](), threading.Condition()

    @property
    def callers(self) -> int:
        """Give how many callers are served or wait."""
        return len(self._tickets)

    def __call__(self, name: DeviceId, command: bytes) -> bytes:
        """Give the device's answer. Raises `Refused` (psd.host-busy), `BadInput` (psd.no-such-device)."""
        if name != self._device:
            raise BadInput("psd.no-such-device", device=name)
        ticket = object()
        with self._changed:
            self._tickets.append(ticket)
        try:
            with self._changed:
                if not self._changed.wait_for(lambda: self._tickets[0] is ticket, timeout=WAIT_S):
                    raise Refused("psd.host-busy")
            return self._port.exchange(command)
        finally:
            with self._changed:
                self._tickets.remove(ticket)
                self._changed.notify_all()


def port_to(folder: Path, address: tuple[str, int], device: DeviceId, *, timeout_s: float = TIMEOUT_S) -> StationPort:
    """Open a workstation's port to a device, with the key and certificates of its enrolment."""
    return StationPort(folder, address, device, host_name=HOST_NAME, timeout_s=timeout_s)


def _listed(folder: Path) -> dict[str, Row]:
    try:
        table: dict[str, Row] = json.loads((folder / _LIST).read_text())
    except (OSError, ValueError) as error:
        raise Refused("transport.not-enrolled", folder=folder) from error
    return table


def _put_own(folder: Path, identity: Identity) -> None:
    _put(folder / "own.key", identity.key)
    _put(folder / "own.pem", identity.certificate)


def _put(path: Path, data: bytes) -> None:
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names of files in a folder last."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
