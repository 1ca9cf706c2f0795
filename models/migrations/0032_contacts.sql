-- +goose Up

-- How many numbers a line asked the messenger about on a day, and how many of them do not
-- use it.
ALTER TABLE line_days ADD COLUMN checked BIGINT NOT NULL DEFAULT 0;
ALTER TABLE line_days ADD COLUMN checked_absent BIGINT NOT NULL DEFAULT 0;

-- The picture of a person or a group, as their chat has it: the messenger's id for it; what
-- is known, shown, none or hidden, and empty before it was asked; when it was asked.
ALTER TABLE chats ADD COLUMN picture_id TEXT NOT NULL DEFAULT '';
ALTER TABLE chats ADD COLUMN picture_state TEXT NOT NULL DEFAULT '';
ALTER TABLE chats ADD COLUMN picture_at BIGINT NOT NULL DEFAULT 0;
-- A file that is the picture of its chat, and belongs to no message.
ALTER TABLE files ADD COLUMN picture BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX files_pictures ON files (chat_id) WHERE picture;

-- Whether the line's account has blocked the person, and the name of a business that the
-- messenger has verified.
ALTER TABLE contacts ADD COLUMN blocked BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE contacts ADD COLUMN business_name TEXT;
CREATE INDEX contacts_blocked ON contacts (license_id, messenger_type) WHERE blocked;
