"""Typed ids with `parse()`.

Here: one class an id, so that two of them cannot be mistaken for each other. Not here: who issues them.
"""

from __future__ import annotations

import hashlib
import re
from typing import ClassVar, Self

from towncircle.kernel.errors import BadInput
from towncircle.kernel.randomness import Randomness, below

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no 0 O 1 I L U: read aloud over a telephone


class TypedId(str):
    """Hold an id of one kind: a prefix, a dash and twelve letters or digits."""

    prefix: ClassVar[str] = ""
    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an id of this kind. Raises `BadInput` (id.unreadable)."""
        if not re.fullmatch(rf"{cls.prefix}-[{_ALPHABET}]{{12}}", text, re.ASCII):
            raise BadInput("id.unreadable", kind=cls.__name__, text=text[:40], example=f"{cls.prefix}-{'7K3MQ9ZX2RTB'}")
        return cls(text)

    @classmethod
    def new(cls, source: Randomness) -> Self:
        """Make a fresh id from the injected randomness."""
        return cls(f"{cls.prefix}-{''.join(_ALPHABET[below(source, len(_ALPHABET))] for _ in range(12))}")

    @classmethod
    def derived(cls, *parts: str) -> Self:
        """Make the id that follows from what it is of: the same parts give the same id, 58 bits of their SHA-256."""
        number, letters = int.from_bytes(hashlib.sha256("\0".join((cls.prefix, *parts)).encode()).digest(), "big"), ""
        for _ in range(12):
            number, digit = divmod(number, len(_ALPHABET))
            letters += _ALPHABET[digit]
        return cls(f"{cls.prefix}-{letters}")


class RequestId(TypedId):
    """Name one request of a client; the same id gets the same answer."""

    prefix = "REQ"


class MessageId(TypedId):
    """Name one wire message."""

    prefix = "MSG"


class FactId(TypedId):
    """Name one fact of a journal."""

    prefix = "FCT"


class EntryId(TypedId):
    """Name one entry of a ledger."""

    prefix = "ENT"


class ApplicationId(TypedId):
    """Name one application for a license (Form 3601-A)."""

    prefix = "APP"


class LeaseId(TypedId):
    """Name one lease."""

    prefix = "LSE"


class DepositId(TypedId):
    """Name one deposit at the lockbox bank."""

    prefix = "DEP"


class ScanId(TypedId):
    """Name one recorded scan of a piece."""

    prefix = "SCN"


class ExaminationId(TypedId):
    """Name one examination of a device by the Postal Service; its order and its report carry it."""

    prefix = "EXM"


class CaseId(TypedId):
    """Name one irregularity case; Provider and Postal Service know it by the same name."""

    prefix = "CSE"


class IncidentId(TypedId):
    """Name one lost and stolen incident report; Provider and Postal Service know it by the same name."""

    prefix = "INC"


class JobId(TypedId):
    """Name one print job; the client's id that makes evidencing resumable."""

    prefix = "JOB"


class BatchId(TypedId):
    """Name one batch of print jobs; the ids of its jobs follow from it."""

    prefix = "BAT"


class RefundId(TypedId):
    """Name one refund: the balance of a device that goes out of service."""

    prefix = "RFD"


class AdvanceId(TypedId):
    """Name one advance of a Provider."""

    prefix = "ADV"


class ClaimId(TypedId):
    """Name one claim for postage lost to malfunction."""

    prefix = "CLM"


class ClosingId(TypedId):
    """Name one closing of a CMRS account: its check carries it."""

    prefix = "CLO"


class TransferId(TypedId):
    """Name one transfer of a balance to a replacement device."""

    prefix = "TRF"


class NoticeId(TypedId):
    """Name one written notice; its giver and its receiver know it by the same name."""

    prefix = "NTC"


class QualityPieceId(TypedId):
    """Name one mailpiece that a licensee forwards for quality assurance."""

    prefix = "QLP"


class ProcedureId(TypedId):
    """Name one procedure of supervision; Provider and Postal Service know it by the same name."""

    prefix = "PRC"


class WeaknessId(TypedId):
    """Name one security weakness or test result that a Provider reports (502.14)."""

    prefix = "WKN"


class ShipmentId(TypedId):
    """Name one hand-over of a device."""

    prefix = "SHP"


class DefectId(TypedId):
    """Name one reported defect."""

    prefix = "DFT"


class RemovalId(TypedId):
    """Name one removal that the Postal Service orders, and the inspector's receipt where one took the device."""

    prefix = "RMV"


class PartyId(str):
    """Name a party: its role and a short name, such as `provider.harbor` or `postal.usps`."""

    __slots__ = ()
    ROLES: ClassVar[tuple[str, ...]] = ("postal", "provider", "licensee", "bank", "device")

    @classmethod
    def parse(cls, text: str) -> PartyId:
        """Read a party id. Raises `BadInput` (id.unreadable)."""
        if not re.fullmatch(r"(postal|provider|licensee|bank|device)\.[a-zA-Z0-9][a-zA-Z0-9-]{0,31}", text, re.ASCII):
            raise BadInput("id.unreadable", kind="PartyId", text=text[:40], example="provider.harbor")
        return cls(text)

    @property
    def role(self) -> str:
        """Give the part before the dot."""
        return self.split(".", 1)[0]

    @property
    def name(self) -> str:
        """Give the part after the dot."""
        return self.split(".", 1)[1]


class LicenseNumber(str):
    """Hold a Form 3601-B license number: the post office's ZIP Code, a dash and a running number (house form)."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> LicenseNumber:
        """Read a license number. Raises `BadInput` (id.unreadable)."""
        if not re.fullmatch(r"[0-9]{5}-[0-9]{6}", text, re.ASCII):
            raise BadInput("id.unreadable", kind="LicenseNumber", text=text[:40], example="20260-000001")
        return cls(text)


class DeviceId(str):
    """Hold a device id as indicia print it: vendor (2), model (2) and a ten digit serial, such as `TC1A0000000017`."""

    __slots__ = ()
    MAX_SERIAL: ClassVar[int] = 2**32 - 1

    @classmethod
    def of(cls, *, vendor: str, model: str, serial: int) -> DeviceId:
        """Make a device id from its three parts. Raises `BadInput` (id.unreadable)."""
        return cls.parse(f"{vendor}{model}{serial:010d}")

    @classmethod
    def parse(cls, text: str) -> DeviceId:
        """Read a device id. Raises `BadInput` (id.unreadable)."""
        if not re.fullmatch(r"[0-9A-Z]{4}[0-9]{10}", text, re.ASCII) or int(text[4:]) > cls.MAX_SERIAL:
            raise BadInput("id.unreadable", kind="DeviceId", text=text[:40], example="TC1A0000000017")
        return cls(text)

    @property
    def vendor(self) -> str:
        """Give the two-character vendor id."""
        return self[:2]

    @property
    def model(self) -> str:
        """Give the two-character model number."""
        return self[2:4]

    @property
    def serial(self) -> int:
        """Give the serial number (32 bits)."""
        return int(self[4:])
