CREATE TABLE device (
    id      TEXT PRIMARY KEY,
    counter INTEGER NOT NULL,
    epoch   INTEGER NOT NULL,
    state   BLOB NOT NULL,
    digest  BLOB NOT NULL
) STRICT;
CREATE TABLE record (
    device         TEXT NOT NULL REFERENCES device (id),
    kind           TEXT NOT NULL,
    request_id     TEXT NOT NULL,
    command_digest BLOB NOT NULL,
    first_piece    INTEGER NOT NULL,
    count          INTEGER NOT NULL,
    response       BLOB NOT NULL,
    digest         BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX record_of_request ON record (device, kind, request_id);
