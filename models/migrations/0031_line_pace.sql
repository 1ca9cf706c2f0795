-- +goose Up

-- How a line writes. NULL: as the program's configuration says.
ALTER TABLE line_settings ADD COLUMN typing BOOLEAN;
ALTER TABLE line_settings ADD COLUMN send_delay BIGINT; -- seconds
