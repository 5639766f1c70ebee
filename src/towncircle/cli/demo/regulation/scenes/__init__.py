"""The scenes of the simulated year, by topic; importing this package puts them into the registry.

Each scene is a function on a date; beside it stands the procedure that it ends, with the facts that prove it. A mail
room has one story, so that stories do not disturb each other: its number stands at the head of the file.
"""

from towncircle.cli.demo.regulation.scenes import (
    acts,
    devices,
    examinations,
    licenses,
    mail,
    missing,
    quality,
    refunds,
    workers,
)

__all__ = ["acts", "devices", "examinations", "licenses", "mail", "missing", "quality", "refunds", "workers"]
