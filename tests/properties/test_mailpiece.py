"""Properties of prices, addresses and pages over many made-up pieces."""

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.mailpiece.pages import DEVICE, IMI, ON, SENDER

from towncircle.indicium.readable import MailedFrom, Office, for_postage
from towncircle.kernel.errors import BadInput, Refused, TowncircleError
from towncircle.kernel.money import Mills
from towncircle.mailpiece.address_files import read_addresses
from towncircle.mailpiece.addresses import Address, parse_address
from towncircle.mailpiece.art import DEFAULT_ART
from towncircle.mailpiece.geometry import form, form_keys
from towncircle.mailpiece.lints import lint
from towncircle.mailpiece.page import EnvelopeSpec, envelope
from towncircle.mailpiece.rates import PRICE_TYPES, SHAPES, PriceRequest, price
from towncircle.mailpiece.weights import parse_weight
from towncircle.symbol import data_matrix


def fault_of(run) -> str:
    """Give the code of the error that a call raises, or none."""
    try:
        run()
    except TowncircleError as error:
        return error.code
    return "none"


few = settings(max_examples=60, deadline=None)
days = st.integers(0, 12_000).map(lambda n: date(1996, 1, 1) + timedelta(days=n))
weights = st.integers(1, 1500).map(lambda n: Fraction(n, 100))
requests = st.builds(
    PriceRequest,
    on=days,
    weight_oz=weights,
    shape=st.sampled_from(SHAPES),
    price_type=st.sampled_from(PRICE_TYPES),
    nonmachinable=st.booleans(),
)
capitals = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ ", min_size=3, max_size=20).map(str.strip).filter(lambda t: len(t) > 2)


@few
@given(requests)
def test_a_price_is_a_sum_of_sourced_steps_or_a_refusal(request):
    try:
        found = price(request)
    except Refused:
        return
    assert found.amount > 0
    assert len(found.category) == 4
    assert found.category.isascii()
    assert found.in_force_from <= request.on <= found.in_force_through
    assert sum((step.amount for step in found.steps if step.amount is not None), Mills(0)) == found.amount


@few
@given(requests, weights)
def test_a_heavier_piece_is_never_cheaper(request, more):
    from dataclasses import replace

    try:
        assert price(replace(request, weight_oz=request.weight_oz + more)).amount >= price(request).amount
    except Refused:
        return


@few
@given(st.text(max_size=30))
def test_any_text_is_a_weight_or_bad_input(text):
    try:
        assert parse_weight(text) > 0
    except BadInput:
        return


@few
@given(st.text(max_size=120))
def test_any_text_is_an_address_or_a_coded_error(text):
    assert fault_of(lambda: parse_address(text)).startswith(("address.", "none"))


@few
@given(st.binary(max_size=200))
def test_any_bytes_are_a_file_of_addresses_or_a_coded_error(tmp_path_factory, raw):
    file = tmp_path_factory.getbasetemp() / "any.csv"
    file.write_bytes(b"name,street,city,state,zip\n" + raw)
    assert fault_of(lambda: read_addresses(file)).startswith(("addresses.", "none"))


@settings(max_examples=40, deadline=None)
@given(
    key=st.sampled_from([key for key in form_keys() if form(key).shape != "label"]),
    city=capitals,
    mills=st.integers(0, 99_999_999),
    size=st.sampled_from([20, 24, 32, 36, 40, 44, 48, 52]),
    lines=st.lists(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZW 0123456789", min_size=1, max_size=46), min_size=4, max_size=4),
    specimen=st.booleans(),
    art=st.booleans(),
    mailed_from=st.booleans(),
)
def test_every_page_keeps_every_lint_or_is_refused(key, city, mills, size, lines, specimen, art, mailed_from):
    place = MailedFrom(zip_code="20024") if mailed_from else Office(city=city, state="DC", zip_code="20260")
    words = for_postage(
        place, device=DEVICE, day=ON, category="FIRST-CLASS MAIL", postage=Mills(mills + 1), first_class=True,
        specimen=specimen,
    )  # fmt: skip
    name, company, street, street2 = (" ".join(line.split()) or "X" for line in lines)
    to = Address(name=name, company=company, street=street, street2=street2, city=city, state="DC", zip5="20260")
    spec = EnvelopeSpec(
        form=form(key), rules=IMI, on=ON, readable=words, symbol=data_matrix(b"x" * (size // 8), size=size),
        recipient=to, sender=SENDER, art=DEFAULT_ART if art and specimen and form(key).shape == "letter" else None,
    )  # fmt: skip
    fault = fault_of(lambda: envelope(spec))
    assert fault in ("none", "page.does-not-fit") or (fault, key) == ("page.no-room", "card-least")
    assert fault != "none" or lint(envelope(spec), IMI, ON) == ()
