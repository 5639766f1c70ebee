"""`towncircle addresses check`: every fault at once, files that are harmless, and the age of the data."""

import csv
import json
from pathlib import Path

import pytest

from towncircle.cli.main import main

HEADER = "name,street,city,state,zip\n"
GOOD = "Ann,1 Main Street,Boston,MA,02108-0004\n"
BAD = '"=cmd|calc",1 Main St,Nyc,NY,10001\n'


def check(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = main(["addresses", "check", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    (tmp_path / "list.csv").write_text(HEADER + GOOD + BAD * 1500, encoding="utf-8")
    return tmp_path / "list.csv"


def test_a_dry_run_tells_everything_and_writes_it_harmless(mixed, tmp_path, capsys):
    out = tmp_path / "faults.csv"
    code, said, _ = check(capsys, mixed, "--on", "2026-11-23", "--json", "--errors", out)
    told = json.loads(said)
    assert code == 1
    assert (told["rows"], told["good"], told["faulty"]) == (1501, 1, 1500)
    assert told["faults_by_code"] == {"address.city-refused": 1500, "address.formula": 1500}
    assert len(told["faults"]) == 1000
    assert told["faults"][0]["row"] == 3
    assert told["plus4"] == {"rows": 1, "verified": 0}
    assert told["address_data"] == {
        "name": "zipcodes 3.0.0", "edition": "2026-06", "good_through": "2026-12-01",
        "mailing_date": "2026-11-23", "old_data_reason": "",
    }  # fmt: skip
    with out.open(newline="", encoding="utf-8") as held:
        rows = list(csv.reader(held))
    assert len(rows) == 3001
    assert rows[1][:4] == ["3", "name", "'=cmd|calc", "address.formula"]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    code, said, _ = check(capsys, mixed, "--on", "2026-11-23")
    assert "and 2980 more faults" in said
    assert said.isascii()


def test_what_standard_form_changes_is_written_with_what_stood_there(tmp_path, capsys):
    (tmp_path / "list.csv").write_text(HEADER + GOOD, encoding="utf-8")
    code, said, _ = check(
        capsys, tmp_path / "list.csv", "--on", "2026-11-23", "--standard", "--changes", tmp_path / "changes.csv"
    )
    assert code == 0
    assert "1 Main Street -> 1 MAIN ST" in said
    assert "1 rows, not verified" in said
    assert (tmp_path / "changes.csv").read_text().splitlines()[1] == "2,street,1 Main Street,1 MAIN ST"


def test_data_too_old_for_the_day_of_mailing_are_refused_but_for_a_reason(tmp_path, capsys):
    (tmp_path / "list.csv").write_text(HEADER + GOOD, encoding="utf-8")
    code, _, said = check(capsys, tmp_path / "list.csv", "--on", "2026-12-02")
    assert code == 3
    assert "addresses.data-old" in said
    assert "P050 2.5g" in said
    code, said, _ = check(capsys, tmp_path / "list.csv", "--on", "2026-12-02", "--json", "--old-data", "late")
    assert (code, json.loads(said)["address_data"]["old_data_reason"]) == (0, "late")
    code, _, _ = check(capsys, tmp_path / "list.csv", "--on", "2026-12-02", "--old-data", "a\nb")
    assert code == 2


def test_a_file_that_breaks_in_the_middle_leaves_no_file_of_faults(tmp_path, capsys):
    (tmp_path / "list.csv").write_text(f'{HEADER}{BAD}"open', encoding="utf-8")
    code, _, said = check(capsys, tmp_path / "list.csv", "--on", "2026-11-23", "--errors", tmp_path / "faults.csv")
    assert (code, "addresses.not-csv" in said) == (2, True)
    assert not (tmp_path / "faults.csv").exists()
