"""Who may call a device that a licensee serves on a LAN of its own: the list follows what became of the device.

Here: which list a LAN host serves a device by, and what the licensee's books do to it. Not here: the lists themselves
(`stations`), devices that a Provider hosts (`hosting`), hybrids, whose hosted half goes on for the same stations.
Kept: whose device is missing, lost or stolen is struck, and stays so when it is found: nobody knows who had the keys
meanwhile, so each station is enrolled anew. Once a device is out of service its stations may watch it only. The
Provider's own enrolment stays: it destroys the keys. A host on another machine than these books is told by hand.
"""

from __future__ import annotations

from pathlib import Path

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.store import Store, Transaction
from towncircle.licensee import missing, returns
from towncircle.world import stations
from towncircle.world.lines import read, write

LISTS = "stations.json"


def note(folder: Path, listed: Path) -> None:
    """Write down that a device (its folder) is served to the stations of a list, before anybody is heard."""
    known = _lists(folder)
    place = str(listed.resolve())
    if place not in known:
        write(folder / LISTS, {"lists": [*known, place]})


@cites("502.24", "502.20e")
def keep(store: Store, devices: Path) -> None:
    """Strike who may call a device of this licensee that is gone, and have them watch one that is out of service.

    Raises `Refused` (world.damaged) where a list cannot be written; it is tried again with the next command.
    """
    with store.reading() as view:
        found = [(DeviceId(row.key), _may(view, row.key)) for row in view.find("device")]
    for device, role in found:
        if role == stations.USER:
            continue
        for place in map(Path, _lists(devices / device)):
            if stations.is_list(place):
                try:
                    stations.restrain(place, device, role=role)
                except OSError as error:
                    raise Refused("world.damaged", path=place, what=error) from error


def _may(view: Transaction, device: str) -> str:
    missed, case = view.get("missing", device), view.get("check-out", device)
    if missed is not None and missed.body["state"] != missing.BACK:
        return stations.NOBODY
    return stations.WATCH if case is not None and case.body["state"] == returns.DONE else stations.USER


def _lists(folder: Path) -> list[str]:
    told = read(folder / LISTS)
    return [] if told is None else [str(place) for place in told["lists"]]
