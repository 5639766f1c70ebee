"""The arguments that say where a device's keys lie, for its process and for commands; light, so that help is quick."""

from __future__ import annotations

import argparse
from pathlib import Path

PASSPHRASE = "operator.argon2id"  # noqa: S105 - the name of a file of salt and costs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say where the keys lie."""
    parser.add_argument("--secret", type=Path, metavar="FILE", help="the operator's 32-byte secret")
    parser.add_argument(
        "--passphrase-from", type=Path, metavar="FILE", help=f"the passphrase; its parameters are in {PASSPHRASE}"
    )
    add_token(parser)


def add_token(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name a token."""
    parser.add_argument("--token", type=Path, metavar="LIBRARY", help="a PKCS#11 library that holds the keys")
    parser.add_argument("--token-label", default="", metavar="LABEL", help="the token in that library")
    parser.add_argument("--pin-from", type=Path, metavar="FILE", help="the PIN of that token")
