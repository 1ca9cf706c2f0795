-- +goose Up

-- How the deliveries to the webhooks of apps get on. An endpoint without a row has never
-- failed.
CREATE TABLE app_webhook_states (
	app_id          TEXT NOT NULL,
	endpoint        TEXT NOT NULL, -- as in app_webhook_queue
	generation      BIGINT NOT NULL DEFAULT 0, -- rises when a person resumes it
	failures        BIGINT NOT NULL DEFAULT 0, -- in a row
	since_ms        BIGINT NOT NULL DEFAULT 0, -- when the first of them began
	suspended_at_ms BIGINT NOT NULL DEFAULT 0, -- 0: not suspended
	PRIMARY KEY (app_id, endpoint)
);

-- The last attempts at each of them, and what was given up.
CREATE TABLE app_webhook_log (
	id          @id@,
	app_id      TEXT NOT NULL,
	endpoint    TEXT NOT NULL,
	kind        TEXT NOT NULL, -- delivery, redelivery or givenUp
	batch       TEXT NOT NULL, -- the key of app_webhook_batches
	names       TEXT NOT NULL, -- of the events, each once, joined with commas
	count       BIGINT NOT NULL, -- of the events
	attempt     BIGINT NOT NULL,
	status      BIGINT NOT NULL, -- of the answer; 0: none came
	reason      TEXT NOT NULL, -- why it failed; empty: it was delivered
	error       TEXT NOT NULL,
	duration_ms BIGINT NOT NULL,
	answer      TEXT NOT NULL, -- its first bytes
	at_ms       BIGINT NOT NULL
);
CREATE INDEX app_webhook_log_of ON app_webhook_log (app_id, endpoint, id);

-- What was posted, once for all attempts at it. It is kept for less long than the log where
-- it is large.
CREATE TABLE app_webhook_batches (
	id       @id@,
	key      TEXT NOT NULL UNIQUE,
	app_id   TEXT NOT NULL,
	endpoint TEXT NOT NULL,
	events   TEXT NOT NULL, -- JSON objects, joined with commas
	size     BIGINT NOT NULL, -- of them, in bytes
	at_ms    BIGINT NOT NULL
);
CREATE INDEX app_webhook_batches_of ON app_webhook_batches (app_id, endpoint, id, size);
