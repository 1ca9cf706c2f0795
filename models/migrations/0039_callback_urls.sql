-- +goose Up

-- Where the events of a line, or of all lines of a company, are posted, and how far that
-- has got.
CREATE TABLE callback_urls (
	id               @id@,
	company_id       BIGINT NOT NULL REFERENCES companies (id) ON DELETE CASCADE,
	license_id       BIGINT, -- NULL: of the company
	messenger_type   TEXT,
	parent_id        BIGINT REFERENCES callback_urls (id) ON DELETE CASCADE, -- set for the dry run of another one
	until_seq        BIGINT NOT NULL DEFAULT 0, -- of a dry run: its last event
	url              TEXT NOT NULL, -- encrypted: it may hold a secret
	secret           TEXT NOT NULL, -- encrypted
	events           TEXT NOT NULL, -- JSON arrays; an empty one selects all
	lines            TEXT NOT NULL,
	chats            TEXT NOT NULL,
	generation       BIGINT NOT NULL, -- rises with each change by a person
	cursor_seq       BIGINT NOT NULL, -- the last event that is done with
	failures         BIGINT NOT NULL DEFAULT 0, -- in a row
	failing_since_ms BIGINT NOT NULL DEFAULT 0,
	next_at_ms       BIGINT NOT NULL DEFAULT 0, -- of the next attempt
	last_error       TEXT NOT NULL DEFAULT '',
	suspended_at     BIGINT NOT NULL DEFAULT 0, -- 0: not suspended
	lost_from        BIGINT NOT NULL DEFAULT 0, -- the last gap: events that were removed before they were delivered
	lost_to          BIGINT NOT NULL DEFAULT 0,
	lost_at          BIGINT NOT NULL DEFAULT 0,
	created_at       BIGINT NOT NULL,
	lease_owner      TEXT NOT NULL DEFAULT '', -- the process that delivers, see callback_leases
	FOREIGN KEY (license_id, messenger_type) REFERENCES messengers (license_id, type) ON DELETE CASCADE
);
CREATE UNIQUE INDEX callback_urls_line ON callback_urls (license_id, messenger_type) WHERE parent_id IS NULL AND license_id IS NOT NULL;
CREATE UNIQUE INDEX callback_urls_company ON callback_urls (company_id) WHERE parent_id IS NULL AND license_id IS NULL;
CREATE UNIQUE INDEX callback_urls_parent ON callback_urls (parent_id) WHERE parent_id IS NOT NULL;

-- The processes that deliver. One whose time is over by the database's clock holds nothing.
CREATE TABLE callback_leases (
	owner    TEXT PRIMARY KEY,
	until_ms BIGINT NOT NULL
);

-- One row: a number that rises with each change of callback_urls that its deliverers must
-- know of.
CREATE TABLE callback_state (
	id      BIGINT PRIMARY KEY CHECK (id = 1),
	version BIGINT NOT NULL
);
INSERT INTO callback_state (id, version) VALUES (1, 0);

-- The last attempts of each URL, and its gaps.
CREATE TABLE callback_deliveries (
	id          @id@,
	callback_id BIGINT NOT NULL REFERENCES callback_urls (id) ON DELETE CASCADE,
	kind        TEXT NOT NULL, -- event, redelivery, dryRun or lost
	seq         BIGINT NOT NULL, -- the event; of lost the first one
	until_seq   BIGINT NOT NULL, -- of lost: the last one
	name        TEXT NOT NULL,
	attempt     BIGINT NOT NULL,
	status      BIGINT NOT NULL, -- of the answer; 0: none came
	reason      TEXT NOT NULL, -- why it failed; empty: it was delivered
	error       TEXT NOT NULL,
	duration_ms BIGINT NOT NULL,
	answer      TEXT NOT NULL, -- its first bytes
	at_ms       BIGINT NOT NULL
);
CREATE INDEX callback_deliveries_of ON callback_deliveries (callback_id, id);
