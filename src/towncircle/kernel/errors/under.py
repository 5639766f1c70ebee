"""The further requirements that a guard keeps besides the clause it speaks of.

Here: for a code of the table, requirements of the inventory by their ids. Not here: the clause that a person is told.
The rule orders many things twice: its preamble announces what a section orders, and a section of P050 binds the
licensee where one of part 502 binds the Provider. One guard keeps them all; its sentence names the nearest clause, and
`under` in a JSON answer names the others.
Kept: an id stands here only if a test breaks that requirement and gets this refusal (`tests/conformance/`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

UNDER: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # licenses
        "postal.form-fictitious": ("PRE-07", "P050-2.1"),
        "postal.form-incomplete": ("PRE-07", "P050-2.2"),
        "postal.not-the-applicant": ("PRE-06",),
        "postal.not-the-provider": ("PRE-06", "P050-2.1"),
        "provider.not-the-applicant": ("PRE-06",),
        "desk.not-for-me": ("PRE-06",),
        "license.nothing-to-appeal": ("P050-2.2",),
        # leases and their devices
        "provider.no-license": ("PRE-09", "P050-1.3", "502.8"),
        "postal.no-license": ("PRE-09", "P050-1.3", "502.8"),
        "provider.no-financial-agreement": ("P050-1.3", "P050-3.1"),
        "product.not-authorized": ("P050-1.2", "502.7"),
        "postal.not-assigned": ("PRE-07", "P050-1.2", "502.7", "IMI-07"),
        "postal.no-such-activity": ("PRE-10",),
        "postal.unknown-device": ("PRE-07",),
        "provider.unknown-device": ("PRE-13",),
        "custody.no-replacement": ("P050-1.2",),
        "custody.defective": ("P050-2.5f",),
        "custody.not-retrieved": ("P050-2.7",),
        "custody.no-notice": ("P050-2.7",),
        "custody.report-differs": ("P050-2.7",),
        "missing.no-reference": ("PRE-07", "502.8"),
        "missing.first-report": ("PRE-07", "502.8"),
        "missing.steps-open": ("502.20g",),
        # money
        "ledger.insufficient-funds": ("P050-1.1", "P050-3.2", "502.25a", "502.25c"),
        "postal.report-out-of-order": ("PRE-07", "502.8"),
        "postal.report-does-not-add-up": ("PRE-07", "502.8"),
        "provider.reset-conflict": ("P050-3.1",),
        "refund.no-pieces": ("P050-3.3b",),
        "refund.not-its-licensee": ("P050-3.3b",),
        "refund.does-not-add-up": ("PRE-19", "P050-3.3b"),
        "refund.not-decided": ("PRE-19", "P050-3.3b"),
        "refund.decided-before": ("PRE-19", "P050-3.3b"),
        # the device
        "provider.frozen": ("PRE-12", "502.25a"),
        "postal.not-an-audit": ("PRE-15", "502.8", "IMI-11"),
        "psd.role-refused": ("PRE-04",),
        "psd.field-not-from-host": ("PRE-03", "PRE-23", "P050-1.1"),
        "psd.over-cap": ("PRE-11",),
        "psd.registers-broken": ("PRE-12",),
        "psd.reset-mismatch": ("PRE-17", "P050-1.1"),
        "psd.reset-open": ("P050-3.1",),
        "psd.not-an-examiner": ("P050-2.5b",),
        "psd.faulted": ("P050-2.5f",),
        "world.station-refused": ("PRE-02",),
        # pages, marks and prices
        "page.symbol-missing": ("P050-1.6",),
        "page.symbol-forbidden": ("PRE-21",),
        "indicium.readable-unfit": ("P050-4.5c",),
        "indicium.unknown-version": ("502.8",),
        "eligibility.class": ("PRE-14",),
        "rates.unknown-class": ("PRE-14",),
        "rates.before-tables": ("PRE-20",),
        "rates.after-tables": ("PRE-20",),
    }
)


def written(ids: Iterable[str]) -> str:
    """Write requirements as a lawyer does: `PRE-09, P050 1.3, 502.25(a)`."""
    return ", ".join(re.sub(r"^([0-9]{3}\.[0-9]+)([a-z])$", r"\1(\2)", name.replace("P050-", "P050 ")) for name in ids)
