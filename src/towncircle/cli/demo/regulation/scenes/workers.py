"""What the parties' own workers do day by day: reminders, missed limits, notices, cases, the daily round.

Here: procedures that no scene plays: they follow from the days.
"""

from __future__ import annotations

from towncircle.cli.demo.regulation.procedures import procedure

procedure(
    "A reminder before a time limit reaches the licensee",
    "licensee limit.reminded",
    "provider limit.reminded",
    "postal limit.reminded",
    clause="502.26, house",
)
procedure(
    "A missed time limit: notice is given, delivered and received",
    "provider notice.given",
    "provider notice.delivered",
    "licensee notice.received",
    "postal notice.received",
    clause="502.23, 502.26",
)
procedure(
    "A missed time limit opens a case; it is closed when it is mended",
    "provider limit.mended",
    "provider limit.missed",
    "provider limit.case-opened",
    "provider limit.case-closed",
    clause="502.23",
)
procedure(
    "The Provider's inventory is reconciled with the register each day",
    "postal population.reconciled",
    "provider inventory.reconciled",
    clause="502.8, PRE-07",
)
procedure("The verification pack is published", "postal pack.published", clause="502.28")
