"""The reports of a security weakness (502.14) as PDF: preliminary, written, status and summary, as they were filed.

Here: what stands on them, from the Postal Service's file. Not here: their looks (`paper.letters`), what a report must
have (`postal.weaknesses`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.paper.letters import letter_pages
from towncircle.paper.pdf import write_pdf
from towncircle.rules.duties import HEADQUARTERS
from towncircle.world.config import POSTAL

if TYPE_CHECKING:
    from towncircle.kernel.store import Record
    from towncircle.world.world import World

_TITLES = {"preliminary": "Preliminary report", "written": "Written report", "status": "Status report",
           "summary": "Summary report"}  # fmt: skip
_WORDS = {"preliminary": "What is known", "written": "Circumstances", "status": "Status", "summary": "Findings"}


@cites("502.14b/1", "502.14b/2", "502.14c/1", "502.14c/2", "502.14c/3", "502.14c/4")
def write_reports(world: World, about: str, out: Path, *, provider: str) -> list[Path]:
    """Write every report on a weakness that a Provider filed into a folder; give the files.

    Raises `Refused` (weakness.no-report).
    """
    with world.store(POSTAL).reading() as view:
        row = view.get("weakness", about)
        if row is None or row.owner != provider:
            raise Refused("weakness.no-report", about=about[:40], provider=provider[:64])
        numbers = range(1, int(row.body["reports"]) + 1)
        filed = [view.get("weakness-report", f"{about} {number}") for number in numbers]
    out.mkdir(parents=True, exist_ok=True)
    return [_write(row, one, number, out) for number, one in zip(numbers, filed, strict=True) if one is not None]


def _write(row: Record, filed: Record, number: int, out: Path) -> Path:
    body, at, found = filed.body, Instant(filed.body["at"]), Instant(row.body["discovered_at"])
    stage = body["stage"]
    days = (at.date_in(HEADQUARTERS) - found.date_in(HEADQUARTERS)).days
    rows = [
        ("Weakness", f"{row.key}, report {number}"),
        ("To", POSTAL),
        ("By", row.owner),
        ("Filed", at.words_in(HEADQUARTERS)),
        ("Discovered", f"{found.words_in(HEADQUARTERS)}, {days} {'day' if days == 1 else 'days'} before"),
        ("Category", str(row.body["category"]).replace("-", " ")),
        ("Systems or models", ", ".join(row.body["systems"]) or "none is named"),
        ("Anticipated completion", body["completion_on"]),
        ("SHA-256 of the paper with it", body["document"]),
        ("Under", "502.14(b)" if stage == "preliminary" else "502.14(c)"),
    ]
    what = "a test result" if row.body["category"] == "test-result" else "a security weakness"
    title = f"{_TITLES[stage]} of {what}"
    says = [(_WORDS[stage], body["words"]), ("Proposed investigative procedure", body["investigation"])]
    path = out / f"weakness-{row.key}-{number}-{stage}.pdf"
    pages = letter_pages(title, [one for one in rows if one[1]], says, foot=f"{row.key}, report {number}.")
    write_pdf(pages, path, title=f"{title} {row.key} {number} - SPECIMEN", at=at)
    return path
