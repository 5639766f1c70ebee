"""Keys, certificates, authority, revocation and status lists.

Here: `verifying` (everything a verifier or auditor needs; it never signs), `keys` (the signing verb and the software
key), `keyfile` (keys at rest), `randomness` (the operating system's source), `domain` (the 1998 DSA domain) and
`authority` (the Postal Service's root and issuing authority). Not here: registers, messages, who may ask for what.
Kept: import the module you need; nothing that verifies drags in anything that signs.
"""
