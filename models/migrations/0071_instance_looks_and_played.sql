-- +goose Up

-- The phone number that an instance was created with; empty: none.
ALTER TABLE instances ADD COLUMN number TEXT NOT NULL DEFAULT '';

-- What people see of the line's account beside its name, as the messenger told it last: the address of its picture, and the
-- text about it; empty: none, or not known.
ALTER TABLE instances ADD COLUMN picture_url TEXT NOT NULL DEFAULT '';
ALTER TABLE instances ADD COLUMN about TEXT NOT NULL DEFAULT '';

-- A viewed message of ours was listened to or watched, too.
ALTER TABLE messages ADD COLUMN played BOOLEAN NOT NULL DEFAULT FALSE;
