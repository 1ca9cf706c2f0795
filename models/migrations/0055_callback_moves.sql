-- +goose Up

-- The events that tell of chats with another id, which callback URLs follow.
CREATE INDEX journal_merges ON journal (company_id, id) WHERE name = 'chatMerge';
