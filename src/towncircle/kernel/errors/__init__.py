"""The error tree: one table of codes, four kinds, one rendering.

Here: the exceptions and the table's shape. Not here: how a command line or a page shows them.
Kept: every error carries a stable code, a sentence, a clause and a next step, and comes from one table
(`towncircle.kernel.errors.table`); a code that is not in the table is itself a broken invariant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

Kind = Literal["input", "refused", "broken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Describe one error code: its kind, sentence and next step as templates, and the clause it rests on."""

    kind: Kind
    sentence: str
    clause: str
    next_step: str


class TowncircleError(Exception):
    """Carry one coded error. `params` fill the sentence and the next step and are shown as details."""

    kind: ClassVar[Kind] = "broken"

    def __init__(self, code: str, /, **params: object) -> None:
        from towncircle.kernel.errors.table import row_of  # the table is read only when something goes wrong

        row = row_of(code, self.kind)
        self.code = code
        self.params = params
        self.clause = str(params.get("clause", row.clause))
        self.sentence = row.sentence.format_map(_Shown(params))
        self.next_step = row.next_step.format_map(_Shown(params))
        super().__init__(f"{code}: {self.sentence}")

    @property
    def under(self) -> tuple[str, ...]:
        """Name the further requirements that the guard keeps, by their ids."""
        from towncircle.kernel.errors.under import UNDER

        return UNDER.get(self.code, ())

    def as_dict(self) -> dict[str, object]:
        """Give the error as a record for JSON answers; `under` only where the guard keeps more than its clause."""
        record: dict[str, object] = {"code": self.code, "sentence": self.sentence, "clause": self.clause}
        more = {"under": list(self.under)} if self.under else {}
        return {**record, **more, "next_step": self.next_step}


class _Shown(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return f"({key} not given)"


class BadInput(TowncircleError):
    """Say that something given cannot be read or used: exit code 2, nothing was changed."""

    kind = "input"


class Refused(TowncircleError):
    """Say that a rule or a state forbids it: exit code 3, nothing was changed."""

    kind = "refused"


class BrokenInvariant(TowncircleError):
    """Say that something that must be true is not: exit code 4, a defect of this program or a damaged store."""

    kind = "broken"


class RelayedRefusal(Refused):
    """Carry a refusal that another party or a device gave, in its own words."""

    def __init__(self, record: Mapping[str, object]) -> None:
        Exception.__init__(self, f"{record['code']}: {record['sentence']}")
        self.code = str(record["code"])
        self.params = {}
        self.sentence = str(record["sentence"])
        self.clause = str(record["clause"])
        self.next_step = str(record["next_step"])
        self.record = dict(record)

    def as_dict(self) -> dict[str, object]:
        """Give the refusal as it was given, with what its code is known to keep besides."""
        return {**self.record, **({"under": list(self.under)} if self.under else {})}


class RefusedOnGrounds(Refused):
    """Refuse with every ground at once, for a person who must mend them all (a form)."""

    def __init__(self, code: str, grounds: tuple[TowncircleError, ...], /, **params: object) -> None:
        super().__init__(code, **params)
        self.grounds = grounds

    def as_dict(self) -> dict[str, object]:
        """Give the error and its grounds as a record for JSON answers."""
        return {**super().as_dict(), "grounds": [ground.as_dict() for ground in self.grounds]}
