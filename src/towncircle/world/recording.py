"""Recording an act of people in the journal of the party that did it.

Here: finding the party, digesting the paper, one command of the party's own staff. Not here: which acts there are and
who may record them (`rules.acts`).
"""

from __future__ import annotations

import hashlib
from functools import partial

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.facts import Fact
from towncircle.kernel.instants import Instant
from towncircle.rules import acts
from towncircle.rules.offices import act_of_record
from towncircle.world.supervising import as_person
from towncircle.world.world import World


def record(
    world: World,
    name: str,
    *,
    by: str,
    reference: str,
    document: bytes | None,
    at: Instant | None = None,
    about: str = "",
    period: str = "",
) -> Fact:
    """Record that a party did an act; `document` is the paper that shows it, `about` the party that it is about.

    `by` names the party, and after a slash who of its staff did it or had it done (default: who is named as the act's
    office); `period` is the year or month that it is done for. Raises `BadInput` (acts.no-such-act,
    acts.no-such-party), `Refused` (acts.done-by) for an act that a procedure does, and what `acts.record` and
    `check_office` refuse.
    """
    by, _, person = by.partition("/")
    act = acts.act_named(name, world.rules.acts)
    if by not in world.desks:
        raise BadInput("acts.no-such-party", party=by[:40], known=", ".join(world.desks))
    if about and about not in {str(party) for party in world.config.parties}:
        raise BadInput("acts.no-such-party", party=about[:40], known=", ".join(map(str, world.config.parties)))
    if act.command:
        raise Refused("acts.done-by", act=act.name, does=act.does, command=act.command, clause=act.clause)
    digest = hashlib.sha256(document).hexdigest() if document is not None else ""
    when = at or world.clock.now()
    job = partial(acts.record, act=act, reference=reference, document=digest, at=when, about=about, period=period)
    ours = act_of_record(act) if by.partition(".")[0] == act.by else None  # another party's is refused by `acts.record`
    who = person or (ours.offices[0] if ours else "")
    named, actor = as_person(by, job, by=who, act=ours or "")
    fact: Fact = world.desk(by).perform(named, actor=actor)
    return fact
