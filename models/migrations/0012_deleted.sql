-- +goose Up

-- When the message of a file was deleted; null: it was not. The file is not served then.
ALTER TABLE files ADD COLUMN deleted_at BIGINT;
CREATE INDEX files_deleted ON files (deleted_at) WHERE deleted_at IS NOT NULL;
UPDATE files SET deleted_at = (SELECT m.deleted_at FROM messages m WHERE m.id = files.message_id)
	WHERE message_id IN (SELECT id FROM messages WHERE deleted_at IS NOT NULL);

-- Which entries of the journal show what a message says, also as a quotation.
CREATE TABLE journal_messages (
	message_id BIGINT NOT NULL,
	journal_id BIGINT NOT NULL REFERENCES journal (id) ON DELETE CASCADE,
	PRIMARY KEY (message_id, journal_id)
);
CREATE INDEX journal_messages_journal ON journal_messages (journal_id);

-- Signed links of a company's files are good for one number. It rises when somebody
-- loses access, and the links that they have end.
ALTER TABLE companies ADD COLUMN link_epoch BIGINT NOT NULL DEFAULT 0;
