"""Where the device of a world is reached: in a process of this command, or at a host over a network.

Here: the line that a device's folder may name, and the hosting of a Provider, which has its new devices made in a
database, enrols their licensees with its host, and keeps an enrolment of its own. Not here: hosts (`stations`), devices
of one's own (`devices`).
Kept: a line is written only after the device itself has answered over it; a device in a database has no copy in the
world. A connection string may hold a password: it lies in a file of the Provider that only its owner reads.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.randomness import Randomness
from towncircle.psd.client import DeviceClient
from towncircle.psd.device import manufacture
from towncircle.psd.process import STORE
from towncircle.psd.sqlite import SqliteMemory
from towncircle.psd.states import MANUFACTURED
from towncircle.world.clock import FILE as CLOCK_FILE
from towncircle.world.devices import DEVICES, PortMaker, ShelfPort
from towncircle.world.stations import EVERY, enrol, found, port_to, strike

LINE, HOSTING, STATION = "line.json", "hosting.json", "station"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Hold the way to a host: the folder of this station's enrolment there, and the host's address."""

    station: Path
    address: tuple[str, int]

    def open(self, device: DeviceId) -> ShelfPort:
        """Open a port to a device of the host. Raises `Refused` (transport.not-enrolled)."""
        return port_to(self.station, self.address, device)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosting:
    """Hold where a Provider has its devices made, its host's list of stations, and its own way to the host.

    `open`: new devices are made there. One that is not open keeps serving those it has.
    """

    dsn: str = field(repr=False)
    stations: Path
    line: Line
    open: bool = True


def line_of(folder: Path) -> Line | None:
    """Give the line that a device's folder names, or None for a device with a process of its own."""
    found = _read(folder / LINE)
    return None if found is None else _line(folder, found)


def over_lines(make: PortMaker) -> PortMaker:
    """Give a maker of ports that takes a device's line where it has one."""

    def opened(folder: Path) -> ShelfPort:
        line = line_of(folder)
        return make(folder) if line is None else line.open(DeviceId.parse(folder.name))

    return opened


def clock_arguments(store: Path) -> tuple[str, ...]:
    """Give the arguments of a device's process that make a device of a world heed the world's clock."""
    clock = store.resolve().parent.parent / CLOCK_FILE
    return ("--clock", str(clock)) if store.resolve().parent.name == DEVICES and clock.is_file() else ()


def connect(folder: Path, line: Line) -> None:
    """Reach the device of a folder over a line from now on, once it has answered there.

    Raises `BadInput` (world.other-device) where another one answered, `Refused` (world.copy-served) where the store
    here is nobody's, so that the host serves a copy of it; and what the line raises.
    """
    device = DeviceId.parse(folder.name)
    if not folder.is_dir():
        raise BadInput("psd.no-such-device", device=device)
    if (folder / STORE).exists() and not _is_owned(folder):
        raise Refused("world.copy-served", device=device, path=folder)
    port = line.open(device)
    try:
        found = DeviceClient(port).identify().device
    finally:
        port.close()
    if found != device:
        raise BadInput("world.other-device", device=device, found=found)
    _write(folder / LINE, _table(line))


def disconnect(folder: Path) -> None:
    """Run a device in a process of one's own again, once its host has ended.

    Raises `Refused` (world.no-line, world.hosted, world.still-served).
    """
    device = folder.name
    if line_of(folder) is None:
        raise Refused("world.no-line", device=device)
    if not (folder / STORE).exists():
        raise Refused("world.hosted", device=device)
    if _is_owned(folder):
        raise Refused("world.still-served", device=device)
    (folder / LINE).unlink()


def _is_owned(folder: Path) -> bool:
    """Tell whether a process owns the store of a device."""
    try:
        SqliteMemory(folder / STORE).close()
    except Refused as refusal:
        if refusal.code != "psd.store-busy":
            raise
        return True
    return False


def host(
    folder: Path, *, dsn: str, stations: Path, address: tuple[str, int], randomness: Randomness, now: Instant
) -> Hosting:
    """Have a Provider (its folder) make its new devices in a database from now on, and serve them from a host.

    Where it had a host, the new one replaces it for new devices. Raises `BadInput` (world.station-known) and what the
    database raises.
    """
    from towncircle.psd.postgres import PostgresMemory

    PostgresMemory(dsn, create=True).close()
    own = folder / STATION
    shutil.rmtree(own, ignore_errors=True)
    found(stations, randomness, now)
    with suppress(BadInput):
        strike(stations, folder.name)
    enrol(stations, folder.name, own, devices=[EVERY], randomness=randomness, now=now, role="provider")
    hosting = Hosting(dsn=dsn, stations=stations.resolve(), line=Line(station=own.resolve(), address=address))
    _put(folder, hosting)
    return hosting


def end_hosting(folder: Path) -> None:
    """Have a Provider make new devices with processes of their own again. Raises `Refused` (world.no-hosting)."""
    hosting = hosting_of(folder)
    if hosting is None:
        raise Refused("world.no-hosting", provider=folder.name)
    _put(folder, replace(hosting, open=False))


def _put(folder: Path, hosting: Hosting) -> None:
    more = {"dsn": hosting.dsn, "stations": str(hosting.stations), "open": hosting.open}
    _write(folder / HOSTING, {**_table(hosting.line), **more})


def hosting_of(folder: Path) -> Hosting | None:
    """Give the hosting of a Provider, or None where its devices have processes of their own."""
    found = _read(folder / HOSTING)
    if found is None:
        return None
    line, stations = _line(folder, found), Path(str(found["stations"]))
    return Hosting(dsn=str(found["dsn"]), stations=stations, line=line, open=bool(found["open"]))


def is_hosted(folder: Path) -> bool:
    """Tell whether a device is in its host's database and has no store here."""
    return (folder / LINE).exists() and not (folder / STORE).exists()


def make_hosted(hosting: Hosting, randomness: Randomness, now: Instant, folder: Path, **birth: Any) -> None:
    """Make a new device in the database of a Provider, and a folder with the line and enrolment of its licensee.

    One that a crash left in the database is taken, if it is of this Provider and as it left the factory.
    """
    from towncircle.psd.postgres import PostgresMemory

    device = DeviceId.parse(birth["device"])
    memory = PostgresMemory(hosting.dsn)
    try:
        manufacture(memory, **birth)
    except Refused as refusal:
        held = memory.load([device]).get(device) if refusal.code == "psd.store-stale" else None
        if held is None or (held.state, held.provider_key) != (MANUFACTURED, birth["provider_key"]):
            raise
    finally:
        memory.close()
    with suppress(BadInput):
        strike(hosting.stations, device)  # of a crash
    folder.mkdir(parents=True, exist_ok=True)
    enrol(hosting.stations, device, folder / STATION, devices=[device], randomness=randomness, now=now)
    _write(folder / LINE, {"station": STATION, "address": list(hosting.line.address)})


def _line(folder: Path, found: Mapping[str, Any]) -> Line:
    name, port = found["address"]
    return Line(station=folder / str(found["station"]), address=(str(name), int(port)))


def _table(line: Line) -> dict[str, Any]:
    return {"station": str(line.station.resolve()), "address": list(line.address)}


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise Refused("world.damaged", path=path, what="it cannot be read") from error
    return found


def _write(path: Path, table: Mapping[str, Any]) -> None:
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    with draft.open("w", encoding="utf-8") as file:
        json.dump(table, file)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
