"""The snippets of the pages named here run, in their order, in one folder, and answer what the page shows."""

import hashlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from towncircle.cli.main import main

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```(?P<kind>[a-z]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
KINDS = {"sh", "text", "csv", "python"}
PAGES = {"guide.md": KINDS, "addresses.md": KINDS, "printing.md": KINDS | {"toml"}}


class Snippet(NamedTuple):
    """One fenced block of a page: what it is, what stands in it, and the line it begins at."""

    kind: str
    text: str
    line: int


def snippets(page: Path) -> Iterator[Snippet]:
    held = page.read_text(encoding="utf-8")
    for match in BLOCK.finditer(held):
        yield Snippet(match["kind"], match["text"], held.count("\n", 0, match.start()) + 1)


def commands(text: str) -> Iterator[tuple[list[str], int]]:
    """Give the arguments of each command and its exit code: 0, or what a remark at the end of the line says."""
    for line in text.splitlines():
        program, *arguments = shlex.split(line, comments=True)
        assert program == "./towncircle", line
        yield arguments, int(line.partition("# exit code ")[2] or 0)


def answered(shown: str, said: str) -> bool:
    """Tell whether the lines shown stand in the answer, in their order; a line may go on where the page ends it."""
    rest = iter(said.splitlines())
    return all(any(line.startswith(wanted) for line in rest) for wanted in shown.splitlines())


@pytest.mark.parametrize("page", PAGES)
def test_every_snippet_runs_and_answers_what_is_shown(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    said, kinds = "", set()
    for kind, text, line in snippets(DOCS / page):
        kinds.add(kind)
        where = f"docs/{page}:{line}"
        match kind:
            case "sh":
                for arguments, wanted in commands(text):
                    code = main(arguments)
                    captured = capsys.readouterr()
                    said = captured.out
                    assert code == wanted, f"{where}: {arguments}\n{captured.err}"
            case "text":
                assert answered(text, said), f"{where}\n{said}"
            case "csv" | "toml":
                Path("list.csv" if kind == "csv" else "template.toml").write_text(text, encoding="utf-8")
            case _:
                exec(compile("\n" * line + text, where, "exec"), names)
    assert kinds == PAGES[page]


def test_an_answer_that_is_not_given_would_be_found() -> None:
    assert answered("a\nc", "a 1\nb\nc")
    assert not answered("c\na", "a\nb\nc")
    assert not answered("d", "a\nb\nc")


def test_a_seeded_world_repeats_to_the_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "list.csv").write_text(
        "name,street,city,state,zip\nMail Desk,475 L'Enfant Plaza SW,Washington,DC,20260\n", encoding="utf-8"
    )
    digests = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        for line in (
            "world new world --seed 9",
            "license world",
            "lease world",
            "deposit world 20",
            "reset world 10",
            "print world --addresses ../list.csv --out mail",
            "export world out",
        ):
            assert main(line.split()) == 0, line
        made = [path for folder in ("mail", "out") for path in sorted(Path(folder).rglob("*")) if path.is_file()]
        digests.append({str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in made})
    assert digests[0] == digests[1]
    assert len(digests[0]) > 20


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    pages = [page.name for page in DOCS.glob("*.md") if page.name != "README.md"]
    assert [name for name in pages if f"({name})" not in index] == []


def test_every_decision_is_in_its_index_with_its_number_and_title() -> None:
    index = (DOCS / "adr/README.md").read_text(encoding="utf-8")
    records = sorted((DOCS / "adr").glob("[0-9]*.md"))
    numbers = [int(record.name[:4]) for record in records]  # one is given before its record is whole: there may be gaps
    assert numbers == sorted(set(numbers))
    for record in records:
        number, title = record.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ").split(". ", 1)
        assert f"| {number} | [{title}]({record.name}) |" in index


def test_a_decision_has_its_three_parts_and_half_a_page() -> None:
    for record in (DOCS / "adr").glob("[0-9]*.md"):
        text = record.read_text(encoding="utf-8")
        parts = [text.find(f"**{part}.**") for part in ("Context", "Decision", "Consequence")]
        assert parts == sorted(parts), record.name
        assert min(parts) > 0, record.name
        assert text.count("\n") <= 45, record.name
