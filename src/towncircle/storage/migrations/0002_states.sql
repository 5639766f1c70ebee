-- Records are asked for by their state: which jobs are open is known without reading every piece that was ever printed.
CREATE INDEX record_state ON record (kind, json_extract(body, '$.state'));
