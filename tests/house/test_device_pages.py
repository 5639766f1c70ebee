"""The device's own pages are as the code would write them, and say everything the code has."""

import pytest
from tools import policy

from towncircle.psd import keys, selftest, services, states


@pytest.mark.parametrize("name", policy.PAGES)
def test_a_page_of_the_device_is_as_the_code_would_write_it(name: str) -> None:
    assert name not in policy.stale(), "write it: python tools/policy.py"


def test_the_policy_names_every_role_service_key_and_test_and_claims_nothing() -> None:
    page = policy.policy_page()
    assert all(role in page for role in services.ROLES)
    assert all(f"| `{name}` |" in page for name in services.SERVICES)
    assert all(key.name in page for key in keys.LIVES)
    assert set(selftest.WHAT) == set(selftest.TESTS)
    assert all(f"| {name} |" in page for name in selftest.TESTS)
    assert "claims\nnothing" in page
    assert "None is claimed" in page
    assert "certificates under FIPS 140-2 went to the historical list in 2026" in " ".join(page.split())


def test_the_page_of_states_has_every_state_and_every_move() -> None:
    page = policy.states_page()
    assert all(f"| {state} |" in page for state in states.DEVICE.states)
    for move in states.DEVICE.moves:
        if move.state != move.to:
            assert f"| {move.state} | {move.event} | {move.to} | {move.clause} |" in page
