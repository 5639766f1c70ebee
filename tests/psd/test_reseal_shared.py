"""A fleet's secret that others use: by one file, by a link, or as the new one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.psd.setting import SECRET

from towncircle.cli.main import main
from towncircle.psd.hosted.resealing import note_secret
from towncircle.psd.postgres import PostgresMemory


def test_the_secret_of_another_database_or_folder_outlives_its_replacement(
    tmp_path: Path, databases: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    secret, by_name, lines = tmp_path / "secret", tmp_path / "by-name", []
    secret.write_bytes(SECRET)
    by_name.symlink_to(secret)
    for name, place in (("one", secret), ("two", by_name)):  # served with the same file, whatever it is called
        with closing(PostgresMemory(dsn := databases(), create=True, secret=SECRET)) as store:
            note_secret(place, store)
        (tmp_path / name).write_text(dsn)
        keys = ["--wrapping", str(tmp_path / f"{name}.keys")]
        lines.append(["device", "reseal", "--dsn-from", str(tmp_path / name), "--secret", str(secret), *keys])
    for line in lines:
        assert main(line) == 3
        assert "psd.secret-shared" in capsys.readouterr().err
        assert secret.read_bytes() == SECRET
        assert not list(tmp_path.glob("*.next"))
    with closing(PostgresMemory((tmp_path / "two").read_text())) as store:
        (tmp_path / "secret.fleets" / store.bind("")[0]).unlink()
    (tmp_path / "theirs").hardlink_to(secret)
    (tmp_path / "secret.next").hardlink_to(secret)  # nothing new at all
    assert main(lines[0]) == 0
    assert f"! {secret} is a link" in capsys.readouterr().out
    assert (tmp_path / "theirs").read_bytes() == SECRET != secret.read_bytes()
    assert not list(tmp_path.glob("*.next"))
    with closing(PostgresMemory((tmp_path / "one").read_text())) as store:
        assert store.is_secret(secret.read_bytes())


def test_a_secret_of_which_no_host_could_note_what_it_serves_is_replaced_by_a_persons_word_only(
    tmp_path: Path, databases: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    secret, dsn = tmp_path / "secret", databases()
    secret.write_bytes(SECRET)
    (tmp_path / "dsn").write_text(dsn)
    (tmp_path / "secret.fleets").touch()  # nothing can be written there, whoever the host is
    with closing(PostgresMemory(dsn, create=True, secret=SECRET)) as store:
        assert not note_secret(secret, store)
        (tmp_path / "secret.fleets").unlink()
        note_secret(secret, store)
        (note,) = (tmp_path / "secret.fleets").iterdir()
        assert note_secret(secret, store)
    note.unlink()
    line = ["device", "reseal", "--dsn-from", str(tmp_path / "dsn"), "--secret", str(secret)]
    assert main(line) == 3
    assert "psd.secret-unnoted" in capsys.readouterr().err
    assert (secret.read_bytes(), list(tmp_path.glob("*.next"))) == (SECRET, [])
    assert main([*line, "--only-this-database"]) == 0
    assert secret.read_bytes() != SECRET
