"""A small world for the judge: one device, its certificate, a pack, and marks that it signs."""

from dataclasses import replace

from towncircle.indicium import encode_content, join, layout
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.pki.keys import SoftwareKey
from towncircle.verification import Pack
from towncircle.wire.bodies import CertificateRow, LastReading, PackTerms, PublishedPack, StatusRow

ZONE = "America/New_York"
NOON = Instant.parse("2026-11-21T17:00Z")  # noon in New York
TERMS = {
    regime: PackTerms(
        regime=regime,
        rule_digest="",
        cap_mills=Mills(500_000),
        refund_days=30,
        advance_days=3,
        stale_days=10,
        decertified_on="2024-06-30" if regime == "ibi-1998" else "",
        indicia_valid_through="2025-06-30" if regime == "ibi-1998" else "",
    )
    for regime in ("ibi-1998", "imi-2024")
}


class Story:
    """One device of a regime and what was published about it."""

    def __init__(self, name: str = "imi-std", *, anchor: str = "production", seed: int = 1) -> None:
        self.layout = layout(name)
        self.historic = name.startswith("ibi")
        self.anchor = anchor
        self.device = DeviceId("TC1B0000000017" if self.historic else "TC1A0000000017")
        self.serial = 4 + (2**31 if anchor == "test" else 0)
        scheme = "dsa-1024" if self.historic else "ecdsa-p256"
        self.key = SoftwareKey.generate(scheme, SeededRandomness(seed, f"device {name}"))
        self.fields = {
            "certificate_serial": self.serial,
            "vendor": self.device.vendor,
            "model": self.device.model,
            "psd_serial": self.device.serial,
            "ascending_mills": 1_000_000,
            "postage_mills": 740,
            "date": "2026-11-21",
            "origin_zip": "20260",
            "descending_mills": 400_000,
            "category": "FCLM",
            "piece_count": 1500,
            "mail_service": 0,
            "software_id": "0000",
            "product_data": "00" * 9,
            "destination": "10001",
            "weight": 10,
            "shape": "L",
            "rate_date": "2026-07-12",
        }
        if self.layout.has("vendor_model"):
            self.fields["vendor_model"] = self.layout.vendor_model_of(self.device)

    def row(self, **changes) -> CertificateRow:
        row = CertificateRow(
            serial=self.serial,
            device=self.device,
            scheme=self.key.scheme,
            public=self.key.public.raw,
            not_before=Instant.parse("1998-09-02"),
            not_after=NOON.plus(days=365),
            revoked_at=None,
            revoked_reason="",
            office_zip="20260",
            zone=ZONE,
            regime="ibi-1998" if self.historic else "imi-2024",
            layout=self.layout.id,
            specimen=False,
        )
        return replace(row, **changes)

    def body(self, *, status=None, since=NOON, last=None, **changes) -> PublishedPack:
        listed = (StatusRow(device=self.device, status=status, since=since),) if status else ()
        body = PublishedPack(
            anchor=self.anchor,
            number=7,
            issued=NOON.plus(days=-1),
            next_update=NOON.plus(days=6),
            chain=(),
            terms=tuple(TERMS.values()),
            certificates=(self.row(),),
            statuses=listed,
            last_readings=(LastReading(device=self.device, ascending=Mills(last)),) if last is not None else (),
            rates=(),
            publishers=(),
        )
        return replace(body, **changes)

    def pack(self, **changes) -> Pack:
        return Pack.of(self.body(**changes))

    def content(self, **changes) -> bytes:
        names = {field.name for field in self.layout.content_fields}
        fields = {**self.fields, **changes}
        return encode_content(self.layout, {name: value for name, value in fields.items() if name in names})

    def mark(self, **changes) -> bytes:
        content = self.content(**changes)
        return join(content, self.key.sign(content))


def faults(verdict) -> list[str]:
    return [one.code for one in verdict.faults()]
