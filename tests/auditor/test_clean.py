"""A whole export has no difference; what is no export is refused."""

import json
from pathlib import Path

import pytest
from tests.auditor.story import HARBOR, told

from towncircle.auditor import audit
from towncircle.cli.audit import add
from towncircle.kernel.errors import BadInput


def test_a_whole_export_has_no_difference_and_everything_was_checked(tmp_path: Path) -> None:
    report = audit(told().write(tmp_path / "out"))
    assert report.differences == []
    assert report.checked == {
        "files": 27,
        "facts": 21,
        "entries": 13,
        "accounts": 15,
        "devices": 1,
        "audits": 1,
        "batches": 2,
        "scans": 2,
        "certificates": 6,
        "signatures": 5,
        "equations": 1,
        "resets": 1,
        "refunds": 1,
        "refunded pieces": 1,
        "events": 3,
        "licenses": 1,
        "licensees": 1,
        "messages": 9,
        "statement lines": 1,
        "walked accounts": 1,
        "parties": 4,
    }


def test_the_root_can_be_pinned_from_outside(tmp_path: Path) -> None:
    story = told()
    out = story.write(tmp_path / "out")
    assert audit(out, root=story.header["root"]).differences == []
    codes = {difference.code for difference in audit(out, root="0" * 64).differences}
    assert {"certificate.other-root", "certificate.bad-chain", "signature.bad"} <= codes
    with pytest.raises(BadInput) as caught:
        audit(out, root="nonsense")
    assert caught.value.code == "audit.bad-root"


def test_what_is_no_export_is_refused_with_a_next_step(tmp_path: Path) -> None:
    empty, other, file = tmp_path / "empty", tmp_path / "other", tmp_path / "file"
    empty.mkdir()
    other.mkdir()
    (other / "letter.txt").write_text("hello")
    file.write_text("hello")
    for path, code in (
        (tmp_path / "missing", "audit.no-export"),
        (file, "audit.no-export"),
        (empty, "audit.empty"),
        (other, "audit.not-an-export"),
    ):
        with pytest.raises(BadInput) as caught:
            audit(path)
        assert caught.value.code == code
        assert "towncircle export" in caught.value.next_step


def test_an_export_of_another_format_version_is_refused(tmp_path: Path) -> None:
    story = told()
    story.header["version"] = 2
    with pytest.raises(BadInput) as caught:
        audit(story.write(tmp_path / "out"))
    assert caught.value.code == "audit.other-version"


def test_the_command_says_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import argparse

    parser = argparse.ArgumentParser()
    add(parser.add_subparsers())
    out = told().write(tmp_path / "out")
    args = parser.parse_args(["audit", str(out)])
    assert args.run(args) == 0
    assert capsys.readouterr().out.endswith("No difference.\n")
    (out / HARBOR / "records.jsonl").unlink()
    args = parser.parse_args(["audit", str(out), "--json"])
    assert args.run(args) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["differences"][0]["code"] == "file.missing"
    assert answer["checked"]["parties"] == 4
    args = parser.parse_args(["audit", str(out)])
    assert args.run(args) == 1
    assert "file.missing  provider.harbor/records.jsonl" in capsys.readouterr().out
