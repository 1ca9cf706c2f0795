-- +goose Up

-- Invitations that nobody has accepted yet. A row goes when it was accepted or revoked,
-- when it has expired, and with the right of the user who made it.
CREATE TABLE invitations (
	id         @id@,
	company_id BIGINT NOT NULL REFERENCES companies (id) ON DELETE CASCADE,
	email      TEXT NOT NULL, -- lower case
	name       TEXT NOT NULL DEFAULT '', -- what the company calls the person
	role       TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'operator')),
	only_mine  BOOLEAN NOT NULL DEFAULT FALSE,
	licenses   TEXT NOT NULL, -- JSON array of the rights to licences
	code_hash  TEXT NOT NULL UNIQUE, -- hex SHA-256 of the code
	invited_by BIGINT REFERENCES users (id) ON DELETE CASCADE, -- null: the server's owner
	expires_at BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	UNIQUE (company_id, email)
);
CREATE INDEX invitations_invited_by ON invitations (invited_by);
CREATE INDEX invitations_expiry ON invitations (expires_at);

-- Somebody else chose or saw the password. Until now owners and admins did for everybody
-- whom they invited, and who has changed it since is not known. The first user made the
-- database.
ALTER TABLE users ADD COLUMN password_known BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE users SET password_known = TRUE WHERE id <> (SELECT MIN(id) FROM users);
