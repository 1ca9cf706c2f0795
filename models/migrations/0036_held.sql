-- +goose Up

-- Whether what waits in the outbox was told to wait as a first message, or for a lock of
-- the account: that ends when the person writes. A wait after a failed attempt does not.
ALTER TABLE outbox ADD COLUMN held BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE outbox SET held = TRUE WHERE not_before > 0 AND (cold OR attempts = 0);

-- In which chat a line wrote first: a person counts once, however many messages were tried.
-- NULL: not known, it is of an earlier version and was delivered. The row outlives its chat.
ALTER TABLE cold_contacts ADD COLUMN chat_id BIGINT;
UPDATE cold_contacts SET chat_id = (SELECT m.chat_id FROM messages m WHERE m.id = cold_contacts.message_id);
CREATE INDEX cold_contacts_chat ON cold_contacts (chat_id) WHERE chat_id IS NOT NULL;
