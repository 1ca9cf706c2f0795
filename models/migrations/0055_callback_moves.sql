-- +goose Up

-- The events that tell of chats with another id, which callback URLs follow.
CREATE INDEX journal_merges ON journal (company_id, id) WHERE name = 'chatMerge';

-- One row: when the newest of the events happened that were removed from the beginning of the
-- journal; 0: none was. Of those that are removed already it is not known, only of what is kept.
CREATE TABLE journal_removed (
	id            BIGINT PRIMARY KEY CHECK (id = 1),
	created_at_ms BIGINT NOT NULL
);
INSERT INTO journal_removed (id, created_at_ms) SELECT 1, CASE WHEN MIN(seq) > 1 THEN MIN(created_at_ms) ELSE 0 END FROM journal;
