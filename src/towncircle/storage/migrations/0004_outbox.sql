-- What waits to be sent is asked for audience by audience, first things first, however much waits.
CREATE INDEX record_waiting ON record (json_extract(body, '$.audience'), json_extract(body, '$.order'))
    WHERE kind = 'outgoing' AND owner = 'waiting';
