"""Who can read what a party keeps: names, addresses, PINs, keys and books lie in its folder (IMI-04).

Here: the look at a world's folder before anything of it is opened. Not here: what leaves it: exports carry no personal
data (`world.exporting`), private keys are sealed (`pki.keyfile`), PINs are stretched (`pki.pins`), a network host lets
in who proves itself (`transport.stations`).
Kept: at both ends alike, the licensee's and the Provider's; a folder that others can read is not worked in.
"""

from __future__ import annotations

import stat
from pathlib import Path

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@cites("IMI-04/2")
def check_private(folder: Path) -> None:
    """Check that nobody but its owner can read a world's folder. Raises `Refused` (world.exposed)."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & _OTHERS:
        raise Refused("world.exposed", path=folder, mode=f"{mode:03o}")
