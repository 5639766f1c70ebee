"""The parties as separate processes over HTTP on 127.0.0.1."""

import os
import signal
from urllib.parse import urlsplit

import pytest

from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.world.journeys import Applicant, Journeys
from towncircle.world.up import Servers, open_world, running
from towncircle.world.world import World

NOON = Instant.parse("2026-11-23T14:00Z")


@pytest.fixture
def folder(tmp_path):
    World.create(tmp_path / "w", regime="imi-2024", seed=1, start=NOON).close()
    return tmp_path / "w"


@pytest.fixture
def servers(folder):
    started = Servers.start(folder)
    yield started
    started.stop()


@pytest.fixture
def journeys(folder, servers):
    world = open_world(folder)
    yield Journeys(world)
    world.close()


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_each_party_listens_on_a_port_of_its_own_on_this_machine_only(servers):
    hosts = {urlsplit(address).hostname for address in servers.addresses.values()}
    ports = {urlsplit(address).port for address in servers.addresses.values()}
    assert hosts == {"127.0.0.1"}
    assert len(ports) == len(servers.addresses) == 4


def test_the_journey_to_postage_runs_over_http(journeys):
    journeys.apply(Applicant(), provider="provider.harbor")
    journeys.lease()
    journeys.deposit(Mills.dollars(300))
    statement = journeys.reset(Mills.dollars(200))
    assert statement.account_balance == Mills.dollars(100)
    assert journeys.status().registers.descending == Mills.dollars(200)


def test_a_party_that_is_gone_is_named_and_nothing_is_lost(folder, servers, journeys):
    journeys.apply(Applicant(), provider="provider.harbor")
    journeys.lease()
    journeys.deposit(Mills.dollars(300))
    os.kill(servers.pids()["provider.harbor"], signal.SIGKILL)
    with pytest.raises(Refused, match=r"transport\.unreachable"):
        journeys.reset(Mills.dollars(200))
    assert journeys.status().open_request
    journeys.world.close()
    servers.stop()
    again = Servers.start(folder)
    try:
        world = open_world(folder)
        resumed = Journeys(world)
        resumed.settle()
        status = resumed.status()
        assert (status.open_request, status.registers.descending) == ("", Mills.dollars(200))
        world.close()
    finally:
        again.stop()


def test_stopping_ends_every_process(folder, servers):
    pids = list(servers.pids().values())
    servers.stop()
    assert not any(is_alive(pid) for pid in pids)
    assert running(folder) is None


def test_a_world_that_is_up_is_not_started_twice(folder, servers):
    with pytest.raises(Refused, match=r"world\.in-use"):
        Servers.start(folder)
