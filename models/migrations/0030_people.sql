-- +goose Up

-- Chats are found by the number that was typed for them, too.
-- @sqlite
UPDATE chats SET folded = folded || char(10) || typed_id WHERE typed_id IS NOT NULL AND folded <> '';
-- @postgres
UPDATE chats SET folded = folded || chr(10) || typed_id WHERE typed_id IS NOT NULL AND folded <> '';
-- @end

-- The last session that a command ended together with the user's sockets: those after it
-- stay, whichever of them are ended later.
ALTER TABLE users ADD COLUMN cut_off_session BIGINT NOT NULL DEFAULT 0;
