-- $parts is 0 for plain tables; otherwise $by_id and $by_device part them by the hash of the device's id.
CREATE TABLE device (
    id      text COLLATE "C" NOT NULL PRIMARY KEY,
    steady  bytea NOT NULL,  -- first: the log leaves out what an update has in common with the older version
    counter bigint NOT NULL,
    epoch   bigint NOT NULL,
    moving  bytea NOT NULL,
    digest  bytea NOT NULL
) $by_id;
-- no foreign key: a record is only ever written by the statement that moved its device
CREATE TABLE record (
    device         text COLLATE "C" NOT NULL,
    kind           text COLLATE "C" NOT NULL,
    request_id     text COLLATE "C" NOT NULL,
    counter        bigint NOT NULL,
    place          integer NOT NULL,
    command_digest bytea NOT NULL,
    first_piece    bigint NOT NULL,
    count          integer NOT NULL,
    response       bytea STORAGE EXTERNAL NOT NULL,
    digest         bytea NOT NULL,
    PRIMARY KEY (device, kind, request_id)
) $by_device;
