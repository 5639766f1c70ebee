"""`towncircle deadlines`: a list one can read, the same in JSON, a replay, an act and a comparison."""

import json
from pathlib import Path

import pytest

from towncircle.cli.main import main

RULES = Path(__file__).parents[2] / "src/towncircle/rules"


@pytest.fixture(scope="module")
def leased(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deadlines") / "world"
    for line in (
        ["world", "new", folder, "--regime", "ibi-1998", "--seed", 5],
        ["license", folder],
        ["lease", folder],
    ):
        assert main([str(word) for word in line]) == 0
    return folder


@pytest.fixture
def run(capsys, leased):
    def one(*arguments, code=0):
        capsys.readouterr()
        assert main(["deadlines", str(leased), *map(str, arguments)]) == code
        return capsys.readouterr().out

    return one


def test_the_table_says_when_how_long_what_by_which_clause_and_since_which_fact(run):
    out = run()
    [line] = [line for line in out.splitlines() if "audit the device" in line]
    assert "1998-12-02" in line
    assert "91 days left" in line
    assert "provider.harbor" in line
    after = out.split(line)[1].splitlines()[1:3]
    assert "502.23, the Provider; since custody.leased on 1998-09-02, fact FCT-" in after[0]
    assert after[1].startswith("      If missed: Resets of the device are denied")
    assert max(map(len, out.splitlines())) < 160


def test_the_groups_stand_in_the_order_of_their_urgency(run):
    lines = run("--as-of", "1999-12-01").splitlines()
    heads = [line.split(" (")[0] for line in lines if line and line[0].isupper()]
    assert heads[1:] == ["OVERDUE", "DUE", "MAY GO"]


def test_json_names_every_field(run):
    record = json.loads(run("--json", "--party", "harbor"))
    assert record["rules"] == "ibi-1998"
    assert len(record["rule_digest"]) == 64
    [one] = [row for row in record["deadlines"] if row["limit"] == "device-audit"]
    assert (one["clause"], one["state"], one["days_left"], one["last_day"]) == ("502.23", "due", 91, "1998-12-02")
    assert one["anchor"]["type"] == "custody.leased"
    assert one["consequence"]["denies"] == "resets"
    assert {row["party"] for row in record["deadlines"]} == {"provider.harbor"}


def test_a_date_is_a_replay_and_changes_nothing(run):
    before = run()
    assert "OVERDUE" in run("--as-of", "1999-06-01")
    assert "Nothing is due" in run("--as-of", "1998-09-01")
    assert run() == before


def test_everything_is_listed_once_with_all(run):
    rows = json.loads(run("--all", "--json"))["deadlines"]
    assert len(rows) == len({(row["party"], row["limit"], row["about"], row["period"], row["until"]) for row in rows})


def test_acting_says_what_it_did_and_then_that_there_is_nothing_to_do(tmp_path, leased, capsys):
    import shutil

    folder = str(shutil.copytree(leased, tmp_path / "world"))
    assert main(["deadlines", folder, "--act"]) == 0
    assert "There is nothing to do" in capsys.readouterr().out
    clock = tmp_path / "world" / "clock.json"
    held = json.loads(clock.read_text())
    clock.write_text(json.dumps({**held, "now_us": held["now_us"] + 100 * 86_400_000_000}))
    assert main(["deadlines", folder, "--act", "--party", "harbor"]) == 0
    out = capsys.readouterr().out
    assert "missed on 1998-12-02: audit the device" in out
    assert "notice to the licensee; notice to the Postal Service; case opened: audit overdue; resets denied" in out
    assert main(["deadlines", folder, "--act", "--json"]) == 0
    rest = json.loads(capsys.readouterr().out)["acts"]
    assert rest
    assert "provider.harbor" not in {row["party"] for row in rest}


def test_a_changed_folder_names_what_would_differ(run, tmp_path):
    assert "No decision would differ" in run("--compare", RULES / "ibi_1998")
    (tmp_path / "limits").mkdir()
    text = (RULES / "ibi_1998/limits/devices.toml").read_text()
    (tmp_path / "limits/devices.toml").write_text(text.replace('value = "3 months"', 'value = "0 days"', 1))
    same = json.loads(run("--compare", tmp_path, "--json", code=1))
    assert {row["rule"] for row in same["decisions"]} == {"device-audit"}
    assert same["changed"] == ["device-audit"]
    assert same["ours"] != same["theirs"]


def test_changed_parameters_name_the_leases_that_would_differ_and_what_nobody_replays(run, tmp_path):
    for name, before, after in (
        ("indicia.toml", "value = 100_000", "value = 1"),
        ("intervals.toml", 'value = "1 month"', 'value = "1 hours"'),
        ("indicia.toml", 'value = "20 mm"', 'value = "21 mm"'),
    ):
        text = (tmp_path / name if (tmp_path / name).exists() else RULES / "ibi_1998" / name).read_text()
        (tmp_path / name).write_text(text.replace(before, after, 1))
    same = json.loads(run("--compare", tmp_path, "--json", code=1))
    assert same["not_replayed"] == ["correction_bottom"]
    assert {row["rule"] for row in same["decisions"]} == {"contact_warning", "keyed_postage_limit"}
    assert {row["decision"] for row in same["decisions"]} == {"custody.leased"}
    assert "Not replayed: correction_bottom." in run("--compare", tmp_path, code=1)


def test_a_folder_without_rules_and_a_party_that_is_not_there_are_refused(run, tmp_path, capsys):
    run("--compare", tmp_path, code=2)
    run("--party", "nobody", code=3)
    run("--as-of", "yesterday", code=2)
    capsys.readouterr()
