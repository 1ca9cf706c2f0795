-- +goose Up

-- A chat may be a channel. Only the check changes, so no row is touched.
-- @sqlite
-- SQLite cannot alter a check; this is how it documents to do it. The statements below make
-- other connections read the schema again.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (type IN (''private'', ''group''))', 'CHECK (type IN (''private'', ''group'', ''channel''))')
	WHERE type = 'table' AND name = 'chats';
PRAGMA writable_schema = RESET;
-- A table with another text is not as this program made it, and would refuse every channel.
CREATE TEMP TABLE changed (tables INTEGER CONSTRAINT the_check_of_chats_type_was_found CHECK (tables = 1));
INSERT INTO changed SELECT count(*) FROM sqlite_schema
	WHERE type = 'table' AND name = 'chats' AND instr(sql, 'CHECK (type IN (''private'', ''group'', ''channel''))') > 0;
DROP TABLE changed;
-- @postgres
ALTER TABLE chats DROP CONSTRAINT chats_type_check;
ALTER TABLE chats ADD CONSTRAINT chats_type_check CHECK (type IN ('private', 'group', 'channel')) NOT VALID;
-- @end

-- Whether a line keeps what people post as their status, and what the channels post that its
-- account follows.
ALTER TABLE line_settings ADD COLUMN receive_status BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE line_settings ADD COLUMN receive_channels BOOLEAN NOT NULL DEFAULT FALSE;
