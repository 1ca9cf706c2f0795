-- +goose Up

-- A line may have several endpoints: the callback URL, whose format is empty, and those of
-- other dialects, in their words.
ALTER TABLE callback_urls ADD COLUMN format TEXT NOT NULL DEFAULT '';
ALTER TABLE callback_urls ADD COLUMN public_id TEXT NOT NULL DEFAULT ''; -- a UUID; empty: of the callback URL, and of dry runs
ALTER TABLE callback_urls ADD COLUMN options TEXT NOT NULL DEFAULT ''; -- JSON, encrypted: headers may be secret; empty: none
ALTER TABLE callback_urls ADD COLUMN enabled BOOLEAN NOT NULL DEFAULT TRUE; -- nothing is sent to one that is not

-- How far the deliveries of the event behind the cursor have got: it may be several requests.
ALTER TABLE callback_urls ADD COLUMN cursor_part BIGINT NOT NULL DEFAULT 0; -- requests of it that are done with
ALTER TABLE callback_urls ADD COLUMN head_tries BIGINT NOT NULL DEFAULT 0; -- attempts at the next request, in vain
ALTER TABLE callback_urls ADD COLUMN head_since_ms BIGINT NOT NULL DEFAULT 0; -- when the first of them began
ALTER TABLE callback_urls ADD COLUMN given_up BIGINT NOT NULL DEFAULT 0; -- requests that were, since it was set

ALTER TABLE callback_deliveries ADD COLUMN part BIGINT NOT NULL DEFAULT 0; -- of the requests of the event, from 0

DROP INDEX callback_urls_line;
DROP INDEX callback_urls_company;
CREATE UNIQUE INDEX callback_urls_line ON callback_urls (license_id, messenger_type) WHERE parent_id IS NULL AND license_id IS NOT NULL AND format = '';
CREATE UNIQUE INDEX callback_urls_company ON callback_urls (company_id, format) WHERE parent_id IS NULL AND license_id IS NULL;
CREATE UNIQUE INDEX callback_urls_evolution ON callback_urls (license_id, messenger_type) WHERE parent_id IS NULL AND license_id IS NOT NULL AND format = 'evolution';
CREATE UNIQUE INDEX callback_urls_public ON callback_urls (public_id) WHERE public_id <> '';
CREATE INDEX callback_urls_of ON callback_urls (license_id, messenger_type, format);
