"""The single steps of the journeys A to C, through the command line, in one world."""

import json

import pytest

from towncircle.cli.main import main


class Shell:
    def __init__(self, capsys):
        self._capsys = capsys

    def __call__(self, *arguments, code=0):
        found = main([*map(str, arguments), "--json"])
        out = self._capsys.readouterr().out
        assert found == code, out
        return json.loads(out)


@pytest.fixture
def run(capsys):
    return Shell(capsys)


@pytest.fixture
def world(tmp_path, run):
    folder = tmp_path / "world"
    run("world", "new", folder, "--seed", 5)
    return folder


@pytest.fixture
def funded(world, run):
    run("license", world)
    run("lease", world)
    run("deposit", world, "300")
    run("reset", world, "200")
    return world


def test_a_licensee_goes_from_application_to_postage(world, run):
    assert run("license", world)["outcome"] == "issued"
    assert run("license", world)["outcome"] == "existing"
    lease = run("lease", world)
    assert run("lease", world) == lease
    assert run("deposit", world, "300")["held_mills"] == 300_000
    done = run("reset", world, "200")
    assert (done["descending_mills"], done["account_mills"]) == (200_000, 100_000)
    status = run("status", world)
    assert (status["state"], status["descending_mills"]) == ("in service", 200_000)


def test_a_printed_page_is_valid_then_scanned_then_a_duplicate(funded, run, tmp_path):
    out = tmp_path / "out"
    (job,) = run("print", funded, "--out", out, "--svg")["jobs"]
    assert job["pieces"] == 14
    assert len(list((out / "envelopes").glob("*.svg"))) == 14
    first = run("verify", out / "envelopes.pdf", "--world", funded)["results"]
    assert {row["verdict"] for row in first} == {"VALID"}
    assert all(row["specimen"] for row in first)
    again = run("verify", out / "envelopes.pdf", "--world", funded)["results"]
    assert again == first
    run("scan", out / "envelopes.pdf", "--world", funded, "--site", "Here")
    run("world", "advance", funded, "1h")
    copies = run("verify", out / "envelopes.pdf", "--world", funded, code=1)["results"]
    assert {row["verdict"] for row in copies} == {"DUPLICATE"}
    (bad,) = [finding for finding in copies[0]["findings"] if finding["ok"] is False]
    assert "Here" in bad["text"]
    picture = job["pictures"][0]
    assert run("verify", picture, "--world", funded, code=1)["results"][0]["fields"] == first[0]["fields"]


def test_every_result_has_the_promised_shape(funded, run, tmp_path):
    run("print", funded, "--out", tmp_path / "out")
    (result, *_) = run("verify", tmp_path / "out" / "envelopes.pdf", "--world", funded)["results"]
    assert set(result) == {"file", "page", "verdict", "disposition", "specimen", "findings", "fields"}
    assert all(set(finding) == {"code", "ok", "clause", "text"} for finding in result["findings"])
    decoded = run("decode", tmp_path / "out" / "envelopes.pdf")
    assert decoded["layout"] == "imi-std"
    assert decoded["fields"] == result["fields"]


def test_without_a_world_nothing_is_claimed(funded, run, tmp_path):
    run("print", funded, "--out", tmp_path / "out")
    (result, *_) = run("verify", tmp_path / "out" / "envelopes.pdf", code=1)["results"]
    assert result["verdict"] == "UNDECIDED"
    signature = [finding for finding in result["findings"] if finding["code"] == "signature.match"]
    assert [finding["ok"] for finding in signature] == [None]


def test_hex_and_bytes_are_verified_alike(funded, run, tmp_path):
    run("print", funded, "--out", tmp_path / "out")
    from towncircle.world.verifying import marks_of

    payload = next(marks_of(tmp_path / "out" / "envelopes.pdf")).payload
    (tmp_path / "mark.bin").write_bytes(payload)
    by_hex = run("verify", "--hex", payload.hex(" "), "--world", funded)["results"][0]
    by_file = run("verify", tmp_path / "mark.bin", "--world", funded)["results"][0]
    assert by_hex["verdict"] == by_file["verdict"] == "VALID"
    assert by_hex["findings"] == by_file["findings"]


def test_silence_locks_and_contact_opens(funded, run, tmp_path):
    run("world", "advance", funded, "72h")
    assert run("status", funded)["state"] == "in service"
    run("world", "advance", funded, "1s")
    assert run("status", funded)["state"] == "locked"
    refused = run("print", funded, "--out", tmp_path / "out", code=3)
    assert refused["error"]["code"] == "psd.locked"
    assert run("status", funded, "--contact")["state"] == "in service"
    run("print", funded, "--out", tmp_path / "out")


def test_a_reset_past_the_cap_cites_the_clause(funded, run):
    run("deposit", funded, "1000")
    error = run("reset", funded, "300.001", code=3)["error"]
    assert error["clause"] == "P050 3.6"
    assert run("reset", funded, "300")["descending_mills"] == 500_000


def test_a_reset_without_funds_is_refused_and_can_be_repeated_when_there_are(funded, run):
    assert run("reset", funded, "101", code=3)["error"]["code"] == "ledger.insufficient-funds"
    assert run("status", funded)["open_request"] == ""
    run("deposit", funded, "1")
    assert run("reset", funded, "101")["account_mills"] == 0


def test_export_and_audit_agree(funded, run, tmp_path):
    run("print", funded, "--out", tmp_path / "out")
    assert run("export", funded, tmp_path / "export")["quiet"] is True
    report = run("audit", tmp_path / "export")
    assert report["differences"] == []
    assert report["checked"]["devices"] == 1


def test_a_late_piece_is_held(funded, run, tmp_path):
    run("print", funded, "--out", tmp_path / "out")
    for step in ("15d", "16d"):
        run("world", "advance", funded, step)
    (result, *_) = run("verify", tmp_path / "out" / "envelopes.pdf", "--world", funded)["results"]
    assert (result["verdict"], result["disposition"]) == ("VALID", "hold")
    assert [finding["code"] for finding in result["findings"] if finding["ok"] is False] == ["date.stale"]
