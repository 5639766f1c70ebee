"""The commands of the device and its answers, with their byte forms.

Here: one record a command, one record an answer, and the frames around them. Not here: what they do (`automaton`).
Kept: user commands are plain; what only the Provider may order arrives as a sealed wire message inside the command.
A command is the CBOR map {0: version, 1: verb number, 2: fields}, an answer {0: version, 1: verb number or 0 for an
error, 2: fields}. Numbers are given once and never reused.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.psd import codec, frames
from towncircle.psd.amending import Amendable
from towncircle.psd.columns import Column
from towncircle.psd.registers import Registers
from towncircle.psd.state import NEVER, Usage
from towncircle.wire import cbor

VERSION = 1
MAX_COMMAND = 1 << 20
MAX_PIECES = 1000
Values = int | str | Sequence[int] | Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identify:
    """Ask who the device is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Ask for state, registers and what is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """Run the self-tests again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FromProvider:
    """Hand in a sealed message of the Provider; its type must be one that the verb takes."""

    message: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialise(FromProvider):
    """Make the keys (wire message Initialise)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certify(FromProvider):
    """Take the certificates (wire message Certify)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorise(FromProvider):
    """Take the parameters of a licensee (wire message Authorise)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Ask for a signed audit message to send to the Provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact(FromProvider):
    """Finish a contact (wire message Renewal, the answer to the last audit)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestReset:
    """Ask for a signed reset request over an amount."""

    amount: Mills


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyReset(FromProvider):
    """Take the answer to the reset request (wire message ResetAuthorisation or ResetRefusal)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Evidence a batch of 1 to 1,000 pieces, all or none, under the client's id.

    `amounts` holds the postage of each piece in mills, 4 bytes a piece (unsigned, little-endian). `columns` hold the
    `date` (ISO mailing date) and the other fields that the layout takes from the host, such as `category`,
    `mail_service` and `destination`.
    """

    request_id: str
    amounts: bytes
    columns: tuple[Column, ...]

    @classmethod
    def of(cls, request_id: str, *, amounts: Sequence[int], **columns: Values) -> Evidence:
        """Make the command from one amount a piece and, by field name, one value for all or one a piece.

        Raises `BadInput` (psd.batch-size, psd.amount-out-of-range).
        """
        try:
            packed = struct.pack(f"<{len(amounts)}I", *amounts)
        except struct.error as error:
            raise BadInput("psd.amount-out-of-range", amount="One of the amounts", limit="$4,294,967.295") from error
        made = []
        for name, values in columns.items():
            if isinstance(values, int | str):
                made.append(Column.one(name, values))
            elif len(values) != len(amounts):
                raise BadInput("psd.batch-size", count=len(values), limit=MAX_PIECES)
            else:
                made.append(Column.of(name, values))
        return cls(request_id=request_id, amounts=packed, columns=tuple(made))

    @property
    def count(self) -> int:
        """Give the number of pieces."""
        return len(self.amounts) // 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Recover:
    """Ask for the answer of an earlier evidence command again."""

    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reprint:
    """Count a reprint of pieces of an earlier batch and get their bytes again; `offsets` count from 0 in the batch."""

    request_id: str
    offsets: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw(FromProvider):
    """End the service and give the balance back (wire message Withdraw)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examine(FromProvider):
    """Report to the Postal Service's examiner (wire message ExaminationOrder, which brings its own certificate)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(FromProvider):
    """Take the order to run a build from the next start on (wire message SoftwareUpdate)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Software:
    """Ask for a signed report on version and build, to send to the Provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rekey:
    """Make the next indicia key; the present one signs until the next one's certificate comes (`Certify`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zeroise:
    """Destroy the keys; `confirm` repeats the device id, because nothing brings them back."""

    confirm: str


Command = (
    Identify | Status | SelfTest | Initialise | Certify | Authorise | Audit | Contact | RequestReset | ApplyReset
    | Evidence | Recover | Reprint | Withdraw | Zeroise | Examine | Rekey | Update | Software
)  # fmt: skip
VERBS: dict[int, tuple[str, type]] = {
    1: ("identify", Identify),
    2: ("status", Status),
    3: ("selftest", SelfTest),
    4: ("initialise", Initialise),
    5: ("certify", Certify),
    6: ("authorise", Authorise),
    7: ("audit", Audit),
    8: ("contact", Contact),
    9: ("request_reset", RequestReset),
    10: ("apply_reset", ApplyReset),
    11: ("evidence", Evidence),
    12: ("recover", Recover),
    13: ("reprint", Reprint),
    14: ("withdraw", Withdraw),
    15: ("zeroise", Zeroise),
    16: ("examine", Examine),
    17: ("rekey", Rekey),
    18: ("update", Update),
    19: ("software", Software),
}
NUMBERS = {kind: number for number, (_, kind) in VERBS.items()}
NAMES = {kind: name for name, kind in VERBS.values()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Tell who the device is and which keys it has; the certificate serial is 0 before `certify`."""

    device: DeviceId
    provider: str
    regime: str
    scheme: str
    test_root: bool
    root_fingerprint: bytes
    indicia_public: bytes
    message_public: bytes
    certificate_serial: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """Tell state, registers and what is due, with a sentence for people.

    `contact_left_us` counts down to the contact deadline (negative: passed); `warnings` are sentences. The key is to
    be renewed from `renew_from` on, and its certificate ends at `certificate_until` (0: there is none).
    """

    device: DeviceId
    state: str
    sentence: str
    since: Instant
    registers: Registers
    resets_total: Mills
    withdrawn_total: Mills
    cap: Mills
    counter: int
    epoch: int
    now: Instant
    high_water: Instant
    last_contact: Instant
    contact_due: Instant
    contact_left_us: int
    open_request: str
    open_amount: Mills
    last_applied: str
    reprints: int
    usage: tuple[Usage, ...]
    layout: str
    zone: str
    specimen: bool
    approved_mode: bool
    warnings: tuple[str, ...]
    software_version: int = 0
    software_build: bytes = b""
    software_next: int = 0
    renew_from: Instant = NEVER
    certificate_until: Instant = NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTested:
    """Tell which self-tests ran well."""

    passed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Tell the state after the command, a sentence for people, and the message to send to the Provider (or none)."""

    state: str
    sentence: str
    message: bytes = b""
    request_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Evidenced(Amendable):
    """Hold the evidence of a batch: signed contents and signatures of all pieces, each of a fixed width, joined.

    Piece `i` is number `first_piece + i` of the device; its indicium is its content followed by its signature.
    """

    request_id: str
    layout: str
    first_piece: int
    count: int
    contents: bytes
    signatures: bytes
    registers: Registers
    at: Instant

    def indicia(self) -> list[bytes]:
        """Give the indicium of each piece: content and signature."""
        size, width = len(self.contents) // self.count, len(self.signatures) // self.count
        return [
            self.contents[i * size : (i + 1) * size] + self.signatures[i * width : (i + 1) * width]
            for i in range(self.count)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reprinted:
    """Hold the indicia that may be printed again, and how many reprints the device has counted in all."""

    indicia: tuple[bytes, ...]
    reprints: int


ANSWERS: dict[int, type] = {
    1: Identity,
    2: StatusReport,
    3: SelfTested,
    **dict.fromkeys((4, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 19), Done),
    11: Evidenced,
    12: Evidenced,
    13: Reprinted,
}
_HEADS = [cbor.encode({0: VERSION, 1: number, 2: {}})[:-1] for number in range(1 + max(VERBS))]
_ERROR_HEAD = _HEADS[0]
_ERRORS = {"input": BadInput, "refused": Refused, "broken": BrokenInvariant}


def encode_command(command: Command) -> bytes:
    """Give the byte form of a command."""
    if type(command) is Evidence:
        return frames.evidence_frame(command.request_id, command.amounts, command.columns)
    return _HEADS[NUMBERS[type(command)]] + codec.encode(command)


def decode_command(raw: bytes) -> Command:
    """Read a command. Raises `BadInput` (psd.malformed, psd.too-large) and `Refused` (wire.malformed)."""
    if len(raw) > MAX_COMMAND:
        raise BadInput("psd.too-large", size=len(raw), limit=MAX_COMMAND)
    parts = frames.evidence_parts(raw)
    if parts is not None:
        request_id, amounts, columns = parts
        return Evidence(request_id=request_id, amounts=amounts, columns=columns)
    verb, body = _open(raw)
    if verb not in VERBS:
        raise BadInput("psd.malformed", what="there is no such command")
    command: Command = codec.from_map(VERBS[verb][1], body)
    return command


def answer_head(verb: int) -> bytes:
    """Give what comes before the fields of an answer."""
    return _HEADS[verb]


def encode_answer(verb: int, answer: object) -> bytes:
    """Give the byte form of an answer."""
    return _HEADS[verb] + codec.encode(answer)


def encode_error(error: TowncircleError) -> bytes:
    """Give the byte form of a refusal: kind, code and the named parameters of its sentence as text."""
    named = [[name, str(value)[:400]] for name, value in error.params.items()]
    return cbor.encode({0: VERSION, 1: 0, 2: {0: error.kind, 1: error.code, 2: named}})


def is_error(raw: bytes) -> bool:
    """Tell whether an answer of this version is a refusal."""
    return raw.startswith(_ERROR_HEAD)


def decode_answer(raw: bytes) -> object:
    """Read an answer. Raises the error that the device answered with, or `BadInput` (psd.malformed)."""
    fields = frames.answered(raw) if len(raw) <= MAX_COMMAND else None
    if fields is not None:
        return Evidenced.of_fields(fields)
    verb, body = _open(raw)
    if verb == 0:
        raise _error(body)
    if verb not in ANSWERS:
        raise BadInput("psd.malformed", what="the answer names no known command")
    return codec.from_map(ANSWERS[verb], body)


def _open(raw: bytes) -> tuple[int, object]:
    frame = cbor.decode(raw, limit=MAX_COMMAND, items=frames.MAX_ITEMS)
    if type(frame) is not dict or set(frame) != {0, 1, 2} or type(frame[1]) is not int:
        raise BadInput("psd.malformed", what="it is not a frame of this device")
    if frame[0] != VERSION:
        raise BadInput("psd.malformed", what="its version is not known")
    return frame[1], frame[2]


def _error(body: object) -> TowncircleError:
    match body:
        case {0: str(kind), 1: str(code), 2: list(named)} if kind in _ERRORS:
            return _ERRORS[kind](code, **{str(name): text for name, text in named})
        case _:
            return BadInput("psd.malformed", what="the answer is an unreadable error")
