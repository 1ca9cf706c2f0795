-- +goose Up

-- The calls that people made to an account, and what has become of each: so that every step
-- of it is told once, in order. Calls that are over are removed after a while.
CREATE TABLE calls (
    license_id     BIGINT  NOT NULL,
    messenger_type TEXT    NOT NULL,
    call_id        TEXT    NOT NULL,
    chat_id        BIGINT  NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
    state          TEXT    NOT NULL,
    step           INTEGER NOT NULL, -- a later state has a higher one
    video          BOOLEAN NOT NULL,
    caller         TEXT    NOT NULL, -- JSON
    at             BIGINT  NOT NULL, -- unix seconds, of its beginning
    PRIMARY KEY (license_id, messenger_type, call_id)
);
CREATE INDEX calls_chats ON calls (chat_id);
CREATE INDEX calls_ages ON calls (at);
