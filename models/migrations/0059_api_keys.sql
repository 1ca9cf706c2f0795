-- +goose Up

-- Keys with which programs use the API, of a company or of one of its lines. A row goes when
-- the key is revoked, and with its line.
CREATE TABLE api_keys (
	id           @id@,
	company_id   BIGINT NOT NULL REFERENCES companies (id) ON DELETE CASCADE,
	license_id   BIGINT, -- of the line; null: all lines of the company
	messenger    TEXT NOT NULL DEFAULT '',
	user_id      BIGINT NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE, -- the key's own
	name         TEXT NOT NULL,
	hash         TEXT NOT NULL UNIQUE, -- hex SHA-256 of the key
	can_read     BOOLEAN NOT NULL,
	can_send     BOOLEAN NOT NULL,
	can_manage   BOOLEAN NOT NULL,
	can_inbound  BOOLEAN NOT NULL,
	created_by   BIGINT REFERENCES users (id) ON DELETE SET NULL, -- null: the server's owner
	created_at   BIGINT NOT NULL,
	last_used_at BIGINT NOT NULL DEFAULT 0, -- to a minute; 0: not yet
	CHECK ((license_id IS NULL) = (messenger = '')),
	FOREIGN KEY (license_id, messenger) REFERENCES messengers (license_id, type) ON DELETE CASCADE
);
CREATE INDEX api_keys_company ON api_keys (company_id, id);
CREATE INDEX api_keys_line ON api_keys (license_id, messenger);

-- The user of a key is no person: it has no address and no password, and no company employs
-- it. It stays when the key goes, because messages say who wrote them.
ALTER TABLE users ADD COLUMN of_key BOOLEAN NOT NULL DEFAULT FALSE;
