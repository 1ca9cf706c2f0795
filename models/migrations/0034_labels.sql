-- +goose Up

-- Whether the tags of a line's chats go to its account's phone, as labels.
ALTER TABLE line_settings ADD COLUMN labels BOOLEAN NOT NULL DEFAULT FALSE;

-- After how many seconds messages disappear in chats that the line begins, and when that was
-- set, here or on the phone; 0: never.
ALTER TABLE line_settings ADD COLUMN disappearing BIGINT NOT NULL DEFAULT 0;
ALTER TABLE line_settings ADD COLUMN disappearing_since BIGINT NOT NULL DEFAULT 0;

-- What the phone does not know yet: a label of the line, or with a chat whether the chat has
-- it. The row does not say what it is now: that is read when it is sent.
CREATE TABLE label_changes (
	id             @id@,
	license_id     BIGINT NOT NULL,
	messenger_type TEXT NOT NULL,
	label          TEXT NOT NULL,
	chat_id        BIGINT NOT NULL, -- 0: the label itself
	at             BIGINT NOT NULL, -- when it was changed here, unix seconds
	FOREIGN KEY (license_id, messenger_type) REFERENCES messengers (license_id, type) ON DELETE CASCADE
);
CREATE UNIQUE INDEX label_changes_of ON label_changes (license_id, messenger_type, label, chat_id);
