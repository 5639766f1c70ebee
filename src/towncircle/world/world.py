"""A world, opened: its parties with their stores, keys, clock, randomness and transport, put together.

Here: making and opening a world, the parties' desks, publishing, travelling in time. Not here: what a party decides.
Kept: everything a world is lies in its folder; the same seed and the same commands give the same bytes.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId, MessageId, PartyId
from towncircle.kernel.instants import Instant
from towncircle.kernel.randomness import Randomness, SeededRandomness
from towncircle.kernel.store import Store, Transaction
from towncircle.licensee import halves
from towncircle.pki.randomness import SystemRandomness
from towncircle.postal import products, publishing
from towncircle.postal.certificates import Authority
from towncircle.provider.leasing import Product
from towncircle.psd.contact import MINUTE_US
from towncircle.psd.process import SystemClock
from towncircle.rules import ruleset
from towncircle.rules.duties import HEADQUARTERS
from towncircle.rules.offices import appoint
from towncircle.rules.rulesets import begun
from towncircle.storage.sqlite import SqliteStore
from towncircle.transport import Direct, Transport
from towncircle.verification import Pack, publish_pack
from towncircle.wire.bodies import PublishedPack
from towncircle.world import hosting, keys, lan, lines, parties, trust
from towncircle.world.board import PACK, Board
from towncircle.world.clock import FILE as CLOCK_FILE
from towncircle.world.clock import WorldClock
from towncircle.world.config import BANK, POSTAL, WorldConfig
from towncircle.world.deadlines import Look, act_on_deadlines
from towncircle.world.desk import Desk, Taken
from towncircle.world.devices import DEVICES, DeviceShelf, Factory, PortMaker, ShelfPort, Workshop, process_port
from towncircle.world.population import daily, firsts_between, send_monthly_files
from towncircle.world.privacy import check_private
from towncircle.world.sealing import Sealer

STORE = "store.sqlite"
DEFAULT_PROVIDERS = ("provider.harbor", "provider.summit")
DEFAULT_LICENSEES = ("licensee.mailroom", "licensee.annex")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """Say how the parts are put together; a rehearsal of faults wraps them."""

    store: Callable[[Store, str], Store] = lambda store, _party: store
    transport: Callable[[Transport], Transport] = lambda transport: transport
    make_port: PortMaker | None = None
    ships: bool = False
    only: tuple[str, ...] = ()


class World:
    """Hold an opened world. Close it when done: its devices are processes."""

    def __init__(self, folder: Path, settings: WorldConfig, wiring: Wiring) -> None:
        check_private(folder)
        self.folder = folder
        self.config = settings
        self.clock = WorldClock(folder / CLOCK_FILE)
        self.rules = ruleset(settings.regime)
        self.cabinet = keys.KeyCabinet(folder, repeatable=settings.seed is not None)
        self._wiring = wiring
        self._stores: dict[str, Store] = {}
        self._make_port = wiring.make_port or process_port(folder / CLOCK_FILE, settings.seed)
        self.shelf = DeviceShelf(folder / DEVICES, lines.over_lines(self._make_port))
        self.board = Board(folder, root=bytes.fromhex(settings.root))
        if not wiring.only or POSTAL in wiring.only:
            with self.board.alone():
                self._publish_lists()
        self._lists = trust.Lists(folder, self.cabinet, settings.parties, root=bytes.fromhex(settings.root))
        self.desks: dict[str, Desk] = {}
        self._published: tuple[int, int] | None = None  # the facts there were, and the number of the pack
        self.looks: dict[str, Look] = {}  # of each party at home here, at what falls due
        direct = Direct({})
        transport = wiring.transport(direct)
        for party in settings.parties:
            if not wiring.only or party in wiring.only:
                self.desks[party] = self._desk(party, transport)
        direct.receivers = {
            party: desk.receive for party, desk in self.desks.items() if not party.startswith("licensee.")
        }

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        regime: str,
        seed: int | None,
        start: Instant | None,
        providers: tuple[str, ...] = DEFAULT_PROVIDERS,
        licensees: tuple[str, ...] = DEFAULT_LICENSEES,
        applicants: tuple[str, ...] = (),
    ) -> World:
        """Make a world in a new or empty folder. `start` freezes its clock there; without it the clock runs.

        Its Providers are authorized from the start, but for those that are named as `applicants`. Raises `BadInput`
        (world.exists), `Refused` (world.no-provider) and what the rule set refuses.
        """
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise BadInput("world.exists", path=folder)
        for name in applicants:
            if name not in providers:
                raise Refused("world.no-provider", name=name[:40], known=", ".join(providers))
        rules = begun(regime)
        if start is not None:
            rules.check_start(start.date_in(HEADQUARTERS))
        told = (regime, seed, start, providers, licensees, applicants)
        new = not folder.exists()
        try:
            return cls._made(folder, *told)
        except BaseException:
            for made in (folder,) if new else tuple(folder.iterdir()):  # nobody could open the half of a world
                if made.is_file():
                    made.unlink()
                else:
                    shutil.rmtree(made, ignore_errors=True)
            raise

    @classmethod
    def _made(
        cls,
        folder: Path,
        regime: str,
        seed: int | None,
        start: Instant | None,
        providers: tuple[str, ...],
        licensees: tuple[str, ...],
        applicants: tuple[str, ...],
    ) -> World:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)  # names, addresses and, in a sandbox, secrets lie in it
        clock = WorldClock.start(folder / CLOCK_FILE, start)
        randomness = randomness_of(seed, "world 0")
        members = (POSTAL, BANK, *map(PartyId.parse, providers), *map(PartyId.parse, licensees))
        for party in members:
            SqliteStore(folder / party / STORE, create=True).close()
        postal = SqliteStore(folder / POSTAL / STORE)
        cabinet = keys.KeyCabinet(folder, repeatable=seed is not None)
        root = keys.hold_ceremony(cabinet, members, postal, randomness, clock.now())
        postal.close()
        settings = WorldConfig(
            id=f"WLD-{randomness.take(6).hex()}",
            regime=regime,
            seed=seed,
            root=root.fingerprint.hex(),
            providers=tuple(map(PartyId.parse, providers)),
            licensees=tuple(map(PartyId.parse, licensees)),
        )
        settings.write(folder)
        world = cls.open(folder)
        for provider in world.config.providers:
            system = parties.assignment(world.product_at(provider)).subject
            enter = partial(products.enter, provider=provider, authorized=provider not in applicants, system=system)
            world.desk(POSTAL).perform(enter, actor=POSTAL)
        for party in (POSTAL, *world.config.providers):
            world.desk(party).perform(appoint, actor=party)
        world.publish()
        return world

    @classmethod
    def open(cls, folder: Path, wiring: Wiring | None = None) -> World:
        """Open a world. Raises `BadInput` (world.missing) and what its stores and keys raise."""
        return cls(folder, WorldConfig.read(folder), wiring or Wiring())

    @staticmethod
    def clock_of(folder: Path) -> WorldClock:
        """Give the clock of a world."""
        return WorldClock(folder / CLOCK_FILE)

    def store(self, party: str) -> Store:
        """Give a party's store."""
        held = self._stores.get(party)
        if held is None:
            held = self._stores[party] = self._wiring.store(SqliteStore(self.folder / party / STORE), party)
        return held

    def _desk(self, party: PartyId, transport: Transport) -> Desk:
        store = self.store(party)
        with store.transaction() as tx:
            run = tx.next_number("run")
        randomness = randomness_of(self.config.seed, f"{party} {run}")
        signer = self.cabinet.key(party)
        handlers: Mapping[type, Taken] = {}
        device_key: Callable[[str], bytes | None] = trust.no_devices
        bench: DeviceShelf | Workshop | None = None
        after: Callable[[], None] | None = self.publish if party.role == "postal" else None
        if party.role == "licensee":
            after = partial(lan.keep, store, self.folder / DEVICES)
        if party.role == "postal":
            handlers = parties.postal_handlers(self._authority(), self.rules)
            device_key = trust.device_certificates(store, kind="device-certificates", field="messages")
        elif party.role == "provider":
            handlers = parties.provider_handlers(self._product(party), self.rules, self.board.pack)
            device_key = trust.device_certificates(store, kind="device", field="message_certificate")
            make, reach, after = self._hosting(party)
            bench = Workshop(
                self.shelf,
                provider=party,
                signer=signer,
                root=bytes.fromhex(self.config.root),
                randomness=randomness,
                ships=self._wiring.ships,
                make=make,
                reach=reach,
            )
        elif party.role == "bank":
            handlers = parties.bank_handlers(self.config.providers)
        else:
            bench = self.shelf
        directory = trust.WorldDirectory(self._lists, device_key, clock=self.clock)
        sealer = Sealer(
            party=party, store=store, signer=signer, directory=directory, clock=self.clock, randomness=randomness
        )
        return Desk(
            sealer,
            transport=transport,
            rule_digest=self.rules.digest,
            handlers=handlers,
            bench=bench,
            after=after,
            apart_us=self._apart_us(),
        )

    def _apart_us(self) -> int:
        return self.rules.integer("clock_difference_minutes", self.clock.now().date_in("UTC")) * MINUTE_US

    def _hosting(
        self, provider: PartyId
    ) -> tuple[Factory | None, Callable[[DeviceId], ShelfPort | None], Callable[[], None] | None]:
        """Give how a Provider makes its new devices, its own way to those it hosts, and what it does after a commit."""
        folder, shelf = self.folder / provider, self.shelf

        def reach(device: DeviceId) -> ShelfPort | None:
            place = shelf.folder_of(device)
            if not lines.is_hosted(place):
                return lines.bench_port(folder, place, self._make_port)
            found = hosting.host_of(folder, device)
            return None if found is None else found.line.open(device)

        held = hosting.hosts_of(folder)
        if held is None:
            return None, reach, None
        chance, now = SystemRandomness(), SystemClock().now()
        make = partial(hosting.make_hosted, folder, chance, now) if held.open else None
        keep = partial(hosting.keep_enrolments, folder, self.store(provider), self.folder / DEVICES, chance, now)
        return make, reach, keep

    def _product(self, provider: PartyId) -> Product:
        root, place = bytes.fromhex(self.config.root), self.config.providers.index(provider)
        return parties.product_of(self.config.regime, root, place=place)

    def product_at(self, provider: str) -> Product:
        """Give the product that a Provider leases. Raises `Refused` (missing.elsewhere)."""
        if provider not in self.config.providers:
            raise Refused("missing.elsewhere", provider=provider[:64])
        return self._product(PartyId(provider))

    def _publish_lists(self) -> None:
        trust.publish_lists(
            self.cabinet,
            self.store(POSTAL),
            self.clock.now(),
            self.board.put,
        )

    def _authority(self) -> Authority:
        issuer = keys.authority_of(self.cabinet)
        chain = (issuer.certificate.der, self.cabinet.certificate("root").der)
        assigned = {str(name): parties.assignment(self._product(name)) for name in self.config.providers}
        return Authority(issuer=issuer, chain=chain, life_days=parties.DEVICE_CERTIFICATE_DAYS, assigned=assigned)

    def publish(self) -> None:
        """Publish the verification pack where anything in it changed, or where the last one is half used up."""
        desk = self.desks.get(POSTAL)
        if desk is None:
            return
        chain = tuple(self.cabinet.certificate(name).der for name in (POSTAL, "authority", "root"))
        with self.board.alone():
            shown, now = self.board.shown(), self.clock.now()
            with self.store(POSTAL).reading() as view:
                facts = len(view.facts())
                if self._stands(view, shown, now):
                    self._published = facts, shown
                    return
            self._publish_lists()

            def job(ctx: Context) -> PublishedPack | None:
                return publishing.publish(
                    ctx,
                    chain=chain,
                    test=True,
                    judged_in=self.config.regime,
                    shown=shown,
                )

            body = desk.perform(job, actor=POSTAL, quiet=True)
            if body is not None:
                name = MessageId.new(randomness_of(self.config.seed, f"pack {body.number}"))
                self.board.put(PACK, publish_pack(body, sender=POSTAL, id=name, signer=self.cabinet.key(POSTAL)))
                shown = body.number
            self._published = facts, shown

    def _stands(self, view: Transaction, shown: int, now: Instant) -> bool:
        """Tell whether all that this process published last is right still: most facts change nothing of it."""
        if self._published is None or self._published[1] != shown:
            return False
        return trust.lists_fresh(view, now) and publishing.stands(view, self._published[0], now)

    def pack(self, at: Instant | None = None) -> Pack:
        """Load the published pack as a verifier does, with the root pinned in the world file."""
        return self.board.pack(max(at or self.clock.now(), self.clock.now()))

    def advance(self, step: str) -> Instant:
        """Travel forward in time; what waits is delivered, deadlines are acted on, the round of the day is made."""
        then = self.clock.after(step)
        for first in firsts_between(self.clock.now(), then):  # what a running worker does on that day
            self.clock.go(first)
            self.publish()
            send_monthly_files(self)
        now = self.clock.go(then)
        self.deliver()
        act_on_deadlines(self)
        self.publish()  # before anybody calls: lists that ran out on the way would let nobody be believed
        daily(self)
        return now

    def deliver(self) -> None:
        """Deliver what waits in every outbox."""
        for desk in self.desks.values():
            desk.deliver()

    def desk(self, party: str) -> Desk:
        """Give a party's desk."""
        return self.desks[party]

    def device_of(self, licensee: str) -> DeviceId:
        """Give the device that a licensee uses, the one leased last. Raises `Refused` (world.no-device)."""
        with self.store(licensee).reading() as view:
            row = halves.main(view)
        if row is None:
            raise Refused("world.no-device", licensee=licensee)
        return DeviceId(row.key)

    def close(self) -> None:
        """End the device processes and close the stores."""
        self.shelf.close()
        for store in self._stores.values():
            with suppress(AttributeError):
                store.close()  # type: ignore[attr-defined]  # a store in memory has nothing to close


def randomness_of(seed: int | None, label: str) -> Randomness:
    """Give the randomness of a world for a purpose: seeded where the world is, else the machine's."""
    return SystemRandomness() if seed is None else SeededRandomness(seed, label)
