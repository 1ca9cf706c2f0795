-- +goose Up

-- Where the first stream of a ticket began: none goes on from before it. A ticket that was
-- opened without one goes on nowhere, and its page gets another.
ALTER TABLE event_tickets ADD COLUMN opened_seq BIGINT NOT NULL DEFAULT 9223372036854775807;
