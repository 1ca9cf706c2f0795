-- +goose Up

-- Whether a program of the user's own serves the line: it has called POST L/inbound. A
-- line with neither a bridge nor an account is not set up.
ALTER TABLE messengers ADD COLUMN bridge BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE messengers SET bridge = TRUE WHERE EXISTS (
	SELECT 1 FROM chats c JOIN messages m ON m.chat_id = c.id
	WHERE c.license_id = messengers.license_id AND c.messenger_type = messengers.type);
