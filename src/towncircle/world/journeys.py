"""The journeys of a licensee as one walks them: license, lease, deposit, reset, contact, print.

Here: each step as one call on an opened world, with sensible defaults. Not here: arguments of commands, decisions.
Kept: every step can be run again after a crash and then finishes what was begun.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from towncircle.kernel.context import Context, Steps
from towncircle.kernel.errors import BadInput, Refused, RelayedRefusal
from towncircle.kernel.ids import ApplicationId, DepositId, DeviceId, JobId
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import Randomness
from towncircle.kernel.store import Record
from towncircle.licensee import (
    corrections,
    custody,
    envelopes,
    funds,
    halves,
    licenses,
    mailroom,
    missing,
    promises,
    reprints,
    returns,
    setup,
    stationery,
    transfers,
)
from towncircle.licensee.limits import Limits
from towncircle.licensee.looks import PLAIN, Look
from towncircle.licensee.pricing import FIRST_METERED, Claim
from towncircle.mailpiece.address_files import Recipient
from towncircle.mailpiece.zipcode import place_of
from towncircle.psd.commands import StatusReport
from towncircle.psd.states import AUTHORISED, IN_SERVICE, LOCKED
from towncircle.wire.bodies import (
    AccountStatement,
    DepositOrder,
    DepositReceipt,
    LeaseConfirmed,
    LicenseApplication,
    LicenseDecision,
)
from towncircle.world import evidenced, leases, renewing, updates
from towncircle.world.config import BANK, some
from towncircle.world.departments import Payer, prove
from towncircle.world.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """Hold the Form 3601-A data of an applicant, with the sandbox's own as defaults."""

    name: str = "The Mail Room"
    street: str = "475 L'Enfant Plaza SW"
    city: str = "Washington"
    state: str = "DC"
    zip: str = "20260"
    telephone: str = "202-268-5311"
    contact: str = "Mail room manager"
    office_zip: str = "20260"
    device_location: str = "Mail room, ground floor"


ANYBODY = Payer()
_PAYER = ("990000026", "000123456789")  # a specimen of an account at a bank that does not exist
ANSWERING = (AUTHORISED, IN_SERVICE, LOCKED)
T = TypeVar("T")


class Journeys:
    """Walk the journeys of one licensee of a world."""

    def __init__(self, world: World, licensee: str = "licensee.mailroom") -> None:
        if licensee not in world.config.licensees:
            raise Refused("world.no-licensee", name=licensee[:40], known=some(world.config.licensees))
        self.world = world
        self.licensee = licensee
        self._desk = world.desk(licensee)

    @property
    def device(self) -> DeviceId:
        """Give the licensee's device. Raises `Refused` (world.no-device)."""
        return self.world.device_of(self.licensee)

    def apply(self, applicant: Applicant, *, provider: str) -> LicenseDecision:
        """Apply for a license. Raises the refusal with every ground."""
        if provider not in self.world.config.providers:
            raise Refused("world.no-provider", name=provider[:40], known=some(self.world.config.providers))
        form = LicenseApplication(
            application_id=self.new(ApplicationId.new),
            applicant=self.licensee,
            office_city=_office(applicant.office_zip, 0),
            office_state=_office(applicant.office_zip, 1),
            products=self.world.config.regime,
            **{name: getattr(applicant, name) for name in applicant.__dataclass_fields__},
        )
        try:
            decision: LicenseDecision = self.do(lambda ctx: setup.apply(ctx, application=form, provider=provider))
        except RelayedRefusal as refusal:
            if refusal.code == "postal.license-refused":
                data = {name: str(getattr(applicant, name)) for name in licenses.FORM}
                self.do(lambda ctx: licenses.keep_refused(ctx, form.application_id, data))
            raise
        return decision

    def lease(self) -> LeaseConfirmed:
        """Lease a device under the license held; a confirmed lease is given again until its device leaves."""
        return leases.lease(self)

    def replace(self, device: DeviceId) -> DeviceId:
        """Lease a replacement for a device under the same license, once; give it."""
        return leases.replace(self, device)

    def deposit(
        self, amount: Mills, *, form: str = "ach-debit", payer: tuple[str, str] | None = None
    ) -> DepositReceipt:
        """Deposit money at the lockbox bank for the licensee's account; an interrupted order is finished.

        `payer` is the routing number and the number of the bank account that pays by ACH: without it the last one, in
        a new world a specimen. Raises `Refused` (licensee.deposit-open) while an order of another amount waits.
        """
        with self.world.store(self.licensee).reading() as view:
            devices, known = halves.by_lease(view), funds.payer_of(view)
        if not devices:
            raise Refused("world.no-device", licensee=self.licensee)
        routing, number = (payer or known or _PAYER) if form.startswith("ach-") else ("", "")
        order = DepositOrder(
            deposit_id=self.new(DepositId.new),
            provider=devices[-1].body["provider"],
            account=devices[-1].body["account"],
            amount=amount,
            form=form,
            routing=routing,
            payer=number,
        )
        return self.finish_deposit(self.do(lambda ctx: funds.order_deposit(ctx, order=order)))

    def finish_deposit(self, order: DepositOrder) -> DepositReceipt:
        """Take a deposit that was ordered to the bank, or hear what became of it."""
        try:
            receipt: DepositReceipt = self.do(lambda ctx: funds.deposit(ctx, order=order, bank=BANK))
        except RelayedRefusal as refusal:
            if refusal.code.startswith("bank."):  # the bank's own decision; a fault on the way leaves the order open
                self.do(lambda ctx: funds.decline_deposit(ctx, order=order))
            raise
        except BadInput:  # it could not even be sealed, so nobody has it
            self.do(lambda ctx: funds.decline_deposit(ctx, order=order))
            raise
        return receipt

    def lease_half(self) -> LeaseConfirmed:
        """Lease the hosted half of a hybrid, beside the device in use; one that is leased is given again."""
        return leases.lease_half(self)

    def reset(self, amount: Mills, *, device: DeviceId | None = None) -> AccountStatement:
        """Reset the device by an amount, or another one of the licensee's that is named."""
        device = device or self.device
        self.do(lambda ctx: missing.in_hand(ctx, device=device))
        self.do(lambda ctx: custody.sound(ctx, device=device))
        self.do(lambda ctx: transfers.may_reset(ctx, device=device))
        self.do(lambda ctx: funds.catch_up(ctx, device=device))
        statement: AccountStatement = self.heard(
            lambda ctx: funds.reset(ctx, device=device, amount=amount), device=device
        )
        return statement

    def contact(self) -> str:
        """Connect the device to its Provider, and the hosted half of a hybrid; give the device's words.

        What hinders the one keeps the other from nothing (`settling.connect`).
        """
        from towncircle.world import settling  # it walks this module's journeys

        return settling.connect(self)

    def contact_of(self, device: DeviceId) -> str:
        """Connect one of the licensee's devices, and finish its open reset.

        One that was missed and is renewed now is in use again.
        """
        updates.connect(self, device)
        words = str(self.heard(lambda ctx: funds.contact(ctx, device=device), device=device).sentence)
        self.do(lambda ctx: halves.back(ctx, device=device))
        from towncircle.world import settling  # it walks this module's journeys

        return " ".join([words, *settling.resume(self, device), *renewing.in_time(self, device)])

    def heard(self, step: Callable[[Context], Any], *, device: DeviceId) -> Any:
        """Walk a step in which the device speaks; where its keys are not believed, the Provider is asked why."""
        try:
            return self.do(step)
        except RelayedRefusal as refusal:
            if refusal.code == "wire.unknown-key":
                try:
                    self.do(lambda ctx: funds.in_use(ctx, device=device))
                except RelayedRefusal as told:
                    if told.code == "provider.retired":
                        raise
            raise

    def renew_key(self) -> str:
        """Give the device its next key and certificate; pieces of the old one stay valid. Gives the device's words."""
        return renewing.renew(self, self.device)

    def status(self) -> StatusReport:
        """Ask the device for its status; that of a hybrid says so where its hosted half stands in for it."""
        with self.world.shelf.client(self.device) as client:
            return client.shown()

    def status_of(self, device: DeviceId) -> StatusReport:
        """Ask one of the licensee's devices for its status."""
        with self.world.shelf.client(device) as client:
            return client.status()

    def shown_of(self, device: DeviceId) -> StatusReport:
        """Ask one of the licensee's devices for its status; of a hybrid it may be the half that answers."""
        with self.world.shelf.client(device) as client:
            return client.shown()

    def settle(self) -> AccountStatement | None:
        """Finish what a crash left open: undelivered messages, a deposit, a reset, a check-out, an approved transfer.

        Gives the statement of a reset that was finished. Print jobs are finished by `printing.finish_job`, an
        interrupted application or lease by asking for it again.
        """
        from towncircle.world import settling  # it walks this module's journeys

        return settling.settle(self)

    def open_jobs(self) -> list[Record]:
        """Give the print jobs that a crash left between their steps; the parts of an open batch go on with it alone."""
        with self.world.store(self.licensee).reading() as view:
            held = {row.key for row in promises.open_batches(view)}
            return [row for row in view.find("job", states=mailroom.OPEN) if row.body.get("batch") not in held]

    def today(self) -> date:
        """Give the mailing date of now in the licensing office's zone."""
        return self.world.clock.now().date_in(self.status().zone)

    def plan(
        self,
        recipients: tuple[Recipient, ...],
        *,
        day: date | None = None,
        job: JobId | None = None,
        payer: Payer = ANYBODY,
        look: Look = PLAIN,
        claim: Claim = FIRST_METERED,
    ) -> JobId:
        """Price, lint and reserve a print job; give its id. Nothing is debited yet."""
        self.do(lambda ctx: missing.in_hand(ctx, device=self.device))
        self.do(lambda ctx: custody.sound(ctx, device=self.device))
        self.do(lambda ctx: returns.not_out(ctx, device=self.device))
        status = self.status()
        if status.state == AUTHORISED:
            raise Refused("mailroom.no-postage-set", device=self.device)
        name, limits = job or self.new(JobId.new), self._limits(status)
        prove(self, payer, job=name)
        order = mailroom.Order(
            device=self.device, layout=status.layout, recipients=recipients, mailing_date=day or limits.first,
            department=payer.department, person=payer.person, look=look, claim=claim,
        )  # fmt: skip
        record: Record = self.do(lambda ctx: mailroom.plan(ctx, order=order, job=name, limits=limits))
        self._prove(record)
        return name

    def _limits(self, status: StatusReport) -> Limits:
        """Give what the host holds mailing dates and amounts to today, in the licensing office's zone."""
        return Limits.of(self.world.rules, self.world.clock.now().date_in(status.zone), zone=status.zone)

    def plan_redate(self, order: corrections.Redate) -> JobId:
        """Write a date correction down and lint its pages; give the job's id. No device is asked."""
        self._check_serving(order.job)
        return self._planned(lambda ctx, job, limits: corrections.plan_redate(ctx, order=order, job=job, limits=limits))

    def plan_correction(self, order: corrections.Shortpaid, *, payer: Payer = ANYBODY) -> JobId:
        """Work out, lint and reserve a postage correction; give the job's id. Nothing is debited yet."""
        self._check_serving(order.job)
        asked = replace(order, person=payer.person)
        planned = corrections.plan_correction
        return self._planned(lambda ctx, job, limits: planned(ctx, order=asked, job=job, limits=limits), payer)

    def _planned(self, plan: Callable[[Context, JobId, Limits], Record], payer: Payer = ANYBODY) -> JobId:
        limits, job = self._limits(self.status()), self.new(JobId.new)
        prove(self, payer, job=job)
        record: Record = self.do(lambda ctx: plan(ctx, job, limits))
        self._prove(record)
        return job

    def reprint(self, job: JobId, pieces: tuple[int, ...] = (), *, into_files: bool = False) -> Record:
        """Have the device count a reprint of pieces of a job; give a record of just those pieces."""
        self._check_serving(job)
        again = reprints.reprint
        record: Record = self.do(lambda ctx: again(ctx, job=job, pieces=pieces, into_files=into_files))
        return record

    def _check_serving(self, job: JobId) -> None:
        """Check that the device of a job is in service. Raises `Refused` (licensee.checked-out)."""
        with self.world.store(self.licensee).reading() as view:
            row = view.get("job", job)
        if row is not None:
            self.do(lambda ctx: returns.not_out(ctx, device=DeviceId(row.body["device"])))
            self.do(lambda ctx: custody.sound(ctx, device=DeviceId(row.body["device"])))

    def _prove(self, job: Record) -> None:
        """Lint a planned job's pages; a fault releases its reservation."""
        try:
            envelopes.prove(job.body, self.stationery(job))
        except Refused:
            self._give_up(job)
            raise

    def resume(self, job: JobId) -> Record:
        """Finish a job that was interrupted up to its evidence: it is linted before the device is asked."""
        with self.world.store(self.licensee).reading() as view:
            record = view.get("job", job)
        if record is None:
            raise Refused("mailroom.no-such-job", job=job)
        if record.body["state"] == mailroom.CLAIMED:
            raise Refused("refund.job-claimed", job=job)
        if record.body["state"] == "planned":
            self._prove(record)
        return self.evidence(job)

    def evidence(self, job: JobId) -> Record:
        """Have the device evidence a planned job.

        A refusal releases the reservation where the device is sure that it never evidenced the job: a refusal alone
        does not say so, because the answer of an earlier attempt may have been lost. One whose marks are lost is ended
        too (mailroom.marks-lost). A date correction is released instead: the device is not asked for anything.
        """
        try:
            if self._is_redate(job):
                limits = self._limits(self.status())
                released: Record = self.do(lambda ctx: corrections.release(ctx, job=job, limits=limits))
                return released
            record: Record = self.do(lambda ctx: mailroom.evidence(ctx, job=job))
        except (Refused, BadInput):
            with self.world.store(self.licensee).reading() as view:
                planned = view.get("job", job)
            if planned is not None:
                evidenced.end(self, planned)
            raise
        device = DeviceId(record.body["device"])
        if record.body["state"] == mailroom.EVIDENCED:
            self.do(lambda ctx: missing.not_meanwhile(ctx, device=device, job=job))
        return record

    def last_job(self) -> JobId:
        """Give the job that evidenced pieces last, corrections apart. Raises `Refused` (mailroom.no-such-job)."""
        with self.world.store(self.licensee).reading() as view:
            for fact in reversed(view.facts()):
                row = view.get("job", fact.subject) if fact.type == "evidence.made" else None
                if row is not None and mailroom.form_of(row.body) == mailroom.POSTAGE:
                    return JobId(row.key)
        raise Refused("mailroom.no-such-job", job="yet")

    def _is_redate(self, job: JobId) -> bool:
        with self.world.store(self.licensee).reading() as view:
            record = view.get("job", job)
        return record is not None and mailroom.form_of(record.body) == mailroom.REDATE

    def _give_up(self, job: Record) -> None:
        self.do(lambda ctx: mailroom.give_up(ctx, job=JobId(job.key)))

    def never_evidenced(self, job: Record) -> bool:
        """Tell whether the device is sure that it never evidenced a job."""
        return evidenced.never(self, job)

    def hand_over(self, job: JobId, files: list[Path]) -> None:
        """Write down that a job's files were written."""
        self.do(lambda ctx: mailroom.printed(ctx, job=job, files=[path.name for path in files]))

    def stationery(self, job: Record) -> envelopes.Stationery:
        """Gather what a job's pages share."""
        with self.world.store(self.licensee).reading() as view:
            return stationery.of_job(view, job, rules=self.world.rules)

    def do(self, job: Callable[[Context], object | Steps], *, actor: str = "", approval: str = "") -> Any:
        """Do a command of the licensee's, as the licensee itself or as the person named, approved by another."""
        return self._desk.perform(job, actor=actor or self.licensee, approvals=(approval,) if approval else ())

    def new(self, make: Callable[[Randomness], T]) -> T:
        """Make a fresh id."""
        return make(self._desk.randomness)


def _office(zip_code: str, part: int) -> str:
    place = place_of(zip_code)
    return (place.city.upper(), place.state)[part]
