-- +goose Up

-- What is old is removed from the logs every hour, and each time all of them were read for it.
CREATE INDEX app_webhook_log_ages ON app_webhook_log (at_ms);
CREATE INDEX app_webhook_batches_ages ON app_webhook_batches (at_ms);
CREATE INDEX callback_deliveries_ages ON callback_deliveries (at_ms);
