"""A device on its way: inspected, shipped, signed for, defective, sent back, removed, scrapped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.stories import ANNEX, HARBOR, MAILROOM, mailer, new_world, officers
from tests.journeys.test_examinations import no_difference
from tests.journeys.test_journeys import PEOPLE, refused
from tests.parties.hand import Line

from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused, RelayedRefusal
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.kernel.store import Record
from towncircle.ledger import Books
from towncircle.licensee import custody as own
from towncircle.provider import checkouts, defects, handovers, removals, upkeep
from towncircle.testing.rehearsal_world import in_process
from towncircle.world import custody, licensing, printing, returning
from towncircle.world.config import POSTAL
from towncircle.world.custody_papers import given_back
from towncircle.world.journeys import Applicant, Journeys
from towncircle.world.lines import LINE, write
from towncircle.world.missing import at_provider
from towncircle.world.stations import enrol, found
from towncircle.world.world import Wiring, World


@pytest.fixture
def journeys(tmp_path: Path) -> Iterator[Journeys]:
    world = new_world(tmp_path / "world")
    officers(world, "olaf")
    yield mailer(world, deposit=600, reset=200)
    world.close()


def provider(journeys: Journeys, job: Callable[..., Any], device: DeviceId, **told: Any) -> Any:
    return at_provider(journeys.world, device, lambda ctx: job(ctx, device=device, **told))


def kept(journeys: Journeys, device: str) -> Record:
    with journeys.world.store(HARBOR).reading() as view:
        row = view.get("device", device)
    assert row is not None
    return row


def state(journeys: Journeys, device: str) -> str:
    return str(kept(journeys, device).body["custody"])


def facts(world: World, party: str, *kinds: str) -> list[tuple[str, str]]:
    with world.store(party).reading() as view:
        return [(fact.type, fact.subject) for fact in view.facts() if fact.type in kinds]


def defect(journeys: Journeys, device: DeviceId | None = None) -> Record:
    return custody.report_defect(
        journeys, device or journeys.device, kind="misregistering", details="It counts a piece twice."
    )


def account(journeys: Journeys) -> Mills:
    with journeys.world.store(HARBOR).reading() as view:
        return Books(view).balance(f"account/{journeys.licensee}")


def test_a_device_is_inspected_shipped_and_signed_for_by_both(journeys: Journeys, tmp_path: Path) -> None:
    device = journeys.device
    assert facts(journeys.world, HARBOR, "device.inspected", "hand-over.signed", "form-3601-c.filed")[0] == (
        "device.inspected",
        device,
    )
    (shipment,) = custody.kept(journeys.world)[0].shipments
    assert (shipment.body["service"], shipment.body["permission"]) == ("Registered Mail", "")
    with journeys.world.store(MAILROOM).reading() as view:
        (mine,) = own.hand_overs(view, device)
    assert mine.key == shipment.key
    assert mine.body["paper"] == shipment.body["paper"] != ""
    assert shipment.body["receipt"]
    no_difference(journeys.world, tmp_path / "export")


def test_a_device_that_nobody_has_signed_for_gets_no_postage(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    journeys = mailer(world, deposit=600)
    device = journeys.device
    with world.store(HARBOR).transaction() as tx:  # as if the receipt had never come
        row = tx.get("device", device)
        assert row is not None
        tx.put("device", device, {**row.body, "custody": "shipped"}, owner=row.owner, expected=row.version)
    with refused("provider.not-leased"):
        journeys.reset(Mills.dollars(50))
    world.close()


def test_a_lease_that_was_cut_off_before_the_receipt_is_signed_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = new_world(tmp_path / "world")
    journeys = Journeys(world)
    journeys.apply(Applicant(), provider=HARBOR)
    with monkeypatch.context() as patch:
        patch.setattr(own, "accept", _stopped)
        with pytest.raises(KeyboardInterrupt):
            journeys.lease()
    device = journeys.device
    assert state(journeys, device) == "shipped"
    journeys.settle()
    assert (state(journeys, device), journeys.lease().device) == ("leased", device)
    assert facts(world, POSTAL, "device.installed") == [("device.installed", device)]
    no_difference(world, tmp_path / "export")
    world.close()


def _stopped(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_defective_device_is_reported_retrieved_replaced_and_scrapped(journeys: Journeys, tmp_path: Path) -> None:
    world, old = journeys.world, journeys.device
    held = defect(journeys)
    assert (held.body["state"], state(journeys, old)) == ("reported", "suspect")
    with refused("custody.defective"):
        journeys.reset(Mills.dollars(50))
    with refused("custody.defective"):
        printing.print_job(journeys, PEOPLE, tmp_path / "out", formats=("pdf",))
    provider(journeys, defects.retrieve, old, reference="van-1")
    told = returning.withdraw(journeys, reason="it is defective")
    assert (told.amount, account(journeys)) == (Mills.dollars(200), Mills.dollars(600))
    with refused("custody.no-replacement"):
        provider(journeys, defects.examine, old, fault="worn", remedy="replaced", reference="bench-1")
    new = DeviceId(journeys.lease().device)
    over = provider(journeys, defects.examine, old, fault="a worn contact", remedy="replaced", reference="bench-1")
    assert over.body["replacement"] == new
    journeys.reset(Mills.dollars(200))
    assert (state(journeys, old), state(journeys, new)) == ("checked out", "leased")
    custody.send_back(journeys, old, article="9407-1")
    with refused("custody.not-back"):
        provider(journeys, upkeep.scrap, old)
    with refused("custody.not-arrived"):
        custody.fetch_receipt(journeys, old)
    provider(journeys, handovers.receive, old, condition="sound")
    assert custody.fetch_receipt(journeys, old).body["condition"] == "sound"
    provider(journeys, upkeep.scrap, old)
    assert (state(journeys, old), journeys.status_of(old).state) == ("scrapped", "zeroised")
    with world.store(POSTAL).reading() as view:
        (filed,) = view.find("malfunction")
    assert (filed.body["report"]["fault"], filed.body["report"]["remedy"]) == ("a worn contact", "replaced")
    no_difference(world, tmp_path / "export")


def test_a_defect_that_is_corrected_where_it_stands_gives_the_device_its_use_back(
    journeys: Journeys, tmp_path: Path
) -> None:
    defect(journeys)
    provider(journeys, defects.examine, journeys.device, fault="a loose plug", remedy="corrected", reference="b-2")
    with refused("custody.defective"):
        journeys.reset(Mills.dollars(50))  # the licensee does not know of it yet
    assert defect(journeys).body["state"] == "over"
    journeys.reset(Mills.dollars(50))
    assert state(journeys, journeys.device) == "leased"
    no_difference(journeys.world, tmp_path / "export")


def test_the_same_defect_told_again_is_one_defect(journeys: Journeys) -> None:
    first, second = defect(journeys), defect(journeys)
    assert first.body["defect"] == second.body["defect"] != ""
    assert facts(journeys.world, HARBOR, "defect.notified") == [("defect.notified", journeys.device)]


def test_a_device_goes_back_by_the_service_of_the_rule_or_a_permitted_one(journeys: Journeys) -> None:
    device = journeys.device
    with refused("custody.not-given-up"):
        custody.send_back(journeys, device, article="1")
    returning.withdraw(journeys, reason="no longer wanted")
    with refused("custody.return-service"):
        custody.send_back(journeys, device, article="1", service="Courier")
    custody.permit(
        journeys.world, provider=HARBOR, direction="back", service="Courier", permission="MTM-1", document=b"x"
    )
    held = custody.send_back(journeys, device, article="1", service="Courier")
    assert custody.send_back(journeys, device, article="1").key == held.key  # it is on its way
    (_, back) = custody.kept(journeys.world)[0].shipments
    assert (back.body["service"], back.body["permission"]) == ("Courier", "MTM-1")


def test_a_carrier_is_shown_permitted_and_used(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    told = {"service": "Armored Express", "reference": "security-3"}
    with refused("custody.carrier-not-permitted"):
        custody.use_carrier(world, HARBOR, service="Armored Express")
    paper = {"permission": "MTM-2", "document": b"permitted"}
    with refused("custody.carrier-not-shown"):
        custody.permit(world, provider=HARBOR, direction="out", service="Armored Express", **paper)  # type: ignore[arg-type]
    custody.show_carrier(world, HARBOR, **told, document=b"vaults and guards")
    custody.permit(world, provider=HARBOR, direction="out", service="Armored Express", **paper)  # type: ignore[arg-type]
    custody.use_carrier(world, HARBOR, service="Armored Express")
    mailer(world)
    (shipment,) = custody.kept(world)[0].shipments
    assert (shipment.body["service"], shipment.body["permission"]) == ("Armored Express", "MTM-2")
    withdrawal: dict[str, Any] = {"provider": HARBOR, "service": "Armored Express", "reference": "MTM-9"}
    with refused("custody.not-permitted"):
        custody.withdraw_permission(world, direction="back", document=b"no", **withdrawal)
    custody.withdraw_permission(world, direction="out", document=b"vaults were open", **withdrawal)
    mailer(world, ANNEX)
    services = {one.shipments[0].body["service"]: one.shipments[0].body["permission"] for one in custody.kept(world)}
    assert services == {"Armored Express": "MTM-2", "Registered Mail": ""}  # at once, without another word
    with refused("custody.carrier-not-permitted"):
        custody.use_carrier(world, HARBOR, service="Armored Express")
    with refused("custody.not-permitted"):
        custody.withdraw_permission(world, direction="out", document=b"again", **withdrawal)
    anew: dict[str, Any] = {"permission": "MTM-12", "document": b"permitted anew"}
    custody.permit(world, provider=HARBOR, direction="out", service="Armored Express", **anew)
    custody.use_carrier(world, HARBOR, service="Armored Express")
    no_difference(world, tmp_path / "export")
    world.close()


def test_a_device_that_the_postal_service_indicates_gets_no_postage_and_leaves(
    journeys: Journeys, tmp_path: Path
) -> None:
    device = journeys.device
    order = custody.order_removal(journeys.world, device, reason="It is of a withdrawn series.", by="olaf")
    assert custody.order_removal(journeys.world, device, reason="Again.", by="olaf").key == order.key
    with refused("provider.not-leased"):
        journeys.reset(Mills.dollars(50))
    assert returning.withdraw(journeys, reason="removal was ordered").amount == Mills.dollars(200)
    assert state(journeys, device) == "checked out"
    with refused("custody.withdrawn"):
        custody.order_removal(journeys.world, device, reason="Once more.", by="olaf")
    no_difference(journeys.world, tmp_path / "export")


def test_an_inspector_takes_a_device_along_against_a_receipt(journeys: Journeys, tmp_path: Path) -> None:
    device = journeys.device
    with refused("custody.no-receipt"):
        custody.fetch_receipt(journeys, device, inspector=True)
    with refused("person.unknown"):
        custody.order_removal(journeys.world, device, reason="A suspect mark.", by="somebody")
    custody.order_removal(
        journeys.world, device, reason="A suspect mark.", condition="sealed, two scratches", by="olaf"
    )
    receipt = custody.fetch_receipt(journeys, device, inspector=True)
    assert receipt.body["condition"] == "sealed, two scratches"
    with journeys.world.store(HARBOR).reading() as view:
        known, row = view.facts(), view.get("device", device)
        (copy,) = [fact for fact in known if fact.type == "removal.ordered"]
    assert row is not None
    assert given_back(row, known, None) == "not yet known: an inspector of the Postal Service took it along"
    before = [fact for fact in known if fact.type != "removal.ordered"]
    for state_, words in (
        ("leased", "none: it is in service"),
        ("lost", "none: it is lost, and its last signed reading stands"),
        ("suspect", "none yet: it is suspect"),
    ):
        assert given_back(replace(row, body={**row.body, "custody": state_}), before, None) == words
    assert (copy.body["receipt"], copy.body["condition"]) == (receipt.key, "sealed, two scratches")
    no_difference(journeys.world, tmp_path / "export")


def test_an_element_in_the_providers_server_is_disabled_with_the_revocation(journeys: Journeys, tmp_path: Path) -> None:
    device = journeys.device
    provider(journeys, removals.host, device)
    with journeys.world.store(POSTAL).reading() as view:
        number = view.find("license")[0].key
    officers(journeys.world, "mats")
    licensing.revoke(journeys.world, number, {"control": "It stood open."}, by="mats")
    assert (state(journeys, device), journeys.status().state) == ("checked out", "withdrawn")
    journeys.settle()
    assert account(journeys) == Mills.dollars(600)
    assert facts(journeys.world, HARBOR, "element.unwanted", "element.disabled") == [
        ("element.unwanted", device),
        ("element.disabled", device),
    ]
    no_difference(journeys.world, tmp_path / "export")


def test_an_element_in_the_providers_server_is_disabled_on_order(journeys: Journeys, tmp_path: Path) -> None:
    device = journeys.device
    provider(journeys, removals.host, device)
    custody.order_removal(journeys.world, device, reason="A weak class.", by="olaf")
    assert (state(journeys, device), journeys.status().registers.descending) == ("checked out", ZERO)
    journeys.settle()
    provider(journeys, upkeep.scrap, device)  # it never left the Provider's server
    no_difference(journeys.world, tmp_path / "export")


def test_a_device_whose_balance_waits_is_not_scrapped(journeys: Journeys, tmp_path: Path) -> None:
    world, device = journeys.world, journeys.device
    provider(journeys, removals.host, device)
    with refused("provider.balance-waiting"):
        returning.withdraw(journeys, reason="no longer wanted", wait=True)
    with refused("provider.balance-waiting") as caught:
        provider(journeys, upkeep.scrap, device)
    assert "the Provider's signature" in caught.value.sentence
    assert (state(journeys, device), journeys.status_of(device).state) == ("checked out", "withdrawn")
    returning.sign_form(world, device, by="officer")
    returning.arrange(world, device, by="mats")
    journeys.settle()
    assert provider(journeys, upkeep.scrap, device).body["custody"] == "scrapped"
    no_difference(world, tmp_path / "export")


def test_a_returned_device_that_does_not_answer_holds_up_nothing_else(journeys: Journeys, tmp_path: Path) -> None:
    world, old = journeys.world, journeys.device
    with refused("provider.balance-waiting"):
        returning.withdraw(journeys, reason="no longer wanted", wait=True)
    new = journeys.lease().device
    world.shelf.close()
    chance, now, stations = SeededRandomness(5, "host"), world.clock.now(), tmp_path / "stations"
    found(stations, chance, now)
    enrol(stations, "desk", tmp_path / "desk", devices=[old], randomness=chance, now=now)
    line = world.shelf.folder_of(old) / LINE
    write(line, {"station": str(tmp_path / "desk"), "address": ["127.0.0.1", 1]})  # a host that is away
    with refused("transport.unreachable"):
        journeys.status_of(old)
    assert returning.waiting(journeys) == [(old, Mills.dollars(200))]  # as it signed it
    journeys.deposit(Mills.dollars(10))
    journeys.settle()
    assert journeys.device == new
    line.unlink()
    assert returning.waiting(journeys) == [(old, Mills.dollars(200))]


def test_a_system_that_the_postal_service_purchased_is_not_the_providers_to_scrap(
    journeys: Journeys, tmp_path: Path
) -> None:
    device = journeys.device
    custody.purchase(journeys.world, device, reference="purchase-4", document=b"deed")
    custody.purchase(journeys.world, device, reference="purchase-4", document=b"deed")
    assert custody.kept(journeys.world)[0].owner == POSTAL
    returning.withdraw(journeys, reason="no longer wanted")
    with refused("custody.not-owned"):
        provider(journeys, upkeep.scrap, device)
    no_difference(journeys.world, tmp_path / "export")


def line_world(tmp_path: Path) -> tuple[Journeys, Line]:
    folder, line = tmp_path / "world", Line()
    mailer(new_world(folder), deposit=600, reset=200).world.close()
    world = World.open(folder, Wiring(make_port=in_process(folder), transport=line.over))
    return Journeys(world), line


@pytest.mark.parametrize("when", ["before the Provider saw it", "after the Provider answered"])
def test_a_defect_during_a_reset_has_one_outcome(when: str, tmp_path: Path) -> None:
    journeys, line = line_world(tmp_path)
    reported: list[Record | None] = []

    def meanwhile(audience: str, raw: bytes) -> bytes:
        if audience == HARBOR and not reported:
            reported.append(None)  # so that the report itself does not report
            reported[0] = defect(journeys)
        return raw

    setattr(line, "going" if when.startswith("before") else "coming", meanwhile)
    if when.startswith("before"):
        with pytest.raises(RelayedRefusal, match="not leased"):
            journeys.reset(Mills.dollars(50))
    else:
        journeys.reset(Mills.dollars(50))
    set_ = Mills.dollars(200 if when.startswith("before") else 250)
    assert (journeys.status().registers.descending, account(journeys)) == (set_, Mills.dollars(600) - set_)
    assert state(journeys, journeys.device) == "suspect"
    no_difference(journeys.world, tmp_path / "export")
    journeys.world.close()


def test_a_return_during_a_reset_has_one_outcome_and_the_other_is_told(tmp_path: Path) -> None:
    journeys, line = line_world(tmp_path)
    told: list[str] = []

    def meanwhile(audience: str, raw: bytes) -> bytes:
        if audience == HARBOR and not told:
            told.append("")
            try:
                returning.withdraw(journeys, reason="no longer wanted")
            except Refused as refusal:
                told[0] = refusal.code
        return raw

    line.coming = meanwhile  # the Provider has authorised it, and the device has not heard of it
    try:
        journeys.reset(Mills.dollars(50))
        outcome = "reset"
    except Refused as refusal:
        outcome = refusal.code
    line.coming = lambda _audience, raw: raw
    journeys.settle()
    with journeys.world.store(HARBOR).reading() as view:
        held = Books(view).device(MAILROOM, journeys.device)
    assert held.in_transit == ZERO
    assert account(journeys) + held.descending == Mills.dollars(600)
    assert journeys.status().registers.descending == held.descending
    assert (outcome == "reset") != (told == [""]) or state(journeys, journeys.device) == "checked out"
    no_difference(journeys.world, tmp_path / "export")
    journeys.world.close()


def test_of_two_check_outs_at_once_one_credits_and_both_say_the_same(journeys: Journeys, tmp_path: Path) -> None:
    told: list[Mills | str] = ["", ""]
    gate = threading.Barrier(2)

    def leave(place: int) -> None:
        gate.wait()
        try:
            told[place] = returning.withdraw(journeys, reason="no longer wanted").amount
        except Refused as refusal:
            told[place] = refusal.code

    threads = [threading.Thread(target=leave, args=(place,)) for place in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with refused("licensee.checked-out"):  # whatever the two were told, walking it again ends it
        for _ in range(2):
            returning.withdraw(journeys, reason="no longer wanted")
    assert all(told)
    assert account(journeys) == Mills.dollars(600)
    assert [kind for kind, _ in facts(journeys.world, HARBOR, "balance.withdrawn", "device.checked-out")] == [
        "device.checked-out",
        "balance.withdrawn",
    ]
    no_difference(journeys.world, tmp_path / "export")


def test_of_two_inspections_of_one_defect_one_stands(journeys: Journeys) -> None:
    defect(journeys)
    done: list[str] = []

    def meanwhile(ctx: Context) -> Record:
        done.append("second")
        return defects.examine(ctx, device=journeys.device, fault="a plug", remedy="corrected", reference="b-1")

    at_provider(journeys.world, journeys.device, meanwhile)
    with refused("custody.no-defect"):
        provider(journeys, defects.examine, journeys.device, fault="other", remedy="corrected", reference="b-2")


def test_a_failed_device_is_written_off_after_its_examination(journeys: Journeys, tmp_path: Path) -> None:
    from tests.journeys.test_returning import break_down

    device = journeys.device
    break_down(journeys.world, device)
    defect(journeys)
    provider(journeys, defects.retrieve, device, reference="van-2")
    assert returning.withdraw(journeys, reason="it failed").outcome == "to be examined"
    with refused("custody.not-out"):
        provider(journeys, upkeep.scrap, device)
    provider(journeys, defects.examine, device, fault="a burnt board", remedy="withdrawn", reference="bench-9")
    assert state(journeys, device) == "checked out"
    provider(journeys, checkouts.write_off, device, reference="bench-9")  # it was already
    no_difference(journeys.world, tmp_path / "export")
