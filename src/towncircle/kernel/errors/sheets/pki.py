"""Error codes of the key room."""

from towncircle.kernel.errors import Row

ROWS = {
    "pki.unknown-scheme": Row(
        kind="input",
        sentence="'{scheme}' is not a signature scheme.",
        clause="502.8(b)",
        next_step="Use ecdsa-p256 or, for specimens of 1998, dsa-1024.",
    ),
    "pki.bad-public-key": Row(
        kind="input",
        sentence="This is not a public key of the scheme {scheme}: {why}.",
        clause="502.8(b)",
        next_step="Ask the owner of the key for it again.",
    ),
    "pki.bad-private-key": Row(
        kind="input",
        sentence="This is not a private key of a scheme known here.",
        clause="502.8(b)",
        next_step="Use a P-256 key or, for specimens of 1998, a 1024-bit DSA key.",
    ),
    "pki.bad-domain": Row(
        kind="input",
        sentence="These are not DSA parameters of the 1998 form: {why}.",
        clause="502.8(b)",
        next_step="Leave the domain empty to use the house domain.",
    ),
    "pki.bad-secret": Row(
        kind="input",
        sentence="The secret for key files has {length} bytes instead of 32.",
        clause="house",
        next_step="Give 32 random bytes, for example from 'openssl rand 32'; one that is in use is put back as it was. "
        "A device whose keys are lost for good is given back: towncircle withdraw DIR --failed",
    ),
    "pki.bad-key-file": Row(
        kind="input",
        sentence="This is not a key file, or it is damaged.",
        clause="house",
        next_step="Restore the key file from its copy.",
    ),
    "pki.key-file-locked": Row(
        kind="refused",
        sentence="The key file cannot be opened with this secret.",
        clause="house",
        next_step="Give the secret the key was stored under; if that is it, the file was changed: restore its copy. "
        "A device whose keys are lost for good is given back: towncircle withdraw DIR --failed",
    ),
    "pki.unreadable-certificate": Row(
        kind="input",
        sentence="The certificate cannot be used ({why}).",
        clause="502.28",
        next_step="Ask the Postal Service for the certificate again.",
    ),
    "pki.not-a-party": Row(
        kind="input",
        sentence="'{subject}' is not a party that gets a certificate.",
        clause="502.28",
        next_step="Name a postal, provider, licensee or bank party; a device gets its certificates as a device.",
    ),
    "pki.not-the-issuer": Row(
        kind="refused",
        sentence="{issuer} may not issue this: it needs a certificate for '{needed}'.",
        clause="502.28",
        next_step="A root certifies authorities; the issuing authority certifies parties and devices.",
    ),
    "pki.wrong-scheme": Row(
        kind="input",
        sentence="A certificate for '{purpose}' cannot be issued on a {scheme} key.",
        clause="502.28",
        next_step="Use ecdsa-p256; only the indicia of 1998 devices are signed with DSA.",
    ),
    "pki.cannot-issue": Row(
        kind="input",
        sentence="A {scheme} key cannot sign certificates.",
        clause="502.28",
        next_step="Use an ecdsa-p256 key for the authority.",
    ),
    "pki.serials-used-up": Row(
        kind="refused",
        sentence="{serial} is outside this root's range of certificate serials.",
        clause="502.28",
        next_step="Production counts below 0x80000000, the test root from there on: found a new issuing authority.",
    ),
    "pki.passphrase-short": Row(
        kind="input",
        sentence="The passphrase has fewer than {shortest} characters.",
        clause="house",
        next_step="Use a longer one: it is all that stands between a copied store and its keys.",
    ),
    "pki.bad-passphrase-file": Row(
        kind="input",
        sentence="The passphrase parameters in {path} cannot be used.",
        clause="house",
        next_step="Put the file back that was made with the store: without its salt no passphrase opens the keys. "
        "A device whose keys are lost for good is given back: towncircle withdraw DIR --failed",
    ),
}
