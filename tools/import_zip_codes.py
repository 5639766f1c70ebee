"""Make `zip_codes.txt`, the table of ZIP Codes, from the `zipcodes` package.

Run: `python tools/import_zip_codes.py --edition 2026-06` after an update of the package; the edition is the year and
month of its release. `--check` says whether the file is what the installed package gives (exit code 1 if not).
Here: what is taken, how it is written. Not here: look-ups (`towncircle.mailpiece.zipcode`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from zoneinfo import available_timezones

import zipcodes

TABLE = Path(__file__).parents[1] / "src/towncircle/mailpiece/data/zip_codes.txt"
KINDS = {"STANDARD": "S", "PO BOX": "P", "UNIQUE": "U", "MILITARY": "M"}


def table(edition: str) -> str:
    """Write the table: a head of three lines, then a line for each ZIP Code in its order."""
    rows = sorted(zipcodes.list_all(), key=lambda row: row["zip_code"])
    zones = sorted({row["timezone"] for row in rows} & available_timezones())
    head = [f"edition {edition}", f"source zipcodes {version('zipcodes')}", f"zones {' '.join(zones)}"]
    return "\n".join([*head, *_lines(rows, zones)]) + "\n"


def _lines(rows: list[dict[str, object]], zones: list[str]) -> Iterator[str]:
    """Give `ZIP|kind|state|zone|city|accepted|not accepted`: the kind small where the ZIP Code is out of use."""
    numbers = {zone: str(number) for number, zone in enumerate(zones)}
    for row in rows:
        kind = KINDS[str(row["zip_code_type"])]
        cells = [
            str(row["zip_code"]),
            kind if row["active"] else kind.lower(),
            str(row["state"]),
            numbers.get(str(row["timezone"]), ""),
            str(row["city"]),
            ";".join(row["acceptable_cities"]),  # type: ignore[arg-type]
            ";".join(row["unacceptable_cities"]),  # type: ignore[arg-type]
        ]
        assert not any(mark in "".join(cells) for mark in "|\n"), cells
        yield "|".join(cells)


def main() -> int:
    """Write the table or compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edition", default="", metavar="YYYY-MM")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    if args.check:
        held = TABLE.read_text(encoding="utf-8")
        edition = held.partition("\n")[0].removeprefix("edition ")
        return int(held != table(edition))
    if len(args.edition) != len("2026-06"):
        sys.exit("--edition YYYY-MM is needed")
    TABLE.write_text(table(args.edition), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
