"""Token keys through PKCS#11, beside raw P-256 signing in software of the same run.

Here: a SoftHSM2 token made for the run, and callers of several threads at once on it: the slots alone, then whole
devices. Not here: software keys (`device`).
Kept: the callers share one worker of the library, as the devices of one host do; an error of any of them is counted and
shown, and what it lost is lost for the rate.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from towncircle.bench import Result
from towncircle.bench.device import device_in_service, evidence_command
from towncircle.bench.limits import signatures_per_second, syncs_per_second
from towncircle.kernel.errors import Refused, TowncircleError
from towncircle.pki.randomness import SystemRandomness
from towncircle.psd import commands
from towncircle.psd.pkcs11 import TokenLibrary, TokenSlots
from towncircle.psd.process import SystemClock

WALK = 1000
_CALLERS, _ROUNDS = 4, 3
_TOOL, _LABEL, _PIN, _OFFICER_PIN = "softhsm2-util", "bench", "1234", "5678"  # the token ends with the run
PLACES = ("softhsm/libsofthsm2.so", "*/softhsm/libsofthsm2.so")


def library() -> Path:
    """Find SoftHSM2's library. Raises `Refused` (bench.no-token), also where its tool is missing."""
    found = [path for place in PLACES for path in sorted(Path("/usr/lib").glob(place))]
    if not found:
        raise Refused("bench.no-token", what="its library is not under /usr/lib")
    if shutil.which(_TOOL) is None:
        raise Refused("bench.no-token", what=f"{_TOOL} is not on the path")
    return found[0]


def measure(directory: Path | None, *, seconds: float) -> list[Result]:
    """Measure four callers at once on one token: walks of 1,000 signatures, then devices that evidence 1,000 pieces.

    Each row is the round of the median ratio, with the errors of all rounds. Raises `Refused` (bench.no-token).
    """
    path = library()
    with tempfile.TemporaryDirectory(dir=directory, ignore_cleanup_errors=True) as place:
        home = Path(place)
        token = TokenLibrary(path, environment=_token(home))
        try:
            signing = [_signer(token) for _ in range(_CALLERS)]
            evidencing = [_device(home / str(at), token) for at in range(_CALLERS)]
            return [
                _rounds("device.pkcs11", "signatures/s", signing, home, seconds),
                _rounds("device.pkcs11.batch1000", "indicia/s", evidencing, home, seconds),
            ]
        finally:
            token.close()


def _rounds(name: str, unit: str, callers: list[Callable[[str], object]], home: Path, seconds: float) -> Result:
    rounds = []
    for turn in range(_ROUNDS):
        before, syncs = signatures_per_second(seconds / 2), syncs_per_second(seconds / 2, home)
        rate, errors = together(callers, seconds, f"TOKEN-{turn}")
        raw = (before + signatures_per_second(seconds / 2)) / 2
        rounds.append((rate, errors, raw, syncs))
    rate, _, raw, syncs = sorted(rounds, key=lambda row: row[0] / row[2])[_ROUNDS // 2]
    return Result.of(
        name,
        rate=rate,
        unit=unit,
        limit="raw P-256 signing, one core",
        limit_rate=raw,
        fdatasync_rate=syncs,
        errors=sum(errors for _, errors, _, _ in rounds),
    )


def together(callers: list[Callable[[str], object]], seconds: float, label: str) -> tuple[float, int]:
    """Let all callers work at once for a while, each call under its own name; give signatures a second and errors."""
    done, errors = [0] * len(callers), [0] * len(callers)
    start = time.perf_counter()

    def run(at: int) -> None:
        while time.perf_counter() - start < seconds:
            try:
                callers[at](f"{label}-{done[at] + errors[at]}")
                done[at] += 1
            except TowncircleError:
                errors[at] += 1

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(callers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) * WALK / (time.perf_counter() - start), sum(errors)


def _token(home: Path) -> dict[str, str]:
    (home / "tokens").mkdir()
    settings = home / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {home / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    environment = {"SOFTHSM2_CONF": str(settings)}
    line = [_TOOL, "--init-token", "--free", "--label", _LABEL, "--pin", _PIN, "--so-pin", _OFFICER_PIN]
    made = subprocess.run(  # noqa: S603 - the tool that was looked up
        line, check=False, capture_output=True, text=True, env={**os.environ, **environment}
    )
    if made.returncode:
        raise Refused("bench.no-token", what=made.stderr.strip()[:200] or f"{_TOOL} failed")
    return environment


def _slots(token: TokenLibrary) -> TokenSlots:
    return TokenSlots(token, token=_LABEL, pin=lambda: _PIN, randomness=SystemRandomness())


def _signer(token: TokenLibrary) -> Callable[[str], object]:
    slots = _slots(token)
    key, contents = slots.signer(slots.make("ecdsa-p256")), [bytes(46)] * WALK
    return lambda _name: key.sign_all(contents)


def _device(folder: Path, token: TokenLibrary) -> Callable[[str], object]:
    folder.mkdir()
    clock = SystemClock()
    device = device_in_service(folder, clock, _slots(token))
    day = clock.now().date_in("America/New_York").isoformat()
    return lambda name: commands.decode_answer(device.exchange(evidence_command(name, WALK, day)))
