"""A workshop: a throwaway root, authority and Provider that bring devices into service, for benches and tests.

Here: keys and messages enough for the life of a device under a test root. Not here: funds, licenses, custody, which
are the parties' own.
"""

from __future__ import annotations

from typing import Any

from towncircle.kernel.ids import DeviceId, MessageId, PartyId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import Randomness, SeededRandomness
from towncircle.pki.authority import Issuer, found_authority, found_root, serial_for
from towncircle.pki.keys import SoftwareKey
from towncircle.pki.verifying import PublicKey
from towncircle.psd.client import DeviceClient
from towncircle.psd.commands import Done
from towncircle.psd.device import sender_of
from towncircle.rules import ruleset
from towncircle.wire import bodies
from towncircle.wire.directory import Keyring
from towncircle.wire.message import Opened, open_untimed, seal
from towncircle.wire.shape import Body

PROVIDER = PartyId.parse("provider.workshop")
_YEARS = 40
_LAYOUTS = {"ecdsa-p256": "imi-std", "dsa-1024": "ibi-full"}


class Workshop:
    """Stand in for Postal Service and Provider towards devices. Everything repeats for the same seed and instants."""

    def __init__(self, now: Instant, *, seed: int = 1, regime: str = "imi-2024", scheme: str = "ecdsa-p256") -> None:
        self.randomness: Randomness = SeededRandomness(seed, "workshop")
        self.regime, self.scheme, self.now, self._counter, self._serials = regime, scheme, now, 0, 2
        term = {"not_before": now.plus(days=-1), "not_after": now.plus_months(12 * _YEARS, zone="UTC")}
        self._term = term
        self.root = found_root(
            name="Workshop Root", key=self._key(), test=True, serial=serial_for(1, test=True), **term
        )
        self.authority: Issuer = found_authority(
            root=self.root, name="Workshop Authority", key=self._key(), serial=serial_for(2, test=True), **term
        )
        self.provider_key = self._key()

    def _key(self) -> SoftwareKey:
        return SoftwareKey.generate("ecdsa-p256", self.randomness)

    def birth(self, device: DeviceId) -> dict[str, Any]:
        """Give the factory's arguments for a device of this workshop."""
        return {
            "device": device,
            "provider": PROVIDER,
            "provider_key": self.provider_key.public.raw,
            "root_fingerprint": self.root.certificate.fingerprint,
            "test_root": True,
        }

    def seal(
        self, device: DeviceId, body: Body, now: Instant, *, in_reply_to: str = "", hours: int = 24, **changes: Any
    ) -> bytes:
        """Seal a message of the Provider for a device; `changes` replace fields of the envelope."""
        self._counter += 1
        fields: dict[str, Any] = {
            "sender": PROVIDER,
            "audience": sender_of(device),
            "id": MessageId.new(self.randomness),
            "issued": now,
            "expires": now.plus(hours=hours),
            "counter": self._counter,
            "in_reply_to": in_reply_to,
            "signer": self.provider_key,
        }
        return seal(body=body, **{**fields, **changes})

    def open(self, device: DeviceId, client: DeviceClient, message: bytes) -> Opened:
        """Open a message of a device with the key that it identifies itself with."""
        ring = Keyring()
        ring.add(sender_of(device), PublicKey("ecdsa-p256", client.identify().message_public), since=Instant(0))
        return open_untimed(message, audience=PROVIDER, directory=ring)

    def parameters(self, now: Instant, **changes: Any) -> bodies.DeviceParameters:
        """Give the parameters that the rule set asks for, with changes."""
        rules, today = ruleset(self.regime), now.date_in("America/New_York")
        interval = rules.term("contact_interval", today)
        fields: dict[str, Any] = {
            "licensee": "licensee.workshop",
            "license": "20260-000001",
            "office_zip": "20260",
            "office_city": "Washington",
            "office_state": "DC",
            "zone": "America/New_York",
            "cap_mills": rules.mills("descending_cap", today),
            "contact_months": interval.months,
            "contact_hours": interval.hours,
            "lapse_effect": rules.text("lapse_effect", today),
            "layout": _LAYOUTS[self.scheme],
            "advance_days": rules.term("next_collection", today).days,
            "piece_limit_mills": rules.mills("keyed_postage_limit", today),
            "rule_digest": rules.digest,
            "specimen": True,
        }
        return bodies.DeviceParameters(**{**fields, **changes})

    def terms(self, now: Instant, **changes: int) -> bodies.DeviceTerms:
        """Give the device terms that the rule set asks for, with changes."""
        rules, today = ruleset(self.regime), now.date_in("America/New_York")
        warning = rules.term("contact_warning", today)
        fields = {
            "contact_warning_months": warning.months,
            "contact_warning_hours": warning.hours,
            "certificate_warning_days": rules.term("certificate_warning", today).days,
            "clock_difference_minutes": rules.integer("clock_difference_minutes", today),
            "advance_limit_days": rules.integer("advance_limit_days", today),
        }
        return bodies.DeviceTerms(**{**fields, **changes})

    def initialise(self, client: DeviceClient, device: DeviceId, now: Instant) -> Done:
        """Have the keys made."""
        order = bodies.Initialise(
            device=device,
            regime=self.regime,
            scheme=self.scheme,
            domain=b"",
            root_fingerprint=self.root.certificate.fingerprint,
        )
        return client.initialise(self.seal(device, order, now))

    def certify(self, client: DeviceClient, device: DeviceId, now: Instant, **term: Instant) -> Done:
        """Certify both keys; `term` may replace `not_before` and `not_after`."""
        return self.certify_next(client, device, now, indicia=client.identify().indicia_public, **term)

    def certify_next(
        self, client: DeviceClient, device: DeviceId, now: Instant, *, indicia: bytes, **term: Instant
    ) -> Done:
        """Certify an indicia key that the device has reported, with its message key."""
        identity = client.identify()
        serials = (serial_for(self._serials + 1, test=True), serial_for(self._serials + 2, test=True))
        self._serials += 2
        first, second = self.authority.certify_device(
            device=device,
            indicia=PublicKey(self.scheme, indicia),
            messages=PublicKey("ecdsa-p256", identity.message_public),
            serials=serials,
            **{**self._term, **term},
        )
        chain = (self.authority.certificate.der, self.root.certificate.der)
        order = bodies.Certify(indicia_certificate=first, message_certificate=second, chain=chain)
        return client.certify(self.seal(device, order, now))

    def commission(self, client: DeviceClient, device: DeviceId, now: Instant, **changes: Any) -> None:
        """Initialise, certify and authorise a device."""
        self.initialise(client, device, now)
        self.certify(client, device, now)
        order = bodies.Authorise(parameters=self.parameters(now, **changes), terms=self.terms(now))
        client.authorise(self.seal(device, order, now))

    def examination(
        self, at: DeviceId, now: Instant, *, role: str = "postal", key: SoftwareKey | None = None, **changes: Any
    ) -> bytes:
        """Seal an examination order as the Postal Service would (or another party, who may not)."""
        key, party = key or self._key(), PartyId.parse(f"{role}.workshop")
        self._serials += 1
        certificate = self.authority.certify_party(
            party=party, public=key.public, serial=serial_for(self._serials, test=True), **self._term
        )
        chain = (certificate, self.authority.certificate.der, self.root.certificate.der)
        fields: dict[str, Any] = {"device": at, "reference": "EXAM-1", "chain": chain}
        body = bodies.ExaminationOrder(**{**fields, **changes})
        return self.seal(at, body, now, sender=party, signer=key)

    def authorisation(self, device: DeviceId, opened: Opened, now: Instant, /, **changes: Any) -> bytes:
        """Authorise an opened reset request; `changes` replace fields of the body."""
        request = opened.body
        assert isinstance(request, bodies.ResetRequest)
        fields: dict[str, Any] = {
            "request_id": request.request_id,
            "device": device,
            "amount": request.amount,
            "request_counter": opened.envelope.counter,
        }
        body = bodies.ResetAuthorisation(**{**fields, **changes})
        return self.seal(device, body, now, in_reply_to=opened.envelope.id)

    def reset(self, client: DeviceClient, device: DeviceId, amount: Mills, now: Instant) -> Done:
        """Walk a whole reset: request, authorisation, application."""
        opened = self.open(device, client, client.request_reset(amount).message)
        return client.apply_reset(self.authorisation(device, opened, now))

    def renewal(self, device: DeviceId, opened: Opened, now: Instant, /, **changes: Any) -> bytes:
        """Answer an opened audit; `changes` replace fields of the body."""
        fields: dict[str, Any] = {
            "audit_counter": opened.envelope.counter,
            "contact_at": now,
            "parameters": None,
            "settle_request": "",
            "settle_outcome": "",
            "terms": self.terms(now),
        }
        return self.seal(device, bodies.Renewal(**{**fields, **changes}), now, in_reply_to=opened.envelope.id)

    def contact(self, client: DeviceClient, device: DeviceId, now: Instant, **changes: Any) -> Done:
        """Walk a whole contact: audit up, renewal down."""
        opened = self.open(device, client, client.audit().message)
        return client.contact(self.renewal(device, opened, now, **changes))
