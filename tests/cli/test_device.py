"""Each network category starts with one command, and an enrolled station reaches it with another."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.psd.setting import DEVICE, SECRET, START

from towncircle.bench.workshop import Workshop
from towncircle.cli.main import main
from towncircle.psd.device import manufacture
from towncircle.psd.postgres import PostgresMemory
from towncircle.psd.process import create


@contextmanager
def served(*words: str) -> Iterator[str]:
    with started(*words) as (_, address):
        yield address


@contextmanager
def started(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    line = [sys.executable, "-m", "towncircle", "device", *words, "--json"]
    child = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        told = ""
        while not told.endswith("}\n"):
            told += child.stdout.readline()
        assert json.loads(told).get("standby", "none") == "none"
        yield child, json.loads(told)["address"]
    finally:
        child.terminate()
        child.communicate()


def enrolled(tmp_path: Path) -> list[str]:
    stations, out = str(tmp_path / "stations"), str(tmp_path / "desk")
    assert main(["device", "enrol", stations, "desk", out, "--device", DEVICE, "--json"]) == 0
    return [stations, out]


def ask(out: str, address: str, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    capsys.readouterr()
    assert main(["device", "status", out, address, DEVICE, "--json"]) == 0
    told: dict[str, object] = json.loads(capsys.readouterr().out)
    return told


def test_a_lan_device_is_served_and_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    create(tmp_path / "device", **Workshop(START).birth(DEVICE), secret=SECRET)
    stations, out = enrolled(tmp_path)
    with served("serve-lan", str(tmp_path / "device"), "--stations", stations) as address:
        assert ask(out, address, capsys)["state"] == "manufactured"
        assert main(["device", "strike", stations, "desk"]) == 0
        assert main(["device", "status", out, address, DEVICE]) == 3


def test_hosted_devices_are_served_and_asked(
    tmp_path: Path, databases: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    dsn = databases()
    store = PostgresMemory(dsn, create=True)
    manufacture(store, **Workshop(START).birth(DEVICE))
    store.close()
    (tmp_path / "secret").write_bytes(SECRET)
    stations, out = enrolled(tmp_path)
    with started("serve-wan", dsn, "--secret", str(tmp_path / "secret"), "--stations", stations) as (child, address):
        limits = (Path("/proc") / str(child.pid) / "limits").read_text()  # it has the operator's secret in its memory
        assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)
        told = ask(out, address, capsys)
        assert (told["device"], told["state"], told["pieces"]) == (DEVICE, "manufactured", 0)
        assert told["sentence"] == "The device is new and has no keys yet."
    line = ["device", "serve-wan", dsn, "--secret", str(tmp_path / "secret"), "--stations", stations]
    (tmp_path / "dsn").write_text(dsn)
    assert main([*line, "--dsn-from", str(tmp_path / "dsn")]) == 2  # one of both
    assert main([*line[:2], *line[3:]]) == 2
    assert capsys.readouterr().err.count("name one database") == 2
    assert main([*line, "--require-standby"]) == 3
    assert "psd.no-standby" in capsys.readouterr().err
    assert main([*line, "--parts", "4"]) == 3
    assert "4 parts were asked for, and PostgreSQL" in capsys.readouterr().err


def test_an_address_that_is_none_is_named(tmp_path, capsys):
    from towncircle.cli.main import main

    assert main(["device", "status", str(tmp_path), "nonsense", "TC1A0000000001"]) == 2
    assert "cli.no-address" in capsys.readouterr().err


RESEALING = """
import resource
from towncircle.cli.main import main
resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
assert main(["device", "reseal"]) == 2
print(resource.getrlimit(resource.RLIMIT_CORE))
"""


def test_a_crash_while_keys_are_sealed_anew_leaves_none_in_a_file() -> None:
    told = subprocess.run([sys.executable, "-c", RESEALING], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[-1] == "(0, 0)"
