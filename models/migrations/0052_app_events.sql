-- +goose Up

-- The events of apps' channels with a history. seq is the event id, given in the
-- transaction that adds the row, under the lock of app_events_state: rows are committed in
-- the order of their numbers.
CREATE TABLE app_events (
	seq           BIGINT PRIMARY KEY,
	app_id        TEXT NOT NULL,
	channel       TEXT NOT NULL,
	name          BYTEA NOT NULL, -- any text, also with U+0000
	data          BYTEA NOT NULL, -- as it was published
	except_socket TEXT NOT NULL,  -- the socket that does not get it; empty: none
	size          BIGINT NOT NULL,
	created_at_ms BIGINT NOT NULL,
	expires_at_ms BIGINT NOT NULL
);
CREATE INDEX app_events_channel ON app_events (app_id, channel, seq);
CREATE INDEX app_events_app ON app_events (app_id, seq);
CREATE INDEX app_events_expiry ON app_events (expires_at_ms);

-- One row: the last number given.
CREATE TABLE app_events_state (
	id       BIGINT PRIMARY KEY CHECK (id = 1),
	last_seq BIGINT NOT NULL
);
INSERT INTO app_events_state (id, last_seq) VALUES (1, 0);

-- How much is kept of each app.
CREATE TABLE app_events_totals (
	app_id TEXT PRIMARY KEY,
	bytes  BIGINT NOT NULL
);

-- The highest number that was removed of a channel. The row without a channel stands for
-- all channels that have none.
CREATE TABLE app_events_removed (
	app_id  TEXT NOT NULL,
	channel TEXT NOT NULL,
	seq     BIGINT NOT NULL,
	PRIMARY KEY (app_id, channel)
);
CREATE INDEX app_events_removed_seq ON app_events_removed (app_id, seq);

-- Since when events are kept by a pattern of channels: those of a channel are complete after
-- the lowest number of the patterns that match it.
CREATE TABLE app_events_rules (
	app_id    TEXT NOT NULL,
	pattern   TEXT NOT NULL,
	since_seq BIGINT NOT NULL,
	PRIMARY KEY (app_id, pattern)
);

ALTER TABLE apps ADD COLUMN history TEXT NOT NULL DEFAULT '[]'; -- JSON
