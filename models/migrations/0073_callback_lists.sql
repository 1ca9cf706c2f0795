-- +goose Up

-- Of which list of requests cursor_part and head_tries count: which requests an event is depends on
-- the settings of instances too. Empty: of none yet, or not known.
ALTER TABLE callback_urls ADD COLUMN cursor_list TEXT NOT NULL DEFAULT '';

-- Each room of the log is trimmed by itself: see models/callback_log.go.
CREATE INDEX callback_deliveries_delivered ON callback_deliveries (callback_id, id) WHERE kind NOT IN ('live', 'givenUp', 'lost') AND reason = '';
CREATE INDEX callback_deliveries_failed ON callback_deliveries (callback_id, id) WHERE kind NOT IN ('live', 'givenUp', 'lost') AND reason <> '';
CREATE INDEX callback_deliveries_unsent ON callback_deliveries (callback_id, id) WHERE kind IN ('givenUp', 'lost');
CREATE INDEX callback_deliveries_live ON callback_deliveries (callback_id, id) WHERE kind = 'live';
