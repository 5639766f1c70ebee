"""The commands about accounts as a person walks them, in text and JSON, with their files and refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.test_accounts import broken, funded
from tests.journeys.test_missing import text_of

from towncircle.cli.main import main
from towncircle.kernel.money import Mills
from towncircle.paper.scan import pages_of


def told(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, Any]:
    code = main([*map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def said(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    code = main([*map(str, words)])
    return code, capsys.readouterr().out


def letter_of(capsys: pytest.CaptureFixture[str], world: Path, closing: Any, out: Path, *, written: bool) -> None:
    """Ask for the letter with a refund check; before there is a check, it is refused."""
    answer = told(capsys, "close-account", "letter", world, closing["reference"], "--out", out)[1]
    if not written:
        assert answer["error"]["code"] == "closing.no-check"
        return
    page, amount = text_of(Path(answer["file"])), str(Mills(closing["amount_mills"]))
    for words in ("Refund check", "number 1 of", "drawn by bank.lockbox", closing["reference"], amount, "by asc"):
        assert words in page


def test_money_is_walked_from_the_deposit_to_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journeys = funded(tmp_path / "world")
    world, out = tmp_path / "world", tmp_path / "out"
    journeys.world.close()
    code, receipt = told(
        capsys, "deposit", world, "25", "--by", "ach-credit", "--routing", "990000039", "--payer-account", "7"
    )
    assert code == 0
    assert (
        told(capsys, "deposit", world, "25", "--routing", "990000039")[1]["error"]["code"] == "cli.routing-and-account"
    )
    assert told(capsys, "deposit", world, "25", "--routing", "1", "--payer-account", "7")[0] == 2
    assert told(capsys, "returned-item", world, receipt["deposit"])[1]["amount_mills"] == 25_000
    assert told(capsys, "reset", world, "10")[1]["error"]["code"] == "account.locked"
    assert told(capsys, "deposit", world, "25", "--by", "wire")[0] == 0
    assert told(capsys, "advance", "ask", world, "10")[0] == 3
    assert told(capsys, "advance", "agree", world, "40", "--by", "ann")[1]["limit_mills"] == 40_000
    assert "advances outstanding" in said(capsys, "advance", "ask", world, "10")[1]
    file = tmp_path / "day.ach"
    assert told(capsys, "ach", "write", world, file)[1]["returned"][0]["reason"] == "R01"
    written = file.read_bytes()
    assert told(capsys, "ach", "write", world, file, "--modifier", "A")[1]["modifier"] == "A"
    assert file.read_bytes() == written
    assert told(capsys, "ach", "write", world, file, "--modifier", "B")[1]["error"]["code"] == "ach.no-such-file"
    assert "The control totals hold." in said(capsys, "ach", "read", file)[1]
    file.write_bytes(file.read_bytes().replace(b"30000", b"30001", 1))
    assert told(capsys, "ach", "read", file)[1]["error"]["code"] == "ach.file-broken"
    code, record = told(capsys, "statement", "write", world, "--out", out)
    assert (code, len(record["transactions"])) == (0, 6)
    page, lines = map(Path, record["files"])
    assert len(list(pages_of(page.read_bytes(), name="statement"))) == 1
    assert told(capsys, "statement", "read", lines)[1]["closing_mills"] == record["closing_mills"]
    reference = record["transactions"][0]["reference"]
    assert "wrote" in said(capsys, "statement", "write", world, "--out", out, "--reference", reference)[1]
    code, text = said(capsys, "reconcile", world)
    assert code == 0
    assert "Every difference is explained." in text
    assert told(capsys, "reconcile", world, "--day", "1999-01-01")[0] == 3
    files = told(capsys, "reconcile", world, "--out", out)[1]["files"]
    assert [Path(file).name.partition("-")[0] for file in files] == ["provider.harbor", "provider.summit"]
    read = told(capsys, "reconcile", world, "--file", files[0])[1]
    assert (read["provider"], read["number"], read["accounts"]) == ("provider.harbor", 1, 1)
    assert "not asked for" in said(capsys, "close-account", "status", world)[1]
    assert told(capsys, "close-account", "request", world, "--by", "dora")[1]["error"]["code"] == "closing.waits"
    assert main(["withdraw", str(world)]) == 0
    capsys.readouterr()
    code, text = said(capsys, "close-account", "request", world, "--by", "dora")
    assert (code, "Next: towncircle close-account instruct" in text) == (0, True)
    (closing,) = told(capsys, "close-account", "status", world)[1]["requests"]
    letter_of(capsys, world, closing, out, written=False)
    assert told(capsys, "close-account", "instruct", world, closing["reference"], "--by", "asc")[1]["check"] == 1
    letter_of(capsys, world, closing, out, written=True)
    assert told(capsys, "close-account", "status", world)[1]["requests"][0]["state"] == "paid"


def test_a_claim_is_made_decided_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journeys = funded(tmp_path / "world")
    device, world = broken(journeys), tmp_path / "world"
    journeys.world.close()
    assert "No loss" in said(capsys, "claim", "status", world)[1]
    code, made = told(capsys, "claim", "make", world, device, "200", "--reason", "it failed", "--by", "dora")
    assert (code, made["state"]) == (0, "claimed")
    decide = ("claim", "decide", world, made["reference"], "--finding", "worn out", "--by", "ann")
    assert told(capsys, *decide)[1]["error"]["code"] == "person.not-approved"
    code, refusal = told(capsys, *decide, "--approved-by", "ben")
    assert (code, refusal["error"]["code"]) == (3, "claim.not-written-off")
    assert told(capsys, "custody", "write-off", world, device, "--reference", "bench-9")[0] == 0
    assert told(capsys, *decide, "--approved-by", "ben")[1]["amount_mills"] == 200_000
    assert "worn out" in said(capsys, "claim", "status", world)[1]
