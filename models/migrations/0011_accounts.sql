-- +goose Up

-- An account that may not sign in, and which command last ended its sockets. Commands
-- run in another process than the sockets: servers look for higher numbers.
ALTER TABLE users ADD COLUMN disabled_at BIGINT NOT NULL DEFAULT 0; -- 0: may sign in
ALTER TABLE users ADD COLUMN cut_off BIGINT NOT NULL DEFAULT 0;
CREATE INDEX users_cut_off ON users (cut_off);

-- One row: the number that the last command drew.
CREATE TABLE users_state (
	id      BIGINT PRIMARY KEY CHECK (id = 1),
	version BIGINT NOT NULL
);
INSERT INTO users_state (id, version) VALUES (1, 0);

-- A pair of tokens is a session. It keeps its row and its id when it is refreshed.
ALTER TABLE tokens ADD COLUMN last_used_at BIGINT NOT NULL DEFAULT 0; -- to a few minutes
ALTER TABLE tokens ADD COLUMN address TEXT NOT NULL DEFAULT ''; -- of the sign-in or the last refresh
ALTER TABLE tokens ADD COLUMN user_agent TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN refreshes BIGINT NOT NULL DEFAULT 0;

-- The last refresh tokens that a session has exchanged. One that comes again has been
-- copied, and ends the session.
CREATE TABLE used_refresh_tokens (
	token_id BIGINT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
	number   BIGINT NOT NULL, -- tokens.refreshes before the exchange
	hash     TEXT NOT NULL UNIQUE, -- hex SHA-256
	PRIMARY KEY (token_id, number)
);

-- A code with which a user may set a new password, once.
CREATE TABLE password_resets (
	user_id    BIGINT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	hash       TEXT NOT NULL UNIQUE, -- hex SHA-256
	expires_at BIGINT NOT NULL
);

-- The second factor of a user. The secret is in the clear, because codes are made with
-- it. It asks for no code until the user has confirmed it with one.
CREATE TABLE user_totp (
	user_id      BIGINT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	secret       TEXT NOT NULL, -- base32
	confirmed_at BIGINT NOT NULL DEFAULT 0, -- 0: not yet
	last_step    BIGINT NOT NULL DEFAULT 0 -- of the last accepted code; no code up to it is accepted again
);

-- What replaces a code of a lost device, once each.
CREATE TABLE recovery_codes (
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	hash    TEXT NOT NULL, -- hex SHA-256
	PRIMARY KEY (user_id, hash)
);

ALTER TABLE companies ADD COLUMN require_totp BOOLEAN NOT NULL DEFAULT FALSE;
