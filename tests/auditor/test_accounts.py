"""What is told of accounts: one changed word of it is a named difference."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.auditor.test_checkouts import Edit, Row, edit
from tests.journeys.stories import HARBOR, MAILROOM
from tests.journeys.test_accounts import broken, examined, funded

from towncircle.auditor import audit
from towncircle.kernel.money import Mills
from towncircle.world import accounts
from towncircle.world.config import BANK, POSTAL
from towncircle.world.exporting import export
from towncircle.world.population import today

P, U, B = f"{HARBOR}/", f"{POSTAL}/", f"{BANK}/"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Live through a returned item, an advance, a check that waits, a claim, a closing; export it."""
    base = tmp_path_factory.mktemp("accounts")
    journeys = funded(base / "world")
    world = journeys.world
    accounts.agree_advance(world, MAILROOM, Mills.dollars(50), by="ann")
    accounts.ask_advance(journeys, Mills.dollars(50))
    item = journeys.deposit(Mills.dollars(60), form="wire")
    accounts.return_item(world, item.deposit_id, reason="R01")
    journeys.deposit(Mills.dollars(60), form="wire")
    journeys.deposit(Mills.dollars(30), form="check")
    journeys.reset(Mills.dollars(100))
    world.advance("2d")
    device = broken(journeys)
    told = accounts.claim(journeys, device, Mills.dollars(300), reason="it failed")
    examined(world, device)
    accounts.decide_claim(world, told.reference, grant=True, finding="worn out", by="ann", approved_by="ben")
    closing = accounts.close(journeys, by="dora")
    accounts.instruct(world, closing.reference, by="asc")
    accounts.statement(journeys, today(world)[:7])
    world.advance("1d")
    export(world, base / "export")
    world.close()
    return base / "export"


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "export"))


def codes_of(out: Path) -> set[str]:
    return {difference.code for difference in audit(out).differences}


def test_the_untouched_export_has_no_difference(copy: Path) -> None:
    report = audit(copy)
    assert [str(one) for one in report.differences] == []
    counted = {name: report.checked[name] for name in ("closings", "malfunction credits", "walked accounts")}
    assert counted == {"closings": 1, "malfunction credits": 1, "walked accounts": 1}
    assert report.checked["daily files"] >= 2


def body(file: str, kind: str, **values: Any) -> Edit:
    return edit(file, lambda row: row["body"].update(values), type=kind)


def record(kind: str, change: Any) -> Edit:
    return edit(f"{P}records.jsonl", change, kind=kind)


def refile(old: bytes, new: bytes) -> Any:
    def change(row: Row) -> None:
        raw = base64.b64decode(row["body"]["file"])
        row["body"]["file"] = base64.b64encode(raw.replace(old, new, 1)).decode()

    return change


FACTS = f"{P}facts.jsonl"
DAMAGES: dict[str, tuple[Edit, str]] = {
    "a limit never agreed": (body(FACTS, "advance.agreed", limit=1), "account.over-advance"),
    "an agreement that had ended": (
        edit(FACTS, lambda row: row.update(type="advance.ended"), type="advance.agreed"),
        "account.over-advance",
    ),
    "a limit that was lower": (body(FACTS, "advance.given", limit=1), "account.over-advance"),
    "a deposit that was not available": (
        body(FACTS, "deposit.credited", available="2030-01-01"),
        "account.not-available",
    ),
    "one person": (body(FACTS, "malfunction.credited", decided_by="ben"), "claim.one-person"),
    "a device that gave its balance back": (body(FACTS, "device.checked-out", outcome="credited"), "claim.no-loss"),
    "a device that its host may still have": (
        edit(FACTS, lambda row: row.update(type="custody.returned"), type="custody.checked out"),
        "claim.not-written-off",
    ),
    "registers that show less": (edit(f"{P}devices.jsonl", lambda row: row.update(descending=5)), "claim.more"),
    "a closing that nobody asked for": (body(FACTS, "account.closing-asked", asked_by=" "), "closing.no-request"),
    "more of its own": (body(FACTS, "account.closing-asked", own=10**9), "closing.own"),
    "another amount noticed": (body(f"{U}facts.jsonl", "closing.noticed", amount=10), "closing.notice"),
    "another check at the bank": (body(f"{B}facts.jsonl", "check.issued", check=9), "closing.check"),
    "another check at the Provider": (body(FACTS, "account.closed", check=9), "closing.check"),
    "another event in a daily file": (
        record("daily-file", refile(b"deposit-received", b"deposit-retained")),
        "daily.events",
    ),
    "another account in a daily file": (record("daily-file", refile(b"A|licensee.", b"A|licenses.")), "daily.account"),
    "another day in a daily file": (record("daily-file", refile(HARBOR.encode(), b"provider.harder")), "daily.header"),
    "a file that cannot be read": (record("daily-file", lambda row: row["body"].update(file="?")), "daily.malformed"),
    "another file received": (body(f"{U}facts.jsonl", "books.reconciled", digest="00"), "daily.received"),
}


def less(by: int) -> Any:
    def change(row: Row) -> None:
        row["lines"] = [[name, side, mills - by] for name, side, mills in row["lines"]]

    return change


def entry(recipe: str, change: Any) -> Edit:
    return edit(f"{P}entries.jsonl", change, recipe=recipe)


DAMAGES |= {
    "a check that leaves a cent behind": (entry("account-paid-out", less(10)), "closing.short"),
    "a credit that no Provider has": (
        edit(f"{MAILROOM}/entries.jsonl", lambda row: row.update(reference="CLM-other"), recipe="account-credited"),
        "licensee.stated",
    ),
    "a closing beside an advance": (entry("advance-repaid", less(10)), "closing.advance"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_changed_word_is_found(name: str, copy: Path) -> None:
    damage, code = DAMAGES[name]
    damage(copy)
    assert code in codes_of(copy)


@pytest.mark.parametrize(("recipe", "code"), [("advance-repaid", "account.not-repaid")])
def test_a_recipe_that_was_renamed_is_found(recipe: str, code: str, copy: Path) -> None:
    edit(f"{P}entries.jsonl", lambda row: row.update(reference="DEP-other"), recipe=recipe)(copy)
    assert code in codes_of(copy)


def test_a_reset_of_a_locked_or_closed_account_is_found(copy: Path) -> None:
    """The returned item and the closing are moved before the resets: nothing else of the export is true then either."""
    file = copy / f"{P}entries.jsonl"
    rows = file.read_text().splitlines()
    moved = [row for row in rows if '"deposit-returned"' in row or '"account-paid-out"' in row]
    rest = [row for row in rows if row not in moved]
    first = next(place for place, row in enumerate(rest) if '"reset-reserved"' in row)
    file.write_text("\n".join([*rest[:first], *moved, *rest[first:]]) + "\n")
    assert {"account.locked", "account.closed"} <= codes_of(copy)
