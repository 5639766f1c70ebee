from contextlib import suppress

import pytest

from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused
from towncircle.kernel.facts import Fact
from towncircle.kernel.instants import Instant
from towncircle.storage.sqlite import SqliteStore


def test_a_missing_store_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"storage\.missing"):
        SqliteStore(tmp_path / "none.sqlite")


def test_a_damaged_store_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "store.sqlite"
    path.write_bytes(b"this is not a data base" * 100)
    with pytest.raises(BrokenInvariant, match=r"storage\.damaged"):
        SqliteStore(path)
    assert path.read_bytes().startswith(b"this is not")


def test_a_store_of_a_newer_program_is_refused(tmp_path):
    store = SqliteStore(tmp_path / "s.sqlite", create=True)
    store._connection.execute("PRAGMA user_version=99")
    store.close()
    with pytest.raises(Refused, match=r"storage\.too-new"):
        SqliteStore(tmp_path / "s.sqlite")


def test_the_settings_that_money_needs_are_in_force(tmp_path):
    store = SqliteStore(tmp_path / "s.sqlite", create=True)
    assert store._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()


def test_a_store_cut_down_to_nothing_is_not_taken_for_a_new_one(tmp_path):
    path = tmp_path / "s.sqlite"
    path.touch()
    with pytest.raises(BrokenInvariant, match="it is empty"):
        SqliteStore(path)
    assert path.read_bytes() == b""


def test_a_store_with_a_spoiled_page_is_refused_before_anything_is_read_from_it(tmp_path):
    path = tmp_path / "s.sqlite"
    store = SqliteStore(path, create=True)
    with store.transaction() as tx:
        tx.put("thing", "key", {"text": "x" * 20_000}, owner="me", expected=0)
    store.close()
    spoiled = bytearray(path.read_bytes())
    spoiled[4096 : 3 * 4096] = b"\xaa" * 8192
    path.write_bytes(spoiled)
    with pytest.raises(BrokenInvariant) as caught:
        SqliteStore(path)
    assert caught.value.code == "storage.damaged"
    assert path.read_bytes() == spoiled


def test_facts_read_before_are_read_again_with_those_of_others_and_without_what_was_rolled_back(tmp_path):
    mine = SqliteStore(tmp_path / "s.sqlite", create=True)
    theirs = SqliteStore(tmp_path / "s.sqlite")

    def append(store, name, *, fail=False):
        with suppress(ZeroDivisionError), store.transaction() as tx:
            tx.append_fact(fact(name))
            assert tx.facts()[-1].id == name
            if fail:
                raise ZeroDivisionError

    def seen(store):
        with store.reading() as view:
            return [one.id for one in view.facts()]

    append(mine, "1")
    assert seen(mine) == seen(theirs) == ["1"]
    append(mine, "2", fail=True)
    assert seen(mine) == ["1"]
    append(theirs, "3")
    assert seen(mine) == ["1", "3"]
    append(mine, "4")
    assert seen(mine) == seen(theirs) == ["1", "3", "4"]
    held = seen(mine)
    with mine.reading() as view:
        view.facts().clear()  # the list is the reader's own
    assert seen(mine) == held
    mine.close()
    theirs.close()


def fact(name):
    at = Instant(1)
    return Fact(id=name, type="a.fact", subject="s", actor="a", occurred_at=at, recorded_at=at)
