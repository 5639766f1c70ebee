"""The device's own verify against NIST's CAVP vectors: every verdict of the two schemes it knows (502.8(b)).

The primitive is `pki.verifying.signature_valid`; self-tests, orders from the Provider and the check of an indicium
stand on it. Wycheproof's verdicts are in `test_signatures`.
"""

from __future__ import annotations

from collections.abc import Iterator

import cryptography_vectors
import pytest
from cryptography.hazmat.primitives.asymmetric import dsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from towncircle.kernel.errors import BadInput
from towncircle.pki.verifying import PublicKey, signature_valid

Row = dict[str, str]


def rows(name: str, section: str) -> Iterator[Row]:
    """Give the rows of one section; values that stand once at its head are in every row."""
    inside, head, row = False, Row(), Row()
    with cryptography_vectors.open_vector_file(name, "r") as file:
        for line in map(str.strip, file):
            if line.startswith("["):
                inside = line == f"[{section}]"
                head, row = Row(), Row()
            elif inside and " = " in line:
                key, _, value = line.partition(" = ")
                (head if key in "PQG" else row)[key] = value
                if key == "Result":
                    yield head | row
                    row = Row()


def p256_key(row: Row) -> PublicKey:
    return PublicKey("ecdsa-p256", bytes.fromhex("04" + row["Qx"].zfill(64) + row["Qy"].zfill(64)))


def dsa_key(row: Row) -> PublicKey:
    domain = dsa.DSAParameterNumbers(*(int(row[name], 16) for name in "PQG"))
    native = dsa.DSAPublicNumbers(int(row["Y"], 16), domain).public_key()
    return PublicKey("dsa-1024", native.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def verdict(key: PublicKey, row: Row, width: int) -> bool:
    raw = b"".join(int(row[name], 16).to_bytes(width, "big") for name in "RS")
    try:
        return signature_valid(key, raw, bytes.fromhex(row["Msg"]))
    except BadInput:
        return False  # the key itself is no key


@pytest.mark.parametrize("edition", ["FIPS_186-3"])
def test_every_p256_verdict_is_nists(edition: str) -> None:
    given = list(rows(f"asymmetric/ECDSA/{edition}/SigVer.rsp", "P-256,SHA-256"))
    assert len(given) == 15
    assert {row["Result"][0] for row in given} == {"P", "F"}
    assert [row for row in given if verdict(p256_key(row), row, 32) != row["Result"].startswith("P")] == []


@pytest.mark.parametrize(
    ("edition", "section"), [("FIPS_186-3", "mod = L=1024, N=160, SHA-1"), ("FIPS_186-2", "mod = 1024")]
)
def test_every_dsa_1024_verdict_is_nists(edition: str, section: str) -> None:
    given = list(rows(f"asymmetric/DSA/{edition}/SigVer.rsp", section))
    assert len(given) == 15
    assert {row["Result"][0] for row in given} == {"P", "F"}
    assert [row for row in given if verdict(dsa_key(row), row, 20) != row["Result"].startswith("P")] == []


def test_every_p256_signature_of_nist_verifies_and_fails_for_another_message() -> None:
    given = list(_signed())
    assert len(given) == 15
    for row in given:
        assert verdict(p256_key(row), row, 32)
        assert not verdict(p256_key(row), row | {"Msg": row["Msg"] + "00"}, 32)


def test_every_p256_point_that_nist_refuses_is_no_key() -> None:
    given = list(rows("asymmetric/ECDSA/FIPS_186-3/PKV.rsp", "P-256"))
    assert len(given) == 12
    for row in given:
        try:
            p256_key(row).checked()
            accepted = True
        except (BadInput, ValueError):
            accepted = False
        assert accepted == row["Result"].startswith("P"), row


def _signed() -> Iterator[Row]:
    """Give the generated signatures of P-256 with SHA-256; their last line is S."""
    inside, row = False, Row()
    with cryptography_vectors.open_vector_file("asymmetric/ECDSA/FIPS_186-3/SigGen.txt", "r") as file:
        for line in map(str.strip, file):
            if line.startswith("["):
                inside, row = line == "[P-256,SHA-256]", Row()
            elif inside and " = " in line:
                key, _, value = line.partition(" = ")
                row[key] = value
                if key == "S":
                    yield dict(row)
