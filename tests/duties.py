"""What the marker `requirement` promises, held while the tests run.

`@pytest.mark.requirement("502.25a/2")` says: this test breaks the duty, and is answered under its requirement. So a
test that ends without such an answer fails, whatever else it found; the answers are those that the helpers of
`tests.conformance.breaking` asserted. A duty that holds by construction answers too, but for the
few of `UNANSWERED`.
Words after the duties choose cases: `form="approval"` those with that argument, `case="pale"` the one of that id.
`@pytest.mark.shows(...)` names a further test of a duty, one that proves more than the refusal and promises none.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

# by construction, and nothing that is broken has a refusal of its own: art is optional, the cap is a dated figure,
# a license has no fee
UNANSWERED = frozenset({"PRE-01/3", "PRE-11/2", "P050-2.1/8"})
KEPT = ("implemented", "by-construction")
ANSWERED: set[str] = set()  # the requirements that the answers in the running test have named


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """Fail a test that breaks a duty and never asserted an answer under its requirement."""
    ANSWERED.clear()
    done = yield
    wanted = broken(pyfuncitem)
    if wanted:
        from towncircle.rules.inventory import duties

        known = duties()
        unanswered = [
            name
            for name in wanted
            if name in known and known[name].kind in KEPT and name not in UNANSWERED and known[name].row not in ANSWERED
        ]
        if unanswered:
            pytest.fail(f"no refusal named {', '.join(unanswered)}; those asserted named {sorted(ANSWERED)}")
    return done


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem() -> Generator[None, Any, Any]:
    """Refuse a marker that no case of its test has, and a case that proves two duties of one requirement."""
    made = yield
    if not isinstance(made, list) or not made:
        return made
    items = [item for item in made if isinstance(item, pytest.Function)]
    for mark in [mark for item in items for mark in item.iter_markers("requirement")]:
        if not any(_chosen(mark, item) for item in items):
            raise pytest.Collector.CollectError(f"{items[0].originalname}: no case has {mark.kwargs}")
    for item in items:
        rows = [name.partition("/")[0] for name in broken(item)]
        doubled = sorted({row for row in rows if rows.count(row) > 1})
        if doubled:
            raise pytest.Collector.CollectError(f"{item.name}: each duty of {', '.join(doubled)} needs its own test")
    return made


def broken(item: pytest.Item) -> list[str]:
    """Name the duties that a case of a test breaks."""
    return [name for mark in item.iter_markers("requirement") if _chosen(mark, item) for name in mark.args]


def _chosen(mark: pytest.Mark, item: pytest.Item) -> bool:
    case = getattr(item, "callspec", None)
    wanted = dict(mark.kwargs)
    if wanted and case is None:
        return False
    by_id = wanted.pop("case", None)
    held = case.params if case is not None else {}
    return (by_id is None or case.id == by_id) and all(held.get(name) == value for name, value in wanted.items())
