-- +goose Up

-- Tickets with which a browser opens a stream of events without the access token. A row goes
-- with its session, and when its time is over.
CREATE TABLE event_tickets (
	hash       TEXT PRIMARY KEY, -- hex SHA-256 of the ticket
	token_id   BIGINT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE, -- the session
	user_id    BIGINT NOT NULL,
	channel    TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	opened_at  BIGINT NOT NULL DEFAULT 0 -- when the first stream was opened with it; 0: not yet
);
CREATE INDEX event_tickets_token ON event_tickets (token_id);
CREATE INDEX event_tickets_user ON event_tickets (user_id, created_at);
CREATE INDEX event_tickets_age ON event_tickets (created_at);
