"""A template is read whole or refused with every fault at once."""

from fractions import Fraction
from pathlib import Path

import pytest

from towncircle.kernel.errors import BadInput, RefusedOnGrounds
from towncircle.mailpiece import templates


def test_the_templates_that_come_with_the_program_can_be_read_and_found_by_name() -> None:
    known = templates.builtin()
    assert {"letter", "letter-plain", "postcard", "flat"} <= {one.name for one in known}
    assert all(one.title for one in known)
    assert templates.find("postcard").shape == "card"
    assert not templates.find("letter-plain").art


def test_a_template_of_ones_own_is_a_file_and_what_it_leaves_out_is_usual(tmp_path: Path) -> None:
    place = tmp_path / "mine.toml"
    place.write_text('[piece]\nweight = "2 oz"\n[columns]\nzip = "PLZ"\n')
    found = templates.find(str(place))
    assert (found.name, found.weight_oz, found.shape, dict(found.columns)) == (
        "mine",
        Fraction(2),
        "letter",
        {"zip": "PLZ"},
    )
    assert found.as_dict() == templates.parse(place.read_bytes(), name="mine").as_dict()


def test_every_fault_of_a_template_is_told_at_once() -> None:
    raw = (
        'titel = "slip"\n[piece]\nshape = "box"\nweight = "heavy"\noverrides = ["colour"]\n[page]\nart = "yes"\n'
        'form = "no99"\n[mailing]\nahead_days = -1\n[output]\npieces_per_file = 1001\nformats = ["svg"]\n'
        '[columns]\nplz = "PLZ"\nzip = ""\n[paint]\nred = 1\n'
    )
    with pytest.raises(RefusedOnGrounds) as refused:
        templates.parse(raw.encode(), name="slips")
    told = " ".join(ground.sentence for ground in refused.value.grounds)
    for word in (
        *("titel", "piece.shape", "piece.weight", "piece.overrides", "page.art", "no99", "mailing.ahead_days"),
        *("output.pieces_per_file", "output.formats", "columns.plz", "columns.zip", "paint.red"),
    ):
        assert word in told, word
    assert len(refused.value.grounds) == 12


@pytest.mark.parametrize("key", ["[piece]\nweight", "[page]\nform", "[page]\nart", "[output]\nformats", "title"])
def test_a_number_of_thousands_of_digits_is_a_fault_like_any_other(key: str) -> None:
    for value in ("0x" + "f" * 10_000, "[0x" + "f" * 10_000 + "]"):
        with pytest.raises(RefusedOnGrounds) as refused:
            templates.parse(f"{key} = {value}\n".encode(), name="huge")
        assert refused.value.code == "template.unusable"


@pytest.mark.parametrize("raw", [b"\xff", b"[piece", b"x = 1\n" * 20_000, b"a" + b"[" * 5_000])
def test_what_is_no_template_is_refused_with_the_reason(raw: bytes) -> None:
    with pytest.raises(BadInput) as refused:
        templates.parse(raw, name="odd")
    assert refused.value.code == "template.unreadable"


@pytest.mark.parametrize("count", [1, 1000])
def test_a_file_has_from_one_page_to_what_a_device_takes_at_once(count: int) -> None:
    raw = f"[output]\npieces_per_file = {count}\n".encode()
    assert templates.parse(raw, name="edge").pieces_per_file == count


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(BadInput) as refused:
        templates.find("brochure")
    assert refused.value.code == "template.unknown"
    assert "postcard" in refused.value.sentence


@pytest.mark.parametrize(
    ("page", "code"),
    [
        ('form = "tape"', "template.label-stock"),
        ('stock = "avery-1"', "page.unknown-stock"),
        ('stock = "avery-5163"\nform = "no10"', "template.value"),
        ('stock = "roll-4x6"', "page.form-unsuited"),  # an address does not fit a letter there
        ('stock = "avery-5163"\nstart = 11', "template.value"),
        ("start = 2", "template.value"),
        ('each = "5.00"', "template.value"),
        ('stock = "tape-roll"\neach = "0.00"', "template.value"),
    ],
)
def test_label_stock_that_cannot_be_is_a_fault_of_the_template(page: str, code: str) -> None:
    with pytest.raises(RefusedOnGrounds) as refused:
        templates.parse(f"[page]\n{page}\n".encode(), name="labels")
    assert [ground.code for ground in refused.value.grounds] == [code]


def test_a_stock_says_the_form_and_what_is_printed_on_labels_by_itself_needs_one() -> None:
    found = templates.parse(b'[page]\nstock = "avery-5163"\nstart = 10\neach = "5.00"\n', name="labels")
    assert (found.form, found.stock, found.start, found.each) == ("label2x4", "avery-5163", 10, 5000)
    assert {templates.find(name).stock for name in ("tape", "flat-labels", "parcel")} == {
        "tape-roll", "avery-5163", "roll-4x6",
    }  # fmt: skip
    with pytest.raises(RefusedOnGrounds) as refused:
        templates.parse(b'[piece]\nshape = "parcel"\n', name="parcels")
    assert [ground.code for ground in refused.value.grounds] == ["template.label-stock"]


def test_the_page_on_batches_names_every_key_and_override_of_a_template():
    page = (Path(__file__).parents[2] / "docs" / "printing.md").read_text(encoding="utf-8")
    reader = templates._Reader({})
    templates._values(reader)
    keys = {f"{table}.{key}" if table else key for table, key in reader._read}
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    first = {name for row in rows for name in row.split("|")[1].replace("`", "").replace(" ", "").split(",")}
    assert {key for key in keys if not key.startswith("columns.")} - first == set()
    (overrides,) = [row for row in rows if "piece.overrides" in row]
    assert [word for word in templates.OVERRIDES if f"`{word}`" not in overrides] == []
