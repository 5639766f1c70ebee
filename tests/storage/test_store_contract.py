"""One contract suite for every adapter of the store port."""

import pytest

from towncircle.kernel.errors import Refused
from towncircle.kernel.facts import Fact, check_chain
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import MemoryStore, Received
from towncircle.storage.sqlite import SqliteStore

NOON = Instant.parse("2026-11-21T12:00Z")


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    if request.param == "memory":
        yield MemoryStore()
        return
    opened = SqliteStore(tmp_path / "store.sqlite", create=True)
    yield opened
    opened.close()


def fact(number):
    return Fact(id=f"FCT-{number}", type="t", subject="s", actor="a", occurred_at=NOON, recorded_at=NOON)


def test_a_record_is_read_back_as_written(store):
    with store.transaction() as tx:
        tx.put("license", "1", {"a": [1, "x", None, True]}, owner="L", expected=0)
    with store.transaction() as tx:
        row = tx.get("license", "1")
        assert row is not None
        assert (row.owner, row.version, dict(row.body)) == ("L", 1, {"a": [1, "x", None, True]})
        assert tx.get("license", "2") is None


def test_a_lost_update_is_refused(store):
    with store.transaction() as tx:
        tx.put("k", "1", {"n": 1}, owner="L", expected=0)
        tx.put("k", "1", {"n": 2}, owner="L", expected=1)
    for expected in (0, 1, 3):
        with pytest.raises(Refused, match=r"store\.stale"), store.transaction() as tx:
            tx.put("k", "1", {"n": 9}, owner="L", expected=expected)
    with store.transaction() as tx:
        assert tx.find("k")[0].body == {"n": 2}


def test_find_gives_one_owners_records_in_order(store):
    with store.transaction() as tx:
        for key, owner in (("b", "L"), ("a", "L"), ("c", "M")):
            tx.put("k", key, {}, owner=owner, expected=0)
        assert [row.key for row in tx.find("k")] == ["a", "b", "c"]
        assert [row.key for row in tx.find("k", owner="L")] == ["a", "b"]
        assert tx.find("other") == []


def test_a_failed_transaction_leaves_no_trace(store):
    def everything(tx):
        tx.put("k", "1", {}, owner="L", expected=0)
        tx.append_fact(fact(1))
        tx.append_entry("E", {"x": 1})
        tx.next_number("n")
        received = Received(message_id="M", sender="s", counter=1, digest=b"d", expires=NOON, reply=b"r")
        tx.keep_received(received)

    def fails():
        with store.transaction() as tx:
            everything(tx)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    with store.transaction() as tx:
        assert (tx.find("k"), tx.facts(), tx.entries(), tx.received("M")) == ([], [], [], None)
        everything(tx)
        assert tx.next_number("n") == 2


def test_facts_are_chained(store):
    for number in range(3):
        with store.transaction() as tx:
            tx.append_fact(fact(number))
    with store.transaction() as tx:
        assert check_chain("p", tx.facts()) == 3


def test_an_entry_key_is_used_once(store):
    with store.transaction() as tx:
        tx.append_entry("E", {"x": 1})
    with pytest.raises(Refused, match=r"store\.stale"), store.transaction() as tx:
        tx.append_entry("E", {"x": 1})


def test_a_received_message_is_found_by_id_and_by_counter(store):
    kept = Received(message_id="M", sender="s", counter=7, digest=b"d", expires=NOON, reply=b"r")
    with store.transaction() as tx:
        tx.keep_received(kept)
    with store.transaction() as tx:
        assert tx.received("M") == kept
        assert tx.received_counter("s", 7) == kept
        assert tx.received_counter("s", 8) is None
        assert tx.received_counter("t", 7) is None


def test_a_number_counts_from_one(store):
    with store.transaction() as tx:
        assert [tx.next_number("a"), tx.next_number("a"), tx.next_number("b")] == [1, 2, 1]


def test_the_nearest_records_of_a_register_are_found_of_one_owner_and_kind(store):
    with store.transaction() as tx:
        for number in (1, 4, 4, 4, 4, 4, 9, 10):
            key = f"{number}-{tx.next_number('row')}"
            tx.put("scanned", key, {"pieces": number, "ascending": 7}, owner="D", expected=0)
        tx.put("scanned", "other", {"pieces": 5, "ascending": 7}, owner="E", expected=0)
        tx.put("repaid", "6", {"pieces": 6, "ascending": 8}, owner="D", expected=0)
        tx.put("scanned", "none", {"pieces": None, "ascending": 30}, owner="D", expected=0)
    with store.reading() as view:
        at = {value: [row.body["pieces"] for row in view.near("scanned", owner="D", register="pieces", value=value)]
              for value in (0, 4, 5, 11)}  # fmt: skip
        assert at == {0: [1], 4: [1, 4, 4, 4, 4, 9], 5: [4, 9], 11: [10]}
        assert [row.key for row in view.near("repaid", owner="D", register="ascending", value=5)] == ["6"]
        assert view.near("repaid", owner="E", register="pieces", value=5) == []


def test_what_waits_to_be_sent_is_given_audience_by_audience_first_things_first(store):
    with store.transaction() as tx:
        assert (tx.audiences(), tx.waiting("a")) == ([], None)
        for order, audience in ((2, "b"), (10, "a"), (9, "a"), (3, "c"), (1, "a")):
            owner = "answered" if order in (1, 3) else "waiting"
            tx.put("outgoing", f"m{order}", {"audience": audience, "order": order}, owner=owner, expected=0)
        tx.put("other", "x", {"audience": "d", "order": 1}, owner="waiting", expected=0)
    with store.reading() as view:
        assert view.audiences() == ["a", "b"]
        assert [view.waiting("a", after=after).key for after in (0, 8, 9)] == ["m9", "m9", "m10"]
        assert view.waiting("a", after=10) is None
        assert view.waiting("a") == view.get("outgoing", "m9")
