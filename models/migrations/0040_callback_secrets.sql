-- +goose Up

-- The secret before, encrypted, which signs too until then, unix seconds.
ALTER TABLE callback_urls ADD COLUMN old_secret TEXT NOT NULL DEFAULT '';
ALTER TABLE callback_urls ADD COLUMN old_secret_until BIGINT NOT NULL DEFAULT 0;
