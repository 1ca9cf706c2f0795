-- +goose Up

-- The groups that a line's account is in, as they were when we last heard of them, to know
-- what has changed meanwhile. The row without an id is written when all groups were listed,
-- and holds the account whose groups these are.
CREATE TABLE line_groups (
	license_id     BIGINT NOT NULL,
	messenger_type TEXT NOT NULL,
	external_id    TEXT NOT NULL,
	state          TEXT NOT NULL, -- JSON
	PRIMARY KEY (license_id, messenger_type, external_id),
	FOREIGN KEY (license_id, messenger_type) REFERENCES messengers (license_id, type) ON DELETE CASCADE
);
