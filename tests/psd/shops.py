"""A workshop with hosts for each product category, and stations that call them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from tests.psd.setting import SECRET, batch

from towncircle.bench.workshop import Workshop
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.psd import commands
from towncircle.psd.client import DeviceClient
from towncircle.psd.device import manufacture
from towncircle.psd.hosted.fleet import Fleet
from towncircle.psd.hosted.funnel import Funnel
from towncircle.psd.memory import MemoryInRam
from towncircle.psd.ports import BytePort, ProcessPort
from towncircle.psd.postgres import PostgresMemory
from towncircle.psd.process import SystemClock, create
from towncircle.transport.stations import Call, StationPort, StationServer, context_for
from towncircle.world.hybrid import HybridPort
from towncircle.world.notebook import Notebook
from towncircle.world.stations import OneDevice, enrol, found, gate, port_to

FIRST, OTHER = (DeviceId.of(vendor="TC", model="1A", serial=serial) for serial in (301, 302))
CHANCE = SeededRandomness(3, "stations")
NOW = SystemClock().now()  # certificates of a line are judged by the machine's clock


class Shop:
    """A workshop and the folders of hosts; `close` ends what it started."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.workshop, self.ends = folder, Workshop(NOW), []  # type: tuple[Path, Workshop, list[Callable[[], object]]]
        self.officer: StationPort | None = None  # the Provider's own line to the first device that is served

    def alone(self, device: DeviceId) -> ProcessPort:
        place = self.folder / device
        create(place, **self.workshop.birth(device), secret=SECRET)
        port = ProcessPort(place)
        self.ends.append(port.close)
        return port

    def hosted(self, store: MemoryInRam | PostgresMemory) -> Funnel:
        fleet = Fleet(store, secret=lambda: SECRET, randomness=SeededRandomness(7, "f"), clock=SystemClock())
        funnel = Funnel(fleet)
        self.ends += [funnel.close, fleet.close]
        return funnel

    def serve(self, name: str, call: Callable[[DeviceId, bytes], bytes]) -> StationServer:
        place = self.folder / name
        found(place, CHANCE, NOW)
        passed: Call = gate(place, call)
        server = StationServer(context_for(place, server=True), passed)
        threading.Thread(target=server.run, daemon=True).start()
        self.ends.append(server.close)
        return server

    def station(self, name: str, server: StationServer, host: str, device: DeviceId, role: str = "user") -> StationPort:
        out = self.folder / f"{host}-{name}"
        enrol(self.folder / host, name, out, devices=[device], randomness=CHANCE, now=NOW, role=role)
        port = port_to(out, server.address, device)
        self.ends.append(port.close)
        return port

    def lan(self) -> StationPort:
        server = self.serve("lan", OneDevice(self.alone(FIRST), FIRST))
        self.officer = self.officer or self.station("provider", server, "lan", FIRST, role="provider")
        return self.station("desk", server, "lan", FIRST)

    def wan(self, store: MemoryInRam | PostgresMemory, device: DeviceId = FIRST) -> StationPort:
        manufacture(store, **self.workshop.birth(device))
        server = self.serve("wan", self.hosted(store).exchange)
        self.officer = self.officer or self.station("provider", server, "wan", device, role="provider")
        return self.station("licensee", server, "wan", device)

    def hybrid(self, first: BytePort, other: BytePort, *, again: HybridPort | None = None) -> HybridPort:
        """Join two devices; `again` is the port of a host that has ended."""
        if again is not None:
            again._notebook.close()
        (self.folder / "hybrid").mkdir(exist_ok=True)
        notebook = Notebook(self.folder / "hybrid", first=FIRST, other=OTHER)
        self.ends.append(notebook.close)
        return HybridPort(first, other, notebook)

    def close(self) -> None:
        for end in reversed(self.ends):
            end()


def funded(shop: Shop, port: BytePort, device: DeviceId = FIRST, dollars: int = 100) -> DeviceClient:
    client = DeviceClient(port)
    shop.workshop.commission(client, device, NOW)
    shop.workshop.reset(client, device, Mills.dollars(dollars), NOW)
    return client


def job(name: str, *amounts: int, **more: int) -> commands.Evidence:
    return batch(name, amounts or (730,), **more, date=SystemClock().now().date_in("America/New_York").isoformat())
