-- +goose Up

-- One row: the ids of the keys that secrets are encrypted with, separated by spaces.
-- Empty: they are not encrypted.
CREATE TABLE encryption (
	id   BIGINT PRIMARY KEY CHECK (id = 1),
	keys TEXT NOT NULL
);
INSERT INTO encryption (id, keys) VALUES (1, '');

-- WhatsApp's one-time keys, while secrets are encrypted: whatsmeow_pre_keys takes none
-- that are longer than 32 bytes. A row goes with its row in whatsmeow_device.
CREATE TABLE whatsapp_pre_keys (
	device   TEXT NOT NULL,
	key_id   BIGINT NOT NULL,
	key      BYTEA NOT NULL, -- encrypted
	uploaded BOOLEAN NOT NULL,
	PRIMARY KEY (device, key_id)
);
