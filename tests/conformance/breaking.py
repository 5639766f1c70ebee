"""What a test of a duty asserts: that breaking it is refused, and that the refusal names the requirement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from towncircle.kernel.errors import RefusedOnGrounds, TowncircleError
from towncircle.rules.inventory import rows_named
from towncircle.wire.shape import Body


@contextmanager
def refused(row: str, code: str = "") -> Iterator[None]:
    """Expect an error that rests on a requirement, itself or in one of its grounds."""
    with pytest.raises(TowncircleError) as caught:
        yield
    error = caught.value
    grounds = error.grounds if isinstance(error, RefusedOnGrounds) else ()
    told = error.as_dict().get("grounds")
    clauses = [error.clause, *(ground.clause for ground in grounds)]
    clauses += [str(ground["clause"]) for ground in told] if isinstance(told, list) else []
    assert row in {name for clause in clauses for name in rows_named(clause)}, (error.code, clauses)
    assert code in ("", error.code)


def names(clause: str, row: str) -> bool:
    """Tell whether a clause names a requirement."""
    return row in rows_named(clause)


def answered(answer: Body, row: str, code: str = "") -> None:
    """Expect a refusal that came back as a message."""
    said = getattr(answer, "clause", "")
    assert row in rows_named(said), (getattr(answer, "code", answer), said)
    assert code in ("", getattr(answer, "code", ""))
