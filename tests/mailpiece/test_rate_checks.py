"""A rate file is read whole, or refused with everything that is wrong with it."""

import pytest

from towncircle.kernel.errors import RefusedOnGrounds
from towncircle.mailpiece import rate_files
from towncircle.mailpiece.tariff import known_tables

HEAD = (
    'id = "x"\nseries = "{series}"\ndates_from = "a test"\nin_force_from = 2027-01-04\nin_force_through = 2027-12-31\n'
)
LINE = {
    "kind": "piece", "shape": "parcel", "price_type": "retail", "status": "found", "confidence": "high",
    "source": "a test", "zone": "5", "not_over_oz": "16", "amount_usd": "7.00",
}  # fmt: skip


def file_of(*lines: dict[str, str], head: str = HEAD, series: str = "ground-retail") -> bytes:
    rows = "".join("\n[[line]]\n" + "".join(f'{name} = "{text}"\n' for name, text in one.items()) for one in lines)
    total = sum(float(one.get("amount_usd") or 0) for one in lines)
    return f'{head.format(series=series)}lines = {len(lines)}\ntotal_usd = "{total:.2f}"\n{rows}'.encode()


def told(data: bytes) -> list[str]:
    with pytest.raises(RefusedOnGrounds) as refusal:
        rate_files.read(data)
    assert refusal.value.code == "updates.file-faulty"
    assert {(ground.code, bool(ground.next_step)) for ground in refusal.value.grounds} == {("updates.file-row", True)}
    return [ground.sentence for ground in refusal.value.grounds]


def test_a_file_without_a_fault_is_read_and_so_is_every_table_of_the_program():
    assert len(rate_files.read(file_of(LINE)).lines) == 1
    for table in known_tables():
        assert rate_files.read(rate_files.write(table)) == table


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "price"}, "kind"), ({"shape": "tube"}, "the shape 'tube'"),
        ({"price_type": "free"}, "price type 'free'"),
        ({"for_class": "second"}, "the class 'second'"), ({"level": "9-digit"}, "level '9-digit'"),
        ({"status": "guessed"}, "the status 'guessed'"), ({"status": "not found"}, "the status 'not found'"),
        ({"kind": "extra"}, "does not belong in the series"), ({"kind": "addition"}, "does not belong in the series"),
        ({"amount_usd": "-7.00"}, "line 1"), ({"amount_usd": "0.00"}, "line 1"), ({"not_over_oz": "0"}, "its weight"),
        ({"not_over_oz": "-1"}, "no weight"), ({"zone": "0"}, "no zone"), ({"source": ""}, "no source"),
        ({"not_over_value_usd": "-5.00"}, "line 1"), ({"colour": "red"}, "unknown columns"),
    ],
)  # fmt: skip
def test_a_line_that_nothing_could_price_by_is_a_fault_with_its_place(change, words):
    assert any(words in sentence and sentence.startswith("line 1") for sentence in told(file_of(LINE | change)))


@pytest.mark.parametrize("zone", ["5", "", "4-6"])
def test_two_prices_for_one_weight_of_one_zone_are_a_fault(zone):
    (sentence,) = told(file_of(LINE, LINE | {"zone": zone, "amount_usd": "8.00"}))
    assert sentence.startswith("line 2: line 1 has a price for the same")
    assert len(rate_files.read(file_of(LINE, LINE | {"zone": "6"}, LINE | {"not_over_oz": "32"})).lines) == 3


def test_two_prices_of_a_surcharge_are_a_fault():
    more = LINE | {"kind": "nonmachinable", "shape": "letter", "zone": "", "not_over_oz": ""}
    assert len(told(file_of(more, more | {"amount_usd": "0.50"}, series="first-class"))) == 1


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("in_force_from = 2027-01-04\n", "", "in_force_from"), ("2027-01-04", '"soon"', "in_force_from"),
        ("2027-01-04", "2028-01-01", "ends before it begins"), ("{series}", "second-class", "second-class"),
        ('id = "x"\n', "", "id"), ('dates_from = "a test"\n', "", "dates_from"),
        ('id = "x"', 'id = "x"\ncolour = "red"', "colour"),
    ],
)  # fmt: skip
def test_a_head_that_does_not_say_when_or_what_is_a_fault(old, new, words):
    assert any(words in sentence for sentence in told(file_of(LINE, head=HEAD.replace(old, new))))


def test_all_faults_are_told_at_once():
    sentences = told(file_of(LINE | {"shape": "tube"}, LINE, LINE, head=HEAD.replace("{series}", "second-class")))
    assert [sentence.partition(":")[0] for sentence in sentences] == ["series", "line 1", "line 3"]


def test_a_file_that_was_taken_before_today_s_checks_stays_readable():
    old = file_of(LINE | {"price_type": "sundry"})
    assert told(old)
    assert rate_files.read_taken(old).lines[0].price_type == "sundry"
