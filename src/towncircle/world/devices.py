"""The devices of a world: each in a process of its own behind a pipe (the stand-alone category).

Here: manufacturing a device for a Provider's stock, starting its process, keeping it while a command runs.
Not here: the device (`psd`), custody (the Provider's record).
Kept: a device has one owner process; only a Provider's bench manufactures.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.randomness import Randomness
from towncircle.pki import durable
from towncircle.pki.keys import Signer
from towncircle.psd.client import DeviceClient
from towncircle.psd.opening import CHOICE, Keys, kept
from towncircle.psd.ports import BytePort, ProcessPort
from towncircle.psd.process import STORE, create, open_device
from towncircle.psd.sqlite import SqliteMemory, is_begun
from towncircle.psd.states import MANUFACTURED

DEVICES, DRAFT = "devices", ".new"


class ShelfPort(BytePort, Protocol):
    """A byte port that can be closed, which frees the device for another owner."""

    def close(self) -> object:
        """Let go of the device."""
        ...


PortMaker = Callable[[Path], ShelfPort]
Factory = Callable[..., None]  # takes the folder of a new device, and the arguments of `psd.device.manufacture`


def process_port(clock_file: Path, seed: int | None) -> PortMaker:
    """Give the maker of ports to device processes that heed the world's clock and seed."""

    def make(folder: Path) -> ShelfPort:
        seeded = () if seed is None else ("--seed", str(seed))
        return ProcessPort(folder, arguments=("--clock", str(clock_file), *seeded))

    return make


def here_port(clock_file: Path, seed: int | None) -> PortMaker:
    """Give the maker of ports to devices that run in this process, for rehearsals of many days."""
    return lambda folder: open_device(folder, clock_file=clock_file, seed=seed)


# the process has ended, could not open its store, or found that another process owns it now; or an enrolment was
# struck, and may have been given anew
_GONE = (
    *("psd.unreachable", "transport.unreachable", "psd.store-busy", "psd.store-stale", "psd.store-failed"),
    "world.station-refused",
)


class DeviceShelf:
    """Hold the devices of a world and the ports that are open to them."""

    def __init__(self, folder: Path, make_port: PortMaker) -> None:
        self._folder = folder
        self._make_port = make_port
        self._open: dict[DeviceId, ShelfPort] = {}

    def folder_of(self, device: DeviceId) -> Path:
        """Give the folder of a device's memory."""
        return self._folder / device

    def keys(self) -> Keys | None:
        """Say where the keys of new devices lie; None: beside their stores, under a secret of their own."""
        return kept(self._folder.parent) if (self._folder.parent / CHOICE).exists() else None

    def devices(self) -> list[DeviceId]:
        """Name the devices that were manufactured."""
        if not self._folder.is_dir():
            return []
        return sorted(DeviceId.parse(item.name) for item in self._folder.iterdir() if item.suffix != DRAFT)

    @contextmanager
    def client(self, device: DeviceId) -> Iterator[DeviceClient]:
        """Open a device, or take the port that is open. A device that could not be reached is opened anew next time."""
        port = self._open.get(device)
        if port is None:
            port = self._open[device] = self._make_port(self.folder_of(device))
        try:
            yield DeviceClient(port, device)
        except Refused as refusal:
            if refusal.code in _GONE:
                self._open.pop(device, port).close()
            raise

    def close(self) -> None:
        """End all device processes."""
        for port in self._open.values():
            port.close()
        self._open.clear()


def _has_keys(draft: Path) -> bool:
    """Tell whether a folder under its draft name holds more than a new device: a disk that lost the rename left it.

    Raises what the store raises: what cannot be read is nobody's to remove.
    """
    if not is_begun(draft / STORE):
        return False
    with closing(SqliteMemory(draft / STORE)) as memory:
        return any(state.state != MANUFACTURED for state in memory.load(memory.devices()).values())


class Workshop:
    """Be the bench of a Provider: it manufactures a device the first time one is asked for.

    `make` makes one elsewhere than in a folder, `reach` gives the Provider's own port to one that is elsewhere.
    """

    def __init__(
        self,
        shelf: DeviceShelf,
        *,
        provider: str,
        signer: Signer,
        root: bytes,
        randomness: Randomness,
        ships: bool,
        make: Factory | None = None,
        reach: Callable[[DeviceId], ShelfPort | None] = lambda _: None,
    ) -> None:
        self._shelf = shelf
        self._provider = provider
        self._signer = signer
        self._root = root
        self._randomness = randomness
        self._ships = ships
        self._make, self._reach = make or self._in_a_folder, reach

    @contextmanager
    def client(self, device: DeviceId) -> Iterator[DeviceClient]:
        """Open a device of this Provider; a new one is manufactured with this Provider's key pinned."""
        folder = self._shelf.folder_of(device)
        if not folder.exists():
            draft = folder.with_suffix(DRAFT)
            if not _has_keys(draft):
                shutil.rmtree(draft, ignore_errors=True)  # what a crash left of an earlier attempt
                self._make(
                    draft,
                    device=device,
                    provider=self._provider,
                    provider_key=self._signer.public.raw,
                    root_fingerprint=self._root,
                    test_root=True,
                )
            draft.rename(folder)
            durable.sync(folder.parent)
        own = self._reach(device)
        if own is not None:
            with closing(own):
                yield DeviceClient(own)
            return
        with self._shelf.client(device) as client:
            yield client
        if self._ships:
            self._shelf.close()

    def _in_a_folder(self, draft: Path, **birth: Any) -> None:
        where = self._shelf.keys()
        secret = self._randomness.take(32)  # drawn in any case: a seeded world goes on as it did
        create(draft, **birth, secret=secret if where is None else None, keys=where)
