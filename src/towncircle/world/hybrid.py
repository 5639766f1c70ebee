"""The hybrid category: a LAN host's device, and a hosted one to fall back to.

Here: a byte port over two devices, and the notebook of where each request went. Not here: the devices, and the
transfer of value between them, which is two steps through the Provider: the one is withdrawn, the other is reset.
Kept: they are two devices with keys and registers of their own, so no value is in two places and no state is copied.
A request stays with the device that it was first sent to: when the line breaks and nobody knows whether the device has
run it, it is not sent to the other one, or one piece would be paid twice. It is noted before it is sent.
"""

from __future__ import annotations

import os
from pathlib import Path

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.psd import commands
from towncircle.psd.ports import BytePort

_FIRST, _OTHER = "first", "other"


@cites("PRE-02")
class HybridPort:
    """Reach the first device, and the other one while the first cannot be reached."""

    def __init__(self, first: BytePort, other: BytePort, notebook: Path) -> None:
        self._ports = {_FIRST: first, _OTHER: other}
        self._notebook = notebook
        self._sent = dict(line.split("\t") for line in _lines(notebook))

    def exchange(self, command: bytes) -> bytes:
        """Give the answer. Raises `Refused` (psd.unreachable, transport.unreachable)."""
        asked = commands.decode_command(command)
        request = getattr(asked, "request_id", "")
        if not request:
            return self._ports[_FIRST].exchange(command)
        place = self._sent.get(request)
        if place is not None:
            return self._ports[place].exchange(command)
        try:
            return self._send(request, _FIRST, command)
        except Refused as refusal:
            if refusal.code != "transport.unreachable":  # it may have been run: it stays where it is
                raise
            return self._send(request, _OTHER, command)

    def _send(self, request: str, place: str, command: bytes) -> bytes:
        self._note(request, place)
        return self._ports[place].exchange(command)

    def _note(self, request: str, place: str) -> None:
        with self._notebook.open("a") as file:
            file.write(f"{request}\t{place}\n")
            file.flush()
            os.fsync(file.fileno())
        self._sent[request] = place


def _lines(notebook: Path) -> list[str]:
    """Give the whole lines; half a line that a power cut left is taken off, so that the next note does not join it.

    What it would have noted was never sent: a request is noted, and the note synced, before it goes anywhere.
    """
    notebook.touch()
    with notebook.open("r+b") as file:
        data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        file.truncate(len(whole))
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(notebook.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return whole.decode().splitlines()
