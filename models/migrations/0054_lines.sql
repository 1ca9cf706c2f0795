-- +goose Up

-- The processes that serve lines. While the row of a process is here, the lines that it
-- leases are its own. It changes beat; other processes remove the row when beat stays.
CREATE TABLE line_nodes (
    name    TEXT    NOT NULL PRIMARY KEY,
    type    TEXT    NOT NULL,
    beat    BIGINT  NOT NULL,
    leaving BOOLEAN NOT NULL DEFAULT FALSE
);

-- What a process asks the one that serves a line. It removes the row when it has the
-- answer, or waits no longer.
CREATE TABLE line_calls (
	id             TEXT PRIMARY KEY,
	node           TEXT NOT NULL, -- the process that serves the line
	caller         TEXT NOT NULL, -- the process that asks; empty: it wants no answer
	license_id     BIGINT NOT NULL,
	messenger_type TEXT NOT NULL,
	method         TEXT NOT NULL,
	request        TEXT NOT NULL, -- JSON; encrypted, while secrets are
	state          TEXT NOT NULL, -- waiting, begun, moved or answered
	answer         TEXT NOT NULL DEFAULT '', -- like request
	deadline_ms    BIGINT NOT NULL, -- by the clock of the database
	FOREIGN KEY (license_id, messenger_type) REFERENCES messengers (license_id, type) ON DELETE CASCADE
);
CREATE INDEX line_calls_node ON line_calls (node, state);
CREATE INDEX line_calls_line ON line_calls (license_id, messenger_type);
CREATE INDEX line_calls_deadline ON line_calls (deadline_ms);
