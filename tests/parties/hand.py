"""A hand that holds every key of a world: it writes what anybody could write, and reads the answers.

What a party refuses must change nothing at it: `state` is all that its store keeps but its own counters.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from itertools import count

from towncircle.kernel.ids import DeviceId, MessageId, RequestId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.ledger import Books
from towncircle.pki.keys import Signer, SoftwareKey
from towncircle.psd.outcome import message_id
from towncircle.transport import Transport
from towncircle.wire import bodies
from towncircle.wire.directory import Keyring
from towncircle.wire.message import Opened, open_untimed, peek, seal
from towncircle.wire.shape import Body
from towncircle.world.journeys import Journeys
from towncircle.world.world import STORE, World

POSTAL, BANK = "postal.usps", "bank.lockbox"
_TABLES = ("record", "fact", "entry", "received")


class Line:
    """The way between the parties of a world, with somebody on it."""

    def __init__(self) -> None:
        self.going: Callable[[str, bytes], bytes] = lambda _audience, raw: raw
        self.coming: Callable[[str, bytes], bytes] = lambda _audience, raw: raw
        self.sent: list[bytes] = []
        self._inner: Transport | None = None

    def over(self, inner: Transport) -> Line:
        self._inner = inner
        return self

    def send(self, audience: str, raw: bytes) -> bytes:
        assert self._inner is not None
        self.sent.append(raw)
        return self.coming(audience, self._inner.send(audience, self.going(audience, raw)))


class Hand:
    """Seals as any party of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.source = SeededRandomness(9, "hand")
        self.counters = count(5_000_000)
        self.directory = Keyring()
        for party in world.config.parties:
            self.directory.add_certificate(world.cabinet.certificate(party))

    def seal(self, sender: str, audience: str, body: Body, *, key: Signer | None = None, **changes: object) -> bytes:
        now = self.world.clock.now()
        fields = {
            "id": MessageId.new(self.source),
            "issued": now,
            "expires": now.plus(hours=24),
            "counter": next(self.counters),
            "signer": key or self.world.cabinet.key(sender),
            **changes,
        }
        return seal(sender=sender, audience=audience, body=body, **fields)  # type: ignore[arg-type]  # bent on purpose

    def read(self, reply: bytes) -> Opened:
        return open_untimed(reply, audience=peek(reply).audience, directory=self.directory)

    def read_as(self, raw: bytes, audience: str) -> Body:
        return open_untimed(raw, audience=audience, directory=self.directory).body

    def hand_in(self, raw: bytes, audience: str) -> Body:
        return self.read(self.world.desk(audience).receive(raw)).body

    def say(self, sender: str, audience: str, body: Body, **changes: object) -> Body:
        return self.hand_in(self.seal(sender, audience, body, **changes), audience)  # type: ignore[arg-type]

    def refused(self, sender: str, audience: str, body: Body, **changes: object) -> str:
        """Give the code of a refusal that left no trace at the one who refused."""
        before = self.state(audience)
        answer = self.say(sender, audience, body, **changes)
        assert isinstance(answer, bodies.RefusedReply), answer
        assert self.state(audience) == before, answer.code
        return answer.code

    def state(self, party: str) -> list[list[tuple[object, ...]]]:
        base = sqlite3.connect(self.world.folder / party / STORE)
        try:
            return [base.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in _TABLES]
        finally:
            base.close()

    def account(self, licensee: str, provider: str) -> Mills:
        with self.world.store(provider).reading() as view:
            return Books(view).balance(f"account/{licensee}")

    def license_of(self, licensee: str) -> str:
        with self.world.store(licensee).reading() as view:
            return view.find("license")[0].key


class Puppet:
    """A device whose keys are known: it is certified and leased as any other, and says what a test wants."""

    def __init__(self, hand: Hand, provider: str, licensee: str, serial: int, *, known: bool = False) -> None:
        """Certify and lease a device; one that is `known` was leased in an earlier opening of the world."""
        self.hand, self.provider = hand, provider
        self.device = DeviceId.of(vendor="TC", model="1A", serial=serial)
        self.name = f"device.{self.device}"
        source = SeededRandomness(serial, "puppet")
        self.indicia = SoftwareKey.generate("ecdsa-p256", source)
        self.key = SoftwareKey.generate("ecdsa-p256", source)
        self.license = hand.license_of(licensee)
        if known:
            return
        issued = hand.say(provider, POSTAL, self.request())
        assert isinstance(issued, bodies.CertificateIssued), issued
        store = hand.world.store(provider)
        with store.transaction() as tx:
            like = tx.find("device", owner=licensee)[0].body
            fresh = {"ascending": 0, "descending": 0, "pieces": 0, "resets_total": 0, "message_counter": 0}
            record = {**like, **fresh, "open_reset": "", "message_certificate": issued.message_certificate.hex()}
            tx.put("device", self.device, record, owner=licensee, expected=0)

    def request(self) -> bodies.CertificateRequest:
        return key_request(self.hand, self.provider, self.device, self.license, indicia=self.indicia, message=self.key)

    def say(self, body: Body, *, counter: int) -> Body:
        now = self.hand.world.clock.now()
        raw = seal(
            sender=self.name,
            audience=self.provider,
            id=foretold(self.device, counter),
            issued=now,
            expires=now.plus(hours=24),
            counter=counter,
            body=body,
            signer=self.key,
        )
        return self.hand.hand_in(raw, self.provider)

    def audit(self, **changes: object) -> bodies.DeviceAudit:
        now = self.hand.world.clock.now()
        fields = {
            "state": "in service",
            "registers": bodies.Registers(ascending=ZERO, descending=ZERO, pieces=0),
            "resets_total": ZERO,
            "withdrawn_total": ZERO,
            "high_water": now,
            "contact_due": now.plus(hours=72),
            "open_request": "",
            "open_amount": ZERO,
            "last_applied": "",
            "usage": (),
            "reprints": 0,
            **changes,
        }
        return bodies.DeviceAudit(**fields)  # type: ignore[arg-type]  # each test says what is unusual

    def ask_reset(self, request_id: str, amount: Mills, *, counter: int) -> Body:
        wanted = self.audit(open_request=request_id, open_amount=amount)
        request = bodies.ResetRequest(request_id=RequestId(request_id), amount=amount, audit=wanted)
        return self.say(request, counter=counter)


def key_request(
    hand: Hand,
    provider: str,
    device: DeviceId,
    license_number: str,
    *,
    indicia: SoftwareKey,
    message: SoftwareKey,
    regime: str = "imi-2024",
    scheme: str = "ecdsa-p256",
    proof: bytes | None = None,
) -> bodies.CertificateRequest:
    """Report two keys as a new device would, to a Provider, and ask for its certificates."""
    report = bodies.DeviceKeyReport(
        device=device,
        regime=regime,
        scheme=scheme,
        indicia_public=indicia.public.raw,
        message_public=message.public.raw,
        indicia_proof=indicia.sign(message.public.raw) if proof is None else proof,
    )
    sealed = hand.seal(f"device.{device}", provider, report, key=message)
    return bodies.CertificateRequest(report=sealed, license=license_number)


class _At:
    def __init__(self, device: str, counter: int) -> None:
        self.device, self.counter = device, counter - 1


def foretold(device: str, counter: int) -> str:
    """Give the id that a device's message under a counter has, as anybody can."""
    return message_id(_At(device, counter))  # type: ignore[arg-type]  # it reads no more of a state


def waiting(world: World, party: str) -> list[str]:
    with world.store(party).reading() as view:
        return [row.key for row in view.find("outgoing", owner="waiting")]


def funded(journeys: Journeys, deposit: int = 300, reset: int = 50) -> Journeys:
    journeys.deposit(Mills.dollars(deposit))
    journeys.reset(Mills.dollars(reset))
    return journeys
