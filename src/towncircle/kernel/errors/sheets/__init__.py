"""The sheets of the error table, one a room: each holds `ROWS: dict[str, Row]`."""
