-- +goose Up
-- Pusher apps that were made while the server ran; those of the configuration file
-- are not here. Secrets are in the clear, because signatures are made with them.
CREATE TABLE apps (
	id                  TEXT PRIMARY KEY,
	key                 TEXT NOT NULL UNIQUE,
	secret              TEXT NOT NULL,
	old_secret          TEXT NOT NULL DEFAULT '', -- the one before, honoured until
	old_secret_until    BIGINT NOT NULL DEFAULT 0,
	enabled             BOOLEAN NOT NULL,
	name                TEXT NOT NULL,
	allowed_origins     TEXT NOT NULL, -- JSON array, [] = any
	client_events       BOOLEAN NOT NULL,
	subscription_count  BOOLEAN NOT NULL,
	user_authentication BOOLEAN NOT NULL,
	limits              TEXT NOT NULL, -- JSON object; 0 or absent = the server's
	webhooks            TEXT NOT NULL, -- JSON array
	created_at          BIGINT NOT NULL,
	updated_at          BIGINT NOT NULL
);

-- One row: a number that rises with each change of apps, so that a server sees
-- cheaply that there was one.
CREATE TABLE apps_state (
	id      BIGINT PRIMARY KEY CHECK (id = 1),
	version BIGINT NOT NULL
);
INSERT INTO apps_state (id, version) VALUES (1, 0);
