"""The census of the year: which messages went between the parties, which facts prove which procedure.

Here: counting, and the lists of what the year does not show, each with its reason. Not here: what must be counted.
Kept: a message is counted where it passes, at the transport and at the device's port, with those it encloses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from towncircle.transport import Transport
from towncircle.wire import cbor, cose
from towncircle.wire.message import DEFAULT_LIMIT, peek
from towncircle.wire.registry import all_types, find_type
from towncircle.world.board import PACK
from towncircle.world.devices import PortMaker, ShelfPort
from towncircle.world.labels import REGISTER

_SIGN1 = b"\xd2\x84"  # how every message begins: tag 18 and a list of four

# kinds of facts that the product can record and the year does not, each with its reason
UNSHOWN_FACTS: Mapping[str, str] = MappingProxyType(
    {
        "afterwards.refused": "a store is busy, or a list ran out, right after a commit: tests/parties shows it",
        "afterwards.done": "it follows the one before",
        "inventory.refused": "only a Provider whose numbers have a gap has one refused: tests/journeys shows it",
        "form-3533.refused": "only a Provider whose form does not add up has one refused: tests/journeys shows it",
        "rates.filing-refused": "the tables of the town are in order: tests/journeys/test_updates.py has one refused",
        "evidence.decided": "no device of the town fails while two departments wait for it: tests/world shows it",
        "check-out.disputed": "Providers of the town state what devices gave: tests/journeys shows another one",
        "check-out.accepted": "it follows a dispute: tests/journeys shows it",
        "device.not-reached": "the hosts of the town are there: tests/journeys has one that is away",
        "zones.taken": "the town mails letters, which have no zones: tests/world shows it",
    }
)
# message types that the product can send and the year does not, each with its reason
UNSHOWN_MESSAGES: Mapping[str, str] = MappingProxyType(
    {
        "StatementRequest": "a licensee asks for its statement in parts: an earlier version asked so, and is answered",
        "InventoryPart": "the inventories of the town fit into one message each: tests/journeys shows parts",
        "DailyFilePart": "the daily files of the town fit into one message each: tests/journeys shows parts",
    }
)


class Census:
    """Count the messages that pass."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def transport(self, inner: Transport) -> Transport:
        """Wrap the way between the parties."""
        return _Counted(inner, self)

    def port(self, make: PortMaker) -> PortMaker:
        """Wrap the way to the devices."""
        return lambda folder: _CountedPort(make(folder), self)

    def count(self, raw: bytes) -> None:
        """Count the messages in some bytes: a message, or a command of a device, and what they enclose."""
        for name in _names(raw):
            self.counts[name] = self.counts.get(name, 0) + 1

    def published(self, folder: Path) -> None:
        """Count what lies on the public board of a world."""
        for name in (PACK, REGISTER):
            self.count((folder / name).read_bytes())

    def missing(self) -> list[str]:
        """Name the message types, each in its newest version, that nobody sent and no list excuses."""
        newest = {kind.name: f"{kind.name} {kind.version}" for kind in all_types()}
        return [name for name, sent in newest.items() if not self.counts.get(sent) and name not in UNSHOWN_MESSAGES]


class _Counted:
    def __init__(self, inner: Transport, census: Census) -> None:
        self._inner, self._census = inner, census

    def send(self, audience: str, raw: bytes) -> bytes:
        self._census.count(raw)
        reply = self._inner.send(audience, raw)
        self._census.count(reply)
        return reply


class _CountedPort:
    def __init__(self, inner: ShelfPort, census: Census) -> None:
        self._inner, self._census = inner, census

    def exchange(self, command: bytes) -> bytes:
        answer = self._inner.exchange(command)
        for raw in (command, answer):
            self._census.count(raw)
        return answer

    def close(self) -> object:
        return self._inner.close()


def _names(raw: bytes) -> Iterator[str]:
    """Name the messages that some bytes are or enclose, each with its version."""
    if _SIGN1 not in raw:
        return
    if raw.startswith(_SIGN1):
        envelope = peek(raw)
        yield f"{find_type(envelope.type, envelope.version).name} {envelope.version}"
        raw = cose.read_sign1(raw).payload
    if _SIGN1 in raw:
        for part in _bytes_in(cbor.decode(raw, limit=DEFAULT_LIMIT)):
            if part.startswith(_SIGN1):
                yield from _names(part)


def _bytes_in(value: object) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _bytes_in(part)
