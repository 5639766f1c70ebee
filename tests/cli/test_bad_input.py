"""Bad input, tried as a new user would: each answer names code, cause and next step, and nothing is lost."""

import hashlib
import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from towncircle.cli import main as shell
from towncircle.cli.main import main
from towncircle.kernel.errors.table import ERRORS
from towncircle.kernel.errors.under import written

DEVICE_STORE = "devices/TC1A0000000001/device.sqlite"
FULL_WIDTH_ONE = "\uff11"


@dataclass
class Answer:
    """What a command said."""

    code: str
    sentence: str
    next_step: str
    told: str


class Shell:
    """Run a command twice, as text and as JSON, and check that both say the same in the house's form."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def quietly(self, *arguments: object) -> int:
        """Run a command; what it says does not matter."""
        status = main([str(argument) for argument in arguments])
        self._capsys.readouterr()
        return status

    def told(self, *arguments: object) -> dict[str, object]:
        """Run a command that must end well and give its JSON answer."""
        assert main([*map(str, arguments), "--json"]) == 0
        answer: dict[str, object] = json.loads(self._capsys.readouterr().out)
        return answer

    def refused(self, *arguments: object, code: str, status: int | None = None) -> Answer:
        """Run a command that must be refused with a code; `status` is given where it is not the code's own."""
        given = [str(argument) for argument in arguments]
        wanted = shell.EXIT_CODES[ERRORS[code].kind] if status is None else status
        assert main(given) == wanted
        said = self._capsys.readouterr()
        assert said.out == ""
        assert main([*given, "--json"]) == wanted
        record = json.loads(self._capsys.readouterr().out)["error"]
        assert record["code"] == code, record
        assert record["sentence"], record
        assert "not given" not in record["sentence"] + record["next_step"]
        lines = said.err.splitlines()
        assert lines[0].startswith("towncircle: ")
        also = f"; also {written(record['under'])}" if "under" in record else ""
        assert f"  code {code}, clause {record['clause']}{also}" in lines
        assert lines[-1] == f"  Next step: {record['next_step']}"
        assert "Traceback" not in said.err
        return Answer(code, record["sentence"], record["next_step"], said.err)

    def unreadable(self, *arguments: object) -> None:
        """Run a command whose every verdict must be UNREADABLE."""
        assert main([*map(str, arguments), "--json"]) == 1
        results = json.loads(self._capsys.readouterr().out)["results"]
        assert {row["verdict"] for row in results} == {"UNREADABLE"}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one world with a funded device, to be copied."""
    folder = tmp_path_factory.mktemp("bad") / "world"
    steps = [["world", "new", folder, "--seed", 5], ["license", folder], ["lease", folder]]
    for step in [*steps, ["deposit", folder, "300"], ["reset", folder, "200"]]:
        assert main([*map(str, step), "--json"]) == 0
    return folder


@pytest.fixture
def world(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path / "world")
    return tmp_path / "world"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay out files that are no scans of an indicium."""
    desk = tmp_path_factory.mktemp("desk")
    noise = random.Random(7)
    (desk / "empty.pdf").touch()
    (desk / "letter.pdf").write_text("Dear Sir or Madam,\n")
    (desk / "broken.pdf").write_bytes(b"%PDF-1.7\nthe rest is lost")
    (desk / "bytes.bin").write_bytes(noise.randbytes(100))
    blank = [Image.new("L", (200, 120), 255) for _ in range(10)]
    blank[0].save(desk / "ten.pdf", save_all=True, append_images=blank[1:])
    Image.frombytes("L", (240, 180), noise.randbytes(240 * 180)).save(desk / "photo.jpg")
    (desk / "half.jpg").write_bytes((desk / "photo.jpg").read_bytes()[:900])
    blank[0].save(desk / "picture.gif")
    (desk / "folder").mkdir()
    return desk


def held(folder: Path) -> dict[str, str]:
    """Give a fingerprint of every file of a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def unchanged() -> Iterator[Callable[[Path], None]]:
    """Note folders that must be as they are when the test ends."""
    noted: list[tuple[Path, dict[str, str]]] = []
    yield lambda folder: noted.append((folder, held(folder)))
    for folder, files in noted:
        assert held(folder) == files


# Files that are no scan


@pytest.mark.parametrize("command", ["verify", "decode", "scan"])
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("nowhere.pdf", "scan.no-such-file"),
        ("empty.pdf", "scan.empty-file"),
        ("letter.pdf", "scan.not-a-mark"),
        ("broken.pdf", "scan.not-an-image"),
        ("half.jpg", "scan.not-an-image"),
        ("picture.gif", "scan.not-an-image"),
    ],
)
def test_a_file_that_is_no_scan_is_named(
    run: Shell, desk: Path, template: Path, command: str, name: str, code: str
) -> None:
    where = ["--world", template] if command == "scan" else []
    answer = run.refused(command, desk / name, *where, code=code)
    assert name in answer.sentence or "Dear Sir" in answer.sentence


@pytest.mark.parametrize(
    ("command", "code"), [("verify", "cli.one-folder"), ("decode", "scan.not-readable"), ("scan", "cli.one-folder")]
)
def test_a_folder_is_told_how_folders_are_read(run: Shell, desk: Path, template: Path, command: str, code: str) -> None:
    where = ["--world", template] if command == "scan" else []
    run.refused(command, desk / "folder", *where, code=code)


@pytest.mark.parametrize("name", ["ten.pdf", "photo.jpg"])
def test_a_scan_without_a_symbol_is_unreadable_and_says_how_to_scan_again(
    run: Shell, desk: Path, world: Path, name: str
) -> None:
    answer = run.refused("decode", desk / name, code="symbol.none-found", status=1)
    assert name in answer.sentence
    assert "300 dpi" in answer.next_step
    run.unreadable("verify", desk / name)
    run.unreadable("verify", desk / name, "--world", world)
    run.unreadable("scan", desk / name, "--world", world)


def test_bytes_that_are_no_indicium_are_unreadable(run: Shell, desk: Path, world: Path) -> None:
    run.refused("decode", desk / "bytes.bin", code="indicium.unknown-version", status=1)
    run.unreadable("verify", desk / "bytes.bin", "--world", world)
    run.unreadable("scan", desk / "bytes.bin", "--world", world)


@pytest.mark.parametrize("text", ["zz", "0xzz", "\u0663\u0663", "a2,03", "hello"])
@pytest.mark.parametrize("command", ["verify", "decode"])
def test_digits_that_are_not_hexadecimal_are_shown(run: Shell, command: str, text: str) -> None:
    assert text in run.refused(command, "--hex", text, code="scan.not-hex").sentence


def test_a_mark_is_given_once(run: Shell, desk: Path) -> None:
    run.refused("verify", code="cli.file-or-hex")
    run.refused("verify", desk / "ten.pdf", "--hex", "a2", code="cli.file-or-hex")


@pytest.mark.parametrize("text", ["yesterday", "2026-02-30", "", "1e309"])
def test_an_instant_that_cannot_be_read_is_shown(run: Shell, text: str) -> None:
    run.refused("price", "--weight", "1oz", "--on", text or "x", code="time.unreadable")
    if text:
        assert text in run.refused("verify", "--hex", "a2", "--at", text, code="time.unreadable").sentence


@pytest.mark.parametrize(
    ("bars", "code", "status"),
    [("AAA", "symbol.imb-bars", 2), ("Q" * 65, "symbol.imb-bars", 2), ("T" * 65, "symbol.imb-unreadable", 1)],
)
def test_bars_that_are_no_barcode(run: Shell, bars: str, code: str, status: int) -> None:
    run.refused("imb", "decode", bars, code=code, status=status)


# The command line itself


@pytest.mark.parametrize(
    "arguments",
    [[], ["fly"], ["imb"], ["decode"], ["world", "advance", "x"], ["world", "new", "x", "--seed", "many"],
     ["price", "--weight", "-1oz"], ["verify", "--no-such-option"]],
)  # fmt: skip
def test_a_command_line_that_cannot_be_read_shows_how_it_is_written(run: Shell, arguments: list[str]) -> None:
    answer = run.refused(*arguments, code="cli.usage")
    assert answer.next_step.startswith("Type towncircle")
    assert "--help" in answer.next_step


def test_a_price_of_nothing_asks_for_the_weight_and_names_the_list(run: Shell) -> None:
    answer = run.refused("price", code="rates.weight-needed")
    assert "--known" in answer.next_step


def test_anything_unforeseen_leaks_nothing(run: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    from towncircle.symbol import imb

    def fail(*_: object) -> str:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr(imb, "encode", fail)
    answer = run.refused("imb", "encode", "1", code="kernel.internal")
    assert "RuntimeError" in answer.sentence
    assert "secret" not in answer.sentence


def test_ctrl_c_says_that_nothing_was_lost(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from towncircle.symbol import imb

    def interrupt(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(imb, "encode", interrupt)
    assert main(["imb", "encode", "1"]) == 130
    assert "Nothing was lost" in capsys.readouterr().err


# Amounts


@pytest.mark.parametrize(
    "text", ["", "NaN", "inf", "1e309", "1,000", "+5", "$", "0.0001", f"{FULL_WIDTH_ONE}0", "9" * 400, "five"]
)
@pytest.mark.parametrize("command", ["deposit", "reset"])
def test_an_amount_that_cannot_be_read_is_shown(run: Shell, template: Path, command: str, text: str) -> None:
    assert text[:40] in run.refused(command, template, text, code="money.unreadable").sentence


@pytest.mark.parametrize("text", ["-5", "0", "-0", "-999999999999"])
def test_a_deposit_of_nothing_or_less_is_refused_and_the_next_one_goes_through(
    run: Shell, world: Path, text: str
) -> None:
    run.refused("deposit", world, text, code="ledger.not-positive")
    assert run.quietly("deposit", world, "5") == 0


def test_an_unknown_form_of_payment_is_refused_and_the_next_deposit_goes_through(run: Shell, world: Path) -> None:
    assert "ach-debit" in run.refused("deposit", world, "5", "--form", "shells", code="bank.unknown-form").next_step
    assert run.quietly("deposit", world, "5") == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("-5", "psd.amount-out-of-range"),
        ("0", "psd.amount-out-of-range"),
        ("300.01", "psd.over-cap"),
        ("999999999999", "psd.over-cap"),
        ("150", "ledger.insufficient-funds"),
    ],
)
def test_a_reset_that_cannot_be_is_refused_and_the_next_one_goes_through(
    run: Shell, world: Path, text: str, code: str
) -> None:
    run.refused("reset", world, text, code=code)
    assert run.quietly("reset", world, "10") == 0


def test_a_reset_needs_an_amount_or_the_wish_to_finish(run: Shell, template: Path) -> None:
    run.refused("reset", template, code="cli.amount-or-finish")
    run.refused("reset", template, "5", "--finish", code="cli.amount-or-finish")


@pytest.mark.parametrize("weight", ["NaN", "1e309oz", "0oz", "1 stone", f"{FULL_WIDTH_ONE}oz", "one oz", ""])
def test_a_weight_that_cannot_be_is_shown(run: Shell, weight: str) -> None:
    code = "weight.not-positive" if weight == "0oz" else "weight.unreadable"
    run.refused("price", f"--weight={weight}", code=code)


# Addresses


@pytest.mark.parametrize(
    ("text", "code", "named"),
    [
        ("name,street,city,state,zip\nA,1 Main St,Washington,DC,99999\n", "addresses.faulty-rows", "99999"),
        ("name,street,city,state,zip\nA,1 Main St,Washington,ZZ,20260\n", "addresses.faulty-rows", "ZZ"),
        ("name,street,city,state,zip\n", "addresses.empty", "list.csv"),
        ("", "addresses.empty", "list.csv"),
        ("a,b\n1,2\n", "addresses.columns-missing", "zip"),
    ],
)
def test_a_list_of_addresses_with_faults_prints_nothing(
    run: Shell, world: Path, tmp_path: Path, text: str, code: str, named: str
) -> None:
    (tmp_path / "list.csv").write_text(text)
    answer = run.refused("print", world, "--out", tmp_path / "out", "--addresses", tmp_path / "list.csv", code=code)
    assert named in answer.told
    assert not (tmp_path / "out").exists()


def test_a_list_of_addresses_that_is_not_there(run: Shell, world: Path, tmp_path: Path) -> None:
    run.refused("print", world, "--out", tmp_path / "out", "--addresses", tmp_path / "no.csv", code="addresses.no-file")


def test_nothing_is_debited_when_the_place_to_print_to_is_a_file(run: Shell, world: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    assert str(tmp_path / "out") in run.refused("print", world, "--out", tmp_path / "out", code="cli.file").sentence
    assert (tmp_path / "out").read_text() == "mine"
    assert run.told("status", world)["descending_mills"] == 200_000


# Worlds


@pytest.mark.parametrize(
    "command",
    [["license"], ["lease"], ["deposit", "5"], ["reset", "5"], ["status"], ["print", "--out", "o"], ["export", "o"],
     ["up"]],
)  # fmt: skip
def test_a_world_that_does_not_exist_is_not_made_on_the_way(run: Shell, tmp_path: Path, command: list[str]) -> None:
    name, *rest = command
    answer = run.refused(name, tmp_path / "none", *rest, code="world.missing")
    assert str(tmp_path / "none") in answer.sentence
    assert "world new" in answer.next_step
    assert list(tmp_path.iterdir()) == []


def test_no_time_passes_in_a_world_that_does_not_exist(run: Shell, tmp_path: Path) -> None:
    run.refused("world", "advance", tmp_path / "none", "1h", code="world.missing")
    run.refused("verify", "--hex", "a2", "--world", tmp_path / "none", code="world.missing")


def test_a_folder_that_is_not_empty_is_never_written_over(
    run: Shell, template: Path, tmp_path: Path, unchanged: Callable[[Path], None]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep me")
    unchanged(tmp_path)
    for target in (tmp_path / "mine", tmp_path / "mine" / "letter.txt"):
        run.refused("world", "new", target, code="world.exists")
        run.refused("export", template, target, code="world.exists")
    run.refused("demo", "--out", tmp_path / "mine", code="world.exists")
    run.refused("demo", "--out", tmp_path / "mine" / "letter.txt", code="cli.file")
    run.refused("world", "new", tmp_path / "mine" / "letter.txt" / "below", code="cli.file")


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [("--regime", "of-the-sea", "rules.no-such-set"), ("--start", "soon", "time.unreadable"),
     ("--start", "9999-01-01", "time.out-of-range")],
)  # fmt: skip
def test_a_world_that_cannot_be_leaves_no_folder(
    run: Shell, tmp_path: Path, option: str, value: str, code: str
) -> None:
    run.refused("world", "new", tmp_path / "new", option, value, code=code)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("step", "code"),
    [("soon", "time.step-unreadable"), ("0h", "world.clock-back"), ("999999mo", "time.out-of-range")],
)
def test_a_step_that_cannot_be_leaves_the_time_as_it_is(run: Shell, world: Path, step: str, code: str) -> None:
    before = (world / "clock.json").read_bytes()
    run.refused("world", "advance", world, step, code=code)
    assert (world / "clock.json").read_bytes() == before


def test_names_that_nobody_has(run: Shell, world: Path) -> None:
    assert "mailroom" in run.refused("status", world, "--licensee", "nobody", code="world.no-licensee").next_step
    assert "harbor" in run.refused("license", world, "--provider", "nobody", code="world.no-provider").next_step
    run.refused("status", world, "--licensee", "annex", code="world.no-device")
    run.refused("lease", world, "--licensee", "annex", code="world.no-license")


# Damage


def _garbage(path: Path) -> None:
    path.write_bytes(random.Random(3).randbytes(max(8192, path.stat().st_size)))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _gone(path: Path) -> None:
    path.unlink()


DAMAGE = [_garbage, _cut, _emptied, _gone]
DAMAGED = {
    "world.toml": ["world.damaged", "world.damaged", "world.damaged", "world.missing"],
    "clock.json": ["world.damaged"] * 4,
    "licensee.mailroom/store.sqlite": ["storage.damaged", "storage.damaged", "storage.damaged", "storage.missing"],
    "postal.usps/store.sqlite": ["storage.damaged", "storage.damaged", "storage.damaged", "storage.missing"],
    "bank.lockbox/store.sqlite": ["storage.damaged", "storage.damaged", "storage.damaged", "storage.missing"],
    DEVICE_STORE: ["psd.store-damaged", "psd.store-damaged", "psd.store-damaged", "psd.store-missing"],
}


@pytest.mark.parametrize(
    ("name", "damage", "code"),
    [(name, damage, code) for name, codes in DAMAGED.items() for damage, code in zip(DAMAGE, codes, strict=True)],
)
def test_damage_is_named_and_made_no_worse(
    run: Shell, world: Path, name: str, damage: Callable[[Path], None], code: str
) -> None:
    path = world / name
    whole = path.read_bytes()
    damage(path)
    found = path.read_bytes() if path.exists() else None
    assert str(world) in run.refused("reset", world, "1", code=code).sentence
    assert (path.read_bytes() if path.exists() else None) == found
    path.write_bytes(whole)
    assert run.quietly("status", world) == 0  # a restored file opens again: nothing was lost


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize(
    "name",
    ["keys/licensee.mailroom.key", "secrets/licensee.mailroom", "certificates/root.der", "published/trust-list.cose",
     "published/revocations.crl"],
)  # fmt: skip
def test_a_damaged_key_certificate_or_list_is_refused_not_made_anew(
    world: Path, capsys: pytest.CaptureFixture[str], name: str, damage: Callable[[Path], None]
) -> None:
    whole = (world / name).read_bytes()
    damage(world / name)
    found = held(world).get(name)
    assert main(["reset", str(world), "1", "--json"]) in (2, 3)
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"].split(".")[0] in {"pki", "wire", "world", "cli"}
    assert held(world).get(name) == found
    (world / name).write_bytes(whole)
    assert main(["status", str(world), "--json"]) == 0


# Audits


def test_what_is_no_export_is_named(run: Shell, template: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    run.refused("audit", tmp_path / "none", code="audit.no-export")
    run.refused("audit", tmp_path / "empty", code="audit.empty")
    run.refused("audit", template, code="audit.not-an-export")
    run.refused("audit", template, "--root", "xyz", code="audit.bad-root")


def test_there_is_nothing_to_measure_by_that_name(run: Shell) -> None:
    run.refused("bench", "patience", code="bench.no-such-subject")
    run.refused("bench", "device", "--seconds", "nan", code="bench.seconds")
