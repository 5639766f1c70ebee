"""Carry the First-Class Mail rows of a price research table over into the package.

Run: `python tools/import_first_class.py RESEARCH.csv`. The research table has one row a published price with the
columns effective_from, effective_to, mail_class, product, shape, price_type, weight_not_over, amount_usd, status,
confidence, source, source_url and note. Kept are single-piece First-Class rows (letters, flats, cards, the additional
ounce, the nonmachinable surcharge), found or not found: a price that was looked for and not found stays in the table,
so that a refusal can say so. Nothing is computed here. The tables' dates are in `first_class_tables.toml`, by hand.
"""

import csv
import sys
from pathlib import Path

TARGET = Path(__file__).parents[1] / "src/towncircle/mailpiece/data/first_class.csv"
KINDS = {
    "First-Class Mail single-piece": "piece",
    "single-piece card": "piece",
    "postcard": "piece",
    "additional ounce": "additional-ounce",
    "nonmachinable surcharge": "nonmachinable",
    "nonstandard surcharge": "nonmachinable",
}
TABLES = {"": "1998", "1999-01-10": "1999-01-10"}
COLUMNS = [
    "table", "kind", "shape", "price_type", "not_over_oz", "amount_usd",
    "status", "confidence", "source", "source_url", "note",
]  # fmt: skip


def main(research: Path) -> None:
    """Write `first_class.csv` from the research table."""
    with research.open(encoding="utf-8", newline="") as given, TARGET.open("w", encoding="utf-8", newline="") as made:
        writer = csv.DictWriter(made, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in csv.DictReader(given):
            kind = KINDS.get(row["product"])
            if row["mail_class"] != "FCM" or kind is None:
                continue
            shape = row["shape"] or ("card" if "card" in row["product"] else "letter")
            writer.writerow({
                "table": TABLES.get(row["effective_from"], row["effective_from"]),
                "kind": kind,
                "shape": shape,
                "price_type": row["price_type"] or "all",
                "not_over_oz": row["weight_not_over"],
                "amount_usd": row["amount_usd"],
                "status": row["status"],
                "confidence": row["confidence"],
                "source": row["source"],
                "source_url": row["source_url"],
                "note": row["note"],
            })  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]))
