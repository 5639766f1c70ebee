"""The devices that a Provider hosts: its hosts, which of them has a device, and who is enrolled there.

Here: hosts of a Provider (a database, a list of stations, its own enrolment there), new devices in the database of the
last one, and the enrolments of their licensees. Not here: the hosts themselves (`stations`, `psd.hosted`), lines of
single devices (`lines`).
Kept: a device stays with the host in whose database it was made, however many hosts there are later; that is noted
before it is made. Whose device is missing or scrapped is refused by its host from then on, and whose device is out of
service may watch it only, to finish what a crash left; a device that was found gets a new enrolment, since nobody knows
who had the old one. A connection string may hold a password: it lies in a file
of the Provider that only its owner reads.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.randomness import Randomness
from towncircle.kernel.store import Store
from towncircle.psd.device import manufacture
from towncircle.psd.states import MANUFACTURED
from towncircle.world.lines import LINE, Line, is_hosted, line_in, line_table, read, write
from towncircle.world.stations import (
    EVERY,
    FORMER,
    NOBODY,
    USER,
    WARN_WEEKS,
    allow,
    ending_own,
    enrol,
    found,
    is_enrolled,
    restrain_all,
    rows_enrolled,
    strike,
)

HOSTING, HOSTED, STATION = "hosting.json", "hosted", "station"
_MAY: Mapping[str, str] = MappingProxyType(
    {**dict.fromkeys(("missing", "lost", "stolen", "scrapped"), NOBODY), "checked out": FORMER}
)  # by custody; in any other the licensee uses the device


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosting:
    """Hold one host of a Provider: its database, its list of stations, and the Provider's own way to it."""

    dsn: str = field(repr=False)
    stations: Path
    line: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """Hold the hosts of a Provider in the order in which it began them; the last is at `at`.

    `open`: new devices are made at that one. Every host keeps serving those that it has.
    """

    hosts: tuple[Hosting, ...]
    at: int
    open: bool


def hosts_of(provider: Path) -> Hosts | None:
    """Give the hosts of a Provider (its folder), or None where its devices have processes of their own."""
    told = read(provider / HOSTING)
    if told is None:
        return None
    rows = told.get("hosts", [told])  # an earlier release had one
    return Hosts(hosts=tuple(_row(provider, row) for row in rows), at=int(told.get("at", 0)), open=bool(told["open"]))


def host_of(provider: Path, device: DeviceId) -> Hosting | None:
    """Give the host that has a device; None where the Provider has no host."""
    held = hosts_of(provider)
    if held is None:
        return None
    noted = read(provider / HOSTED / f"{device}.json")
    return held.hosts[int(noted["host"]) if noted is not None else 0]


def host(
    provider: Path,
    *,
    dsn: str,
    stations: Path,
    address: tuple[str, int],
    randomness: Randomness,
    now: Instant,
    parts: int = 0,
) -> Hosting:
    """Have a Provider (its folder) make its new devices in a database from now on, and serve them from a host.

    `parts` is how many a new database is made in.

    A host it has already, by database and list of stations, gets the new address; any other one is one more. Raises
    what the database raises.
    """
    from towncircle.psd.postgres import PostgresMemory

    PostgresMemory(dsn, create=True, partitions=parts).close()
    held, stations = hosts_of(provider), stations.resolve()
    rows = list(held.hosts) if held is not None else []
    found(stations, randomness, now)
    own = next((row.line.station for row in rows if row.stations == stations), None) or _free(provider)
    if not is_enrolled(stations, own):
        shutil.rmtree(own, ignore_errors=True)
        with suppress(BadInput):
            strike(stations, provider.name)
        enrol(stations, provider.name, own, devices=[EVERY], randomness=randomness, now=now, role="provider")
    made = Hosting(dsn=dsn, stations=stations, line=Line(station=own.resolve(), address=address))
    at = next((at for at, row in enumerate(rows) if (row.dsn, row.stations) == (dsn, stations)), len(rows))
    rows[at:] = [made, *rows[at + 1 :]]
    _put(provider, Hosts(hosts=tuple(rows), at=at, open=True))
    return made


def end_hosting(provider: Path) -> None:
    """Have a Provider make new devices with processes of their own again. Raises `Refused` (world.no-hosting)."""
    held = hosts_of(provider)
    if held is None:
        raise Refused("world.no-hosting", provider=provider.name)
    _put(provider, replace(held, open=False))


def make_hosted(home: Path, randomness: Randomness, now: Instant, folder: Path, **birth: Any) -> None:
    """Make a new device in the database of a host of a Provider (`home`), and a folder with the line of its licensee.

    One that a crash left in the database is taken, if it is of this Provider and as it left the factory.
    """
    from towncircle.psd.postgres import PostgresMemory

    device, held = DeviceId.parse(birth["device"]), hosts_of(home)
    if held is None:
        raise Refused("world.no-hosting", provider=home.name)
    (home / HOSTED).mkdir(mode=0o700, exist_ok=True)
    noted = read(home / HOSTED / f"{device}.json")  # by an attempt that a crash ended
    at = int(noted["host"]) if noted is not None else held.at
    write(home / HOSTED / f"{device}.json", {"host": at})
    hosting = held.hosts[at]
    memory = PostgresMemory(hosting.dsn)
    try:
        manufacture(memory, **birth)
    except Refused as refusal:
        left = memory.load([device]).get(device) if refusal.code == "psd.store-stale" else None
        if left is None or (left.state, left.provider_key) != (MANUFACTURED, birth["provider_key"]):
            raise
    finally:
        memory.close()
    folder.mkdir(parents=True, exist_ok=True)
    _enrol(hosting, device, folder, randomness, now)
    write(folder / LINE, {"station": STATION, "address": list(hosting.line.address)})


@cites("502.24", "502.20e")
def keep_enrolments(provider: Path, store: Store, devices: Path, randomness: Randomness, now: Instant) -> None:
    """Strike who may call devices that are gone, have others watch only, and enrol the licensees of those found again.

    Lists are read once; of devices whose enrolment is as their custody has it, nothing else is looked at.
    """
    held = hosts_of(provider)
    if held is None:
        return
    with store.reading() as view:
        custody = {row.key: str(row.body["custody"]) for row in view.find("device")}
    noted = custody.keys() & {item.stem for item in (provider / HOSTED).glob("*.json")}
    may = {name: _MAY.get(custody[name], USER) for name in sorted(noted)}
    gone = {DeviceId(name): role for name, role in may.items() if role != USER}
    places = dict.fromkeys(row.stations for row in held.hosts)
    rows = {place: rows_enrolled(place) for place in places}
    for place in places:
        if gone and restrain_all(place, rows[place].values(), gone):
            rows[place] = rows_enrolled(place)
    roles = {name: (row, str(row.get("role", USER))) for place in places for name, row in rows[place].items()}
    for name, role in may.items():
        row, now_is = roles.get(name, ({}, NOBODY))
        if role == now_is and not _ends_soon(row, devices / name / STATION, now):
            continue
        device, hosting = DeviceId(name), host_of(provider, DeviceId(name))
        if hosting is None or not is_hosted(devices / device):
            continue
        if role == NOBODY:
            continue
        if now_is in (NOBODY, role):
            _enrol(hosting, device, devices / device, randomness, now, role=role)
        else:
            allow(hosting.stations, device, role)


def _ends_soon(row: Mapping[str, Any], own: Path, now: Instant) -> bool:
    """Tell whether an enrolment has to be renewed; the list of an earlier release does not say when it ends."""
    if not row:
        return False
    if "until" in row:
        return Instant.parse(str(row["until"])) <= now.plus(days=7 * WARN_WEEKS)
    return (own / "own.pem").exists() and bool(ending_own(own, now))


def _enrol(
    hosting: Hosting, device: DeviceId, folder: Path, randomness: Randomness, now: Instant, *, role: str = USER
) -> None:
    """Enrol the licensee of a device, which is the one it belongs to by its name, with a new key."""
    with suppress(BadInput):
        strike(hosting.stations, device)  # of a crash
    shutil.rmtree(folder / STATION, ignore_errors=True)
    enrol(hosting.stations, device, folder / STATION, devices=[device], randomness=randomness, now=now, role=role)


def _free(provider: Path) -> Path:
    """Name a folder for one more enrolment of the Provider's own."""
    at, place = 1, provider / STATION
    while place.exists():
        at, place = at + 1, provider / f"{STATION}-{at + 1}"
    return place


def _row(provider: Path, told: Mapping[str, Any]) -> Hosting:
    return Hosting(dsn=str(told["dsn"]), stations=Path(str(told["stations"])), line=line_in(provider, told))


def _put(provider: Path, held: Hosts) -> None:
    rows = [{**line_table(row.line), "dsn": row.dsn, "stations": str(row.stations)} for row in held.hosts]
    write(provider / HOSTING, {"hosts": rows, "at": held.at, "open": held.open})
