"""The lints of a page: one rule a function, run on the real page before anything is signed.

Here: the list of lints, `lint()` and `require()`. Not here: the rules (`position`, `content`, `marks`, `approved`).
Each lint has a code, its clause and the day from which it holds; it gives what it measured and what is allowed. A page
without findings is not thereby approved: P050 4.1 leaves the design to the Postal Service.
"""

from __future__ import annotations

from datetime import date

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused, RefusedOnGrounds
from towncircle.mailpiece.elements import Page
from towncircle.mailpiece.lints import approved, content, marks, position
from towncircle.mailpiece.lints.finding import Context, Lint, LintFinding
from towncircle.rules import RuleSet

LINTS: tuple[Lint, ...] = (*position.LINTS, *marks.LINTS, *content.LINTS, *approved.LINTS)

__all__ = ["LINTS", "Lint", "LintFinding", "lint", "require"]


@cites("P050-4.2", "P050-4.4")
def lint(page: Page, rules: RuleSet, on: date) -> tuple[LintFinding, ...]:
    """Run every lint that holds on a day and give what is wrong; nothing if all is well."""
    context = Context(page=page, rules=rules, on=on)
    return tuple(finding for rule in LINTS if rule.holds_from <= on for finding in rule.check(context))


def require(page: Page, rules: RuleSet, on: date) -> None:
    """Refuse a page with findings, all of them at once. Raises `RefusedOnGrounds` (page.lints)."""
    findings = lint(page, rules, on)
    if findings:
        raise RefusedOnGrounds(
            "page.lints", tuple(Refused("page.lint", what=str(found), clause=found.clause) for found in findings)
        )
