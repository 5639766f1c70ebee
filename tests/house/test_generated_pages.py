"""The pages of docs/ that come from the code are as the code would write them."""

import pytest
from tools import docs

from towncircle.kernel.errors.table import ERRORS


@pytest.mark.parametrize("name", docs.PAGES)
def test_a_generated_page_is_as_the_code_would_write_it(name: str) -> None:
    assert name not in docs.stale(), "write it: python tools/docs.py"


def test_the_page_of_errors_has_every_code() -> None:
    page = docs.errors_page()
    assert [code for code in ERRORS if f"### `{code}`" not in page] == []


def test_the_page_of_states_has_the_device_and_its_custody() -> None:
    assert {(module, name) for module, name, _ in docs.state_tables()} >= {
        ("towncircle.psd.states", "DEVICE"),
        ("towncircle.provider.inventory", "CUSTODY"),
    }
    assert "in_service --> locked: lapse" in docs.states_page()
