"""Certificates of hosts and stations end: both say so in time, and both are renewed before."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.psd.setting import DEVICE, START

from towncircle.kernel.errors import BadInput
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.randomness import SeededRandomness
from towncircle.pki.stations import ends
from towncircle.world.stations import ending, ending_own, enrol, found, gate, roles_enrolled

CHANCE = SeededRandomness(3, "certificates")
SOON = START.plus_months(12 * 5, zone="UTC").plus(days=-89)


@pytest.fixture
def host(tmp_path: Path) -> Path:
    found(tmp_path / "host", CHANCE, START)
    return tmp_path / "host"


def station(host: Path, name: str, at=START, **changes: object) -> tuple[Path, str]:  # type: ignore[no-untyped-def]
    out = host.parent / f"{name}-{at}"
    return out, enrol(host, name, out, devices=[DEVICE], randomness=CHANCE, now=at, **changes)  # type: ignore[arg-type]


def test_the_end_of_a_certificate_is_told_in_time_and_a_station_is_enrolled_anew_for_what_it_may_do(host: Path) -> None:
    out, old = station(host, "desk", role="watch")
    assert ending(host, START) == ending_own(out, START) == []
    assert [line.partition(" ends")[0] for line in ending(host, SOON)] == [
        "The certificate of the host",
        "The certificate of the station desk",
    ]
    assert "have the host's operator enrol it anew" in ending_own(out, SOON)[0]
    with pytest.raises(BadInput, match=r"world\.station-known"):
        station(host, "desk", SOON.plus(days=-1))
    again, new = station(host, "desk", SOON, again=True)
    assert roles_enrolled(host) == {"desk": "watch"}
    assert ending_own(again, SOON) == []
    passed = gate(host, lambda device, command: command)
    status = bytes.fromhex("a10002")
    with pytest.raises(Exception, match=r"world\.station-refused"):
        passed(old, DeviceId(DEVICE), status)
    assert new != old
    with pytest.raises(BadInput, match=r"world\.station-unknown"):
        station(host, "stranger", SOON, again=True)


def test_a_host_renews_its_own_certificate_as_far_as_its_authority_lasts(host: Path) -> None:
    first = (host / "own.pem").read_bytes()
    found(host, CHANCE, START.plus(days=900))
    assert (host / "own.pem").read_bytes() == first  # not before it is time
    found(host, CHANCE, SOON)
    second = (host / "own.pem").read_bytes()
    assert ends(second) > ends(first)
    assert ending(host, SOON) == []
    late = START.plus_months(12 * 19, zone="UTC")
    found(host, CHANCE, late)
    assert ends((host / "own.pem").read_bytes()) == ends((host / "authority.pem").read_bytes())
    assert "host's authority" in ending(host, late.plus(days=300))[0]
