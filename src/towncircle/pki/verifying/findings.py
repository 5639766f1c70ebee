"""One finding of a check.

Here: the shape that every numbered check answers with. Not here: the checks.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Hold what one check found: a stable code, the outcome, the clause and a sentence for a person.

    `ok` is None where the check could not be made; that is never shown as well.
    """

    code: str
    ok: bool | None
    clause: str
    text: str

    def as_dict(self) -> dict[str, object]:
        """Give the finding as a record for JSON answers."""
        return {"code": self.code, "ok": self.ok, "clause": self.clause, "text": self.text}
