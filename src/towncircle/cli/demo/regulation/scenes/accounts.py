"""CMRS accounts (P050 3.3, 3.5, 502.20(m), 502.25(c), 502.27(c), 502.27(d)): what happens to money beside resets.

Mail rooms: 31 a deposit that comes back, 32 a check that waits and an advance, 33 a claim and a closing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from towncircle.cli.demo.regulation.procedures import procedure, scene, shows
from towncircle.cli.demo.regulation.scenes.devices import break_down
from towncircle.cli.demo.regulation.scenes.licenses import withdraw
from towncircle.cli.demo.regulation.town import refused
from towncircle.cli.demo.stage import expect
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import ZERO, Mills
from towncircle.provider import checkouts
from towncircle.wire import nacha
from towncircle.world import accounts
from towncircle.world.population import today

if TYPE_CHECKING:
    from towncircle.cli.demo.regulation.town import Town

_RETURNED = Mills.dollars(60)
_ALL = Mills.dollars(105)  # what is in the account of mail room 32 with its check
_ADVANCE = Mills.dollars(50)
_FINDING = "Its memory is worn out."

procedure(
    "The three books are compared each day",
    "postal books.reconciled",
    "provider daily-file.found",
    clause="502.20(m), 502.8",
)
procedure(
    "A licensee asks its Provider about its account and is answered",
    "licensee account.asked",
    "licensee account.answered",
    clause="P050 3.3",
)


@shows(
    42,
    "A deposit comes back unpaid: it is taken back, what was spent of it is advanced, the account is locked",
    "bank item.returned",
    "bank ach-file.written",
    "provider deposit.returned form=ach-debit",
    "provider reset.refused code=account.locked",
    clause="502.25(c), P050 3.5(a)",
)
def returned(town: Town) -> None:
    """Spend a deposit, and have the bank return it; the day's ACH file holds it."""
    journeys = town.room(31)
    town.connect(journeys)
    deposit = journeys.deposit(_RETURNED, form="ach-debit")
    journeys.reset(Mills.dollars(120))
    accounts.return_item(town.world, deposit.deposit_id, reason="R01")
    file = nacha.read(accounts.ach_file(town.world, today(town.world)))
    named = [entry.identification for batch in file.batches for entry in batch.entries]
    expect(deposit.deposit_id.replace("-", "") in named, "the ACH file does not hold the deposit")
    with refused("account.locked"):
        journeys.reset(Mills.dollars(10))


@shows(
    43,
    "A later deposit makes the returned item good and repays what was advanced",
    "provider returned-item.made-good",
    "provider advance.repaid",
    clause="P050 3.5(a)",
)
def made_good(town: Town) -> None:
    """Deposit as much by wire; the account is open again."""
    journeys = town.room(31)
    town.connect(journeys)
    journeys.deposit(_RETURNED, form="wire")
    journeys.reset(Mills.dollars(10))


@shows(
    36,
    "A check may not be drawn on before its time",
    "provider reset.refused code=account.not-available",
    clause="P050 3.5(a), 502.25(c)",
)
def waits(town: Town) -> None:
    """Deposit a check, and ask for all of the account."""
    journeys = town.room(32)
    town.connect(journeys)
    journeys.deposit(Mills.dollars(25), form="check")
    with refused("account.not-available"):
        journeys.reset(_ALL)


@scene(36, waits="available_check")
def available(town: Town) -> None:
    """Draw on the check on the day on which it is collected."""
    journeys = town.room(32)
    town.connect(journeys)
    journeys.reset(_ALL)


@shows(
    45,
    "An advance is agreed, given, and repaid out of the next deposit; the agreement ends",
    "provider advance.given",
    "provider advance.agreed",
    "provider advance.repaid",
    "provider advance.ended",
    clause="502.25(c), P050 3.5(a)",
)
def advanced(town: Town) -> None:
    """Agree on an advance, take it, spend it, deposit again, and end the agreement."""
    journeys = town.room(32)
    town.connect(journeys)
    with refused("advance.not-agreed"):
        accounts.ask_advance(journeys, _ADVANCE)
    accounts.agree_advance(town.world, journeys.licensee, _ADVANCE, by="ann")
    told = accounts.ask_advance(journeys, _ADVANCE)
    journeys.reset(told.account_balance)
    journeys.deposit(Mills.dollars(80))
    accounts.end_advance(town.world, journeys.licensee, reason="It was for once.", by="ann")
    with refused("advance.not-agreed"):
        accounts.ask_advance(journeys, _ADVANCE)


@shows(
    62,
    "A monthly statement names every transaction",
    "licensee statement.received",
    "provider statement.given month=*",
    clause="P050 3.5(c)",
)
def stated(town: Town) -> None:
    """Fetch last month's statement, and write it as paper and as a file."""
    first = town.world.clock.now().utc().date().replace(day=1)
    told = accounts.statement(town.room(32), (first - timedelta(days=1)).isoformat()[:7])
    expect(told.statement.rows, "the statement is empty")
    accounts.write_statement(told, town.out / "mail")


@scene(90)
def failed(town: Town) -> None:
    """Let a device fail with postage in it; it is given back, and its postage claimed."""
    journeys = town.room(33)
    town.connect(journeys)
    device = journeys.device
    break_down(town, device)
    withdraw(town, 33, "it failed")
    town.authorise(journeys.licensee, "dora")
    told = accounts.claim(journeys, device, Mills.dollars(999), reason="It shows an error.", by="dora")
    town.notes["failed"], town.notes["claim"] = device, told.reference


@shows(
    91,
    "A claim for postage that a malfunction lost is declined",
    "provider malfunction.declined",
    "provider malfunction.claimed",
    clause="502.27(d), P050 3.3(a)",
)
def declined(town: Town) -> None:
    """Decline the claim by two persons; it is made anew for what the device's last reading shows."""
    journeys, device = town.room(33), DeviceId(town.notes["failed"])
    accounts.decide_claim(
        town.world, town.notes["claim"], grant=False, finding="It was not examined.", by="ann", approved_by="ben"
    )
    told = accounts.claim(journeys, device, Mills.dollars(999), reason="It was examined.", by="dora")
    town.notes["claim"] = told.reference


@shows(
    92,
    "A claim for postage that a malfunction lost is granted by two persons and borne by the Provider",
    "provider malfunction.credited",
    "provider custody.checked_out reference=*",
    clause="502.27(d), P050 3.3(a)",
)
def granted(town: Town) -> None:
    """Write the device off after its examination, and grant the claim as two persons."""
    device = town.notes["failed"]
    town.provider(device, checkouts.write_off, act="custody write-off", reference="bench-12")
    accounts.decide_claim(town.world, town.notes["claim"], grant=True, finding=_FINDING, by="ben", approved_by="ann")
    told = accounts.follow(town.room(33), town.notes["claim"])
    expect(told.state == "granted" and told.amount > ZERO, f"the claim is {told.state}")


@shows(
    95,
    "An account is closed in writing; its money leaves it at once",
    "provider account.closing-asked",
    "provider account.paid-out",
    "postal closing.noticed",
    clause="502.27(c), P050 3.3(d)",
)
def closing(town: Town) -> None:
    """Ask for the closing as an authorised person."""
    told = accounts.close(town.room(33), by="dora", reason="The mail room closes.")
    town.notes["closing"] = told.reference


@shows(
    99,
    "A closed account is paid out by one refund check",
    "bank check.issued",
    "postal payout.instructed",
    "provider account.closed check=*",
    clause="502.27(c), P050 3.3(d)",
)
def paid_out(town: Town) -> None:
    """Instruct the bank as the accounting service center; the licensee hears of its check."""
    accounts.instruct(town.world, town.notes["closing"], by="olaf")
    told = accounts.follow(town.room(33), town.notes["closing"])
    expect(told.state == "paid", f"the closing is {told.state}")
