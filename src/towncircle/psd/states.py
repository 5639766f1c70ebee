"""The states of the device and the moves between them, after h11's `_state.py`.

Here: the one table of (state, event, next state, clause), the events that a locked device refuses with its own error,
and the human words for a state. Not here: what a command does (`automaton`), and custody, which is the Provider's.

Theory of operation. A device is born `manufactured`, with the Provider and the root pinned in it. `initialise` makes
its keys, `certify` brings their certificates, `authorise` the signed parameters of one licensee. The first reset puts
it `in service`. When the contact deadline passes it becomes `locked`, and only a contact opens it again. `withdraw`
gives the balance back and ends its service; `zeroise` destroys the keys. A failed self-test or a broken law of the
registers makes it `faulted`: it signs nothing any more. Reading commands leave the state as it is.
"""

from __future__ import annotations

from towncircle.kernel.machine import Move, StateTable

MANUFACTURED, INITIALISED, AUTHORISED = "manufactured", "initialised", "authorised"
IN_SERVICE, LOCKED, FAULTED = "in service", "locked", "faulted"
WITHDRAWN, ZEROISED = "withdrawn", "zeroised"

LAPSE, FAULT = "lapse", "fault"  # events that time and self-tests bring, not commands

_READING = [Move(s, e, s, "502.8(b)") for s in (
    MANUFACTURED, INITIALISED, AUTHORISED, IN_SERVICE, LOCKED, FAULTED, WITHDRAWN, ZEROISED,
) for e in ("identify", "status", "selftest")]  # fmt: skip

DEVICE = StateTable(
    "the device",
    MANUFACTURED,
    [
        *_READING,
        Move(MANUFACTURED, "initialise", INITIALISED, "P050 3.1"),
        Move(MANUFACTURED, "zeroise", ZEROISED, "house"),
        Move(INITIALISED, "certify", INITIALISED, "502.28"),
        Move(INITIALISED, "authorise", AUTHORISED, "P050 3.1"),
        Move(INITIALISED, "audit", INITIALISED, "502.23"),
        Move(INITIALISED, "withdraw", WITHDRAWN, "502.20(e)"),
        Move(INITIALISED, "zeroise", ZEROISED, "house"),
        Move(AUTHORISED, "certify", AUTHORISED, "502.28"),
        Move(AUTHORISED, "authorise", AUTHORISED, "P050 3.1"),
        Move(AUTHORISED, "audit", AUTHORISED, "502.23"),
        Move(AUTHORISED, "contact", AUTHORISED, "P050 3.4"),
        Move(AUTHORISED, "request_reset", AUTHORISED, "502.25(a)"),
        Move(AUTHORISED, "refuse_reset", AUTHORISED, "502.25(a)"),
        Move(AUTHORISED, "apply_reset", IN_SERVICE, "502.25(a)"),
        Move(AUTHORISED, "withdraw", WITHDRAWN, "502.20(e)"),
        Move(AUTHORISED, "zeroise", ZEROISED, "house"),
        Move(IN_SERVICE, "evidence", IN_SERVICE, "502.8(b)"),
        Move(IN_SERVICE, "recover", IN_SERVICE, "P050 3.3"),
        Move(IN_SERVICE, "reprint", IN_SERVICE, "house"),
        Move(IN_SERVICE, "certify", IN_SERVICE, "502.28"),
        Move(IN_SERVICE, "audit", IN_SERVICE, "502.23"),
        Move(IN_SERVICE, "contact", IN_SERVICE, "P050 3.4"),
        Move(IN_SERVICE, "request_reset", IN_SERVICE, "502.25(a)"),
        Move(IN_SERVICE, "refuse_reset", IN_SERVICE, "502.25(a)"),
        Move(IN_SERVICE, "apply_reset", IN_SERVICE, "502.25(a)"),
        Move(IN_SERVICE, "withdraw", WITHDRAWN, "502.20(e)"),
        Move(IN_SERVICE, LAPSE, LOCKED, "IMI-01"),
        Move(LOCKED, "recover", LOCKED, "P050 3.3"),
        Move(LOCKED, "certify", LOCKED, "502.28"),
        Move(LOCKED, "audit", LOCKED, "502.23"),
        Move(LOCKED, "contact", IN_SERVICE, "IMI-01"),
        Move(LOCKED, "withdraw", WITHDRAWN, "502.20(e)"),
        Move(WITHDRAWN, "recover", WITHDRAWN, "P050 3.3"),
        Move(WITHDRAWN, "audit", WITHDRAWN, "502.23"),
        Move(WITHDRAWN, "zeroise", ZEROISED, "house"),
        Move(FAULTED, "zeroise", ZEROISED, "house"),
        *(Move(s, e, s, "IMI-03") for s in (AUTHORISED, IN_SERVICE, LOCKED) for e in ("update", "software")),
        *(Move(s, "rekey", s, "502.28") for s in (AUTHORISED, IN_SERVICE, LOCKED)),
        *(Move(s, "examine", s, "P050 2.6") for s in (INITIALISED, AUTHORISED, IN_SERVICE, LOCKED, WITHDRAWN)),
        *(Move(s, FAULT, FAULTED, "502.8(b)") for s in (MANUFACTURED, INITIALISED, AUTHORISED, IN_SERVICE, LOCKED)),
        *(Move(s, FAULT, FAULTED, "502.8(b)") for s in (FAULTED, WITHDRAWN)),
    ],
    happening=frozenset({LAPSE, FAULT}),
)

LOCKED_OUT = frozenset({"evidence", "reprint", "request_reset", "apply_reset", "refuse_reset"})
MONEY_COMMANDS = frozenset({"evidence", "request_reset", "apply_reset", "withdraw"})
WORDS = {
    MANUFACTURED: "The device is new and has no keys yet.",
    INITIALISED: "The device has its keys and waits for its certificates and its authorisation.",
    AUTHORISED: "The device is authorised and waits for its first reset.",
    IN_SERVICE: "The device is in service.",
    LOCKED: "The device is locked until it contacts the Provider.",
    FAULTED: "The device is faulted and signs nothing; return it to the Provider.",
    WITHDRAWN: "The device is withdrawn from service; its balance was given back.",
    ZEROISED: "The keys of the device are destroyed.",
}
