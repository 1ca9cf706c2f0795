-- +goose Up

-- The number that an operator typed for a chat, when WhatsApp answers that the person has
-- another one: some countries write the same number in two ways.
ALTER TABLE chats ADD COLUMN typed_id TEXT;
CREATE INDEX chats_typed ON chats (license_id, messenger_type, typed_id);

-- What a message answers, as the messenger told it, when that message is not here.
ALTER TABLE messages ADD COLUMN quote TEXT;
