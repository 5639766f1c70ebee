"""The verifying half of the key room: what a verifier or an auditor needs, and nothing that signs.

Here: public keys, signature checks, certificates, chains of them, revocation lists. Not here: private keys.
Kept: a check answers with numbered findings, never with a bare bool; the one exception, `signature_valid`, is the
primitive below the checks and gives the verdicts of the Wycheproof vectors exactly.
"""

from towncircle.pki.verifying.certificates import (
    AUTHORITY,
    BANK,
    DEVICE_INDICIA,
    DEVICE_MESSAGES,
    LICENSEE,
    POSTAL,
    PROVIDER,
    PURPOSES,
    ROOT,
    TEST_SERIAL_FIRST,
    Certificate,
    read_certificate,
)
from towncircle.pki.verifying.chains import ChainResult, check_chain
from towncircle.pki.verifying.findings import Finding
from towncircle.pki.verifying.lists import REASONS, Revocation, RevocationList, check_revocation_list
from towncircle.pki.verifying.signatures import (
    SCHEMES,
    PublicKey,
    SignatureResult,
    key_id_of,
    signature_length,
    signature_valid,
    verify,
)

__all__ = [
    "AUTHORITY",
    "BANK",
    "DEVICE_INDICIA",
    "DEVICE_MESSAGES",
    "LICENSEE",
    "POSTAL",
    "PROVIDER",
    "PURPOSES",
    "REASONS",
    "ROOT",
    "SCHEMES",
    "TEST_SERIAL_FIRST",
    "Certificate",
    "ChainResult",
    "Finding",
    "PublicKey",
    "Revocation",
    "RevocationList",
    "SignatureResult",
    "check_chain",
    "check_revocation_list",
    "key_id_of",
    "read_certificate",
    "signature_length",
    "signature_valid",
    "verify",
]
