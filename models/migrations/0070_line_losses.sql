-- +goose Up

-- Since when the account of a line is not connected, in unix milliseconds, while it is connected again and again; 0: it is
-- connected, or is not tried. loss_told: it has taken too long, and that was told.
ALTER TABLE messenger_sessions ADD COLUMN lost_at_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE messenger_sessions ADD COLUMN loss_told BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE messenger_sessions SET lost_at_ms = updated_at * 1000 WHERE device <> '' AND state IN ('connecting', 'disconnected');

-- How the account was last disconnected for long: the state, its sentence, and when; an empty state: never yet.
ALTER TABLE messenger_sessions ADD COLUMN ended_state TEXT NOT NULL DEFAULT '';
ALTER TABLE messenger_sessions ADD COLUMN ended_detail TEXT NOT NULL DEFAULT '';
ALTER TABLE messenger_sessions ADD COLUMN ended_at_ms BIGINT NOT NULL DEFAULT 0;
UPDATE messenger_sessions SET ended_state = state, ended_detail = detail, ended_at_ms = updated_at * 1000
	WHERE state IN ('logged_out', 'banned_until', 'replaced', 'outdated');
