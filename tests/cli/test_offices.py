"""Every act of an office is refused, with its clause, to a person of the party who holds another or none."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.stories import HARBOR, MAILROOM, mailer, new_world, reopened
from tests.journeys.updates import specimen

from towncircle.cli.main import main
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.mailpiece import rate_files
from towncircle.rules import acts
from towncircle.rules.offices import acts_of_office, check_office, grant, offices_of
from towncircle.world.config import POSTAL
from towncircle.world.recording import record

PAPER = ("--reference", "FILE-7", "--document", "{paper}")
WORDS = ("--reasons", "it is so")
# What stands behind each act's command; `{device}` and the like are filled in. `cases close` has two persons.
COMMANDS: dict[str, tuple[str, ...]] = {
    "licenses revoke": ("{license}", "--ground", "control=it stood open"),
    "licenses decline": ("{license}", *WORDS),
    "licenses receipt": ("{license}", "--on", "2026-12-01"),
    "licenses uphold": ("DKT-1", *WORDS),
    "licenses reverse": ("DKT-1", *WORDS),
    "licenses caution": ("mailroom",),
    "licenses lift": ("mailroom",),
    "licenses meter": ("mailroom", "--office-zip", "10001"),
    "licenses permit": ("{license}", "--until", "2027-01-01", "--reference", "A-1"),
    "licenses end-permit": ("{license}",),
    "postmaster approve": ("{license}", "UNION", "--facility", "classified-branch", *WORDS),
    "postmaster refuse": ("{license}", "UNION", "--facility", "contract-station", *WORDS),
    "postmaster delay": ("{device}", "2026-11", *WORDS),
    "supervision propose": (
        *("--provider", HARBOR, "--ground", "noncompliance", "--about", "502.23", "--deficiency", "none were made"),
        *("--scope", "all", "--correct-by", "2027-02-15"),
    ),
    "supervision willful": ("--provider", HARBOR, "--ground", "noncompliance", "--about", "502.23", "--scope", "all"),
    "supervision more-time": ("PRC-1", "--correct-by", "2027-02-15"),
    "supervision corrected": ("PRC-1", *WORDS),
    "supervision notify": ("PRC-1", *WORDS),
    "supervision decide": ("PRC-1", *WORDS),
    "supervision revoke": ("PRC-1", *WORDS),
    "supervision extend": ("PRC-1", "--until", "2027-02-15", *WORDS),
    "supervision withdraw": ("PRC-1", *WORDS),
    "supervision uphold": ("PRC-1", *WORDS),
    "supervision reverse": ("PRC-1", *WORDS),
    "supervision sanction": ("--provider", HARBOR, "--provision", "502.20(f)", *WORDS),
    "supervision pay": ("PRC-1", "--amount", "5", "--reference", "C-1"),
    "supervision repay": ("PRC-1", "--reference", "C-1"),
    "supervision hold": ("{device}", "--reference", "C-1"),
    "products qualify": (HARBOR, "--step", "integrity", *PAPER),
    "products control": (HARBOR, "--reference", "C-1"),
    "products authorize": (HARBOR, *PAPER),
    "products submit": (HARBOR, "--system", "TC9A", "--step", "letter-of-intent", *PAPER),
    "products approve": (HARBOR, "--system", "TC9A", *PAPER),
    "products change": (HARBOR, "--system", "TC9A", *PAPER),
    "products approve-art": (HARBOR, "--name", "spring", "--examined"),
    "products refuse-art": (HARBOR, "--name", "spring", "--ground", "deceptive"),
    "labels approve": ("avery-5163", "--form", "label2x4", "--reference", "L-1"),
    "labels withdraw": ("avery-5163", *WORDS),
    "custody remove": ("{device}", "--reason", "weak"),
    "custody take": ("{device}", "--reason", "suspect", "--condition", "sealed"),
    "custody ask-review": ("--reference", "r-1"),
    "custody ask-review by a Provider": ("--reference", "r-1", "--at", HARBOR),
    "custody arrange": ("{device}",),
    "custody sign-form": ("{device}",),
    "custody purchase": ("{device}", *PAPER),
    "custody carrier permit": ("--service", "Swift", *PAPER),
    "custody carrier withdraw": ("--service", "Swift", *PAPER),
    "custody carrier show": ("--service", "Swift", *PAPER),
    "custody carrier use": ("--service", "Swift"),
    "examine": ("{device}",),
    "device compromised": ("{device}",),
    "device permit-renewal": ("{device}", "--reason", "it is in doubt"),
    "rates publish": ("{table}",),
    "rates accept": ("1",),
    "rates withdraw": ("1", "--through", "2027-06-30", "--reasons", "dearer"),
    "software approve": ("2", "--changes", "new"),
    "software stage": ("2", "--percent", "5", "--by", "2027-01-31"),
    "software halt": ("2", "--reason", "it fails"),
    "refund decide": ("RFD-1",),
    "refund sample": ("RFD-1", "--piece", "1"),
    "refund scan": ("RFD-1", "{mark}"),
    "refund certify": ("RFD-1",),
    "refund refuse": ("RFD-1",),
    "refund show": ("RFD-1", "{mark}"),
    "refund destroy": ("RFD-1",),
    "close-account instruct": ("CLO-1",),
    "custody manufacture": ("--count", "2"),
    "custody inspect": ("{device}",),
    "provider test-print": ("{device}", "--reference", "t-1", "--out", "{paper}.d"),
    "provider test-destroyed": ("--reference", "t-1"),
    "inspection announce": (
        "--reference",
        "I-1",
        "--provider",
        HARBOR,
        "--scope",
        "factory",
        "--site",
        "s",
        "--on",
        "2099-01-01",
    ),
    "inspection report": (
        "--reference",
        "I-1",
        "--provider",
        HARBOR,
        "--scope",
        "factory",
        "--site",
        "s",
        "--outcome",
        "in-order",
        *PAPER[2:],
    ),
    "inspection close": ("--reference", "I-1", "--outcome", "referred", "--words", "w"),
    "inspection answer": ("--reference", "I-1", *PAPER[2:]),
    "custody ship": ("{device}", "--article", "RB123456789US"),
    "custody receive": ("{device}", "--condition", "sound"),
    "custody retrieve": ("{device}", "--reference", "van-1"),
    "custody examine": ("{device}", "--fault", "a plug", "--remedy", "corrected", "--reference", "b-1"),
    "custody part": ("{device}", "--part", "clock", "--until", "2030-01-01", "--reference", "p-1"),
    "custody host": ("{device}",),
    "custody disable": ("{device}",),
    "custody write-off": ("{device}", "--reference", "b-1"),
    "custody scrap": ("{device}",),
    "custody let-go": ("{device}",),
    "missing search": ("{device}",),
    "missing step": ("{device}", "--step", "post-office", "--reference", "n-1"),
    "missing determine": ("{device}", "--event", "lost"),
    "missing police": ("{device}", "--cpip", "CPIP-1"),
    "missing incident": ("{device}",),
    "missing recovered": ("{device}",),
    "missing copy": ("{device}", "--reference", "CPIP-1"),
    "missing inspect": ("{device}", "--reference", "b-1"),
    "missing give-back": ("{device}",),
    "provider answer": ("PRC-1", "--kind", "defense", *WORDS),
    "provider art": ("spring", "--line", "Write once"),
    "provider discover": ("--category", "tampering", "--system", "TC1A", "--details", "a seal"),
    "provider report": ("WKN-1", "--stage", "preliminary", "--details", "a seal"),
    "cases close": ("--release", "{case}", "--reason", "x", "--by", "crypto-officer"),
    "advance agree": ("40",),
    "advance end": ("--reason", "it was paid back"),
    "claim decide": ("CLM-1", "--finding", "worn out"),
}
BY_PERSON = ("software approve", "software stage", "software halt", "rates publish", "rates accept", "rates withdraw")
WHO = dict.fromkeys(BY_PERSON, "--person")
JANITOR = "janitor"


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Give a world with a leased device, a refund, a claim and a case, whose janitors hold no office."""
    folder = tmp_path_factory.mktemp("offices") / "world"
    journeys = mailer(new_world(folder))
    world, device = journeys.world, journeys.device
    with world.store(MAILROOM).reading() as view:
        license_number = view.find("license")[-1].key
    for party in (POSTAL, HARBOR):
        world.desk(party).perform(partial(grant, name=JANITOR), actor=party)

    def rows(ctx: Context) -> None:
        ctx.tx.put("refund", "RFD-1", {"state": "received"}, owner=MAILROOM, expected=0)
        ctx.tx.put("claim", "CLM-1", {"state": "open"}, owner=MAILROOM, expected=0)
        ctx.tx.put("case", "CAS-1", {"state": "open", "device": device, "opened_at": 0}, owner=device, expected=0)

    world.desk(HARBOR).perform(rows, actor=HARBOR)
    world.close()
    paper, mark, table = (folder.parent / name for name in ("paper.pdf", "mark.hex", "table.toml"))
    paper.write_bytes(b"a paper")
    table.write_bytes(rate_files.write(specimen()))
    mark.write_text("aa" * 48)
    return {
        "world": str(folder),
        "device": device,
        "license": license_number,
        "case": "CAS-1",
        "table": str(table),
        "paper": str(paper),
        "mark": str(mark),
    }


def line(name: str, names: dict[str, str], who: str) -> list[str]:
    """Give the command line of an act, done by a person."""
    words = name.removesuffix(" by a Provider").split()
    verbs = words[:1] if words[0] in ("licenses", "postmaster", "cases", "advance") else words
    rest = [names["world"], *words[len(verbs) :]] if words[0] in ("licenses", "postmaster") else [names["world"]]
    if words[0] == "advance":
        verbs = words
    told = [word.format(**names) for word in COMMANDS[name]]
    return [*verbs, *rest, *told, WHO.get(name, "--by"), who]


def test_every_act_of_an_office_has_its_command_here() -> None:
    assert {name for name in acts_of_office() if not name.startswith("record ")} == COMMANDS.keys()
    assert all({*act.offices} <= {*offices_of(f"{act.party}.x")} for act in acts_of_office().values())


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_an_act_of_an_office_is_refused_to_who_does_not_hold_it(
    name: str, names: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*line(name, names, JANITOR), "--json"]) == 3
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["code"], error["clause"]) == ("person.other-office", acts_of_office()[name].clause)


def test_an_act_of_people_is_recorded_by_who_holds_its_office_only(names: dict[str, str]) -> None:
    world = reopened(Path(names["world"]))
    for act in acts.acts().values():
        party = POSTAL if act.by == "postal" else HARBOR
        about = HARBOR if act.about == "provider" else MAILROOM if act.about else ""
        with pytest.raises(Refused) as caught:
            record(world, act.name, by=f"{party}/{JANITOR}", reference="R-1", document=b"x", about=about)
        code = "acts.done-by" if act.command else "person.other-office"  # a procedure asks for its own office
        assert (caught.value.code, caught.value.clause) == (code, act.clause)
    world.close()


def test_an_office_is_granted_and_taken_with_its_person(
    names: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    def told(*words: str) -> dict[str, Any]:
        main([*words, "--json"])
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    person = ("person", names["world"], "zoe", "--at", POSTAL)
    meter = ("licenses", names["world"], "meter", "annex", "--office-zip", "10001", "--by", "zoe")
    assert told(*meter)["error"]["code"] == "person.unknown"
    assert told(*person, "--office", "custodian")["error"]["code"] == "person.no-such-office"
    assert told(*person, "--office", "mats")["offices"]["zoe"] == ["mats"]
    assert told(*meter)["error"]["code"] == "person.other-office"
    assert told(*person, "--office", "postmaster")["offices"]["zoe"] == ["mats", "postmaster"]
    assert "licensee.annex" in {row["licensee"] for row in told(*meter)["licenses"]}
    assert "zoe" not in told(*person, "--strike")["offices"]
    assert told(*person)["offices"]["zoe"] == []


def test_who_was_listed_before_there_were_offices_holds_all_until_some_are_granted(names: dict[str, str]) -> None:
    world = reopened(Path(names["world"]))

    def job(ctx: Context) -> None:
        ctx.tx.put("person", "old", {"state": "authorised"}, owner=ctx.party, expected=0)  # as it was kept then
        assert check_office(ctx, "old", "refund decide") == check_office(ctx, "old", "licenses revoke")
        assert "old" in grant(ctx, name="old")
        assert check_office(ctx, "old", "refund decide") == "old"
        grant(ctx, name="old", named=("postmaster",))
        assert check_office(ctx, "old", "licenses revoke") == "old"
        with pytest.raises(Refused):
            check_office(ctx, "old", "refund decide")

    world.desk(POSTAL).perform(job, actor=POSTAL)
    world.close()
