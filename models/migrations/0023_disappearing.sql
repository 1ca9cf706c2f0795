-- +goose Up

-- The disappearing messages of a chat: after how many seconds, 0 for never; when that was
-- set; how, in the connector's own terms.
ALTER TABLE chats ADD COLUMN disappears_after BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chats ADD COLUMN disappears_since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chats ADD COLUMN disappears_mode TEXT NOT NULL DEFAULT '';
