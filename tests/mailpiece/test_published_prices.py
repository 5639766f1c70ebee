"""Every published price on the days around each change of its table, and at the weights around each of its steps.

What is expected is read from the rows of the rate files here, as text, without the program's reader, its tables or its
way to a price. Each row names its source; a row whose price was not found must be refused, and so must every day on
which no table holds.
"""

from __future__ import annotations

import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from importlib.resources import files
from math import ceil, inf
from typing import Any, NamedTuple

import pytest

from towncircle.kernel.errors import Refused
from towncircle.kernel.money import Mills
from towncircle.mailpiece.rates import PriceRequest, price

DAY, HUNDREDTH = timedelta(days=1), Fraction(1, 100)
# the heaviest letter (since 2007; DMM 101.1.1), card (house) and piece of all (70 lb; DMM 401.1.3)
MOST = {"letter": Fraction(7, 2), "card": Fraction(1)}
MOST_OF_ALL = Fraction(1120)
TYPES = {"first": ("stamped", "metered", "retail", "commercial")}
SOME_ZONES = ("4", "5", "9")  # on either side of what the temporary additions tell apart, and the last
Bucket = list[tuple[Fraction | float, Fraction | None]]


class Sheet(NamedTuple):
    """A rate file as it is written; amounts in dollars by (kind, shape, level, price type, zone)."""

    series: str
    first: date
    last: date
    rows: dict[tuple[str, str, str, str, str], Bucket]
    by_level: dict[str, list[dict[str, Any]]]
    sums_through: Fraction


@cache
def sheets() -> tuple[Sheet, ...]:
    folder = files("towncircle.mailpiece") / "data" / "rates"
    return tuple(_sheet(tomllib.loads(one.read_text("utf-8"))) for one in folder.iterdir() if one.name.endswith("toml"))


def _sheet(raw: dict[str, Any]) -> Sheet:
    rows: dict[tuple[str, str, str, str, str], Bucket] = defaultdict(list)
    by_level: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in [*raw.get("line", ()), *_flat(raw.get("grid", ()))]:
        assert row["source"], "a price without a source is none"
        span, cell = row.get("zone", ""), row.get("amount_usd", "-")
        assert (cell == "-") == (row["status"] == "not found")
        amount = None if cell == "-" else Fraction(cell)
        ends = [int(zone) for zone in span.split("-")] if span else []
        for zone in [str(one) for one in range(ends[0], ends[-1] + 1)] if ends else [""]:
            key = row["kind"], row.get("shape", ""), row.get("level", ""), row.get("price_type", ""), zone
            rows[key].append((Fraction(row["not_over_oz"]) if "not_over_oz" in row else inf, amount))
        if row["kind"] == "extra":
            by_level[row["level"]].append(row)
    held = {key: sorted(bucket, key=lambda step: step[0]) for key, bucket in rows.items()}
    sums = Fraction(raw.get("derive_ounces_through", "0"))
    first, last = raw["in_force_from"], raw["in_force_through"]
    return Sheet(raw.get("series", "first-class"), first, last, held, dict(by_level), sums)


def _flat(grids: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for grid in grids:
        for text in grid["rows"].strip().splitlines():
            weight, *cells = text.split()
            for zone, cell in zip(grid["zones"].split() or [""], cells, strict=True):
                yield {**grid, "zone": zone, "not_over_oz": weight, "amount_usd": cell}


def sheet_on(series: str, on: date) -> Sheet | None:
    held = [one for one in sheets() if one.series == series and one.first <= on <= one.last]
    assert len(held) <= 1
    return held[0] if held else None


def at(bucket: Bucket, weight: Fraction) -> Fraction | None:
    """Give the amount of the lightest step that a piece is not over; None where it is over all, or it was not found."""
    return next((amount for most, amount in bucket if weight <= most), None)


def series_of(mail_class: str, kind: str) -> str:
    if mail_class in ("standard", "media"):
        return mail_class
    side = "commercial" if kind == "commercial" else "retail"
    return "first-class" if mail_class == "first" else f"{mail_class}-{side}"


def published(mail_class: str, shape: str, level: str, kind: str, zone: str, weight: Fraction, on: date) -> Any:
    """Give the dollars that the sources give for a piece, or None."""
    series = series_of(mail_class, kind)
    sheet, heaviest = sheet_on(series, on), MOST.get(shape, MOST_OF_ALL)
    if shape == "letter" and on < date(2007, 5, 14):
        heaviest = MOST_OF_ALL
    if sheet is None or weight > heaviest:
        return None
    types = {key[3] for key in sheet.rows if key[:3] == ("piece", shape, level)}
    if kind not in types:  # one price for all, or the only one; a commercial one is never guessed
        if len(types) != 1 or (kind == "commercial" and types != {"all"}):
            return None
        (kind,) = types
    bucket = sheet.rows.get(("piece", shape, level, kind, "")) or sheet.rows.get(("piece", shape, level, kind, zone))
    if not bucket:
        return None
    amount, (top, heavy) = at(bucket, weight), bucket[-1]
    if weight > top and weight <= sheet.sums_through and heavy is not None:
        ((_, ounce),) = sheet.rows["additional-ounce", shape, "", "all", ""]
        assert ounce is not None
        amount = heavy + ounce * ceil(weight - Fraction(top))
    more = sheet_on(f"{series}-temporary", on)
    if amount is None or more is None:
        return amount
    added = [key for key in more.rows if key[:2] == ("addition", shape) and key[4] in ("", zone)]
    extra = at(more.rows[added[0]], weight) if added else None
    return None if extra is None else amount + extra


def found(**asked: Any) -> Any:
    if asked["level"]:
        asked["mailing_pieces"] = 1_000
    try:
        return Fraction(int(price(PriceRequest(**asked)).amount), 1_000)
    except Refused:
        return None


def claims() -> list[tuple[str, str, str]]:
    """Give every class, shape and level that a file has a row for."""
    pieces = {(one.series, *key[1:3]) for one in sheets() for key in one.rows if key[0] == "piece"}
    return sorted(
        {("first" if s == "first-class" else s.partition("-")[0], shape, level) for s, shape, level in pieces}
    )


def around(*series: str) -> list[date]:
    """Give the day before, on and after each first day of a table, and the same of the day after its last."""
    turns = {turn for one in sheets() if one.series in series for turn in (one.first, one.last + DAY)}
    return sorted({turn + step * DAY for turn in turns for step in (-1, 0, 1)})


@pytest.mark.parametrize("claim", claims(), ids=" ".join)
def test_a_price_changes_on_the_day_and_at_the_weight_that_its_source_says(claim: tuple[str, str, str]) -> None:
    mail_class, shape, level = claim
    seen: Counter[str] = Counter()
    for kind in TYPES.get(mail_class, ("retail", "commercial")):
        series = series_of(mail_class, kind)
        held = [one for one in sheets() if one.series in (series, f"{series}-temporary")]
        keys = [(one, key) for one in held for key in one.rows if key[1] == shape and key[0] in ("piece", "addition")]
        steps = {Fraction(most) for one, key in keys for most, _ in one.rows[key] if most != inf}
        steps |= {MOST.get(shape, MOST_OF_ALL), *(one.sums_through for one in held if one.sums_through)}
        zones = sorted({key[4] for _, key in keys if key[4]}) or [""]
        turns = {one.first for one in held}
        for on in around(series, f"{series}-temporary"):
            near = (-HUNDREDTH, Fraction(0), HUNDREDTH) if on in turns else (Fraction(0),)
            for zone in zones if on in turns else [one for one in zones if one in ("", *SOME_ZONES)]:
                for weight in [step + by for step in steps for by in near]:
                    wanted = published(mail_class, shape, level, kind, zone, weight, on)
                    got = found(
                        mail_class=mail_class, shape=shape, level=level, price_type=kind, zone=zone, weight_oz=weight,
                        on=on,
                    )  # fmt: skip
                    assert got == wanted, (claim, kind, zone, str(on), f"{float(weight):.4f} oz")
                    seen["refused" if wanted is None else "priced"] += 1
    assert seen["refused"], "no day or weight without a price was asked for"
    known = any(
        amount is not None
        for one in sheets()
        for key, bucket in one.rows.items()
        if key[:3] == ("piece", shape, level) and mail_class in (one.series.partition("-")[0], one.series)
        for _, amount in bucket
    )
    assert bool(seen["priced"]) == known


def letter(on: date, **more: Any) -> Any:
    return found(
        mail_class="first", shape="letter", level="", price_type="metered", weight_oz=Fraction(1), on=on, **more
    )


def test_the_surcharge_of_a_nonmachinable_letter_changes_with_its_table() -> None:
    priced = 0
    for on in around("first-class"):
        sheet = sheet_on("first-class", on)
        ((_, more),) = (
            sheet.rows.get(("nonmachinable", "letter", "", "all", ""), [(inf, None)]) if sheet else [(0, None)]
        )
        plain = published("first", "letter", "", "metered", "", Fraction(1), on)
        assert letter(on, nonmachinable=True) == (None if more is None else plain + more), on
        priced += more is not None
    assert priced == 9  # of three tables: two turns of three days, the first one of two, the last one of one


SERVICES = sorted({level for one in sheets() for level in one.by_level})


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_changes_with_its_table_and_insurance_at_the_values_of_its_steps(service: str) -> None:
    """A letter pays what goes with First-Class Mail, a parcel of Ground Advantage the two confirmations."""
    parcel = service.startswith("signature-confirmation")
    piece = (
        ("ground", "parcel", "", "retail", "1", Fraction(8))
        if parcel
        else ("first", "letter", "", "metered", "", Fraction(1))
    )
    names = ("mail_class", "shape", "level", "price_type", "zone", "weight_oz")
    for on in around("extra-services"):
        sheet = sheet_on("extra-services", on)
        rows = sheet.by_level.get(service, []) if sheet else []
        steps = [
            (Fraction(row["not_over_value_usd"]), Fraction(row["amount_usd"]))
            for row in rows
            if "not_over_value_usd" in row
        ]
        plain = published(*piece, on)
        values: list[Any] = sorted({most + by for most, _ in steps for by in (-HUNDREDTH, Fraction(0), HUNDREDTH)})
        for value in values or [None]:
            if steps:
                fee = at(list(steps), value)
            else:
                fee = Fraction(rows[0]["amount_usd"]) if rows and "amount_usd" in rows[0] else None
            wanted = None if fee is None or plain is None or service == "adult-signature" else plain + fee
            more = {} if value is None else {"declared_value": Mills(int(value * 1_000))}
            asked = dict(zip(names, piece, strict=True)) | more
            assert found(**asked, extras=(service,), on=on) == wanted, (on, value)
