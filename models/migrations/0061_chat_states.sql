-- +goose Up

-- How the account's phone arranges a chat: in its archive, on top of its list, without sound
-- until a time (unix seconds; 0: with sound; -1: for ever without), marked as unread.
ALTER TABLE chats ADD COLUMN archived BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE chats ADD COLUMN pinned BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE chats ADD COLUMN muted_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chats ADD COLUMN marked_unread BOOLEAN NOT NULL DEFAULT FALSE;
