"""The world file: written and read back, and refused when it is damaged, too new or not there."""

from pathlib import Path

import pytest

from towncircle.kernel.errors import BadInput, TowncircleError
from towncircle.kernel.ids import PartyId
from towncircle.world.config import FILE, WorldConfig

CONFIG = WorldConfig(
    id="WLD-0123456789ab",
    regime="imi-2024",
    seed=7,
    root="ab" * 32,
    providers=(PartyId("provider.harbor"), PartyId("provider.summit")),
    licensees=(PartyId("licensee.mailroom"),),
)


def refused(folder: Path, text: str) -> TowncircleError:
    (folder / FILE).write_text(text)
    with pytest.raises(TowncircleError) as caught:
        WorldConfig.read(folder)
    assert (folder / FILE).read_text() == text
    assert str(folder) in caught.value.sentence
    return caught.value


def written(folder: Path, config: WorldConfig = CONFIG) -> str:
    config.write(folder)
    return (folder / FILE).read_text()


@pytest.mark.parametrize("seed", [7, 0, -1, 2**70, None])
def test_a_world_file_is_read_back_as_it_was_written(tmp_path: Path, seed: int | None) -> None:
    import dataclasses

    config = dataclasses.replace(CONFIG, seed=seed)
    written(tmp_path, config)
    assert WorldConfig.read(tmp_path) == config
    assert config.parties[:2] == ("postal.usps", "bank.lockbox")


def test_a_folder_without_a_world_file_is_no_world(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(BadInput) as caught:
            WorldConfig.read(folder)
        assert caught.value.code == "world.missing"
        assert str(folder) in caught.value.next_step


def test_a_world_of_a_newer_program_is_refused_not_guessed_at(tmp_path: Path) -> None:
    error = refused(tmp_path, written(tmp_path).replace("format = 1", "format = 2"))
    assert error.code == "world.too-new"
    assert "has format 2" in error.sentence


@pytest.mark.parametrize("line", ["format", "id", "regime", "root", "providers", "licensees"])
def test_a_world_file_that_lacks_a_line_is_damaged(tmp_path: Path, line: str) -> None:
    text = written(tmp_path)
    kept = [row for row in text.splitlines() if not row.startswith(f"{line} =")]
    assert refused(tmp_path, "\n".join(kept)).code == "world.damaged"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("format = 1", "format = 'one'"),
        ("format = 1", "format = true"),
        ("seed = 7", "seed = 'seven'"),
        ("seed = 7", "seed = 1.5"),
        ("seed = 7", "seed ="),
        ('regime = "imi-2024"', 'regime = "of-the-sea"'),
        ('regime = "imi-2024"', "regime = 3"),
        ("ab" * 32, "xy" * 32),
        ("ab" * 32, "ab"),
        ('"provider.harbor"', '"../../etc"'),
        ('["licensee.mailroom"]', "3"),
    ],
)
def test_a_world_file_with_a_wrong_value_is_damaged(tmp_path: Path, old: str, new: str) -> None:
    text = written(tmp_path)
    assert old in text
    assert refused(tmp_path, text.replace(old, new)).code == "world.damaged"


@pytest.mark.parametrize("share", [0, 1, 3])
def test_a_world_file_cut_short_is_damaged(tmp_path: Path, share: int) -> None:
    text = written(tmp_path)
    assert refused(tmp_path, text[: len(text) * share // 4]).code == "world.damaged"


def test_bytes_that_are_no_text_are_damage(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\xff\x00")
    with pytest.raises(TowncircleError) as caught:
        WorldConfig.read(tmp_path)
    assert caught.value.code == "world.damaged"
