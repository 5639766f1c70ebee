"""The marker of a test that breaks a duty is a promise: who marks and does not break, or breaks another, fails."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

_CONFTEST = "from tests.duties import pytest_pycollect_makeitem, pytest_pyfunc_call"
_HEAD = """
import pytest
from tests.conformance.breaking import answered, names, refused
from towncircle.kernel.errors import Refused
"""


def run(pytester: pytest.Pytester, text: str) -> pytest.RunResult:
    pytester.makeconftest(_CONFTEST)
    pytester.makepyfile(_HEAD + text)
    return pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider", "-p", "no:randomly")


@pytest.mark.parametrize(
    ("duty", "body", "well"),
    [
        ("502.20c", 'with refused("502.20c"): raise Refused("provider.no-license")', True),
        ("502.8/1", 'with refused("502.20c"): raise Refused("provider.no-license")', True),  # it keeps that one too
        ("502.20b", 'with refused("502.20c"): raise Refused("provider.no-license")', False),
        ("502.2/1", 'assert names("502.21(c)", "502.21")', False),  # a beginning is another clause
        ("502.21/1", 'assert names("502.21(c)", "502.21")', True),
        ("502.21/1", 'assert not names("502.2", "502.21")', False),
        ("502.20c", "pass", False),
        ("502.20c", 'with pytest.raises(Refused): raise Refused("provider.no-license")', False),  # nothing was asserted
        ("IMI-10", "pass", False),  # by construction, and it refuses all the same
        ("PRE-11/2", "pass", True),  # nothing could refuse: the cap is a dated figure
    ],
)
def test_a_test_that_breaks_a_duty_asserts_a_refusal_under_it(
    pytester: pytest.Pytester, duty: str, body: str, well: bool
) -> None:
    done = run(pytester, f'@pytest.mark.requirement("{duty}")\ndef test_it():\n    {body}\n')
    done.assert_outcomes(passed=int(well), failed=int(not well))
    assert well or "no refusal named" in done.stdout.str()


def test_each_duty_of_a_requirement_has_its_own_test(pytester: pytest.Pytester) -> None:
    done = run(pytester, '@pytest.mark.requirement("502.21/1", "502.21/2")\ndef test_it(): pass')
    done.assert_outcomes(errors=1)
    assert "each duty of 502.21 needs its own test" in done.stdout.str()


def test_a_marker_chooses_cases_that_there_are(pytester: pytest.Pytester) -> None:
    text = (
        '@pytest.mark.requirement("502.21/1", form="a")\n@pytest.mark.requirement("502.21/2", case="b")\n'
        '@pytest.mark.parametrize("form", ["a", "{}"])\n'
        'def test_it(form): assert names("502.21", "502.21")'
    )
    run(pytester, text.format("b")).assert_outcomes(passed=2)
    done = run(pytester, text.format("c"))
    done.assert_outcomes(errors=1)
    assert "no case has {'case': 'b'}" in done.stdout.str()
