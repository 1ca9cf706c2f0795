-- +goose Up

-- The words of each message now begin with its licence, so that a search reads no other's.
-- All messages wait for the new index, which is filled in the background.
-- @sqlite
INSERT INTO message_search (message_search) VALUES ('delete-all');
-- @postgres
TRUNCATE message_search;
-- New words wait in a list that every search reads through. By default it may have 4 MB.
ALTER INDEX message_search_words SET (gin_pending_list_limit = 256);
-- @end
UPDATE search_state SET unindexed = (SELECT COALESCE(MAX(id), 0) FROM messages);
