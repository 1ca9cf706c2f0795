-- +goose Up

-- Chats are found by the number that was typed for them, too.
-- @sqlite
UPDATE chats SET folded = folded || char(10) || typed_id WHERE typed_id IS NOT NULL AND folded <> '';
-- @postgres
UPDATE chats SET folded = folded || chr(10) || typed_id WHERE typed_id IS NOT NULL AND folded <> '';
-- @end
