-- +goose Up

-- The CRM's webhooks have no code yet. Their table returns together with it.
DROP TABLE webhook_endpoints;
