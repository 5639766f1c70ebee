"""towncircle: an open postage evidencing platform.

The rooms and what each one holds are described in ARCHITECTURE.md.
"""

__version__ = "0.1.0"
