"""The auditor: reads everybody's exports, recomputes every cent, trusts nobody.

Here: the reading of an export (docs/export.md) and twelve groups of checks over it. Not here: anything that writes, and
any arithmetic, format or chart of the rooms that issue: only the documented format is common.
Kept: a fault in an export is a named difference and never a crash, and it ends no check that can still be made.
"""

from towncircle.auditor.auditing import audit
from towncircle.auditor.report import Difference, Report

__all__ = ["Difference", "Report", "audit"]
