"""Measuring: each rate beside a raw limit taken in the same run.

Here: the shape of a result and the record of the machine. Not here: what is measured (`device` and others).
Kept: an absolute rate says little on a shared machine; its ratio to the raw limit of the same minute is the figure.
"""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Hold one measured rate, the raw limit beside it and their ratio.

    `fdatasync_rate` is how many durable writes a second the same disk took in the same run, `signing_rate` how many raw
    P-256 signatures a second one core made in it; each is None for a case that has none of its own. `errors` is how
    many calls failed where they are counted, None where the first one ends the run. `busy_limit_rate` is the limit of
    one core while every core works at it, for a case that uses them all: two processors may be two threads of one core.
    """

    name: str
    rate: float
    unit: str
    limit: str
    limit_rate: float
    ratio: float
    fdatasync_rate: float | None = None
    errors: int | None = None
    signing_rate: float | None = None
    busy_limit_rate: float | None = None

    @classmethod
    def of(
        cls,
        name: str,
        *,
        rate: float,
        unit: str,
        limit: str,
        limit_rate: float,
        fdatasync_rate: float | None = None,
        errors: int | None = None,
        signing_rate: float | None = None,
    ) -> Result:
        """Make a result and its ratio."""
        return cls(
            name=name,
            rate=rate,
            unit=unit,
            limit=limit,
            limit_rate=limit_rate,
            ratio=rate / limit_rate,
            fdatasync_rate=fdatasync_rate,
            errors=errors,
            signing_rate=signing_rate,
        )

    @property
    def busy_ratio(self) -> float | None:
        """Give the ratio to the limit of a core among busy ones."""
        return None if self.busy_limit_rate is None else self.rate / self.busy_limit_rate

    def as_dict(self) -> dict[str, object]:
        """Give the record of JSON output, with rates to one decimal and ratios to three."""
        row = {**asdict(self), "busy_ratio": self.busy_ratio}
        return {
            name: round(value, 3 if name.endswith("ratio") else 1) if isinstance(value, float) else value
            for name, value in row.items()
        }


def environment(**extra: object) -> dict[str, object]:
    """Record the machine: Python, system, cores and load, with what a bench adds."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load": [round(value, 2) for value in os.getloadavg()],
        **extra,
    }
