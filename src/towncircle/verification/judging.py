"""The decision function.

Here: `judge` and the numbered order of its checks. Not here: the checks that compare with the outside world
(`verification.circumstances`), the table from findings to the verdict (`verification.verdict`).
Kept: pure; any bytes give a verdict; every check that applies is made, also after a fault, so that a person sees all of
them at once; each finding carries its clause.
"""

from __future__ import annotations

import hashlib

from towncircle.indicium import Decoded, decode, layout
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.pki.verifying import TEST_SERIAL_FIRST, Finding, PublicKey, verify
from towncircle.verification.circumstances import circumstances
from towncircle.verification.condition import legible
from towncircle.verification.facts import Observed, StatusFacts
from towncircle.verification.finding import finding
from towncircle.verification.mark import Mark
from towncircle.verification.pack import Pack
from towncircle.verification.verdict import Verdict, conclude
from towncircle.wire.bodies import CertificateRow

_NOTHING_OBSERVED = Observed()


@cites("PRE-05", "IMI-09", "P050-4.2/1", "PRE-05/1")
def judge(
    payload: bytes,
    pack: Pack | None,
    facts: StatusFacts | None,
    now: Instant,
    observed: Observed = _NOTHING_OBSERVED,
) -> Verdict:
    """Judge the bytes of one mark. `pack` and `facts` are None where the verifier has none.

    1. `mark.readable`: a known layout, every field of it readable; else UNREADABLE;
    2. `mark.foreign`: not another post's mark; else FOREIGN;
    3. `mark.length`, `mark.trailing`, `mark.reflectance`: all bytes of the layout (else UNREADABLE), and none behind
        where the certificate is known; print that differs enough from its paper in red and in green (else UNREADABLE);
    4. `pack.given`, `pack.fresh`: there is a pack, and its next update has not passed; else UNDECIDED;
    5. `mark.certificate`: the pack knows the certificate serial; else UNDECIDED;
    6. `mark.anchor`: a production pack takes no mark of the test root and of no device that prints specimens;
    7. `mark.layout`, `mark.device`: layout, scheme and device id are those of the certificate;
    8. `signature.length`, `signature.trailing`, `signature.low-s`, `signature.match`: see `pki.verifying.verify`;
    9. `certificate.validity`, `certificate.revoked`: valid on the signed date, not revoked by then;
    10. `device.status`: not lost, stolen, suspended or withdrawn by then;
    11. `registers.postage`, `registers.ascending`, `registers.cap`: postage above zero, within the ascending register,
        and the descending register within its cap;
    12. `date.future`, `date.redate`, `date.stale`: the mailing date is within the window around the deposit or scan; a
        REDATE that was observed stands for it if it is not earlier, and is never well itself: nobody signed it. A date
        seen without its day is judged by `date.month-only` and, without a REDATE, by `date.month`;
    13. `origin.license`, `origin.deposit`, `origin.branch`, `mailing.combined`: the ZIP Code is the licensing office's,
        the piece was deposited there or is one of a handful, a branch that it names was approved, and other payment
        in the mailing authorized;
    14. `regime.valid-through`: marks of decertified systems count through their last day only;
    15. `refund.window`: for a refund, the piece is young enough;
    16. `used.mailed`, `used.repaid`: the signed content was neither mailed nor refunded before; else DUPLICATE; one
        that was only held may go on once, and that is never well itself: nobody can tell a copy from its piece;
    17. `used.counter`, `registers.order`: one counter value signed one content, and registers rise with the pieces;
    18. `value.due`, `address.destination`, `piece.weight`, `piece.class`, `piece.limits`: value, address, weight,
        class and size fit the piece; what is due is priced by the weight that was found where nobody says it.
    """
    found: list[Finding] = []
    try:
        decoded = decode(payload)  # 1
    except BadInput as error:
        found.append(finding("mark.readable", ok=False, text=error.sentence))
        return conclude(tuple(found), specimen=False, fields={}, layout="", content_key="")
    found.append(finding("mark.readable", ok=True, text=f"Layout {decoded.layout}."))
    if decoded.foreign:  # 2
        found.append(finding("mark.foreign", ok=False, text=f"A mark of another post: {decoded.foreign}."))
        return conclude(tuple(found), specimen=False, fields=decoded.fields, layout=decoded.layout, content_key="")
    found.append(finding("mark.foreign", ok=True, text="A mark of this post."))
    row = _row(decoded, pack)
    found += [*_complete(decoded, row), *legible(payload, observed)]  # 3
    if decoded.missing:
        return conclude(tuple(found), specimen=False, fields=decoded.fields, layout=decoded.layout, content_key="")
    key = _key_of(decoded)
    found += _pack(pack, now)  # 4
    found.append(_certificate(decoded, pack, row))  # 5
    specimen = _is_specimen(decoded, pack, row)
    if pack is not None:
        found.append(_anchor(pack, specimen=specimen))  # 6
    device = decoded.device
    found += _certified(decoded, row, device)  # 7
    found += _signature(decoded, row)  # 8
    mark = Mark(decoded=decoded, device=device, key=key, row=row, pack=pack, facts=facts, observed=observed, now=now)
    found += circumstances(mark)  # 9 to 18
    return conclude(tuple(found), specimen=specimen, fields=decoded.fields, layout=decoded.layout, content_key=key)


def content_key(payload: bytes) -> str:
    """Name the signed content of a payload by its SHA-256 (hex): what scans and refunds are kept under.

    Raises `BadInput` like `indicium.decode`.
    """
    return _key_of(decode(payload))


def _key_of(decoded: Decoded) -> str:
    return hashlib.sha256(decoded.content).hexdigest()


def _complete(decoded: Decoded, row: CertificateRow | None) -> list[Finding]:
    if decoded.missing:
        return [finding("mark.length", ok=False, text=f"Cut short: {', '.join(decoded.missing)} missing.")]
    whole = finding("mark.length", ok=True, text="All bytes of the layout are there.")
    extra = len(decoded.trailing)
    if not extra:
        return [whole, finding("mark.trailing", ok=True, text="Nothing follows the mark.")]
    unknown = row is None  # products of other vendors did append bytes
    text = f"{extra} bytes follow the mark" + (", as some products had them." if unknown else "; nobody signed them.")
    return [whole, finding("mark.trailing", ok=None if unknown else False, text=text)]


def _pack(pack: Pack | None, now: Instant) -> list[Finding]:
    if pack is None:
        return [finding("pack.given", ok=None, text="No verification pack: only what the mark says can be told.")]
    given = finding("pack.given", ok=True, text=f"Pack {pack.number} of {pack.issued}.")
    fresh = True if pack.issued <= now <= pack.next_update else None
    text = f"Its next update was due {pack.next_update}." if fresh is None else f"Good until {pack.next_update}."
    return [given, finding("pack.fresh", ok=fresh, text=text)]


def _row(decoded: Decoded, pack: Pack | None) -> CertificateRow | None:
    serial = decoded.fields.get("certificate_serial")
    return pack.certificates.get(serial) if pack is not None and isinstance(serial, int) else None


def _certificate(decoded: Decoded, pack: Pack | None, row: CertificateRow | None) -> Finding:
    serial = decoded.fields.get("certificate_serial")
    if serial is None:
        text = "This layout names no certificate; only the Provider can check its code."
    elif pack is None:
        text = f"Certificate {serial} cannot be looked up."
    elif row is None:
        text = f"The pack does not know the certificate {serial}."
    else:
        return finding("mark.certificate", ok=True, text=f"Certificate {serial} of {row.device}.")
    return finding("mark.certificate", ok=None, text=text)


def _is_specimen(decoded: Decoded, pack: Pack | None, row: CertificateRow | None) -> bool:
    serial = decoded.fields.get("certificate_serial")
    of_test_root = isinstance(serial, int) and serial >= TEST_SERIAL_FIRST
    return of_test_root or (row is not None and row.specimen) or (pack is not None and pack.test)


@cites("502.17/1")
def _anchor(pack: Pack, *, specimen: bool) -> Finding:
    if pack.test:
        return finding("mark.anchor", ok=True, text="Judged under the test root: a specimen, never postage.")
    if specimen:
        text = "A mark of the test root, or of a device that prints specimens: no postage."
        return finding("mark.anchor", ok=False, text=text)
    return finding("mark.anchor", ok=True, text="Judged under the production root.")


@cites("P050-4.1")
def _certified(decoded: Decoded, row: CertificateRow | None, device: DeviceId | None) -> list[Finding]:
    if row is None:
        return []
    given = layout(decoded.layout)
    algorithm = decoded.fields.get("algorithm")
    fits = (row.layout, row.scheme, given.algorithm) == (given.id, given.scheme, algorithm)
    return [
        finding("mark.layout", ok=fits, text=f"The device is certified for {row.layout} with {row.scheme}."),
        finding(
            "mark.device",
            ok=device == row.device,
            text=f"The certificate is {row.device}'s; the mark names {device or 'no device of ours'}.",
        ),
    ]


@cites("PRE-05/2")
def _signature(decoded: Decoded, row: CertificateRow | None) -> tuple[Finding, ...]:
    if row is None:
        return (finding("signature.match", ok=None, text="The signature cannot be checked without its certificate."),)
    try:
        return verify(PublicKey(row.scheme, row.public), decoded.signature, decoded.content).findings
    except BadInput as error:
        return (finding("signature.match", ok=None, text=error.sentence),)
