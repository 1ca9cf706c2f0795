-- +goose Up

-- Parts of the history that a phone has announced and that are not imported yet.
CREATE TABLE whatsapp_history_parts (
	device     TEXT NOT NULL,
	message_id TEXT NOT NULL, -- of the announcement
	part       BYTEA NOT NULL, -- where the part is, or the part itself; encrypted, while secrets are
	kept_at    BIGINT NOT NULL, -- unix milliseconds
	PRIMARY KEY (device, message_id)
);
