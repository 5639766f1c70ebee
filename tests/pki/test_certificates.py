"""The authority, chains of certificates and revocation lists."""

from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId, PartyId
from towncircle.kernel.instants import Instant
from towncircle.kernel.randomness import SeededRandomness
from towncircle.pki.authority import Issuer, found_authority, found_root, serial_for
from towncircle.pki.keys import SoftwareKey
from towncircle.pki.verifying import (
    DEVICE_INDICIA,
    DEVICE_MESSAGES,
    PROVIDER,
    Revocation,
    check_chain,
    check_revocation_list,
    read_certificate,
)
from towncircle.pki.verifying.signatures import native_key

NOW = Instant.parse("2026-11-21T12:00Z")
LATER = NOW.plus(days=3650)
DEVICE = DeviceId.parse("TC1A0000000017")


class Office:
    """A root, an issuing authority and one device with both certificates."""

    def __init__(self, *, seed: int = 1, test: bool = True) -> None:
        self.source = SeededRandomness(seed, f"office {test}")
        self.test = test
        self.count = 0
        term = {"not_before": NOW, "not_after": LATER}
        self.root = found_root(name="Root", key=self.key(), test=test, serial=self.serial(), **term)
        self.authority = found_authority(root=self.root, name="Authority", key=self.key(), serial=self.serial(), **term)
        self.above = (self.authority.certificate.der, self.root.certificate.der)
        self.indicia, self.messages = self.key(), self.key()
        self.serials = (self.serial(), self.serial())
        self.device = self.authority.certify_device(
            device=DEVICE, indicia=self.indicia.public, messages=self.messages.public, serials=self.serials, **term
        )

    def key(self, scheme: str = "ecdsa-p256") -> SoftwareKey:
        return SoftwareKey.generate(scheme, self.source)

    def serial(self) -> int:
        self.count += 1
        return serial_for(self.count, test=self.test)

    def check(self, chain=None, **changes):
        asked = {
            "root_fingerprint": self.root.certificate.fingerprint,
            "at": NOW,
            "purpose": DEVICE_INDICIA,
            "subject": DEVICE,
        }
        return check_chain(chain or (self.device[0], *self.above), **{**asked, **changes})


@pytest.fixture(scope="module")
def office() -> Office:
    return Office()


def faults(result) -> list[str]:
    return [one.code for one in result.findings if one.ok is False]


def test_a_device_gets_two_certificates_that_lead_to_the_root(office):
    result = office.check()
    assert result.accepted
    assert result.leaf.public == office.indicia.public
    assert result.leaf.serial == office.serials[0]
    other = office.check((office.device[1], *office.above), purpose=DEVICE_MESSAGES)
    assert other.accepted
    assert other.leaf.public == office.messages.public


def test_without_a_revocation_list_revocation_is_not_checkable_and_never_said_to_be_well(office):
    last = office.check().findings[-1]
    assert (last.code, last.ok) == ("chain.revoked", None)


def test_a_dsa_key_of_1998_can_be_certified_for_indicia_and_for_nothing_else(office):
    historic = office.key("dsa-1024").public
    term = {"not_before": NOW, "not_after": LATER}
    der, _ = office.authority.certify_device(
        device=DEVICE, indicia=historic, messages=office.messages.public, serials=(2**31 + 90, 2**31 + 91), **term
    )
    assert office.check((der, *office.above)).leaf.public == historic
    with pytest.raises(BadInput, match=r"pki\.wrong-scheme"):
        office.authority.certify_party(party=PartyId("provider.harbor"), public=historic, serial=2**31 + 92, **term)


def test_another_root_is_not_trusted_however_well_its_chain_holds(office):
    stranger = Office(seed=2)
    chain = (stranger.device[0], *stranger.above)
    assert faults(office.check(chain)) == ["chain.root"]


def test_a_certificate_below_another_authority_of_the_same_name_does_not_hold(office):
    stranger = Office(seed=3)
    assert faults(office.check((stranger.device[0], *office.above))) == ["chain.signatures"]


@pytest.mark.parametrize(
    ("at", "well"),
    [
        (NOW.plus(microseconds=-1), False),
        (NOW, True),
        (LATER, True),
        (LATER.plus(microseconds=1), False),
    ],
)
def test_validity_holds_from_its_first_to_its_last_instant(office, at, well):
    assert ("chain.validity" not in faults(office.check(at=at))) == well


def test_a_certificate_is_good_for_its_purpose_and_subject_only(office):
    assert faults(office.check(purpose=DEVICE_MESSAGES)) == ["chain.purpose"]
    assert faults(office.check(subject="TC1A0000000018")) == ["chain.purpose"]
    assert office.check(subject=None).accepted


def test_a_device_cannot_issue(office):
    forged = Issuer(key=office.indicia, certificate=read_certificate(office.device[0]))
    with pytest.raises(Refused, match=r"pki\.not-the-issuer"):
        forged.certify_party(
            party=PartyId("provider.x"),
            public=office.indicia.public,
            serial=2**31 + 50,
            not_before=NOW,
            not_after=LATER,
        )
    chain = (office.device[1], office.device[0], *office.above)
    assert "chain.authority" in faults(office.check(chain, purpose=DEVICE_MESSAGES))


def test_a_root_certifies_no_party_and_an_authority_no_authority(office):
    term = {"serial": 2**31 + 60, "not_before": NOW, "not_after": LATER, "public": office.indicia.public}
    with pytest.raises(Refused, match=r"pki\.not-the-issuer"):
        office.root.certify_party(party=PartyId("provider.x"), **term)
    with pytest.raises(Refused, match=r"pki\.not-the-issuer"):
        office.authority.certify_authority(name="Another", **term)
    with pytest.raises(BadInput, match=r"pki\.not-a-party"):
        office.authority.certify_party(party=PartyId("device.x"), **term)


def test_a_party_certificate_names_its_role(office):
    der = office.authority.certify_party(
        party=PartyId("provider.harbor"),
        public=office.indicia.public,
        serial=2**31 + 70,
        not_before=NOW,
        not_after=LATER,
    )
    assert office.check((der, *office.above), purpose=PROVIDER, subject="provider.harbor").accepted


def test_the_test_root_says_so_everywhere_and_counts_from_2_to_the_31st(office):
    assert read_certificate(office.device[0]).test
    assert office.root.certificate.serial == 0x8000_0000
    production = Office(test=False)
    assert production.root.certificate.serial == 1
    assert not read_certificate(production.device[0]).test
    assert "TEST" in office.check().findings[5].text.upper()


@pytest.mark.parametrize(
    ("count", "test", "serial"),
    [(1, False, 1), (2**31 - 1, False, 2**31 - 1), (1, True, 2**31), (2**31, True, 2**32 - 1)],
)
def test_serials_fill_their_half_of_the_sequence(count, test, serial):
    assert serial_for(count, test=test) == serial


@pytest.mark.parametrize(("count", "test"), [(0, False), (2**31, False), (0, True), (2**31 + 1, True)])
def test_serials_outside_their_half_are_refused(count, test):
    with pytest.raises(Refused, match=r"pki\.serials-used-up"):
        serial_for(count, test=test)


@pytest.mark.parametrize("chain", [(), (b"",), (b"x", b"y"), (b"x",) * 5])
def test_a_chain_that_cannot_be_read_is_a_finding_not_an_exception(office, chain):
    result = check_chain(chain, root_fingerprint=b"", at=NOW, purpose=DEVICE_INDICIA)
    assert faults(result) == ["chain.readable"]
    assert not result.accepted


def test_a_revoked_device_is_refused_from_the_instant_of_its_revocation(office):
    stolen = Revocation(serial=office.serials[0], at=NOW.plus(hours=5), reason="key-compromise")
    der = office.authority.revocation_list(number=7, issued=NOW, next_update=NOW.plus(days=7), revoked=[stolen])
    held, findings = check_revocation_list(der, issuer=office.authority.certificate, now=NOW, last_number=7)
    assert all(one.ok for one in findings)
    assert held.entry(office.serials[0]) == stolen
    assert office.check(revocations=held, at=NOW.plus(hours=4)).accepted
    assert faults(office.check(revocations=held, at=NOW.plus(hours=5))) == ["chain.revoked"]
    assert office.check((office.device[1], *office.above), purpose=DEVICE_MESSAGES, revocations=held).accepted


@pytest.mark.parametrize(
    ("now", "last", "code"),
    [
        (NOW, 8, "list.number"),
        (NOW.plus(days=-1), 0, "list.issued"),
        (NOW.plus(days=7, microseconds=1), 0, "list.fresh"),
    ],
)
def test_an_old_early_or_overdue_revocation_list_is_not_relied_on(office, now, last, code):
    der = office.authority.revocation_list(number=7, issued=NOW, next_update=NOW.plus(days=7), revoked=[])
    held, findings = check_revocation_list(der, issuer=office.authority.certificate, now=now, last_number=last)
    assert held is None
    assert [one.code for one in findings if not one.ok] == [code]


def test_a_list_of_another_authority_or_a_damaged_one_is_not_relied_on(office):
    stranger = Office(seed=4)
    der = stranger.authority.revocation_list(number=1, issued=NOW, next_update=LATER, revoked=[])
    held, findings = check_revocation_list(der, issuer=office.authority.certificate, now=NOW)
    assert held is None
    assert [one.code for one in findings if not one.ok] == ["list.signature"]
    held, findings = check_revocation_list(der[:-3], issuer=stranger.authority.certificate, now=NOW)
    assert held is None
    assert [one.code for one in findings] == ["list.readable"]


def test_with_one_seed_every_certificate_and_list_repeats_to_the_byte():
    one, two = Office(seed=9), Office(seed=9)
    assert (one.device, one.above) == (two.device, two.above)
    lists = [who.authority.revocation_list(number=1, issued=NOW, next_update=LATER, revoked=[]) for who in (one, two)]
    assert lists[0] == lists[1]


def test_the_verifying_half_drags_in_nothing_that_signs():
    import subprocess
    import sys

    code = "import sys, towncircle.pki.verifying; print('towncircle.pki.keys' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_dsa_key_founds_no_authority():
    key = SoftwareKey.generate("dsa-1024", SeededRandomness(1, "dsa"))
    with pytest.raises(BadInput, match=r"pki\.wrong-scheme"):
        found_root(name="Root", key=key, test=True, serial=2**31, not_before=NOW, not_after=LATER)
    with pytest.raises(BadInput, match=r"pki\.cannot-issue"):
        key.sign_certificate(x509.CertificateBuilder())


def test_a_certificate_without_our_marks_is_unreadable(office):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DEVICE)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(native_key(office.indicia.public))
        .serial_number(5)
        .not_valid_before(NOW.utc())
        .not_valid_after(LATER.utc())
    )
    for der in (office.indicia.sign_certificate(builder), b"", b"\x30\x00"):
        with pytest.raises(BadInput, match=r"pki\.unreadable-certificate"):
            read_certificate(der)


def test_a_production_certificate_below_a_test_root_is_found_out(office):
    # forged with the test authority's own key: only its marks give it away
    forger = Issuer(key=office.authority.key, certificate=replace(office.authority.certificate, test=False))
    der, _ = forger.certify_device(
        device=DEVICE,
        indicia=office.indicia.public,
        messages=office.messages.public,
        serials=(7, 8),
        not_before=NOW,
        not_after=LATER,
    )
    assert "chain.test" in faults(office.check((der, *office.above)))
