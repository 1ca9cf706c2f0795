-- +goose Up

-- Which process delivers the webhooks of an app. A row is made when something of the
-- app is queued or leased first, and stays. Whoever queues locks the row first, so the ids of
-- an app's deliveries rise in the order in which they are committed.
CREATE TABLE app_webhook_leases (
	app_id    TEXT PRIMARY KEY,
	owner     TEXT NOT NULL DEFAULT '', -- the process; empty: none
	until_ms  BIGINT NOT NULL DEFAULT 0, -- by the database's clock
	queued_id BIGINT NOT NULL DEFAULT 0 -- the last id that another process has queued under this lease
);

-- The process that queued the delivery: the one with the lease reads what others queued.
ALTER TABLE app_webhook_queue ADD COLUMN queued_by TEXT NOT NULL DEFAULT '';
