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
from towncircle.psd import codec
from towncircle.psd.registers import Registers, check_numbers
from towncircle.psd.state import MOVED_KEYS, STEADY_KEYS, CertificateFacts, DeviceState, SealedKey, Usage, granted_of
from towncircle.wire.bodies import DeviceParameters, DeviceTerms

Numbers = tuple[int, int, int]  # ascending and descending in mills, pieces

_STILL = ("device", "test_root", "state", "resets_total", "withdrawn_total", "contact_due", "balance_limit")
_steady_values = codec.plain_values(DeviceState, *_STILL, "software_build", "next_build")
_moving_values = codec.plain_values(DeviceState, "counter", "epoch", "high_water")
_numbers = codec.plain_values(Registers, "ascending", "descending", "pieces")
_registers_key, _ = codec.field_of(DeviceState, "registers")
_usage_key, _read_usage = codec.field_of(DeviceState, "usage")
_reported_key, _ = codec.field_of(DeviceState, "reported")
_parameters_key, _read_parameters = codec.field_of(DeviceState, "parameters")
_terms_key, _read_terms = codec.field_of(DeviceState, "terms")
_key_key, _read_key = codec.field_of(DeviceState, "indicia_key")
_certificate_key, _read_certificate = codec.field_of(DeviceState, "indicia_certificate")


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
    try:
        still, moved = codec.part_of(steady, "the steady part"), codec.part_of(moving, "the moving part")
        if still.keys() != STEADY_KEYS or moved.keys() != MOVED_KEYS:
            return None
        values, numbers = _steady_values(still), _numbers(moved[_registers_key])
        times, reported = _moving_values(moved), still[_reported_key]
        if values is None or numbers is None or times is None or type(reported) is not list:
            return None
        made = Sight()
        made.usage, made.rows_reported = _read_usage(moved[_usage_key]), len(reported)
        made.parameters, made.terms = _read_parameters(still[_parameters_key]), _read_terms(still[_terms_key])
        made.indicia_key = _read_key(still[_key_key])
        made.indicia_certificate = _read_certificate(still[_certificate_key])
    except (TypeError, ValueError, BadInput, Refused):
        return None
    device, made.test_root, made.state, resets, withdrawn, due, limit, made.software_build, made.next_build = values
    made.device, made.contact_due, made.limits = DeviceId(device), Instant(due), (resets, withdrawn, limit)
    made.counter, made.epoch, water = times
    made.high_water, made.numbers = Instant(water), numbers
    made.parts = steady, moving
    return made
