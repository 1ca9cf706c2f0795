-- +goose Up

-- Deletions of messages that were not here: who deleted which message of which chat. When
-- one comes later, or an answer that quotes it, nothing of it is kept.
CREATE TABLE deleted_messages (
	license_id     BIGINT NOT NULL,
	messenger_type TEXT NOT NULL,
	external_id    TEXT NOT NULL, -- of the message
	chat           TEXT NOT NULL, -- one of the chat's ids; there may be no row of the chat
	from_me        BOOLEAN NOT NULL,
	deleted_by     TEXT NOT NULL, -- in groups, the id of the person
	by_admin       BOOLEAN NOT NULL, -- of the group
	deleted_at     BIGINT NOT NULL,
	PRIMARY KEY (license_id, messenger_type, external_id, chat, from_me, deleted_by, by_admin),
	FOREIGN KEY (license_id, messenger_type) REFERENCES messengers (license_id, type) ON DELETE CASCADE
);

-- What messages quote of others that are not here. Of those that are here it was kept
-- needlessly, also after their deletion.
CREATE INDEX messages_quotes ON messages (chat_id, quoted_external_id) WHERE quote IS NOT NULL;
UPDATE messages SET quote = NULL WHERE quote IS NOT NULL AND EXISTS (
	SELECT 1 FROM messages q WHERE q.chat_id = messages.chat_id AND q.external_id = messages.quoted_external_id);
