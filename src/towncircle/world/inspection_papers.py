"""The papers of an inspection of facilities and records (502.1(c), 502.19, 502.25(b)) as PDF.

Here: what stands on the announcement, the report, the Provider's answer and the end, from the Postal Service's records.
Not here: their looks (`paper.letters`), the file itself (`postal.inspections`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.paper.letters import letter_pages, numbered
from towncircle.paper.pdf import write_pdf
from towncircle.postal.inspections import IN_ORDER, KIND, REFUSED
from towncircle.rules.duties import HEADQUARTERS
from towncircle.wire.bodies.inspections import CLAUSES
from towncircle.world.config import POSTAL

if TYPE_CHECKING:
    from towncircle.kernel.facts import Fact
    from towncircle.kernel.store import Record
    from towncircle.world.world import World

_FACILITIES = {
    "factory": "where devices are made",
    "distribution": "distribution, control and maintenance of devices",
    "resetting": "resetting of devices",
}
_OUTCOMES = {"in-order": "in order", "deficient": "deficient", "refused": "the inspection was refused"}
_PAPERS = {  # what each fact is on paper: the file's name, and the title
    "inspection.announced": ("announcement", "Announcement of an inspection"),
    "inspection.reported": ("report", "Report of an inspection"),
    "inspection.answer-filed": ("answer", "Answer to the findings of an inspection"),
    "inspection.closed": ("end", "End of an inspection"),
}
_ANNOUNCED = (
    "Representatives of the Postal Service will inspect these facilities, and the records that are kept of them, on "
    "the day above."
)


@cites("502.19/2", "502.25b/2", "502.1/3")
def write_papers(world: World, inspection: str, out: Path) -> list[Path]:
    """Write every paper of an inspection into a folder; give the files. Raises `Refused` (inspection.unknown)."""
    with world.store(POSTAL).reading() as view:
        held = view.get(KIND, inspection)
        facts = [fact for fact in view.facts() if fact.subject == inspection and fact.type in _PAPERS]
    if held is None:
        raise Refused("inspection.unknown", inspection=inspection[:80])
    terms = str(world.rules.length_of("inspection-answer", world.clock.now().date_in(HEADQUARTERS)))
    out.mkdir(parents=True, exist_ok=True)
    files, seen = [], dict[str, int]()
    for fact in facts:
        name, title = _PAPERS[fact.type]
        seen[name] = seen.get(name, 0) + 1
        path = out / f"inspection-{held.key}-{name}{f'-{seen[name]}' if seen[name] > 1 else ''}.pdf"
        pages = letter_pages(
            title, list(_rows(held, fact)), list(_paragraphs(held, fact, terms)), foot=f"Inspection {held.key}."
        )
        write_pdf(pages, path, title=f"{title} {held.key} - SPECIMEN", at=fact.occurred_at)
        files.append(path)
    return files


def _rows(held: Record, fact: Fact) -> Iterator[tuple[str, str]]:
    body, at = held.body, fact.occurred_at.words_in(HEADQUARTERS)
    answer = fact.type == "inspection.answer-filed"
    yield "Inspection", held.key
    yield "To", POSTAL if answer else held.owner
    yield "By", held.owner if answer else fact.actor.replace("/", ", the ")
    yield "Filed" if answer else "Given", at
    yield "Facilities", _FACILITIES[body["scope"]]
    yield "Site", str(fact.body.get("site", body["site"]))
    if fact.type == "inspection.announced":
        yield "Day of the visit", str(fact.body["on"])
    elif fact.type == "inspection.reported":
        early = body["on"] and not body["announced"]
        before = f"unannounced: the inspector came before {body['on']}" if early else "no: unannounced"
        yield "Announced", f"for {body['announced']}" if body["announced"] else before
        yield "Outcome", _OUTCOMES[body["outcome"]]
        yield "SHA-256 of the inspector's paper", body["document"]
    elif answer:
        yield "SHA-256 of the Provider's paper", str(fact.body["document"])
    else:
        yield "Outcome", body["end"]
    yield "Under", CLAUSES[body["scope"]]


def _paragraphs(held: Record, fact: Fact, terms: str) -> Iterator[tuple[str, str]]:
    body = held.body
    match fact.type:
        case "inspection.announced":
            yield "What is announced", _ANNOUNCED
            asked = fact.body["records"]
            yield "Records asked for", numbered(asked) or "None is named ahead; the inspector may ask for records."
        case "inspection.reported":
            yield "Records asked for", numbered(body["records"]) or "None."
            heading = "How it was refused" if body["outcome"] == REFUSED else "What was found"
            yield heading, numbered(body["findings"]) or "Nothing that is to be corrected."
            if body["outcome"] != IN_ORDER:
                yield "Answer", f"Each number above is to be answered, in this order, within {terms} of this report."
        case "inspection.answer-filed":
            pairs = zip(body["findings"], body["answers"], strict=True)
            for number, (found, answer) in enumerate(pairs, start=1):
                yield f"Finding {number}", f"{found}\nAnswer: {answer}"
        case _:
            yield "Reasons", body["words"]
            if body["end"] == "referred":
                yield "What follows", "The file is referred: a suspension (502.5) or a sanction (502.21) may follow."
