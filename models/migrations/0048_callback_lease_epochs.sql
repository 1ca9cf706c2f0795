-- +goose Up

-- Rises with each change of lease_owner: progress from before one is not written.
ALTER TABLE callback_urls ADD COLUMN lease_epoch BIGINT NOT NULL DEFAULT 0;
