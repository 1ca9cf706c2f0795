-- +goose Up

-- Rises with each change of lease_owner: progress from before one is not written.
ALTER TABLE callback_urls ADD COLUMN lease_epoch BIGINT NOT NULL DEFAULT 0;

-- The answers to an event, which may repeat it, are dropped when what it says is deleted.
CREATE INDEX callback_deliveries_answers ON callback_deliveries (seq) WHERE answer <> '';
