"""A device that answers and cannot open its keys: it goes out as one that failed, and its balance is not lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.journeys.stories import PEOPLE, refused
from tests.journeys.test_accounts import account, audited, examined, funded
from tests.journeys.test_custody import defect, provider
from tests.journeys.test_returning import two_persons

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused, TowncircleError
from towncircle.kernel.errors.table import ERRORS
from towncircle.kernel.money import Mills
from towncircle.licensee import returns, transfers
from towncircle.provider import defects
from towncircle.psd.opening import SECRET
from towncircle.world import accounts, keyless, returning
from towncircle.world.journeys import Journeys

LOSSES: dict[str, Callable[[Path], object]] = {
    "psd.no-secret": Path.unlink,
    "pki.bad-secret": lambda place: place.write_bytes(b""),
    "pki.key-file-locked": lambda place: place.write_bytes(b"x" * 32),
}


@pytest.fixture
def journeys(tmp_path: Path) -> Iterator[Journeys]:
    made = funded(tmp_path / "world")
    yield made
    made.world.close()


def lost(journeys: Journeys, code: str) -> None:
    """Lose the secret of the device in use, as a power cut, a hand or a wrong backup does."""
    journeys.world.shelf.close()
    LOSSES[code](journeys.world.shelf.folder_of(journeys.device) / SECRET)


def given_up(journeys: Journeys) -> None:
    assert returning.withdraw(journeys, reason="its secret is lost", failed=True).outcome == "to be examined"


@cites("502.20f", "502.27d", "P050-3.3a")
@pytest.mark.parametrize("code", LOSSES)
def test_the_balance_of_a_device_without_its_secret_comes_back_by_examination_and_claim(
    journeys: Journeys, tmp_path: Path, code: str
) -> None:
    world, device = journeys.world, journeys.device
    spent = journeys.evidence(journeys.plan(PEOPLE)).body["total"]
    journeys.contact()
    left = Mills.dollars(200) - Mills(spent)
    lost(journeys, code)
    with pytest.raises(TowncircleError) as caught:
        returning.withdraw(journeys, reason="no longer wanted")
    assert caught.value.code == code
    assert "withdraw DIR --failed" in caught.value.next_step
    assert journeys.do(lambda ctx: returns.case(ctx, device=device)) is None
    defect(journeys)
    provider(journeys, defects.retrieve, device, reference="van-2")
    given_up(journeys)
    provider(journeys, defects.examine, device, fault="no secret", remedy="withdrawn", reference="bench-9")
    told = accounts.claim(journeys, device, Mills.dollars(999), reason="its secret is lost")
    assert told.limit == left
    accounts.decide_claim(world, told.reference, grant=True, finding="no key opens", by="ann", approved_by="ben")
    assert account(world) == Mills.dollars(300) - Mills(spent)
    journeys.lease()
    journeys.reset(Mills.dollars(100))
    audited(world, tmp_path / "export")


def test_a_token_at_rest_and_a_wrong_pin_are_no_lost_keys() -> None:
    for what, lost in (("NoSuchKey", True), ("NoSuchToken", True), ("PinIncorrect", False), ("PinLocked", False)):
        assert keyless.is_loss(Refused("psd.token-refused", library="fleet", what=what)) == lost
    assert not keyless.is_loss(Refused("psd.token-busy", library="fleet", what="its worker died"))


@cites("502.27b")
def test_a_device_that_signs_is_not_given_up_by_a_persons_word(journeys: Journeys) -> None:
    with refused("licensee.device-signs"):
        returning.withdraw(journeys, reason="it is slow", failed=True)
    assert journeys.do(lambda ctx: returns.case(ctx, device=journeys.device)) is None
    journeys.reset(Mills.dollars(1))


@cites("502.20f")
def test_a_secret_that_is_lost_on_the_way_out_and_one_that_is_found_again(journeys: Journeys, tmp_path: Path) -> None:
    device = journeys.device
    kept = (journeys.world.shelf.folder_of(device) / SECRET).read_bytes()
    journeys.do(lambda ctx: returns.begin(ctx, device=device, purpose="return", reason="x", failed=True))
    journeys.do(lambda ctx: returns.give_notice(ctx, device=device, faulted=False))
    lost(journeys, "pki.bad-secret")
    (journeys.world.shelf.folder_of(device) / SECRET).write_bytes(kept)  # found again before anybody was told
    journeys.settle()
    assert journeys.status().withdrawn_total == Mills.dollars(200)
    assert account(journeys.world) == Mills.dollars(300)
    journeys.lease()
    journeys.reset(Mills.dollars(50))
    two_persons(journeys)
    device = journeys.device
    returning.request_transfer(journeys, by="anna", reason="the display is broken")
    journeys.do(transfers.approve, actor="ben")
    lost(journeys, "psd.no-secret")
    for _ in range(2):
        with refused("psd.no-secret"):
            returning.approve_transfer(journeys, by="ben")
    with refused("licensee.transfer-open"):
        given_up(journeys)
    for name in ("anna", "ben"):
        returning.cancel_transfer(journeys, by=name)
    given_up(journeys)
    examined(journeys.world, device)
    audited(journeys.world, tmp_path / "export")


@cites("502.27b")
@pytest.mark.parametrize("code", LOSSES)
def test_a_device_that_loses_its_keys_once_it_was_noted_holds_up_no_credit_of_another(
    journeys: Journeys, code: str
) -> None:
    world, first = journeys.world, journeys.device
    journeys.do(lambda ctx: returns.begin(ctx, device=first, purpose="return", reason="x"))
    journeys.do(lambda ctx: returns.give_notice(ctx, device=first, faulted=False))
    second = journeys.replace(first)
    journeys.reset(Mills.dollars(50), device=second)
    with refused("provider.balance-waiting"):
        returning.withdraw(journeys, reason="x", device=second, wait=True)
    world.shelf.close()
    LOSSES[code](world.shelf.folder_of(first) / SECRET)
    returning.sign_form(world, second, by="officer")
    returning.arrange(world, second, by="mats")
    with pytest.raises(TowncircleError) as caught:
        journeys.settle()
    assert caught.value.code == code  # it is told, and the credit of the other one is taken
    with world.store(journeys.licensee).reading() as view:
        states = {row.key: row.body["state"] for row in view.find("check-out")}
    assert states == {first: returns.NOTED, second: returns.DONE}
    assert account(world) == Mills.dollars(100)


def test_every_way_in_which_keys_are_lost_names_the_way_out() -> None:
    assert {code for code in keyless.LOST if "withdraw DIR --failed" not in ERRORS[code].next_step} == set()
