-- the store's own name, and that of the folder with the wrapping keys of its devices
ALTER TABLE fleet_store ADD COLUMN name uuid NOT NULL DEFAULT gen_random_uuid(), ADD COLUMN wrapping text;
