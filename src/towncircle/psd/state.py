"""The state of one device: everything that it remembers, in one immutable record.

Here: the record and its stored form. Not here: how it moves (`automaton` and its leaves).
Kept: one counter counts every durable change, and each signed message carries the counter of the change that made it,
so a store that was put back is caught at the next contact. Keys lie here encrypted, and show nothing of themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.psd import codec, states
from towncircle.psd.amending import Amendable
from towncircle.psd.registers import Registers, check_law
from towncircle.wire.bodies import DeviceParameters, DeviceTerms

NEVER = Instant(0)
_EMPTY = Registers()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenReset:
    """Hold the one reset request that waits for its answer; `counter` is that of the signed request."""

    request_id: str
    amount: Mills
    counter: int
    requested_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Hold what was evidenced since the last contact for one mailing date and rate category."""

    date: str
    category: str
    count: int
    amount: Mills


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedKey:
    """Hold one key slot: the public key and the private key encrypted under the operator's secret."""

    public: bytes
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """Hold what the device must know of a certificate of its own: serial and validity."""

    serial: int
    not_before: Instant
    not_after: Instant


@dataclass(frozen=True, kw_only=True)
class DeviceState(Amendable):
    """Hold everything that a device remembers.

    Identity and what was pinned at the factory; the automaton's state and why it is locked or faulted; registers,
    totals and counters; times; signed parameters; the open and the last applied reset; usage since the last contact.
    `usage` is what was evidenced since the last audit, `reported` what that audit told and no renewal has answered.
    `balance_limit` is the cap, or the balance where a signed update lowered the cap under it. `audit_counter` is the
    counter of the last audit message that no renewal has answered yet (0: none). `next_key` is the indicia key of a
    rollover that waits for its certificate; the present one signs until then. `terms` came with the parameters or
    with a renewal; a store of release 0.1.0 has none until its next contact. `software_version` only rises; the device
    serves under `software_build` (a digest) alone, once one is bound, and `next_build` is bound by the start under it.
    """

    device: DeviceId
    provider: str
    provider_key: bytes
    root_fingerprint: bytes
    test_root: bool
    state: str = states.MANUFACTURED
    reason: str = ""
    since: Instant = NEVER
    regime: str = ""
    scheme: str = ""
    domain: bytes = b""
    registers: Registers = _EMPTY
    resets_total: Mills = ZERO
    withdrawn_total: Mills = ZERO
    counter: int = 0
    epoch: int = 0
    high_water: Instant = NEVER
    last_contact: Instant = NEVER
    contact_due: Instant = NEVER
    parameters: DeviceParameters | None = None
    balance_limit: Mills = ZERO
    open_reset: OpenReset | None = None
    last_applied: str = ""
    audit_counter: int = 0
    usage: tuple[Usage, ...] = ()
    reported: tuple[Usage, ...] = ()
    reprints: int = 0
    indicia_key: SealedKey | None = None
    message_key: SealedKey | None = None
    indicia_certificate: CertificateFacts | None = None
    message_certificate: CertificateFacts | None = None
    next_key: SealedKey | None = None
    terms: DeviceTerms | None = None
    software_version: int = 0
    software_build: bytes = b""
    next_version: int = 0
    next_build: bytes = b""

    def encode(self) -> bytes:
        """Give the stored form."""
        return codec.encode(self)

    def encode_steady(self) -> bytes:
        """Give the stored form of what a debit leaves as it is: identity, keys, parameters, resets, contacts."""
        return _STEADY.encode(self)

    def encode_moving(self) -> bytes:
        """Give the stored form of what a debit changes."""
        return _MOVING.encode(self)

    def steady(self) -> tuple[object, ...]:
        """Give the values of the steady part, most of which are the very objects of an earlier state."""
        return _STEADY.values(self)

    @classmethod
    def join(cls, steady: bytes, moving: bytes) -> tuple[DeviceState, bool]:
        """Read the two stored parts, whose digest was found right; tell whether they are cut as `encode_*` cut them.

        Version 0.1.0 cut them elsewhere: what it moved is newer in the moving part, and the steady part must be written
        anew with the next change, or its old copy would come back. Raises `BrokenInvariant` (psd.store-damaged).
        """
        try:
            still, moved = codec.part_of(steady, "the steady part"), codec.part_of(moving, "the moving part")
            as_cut = moved.keys() == MOVED_KEYS and still.keys() == STEADY_KEYS
            missing = () if as_cut else _FIRST_KEYS - still.keys() - moved.keys()
            if missing:
                raise BadInput("psd.malformed", what=f"the fields {sorted(missing)} are missing")
            return codec.from_map(cls, still | moved), as_cut
        except (BadInput, Refused) as error:
            raise BrokenInvariant("psd.store-damaged", path="the device", what=error.sentence) from error

    @classmethod
    def decode(cls, raw: bytes) -> DeviceState:
        """Read the stored form. Raises `BrokenInvariant` (psd.store-damaged)."""
        try:
            return codec.decode(cls, raw)
        except (BadInput, Refused) as error:
            raise BrokenInvariant("psd.store-damaged", path="the device", what=error.sentence) from error

    def check(self) -> None:
        """Check the law of the registers. Raises `BrokenInvariant` (psd.registers-broken)."""
        check_law(
            self.registers,
            resets_total=self.resets_total,
            withdrawn_total=self.withdrawn_total,
            limit=self.balance_limit,
        )

    def granted(self) -> DeviceParameters:
        """Give the signed parameters of a device that has them."""
        return granted_of(self.parameters, self.state)

    # what a debit looks at, of this or of a `sight`

    @property
    def numbers(self) -> tuple[int, int, int]:
        """Give the registers as plain numbers: ascending and descending in mills, pieces."""
        held = self.registers
        return int(held.ascending), int(held.descending), held.pieces

    @property
    def limits(self) -> tuple[int, int, int]:
        """Give what the law is checked against, in mills: resets, withdrawn, the limit of the balance."""
        return int(self.resets_total), int(self.withdrawn_total), int(self.balance_limit)

    @property
    def rows_reported(self) -> int:
        """Count the usage rows that the last audit told."""
        return len(self.reported)

    def whole(self) -> DeviceState:
        """Give this state."""
        return self


def granted_of(parameters: DeviceParameters | None, state: str) -> DeviceParameters:
    """Give the signed parameters of a device that has them. Raises `BrokenInvariant` (psd.store-damaged)."""
    if parameters is None:
        raise BrokenInvariant("psd.store-damaged", path="the device", what=f"it is {state} without parameters")
    return parameters


MOVED = ("registers", "counter", "epoch", "high_water", "usage")  # what a debit changes, in the order of their numbers
_MOVED = frozenset(MOVED)
_STEADY = codec.part(DeviceState, {field.name for field in fields(DeviceState)} - _MOVED)
_MOVING = codec.part(DeviceState, _MOVED)
MOVED_KEYS, STEADY_KEYS = set(_MOVING.keys), set(_STEADY.keys)
_FIRST_KEYS = frozenset(range(32))  # what version 0.1.0 has; what was appended later may be missing
