-- +goose Up

-- How the account of a line behaves. A line without a row has the defaults.
CREATE TABLE line_settings (
	license_id     BIGINT NOT NULL,
	messenger_type TEXT NOT NULL,
	reject_calls   BOOLEAN NOT NULL DEFAULT FALSE,
	reject_text    TEXT NOT NULL DEFAULT '', -- sent to the caller
	proxy          TEXT NOT NULL DEFAULT '', -- its URL with the password, encrypted
	PRIMARY KEY (license_id, messenger_type),
	FOREIGN KEY (license_id, messenger_type) REFERENCES messengers (license_id, type) ON DELETE CASCADE
);
