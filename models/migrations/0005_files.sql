-- +goose Up

-- Under which id the bytes of a file lie in the file store; empty: under its own.
-- A file that was announced before it came is put there before its row says so.
ALTER TABLE files ADD COLUMN stored_as TEXT NOT NULL DEFAULT '';
CREATE INDEX files_stored_as ON files (stored_as) WHERE stored_as <> '';
