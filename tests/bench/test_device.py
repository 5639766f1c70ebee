"""The bench runs and tells its limits; how fast it is is nobody's test here."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.postgres import need_postgres
from tests.softhsm import need_softhsm

from towncircle.bench import Result, fleet, pkcs11, robustness
from towncircle.bench.debits import name_of
from towncircle.bench.device import evidence_command
from towncircle.cli import bench
from towncircle.kernel.errors import BadInput, Refused
from towncircle.psd.commands import is_error
from towncircle.psd.hosted.caches import DEFAULT_LIMIT
from towncircle.psd.postgres import PostgresMemory
from towncircle.psd.process import SystemClock


def parsed(*argv: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    bench.add(parser.add_subparsers())
    return parser.parse_args(["bench", *argv])


def test_each_rate_stands_beside_a_raw_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    need_postgres()
    need_softhsm()
    args = parsed("device", "--seconds", "0.01", "--population", "300", "--json")
    assert args.run(args) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in told["results"]] == [
        *("device.batch1000", "device.batch100", "device.single", "device.batch1000.two"),
        *("device.pkcs11", "device.pkcs11.batch1000"),
        *("fleet.hundred", "fleet.cold", "fleet.debits", "fleet.debits.parted", "fleet.memory"),
    ]
    for row in told["results"]:
        figures = {"name", "rate", "unit", "limit", "limit_rate", "ratio", "fdatasync_rate", "errors", "signing_rate"}
        assert set(row) == figures | {"busy_limit_rate", "busy_ratio"}
        assert (row["busy_ratio"] is not None) == (row["name"] in {"fleet.hundred", "fleet.cold"})
        assert min(row["rate"], row["fdatasync_rate"]) > 0
        assert "sign" in row["limit"] or row["signing_rate"] > 0
    assert [row["errors"] for row in told["results"] if "pkcs11" in row["name"]] == [0, 0]
    assert told["environment"]["fdatasync_per_second"] > 0
    args.json = False
    args.subjects = ["fleet"]
    assert args.run(args) == 0
    assert "fleet.cold" in capsys.readouterr().out


def test_the_measured_host_has_its_keys_as_a_served_one(databases: Callable[[], str], tmp_path: Path) -> None:
    store = PostgresMemory(dsn := databases(), create=True)
    fleet.populate(store, fleet.template(), 2, tmp_path / "keys")
    names = [name_of(0), name_of(1)]
    assert all(state.indicia_key.sealed.startswith(b"towncircle wrapped key") for state in store.load(names).values())
    store.close()
    pool = fleet.host(dsn, tmp_path / "keys")
    day = SystemClock().now().date_in("America/New_York").isoformat()
    asked = [(name, evidence_command("JOB", 1, day)) for name in names]
    assert not any(map(is_error, pool.exchange_many(asked)))
    pool.close()
    assert (tmp_path / "keys" / "database").exists()  # the host's folder is bound to it, as by serve-wan
    assert fleet.touch_all(dsn, tmp_path / "keys", 2, DEFAULT_LIMIT) > 0


def test_bad_scans_are_counted_by_condition_and_repeat_by_seed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(robustness, "CONDITIONS", robustness.CONDITIONS[:2])
    monkeypatch.setattr(robustness, "RESOLUTIONS", (200,))
    args = parsed("reading", "--count", "1", "--json")
    assert args.run(args) == 0
    cells = json.loads(capsys.readouterr().out)["results"]
    assert [(cell["read"], cell["misread"]) for cell in cells] == [(1, 0)] * 8
    args.json = False
    assert args.run(args) == 0
    assert "| clean | 1, " in capsys.readouterr().out
    args.count = 0
    with pytest.raises(BadInput, match=r"bench\.count"):
        args.run(args)


def test_a_ratio_is_the_rate_over_its_limit() -> None:
    assert Result.of("x", rate=3.0, unit="u", limit="l", limit_rate=4.0).as_dict()["ratio"] == 0.75


@pytest.mark.parametrize("argv", [("nothing",), ("device", "--seconds", "0"), ("device", "--seconds", "1e9")])
def test_what_cannot_be_measured_is_named(argv: tuple[str, ...]) -> None:
    args = parsed(*argv)
    with pytest.raises(BadInput, match=r"bench\."):
        args.run(args)


def test_without_softhsm2_its_rows_are_left_out_with_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    need_postgres()
    monkeypatch.setattr(pkcs11, "PLACES", ())
    args = parsed("device", "--seconds", "0.01", "--population", "300", "--json")
    assert args.run(args) == 0
    told = json.loads(capsys.readouterr().out)
    assert not [row for row in told["results"] if "pkcs11" in row["name"]]
    assert "SoftHSM2" in told["environment"]["softhsm2"]


def test_an_error_of_one_caller_is_counted_and_the_others_go_on() -> None:
    calls: list[str] = []

    def failing(name: str) -> None:
        calls.append(name)
        raise Refused("psd.token-failed", library="x", what="a test")

    rate, errors = pkcs11.together([lambda _name: time.sleep(0.001), failing], 0.05, "T")
    assert errors == len(calls) == len(set(calls)) > 0
    assert rate > 0
