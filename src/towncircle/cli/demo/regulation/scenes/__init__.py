"""The scenes of the simulated year, by topic; importing this package puts them into the registry, in this order.

Each scene is a function on a date; beside it stands the procedure that it ends, with the facts that prove it. A mail
room has one story, so that stories do not disturb each other: its number stands at the head of the file.
"""

from importlib import import_module

TOPICS = (
    "licenses",
    "succession",
    "devices",
    "mail",
    "printroom",
    "quality",
    "missing",
    "examinations",
    "refunds",
    "accounts",
    "custody",
    "workers",
    "supervision",
    "inspections",
    "suspensions",
    "sanctions",
    "updates",
    "acts",
)

for _topic in TOPICS:
    import_module(f"{__name__}.{_topic}")
