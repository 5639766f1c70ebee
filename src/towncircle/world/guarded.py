"""A process that opens files which strangers made: `python -m towncircle.world.guarded`.

Here: its limits, and what it looks for in a file: marks, or one piece and how it is printed. Not here: who starts and
stops it (`world.guarding`).
Theory of operation. A question is a line of JSON (what, name, size) and so many bytes of the file. The answer is a line
for each page as it is done, and a last one that is `{"done": true}` or an error with its code. All answers are plain
values: whoever took this process over by a file can say nothing else to the one that asked.
Kept: memory, the processor's time for one file and the size of files that could be written are limited by the system.
It ends when its input closes.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any, BinaryIO

from towncircle.indicium import decode
from towncircle.kernel.errors import BadInput
from towncircle.paper import scan
from towncircle.paper.noticing import Noticing
from towncircle.symbol.reading import read_page
from towncircle.symbol.reflectance import Reflectance
from towncircle.symbol.sighting import look

MEMORY_BYTES = 2 << 30  # house: a page of 80 million pixels in colours and transparency, and what turning it takes
MOST_SIDES = 8  # house: pages of the scan of one piece


def main() -> None:
    """Answer until the input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one that asks
    _load()
    _limit(resource.RLIMIT_AS, MEMORY_BYTES)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    asked, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    while line := asked.readline():
        question = json.loads(line)
        _limit_processor(int(question["processor_seconds"]))
        try:
            for answer in _answers(question, asked.read(int(question["size"]))):
                _say(answers, answer)
            _say(answers, {"done": True})
        except BadInput as error:
            _say(answers, _error(error))
        except MemoryError:
            _say(answers, _error(BadInput("scan.too-much-memory", file=question["name"])))


def _answers(question: dict[str, Any], data: bytes) -> Iterator[dict[str, Any]]:
    what: Callable[[bytes, str], Iterator[dict[str, Any]]] = _TASKS[question["what"]]
    return what(data, question["name"])


def _marks(data: bytes, name: str) -> Iterator[dict[str, Any]]:
    with closing(Noticing(data)) as noticing:
        for number, (page, _) in enumerate(scan.pages_of(data, name), start=1):
            found = read_page(page)
            redate = None if found.symbols else noticing.redate(number)
            yield {
                "marks": [one.payload.hex() for one in found.symbols],
                "more": found.more,
                "prints": [_printed(noticing.prints(number, page, one)) for one in found.symbols],
                "redate": "" if redate is None else redate.isoformat(),
            }


def _printed(seen: Reflectance | None) -> dict[str, Any] | None:
    return None if seen is None else {"red": seen.red, "green": seen.green, "grey": seen.grey, "dim": seen.dim}


def _piece(data: bytes, name: str) -> Iterator[dict[str, Any]]:
    yield look(_sides(data, name), is_indicium=_is_indicium).as_dict()


def _first(data: bytes, name: str) -> Iterator[dict[str, Any]]:
    """Open a file and read of its first page what is easily read."""
    page, _ = next(iter(scan.pages_of(data, name)))
    found = read_page(page, fast_only=True).symbols
    yield {"marks": [one.payload.hex() for one in found if _is_indicium(one.payload)][:1], "more": False}


_TASKS = {"marks": _marks, "piece": _piece, "first": _first}


def _sides(data: bytes, name: str) -> Iterator[Any]:
    for number, page in enumerate(scan.pages_of(data, name)):
        if number == MOST_SIDES:
            raise BadInput("scan.too-many-pages", file=name, pages=f"more than {MOST_SIDES}", limit=MOST_SIDES)
        yield page


def _is_indicium(payload: bytes) -> bool:
    try:
        return bool(decode(payload).device)
    except BadInput:
        return False


def _error(error: BadInput) -> dict[str, Any]:
    params = {name: value if isinstance(value, int) else str(value) for name, value in error.params.items()}
    return {"error": error.code, "params": params}


def _say(out: BinaryIO, answer: dict[str, Any]) -> None:
    out.write(json.dumps(answer).encode() + b"\n")
    out.flush()


def _load() -> None:
    """Load what opens and reads files before memory is limited, and before the first file's time begins."""
    import numpy as np
    import pypdfium2
    import zxingcpp
    from PIL import Image

    Image.init()
    assert pypdfium2.PdfDocument
    zxingcpp.read_barcodes(np.zeros((8, 8), np.uint8))


def _limit(what: int, most: int) -> None:
    with suppress(ValueError, OSError):  # a system that has not this limit
        resource.setrlimit(what, (most, most))


def _limit_processor(seconds: int) -> None:
    """Give a file so much of the processor's time, over what the files before it took."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    with suppress(ValueError, OSError):
        most = int(spent.ru_utime + spent.ru_stime) + 1 + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))


if __name__ == "__main__":
    main()
