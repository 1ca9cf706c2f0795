-- +goose Up

-- What is due is found among what waits, of which there may be much. The number of an item
-- only orders what was found.
DROP INDEX outbox_line;
CREATE INDEX outbox_due ON outbox (license_id, messenger_type, not_before);
