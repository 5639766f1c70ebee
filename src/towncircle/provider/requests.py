"""What a licensee asks of its account in writing: an advance, a claim, the closing.

Here: which room answers. Not here: the answers (`advances`, `claims`, `closing`).
"""

from __future__ import annotations

from towncircle.kernel.context import Context
from towncircle.provider import advances, claims, closing
from towncircle.rules import RuleSet
from towncircle.wire.bodies import AccountAnswer, AccountRequest
from towncircle.wire.message import Opened


def on_request(ctx: Context, opened: Opened, *, rules: RuleSet) -> AccountAnswer:
    """Answer a licensee's request; the same one again is told how it stands."""
    body = opened.body
    assert isinstance(body, AccountRequest)
    match body.kind:
        case "advance":
            return advances.give(ctx, body, opened.envelope.sender, rules=rules)
        case "claim":
            return claims.take(ctx, body, opened.envelope.sender)
        case _:
            return closing.ask(ctx, opened, body)
