-- What a mark's registers are compared with: the nearest ones of its device, however many pieces it has made.
CREATE INDEX record_pieces ON record (kind, owner, json_extract(body, '$.pieces'))
    WHERE kind = 'scanned' OR kind = 'repaid';
CREATE INDEX record_ascending ON record (kind, owner, json_extract(body, '$.ascending'))
    WHERE kind = 'scanned' OR kind = 'repaid';
