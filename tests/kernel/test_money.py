"""Money: what is read, what is written, and which arithmetic is refused."""

import operator
import pickle

import pytest

from towncircle.kernel.errors import BadInput
from towncircle.kernel.money import ZERO, Mills

READABLE = {
    "0": 0,
    "12": 12_000,
    "12.3": 12_300,
    "12.34": 12_340,
    "12.345": 12_345,
    "$12.34": 12_340,
    "-0.5": -500,
    "-$1": -1000,
    "007": 7000,
    "999999999999.999": 999_999_999_999_999,
}
UNREADABLE = [
    "",
    " ",
    " 1",
    "1 ",
    "1\n",
    "+1",
    "1,000",
    "1.",
    ".5",
    "1.2345",
    "1.2.3",
    "--1",
    "$-1",
    "1$",
    "NaN",
    "nan",
    "inf",
    "1e3",
    "1e309",
    "0x10",
    "1_000",
    "\uff11\uff12",  # full-width digits
    "\u0663",  # an Arabic-Indic digit
    "\u00b2",  # a superscript
    "twelve",
    "1000000000000",
    "9" * 5000,
]


@pytest.mark.parametrize(("text", "mills"), READABLE.items())
def test_an_amount_in_dollars_is_read_to_the_mill(text: str, mills: int) -> None:
    assert Mills.parse(text) == Mills(mills)


@pytest.mark.parametrize("text", UNREADABLE)
def test_anything_else_is_refused_and_named(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        Mills.parse(text)
    assert caught.value.code == "money.unreadable"
    assert text[:40] in caught.value.sentence


@pytest.mark.parametrize(
    ("mills", "text"),
    [
        (0, "$0.00"),
        (1, "$0.001"),
        (10, "$0.01"),
        (621, "$0.621"),
        (740, "$0.74"),
        (1_000, "$1.00"),
        (-500, "-$0.50"),
        (1_234_567_890, "$1,234,567.89"),
    ],
)
def test_an_amount_is_written_with_tenths_of_a_cent_only_where_there_are_any(mills: int, text: str) -> None:
    assert str(Mills(mills)) == f"{Mills(mills)}" == text
    assert f"{Mills(mills):>14}" == text.rjust(14)


def test_whole_dollars_and_cents_make_an_amount() -> None:
    assert Mills.dollars(12, cents=34) == Mills.parse("12.34")


@pytest.mark.parametrize("other", [1, -3, 2, Mills(2), 2.0])
@pytest.mark.parametrize("operation", [operator.truediv, operator.floordiv, operator.mod, divmod])
def test_money_is_never_divided(operation: object, other: object) -> None:
    with pytest.raises(TypeError):
        operation(Mills(10), other)  # type: ignore[operator]


@pytest.mark.parametrize("operation", [operator.truediv, operator.floordiv, operator.mod, divmod, pow])
def test_nothing_is_divided_by_money(operation: object) -> None:
    with pytest.raises(TypeError):
        operation(10, Mills(3))  # type: ignore[operator]


@pytest.mark.parametrize("operation", [round, float, lambda amount: round(amount, 1), lambda amount: amount**2])
def test_money_is_never_rounded_nor_made_a_float(operation: object) -> None:
    with pytest.raises(TypeError, match="never"):
        operation(Mills(10))  # type: ignore[operator]


@pytest.mark.parametrize("other", [1, 0, 1.0, "1", None])
@pytest.mark.parametrize("operation", [operator.add, operator.sub])
def test_money_is_added_to_money_only(operation: object, other: object) -> None:
    with pytest.raises(TypeError):
        operation(Mills(10), other)  # type: ignore[operator]


@pytest.mark.parametrize("other", [1, -1])
def test_a_bare_number_is_not_added_to_money_from_the_left_either(other: object) -> None:
    with pytest.raises(TypeError):
        other + Mills(10)  # type: ignore[operator]
    with pytest.raises(TypeError):
        other - Mills(10)  # type: ignore[operator]


def test_money_is_multiplied_by_whole_numbers_only() -> None:
    assert Mills(7) * 3 == 3 * Mills(7) == Mills(21)
    for other in (1.5, Mills(3), "3", [3]):
        with pytest.raises(TypeError, match="whole numbers"):
            Mills(7) * other  # type: ignore[operator]
    with pytest.raises(TypeError, match="whole numbers"):
        "3" * Mills(7)


def test_every_result_is_money_again() -> None:
    results = [Mills(1) + Mills(2), Mills(1) - Mills(2), Mills(1) * 4, -Mills(1), abs(Mills(-1)), sum([Mills(1)] * 3)]
    assert all(type(result) is Mills for result in results)
    assert sum([Mills(1), Mills(2)], ZERO) == Mills(3)


def test_money_survives_being_copied_and_shows_its_unit_to_a_developer() -> None:
    assert pickle.loads(pickle.dumps(Mills(5))) == Mills(5)
    assert repr(Mills(5)) == "Mills(5)"
