"""What an audit says.

Here: a difference, and the report that collects them and counts what was checked. Not here: the checks.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Hold one difference: a stable code, where it is, what was expected and what was found, and a sentence."""

    code: str
    where: str
    expected: str
    found: str
    text: str

    def as_dict(self) -> dict[str, str]:
        """Give the difference as a JSON record."""
        return {
            "code": self.code,
            "where": self.where,
            "expected": self.expected,
            "found": self.found,
            "text": self.text,
        }


@dataclass(slots=True)
class Report:
    """Collect differences in the order of the checks, and count what was checked."""

    differences: list[Difference] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)

    def differ(self, code: str, where: str, text: str, *, expected: object = "", found: object = "") -> None:
        """Record a difference."""
        self.differences.append(
            Difference(code=code, where=where, expected=str(expected)[:200], found=str(found)[:200], text=text)
        )

    def same(self, code: str, where: str, text: str, *, expected: object, found: object) -> None:
        """Record a difference unless what was found is what was expected."""
        if expected != found:
            self.differ(code, where, text, expected=expected, found=found)

    def as_dict(self) -> dict[str, object]:
        """Give the report as a JSON record."""
        return {
            "differences": [difference.as_dict() for difference in self.differences],
            "checked": dict(sorted(self.checked.items())),
        }


def dollars(mills: int) -> str:
    """Write an amount for a sentence."""
    sign, size = ("-", -mills) if mills < 0 else ("", mills)
    return f"{sign}${size // 1000}.{size % 1000:03d}"
