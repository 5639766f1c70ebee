"""Wycheproof's verdicts, the stricter check of an indicium, and the software key."""

import copy
import json
import pickle
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.randomness import SeededRandomness
from towncircle.pki.domain import DSA_1024_DOMAIN, read_domain
from towncircle.pki.historic import sign_repeatably
from towncircle.pki.keyfile import open_key, seal_key
from towncircle.pki.keys import SoftwareKey
from towncircle.pki.randomness import SystemRandomness
from towncircle.pki.verifying import PublicKey, signature_valid, verify
from towncircle.pki.verifying.signatures import P256_HALF_ORDER, P256_ORDER

DATA = Path(__file__).parents[1] / "data"
SCHEMES = ["ecdsa-p256", "dsa-1024"]


def rows(name: str):
    for group in json.loads((DATA / name).read_text())["testGroups"]:
        key = PublicKey("ecdsa-p256", bytes.fromhex(group["publicKey"]["uncompressed"]))
        for row in group["tests"]:
            yield key, row["tcId"], bytes.fromhex(row["sig"]), bytes.fromhex(row["msg"]), row["result"] == "valid"


def test_the_primitive_gives_every_wycheproof_verdict_for_fixed_width_signatures():
    given = {tc: (signature_valid(key, sig, msg), valid) for key, tc, sig, msg, valid in rows(P1363)}
    assert len(given) == 262
    assert {tc: pair for tc, pair in given.items() if pair[0] != pair[1]} == {}


def test_the_primitive_gives_every_wycheproof_verdict_for_der_signatures():
    given = {tc: (signature_valid(key, sig, msg, form="der"), valid) for key, tc, sig, msg, valid in rows(DER)}
    assert len(given) == 484
    assert {tc: pair for tc, pair in given.items() if pair[0] != pair[1]} == {}


def test_the_check_of_an_indicium_differs_from_wycheproof_on_exactly_the_valid_rows_with_a_high_s():
    differs, high = set(), set()
    for key, tc, sig, msg, valid in rows(P1363):
        if verify(key, sig, msg).accepted != valid:
            differs.add(tc)
        if valid and int.from_bytes(sig[32:]) > P256_HALF_ORDER:
            high.add(tc)
    assert differs == high
    assert len(high) == 70


def test_signatures_that_came_as_der_differ_on_exactly_the_valid_rows_with_a_high_s_too():
    differs, high, unconverted = set(), set(), set()
    for key, tc, sig, msg, valid in rows(DER):
        try:
            r, s = decode_dss_signature(sig)
            raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        except (ValueError, OverflowError):
            unconverted.add(valid)  # no fixed width form exists
            continue
        if verify(key, raw, msg).accepted != valid:
            differs.add(tc)
        if valid and s > P256_HALF_ORDER:
            high.add(tc)
    assert unconverted == {False}
    assert differs == high
    assert high


P1363 = "wycheproof_ecdsa_secp256r1_sha256_p1363_test.json"
DER = "wycheproof_ecdsa_secp256r1_sha256_test.json"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_deviation_of_a_signature_has_its_own_finding(scheme):
    key = SoftwareKey.generate(scheme, SeededRandomness(1, scheme))
    signature = key.sign(b"content")
    assert verify(key.public, signature, b"content").accepted

    def bad(given, data=b"content"):
        return [one.code for one in verify(key.public, given, data).findings if one.ok is False]

    assert bad(signature, b"other") == ["signature.match"]
    assert bad(signature[:-1]) == ["signature.length"]
    assert bad(b"") == ["signature.length"]
    assert bad(signature + b"\0") == ["signature.trailing"]
    if scheme == "ecdsa-p256":
        high = signature[:32] + (P256_ORDER - int.from_bytes(signature[32:])).to_bytes(32, "big")
        assert signature_valid(key.public, high, b"content")
        assert bad(high) == ["signature.low-s"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_seeded_key_and_its_signatures_repeat_to_the_byte_and_others_do_not(scheme):
    one, two = (SoftwareKey.generate(scheme, SeededRandomness(7, "device")) for _ in range(2))
    assert (one.public, one.sign(b"x")) == (two.public, two.sign(b"x"))
    real = SoftwareKey.generate(scheme, SystemRandomness())
    assert real.sign(b"x") != real.sign(b"x")
    assert signature_valid(real.public, real.sign(b"x"), b"x")


def test_every_emitted_p256_signature_has_64_bytes_and_the_low_s():
    key = SoftwareKey.generate("ecdsa-p256", SeededRandomness(3, "low s"))
    for number in range(300):
        signature = key.sign(number.to_bytes(2, "big"))
        assert len(signature) == 64
        assert int.from_bytes(signature[32:]) <= P256_HALF_ORDER
        assert signature_valid(key.public, signature, number.to_bytes(2, "big"))


def test_short_numbers_keep_their_fixed_width():
    from towncircle.pki.keys import _low_s

    assert _low_s(bytes.fromhex("3006020101020102")) == (1).to_bytes(32, "big") + (2).to_bytes(32, "big")
    padded = bytes.fromhex("30260221" + "00" + "ff" * 32 + "0201" + "05")
    assert _low_s(padded) == b"\xff" * 32 + (5).to_bytes(32, "big")


def test_the_nonces_of_a_sandbox_dsa_key_are_those_of_rfc_6979_appendix_a_2_1():
    p = int(
        "86F5CA03DCFEB225063FF830A0C769B9DD9D6153AD91D7CE27F787C43278B447E6533B86B18BED6E8A48B784A14C252C"
        "5BE0DBF60B86D6385BD2F12FB763ED8873ABFD3F5BA2E0A8C0A59082EAC056935E529DAF7C610467899C77ADEDFC846C"
        "881870B7B19B2B58F9BE0521A17002E3BDD6B86685EE90B3D9A1B02B782B1779",
        16,
    )
    q = int("996F967F6C8E388D9E28D01E205FBA957A5698B1", 16)
    g = int(
        "07B0F92546150B62514BB771E2A0C0CE387F03BDA6C56B505209FF25FD3C133D89BBCD97E904E09114D9A7DEFDEADFC9"
        "078EA544D2E401AEECC40BB9FBBF78FD87995A10A1C27CB7789B594BA7EFB5C4326A9FE59A070E136DB77175464ADCA4"
        "17BE5DCE2F40D10A46A3A3943F26AB7FD9C0398FF8C76EE0A56826A8A88F1DBD",
        16,
    )
    x = int("411602CB19A6CCC34494D79D98EF1E7ED5AF25F7", 16)
    numbers = dsa.DSAPublicNumbers(pow(g, x, p), dsa.DSAParameterNumbers(p, q, g))
    made = sign_repeatably(dsa.DSAPrivateNumbers(x, numbers), b"sample").hex().upper()
    assert made == "2E1A0C2562B2912CAAF89186FB0F42001585DA55" + "29EFB6B0AFF2D7A68EB70CA313022253B9A88DF5"


def test_the_house_domain_of_1998_is_sound():
    domain = read_domain(DSA_1024_DOMAIN)
    assert (domain.p.bit_length(), domain.q.bit_length()) == (1024, 160)
    assert (domain.p - 1) % domain.q == 0
    assert pow(domain.g, domain.q, domain.p) == 1
    for number in (domain.p, domain.q):  # Miller and Rabin, fixed bases
        assert all(pow(base, number - 1, number) == 1 for base in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37))


@pytest.mark.parametrize(
    "der", [b"", b"x", DSA_1024_DOMAIN[:-1], DSA_1024_DOMAIN + b"\0", bytes.fromhex("3009020105020103020102")]
)
def test_a_domain_that_is_none_is_refused(der):
    with pytest.raises(BadInput, match=r"pki\.bad-domain"):
        read_domain(der)


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (PublicKey("rsa-2048", b""), "pki.unknown-scheme"),
        (PublicKey("ecdsa-p256", b""), "pki.bad-public-key"),
        (PublicKey("ecdsa-p256", b"\x04" + b"\0" * 64), "pki.bad-public-key"),
        (PublicKey("ecdsa-p256", b"\x02" + b"\1" * 64), "pki.bad-public-key"),
        (PublicKey("dsa-1024", b"\x30\x00"), "pki.bad-public-key"),
    ],
)
def test_a_public_key_that_is_none_is_refused_by_its_code(key, code):
    with pytest.raises(BadInput, match=code):
        verify(key, b"\0" * 64, b"")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_stored_key_opens_under_its_secret_only_and_signs_as_before(scheme):
    source = SeededRandomness(5, "file")
    key = SoftwareKey.generate(scheme, source)
    secret = source.take(32)
    stored = seal_key(key, lambda: secret, source)
    again = open_key(stored, lambda: secret, repeatable=True)
    assert (again.public, again.key_id, again.sign(b"x")) == (key.public, key.key_id, key.sign(b"x"))
    with pytest.raises(Refused, match=r"pki\.key-file-locked"):
        open_key(stored, lambda: b"\0" * 32)
    with pytest.raises(BadInput, match=r"pki\.bad-secret"):
        open_key(stored, lambda: b"short")


def test_any_changed_byte_of_a_key_file_is_noticed():
    source = SeededRandomness(6, "file")
    secret = source.take(32)
    stored = seal_key(SoftwareKey.generate("ecdsa-p256", source), lambda: secret, source)
    for at in range(len(stored)):
        changed = stored[:at] + bytes([stored[at] ^ 1]) + stored[at + 1 :]
        with pytest.raises((BadInput, Refused), match=r"pki\.(bad-key-file|key-file-locked)"):
            open_key(changed, lambda: secret)
    with pytest.raises(BadInput, match=r"pki\.bad-key-file"):
        open_key(stored[:40], lambda: secret)


def test_a_private_key_shows_nothing_and_cannot_be_copied():
    key = SoftwareKey.generate("ecdsa-p256", SeededRandomness(8, "repr"))
    assert repr(key) == "SoftwareKey(ecdsa-p256, ...)"
    assert repr(SystemRandomness()) == "SystemRandomness()"
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            attempt(key)


def test_unknown_schemes_and_strange_private_keys_are_refused():
    with pytest.raises(BadInput, match=r"pki\.unknown-scheme"):
        SoftwareKey.generate("rsa-2048", SystemRandomness())
    with pytest.raises(BadInput, match=r"pki\.bad-private-key"):
        SoftwareKey.from_pkcs8(b"nothing")
