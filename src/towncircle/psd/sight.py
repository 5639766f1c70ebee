"""What a debit reads of a stored state, without building the rest of it.

Here: `Seen`, which both a whole state and a sight of it are to the functions that a debit passes through; `Sight`, and
how it is read. Not here: any rule (`evidencing`, `contact`, `registers`), and older forms of the stored state, which
are read whole.
Kept: a sight is made only of stored parts whose digest was found right, that have exactly the fields of this version
and what it reads in its one form; everything else goes by `DeviceState.join`, which refuses by name. What it does not
read stays as the stored bytes are, and is read from them with `whole`.
"""

from __future__ import annotations

from typing import Protocol

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.psd import codec, shapes
from towncircle.psd.registers import Registers, check_numbers
from towncircle.psd.state import MOVED_KEYS, STEADY_KEYS, CertificateFacts, DeviceState, SealedKey, Usage, granted_of
from towncircle.wire.bodies import DeviceParameters, DeviceTerms

Numbers = tuple[int, int, int]  # ascending and descending in mills, pieces

_VARIED = ("device", "resets_total", "withdrawn_total", "contact_due", "balance_limit")
_ALIKE = ("test_root", "state", "software_build", "next_build")  # among the devices of a fleet, most often
_steady_values = codec.plain_values(DeviceState, *_VARIED, *_ALIKE)
_moving_values = codec.plain_values(DeviceState, "counter", "epoch", "high_water")
_numbers = codec.plain_values(Registers, "ascending", "descending", "pieces")
_REGISTERS, _ = codec.field_of(DeviceState, "registers")
_USAGE, _read_usage = codec.field_of(DeviceState, "usage")
_REPORTED, _ = codec.field_of(DeviceState, "reported")
_PARAMETERS, _read_parameters = codec.field_of(DeviceState, "parameters")
_TERMS, _read_terms = codec.field_of(DeviceState, "terms")
_KEY, _read_key = codec.field_of(DeviceState, "indicia_key")
_CERTIFICATE, _read_certificate = codec.field_of(DeviceState, "indicia_certificate")


def _paths(key: int, kind: type, *names: str) -> list[shapes.Path]:
    return [(key, codec.field_of(kind, name)[0]) for name in names]


_Alike = tuple[bool, str, bytes, bytes]
_SHAPES: shapes.Shapes[_Alike] = shapes.Shapes(
    taken=[
        *((codec.field_of(DeviceState, name)[0],) for name in _VARIED),
        *_paths(_KEY, SealedKey, "public", "sealed"),
        *_paths(_CERTIFICATE, CertificateFacts, "serial", "not_before", "not_after"),
    ],
    spans=[(_PARAMETERS,), (_TERMS,)],
    same=[(_REPORTED,), *((codec.field_of(DeviceState, name)[0],) for name in _ALIKE)],
)
_BODIES: dict[tuple[bytes, ...], tuple[DeviceParameters | None, DeviceTerms | None]] = {}  # by their stored bytes
_MOST_BODIES = 1024


class Seen(Protocol):
    """Be what the checks of a debit look at: a whole state, or a sight of it."""

    @property
    def device(self) -> DeviceId: ...  # noqa: D102 - as in `DeviceState`, and so all others
    @property
    def test_root(self) -> bool: ...  # noqa: D102
    @property
    def state(self) -> str: ...  # noqa: D102
    @property
    def software_build(self) -> bytes: ...  # noqa: D102
    @property
    def contact_due(self) -> Instant: ...  # noqa: D102
    @property
    def terms(self) -> DeviceTerms | None: ...  # noqa: D102
    @property
    def indicia_certificate(self) -> CertificateFacts | None: ...  # noqa: D102
    @property
    def indicia_key(self) -> SealedKey | None: ...  # noqa: D102
    @property
    def counter(self) -> int: ...  # noqa: D102
    @property
    def epoch(self) -> int: ...  # noqa: D102
    @property
    def high_water(self) -> Instant: ...  # noqa: D102
    @property
    def numbers(self) -> Numbers: ...  # noqa: D102
    @property
    def limits(self) -> Numbers: ...  # noqa: D102
    @property
    def usage(self) -> tuple[Usage, ...]: ...  # noqa: D102
    @property
    def rows_reported(self) -> int: ...  # noqa: D102

    def granted(self) -> DeviceParameters: ...  # noqa: D102
    def whole(self) -> DeviceState: ...  # noqa: D102
    def steady(self) -> tuple[object, ...]: ...  # noqa: D102
    def encode_steady(self) -> bytes: ...  # noqa: D102


class Sight:
    """Hold what a debit reads of a stored state, and the stored bytes."""

    __slots__ = (
        *("contact_due", "counter", "device", "epoch", "high_water", "indicia_certificate"),
        *(
            "indicia_key",
            "limits",
            "next_build",
            "numbers",
            "parameters",
            "parts",
            "rows_reported",
            "software_build",
            "state",
        ),
        *("terms", "test_root", "usage"),
    )
    device: DeviceId
    test_root: bool
    state: str
    limits: Numbers  # resets, withdrawn and the limit of the balance, all in mills: what the law is checked against
    contact_due: Instant
    software_build: bytes
    next_build: bytes
    parameters: DeviceParameters | None
    terms: DeviceTerms | None
    indicia_key: SealedKey | None
    indicia_certificate: CertificateFacts | None
    counter: int
    epoch: int
    high_water: Instant
    numbers: Numbers
    usage: tuple[Usage, ...]
    rows_reported: int
    parts: tuple[bytes, bytes]  # steady and moving, as they are stored

    def granted(self) -> DeviceParameters:
        """Give the signed parameters of a device that has them."""
        return granted_of(self.parameters, self.state)

    def check(self) -> None:
        """Check the law of the registers. Raises `BrokenInvariant` (psd.registers-broken)."""
        resets, withdrawn, limit = self.limits
        check_numbers(*self.numbers, resets=resets, withdrawn=withdrawn, limit=limit)

    def whole(self) -> DeviceState:
        """Read the whole state as it is stored. Raises `BrokenInvariant` (psd.store-damaged)."""
        return DeviceState.join(*self.parts)[0]

    def steady(self) -> tuple[object, ...]:
        """Give the values of the steady part."""
        return self.whole().steady()

    def encode_steady(self) -> bytes:
        """Give the steady part as it is stored."""
        return self.parts[0]


def sight_of(steady: bytes, moving: bytes) -> Sight | None:
    """Read the two stored parts, whose digest was found right, as far as a debit needs them, or give None."""
    made = Sight()
    made.parts = steady, moving
    try:
        moved = codec.part_of(moving, "the moving part")
        if moved.keys() != MOVED_KEYS:
            return None
        numbers, times = _numbers(moved[_REGISTERS]), _moving_values(moved)
        if numbers is None or times is None:
            return None
        made.usage = _read_usage(moved[_USAGE])
        if not (_by_shape(made, steady) or _by_item(made, steady)):
            return None
    except (TypeError, ValueError, BadInput, Refused):
        return None
    made.counter, made.epoch, water = times
    made.high_water, made.numbers = Instant(water), numbers
    return made


def _by_item(made: Sight, steady: bytes) -> bool:
    """Read a steady part item by item, and remember how it is cut; tell whether it is as this version writes it."""
    still = codec.part_of(steady, "the steady part")
    if still.keys() != STEADY_KEYS:
        return False
    values, reported = _steady_values(still), still[_REPORTED]
    if values is None or type(reported) is not list:
        return False
    device, resets, withdrawn, due, limit, *same = values
    made.parameters, made.terms = _read_parameters(still[_PARAMETERS]), _read_terms(still[_TERMS])
    made.indicia_key, made.indicia_certificate = _read_key(still[_KEY]), _read_certificate(still[_CERTIFICATE])
    made.device, made.contact_due, made.limits = DeviceId(device), Instant(due), (resets, withdrawn, limit)
    made.test_root, made.state, made.software_build, made.next_build = same
    made.rows_reported = len(reported)
    if not reported and made.indicia_key is not None and made.indicia_certificate is not None:
        spans = _SHAPES.learn(steady, tuple(same))
        if spans is not None:
            if len(_BODIES) >= _MOST_BODIES:
                _BODIES.clear()
            _BODIES[spans] = made.parameters, made.terms
    return True


def _by_shape(made: Sight, steady: bytes) -> bool:
    """Read a steady part that is cut as an earlier one was, under parameters and terms that were read before."""
    found = _SHAPES.read(steady)
    if found is None:
        return False
    (device, resets, withdrawn, due, limit, public, sealed, serial, since, until, *bodies), same = found
    known = _BODIES.get(tuple(bodies))
    if known is None:
        return False
    made.parameters, made.terms = known
    made.indicia_key = SealedKey(public=public, sealed=sealed)
    made.indicia_certificate = CertificateFacts(serial=serial, not_before=Instant(since), not_after=Instant(until))
    made.device, made.contact_due, made.limits = DeviceId(device.decode()), Instant(due), (resets, withdrawn, limit)
    made.test_root, made.state, made.software_build, made.next_build = same
    made.rows_reported = 0
    return True
