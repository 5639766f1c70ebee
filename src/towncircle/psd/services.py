"""Roles and services: who may call what of the device, and in which state.

Here: the four roles, how each proves itself, and the one table of services; `check` enforces it before anything else of
a command is looked at. Not here: states and moves (`states`), what a service does (`automaton` and its leaves).
Kept: a role comes from a proof, never from a word of the caller. The Provider's crypto officer is who holds the
Provider's pinned key; the Postal Service's examiner brings a certificate up to the pinned root; the licensee's user is
whoever the port has let in (the operating system for a pipe, mutual authentication for a network host); everybody else
is unauthenticated and learns identity, status and self-tests. Anybody may carry a sealed order: its seal counts.
Which states a service is possible in is told by the state table alone, so the two cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.psd import states

OFFICER = "Provider crypto officer"
USER = "licensee user"
EXAMINER = "Postal Service examiner"
ANYONE = "unauthenticated"
ROLES: Mapping[str, str] = MappingProxyType(
    {
        OFFICER: "seals its orders with the Provider's key, which was pinned at the factory",
        USER: "was let in by the port: the operating system for a pipe, mutual authentication for a network host",
        EXAMINER: "seals its order with a Postal Service key certified up to the root pinned at the factory",
        ANYONE: "proves nothing",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Hold one service: its event in the state table, who may call it, whether by seal, and what it does with keys."""

    event: str
    roles: tuple[str, ...]
    sealed: bool
    keys: str
    what: str


_ALL = (OFFICER, USER, EXAMINER, ANYONE)
_TABLE = (
    Service(event="identify", roles=_ALL, sealed=False, keys="tells public keys", what="say who the device is"),
    Service(event="status", roles=_ALL, sealed=False, keys="none", what="tell state, registers and what is due"),
    Service(event="selftest", roles=_ALL, sealed=False, keys="none of its own", what="run the self-tests again"),
    Service(event="initialise", roles=(OFFICER,), sealed=True, keys="makes both", what="make the keys"),
    Service(
        event="certify", roles=(OFFICER,), sealed=True, keys="may change the indicia key", what="take certificates"
    ),
    Service(
        event="authorise", roles=(OFFICER,), sealed=True, keys="signs a report", what="take a licensee's parameters"
    ),
    Service(event="contact", roles=(OFFICER,), sealed=True, keys="signs a report", what="renew the contact term"),
    Service(event="apply_reset", roles=(OFFICER,), sealed=True, keys="signs a receipt", what="credit a reset"),
    Service(event="refuse_reset", roles=(OFFICER,), sealed=True, keys="signs a report", what="end a refused reset"),
    Service(
        event="withdraw", roles=(OFFICER,), sealed=True, keys="signs the last reading", what="give the balance back"
    ),
    Service(event="examine", roles=(EXAMINER,), sealed=True, keys="signs a report", what="report all, change nothing"),
    Service(event="audit", roles=(USER, OFFICER), sealed=False, keys="signs an audit", what="make the audit message"),
    Service(event="request_reset", roles=(USER,), sealed=False, keys="signs a request", what="ask for postage value"),
    Service(event="evidence", roles=(USER,), sealed=False, keys="signs indicia", what="evidence postage"),
    Service(event="recover", roles=(USER,), sealed=False, keys="none", what="give an earlier answer again"),
    Service(event="reprint", roles=(USER,), sealed=False, keys="none", what="count a reprint and give it"),
    Service(event="rekey", roles=(USER, OFFICER), sealed=False, keys="makes the next one", what="begin a key rollover"),
    Service(event="update", roles=(OFFICER,), sealed=True, keys="signs a report", what="take an approved build"),
    Service(event="software", roles=(USER, OFFICER), sealed=False, keys="signs a report", what="tell what it runs"),
    Service(event="zeroise", roles=(USER, OFFICER), sealed=False, keys="destroys all", what="destroy the keys"),
)
SERVICES: Mapping[str, Service] = MappingProxyType({service.event: service for service in _TABLE})


@cites("502.8b")
def check(role: str, event: str) -> None:
    """Check that a role may call a service at all. Raises `Refused` (psd.role-refused), naming the roles that may."""
    allowed = SERVICES[event].roles
    if role not in allowed:
        raise Refused("psd.role-refused", service=event, role=role, roles=" or ".join(allowed))


def legal(role: str, state: str) -> tuple[str, ...]:
    """Name the services that a role may call in a state."""
    return tuple(event for event in states.DEVICE.legal(state) if event in SERVICES and role in SERVICES[event].roles)


def role_at_port(role: str, event: str) -> str:
    """Give the role that counts for a service: a seal proves its own, all others are the port's."""
    service = SERVICES[event]
    return service.roles[0] if service.sealed else role
