"""The address data of a licensee in a world: the file that was installed, and what it says of a list.

Here: installing a file (copied into the licensee's folder) or a source that another package offers, opening what is in
use, looking recipients up. Not here: which data are in use and how old they may be (`licensee.address_data`), what a
file says (`mailpiece.address_source`).
Kept: one source serves `print`, batches and the door. The file is read as it was installed: one whose size, name or
edition is another is refused. A source of a package has the edition that it says itself each time; a world names a
source that is installed beside the program, and no code. A row that the data contradict is told with its row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import date
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from towncircle.kernel.errors import BadInput, Refused, RefusedOnGrounds, TowncircleError
from towncircle.licensee import address_data as own
from towncircle.licensee.address_data import Installed
from towncircle.mailpiece.address_files import EMBEDDED, Recipient, matched
from towncircle.mailpiece.address_source import EDITION, PLACES, AddressSource, RangeFile, covers_of
from towncircle.mailpiece.foreign_sqlite import MOST_BYTES
from towncircle.mailpiece.harmless import visible
from towncircle.mailpiece.zipcode import place_of
from towncircle.world.journeys import Journeys

FOLDER = "address-data"
GROUP = "towncircle.address_sources"  # of entry points: a name, and what gives an `AddressSource` when it is called
_BLOCK = 1 << 20


def install(journeys: Journeys, file: Path) -> Installed:
    """Copy a file of address data into the licensee's folder and use it from now on.

    Raises `BadInput` (addresses.source-unreadable), `Refused` (world.no-license) and as `address_data.install`.
    """
    zone = _zone(journeys)
    with journeys.world.store(journeys.licensee).reading() as view:
        before = own.installed(view)
    folder = _folder(journeys)
    folder.mkdir(mode=0o700, exist_ok=True)
    draft = folder / "new.part"
    whole, size = hashlib.sha256(), 0
    if file.exists() and not file.is_file():  # a pipe, or a device, has no end
        raise BadInput("addresses.source-unreadable", path=visible(file.name, most=80), why="it is no plain file")
    try:
        with file.open("rb") as source, draft.open("wb") as out:
            while size <= MOST_BYTES and (block := source.read(_BLOCK)):
                whole.update(block)
                size += out.write(block)
    except OSError as error:
        draft.unlink(missing_ok=True)
        why = error.strerror or "unreadable"
        raise BadInput("addresses.source-unreadable", path=visible(file.name, most=80), why=why) from error
    try:
        with closing(RangeFile(draft, label=file.name)) as data:
            found = Installed(
                name=data.name, edition=data.edition, sha256=whole.hexdigest(), size=size, places=PLACES in data.covers
            )
        draft.replace(_file(journeys, found))
        journeys.do(lambda ctx: own.install(ctx, journeys.world.rules, data=found, zone=zone))
    except TowncircleError:
        draft.unlink(missing_ok=True)
        if before is None or before.sha256 != whole.hexdigest():
            _file_of(journeys, whole.hexdigest()).unlink(missing_ok=True)
        raise
    if before is not None and before.sha256 not in ("", found.sha256):
        _file(journeys, before).unlink(missing_ok=True)
    return found


def plug(journeys: Journeys, source: str) -> Installed:
    """Use a source that an installed package offers, from now on.

    Raises `BadInput` (addresses.source-unknown, addresses.source-unreadable) and as `address_data.install`.
    """
    with journeys.world.store(journeys.licensee).reading() as view:
        before = own.installed(view)
    found = _said(source)
    zone = _zone(journeys)
    journeys.do(lambda ctx: own.install(ctx, journeys.world.rules, data=found, zone=zone))
    if before is not None and before.sha256:
        _file(journeys, before).unlink(missing_ok=True)
    return found


def _said(source: str) -> Installed:
    """Ask a source what its data are. Raises as `plug`."""
    with _plugged(source) as data:
        return Installed(
            name=visible(data.name, most=80), edition=data.edition, source=source, places=PLACES in covers_of(data)
        )


@contextmanager
def _plugged(source: str) -> Iterator[AddressSource]:
    """Open a source that an installed package offers under `towncircle.address_sources`; it is closed if it can be."""
    offered = {one.name: one for one in entry_points(group=GROUP)}
    if source not in offered:
        raise BadInput("addresses.source-unknown", name=source[:40], known=", ".join(sorted(offered)) or "none")
    data: AddressSource = offered[source].load()()
    try:
        if not isinstance(data.name, str) or not EDITION.fullmatch(str(data.edition)):
            why = "it says no name, or no edition such as 2026-10"
            raise BadInput("addresses.source-unreadable", path=source, why=why)
        yield data
    finally:
        getattr(data, "close", lambda: None)()


def set_aside(journeys: Journeys) -> None:
    """Use the table that comes with the program alone. Raises `Refused` (addresses.none-installed)."""
    with journeys.world.store(journeys.licensee).reading() as view:
        before = own.installed(view)
    journeys.do(own.set_aside)
    if before is not None and before.sha256:
        with suppress(OSError):
            _file(journeys, before).unlink()


@contextmanager
def source_of(journeys: Journeys) -> Iterator[AddressSource]:
    """Open the address data in use. Raises `BadInput` (addresses.source-unreadable)."""
    with journeys.world.store(journeys.licensee).reading() as view:
        held = own.installed(view)
    if held is None:
        yield EMBEDDED
        return
    if held.source:
        with _plugged(held.source) as plugged:
            yield plugged
        return
    file = _file(journeys, held)
    with closing(RangeFile(file, label=held.name)) as data:
        if (data.name, data.edition, file.stat().st_size) != (held.name, held.edition, held.size):
            why = f"it is not the file that was installed (SHA-256 {held.sha256})"
            raise BadInput("addresses.source-unreadable", path=held.name, why=why)
        yield data


def whole(journeys: Journeys) -> bool:
    """Tell whether the installed file, if there is one, is to the byte what was installed."""
    with journeys.world.store(journeys.licensee).reading() as view:
        held = own.installed(view)
    if held is None or held.source:
        return True
    with suppress(OSError), _file(journeys, held).open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest() == held.sha256
    return False


def use(journeys: Journeys, *, day: date, reason: str) -> None:
    """Look whether the data in use are new enough for mail of a day; older ones need a reason, which is kept.

    A source that has another edition by now says so first, which is an update. Raises as `plug` and `address_data.use`.
    """
    renew(journeys)
    journeys.do(lambda ctx: own.use(ctx, journeys.world.rules, day=day, reason=reason))


def renew(journeys: Journeys) -> None:
    """Have a source of a package say which edition it has by now; another one is an update. Raises as `plug`."""
    with journeys.world.store(journeys.licensee).reading() as view:
        held = own.installed(view)
    if held is not None and held.source and _said(held.source) != held:
        plug(journeys, held.source)


def check(journeys: Journeys, *, day: date | None, reason: str) -> None:
    """Look as `use` does where nothing is mailed yet, a proof or an estimate: nothing is written down, no device asked.

    Without a day it is today at the licensing office.
    """
    day = day or journeys.world.clock.now().date_in(_zone(journeys))
    with journeys.world.store(journeys.licensee).reading() as view:
        own.check(view, journeys.world.rules, day=day, reason=reason)


def looked_up(journeys: Journeys, recipients: Sequence[Recipient], *, label: str = "") -> tuple[Recipient, ...]:
    """Give recipients as the data in use have them: verified, or with a ZIP+4 where one alone is possible.

    Raises `RefusedOnGrounds` (addresses.faulty-rows) with every row that the data contradict.
    """
    found: list[Recipient] = []
    grounds: list[TowncircleError] = []
    with source_of(journeys) as source:
        for one in recipients:
            try:
                found.append(matched(one, source))
            except BadInput as error:
                what = f"{error.sentence} {error.next_step}"
                grounds.append(BadInput("addresses.faulty-row", row=one.row, what=what))
    if grounds:
        raise RefusedOnGrounds(
            "addresses.faulty-rows", tuple(grounds), path=label or "the order", count=len(grounds), all=len(recipients)
        )
    return tuple(found)


def told(journeys: Journeys, body: Mapping[str, Any], counts: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Say which data the addresses of a job or a batch rest on, until when they are good, what ZIP+4 they verified.

    Nothing of a job from before that was kept.
    """
    data = body.get("address_data")
    if not data:
        return {}
    day = date.fromisoformat(body["mailing_date"])
    through = own.good_through(data, journeys.world.rules, day=day)
    found = own.counted(body["pieces"]) if counts is None else dict(counts)
    return {"sources": list(data), "good_through": through.isoformat(), **found}


def rows_of(found: Mapping[str, Any]) -> list[tuple[str, object]]:
    """Give what was `told` as rows of a table."""
    if not found:
        return []
    return [
        ("ZIP+4", own.in_words(found)),
        ("address data", own.data_in_words(found["sources"], through=found["good_through"])),
    ]


def added(found: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Put what was `told` of several jobs together; nothing where there is none."""
    every = [one for one in found if one]
    if not every:
        return {}
    sources = [source for one in every for source in one["sources"]]
    unique = list({(one["name"], one["edition"]): one for one in sources}.values())
    counts = {name: sum(one[name] for one in every) for name in ("zip4", "zip4_verified", "delivery_point")}
    return {"sources": unique, "good_through": min(one["good_through"] for one in every), **counts}


def _zone(journeys: Journeys) -> str:
    """Give the time zone of the licensing office. Raises `Refused` (world.no-license)."""
    with journeys.world.store(journeys.licensee).reading() as view:
        licenses = view.find("license")
    if not licenses:
        raise Refused("world.no-license", licensee=journeys.licensee)
    return place_of(str(licenses[-1].body["office_zip"])).zone


def _folder(journeys: Journeys) -> Path:
    return journeys.world.folder / journeys.licensee / FOLDER


def _file(journeys: Journeys, data: Installed) -> Path:
    return _file_of(journeys, data.sha256)


def _file_of(journeys: Journeys, digest: str) -> Path:
    return _folder(journeys) / f"{digest}.sqlite"
