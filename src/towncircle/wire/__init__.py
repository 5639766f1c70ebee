"""The messages between the parties: typed, versioned, COSE_Sign1 over deterministic CBOR.

Here: `cbor` and `cose` (the two encodings), `message` (envelope, `seal`, `unseal`), `bodies` (every message type),
`directory` (whose key was good when), `inbox` (retries, replays and conflicts), `trustlist` and `page` (docs/wire.md).
Not here: handlers, transports.
Kept: nothing crosses between two parties but these messages; each refusal has a code of its own.
"""
