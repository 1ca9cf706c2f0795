-- +goose Up

-- What searches compare of a chat and of a contact: see Fold. Empty: see version 19.
ALTER TABLE chats ADD COLUMN folded TEXT NOT NULL DEFAULT '';
ALTER TABLE contacts ADD COLUMN folded TEXT NOT NULL DEFAULT '';

-- The words of each message, to search in messages.
-- @sqlite
-- The words are split at spaces alone, and only row ids are kept: neither the text nor
-- the words' places.
CREATE VIRTUAL TABLE message_search USING fts5 (
	words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);
-- +goose StatementBegin
CREATE TRIGGER messages_unindex AFTER DELETE ON messages BEGIN
	DELETE FROM message_search WHERE rowid = old.id;
END;
-- +goose StatementEnd
-- @postgres
CREATE TABLE message_search (
	message_id BIGINT PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
	words      TSVECTOR NOT NULL
);
CREATE INDEX message_search_words ON message_search USING gin (words);
-- @end

-- One row: the highest row id of the messages that are still to be indexed, because they
-- came before the index; 0: none.
CREATE TABLE search_state (
	id        BIGINT PRIMARY KEY CHECK (id = 1),
	unindexed BIGINT NOT NULL
);
INSERT INTO search_state (id, unindexed) SELECT 1, COALESCE(MAX(id), 0) FROM messages;
