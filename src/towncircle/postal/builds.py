"""Approved builds: what a device of a model may run (502.11), and what each device says that it runs.

Here: the Postal Service's approval, sealed for devices, and the register's copy of their software reports. Not here:
the laboratory and the submission behind an approval (`products`); the Provider's releases.
Kept: a device is sealed no build that was not handed over, tested and approved in writing; it goes to the Providers for
whom that was done. A version of a model only rises, a build has one version, and what was approved is never changed.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Iterable
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context, Seal, Steps
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.store import Record, Transaction
from towncircle.postal.population import own_device
from towncircle.postal.procedures import barred_build
from towncircle.postal.products import approved_for
from towncircle.wire.bodies import Acknowledged, BuildApproval, BuildApproved, SoftwareForward, SoftwareReport
from towncircle.wire.message import Opened

BUILD, DEVICES = "build", "devices"
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MOST_WORDS = 2000


@cites("IMI-03/1", "502.11")
def approve(
    ctx: Context,
    *,
    version: int,
    build: str,
    model: str,
    regime: str,
    changes: str,
    chain: tuple[bytes, ...],
    providers: Collection[str],
) -> Steps:
    """Approve a build (SHA-256 of its manifest, hex) as a version of a model; the same again is the same approval.

    It is sent to those of `providers` for whom the build is approved on a submission, also to one that comes later.

    Raises `BadInput` (software.bad-build), `Refused` (software.version-lower, software.build-known,
    software.not-submitted, procedure.in-force).
    """
    if version < 1 or not _DIGEST.fullmatch(build) or not 0 < len(changes.strip()) <= _MOST_WORDS:
        raise BadInput("software.bad-build", version=version, build=build[:64])
    rows = [row for row in ctx.tx.find(BUILD) if row.body["model"] == model]
    for row in rows:
        if (row.body["version"], row.body["build"], row.body["changes"]) == (version, build, changes):
            told_to = approved_for(ctx, providers, model, build)
            if not all(_was_told(ctx.tx, row, one) for one in told_to):
                _check_not_barred(ctx, build)
            _tell(ctx, row, told_to)
            return row
        if row.body["build"] == build:
            raise Refused("software.build-known", build=build[:16], version=row.body["version"])
    highest = max((int(row.body["version"]) for row in rows), default=0)
    if version <= highest:
        raise Refused("software.version-lower", version=version, highest=highest, model=model)
    _check_not_barred(ctx, build)
    told_to = approved_for(ctx, providers, model, build)
    if not told_to:
        raise Refused("software.not-submitted", build=build[:16], model=model)
    body = BuildApproval(
        version=version, build=bytes.fromhex(build), model=model, regime=regime, changes=changes, chain=chain
    )
    raw = yield Seal(DEVICES, body, key=f"build {model} {version}")
    told: dict[str, Any] = {"version": version, "build": build, "model": model, "regime": regime}
    record = {**told, "changes": changes, "approval": base64.b64encode(raw).decode(), "at": int(ctx.now)}
    kept = ctx.tx.put(BUILD, f"{model} {version:06d}", record, owner=ctx.party, expected=0)
    ctx.note("build.approved", kept.key, clauses=("502.11",), **told, providers=list(told_to))
    _tell(ctx, kept, told_to)
    return kept


def _check_not_barred(ctx: Context, build: str) -> None:
    if (refusal := barred_build(ctx, build)) is not None:
        raise refusal


def _was_told(view: Transaction, row: Record, provider: str) -> bool:
    held = view.get("outgoing", _key(row, provider))
    return held is not None and held.body["state"] in ("waiting", "answered")


def _tell(ctx: Context, row: Record, providers: Iterable[str]) -> None:
    approval = base64.b64decode(row.body["approval"])
    for provider in providers:
        ctx.send(provider, BuildApproved(approval=approval), key=_key(row, provider))


def _key(row: Record, provider: str) -> str:
    return f"build {row.body['model']} {row.body['version']} for {provider}"


def approved(view: Transaction) -> frozenset[bytes]:
    """Give the digests of the approved builds."""
    return frozenset(bytes.fromhex(row.body["build"]) for row in view.find(BUILD))


@cites("IMI-03/1", "502.8/2")
def on_software(ctx: Context, opened: Opened) -> Acknowledged:
    """Keep in the register what a device signed about its software. Raises `Refused` (postal.unknown-device, ...)."""
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, SoftwareForward)
    report = ctx.unseal(body.report, provider, opened.envelope)
    role, _, device = report.envelope.sender.partition(".")
    if role != "device" or not isinstance(report.body, SoftwareReport):
        raise Refused("postal.not-an-audit", type=type(report.body).__name__)
    row: Record = own_device(ctx, device, provider)
    if report.envelope.counter > row.body.get("software_counter", 0):
        told: dict[str, Any] = {"software_version": report.body.version, "software_build": report.body.build.hex()}
        fresh = {**row.body, **told, "software_counter": report.envelope.counter}
        ctx.tx.put("device", device, fresh, owner=provider, expected=row.version)
        ctx.note("software.forwarded", device, clauses=("IMI-03",), provider=provider, **told)
    return Acknowledged(note="software recorded")
