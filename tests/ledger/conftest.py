"""A small story for the ledger: one licensee, one device, books in memory."""

from collections.abc import Iterator

import pytest

from towncircle.kernel.instants import Instant
from towncircle.kernel.store import MemoryStore, Transaction
from towncircle.ledger import Books


@pytest.fixture
def now() -> Instant:
    return Instant.parse("2026-11-21T15:00Z")


@pytest.fixture
def tx() -> Iterator[Transaction]:
    with MemoryStore().transaction() as transaction:
        yield transaction


@pytest.fixture
def books(tx: Transaction) -> Books:
    return Books(tx)
