-- the mark of the operator's secret that the fleet was sealed under last; none before that was ever replaced
ALTER TABLE fleet_store ADD COLUMN sealed bytea;
