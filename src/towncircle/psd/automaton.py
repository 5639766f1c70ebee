"""The automaton: `decide(state, command, now)`, pure.

Here: the order in which a command is checked, the table look-up, and the law that holds after every command. The
leaves `life`, `contact`, `resetting`, `evidencing` and `reporting` hold what each command does. Not here: signing,
storing, clocks, keys (`device`).

Theory of operation. `decide` never signs: it gives back what has to be signed, built from the device's own registers,
as a message body or as packed contents. The shell (`device`) signs, stores state, record and answer in one commit, and
only then lets a byte out. So the automaton stays free of keys, and a test can walk every state and command without one.

Order of the checks: 1. the state table (a locked or faulted device answers with its own error), and the build that
runs; 2. the clock, for commands that move money, unless the Provider's own word says that the mark is wrong; 3. the
command's own leaf; 4. the law of the registers over what came out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.psd import commands, contact, evidencing, examining, life, reporting, resetting, software, states
from towncircle.psd.outcome import Order, Outcome
from towncircle.psd.registers import check_move
from towncircle.psd.state import DeviceState

LEAVES: Mapping[str, Callable[[DeviceState, Any, Instant], Outcome]] = MappingProxyType(
    {
        "identify": reporting.identify,
        "status": reporting.status,
        "initialise": life.initialise,
        "certify": life.certify,
        "authorise": life.authorise,
        "withdraw": life.withdraw,
        "zeroise": life.zeroise,
        "rekey": life.rekey,
        "examine": examining.examine,
        "update": software.update,
        "software": software.report,
        "audit": contact.audit,
        "contact": contact.renew,
        "request_reset": resetting.request,
        "apply_reset": resetting.apply,
        "refuse_reset": resetting.close_refused,
        "evidence": evidencing.evidence,
        "recover": evidencing.recover,
        "reprint": evidencing.reprint,
    }
)


@cites("502.8b", "P050-3.6", "IMI-01")
def decide(state: DeviceState, command: commands.Command | Order, now: Instant) -> Outcome:
    """Decide one command. Raises `Refused` or `BadInput`, and then nothing was changed.

    `now` is the device's clock, read once; `observe` must have been asked first, so that a passed deadline counts.
    """
    event = event_of(command)
    after = _next_state(state, event)  # 1
    software.check_build(state, event)
    if event in states.MONEY_COMMANDS and now < state.high_water and not _ordered_out(state, command):  # 2
        raise Refused("psd.clock-back", now=now, high_water=state.high_water)
    outcome = LEAVES[event](state, command, now)  # 3
    if outcome.state is state:
        return outcome
    moved = outcome.state if outcome.state.state == after else _moved(outcome.state, after, now)
    moved = moved.amended(counter=state.counter + 1, high_water=_high_water(outcome.state, event, now))
    moved.check()  # 4
    check_move(state.registers, moved.registers)
    return outcome.amended(state=moved)


def event_of(command: commands.Command | Order) -> str:
    """Name the event of the state table that a command is."""
    return command.event if isinstance(command, Order) else commands.NAMES[type(command)]


def observe(state: DeviceState, now: Instant) -> DeviceState:
    """Give the state as time has made it: in service past the contact deadline is locked, where it locks."""
    if state.state != states.IN_SERVICE or not contact.lapsed(state, now):
        return state
    move = states.DEVICE.move(state.state, states.LAPSE)
    locked = replace(state, state=move.to, reason=contact.lapse_reason(state), since=state.contact_due)
    return replace(locked, counter=state.counter + 1, high_water=max(state.high_water, now))


def faulted(state: DeviceState, reason: str, now: Instant) -> DeviceState:
    """Give the state after a failed self-test or a broken law: registers as they are, nothing is signed any more."""
    move = states.DEVICE.move(state.state, states.FAULT)
    return replace(state, state=move.to, reason=reason[:400], since=now, counter=state.counter + 1)


@cites("P050-2.5f/2", "P050-2.7/4")
def _next_state(state: DeviceState, event: str) -> str:
    if event not in states.DEVICE.legal(state.state):
        if state.state == states.LOCKED and event in states.LOCKED_OUT:
            raise Refused(
                "psd.locked",
                device=state.device,
                reason=state.reason,
                since=state.since,
                clause=contact.lapse_clause(state),
                legal=states.DEVICE.offered(state.state),
            )
        if state.state == states.FAULTED:
            legal = states.DEVICE.offered(state.state)
            raise Refused("psd.faulted", device=state.device, reason=state.reason, since=state.since, legal=legal)
    return states.DEVICE.move(state.state, event).to


def _moved(state: DeviceState, to: str, now: Instant) -> DeviceState:
    return replace(state, state=to, reason="", since=now)


def _ordered_out(state: DeviceState, command: commands.Command | Order) -> bool:
    """Tell whether a device is to give its balance back and its mark had run ahead of the order's signed time.

    It gets no renewal any more, which would lower the mark.
    """
    if not (isinstance(command, Order) and command.event == "withdraw"):
        return False
    return contact.ran_ahead(state, command.envelope.issued)


def _high_water(state: DeviceState, event: str, now: Instant) -> Instant:
    """A signed time of the Provider may lower the mark (`contact.mark`); everything else only raises it."""
    return state.high_water if event in ("contact", "withdraw") else max(state.high_water, now)
