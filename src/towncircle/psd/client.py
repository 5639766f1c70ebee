"""Typed calls to a device over any byte port.

Here: `DeviceClient`. Not here: who may call it, and what happens with the messages (the Provider's and the host's).
Kept: a refusal of the device is raised here as the same coded error, so a caller sees one tree of errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.psd import commands
from towncircle.psd.commands import Done, Evidenced, Identity, Reprinted, SelfTested, StatusReport
from towncircle.psd.ports import BytePort

A = TypeVar("A")
MOVED = "The service was moved for good"  # so a hybrid begins the warning that its other device gives all new pieces


def pays_other(told: StatusReport, device: str) -> bool:
    """Tell whether the other device of a hybrid gives new pieces: it answers for this one, or took its place."""
    return told.device != device or any(warning.startswith(MOVED) for warning in told.warnings)


class DeviceClient:
    """Call a device. Every call raises what the device answers with, or `Refused` (psd.unreachable)."""

    def __init__(self, port: BytePort, device: DeviceId | None = None) -> None:
        """Call the device of a port; with its name, what a hybrid says of its other device is not taken for its own."""
        self._port, self._device = port, device

    def _call(self, command: commands.Command, kind: type[A]) -> A:
        answer = commands.decode_answer(self._port.exchange(commands.encode_command(command)))
        if not isinstance(answer, kind):
            raise BadInput("psd.malformed", what=f"the answer is no {kind.__name__}")
        return answer

    def identify(self) -> Identity:
        """Ask who the device is and for its public keys."""
        return self._call(commands.Identify(), Identity)

    def status(self) -> StatusReport:
        """Ask for state, registers, deadlines and warnings. Raises `Refused` (psd.unreachable) for another's."""
        told = self.shown()
        if self._device is not None and told.device != self._device:
            raise Refused("psd.unreachable", what=f"{told.device} answers in the stead of {self._device}")
        return told

    def shown(self) -> StatusReport:
        """Ask as `status` does; a hybrid whose first device does not answer shows the other one's."""
        return self._call(commands.Status(), StatusReport)

    def selftest(self) -> SelfTested:
        """Run the self-tests again."""
        return self._call(commands.SelfTest(), SelfTested)

    def initialise(self, message: bytes) -> Done:
        """Hand in the Provider's Initialise; the answer's message is the sealed DeviceKeyReport."""
        return self._call(commands.Initialise(message=message), Done)

    def certify(self, message: bytes) -> Done:
        """Hand in the Provider's Certify; the answer's message is a sealed DeviceReport."""
        return self._call(commands.Certify(message=message), Done)

    def authorise(self, message: bytes) -> Done:
        """Hand in the Provider's Authorise; the answer's message is a sealed DeviceReport."""
        return self._call(commands.Authorise(message=message), Done)

    def audit(self) -> Done:
        """Ask for a sealed DeviceAudit to send to the Provider."""
        return self._call(commands.Audit(), Done)

    def contact(self, message: bytes) -> Done:
        """Hand in the Provider's Renewal, which answers the last audit; the message is a sealed DeviceReport."""
        return self._call(commands.Contact(message=message), Done)

    def request_reset(self, amount: Mills) -> Done:
        """Ask for a sealed ResetRequest; asking again for the same amount gives the same bytes while it is open."""
        return self._call(commands.RequestReset(amount=amount), Done)

    def apply_reset(self, message: bytes) -> Done:
        """Hand in the Provider's ResetAuthorisation or ResetRefusal.

        The message is a sealed ResetAcknowledgment, after a refusal a DeviceReport.
        """
        return self._call(commands.ApplyReset(message=message), Done)

    def evidence(self, command: commands.Evidence) -> Evidenced:
        """Evidence a batch (`Evidence.of` makes it): all pieces or none, once, however often it is sent."""
        return self._call(command, Evidenced)

    def recover(self, request_id: str) -> Evidenced:
        """Ask for the answer of an earlier evidence call again. Raises `Refused` (psd.request-unknown)."""
        return self._call(commands.Recover(request_id=request_id), Evidenced)

    def reprint(self, request_id: str, offsets: Sequence[int]) -> Reprinted:
        """Count a reprint and get the same indicia again."""
        return self._call(commands.Reprint(request_id=request_id, offsets=tuple(offsets)), Reprinted)

    def withdraw(self, message: bytes) -> Done:
        """Hand in the Provider's Withdraw; the message is a sealed DeviceWithdrawal."""
        return self._call(commands.Withdraw(message=message), Done)

    def examine(self, message: bytes) -> Done:
        """Hand in a Postal Service's ExaminationOrder; the message is a sealed ExaminationReport. Nothing changes."""
        return self._call(commands.Examine(message=message), Done)

    def update(self, message: bytes) -> Done:
        """Hand in the Provider's SoftwareUpdate; the message is a sealed SoftwareReport."""
        return self._call(commands.Update(message=message), Done)

    def software(self) -> Done:
        """Ask for a sealed SoftwareReport to send to the Provider."""
        return self._call(commands.Software(), Done)

    def rekey(self) -> Done:
        """Make the next indicia key; the message is a sealed DeviceKeyReport for the Provider, who answers Certify."""
        return self._call(commands.Rekey(), Done)

    def zeroise(self, device: DeviceId) -> Done:
        """Destroy the keys of the device named."""
        return self._call(commands.Zeroise(confirm=device), Done)
