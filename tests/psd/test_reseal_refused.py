"""A secret that is no replacement, cannot be used or is somebody else's too: nothing is destroyed that opens a key."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest
from tests.psd.setting import DEVICE, SECRET
from tests.psd.test_resealing import CHANCE, cheap, funded, lives, reseal, store

from towncircle.cli.main import main
from towncircle.kernel.errors import BadInput, Refused
from towncircle.psd import resealing
from towncircle.psd.opening import CHOICE, Keys
from towncircle.psd.process import open_device
from towncircle.psd.sqlite import SqliteMemory

__all__ = ["cheap", "funded", "store"]
OTHER = bytes(range(32, 64))
WORDS = "correct horse battery\n"


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and "-shm" not in path.name}


def refused(store: Path, code: str, new: Keys) -> None:
    """It changes no file of the folder, and the device goes on."""
    before = files(store)
    with pytest.raises((Refused, BadInput), match=code.replace(".", r"\.")):
        reseal(store, new)
    assert files(store) == before


def test_a_new_secret_that_is_the_old_one_is_refused(store: Path, tmp_path: Path) -> None:
    own = store / "operator.secret"
    assert main(["device", "reseal", str(store), "--secret", str(own)]) == 3
    linked, by_name, copied = (tmp_path / name for name in ("linked", "by-name", "copied"))
    linked.hardlink_to(own)
    by_name.symlink_to(own)
    copied.write_bytes(SECRET)
    for place in (own, linked, by_name, copied):
        refused(store, "psd.reseal-same", Keys(secret=place))
    (store / "operator.secret-b").write_bytes(OTHER)  # the name under which the next one would be written
    refused(store, "psd.reseal-same", Keys(secret=store / "operator.secret-b"))
    lives(store)


def test_the_same_passphrase_again_is_refused(store: Path, tmp_path: Path) -> None:
    (tmp_path / "words").write_text(WORDS)
    (tmp_path / "again").write_text(WORDS)
    reseal(store, Keys(passphrase=tmp_path / "words"))
    for name in ("words", "again"):
        refused(store, "psd.reseal-same", Keys(passphrase=tmp_path / name))
    lives(store)


@pytest.mark.parametrize("link", [Path.hardlink_to, Path.symlink_to])
def test_an_old_secret_that_others_use_by_a_link_is_left_and_told(
    store: Path, tmp_path: Path, link, capsys: pytest.CaptureFixture[str]
) -> None:  # type: ignore[no-untyped-def]
    own, theirs = store / "operator.secret", tmp_path / "theirs"
    own.rename(theirs)
    link(own, theirs)
    assert main(["device", "reseal", str(store)]) == 0
    assert theirs.read_bytes() == own.read_bytes() == SECRET
    assert f"! {own} is a link" in capsys.readouterr().out
    lives(store)
    assert main(["device", "reseal", str(store), "--json"]) == 0  # the name is free again, the link's target is not
    assert theirs.read_bytes() == SECRET
    assert '"left": []' in capsys.readouterr().out


@pytest.mark.parametrize("link", [Path.hardlink_to, Path.symlink_to])
def test_the_salt_of_a_neighbour_is_left_too(store: Path, tmp_path: Path, link) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "theirs").write_text("their salt")
    link(store / "operator.argon2id-b", tmp_path / "theirs")
    (tmp_path / "words").write_text(WORDS)
    reseal(store, Keys(passphrase=tmp_path / "words"))
    assert (tmp_path / "theirs").read_text() == "their salt"
    lives(store)


def test_a_mark_that_names_the_old_secret_itself_destroys_nothing(store: Path) -> None:
    """As a run of an earlier release left it."""
    Keys(secret=store / "operator.secret").keep(store, name=CHOICE + resealing.NEXT)
    lives(store)
    assert (store / "operator.secret").read_bytes() == SECRET


@pytest.mark.parametrize(
    ("words", "code"),
    [(("--secret", "12345"), "pki.bad-secret"), (("--passphrase-from", "short\n"), "pki.passphrase-short")],
)
def test_a_new_secret_that_cannot_be_used_changes_nothing(
    store: Path, tmp_path: Path, words: tuple[str, str], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    new, before = tmp_path / "new", files(store)
    new.write_text(words[1])
    assert main(["device", "reseal", str(store), words[0], str(new)]) == 2
    assert code in capsys.readouterr().err
    assert files(store) == before
    lives(store)
    option = {"--secret": "secret", "--passphrase-from": "passphrase"}[words[0]]
    Keys(**{option: new}).keep(store, name=CHOICE + resealing.NEXT)  # as an earlier release left it
    with closing(SqliteMemory(store / "device.sqlite")) as memory:
        resealing.settle(store, memory, DEVICE)
    assert not (store / f"{CHOICE}.next").exists()


def test_a_store_without_its_one_device_and_a_disk_that_fails_are_told(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    SqliteMemory(tmp_path / "empty" / "device.sqlite", create=True).close()
    with pytest.raises(BadInput, match=r"psd\.no-such-device"):
        resealing.reseal_store(tmp_path / "empty", CHANCE, None, None)
    shutil.copy(store / "operator.secret", tmp_path / "kept")
    Keys(secret=tmp_path / "kept").keep(store, name=CHOICE + resealing.NEXT)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(resealing, "sync", full)
    with pytest.raises(Refused, match=r"psd\.store-failed.*No space"):
        open_device(store)
