-- +goose Up

-- Ends of accesses of which not all processes with sockets were told yet.
CREATE TABLE access_ends (
	id       @id@,
	user_id  BIGINT NOT NULL,
	kind     TEXT   NOT NULL, -- channels, session or sessions
	session  BIGINT NOT NULL,
	channels TEXT   NOT NULL, -- JSON
	at_ms    BIGINT NOT NULL  -- by the clock of the database
);
