"""Messages over HTTP on 127.0.0.1: what arrives, what is too large, what a broken line looks like."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
import uvicorn

from towncircle.kernel.errors import Refused
from towncircle.transport import MAX_MESSAGE
from towncircle.transport.http import HttpTransport, door


@contextmanager
def up(receive: Callable[[bytes], bytes]) -> Iterator[HttpTransport]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(door("bank.lockbox", receive), log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield HttpTransport({"bank.lockbox": f"http://127.0.0.1:{listening.getsockname()[1]}"})
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()


@contextmanager
def broken(answer: bytes) -> Iterator[HttpTransport]:
    """Stand up something that answers with these bytes and hangs up."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        taken, _ = listening.accept()
        with closing(taken):
            taken.recv(65536)
            taken.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield HttpTransport({"bank.lockbox": f"http://127.0.0.1:{listening.getsockname()[1]}"})
    finally:
        thread.join(10)
        listening.close()


def unreachable(transport: HttpTransport, raw: bytes = b"x") -> str:
    with pytest.raises(Refused) as caught:
        transport.send("bank.lockbox", raw)
    assert caught.value.code == "transport.unreachable"
    return caught.value.sentence


def test_bytes_arrive_as_they_are_and_the_reply_comes_back_as_it_is() -> None:
    every_byte = bytes(range(256)) * 100
    with up(lambda raw: raw[::-1]) as transport:
        assert transport.send("bank.lockbox", every_byte) == every_byte[::-1]


def test_a_message_over_the_limit_is_not_taken_in() -> None:
    seen: list[int] = []
    with up(lambda raw: b"%d" % (seen.append(len(raw)) or len(raw))) as transport:  # type: ignore[func-returns-value]
        assert transport.send("bank.lockbox", b"x" * MAX_MESSAGE) == str(MAX_MESSAGE).encode()
        unreachable(transport, b"x" * (MAX_MESSAGE + 1))
    assert seen == [MAX_MESSAGE]


def test_a_failure_behind_the_door_leaks_nothing() -> None:
    def fail(_raw: bytes) -> bytes:
        raise RuntimeError("the secret of the house")

    with up(fail) as transport:
        assert "secret" not in unreachable(transport)


def test_nobody_listening_is_refused() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    listening.close()
    assert "ConnectionRefusedError" in unreachable(HttpTransport({"bank.lockbox": f"http://127.0.0.1:{port}"}))


def test_a_party_without_an_address_is_refused() -> None:
    assert "not known" in unreachable(HttpTransport({}))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"not HTTP at all\r\n\r\n",
        b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut short",
    ],
)
def test_an_answer_that_is_broken_is_refused(answer: bytes) -> None:
    with broken(answer) as transport:
        unreachable(transport)


def test_an_answer_over_the_limit_is_refused() -> None:
    with up(lambda _raw: b"x" * (MAX_MESSAGE + 1)) as transport:
        unreachable(transport)


def test_a_party_says_who_it_is_at_its_health_page() -> None:
    import http.client
    import json

    with up(lambda raw: raw) as transport:
        address = transport._addresses["bank.lockbox"].removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=5)
        connection.request("GET", "/health")
        answer = connection.getresponse()
        assert answer.headers["Content-Type"] == "application/json"
        assert json.loads(answer.read()) == {"party": "bank.lockbox"}
        connection.close()
