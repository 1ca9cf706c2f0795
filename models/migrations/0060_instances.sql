-- +goose Up

-- What the clients of other dialects call a line, and how it answers them. Each line has one:
-- made with the line, deleted with it.
CREATE TABLE instances (
	id             TEXT PRIMARY KEY, -- a UUID
	company_id     BIGINT NOT NULL REFERENCES companies (id) ON DELETE CASCADE,
	license_id     BIGINT NOT NULL,
	messenger_type TEXT NOT NULL,
	name           TEXT NOT NULL,
	shape          TEXT NOT NULL, -- v2, v1 or l2msg
	settings       TEXT NOT NULL, -- JSON
	websocket      TEXT NOT NULL, -- JSON
	webhook        TEXT NOT NULL DEFAULT '', -- JSON, encrypted; empty: none
	token          TEXT NOT NULL DEFAULT '', -- the key it was created with, encrypted; empty: it is not kept
	profile_name   TEXT NOT NULL DEFAULT '', -- the account's own name; empty: not known
	own_license    BOOLEAN NOT NULL DEFAULT FALSE, -- the licence was created for it, and is deleted with it
	created_at_ms  BIGINT NOT NULL,
	updated_at_ms  BIGINT NOT NULL,
	UNIQUE (license_id, messenger_type),
	UNIQUE (company_id, name),
	FOREIGN KEY (license_id, messenger_type) REFERENCES messengers (license_id, type) ON DELETE CASCADE
);

INSERT INTO instances (id, company_id, license_id, messenger_type, name, shape, settings, websocket, created_at_ms, updated_at_ms)
-- @postgres
SELECT CAST(gen_random_uuid() AS TEXT),
-- @sqlite
SELECT lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-'
		|| substr('89ab', abs(random() % 4) + 1, 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))),
-- @end
	l.company_id, m.license_id, m.type, CAST(m.license_id AS TEXT) || '-' || m.type, 'v2', '{}', '{"enabled":true,"events":[]}',
	m.created_at * 1000, m.created_at * 1000
FROM messengers m JOIN licenses l ON l.id = m.license_id;

-- One row: a number that rises with each change of what processes hold of the instances.
CREATE TABLE instances_state (
	id      BIGINT PRIMARY KEY CHECK (id = 1),
	version BIGINT NOT NULL
);
INSERT INTO instances_state (id, version) VALUES (1, 0);
