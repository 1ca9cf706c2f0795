-- +goose Up

-- Chats are found by the number that was typed for them, too.
-- @sqlite
UPDATE chats SET folded = folded || char(10) || typed_id WHERE typed_id IS NOT NULL AND folded <> '';
-- @postgres
UPDATE chats SET folded = folded || chr(10) || typed_id WHERE typed_id IS NOT NULL AND folded <> '';
-- @end

-- Users who may still have parts in chats of the company that they may not have, because
-- they lost rights. They are taken out of these chats afterwards. References would lock the
-- company behind the user.
CREATE TABLE lost_parts (
	company_id BIGINT NOT NULL,
	user_id    BIGINT NOT NULL,
	PRIMARY KEY (company_id, user_id)
);

-- One row: the highest row id of the chats from before that table, whose parts are still to
-- be looked through; 0: none.
CREATE TABLE parts_state (
	id        BIGINT PRIMARY KEY CHECK (id = 1),
	unchecked BIGINT NOT NULL
);
INSERT INTO parts_state (id, unchecked) SELECT 1, COALESCE(MAX(id), 0) FROM chats;

-- The last session that a command ended together with the user's sockets: those after it
-- stay, whichever of them are ended later.
ALTER TABLE users ADD COLUMN cut_off_session BIGINT NOT NULL DEFAULT 0;
