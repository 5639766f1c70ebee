"""A device that signs that it is in a state which its custody forbids."""

from __future__ import annotations

import pytest
from tests.journeys.stories import HARBOR, MAILROOM
from tests.parties.hand import Hand, Puppet

from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.wire import bodies

PAIRS = (("leased", "initialised", 77), ("leased", "withdrawn", 78), ("returned", "initialised", 79))


def placed(hand: Hand, custody: str, serial: int) -> Puppet:
    puppet = Puppet(hand, HARBOR, MAILROOM, serial)
    with hand.world.store(HARBOR).transaction() as tx:
        row = tx.get("device", puppet.device)
        assert row is not None
        tx.put("device", puppet.device, {**row.body, "custody": custody}, owner=row.owner, expected=row.version)
    return puppet


def kept(hand: Hand, puppet: Puppet) -> tuple[Record, list[Record]]:
    with hand.world.store(HARBOR).reading() as view:
        row = view.get("device", puppet.device)
        assert row is not None
        return row, [case for case in view.find("case") if case.body["device"] == puppet.device]


def test_a_state_that_the_custody_forbids_freezes_the_device_and_opens_a_case(hand: Hand) -> None:
    for custody, state, serial in PAIRS:
        puppet = placed(hand, custody, serial)
        answer = puppet.say(puppet.audit(state=state), counter=1)
        row, cases = kept(hand, puppet)
        told = f"a device that is {custody} reports itself as {state}"
        assert isinstance(answer, bodies.RefusedReply), (custody, state)
        assert answer.code == "provider.frozen"
        assert str(row.body["frozen"]).startswith(told)
        assert row.body["custody"] == ("suspect" if custody == "leased" else custody)  # nobody has the other one to use
        assert (row.body["message_counter"], row.body["ascending"]) == (0, 0)  # nothing of it was taken
        (case,) = cases
        assert str(case.body["ground"]).startswith(told)
        refused = puppet.ask_reset("REQ-222222222222", Mills.dollars(1), counter=2)
        assert isinstance(refused, bodies.ResetRefusal)
        assert refused.code == "provider.frozen"


@pytest.mark.parametrize("state", ["in service", "locked"])
def test_a_state_that_the_custody_allows_is_read(hand: Hand, state: str) -> None:
    puppet = placed(hand, "leased", 77)
    puppet.say(puppet.audit(state=state), counter=1)
    row, cases = kept(hand, puppet)
    assert (row.body["frozen"], row.body["custody"], row.body["message_counter"], cases) == ("", "leased", 1, [])
