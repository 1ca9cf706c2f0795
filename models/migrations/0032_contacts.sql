-- +goose Up

-- How many numbers a line asked the messenger about on a day, and how many of them do not
-- use it.
ALTER TABLE line_days ADD COLUMN checked BIGINT NOT NULL DEFAULT 0;
ALTER TABLE line_days ADD COLUMN checked_absent BIGINT NOT NULL DEFAULT 0;
