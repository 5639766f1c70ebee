"""The single steps of the journeys A to C, through the command line, in one world."""

import json
import shutil

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


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Make one world with a funded device, to be copied."""
    folder = tmp_path_factory.mktemp("commands") / "world"
    steps = [["world", "new", folder, "--seed", 5], ["license", folder], ["lease", folder]]
    for step in [*steps, ["deposit", folder, "300"], ["reset", folder, "200"]]:
        assert main([*map(str, step), "--json"]) == 0
    return folder


@pytest.fixture
def world(tmp_path, run):
    folder = tmp_path / "world"
    run("world", "new", folder, "--seed", 5)
    return folder


@pytest.fixture
def funded(template, tmp_path, capsys):
    capsys.readouterr()  # what making the template said
    return shutil.copytree(template, tmp_path / "world")


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


def test_a_page_that_is_paid_for_is_never_printed_over(funded, run, tmp_path):
    run("print", funded, "--out", tmp_path / "out")
    before = (tmp_path / "out" / "envelopes.pdf").read_bytes()
    assert run("print", funded, "--out", tmp_path / "out", code=3)["error"]["code"] == "mailroom.out-taken"
    assert (tmp_path / "out" / "envelopes.pdf").read_bytes() == before
    assert run("status", funded)["pieces"] == 14


def test_an_open_job_is_named_and_finished_before_another_is_begun(funded, run, tmp_path):
    from towncircle.mailpiece.address_files import public_addresses
    from towncircle.world.journeys import Journeys
    from towncircle.world.up import open_world

    world = open_world(funded)
    job = Journeys(world).plan(public_addresses()[:2])
    Journeys(world).evidence(job)
    world.close()
    assert run("status", funded)["open_jobs"] == [job]
    assert run("print", funded, "--out", tmp_path / "out", code=3)["error"]["code"] == "mailroom.job-open"
    (done,) = run("print", funded, "--out", tmp_path / "out", "--resume")["jobs"]
    assert (done["job"], done["pieces"]) == (job, 2)
    status = run("status", funded)
    assert (status["open_jobs"], status["pieces"]) == ([], 2)


def test_a_device_without_postage_says_what_to_do(world, run, tmp_path):
    run("license", world)
    run("lease", world)
    error = run("print", world, "--out", tmp_path / "out", code=3)["error"]
    assert error["code"] == "mailroom.no-postage-set"
    assert not (tmp_path / "out" / "envelopes.pdf").exists()


def test_a_damaged_pack_is_named(funded, run):
    (funded / "published" / "pack.cose").write_bytes(b"\x00" * 40)
    error = run("verify", "--hex", "a2", "--world", funded, code=3)["error"]
    assert error["code"] == "world.damaged"
    assert "pack.cose" in error["sentence"]


def test_a_dump_cut_in_a_byte_gives_its_whole_bytes(run):
    cut = run("decode", "--hex", "50 01 dc 7")
    assert cut["fields"] == {"version": 0x50, "algorithm": 1}
    assert "certificate_serial" in cut["missing"]


def test_a_deposit_is_in_whole_cents(funded, run):
    assert run("deposit", funded, "1.001", code=3)["error"]["code"] == "bank.not-whole-cents"
    assert run("deposit", funded, "1.01")["held_mills"] == 301_010


def test_ctrl_c_is_for_the_command_and_not_for_its_device(funded, tmp_path):
    import os
    import signal
    import subprocess
    import sys
    import time

    line = [sys.executable, "-m", "towncircle", "print", str(funded), "--out", str(tmp_path / "out")]
    child = subprocess.Popen(line, stderr=subprocess.PIPE, text=True, process_group=0)
    until = time.monotonic() + 30
    while not (tmp_path / "out").exists() and time.monotonic() < until:
        time.sleep(0.01)
    os.killpg(child.pid, signal.SIGINT)
    told = child.communicate()[1]
    assert "Traceback" not in told
    assert child.returncode in (0, 130)


def test_dates_and_postage_are_corrected_pieces_reprinted_and_the_piece_is_judged_whole(funded, run, tmp_path):
    (first,) = run("print", funded, "--out", tmp_path / "mail")["jobs"]
    run("world", "advance", funded, "1d")
    name = first["job"]
    (redated,) = run("print", funded, "--redate", "last", "--pieces", "1", "--out", tmp_path / "redo")["jobs"]
    assert (redated["form"], redated["total_mills"], redated["pieces"]) == ("redate", 0, 1)
    heavy = ("--pieces", "1", "--weight", "2oz")
    (more,) = run("print", funded, "--correct", name, *heavy, "--out", tmp_path / "more")["jobs"]
    assert (more["form"], more["total_mills"]) == ("correction", 290)
    refusal = run("print", funded, "--correct", name, *heavy, "--out", tmp_path / "no", code=3)["error"]
    assert [ground["code"] for ground in refusal["grounds"]] == ["mailroom.not-shortpaid"]
    (again,) = run("print", funded, "--reprint", "last", "--pieces", "1", "--out", tmp_path / "again")["jobs"]
    assert again["job"] == name
    assert (again["form"], again["total_mills"], again["device_reprints"]) == ("reprint", 0, 1)
    assert run("status", funded)["reprints"] == 1
    assert "mailroom.out-taken" in str(
        run("print", funded, "--reprint", name, "--pieces", "1", "--out", tmp_path / "again", code=3)
    )
    front, back = tmp_path / "mail/envelopes/000001.png", tmp_path / "more/corrections/000001.png"
    sides = (front, back, tmp_path / "redo/redates/000001.png", "--piece", "--due", "1.07", "--redate", "2026-11-24")
    seen = run("verify", *sides, "--world", funded)
    assert (seen["piece"]["verdict"], seen["piece"]["paid_mills"], len(seen["results"])) == ("VALID", 1070, 2)
    assert run("verify", front, "--due", "1.07", "--world", funded)["results"][0]["disposition"] == "hold"
    alone = run("scan", front, "--due", "1.07", "--world", funded)["results"][0]
    assert (alone["verdict"], alone["disposition"]) == ("VALID", "hold")
    taken = run("scan", *sides, "--world", funded)["piece"]
    assert (taken["verdict"], taken["disposition"]) == ("VALID", "accept with notes")
    assert run("scan", *sides, "--world", funded, code=1)["piece"]["verdict"] == "DUPLICATE"
    assert run("verify", *sides, code=1)["piece"]["verdict"] == "UNDECIDED"
    run("export", funded, tmp_path / "export")
    assert run("audit", tmp_path / "export")["differences"] == []


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--weight", "2oz"), "cli.argument-astray"),
        (("--pieces", "1"), "cli.argument-astray"),
        (("--redate", "JOB-222222222222", "--due", "1"), "cli.argument-astray"),
        (("--reprint", "JOB-222222222222", "--on", "2026-11-24"), "cli.argument-astray"),
        (("--correct", "JOB-222222222222", "--due", "1", "--weight", "1oz"), "cli.argument-astray"),
        (("--correct", "JOB-222222222222", "--shape", "tube"), "rates.unknown-shape"),
        (("--correct", "JOB-222222222222", "--due", "one"), "money.unreadable"),
        (("--correct", "JOB-222222222222", "--due=-1"), "mailroom.amount-zero"),
        (("--correct", "JOB-222222222222", "--weight", "-1oz"), "cli.usage"),
        (("--redate", "JOB-222222222222", "--pieces", "1;2"), "cli.pieces-unreadable"),
        (("--redate", "JOB-222222222222", "--pieces", ""), "cli.pieces-unreadable"),
        (("--redate", "JOB-222222222222", "--pieces", "\u0661"), "cli.pieces-unreadable"),
        (("--redate", "job"), "id.unreadable"),
        (("--redate", "JOB-222222222222", "--reprint", "JOB-222222222222"), "cli.usage"),
        (("--redate", "JOB-222222222222", "--on", "tomorrow"), "time.unreadable"),
        # a variable of a shell that was never set
        (("--redate", ""), "id.unreadable"),
        (("--correct", ""), "id.unreadable"),
        (("--reprint", ""), "id.unreadable"),
        (("--correct", "", "--due", "1"), "id.unreadable"),
        (("--redate", "", "--pieces", "1"), "id.unreadable"),
        (("--on", ""), "time.unreadable"),
        (("--redate", "last", "--on", ""), "time.unreadable"),
        (("--reprint", "last", "--on", ""), "time.unreadable"),
        (("--due", ""), "cli.argument-astray"),
        (("--reason", ""), "cli.argument-astray"),
        (("--redate", "last", "--amount", ""), "cli.argument-astray"),
        (("--correct", "last", "--due", ""), "money.unreadable"),
        (("--correct", "last", "--amount", ""), "money.unreadable"),
        (("--correct", "last", "--weight", ""), "weight.unreadable"),
        (("--correct", "last", "--shape", ""), "rates.unknown-shape"),
        (("--correct", "last", "--due", "", "--weight", "2oz"), "cli.argument-astray"),
        (("--correct", "last", "--due", "1", "--weight", ""), "cli.argument-astray"),
        (("--redate", "", "--reprint", ""), "cli.usage"),
        (("--redate", "", "--resume"), "cli.usage"),
    ],
)
def test_a_correction_that_is_asked_for_wrongly_is_named(funded, run, tmp_path, arguments, error):
    before = run("status", funded)["descending_mills"]
    assert run("print", funded, *arguments, "--out", tmp_path / "out", code=2)["error"]["code"] == error
    assert run("status", funded)["descending_mills"] == before


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--redate", "soon"), "time.unreadable"),
        (("--due", "0"), "mailroom.amount-zero"),
        (("--due", "x"), "money.unreadable"),
        (("--due", ""), "money.unreadable"),
        (("--redate", ""), "time.unreadable"),
        (("--at", ""), "time.unreadable"),
        (("--due", "", "--piece"), "money.unreadable"),
    ],
)
@pytest.mark.parametrize("command", ["verify", "scan"])
def test_an_observation_that_cannot_be_is_named(funded, run, command, arguments, error):
    line = (command, "--hex", "00", "--world", funded, *arguments)
    assert run(*line, code=2)["error"]["code"] == error


def test_a_device_is_examined_and_a_copy_of_it_is_a_case_until_two_persons_release_it(funded, run, tmp_path):
    (device,) = [item.name for item in (funded / "devices").iterdir()]
    shutil.copytree(funded / "devices" / device, tmp_path / "old")
    run("print", funded, "--out", tmp_path / "out")
    run("status", funded, "--contact")
    done = run("examine", funded, device)
    assert (done["outcome"], done["case"], done["differences"]) == ("regular", "", [])
    assert done["report"]["pieces"] == 14
    assert run("cases", funded) == {"cases": []}
    (funded / "devices" / device).rename(tmp_path / "new")
    shutil.copytree(tmp_path / "old", funded / "devices" / device)
    run("world", "advance", funded, "5m")
    assert run("status", funded, "--contact", code=3)["error"]["code"] == "provider.frozen"
    done = run("examine", funded, device, code=1)
    assert done["outcome"] == "irregular"
    cases = run("cases", funded)["cases"]
    assert {case["party"] for case in cases} == {"postal.usps", "provider.harbor"}
    (case,) = {case["case"] for case in cases}
    assert done["case"] == case
    assert set(cases[0]) == {"case", "party", "device", "state", "ground", "opened_at", "steps"}
    end = ["--release", case, "--by", "crypto-officer", "--by", "examiner", "--reason", "the copy is gone"]
    assert run("cases", funded, *end, code=3)["error"]["code"] == "case.not-cleared"
    shutil.rmtree(funded / "devices" / device)
    (tmp_path / "new").rename(funded / "devices" / device)
    run("examine", funded, device)
    assert {case["state"] for case in run("cases", funded, *end)["cases"]} == {"released"}
    run("reset", funded, "50")


def test_what_cannot_be_examined_or_closed_is_said(funded, run):
    assert run("examine", funded, "17", code=2)["error"]["code"] == "id.unreadable"
    assert run("examine", funded, "TC1A0000000099", code=3)["error"]["code"] == "postal.not-in-register"
    assert run("cases", funded, "--retire", "CSE-1", code=3)["error"]["code"] == "case.unknown"
    assert run("cases", funded, "--by", "a", code=2)["error"]["code"] == "case.nothing-to-close"


def test_the_examination_and_the_cases_can_be_read(funded, capsys):
    assert main(["examine", str(funded), "TC1A0000000001"]) == 0
    shown = capsys.readouterr().out
    assert "agrees with everything that is known" in shown
    assert "ascending register" in shown
    assert main(["cases", str(funded)]) == 0
    assert "There is no case." in capsys.readouterr().out
