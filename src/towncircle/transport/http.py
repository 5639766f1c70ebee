"""HTTP between parties that run as separate processes on 127.0.0.1.

Here: one route that takes a sealed message and gives the sealed reply, and its client. Not here: trust: the messages
are signed, HTTP only carries them.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from towncircle.kernel.errors import Refused
from towncircle.transport import MAX_MESSAGE

MESSAGE_TYPE = "application/cose; cose-type=cose-sign1"
TIMEOUT_S = 30


class HttpTransport:
    """Carry messages to the parties' addresses."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._addresses = addresses

    def send(self, audience: str, raw: bytes) -> bytes:
        """Post the message to its party. Raises `Refused` (transport.unreachable)."""
        address = self._addresses.get(audience)
        if address is None:
            raise Refused("transport.unreachable", audience=audience, what="its address is not known")
        parts = urlsplit(address)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        try:
            connection.request("POST", "/messages", body=raw, headers={"Content-Type": MESSAGE_TYPE})
            answer = connection.getresponse()
            data = answer.read(MAX_MESSAGE)
            whole = not answer.read(1) and not answer.length
        except (OSError, http.client.HTTPException) as error:
            raise Refused("transport.unreachable", audience=audience, what=type(error).__name__) from error
        finally:
            connection.close()
        if answer.status != HTTPStatus.OK:
            raise Refused("transport.unreachable", audience=audience, what=f"HTTP {answer.status}")
        if not whole:
            raise Refused("transport.unreachable", audience=audience, what="its answer is cut short or too large")
        return data


def door(party: str, receive: Callable[[bytes], bytes]) -> FastAPI:
    """Make the web application of one party: `POST /messages` and `GET /health`."""
    app = FastAPI(title=f"towncircle {party}", docs_url=None, redoc_url=None)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"party": party}

    @app.post("/messages")
    async def messages(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_MESSAGE:
                return Response(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        reply = await run_in_threadpool(receive, bytes(body))
        return Response(reply, media_type=MESSAGE_TYPE)

    return app
