"""The demo from the first chapter to the last, in both regimes, as a user runs it."""

import hashlib
import json
import subprocess
import sys

import pytest

NAMES = 10


def demo(out, *arguments):
    line = [sys.executable, "-m", "towncircle", "demo", "--out", str(out), "--json", *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "imi"
    code, told = demo(out, "--seed", "7")
    return out, code, told


def test_every_chapter_of_the_present_regime_ends_as_it_should(first):
    out, code, told = first
    assert [(chapter["number"], chapter["ok"]) for chapter in told["chapters"]] == [(n, True) for n in range(1, 11)]
    assert all(set(chapter) == {"number", "name", "ok", "seconds", "detail"} for chapter in told["chapters"])
    assert (code, told["ok"]) == (0, True)
    assert (out / "envelopes.pdf").read_bytes().startswith(b"%PDF-")
    assert len(list((out / "envelopes").glob("*.png"))) == 14
    assert (out / "world" / "world.toml").is_file()
    assert (out / "export" / "manifest.json").is_file()


def test_the_same_seed_gives_the_same_bytes(first, tmp_path):
    out, _, _ = first
    code, _ = demo(tmp_path / "again", "--seed", "7")
    assert code == 0
    again = tmp_path / "again"
    assert (again / "envelopes.pdf").read_bytes() == (out / "envelopes.pdf").read_bytes()
    assert digests(again / "export") == digests(out / "export")
    assert digests(again / "envelopes") == digests(out / "envelopes")


def test_every_chapter_of_1998_ends_as_it_should(tmp_path):
    code, told = demo(tmp_path / "then", "--regime", "ibi-1998", "--seed", "3")
    assert [chapter["ok"] for chapter in told["chapters"]] == [True] * NAMES
    assert code == 0


def test_the_parties_as_processes_give_the_same_story(tmp_path):
    code, told = demo(tmp_path / "apart", "--processes")
    assert [chapter["ok"] for chapter in told["chapters"]] == [True] * NAMES
    assert code == 0


def test_a_folder_that_the_demo_did_not_make_is_never_written_over(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep")
    code, told = demo(tmp_path / "mine")
    assert (code, told["error"]["code"]) == (2, "world.exists")
    assert (tmp_path / "mine" / "letter.txt").read_text() == "keep"


def test_own_addresses_are_mailed_to(tmp_path):
    listed = tmp_path / "list.csv"
    listed.write_text(
        "name,street,city,state,zip\nLibrary of Congress,101 Independence Ave SE,Washington,DC,20540\n",
        encoding="utf-8",
    )
    code, told = demo(tmp_path / "own", "--addresses", str(listed))
    assert code == 0, told
    assert told["chapters"][3]["detail"].startswith("1 pieces for $0.78")


def test_what_a_failed_chapter_did_not_leave_is_told_in_words(tmp_path):
    from towncircle.cli.demo.narration import Narrator
    from towncircle.cli.demo.stage import Stage, UnexpectedError

    out = tmp_path / "out"
    with Stage(out, seed=1, regime="imi-2024", addresses=None, processes=False, narrator=Narrator(quiet=True)) as stage:
        with pytest.raises(UnexpectedError, match="did not end well"):
            stage.facts["pages"]
        with pytest.raises(UnexpectedError, match=r"scan\.no-such-file"):
            stage.run("verify", out / "envelopes.pdf")
