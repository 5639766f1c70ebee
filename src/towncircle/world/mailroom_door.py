"""The mail rooms' door of running parties: one piece printed by one HTTP request on 127.0.0.1.

Here: `POST /licensees/NAME/print`, who may ask, letting go of the devices, and the asking. Not here: what is printed
(`journeys`, `licensee.envelopes`), who starts it (`up`).
Kept: who asks shows the secret that lies in the licensee's folder, readable by its owner alone and made anew at each
start. Departments and PINs hold as in `print`. A request may name its job: asked again, a piece that was not given yet
is given to who proves to be the one that began it, and one that was is refused, because a copy is a reprint and the
device counts those. What the answer says is made before a piece counts as given, and address data that changed since
hold nothing back that is debited. Pieces are printed one at a time, and not while another process prints for the same
licensee. A device is let go when nobody asked for a while, and when a command of the same world needs it.
"""

from __future__ import annotations

import hmac
import http.client
import json
import os
import string
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from socket import socket as Socket  # noqa: N812  # a class by its name
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from towncircle.kernel.errors import BadInput, Refused, TowncircleError
from towncircle.kernel.ids import JobId
from towncircle.kernel.store import Record
from towncircle.licensee import departments, envelopes, mailroom
from towncircle.licensee.pricing import FIRST_METERED, doubts_of_job, in_words
from towncircle.mailpiece.address_files import EMBEDDED, Recipient
from towncircle.mailpiece.address_places import parse_zip
from towncircle.mailpiece.address_source import AddressSource, places_of
from towncircle.mailpiece.addresses import address
from towncircle.mailpiece.rates import SHAPES
from towncircle.mailpiece.weights import parse_weight
from towncircle.paper.pdf import to_pdf
from towncircle.pki.randomness import SystemRandomness
from towncircle.world import address_data
from towncircle.world.departments import Payer, prove
from towncircle.world.journeys import Journeys
from towncircle.world.turns import turn

if TYPE_CHECKING:
    from towncircle.world.devices import PortMaker, ShelfPort
    from towncircle.world.world import World

FILE = "door.json"
MOST_BODY = 16 * 1024
WAIT_S = 10  # house: how long a request waits for its turn
GRACE_S = 3  # house: how long requests have to end when the door is closed
IDLE_S = 60.0  # house: after it the devices are let go
ASK_S = 30
_STATUS = {"input": HTTPStatus.UNPROCESSABLE_ENTITY, "refused": HTTPStatus.CONFLICT}
_ADDRESS = frozenset({"name", "company", "street", "street2", "city", "urbanization", "state", "zip", "country"})
_PLAIN = (string.punctuation + " ").replace("%", "")  # what a header shows as it is, beside letters and digits
_KNOWN = _ADDRESS | {"weight", "shape", "department", "person", "pin", "job", "old_data", "accept_low_confidence"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Hold one piece that was printed: its job, its postage in mills, its page, and why its price is not quite sure.

    `routed` says whether its ZIP+4 was verified, `data` which address data were used and until when they are good.
    """

    job: JobId
    postage: int
    pdf: bytes
    doubtful: str = ""
    routed: str = ""
    data: str = ""

    def answer(self) -> Response:
        """Give its page, with the rest in headers: a header is ASCII, so what is not is percent-encoded UTF-8."""
        headers = {"Towncircle-Job": str(self.job), "Towncircle-Postage-Mills": str(self.postage)}
        headers |= {"Towncircle-Price-Less-Than-Sure": self.doubtful} if self.doubtful else {}
        headers |= {"Towncircle-Zip4": self.routed, "Towncircle-Address-Data": self.data} if self.data else {}
        safe = {name: quote(text, safe=_PLAIN) for name, text in headers.items()}
        return Response(self.pdf, media_type="application/pdf", headers=safe)


class Door:
    """Print pieces for the licensees of an opened world, one at a time."""

    def __init__(self, world: World, licensees: Sequence[str]) -> None:
        self._world = world
        self.secrets = {name: SystemRandomness().take(32).hex() for name in licensees}
        self._turn = threading.Lock()
        self._last = time.monotonic()

    def admits(self, licensee: str, shown: str) -> bool:
        """Tell whether a caller showed the secret of a licensee."""
        kept = self.secrets.get(licensee, "")
        return hmac.compare_digest(f"Bearer {kept}".encode(), shown.encode()) and bool(kept)

    def print_one(self, licensee: str, asked: bytes) -> Piece:
        """Print one piece. Raises what `print` raises, `BadInput` (door.unreadable), `Refused` (door.*)."""
        order = _read(asked)
        if not self._turn.acquire(timeout=WAIT_S):
            raise Refused("door.busy")
        try:
            with turn(self._world.folder, licensee):
                return self._printed(Journeys(self._world, licensee), order)
        finally:
            self._last = time.monotonic()
            self._turn.release()

    def end(self) -> None:
        """Wait for the piece under way, for a while, and take no other one."""
        self._turn.acquire(timeout=WAIT_S)

    def let_go(self, *, idle_s: float = 0.0) -> None:
        """End the device processes, if nobody asked for a piece for so long."""
        if self._turn.acquire(timeout=WAIT_S):
            try:
                if time.monotonic() - self._last >= idle_s:
                    self._world.shelf.close()
            finally:
                self._turn.release()

    def _printed(self, journeys: Journeys, order: Mapping[str, str]) -> Piece:
        payer = Payer(
            department=order.get("department", departments.DEFAULT),
            person=order.get("person", ""),
            pin=order.get("pin", ""),
        )
        job = JobId.parse(order["job"]) if "job" in order else journeys.new(JobId.new)
        with journeys.world.store(journeys.licensee).reading() as view:
            earlier = view.get("job", job)
        if earlier is not None:  # its address was looked up when it was planned, whatever the data say since
            _check_same(earlier, order, payer)
            prove(journeys, payer, job=job)
            record = journeys.resume(job)
        else:
            with address_data.source_of(journeys) as data:
                asked_for = _recipient(order, data)
            (recipient,) = address_data.looked_up(journeys, [asked_for])
            address_data.use(journeys, day=journeys.today(), reason=order.get("old_data", ""))
            claim = replace(FIRST_METERED, accept_low=order.get("accept_low_confidence", "no") == "yes")
            record = journeys.evidence(journeys.plan((recipient,), job=job, payer=payer, claim=claim))
        rested = dict(address_data.rows_of(address_data.told(journeys, record.body)))
        piece = Piece(
            job=job,
            postage=record.body["total"],
            pdf=to_pdf(envelopes.pages(record.body, journeys.stationery(record)), title="Envelope - SPECIMEN"),
            doubtful=in_words(doubts_of_job(record.body["pieces"])),
            routed=str(rested.get("ZIP+4", "")),
            data=str(rested.get("address data", "")),
        )
        piece.answer()  # what fails in it fails before the piece counts as given, and the same order gets it again
        journeys.hand_over(job, [Path(f"{job}.pdf")])
        return piece


def _read(asked: bytes) -> dict[str, str]:
    try:
        order = json.loads(asked)
    except (ValueError, RecursionError) as error:
        raise BadInput("door.unreadable", what="it is no JSON") from error
    if not isinstance(order, dict) or not all(isinstance(value, str) for value in order.values()):
        raise BadInput("door.unreadable", what="it is no object of texts")
    unknown = sorted(order.keys() - _KNOWN)
    if unknown:
        raise BadInput("door.unreadable", what=f"nobody knows {', '.join(unknown)[:80]}")
    return order


def _check_same(earlier: Record, order: Mapping[str, str], payer: Payer) -> None:
    """Check that an order is that of a job that was not given yet. Raises `Refused` (door.*)."""
    held = earlier.body
    if held["state"] not in mailroom.OPEN or "batch" in held:
        raise Refused("door.given", job=earlier.key, state=held["state"])
    if len(held["pieces"]) != 1 or not _goes_to(held["pieces"][0]["address"], order):
        raise Refused("door.other-piece", job=earlier.key)
    if (held["department"], held["person"]) != (payer.department, payer.person):
        raise Refused("door.other-payer", job=earlier.key)


def _goes_to(planned: Mapping[str, str], order: Mapping[str, str]) -> bool:
    """Tell whether a planned address is that of an order; its ZIP+4 may be of the address data, where it says none."""
    said = {name: " ".join(order.get(name, "").split()) for name in _ADDRESS - {"zip", "country"}}
    code = parse_zip(order.get("zip", "").strip())
    said |= {"state": said["state"].upper(), "zip5": code["five"] if code else ""}
    if code and code["four"]:
        said |= {"plus4": code["four"], "delivery_point": code["point"] or ""}
    return all(planned.get(name, "") == text for name, text in said.items())


def _recipient(order: Mapping[str, str], data: AddressSource = EMBEDDED) -> Recipient:
    given = {name: order[name] for name in _ADDRESS if name in order}
    missing = sorted({"street", "city", "state", "zip"} - given.keys())
    if missing:
        raise BadInput("door.unreadable", what=f"it lacks {', '.join(missing)}")
    shape = order.get("shape")
    if shape is not None and shape not in SHAPES:
        raise BadInput("rates.unknown-shape", text=shape[:40])
    return Recipient(
        row=1,
        address=address(**given, places=places_of(data)),
        weight_oz=parse_weight(order["weight"]) if "weight" in order else None,
        shape=shape,
    )


def application(door: Door) -> FastAPI:
    """Make the web application of a door."""
    app = FastAPI(title="towncircle mail room", docs_url=None, redoc_url=None, openapi_url=None)

    async def body_of(request: Request) -> bytes:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BODY:
                raise BadInput("door.unreadable", what=f"it is longer than {MOST_BODY} bytes")
        return bytes(body)

    def check(request: Request, licensee: str) -> None:
        if not door.admits(licensee, request.headers.get("Authorization", "")):
            raise Refused("door.not-proved")

    @app.exception_handler(TowncircleError)
    async def told(_request: Request, error: Exception) -> Response:
        assert isinstance(error, TowncircleError)
        status = _STATUS.get(error.kind, HTTPStatus.INTERNAL_SERVER_ERROR)
        if error.code == "door.not-proved":
            status = HTTPStatus.UNAUTHORIZED
        return JSONResponse({"error": error.as_dict()}, status_code=status)

    @app.post("/licensees/{licensee}/print")
    async def print_one(licensee: str, request: Request) -> Response:
        check(request, licensee)
        asked = await body_of(request)
        return (await run_in_threadpool(door.print_one, licensee, asked)).answer()

    @app.post("/licensees/{licensee}/let-go")
    async def let_go(licensee: str, request: Request) -> Response:
        check(request, licensee)
        await run_in_threadpool(door.let_go)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    return app


class DoorServer:
    """Serve a door in a thread on a free port of 127.0.0.1, and tell the licensees' owners where."""

    def __init__(self, world: World, licensees: Sequence[str]) -> None:
        self._door = Door(world, licensees)
        self._files = [world.folder / name / FILE for name in licensees]
        self._socket = Socket()
        self._socket.bind(("127.0.0.1", 0))
        settings = uvicorn.Config(
            application(self._door), log_level="error", lifespan="off", timeout_graceful_shutdown=GRACE_S
        )
        self._server = uvicorn.Server(settings)
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._server.run, args=([self._socket],), daemon=True),
            threading.Thread(target=self._watch, daemon=True),
        ]

    def start(self) -> None:
        """Serve, and write address and secret of each licensee where only its owner reads them."""
        for thread in self._threads:
            thread.start()
        while not self._server.started and self._threads[0].is_alive():
            self._stopped.wait(0.01)
        at = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        for file, (name, secret) in zip(self._files, self._door.secrets.items(), strict=True):
            _put_private(file, {"address": f"{at}/licensees/{name}", "secret": secret})

    def stop(self) -> None:
        """End, and wait for the piece under way; a request that never becomes whole holds nothing up."""
        for file in self._files:
            file.unlink(missing_ok=True)
        self._stopped.set()
        self._server.should_exit = True
        for thread in self._threads:
            thread.join(timeout=2 * GRACE_S + WAIT_S)
        self._door.end()
        self._socket.close()

    def _watch(self) -> None:
        while not self._stopped.wait(IDLE_S / 4):
            self._door.let_go(idle_s=IDLE_S)


def _put_private(file: Path, held: Mapping[str, str]) -> None:
    file.unlink(missing_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump(dict(held), out)


def ask(folder: Path, licensee: str, what: str, order: Mapping[str, str] | None = None) -> tuple[int, Any, bytes]:
    """Ask a running door; give status, headers and body. Raises `Refused` (door.closed)."""
    try:
        held = json.loads((folder / licensee / FILE).read_text())
        parts, secret = urlsplit(held["address"]), held["secret"]
        line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=ASK_S)
        try:
            headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
            line.request("POST", f"{parts.path}/{what}", body=json.dumps(dict(order or {})), headers=headers)
            answer = line.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            line.close()
    except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
        raise Refused("door.closed", licensee=licensee) from error


def letting_go(folder: Path, licensees: Sequence[str], make_port: PortMaker) -> PortMaker:
    """Have running doors let go of their devices before a command opens one: a device has one owner process."""

    def make(device: Path) -> ShelfPort:
        for licensee in licensees:
            if (folder / licensee / FILE).exists():
                with suppress(Refused):  # a door that is closed holds nothing
                    ask(folder, licensee, "let-go")
        return make_port(device)

    return make
