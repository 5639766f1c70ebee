"""Sealing and opening for one party: its key, its counter, its directory of others' keys.

Here: messages sealed under the party's own counter, and messages opened for it. Not here: sending (`world.outbox`),
deciding (`world.desk`).
Kept: each sealed message has a counter of its own; what is enclosed in another message is judged by when that was
sealed, because an enclosure may rightly be older than its own time limit.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from towncircle.kernel.errors import Refused, TowncircleError
from towncircle.kernel.ids import MessageId
from towncircle.kernel.instants import Clock, Instant
from towncircle.kernel.randomness import Randomness
from towncircle.kernel.store import Store, Transaction
from towncircle.pki.keys import Signer
from towncircle.wire.message import (
    DEFAULT_LIMIT,
    MESSAGE_LIFE_HOURS,
    Envelope,
    KeyDirectory,
    Opened,
    check_times,
    open_untimed,
    peek,
    seal,
)
from towncircle.wire.shape import Body

ANYONE = "anyone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealer:
    """Seal and open messages for one party."""

    party: str
    store: Store
    signer: Signer
    directory: KeyDirectory
    clock: Clock
    randomness: Randomness

    def seal_in(
        self,
        tx: Transaction,
        audience: str,
        body: Body,
        *,
        in_reply_to: str = "",
        now: Instant,
        message_id: MessageId | None = None,
        expires: Instant | None = None,
    ) -> bytes:
        """Seal a message under the next counter, inside a transaction."""
        return seal(
            body=body,
            sender=self.party,
            audience=audience,
            id=message_id or MessageId.new(self.randomness),
            in_reply_to=in_reply_to,
            issued=now,
            expires=expires or now.plus(hours=MESSAGE_LIFE_HOURS),
            counter=tx.next_number("sent"),
            signer=self.signer,
        )

    def sealed(self, audience: str, body: Body, *, in_reply_to: str = "", now: Instant, key: str = "") -> bytes:
        """Seal a message on its own; under a key the same bytes are given again while they are good."""
        with self.store.transaction() as tx:
            row = tx.get("sealed", key) if key else None
            if row is not None and now <= Instant(row.body["expires"]):
                return base64.b64decode(row.body["raw"])
            raw = self.seal_in(tx, audience, body, in_reply_to=in_reply_to, now=now)
            if key:
                expires = int(now.plus(hours=MESSAGE_LIFE_HOURS))
                kept = {"raw": base64.b64encode(raw).decode(), "expires": expires}
                tx.put("sealed", key, kept, owner=audience, expected=row.version if row else 0)
            return raw

    def open(self, raw: bytes, *, audience: str = "") -> Opened:
        """Open a message whose time is judged later. Raises what `wire.message.open_untimed` raises."""
        return open_untimed(raw, audience=audience or self.party, directory=self.directory, limit=DEFAULT_LIMIT)

    def open_reply(self, raw: bytes, *, audience: str = "") -> Opened:
        """Open an answer as of now; a refusal of something that could not be read is addressed to anyone."""
        to_anyone = peek(raw, limit=DEFAULT_LIMIT).audience == ANYONE
        opened = self.open(raw, audience=ANYONE if to_anyone else audience)
        check_times(opened.envelope, self.clock.now())
        return opened

    def open_enclosed(self, raw: bytes, audience: str, carrier: Envelope | None) -> Opened:
        """Open what is enclosed in a message, or, without a carrier, an answer that a device or host was handed."""
        if carrier is None:
            return self.open_reply(raw, audience=audience)
        try:
            opened = self.open(raw, audience=audience)
        except TowncircleError as error:  # a word about the enclosure is a decision, not damage of what carries it
            raise Refused("world.enclosure-refused", sender=carrier.sender, why=error.sentence) from error
        if opened.envelope.issued > self.clock.now():  # not the carrier's time: that command began before it was sealed
            raise Refused("world.enclosure-refused", sender=carrier.sender, why="It is dated in the future.")
        return opened
