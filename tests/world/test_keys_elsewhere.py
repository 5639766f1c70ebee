"""A world whose devices keep their keys under a passphrase or in a token, made by commands without a secret in them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from tests.softhsm import need_softhsm

from towncircle.cli.main import main
from towncircle.kernel.cites import cites


def _lease(place: str) -> Path:
    assert main(["license", place]) == 0
    assert main(["lease", place]) == 0
    (folder,) = (Path(place) / "devices").iterdir()
    return folder


@cites("502.8b")
def test_a_world_keeps_keys_under_a_passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = str(tmp_path / "w")
    monkeypatch.setenv("TC_WORDS", "correct horse battery")
    new = ["world", "new", place, "--keys", "passphrase"]
    assert main(new) == 2
    assert main([*new, "--passphrase-from", "env:TC_WORDS"]) == 0
    folder = _lease(place)
    assert not (folder / "operator.secret").exists()
    assert json.loads((folder / "operator.argon2id").read_text())["kdf"] == "argon2id"
    assert main(["status", place, "--contact"]) == 0
    assert main(["device", "selftest", place]) == 0
    assert b"correct horse" not in b"".join(path.read_bytes() for path in Path(place).rglob("*") if path.is_file())
    monkeypatch.setenv("TC_WORDS", "incorrect horse battery")
    assert main(["status", place, "--contact"]) == 3
    monkeypatch.delenv("TC_WORDS")
    assert main(["status", place, "--contact"]) == 3


@cites("502.8b")
def test_a_world_keeps_keys_in_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library, tokens = need_softhsm(), tmp_path / "tokens"
    tokens.mkdir()
    (conf := tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(conf))
    made = ["softhsm2-util", "--init-token", "--free", "--label", "fleet", "--pin", "1234", "--so-pin", "5678"]
    subprocess.run(made, check=True, capture_output=True, env=dict(os.environ))
    (pin := tmp_path / "pin").write_text("1234\n")
    place = str(tmp_path / "w")
    told = ["--token", str(library), "--token-label", "fleet", "--pin-from", str(pin)]
    assert main(["world", "new", place, "--keys", "pkcs11", *told]) == 0
    folder = _lease(place)
    assert not (folder / "operator.secret").exists()
    assert len([path for path in tokens.rglob("*.object") if path.name != "token.object"]) == 4  # two pairs
    assert main(["deposit", place, "50"]) == 0
    assert main(["reset", place, "20"]) == 0
