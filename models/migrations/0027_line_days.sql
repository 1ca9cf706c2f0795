-- +goose Up

-- How safely the line's account may write to strangers, why, and two facts for it: when
-- its phone was last seen and when the messenger last told its version, unix seconds;
-- 0: not known.
ALTER TABLE messenger_sessions ADD COLUMN rating TEXT NOT NULL DEFAULT 'ok';
ALTER TABLE messenger_sessions ADD COLUMN rating_reasons TEXT NOT NULL DEFAULT '[]'; -- JSON
ALTER TABLE messenger_sessions ADD COLUMN phone_seen_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE messenger_sessions ADD COLUMN version_known_at BIGINT NOT NULL DEFAULT 0;

-- First messages are recorded whether or not they are limited, and for 8 days: which
-- message it was, until it was delivered; a hash of its text; and when the first attempt
-- to send it began, in unix seconds, or 0.
ALTER TABLE cold_contacts ADD COLUMN message_id BIGINT;
ALTER TABLE cold_contacts ADD COLUMN text_hash BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cold_contacts ADD COLUMN begun_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX cold_contacts_begun ON cold_contacts (license_id, messenger_type, begun_at);
CREATE INDEX cold_contacts_message ON cold_contacts (message_id) WHERE message_id IS NOT NULL;

-- What became of the messages to strangers, by line and day. A day is unix seconds / 86400.
CREATE TABLE line_days (
	license_id      BIGINT NOT NULL,
	messenger_type  TEXT NOT NULL,
	day             BIGINT NOT NULL,
	sent            BIGINT NOT NULL DEFAULT 0,
	delivered       BIGINT NOT NULL DEFAULT 0,
	not_there       BIGINT NOT NULL DEFAULT 0,
	refused_lock    BIGINT NOT NULL DEFAULT 0,
	refused_no_link BIGINT NOT NULL DEFAULT 0,
	forbidden       BIGINT NOT NULL DEFAULT 0,
	locks           BIGINT NOT NULL DEFAULT 0,
	bans            BIGINT NOT NULL DEFAULT 0,
	blocks          BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (license_id, messenger_type, day),
	FOREIGN KEY (license_id, messenger_type) REFERENCES messengers (license_id, type) ON DELETE CASCADE
);
