"""Who is chosen for a release: by name, by model, and by a share that only grows."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from towncircle.kernel.ids import DeviceId
from towncircle.kernel.store import Record
from towncircle.provider.software import chosen_for

DEVICES = [DeviceId.of(vendor="TC", model="1A", serial=serial) for serial in range(1, 401)]


def release(**changes: Any) -> Record:
    body = {"version": 7, "model": "TC1A", "percent": 0, "groups": [], "halted": "", **changes}
    return Record(kind="release", key="000007", owner="provider.harbor", version=1, body=body)


def device(name: str, owner: str = "licensee.mill") -> Record:
    return Record(kind="device", key=name, owner=owner, version=1, body={})


def chosen(**changes: Any) -> set[str]:
    return {name for name in DEVICES if chosen_for(release(**changes), device(name))}


def test_a_share_only_grows_and_ends_with_all() -> None:
    shares = [chosen(percent=percent) for percent in (0, 1, 10, 50, 99, 100)]
    assert all(less <= more for less, more in pairwise(shares))
    assert (shares[0], shares[-1]) == (set(), set(DEVICES))
    assert 0 < len(shares[1]) < len(shares[2]) < len(shares[3]) < len(shares[4]) < len(DEVICES)


@pytest.mark.parametrize(
    ("groups", "count"), [(["TC1A"], 400), ([DEVICES[0]], 1), (["licensee.mill"], 400), (["licensee.annex"], 0)]
)
def test_a_group_is_a_device_a_licensee_or_a_model(groups: list[str], count: int) -> None:
    assert len(chosen(groups=groups)) == count


@pytest.mark.parametrize("changes", [{"halted": "a slip"}, {"model": "TC1B"}])
def test_nobody_is_chosen_for_a_halted_release_or_another_model(changes: dict[str, str]) -> None:
    assert chosen(percent=100, groups=["licensee.mill"], **changes) == set()
