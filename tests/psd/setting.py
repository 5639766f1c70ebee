"""The setting of the device's stories: a workshop, a clock that stands still, and a device at any stage of its life."""

from __future__ import annotations

from pathlib import Path

from towncircle.bench.workshop import Workshop
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.psd.client import DeviceClient
from towncircle.psd.commands import Evidence, Evidenced
from towncircle.psd.device import Device, manufacture
from towncircle.psd.keys import SoftwareSlots
from towncircle.psd.memory import Memory, MemoryInRam
from towncircle.psd.state import DeviceState

DEVICE = DeviceId.of(vendor="TC", model="1A", serial=17)
START = Instant.parse("2026-11-21T15:00:00Z")
SECRET = bytes(range(32))


class Hands:
    """A clock that stands where it was put."""

    def __init__(self, at: Instant = START) -> None:
        self.at = at

    def now(self) -> Instant:
        return self.at

    def pass_time(self, *, hours: int = 0, days: int = 0, microseconds: int = 0) -> None:
        self.at = self.at.plus(hours=hours, days=days, microseconds=microseconds)


class Story:
    """One device and its Provider; `memory` outlives restarts."""

    def __init__(
        self,
        memory: Memory | None = None,
        *,
        device: DeviceId = DEVICE,
        start: Instant = START,
        regime: str = "imi-2024",
        scheme: str = "ecdsa-p256",
    ) -> None:
        self.workshop = Workshop(start, regime=regime, scheme=scheme)
        self.memory: Memory = memory if memory is not None else MemoryInRam()
        self.clock = Hands(start)
        self.name = device
        manufacture(self.memory, **self.workshop.birth(device))
        self.restart()

    def restart(self, memory: Memory | None = None, **changes: object) -> None:
        self.device = Device(memory or self.memory, self.name, slots=slots(), clock=self.clock, **changes)  # type: ignore[arg-type]
        self.client = DeviceClient(self.device)

    @property
    def now(self) -> Instant:
        return self.clock.at

    def state(self) -> DeviceState:
        return self.memory.load([self.name])[self.name]

    def commission(self, **changes: object) -> None:
        self.workshop.commission(self.client, self.name, self.now, **changes)

    def reset(self, dollars: int = 100) -> None:
        self.workshop.reset(self.client, self.name, Mills.dollars(dollars), self.now)

    def contact(self, **changes: object) -> None:
        self.workshop.contact(self.client, self.name, self.now, **changes)

    def evidence(self, request_id: str = "JOB-1", amounts: tuple[int, ...] = (730,), **changes: object) -> Evidenced:
        return self.client.evidence(batch(request_id, amounts, **changes))

    def to(self, stage: str) -> Story:
        """Bring a new device to a state of the automaton."""
        if stage == "manufactured":
            return self
        if stage == "initialised":
            self.workshop.initialise(self.client, self.name, self.now)
            return self
        if stage == "zeroised":
            self.client.zeroise(self.name)
            return self
        self.commission()
        if stage == "authorised":
            return self
        self.reset()
        if stage == "locked":
            self.clock.pass_time(hours=73)
        if stage == "withdrawn":
            self.withdraw()
        if stage == "faulted":
            self.restart(tests={"a test that fails": lambda: False})
        return self

    def withdraw(self) -> None:
        from towncircle.wire.bodies import Withdraw

        self.client.withdraw(self.workshop.seal(self.name, Withdraw(reason="returned"), self.now))


def slots() -> SoftwareSlots:
    return SoftwareSlots(lambda: SECRET, SeededRandomness(7, "device"))


def batch(request_id: str = "JOB-1", amounts: tuple[int, ...] = (730,), **changes: object) -> Evidence:
    columns: dict[str, object] = {"date": "2026-11-21", "category": "FCML", "mail_service": 40, "software_id": "0001"}
    return Evidence.of(request_id, amounts=amounts, **{**columns, **changes})  # type: ignore[arg-type]


def sqlite(path: Path) -> Memory:
    from towncircle.psd.sqlite import SqliteMemory

    return SqliteMemory(path / "device.sqlite", create=True)
