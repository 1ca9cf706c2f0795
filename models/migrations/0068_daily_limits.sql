-- +goose Up

-- How many messages a line may send in a day; null: any number.
ALTER TABLE line_settings ADD COLUMN daily_limit BIGINT;

-- How many messages a line with such a limit has sent on its last day: unix seconds / 86400.
CREATE TABLE line_quotas (
    license_id     BIGINT NOT NULL,
    messenger_type TEXT   NOT NULL,
    day            BIGINT NOT NULL,
    sent           BIGINT NOT NULL,
    PRIMARY KEY (license_id, messenger_type),
    FOREIGN KEY (license_id, messenger_type) REFERENCES messengers (license_id, type) ON DELETE CASCADE
);
