"""Where the device of a world is reached: in a process of this command, or at a host over a network.

Here: the line that a device's folder may name, and the line of a Provider's bench to a device that a LAN host serves.
Not here: hosts (`stations`), devices of one's own (`devices`), devices that a Provider hosts (`hosting`).
Kept: a line is written only after the device itself has answered over it; a device in a database has no copy in the
world. The bench never goes over its licensee's enrolment where it has one of its own, or the device itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from towncircle.kernel.errors import BadInput, Refused, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.psd.client import DeviceClient
from towncircle.psd.process import STORE
from towncircle.psd.services import OFFICER
from towncircle.psd.sqlite import SqliteMemory
from towncircle.world.clock import FILE as CLOCK_FILE
from towncircle.world.devices import DEVICES, PortMaker, ShelfPort
from towncircle.world.stations import port_to, sync_folder

LINE, BENCH = "line.json", "bench"
_NOT_OURS = "a request of nobody"  # a Provider may not ask for what was evidenced, whatever the name


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Hold the way to a host: the folder of this station's enrolment there, and the host's address."""

    station: Path
    address: tuple[str, int]

    def open(self, device: DeviceId) -> ShelfPort:
        """Open a port to a device of the host. Raises `Refused` (transport.not-enrolled)."""
        return port_to(self.station, self.address, device)


def line_of(folder: Path) -> Line | None:
    """Give the line that a device's folder names, or None for a device with a process of its own."""
    found = read(folder / LINE)
    return None if found is None else line_in(folder, found)


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
    if (folder / STORE).exists() and not is_owned(folder):
        raise Refused("world.copy-served", device=device, path=folder)
    _answers(line, device)
    write(folder / LINE, line_table(line))


def connect_bench(provider: Path, device: DeviceId, line: Line) -> None:
    """Give a Provider's bench (the Provider's folder) a line of its own to a device that a host serves.

    Raises `BadInput` (world.other-device), `Refused` (world.bench-role) for an enrolment in another role than the
    Provider's; and what the line raises.
    """
    _answers(line, device)
    port = line.open(device)
    try:
        DeviceClient(port).recover(_NOT_OURS)
    except TowncircleError as error:
        if error.code != "psd.role-refused" or error.params.get("role") != OFFICER:
            raise Refused("world.bench-role", device=device) from error
    finally:
        port.close()
    (provider / BENCH).mkdir(mode=0o700, exist_ok=True)
    write(provider / BENCH / f"{device}.json", line_table(line))


def bench_port(provider: Path, folder: Path, make: PortMaker) -> ShelfPort | None:
    """Give the port of a Provider's bench to a device (its folder) whose licensee reaches it over a line.

    While a host owns the store: by the bench's own enrolment there. Otherwise the bench has the device before it, and
    opens it by itself. None: the bench has no way of its own.
    """
    if not ((folder / LINE).exists() and (folder / STORE).exists()):
        return None
    if not is_owned(folder):
        return make(folder)
    found = read(provider / BENCH / f"{folder.name}.json")
    return None if found is None else line_in(provider, found).open(DeviceId.parse(folder.name))


def _answers(line: Line, device: DeviceId) -> None:
    """Check that a device answers over a line. Raises `BadInput` (world.other-device)."""
    port = line.open(device)
    try:
        found = DeviceClient(port).identify().device
    finally:
        port.close()
    if found != device:
        raise BadInput("world.other-device", device=device, found=found)


def disconnect(folder: Path) -> None:
    """Run a device in a process of one's own again, once its host has ended.

    Raises `Refused` (world.no-line, world.hosted, world.still-served).
    """
    device = folder.name
    if line_of(folder) is None:
        raise Refused("world.no-line", device=device)
    if not (folder / STORE).exists():
        raise Refused("world.hosted", device=device)
    if is_owned(folder):
        raise Refused("world.still-served", device=device)
    (folder / LINE).unlink()


def is_owned(folder: Path) -> bool:
    """Tell whether a process owns the store of a device."""
    try:
        SqliteMemory(folder / STORE).close()
    except Refused as refusal:
        if refusal.code != "psd.store-busy":
            raise
        return True
    return False


def is_hosted(folder: Path) -> bool:
    """Tell whether a device is in its host's database and has no store here."""
    return (folder / LINE).exists() and not (folder / STORE).exists()


def line_in(folder: Path, found: Mapping[str, Any]) -> Line:
    """Give the line that a table of a folder names."""
    name, port = found["address"]
    return Line(station=folder / str(found["station"]), address=(str(name), int(port)))


def line_table(line: Line) -> dict[str, Any]:
    """Give a line as it is kept."""
    return {"station": str(line.station.resolve()), "address": list(line.address)}


def read(path: Path) -> dict[str, Any] | None:
    """Read a kept table; None where there is none. Raises `Refused` (world.damaged)."""
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise Refused("world.damaged", path=path, what="it cannot be read") from error
    return found


def write(path: Path, table: Mapping[str, Any]) -> None:
    """Keep a table, durably, for its owner alone."""
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    with draft.open("w", encoding="utf-8") as file:
        json.dump(table, file)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_folder(path.parent)
