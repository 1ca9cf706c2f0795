-- +goose Up
-- Pusher's webhooks of apps, which are not the CRM's of webhook_endpoints.

-- What is to be delivered, in the order of the ids. A row goes when it was taken; one
-- that was given up is kept for people to look at.
CREATE TABLE app_webhook_queue (
	id             @id@,
	app_id         TEXT NOT NULL,
	endpoint       TEXT NOT NULL, -- made of its URL, which may hold a secret and is not kept
	events         TEXT NOT NULL, -- JSON objects, joined with commas
	count          BIGINT NOT NULL, -- of them
	created_at_ms  BIGINT NOT NULL,
	attempts       BIGINT NOT NULL DEFAULT 0, -- in vain
	last_error     TEXT NOT NULL DEFAULT '',
	tried_at_ms    BIGINT, -- the last time
	given_up       BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX app_webhook_queue_given_up ON app_webhook_queue (id) WHERE given_up;

-- What receivers were told of and not yet of its end: a channel that is occupied, a
-- member that was added. Channel and user are quoted, for they are any text, also such
-- as PostgreSQL does not take; and they may be longer than an index has room for, so
-- the key is their hash.
CREATE TABLE app_webhook_told (
	id      TEXT PRIMARY KEY, -- hex SHA-256 of the others
	app_id  TEXT NOT NULL,
	channel TEXT NOT NULL, -- as Go quotes it, in ASCII
	member  BOOLEAN NOT NULL, -- the user is in the channel
	user_id TEXT NOT NULL -- as Go quotes it, in ASCII; of a channel it is ""
);
