"""What a test of a duty asserts: that breaking it is refused, and that the refusal names the requirement.

Each helper notes which requirements the answer named; `tests.duties` compares them with the marker of the test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from tests.duties import ANSWERED

from towncircle.kernel.errors import RefusedOnGrounds, TowncircleError
from towncircle.kernel.errors.under import UNDER
from towncircle.rules.inventory import rows_named


def rows_of(clause: str, code: str = "") -> set[str]:
    """Name the requirements of an answer: by its clause, and by what else the guard of its code keeps."""
    return {*rows_named(clause), *UNDER.get(code, ())}


@contextmanager
def refused(row: str, code: str = "") -> Iterator[pytest.ExceptionInfo[TowncircleError]]:
    """Expect an error that rests on a requirement, itself or in one of its grounds."""
    with pytest.raises(TowncircleError) as caught:
        yield caught
    error = caught.value
    grounds = error.grounds if isinstance(error, RefusedOnGrounds) else ()
    told = error.as_dict().get("grounds")
    said = [(error.code, error.clause), *((ground.code, ground.clause) for ground in grounds)]
    said += [(str(ground["code"]), str(ground["clause"])) for ground in told] if isinstance(told, list) else []
    rows = {name for one, clause in said for name in rows_of(clause, one)}
    assert row in rows, (error.code, said)
    assert code in ("", error.code)
    ANSWERED.update(rows)


def names(clause: str, row: str, code: str = "") -> bool:
    """Tell whether a clause that went against what was done names a requirement."""
    rows = rows_of(clause, code)
    if row in rows:
        ANSWERED.update(rows)
    return row in rows


def answered(answer: Any, row: str, code: str = "") -> None:
    """Expect a refusal that came back as a message, or one ground, finding or annotation of an answer."""
    said, own = getattr(answer, "clause", ""), getattr(answer, "code", "")
    rows = rows_of(said, own)
    assert row in rows, (own or answer, said)
    assert code in ("", own)
    ANSWERED.update(rows)


def grounded(answer: Any, *wanted: tuple[str, str]) -> None:
    """Expect an answer that goes against its asker on these grounds and no other: pairs of requirement and code."""
    grounds = sorted(answer.grounds, key=lambda ground: ground.code)
    assert [ground.code for ground in grounds] == sorted(code for _, code in wanted), grounds
    by_code = {ground.code: ground for ground in grounds}
    for row, code in wanted:
        answered(by_code[code], row, code)


def noted(facts: list[Any], row: str, **body: object) -> None:
    """Expect that what was done or left undone stands in a journal under a requirement, with these words."""
    held = [fact for fact in facts if _has(fact.body, body)]
    rows = {name for fact in held for clause in fact.clauses for name in rows_named(clause)}
    assert row in rows, (body, [(fact.type, fact.clauses) for fact in facts])
    ANSWERED.update(rows)


def _has(held: Mapping[str, object], wanted: Mapping[str, object]) -> bool:
    return all(held.get(name) == value for name, value in wanted.items())
