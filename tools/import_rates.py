"""Carry the rows of a price research table over into the package, as the rate files that the program comes with.

Run: `python tools/import_rates.py RESEARCH.csv`. The research table has one row a published price with the columns
effective_from, mail_class, product, shape, price_type, weight_not_over, weight_unit, zone, amount_usd, status,
confidence, source, source_url and note. Which rows make which table, and from when to when it is in force, stands in
`rate_tables.toml`, by hand. A price that was looked for and not found stays in the table, so that a refusal can say so.
No amount is computed here. A row that no table takes and no reason leaves out stops the import.
"""

import csv
import re
import sys
import tomllib
from fractions import Fraction
from pathlib import Path

from towncircle.kernel.money import Mills
from towncircle.mailpiece.rate_files import write
from towncircle.mailpiece.tariff import ADDITION, EXTRA, NONMACHINABLE, OUNCE, PIECE, Line, Table

TARGET = Path(__file__).parents[1] / "src/towncircle/mailpiece/data/rates"
KINDS = {"additional ounce": OUNCE, "nonmachinable surcharge": NONMACHINABLE, "nonstandard surcharge": NONMACHINABLE}
SHAPES = {
    "Priority Mail Padded Flat Rate Envelope": "padded-envelope",
    "Priority Mail Medium Flat Rate Box": "medium-box",
    "Priority Mail Large Flat Rate Box": "large-box",
    "letter automation 5-digit origin": "letter",
    "letter automation 5-digit DSCF": "letter",
    "letter mixed machinable": "letter",
    "EDDM flat origin to 4 oz": "flat",
    "EDDM flat DSCF to 4 oz": "flat",
    "EDDM flat DDU to 4 oz": "flat",
    "letter_nonautomation_machinable_or_nm": "letter",
    "Standard Mail (A) single-piece": "letter",
}
LEVELS = {
    "First-Class Mail presort mixed_aadc": "mixed-aadc",
    "First-Class Mail presort aadc": "aadc",
    "First-Class Mail presort five_digit": "5-digit",
    "First-Class Mail presort mixed": "mixed-adc",
    "First-Class Mail presort adc": "adc",
    "First-Class Mail presort mixed_adc": "mixed-adc",
    "First-Class Mail presort three_digit": "3-digit",
    "First-Class Mail automation 5-digit": "5-digit",
    "letter automation 5-digit origin": "5-digit",
    "letter automation 5-digit DSCF": "5-digit-dscf",
    "letter mixed machinable": "mixed-machinable",
    "EDDM flat origin to 4 oz": "eddm",
    "EDDM flat DSCF to 4 oz": "eddm-dscf",
    "EDDM flat DDU to 4 oz": "eddm-ddu",
    "EDDM-Retail": "eddm-retail",
}
SERVICES = {
    "Certified Mail": "certified",
    "Return Receipt": "return-receipt",
    "Return Receipt (PS Form 3811)": "return-receipt",
    "Return Receipt (electronic)": "return-receipt-electronic",
    "Certified Mail Restricted Delivery": "certified-restricted-delivery",
    "Registered Mail": "registered",
    "Insured Mail": "insurance",
    "Certificate of Mailing": "certificate-of-mailing",
    "Certificate of Mailing (bulk)": "certificate-of-mailing-bulk",
    "COD": "cod",
    "Signature Confirmation electronic": "signature-confirmation-electronic",
    "Signature Confirmation retail": "signature-confirmation",
    "Adult Signature Required": "adult-signature",
}
CLASSES = {"stated for Ground Advantage": "ground"}
FIRST_OUNCE = "the source gives no weight step: only the first ounce is answered (house)"
NO_POSTAGE = ("money order", "postal military money order", "fee")  # none of them stands on a piece of mail


def main(research: Path) -> None:
    """Write the rate files from the research table and the dates by hand."""
    with research.open(encoding="utf-8", newline="") as given:
        rows = [row for row in csv.DictReader(given) if not _is_no_postage(row)]
    tables = tomllib.loads((Path(__file__).parent / "rate_tables.toml").read_text(encoding="utf-8"))["table"]
    TARGET.mkdir(exist_ok=True)
    taken: set[int] = set()
    for sheet in tables:
        mine = [place for place, row in enumerate(rows) for wanted in sheet.get("rows", ()) if _fits(row, wanted)]
        taken.update(mine)
        lines = [_line(rows[place]) for place in mine] + [_missing(gap) for gap in sheet.get("missing", ())]
        (TARGET / f"{sheet['series']}-{sheet['id']}.toml").write_bytes(write(_table(sheet, lines)))
    left = [row for place, row in enumerate(rows) if place not in taken]
    if left:
        sys.exit(f"{len(left)} rows belong to no table, the first: {left[0]}")


def _is_no_postage(row: dict[str, str]) -> bool:
    return row["unit"] == "fee" or row["product"].startswith(NO_POSTAGE)


def _fits(row: dict[str, str], wanted: dict[str, object]) -> bool:
    types = wanted.get("types", [row["price_type"]])
    return (
        row["effective_from"] == wanted["effective"]
        and row["mail_class"] == wanted["class"]
        and isinstance(types, list)
        and row["price_type"] in types
        and row["product"] == wanted.get("product", row["product"])
    )


def _table(sheet: dict, lines: list[Line]) -> Table:
    through = sheet.get("derive_ounces_through")
    return Table(
        id=sheet["id"],
        series=sheet["series"],
        in_force_from=sheet["from"],
        in_force_through=sheet["through"],
        dates_from=sheet["dates_from"],
        checked_on=sheet.get("checked_on"),
        derive_ounces_through=Fraction(through) if through else None,
        derive_because=sheet.get("derive_because", ""),
        lines=tuple(lines),
    )


def _line(row: dict[str, str]) -> Line:
    product, note = row["product"], row["note"]
    kind = KINDS.get(product, PIECE)
    if row["unit"] == "added to piece":
        kind = ADDITION
    shape = SHAPES.get(product) or SHAPES.get(row["shape"]) or row["shape"]
    level, value = LEVELS.get(product, ""), ""
    if row["shape"] == "letter_nonautomation_machinable_or_nm":
        level = f"nonautomation-{level}"
    if row["mail_class"] == "EXTRA":
        kind, shape, insured = EXTRA, "", re.fullmatch(r"insurance, declared value not over \$(\d+)", product)
        level, value = ("insurance", insured[1]) if insured else (SERVICES[product], "")
    if kind == PIECE and not shape:
        shape = "card" if "card" in product else "parcel"
    ounces = _ounces(row)
    if kind == PIECE and ounces is None and level:
        ounces, note = Fraction(1), "; ".join(filter(None, (note, FIRST_OUNCE)))
    return Line(
        kind=kind,
        shape=shape or ("" if kind == EXTRA else "letter"),
        price_type="" if kind == EXTRA else row["price_type"] or "all",
        not_over_oz=ounces,
        amount=Mills.parse(row["amount_usd"]) if row["amount_usd"] else None,
        status=row["status"],
        confidence=row["confidence"],
        source=row["source"],
        url=row["source_url"],
        note=note,
        zone=row["zone"],
        level=level,
        for_class=CLASSES.get(note, ""),
        not_over_value=Mills.parse(value) if value else None,
    )


def _ounces(row: dict[str, str]) -> Fraction | None:
    if row["weight_not_over"]:
        return Fraction(row["weight_not_over"]) * (16 if row["weight_unit"] == "lb" else 1)
    stated = re.search(r"to (\d+) oz$", row["product"])
    if stated:
        return Fraction(stated[1])
    return Fraction(16 * 70) if " over " in row["product"] else None  # what lies over the last known step


def _missing(gap: dict[str, str]) -> Line:
    return Line(
        kind=gap["kind"], shape="parcel", price_type="all", not_over_oz=None, amount=None, status="not found",
        confidence="none", source=gap["source"], url="", note=gap["note"],
    )  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]))
