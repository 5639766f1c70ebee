"""Dice for rehearsals: chance that a printed seed brings back.

Here: dice named by the words that they are drawn for. Not here: chance for keys, ids and nonces, which is a port.
"""

from __future__ import annotations

import random

Dice = random.Random


def dice_for(*words: object) -> Dice:
    """Give dice that fall the same for the same words."""
    return random.Random(" ".join(map(str, words)))
