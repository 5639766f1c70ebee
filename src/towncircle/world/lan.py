"""Who may call a device that a licensee serves on a LAN of its own: the list follows what became of the device.

Here: which list a LAN host serves a device by, and what the licensee's books do to it. Not here: the lists themselves
(`stations`), devices that a Provider hosts (`hosting`), hybrids, whose hosted half goes on for the same stations.
Kept: whose device is missing, lost or stolen is struck, and stays so when it is found: nobody knows who had the keys
meanwhile, so each station is enrolled anew. Once a device is out of service its stations only watch it, and fetch what
it evidenced. The Provider's own enrolment stays: it destroys the keys. A host on another machine than these books is
told by hand.
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
    """Write down that a device (its folder) is served to the stations of a list, before anybody is heard.

    Raises `Refused` (world.damaged).
    """
    known = _lists(folder)
    place = str(listed.resolve())
    if place not in known:
        try:
            write(folder / LISTS, {"lists": [*known, place]})
        except OSError as error:
            raise Refused("world.damaged", path=folder / LISTS, what=error) from error


@cites("502.24", "502.20e")
def keep(store: Store, devices: Path) -> None:
    """Strike who may call a device of this licensee that is gone, and have them watch one that is out of service.

    One list that cannot be written keeps no other one from it. Raises `Refused` (world.damaged, transport.not-enrolled,
    world.list-busy) for the first of them at the end; it is tried again with the next command.
    """
    trouble: Refused | None = None
    with store.reading() as view:
        found = [(DeviceId(row.key), _may(view, row.key)) for row in view.find("device")]
    for device, role in found:
        if role == stations.USER:
            continue
        try:
            for place in map(Path, _lists(devices / device)):
                found_here = _restrain(place, device, role)
                trouble = trouble or found_here
        except Refused as refusal:
            trouble = trouble or refusal
    if trouble is not None:
        raise trouble


def _restrain(place: Path, device: DeviceId, role: str) -> Refused | None:
    """Keep one list; give what it could not be kept for."""
    try:
        if stations.is_list(place):
            stations.restrain(place, device, role=role)
    except OSError as error:
        return Refused("world.damaged", path=place, what=error)
    except Refused as refusal:
        return refusal
    return None


def _may(view: Transaction, device: str) -> str:
    missed, case = view.get("missing", device), view.get("check-out", device)
    if missed is not None and missed.body["state"] != missing.BACK:
        return stations.NOBODY
    return stations.FORMER if case is not None and case.body["state"] == returns.DONE else stations.USER


def _lists(folder: Path) -> list[str]:
    told = read(folder / LISTS)
    if told is None:
        return []
    try:
        return [str(place) for place in told["lists"]]
    except (KeyError, TypeError) as error:
        raise Refused("world.damaged", path=folder / LISTS, what="it names no lists") from error
