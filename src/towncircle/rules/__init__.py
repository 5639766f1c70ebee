"""The rules: the regulation as data.

Here: rule sets made of dated, cited parameters and time limits (`ibi_1998/`, and `imi_2024/` laid over it), the
arithmetic of terms and lengths, business days, and the deadlines engine (`duties`, `acting`). Not here: decisions about
a particular licensee or device.
Kept: no number of the rule stands in code; every number carries its clause, its words, its date and the quality of its
source (house.md 6).

    >>> from datetime import date
    >>> from towncircle.rules import ruleset
    >>> ruleset("imi-2024").term("contact_interval", date(2026, 11, 21))
    Term(72 hours)
"""

from towncircle.rules.duties import Duty, derive
from towncircle.rules.limits import Limit
from towncircle.rules.parameters import Dated, Parameter
from towncircle.rules.rulesets import RULESETS, RuleSet, ruleset
from towncircle.rules.terms import Length, Term

__all__ = [
    "RULESETS",
    "Dated",
    "Duty",
    "Length",
    "Limit",
    "Parameter",
    "RuleSet",
    "Term",
    "derive",
    "ruleset",
]
