"""The statements of the PostgreSQL memory, and its numbered migrations.

Here: SQL over `unnest`, so that any number of devices is one statement; `DEBITS` is `MOVE` for debits of one piece,
which have one record each, so that their columns come once; the server's warnings. Not here: who runs it (`postgres`).
Kept: the one guard is compare-and-swap on counter and epoch, in the WHERE of the statement that writes; a record is
written only beside the device that moved in the same statement.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from string import Template
from typing import TYPE_CHECKING, Any

from towncircle.kernel.errors import Refused

if TYPE_CHECKING:
    import psycopg

BIRTH = """
INSERT INTO device (id, steady, counter, epoch, moving, digest)
SELECT * FROM unnest(%b::text[], %b::bytea[], %b::bigint[], %b::bigint[], %b::bytea[], %b::bytea[])
ON CONFLICT DO NOTHING RETURNING id"""
MOVE = """
WITH moved AS (
    UPDATE device AS d SET steady = coalesce(g.steady, d.steady), counter = g.counter, epoch = g.epoch,
        moving = g.moving, digest = g.digest
    FROM unnest(%b::text[], %b::bigint[], %b::bigint[], %b::bytea[], %b::bigint[], %b::bigint[], %b::bytea[],
        %b::bytea[]) AS g (id, was_counter, was_epoch, steady, counter, epoch, moving, digest)
    WHERE d.id = g.id AND d.counter = g.was_counter AND d.epoch = g.was_epoch
    RETURNING d.id
), kept AS (
    INSERT INTO record (device, kind, request_id, counter, place, command_digest, first_piece, count, response, digest)
    SELECT r.* FROM unnest(%b::text[], %b::text[], %b::text[], %b::bigint[], %b::int[], %b::bytea[], %b::bigint[],
        %b::int[], %b::bytea[], %b::bytea[])
        AS r (device, kind, request_id, counter, place, command_digest, first_piece, count, response, digest)
    WHERE r.device IN (SELECT id FROM moved)
)
SELECT count(*), CASE WHEN count(*) < %b THEN array_agg(id) END FROM moved"""
DEBITS = """
WITH moved AS (
    UPDATE device AS d SET steady = coalesce(g.steady, d.steady), counter = g.counter, epoch = g.epoch,
        moving = g.moving, digest = g.digest
    FROM unnest(%b::text[], %b::bigint[], %b::bigint[], %b::bytea[], %b::bigint[], %b::bigint[], %b::bytea[],
        %b::bytea[], %b::text[], %b::bytea[], %b::bigint[], %b::bytea[], %b::bytea[])
        AS g (id, was_counter, was_epoch, steady, counter, epoch, moving, digest, request_id, command_digest,
            first_piece, response, response_digest)
    WHERE d.id = g.id AND d.counter = g.was_counter AND d.epoch = g.was_epoch
    RETURNING d.id, g.counter, g.request_id, g.command_digest, g.first_piece, g.response, g.response_digest
), kept AS (
    INSERT INTO record (device, kind, request_id, counter, place, command_digest, first_piece, count, response, digest)
    SELECT id, %b::text, request_id, counter, 0, command_digest, first_piece, 1, response, response_digest FROM moved
)
SELECT count(*), CASE WHEN count(*) < %b THEN array_agg(id) END FROM moved"""
KEEP = """
INSERT INTO record (device, kind, request_id, counter, place, command_digest, first_piece, count, response, digest)
SELECT r.* FROM unnest(%b::text[], %b::text[], %b::text[], %b::bigint[], %b::int[], %b::bytea[], %b::bigint[],
    %b::int[], %b::bytea[], %b::bytea[])
    AS r (device, kind, request_id, counter, place, command_digest, first_piece, count, response, digest)"""
LOAD = "SELECT id, steady, counter, epoch, moving, digest FROM device WHERE id = ANY(%b::text[])"
NAMED = """
SELECT r.device, r.kind, r.request_id, r.command_digest, r.response, r.first_piece, r.count, r.digest
FROM unnest(%b::text[], %b::text[], %b::text[]) AS g (device, kind, request_id) JOIN record AS r
ON r.device = g.device AND r.kind = g.kind AND r.request_id = g.request_id"""
ALL = """
SELECT device, kind, request_id, command_digest, response, first_piece, count, digest
FROM record WHERE device = %b ORDER BY counter, place"""


def migrations() -> list[str]:
    """Give the numbered scripts in their order."""
    folder = resources.files("towncircle.psd") / "postgres_migrations"
    return [item.read_text() for item in sorted(folder.iterdir(), key=lambda item: item.name)]


def filled(script: str, parts: int) -> str:
    """Fill in how the tables are parted, and add the parts to the script that makes them."""
    by = {"by_id": "id", "by_device": "device"}
    clauses = {name: f"PARTITION BY HASH ({column})" if parts else "" for name, column in by.items()}
    text = Template(script).substitute(clauses, parts=parts)
    for table in ("device", "record") if "$by_id" in script else ():
        for at in range(parts):
            text += (
                f"CREATE TABLE {table}_{at} PARTITION OF {table} FOR VALUES WITH (MODULUS {parts}, REMAINDER {at});\n"
            )
    return text


@contextmanager
def warned(connection: psycopg.Connection[Any]) -> Iterator[list[str]]:
    """Gather the server's warnings: a wait for the standby that was cut short is told by a warning only."""
    told: list[str] = []

    def listen(notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            told.append(str(notice.message_primary))

    connection.add_notice_handler(listen)
    try:
        yield told
    finally:
        connection.remove_notice_handler(listen)


def library() -> Any:
    """Give the library that speaks with PostgreSQL. Raises `Refused` (psd.library-missing)."""
    try:
        import psycopg
        import psycopg.conninfo
    except ImportError as error:
        raise Refused("psd.library-missing", library="psycopg", extra="postgres") from error
    return psycopg
