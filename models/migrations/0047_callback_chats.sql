-- +goose Up

-- The ids that the chats of a callback URL had before, a JSON array.
ALTER TABLE callback_urls ADD COLUMN former_chats TEXT NOT NULL DEFAULT '[]';
