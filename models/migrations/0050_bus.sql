-- +goose Up

-- What the nodes of a cluster share when bus.url is postgres:. Only broadcasting/postgres
-- reads and writes these tables.
-- @postgres

-- The nodes. A node renews its row every second; what is over ends the node.
CREATE TABLE bus_nodes (
	id         TEXT PRIMARY KEY, -- a new one each time the node connects
	pid        BIGINT NOT NULL,  -- the backend that listens for the node, and when it began
	started_at TIMESTAMPTZ NOT NULL,
	expires_at TIMESTAMPTZ NOT NULL
);

-- How many orders have taken access away so far. A node that was cut off compares it with
-- what it has heard.
CREATE TABLE bus_state (
	id     BIGINT PRIMARY KEY,
	orders BIGINT NOT NULL
);
INSERT INTO bus_state (id, orders) VALUES (1, 0);

-- The last event of each cache channel. Its versions never go back, so they are drawn
-- from a sequence that is also never behind the clock.
CREATE SEQUENCE bus_version AS BIGINT;
CREATE UNLOGGED TABLE bus_last (
	app        TEXT NOT NULL,
	channel    TEXT NOT NULL,
	version    BIGINT NOT NULL,
	event      TEXT NOT NULL, -- JSON
	size       BIGINT NOT NULL,
	expires_at TIMESTAMPTZ NOT NULL,
	PRIMARY KEY (app, channel)
);
CREATE INDEX bus_last_expires ON bus_last (expires_at);
-- @end
