"""The list of keys in a token: an older store that is put back ends no key of the true one."""

from __future__ import annotations

from pathlib import Path

from towncircle.psd.token_names import FILE, TokenNames

FIRST, SECOND, THIRD = (bytes([at]) * 16 for at in range(3))


class Store:
    at = 1

    def counter(self) -> int:
        return self.at


def test_a_name_is_nobodys_only_for_a_state_that_is_as_far_as_it(tmp_path: Path) -> None:
    store = Store()
    names = TokenNames(tmp_path, store.counter)
    names.add(FIRST)  # used by the state 2
    store.at = 20
    names.add(SECOND)  # by 21, in the place of the first
    store.at = 21
    assert names.ended([SECOND]) == [FIRST]
    store.at = 9  # an older copy is put back, which uses the first
    assert names.ended([FIRST]) == []
    store.at = 30  # and runs on beyond where the true one is
    assert names.ended([FIRST]) == []
    assert names.ended([SECOND]) == [FIRST]  # the true one is back


def test_a_key_that_no_commit_came_to_use_is_nobodys_at_the_start_after_next(tmp_path: Path) -> None:
    store = Store()
    names = TokenNames(tmp_path, store.counter)
    names.add(FIRST)
    assert names.ended([]) == []
    store.at += 1  # a start counts
    assert names.ended([]) == [FIRST]
    names.remove([FIRST])
    assert names.all() == []


def test_the_list_of_an_earlier_release_is_read(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(f"{FIRST.hex()}\n{SECOND.hex()}\n")
    store = Store()
    store.at = 7
    names = TokenNames(tmp_path, store.counter)
    assert names.ended([SECOND]) == [FIRST]
    store.at = 3
    names.add(THIRD)
    assert names.ended([THIRD]) == [FIRST]  # but no longer the one that was in use under the counter 7
