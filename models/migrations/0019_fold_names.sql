-- +goose Up

-- The highest row ids of the chats and contacts that may have no folded names yet, because
-- they came before the column; 0: none. The server folds them while it runs: it would
-- start minutes later if a migration did. Version 18 was such a migration.
ALTER TABLE search_state ADD COLUMN unfolded_chats BIGINT NOT NULL DEFAULT 0;
ALTER TABLE search_state ADD COLUMN unfolded_contacts BIGINT NOT NULL DEFAULT 0;
UPDATE search_state SET
	unfolded_chats = (SELECT COALESCE(MAX(id), 0) FROM chats WHERE folded = ''),
	unfolded_contacts = (SELECT COALESCE(MAX(id), 0) FROM contacts WHERE folded = '');
