-- +goose Up

-- Until when the line's account may not write to strangers, in unix seconds; NULL: it may.
ALTER TABLE messenger_sessions ADD COLUMN restricted_until BIGINT;

-- With what an account of WhatsApp shows that it knows people, kept when it is logged
-- out: it may be paired again. The tokens of people stay in whatsmeow_privacy_tokens.
CREATE TABLE whatsapp_contact_salts (
	phone   TEXT PRIMARY KEY,
	salt    BYTEA NOT NULL, -- encrypted, while secrets are
	kept_at BIGINT NOT NULL
);
