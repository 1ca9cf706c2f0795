-- +goose Up

-- Who did what, to what, from where. Rows are only added, and deleted when they are old.
-- They refer to no other row: what is gone keeps its entries.
CREATE TABLE audit_entries (
	id          @id@,
	company_id  BIGINT, -- whose entry it is; null: made before there was a company
	created_at  BIGINT NOT NULL,
	action      TEXT NOT NULL,
	actor_type  TEXT NOT NULL, -- user, host, messenger or unknown
	actor_id    BIGINT, -- of a user
	actor_name  TEXT NOT NULL, -- the e-mail of a user
	target_type TEXT NOT NULL, -- empty: there is none
	target_id   TEXT NOT NULL,
	target_name TEXT NOT NULL,
	address     TEXT NOT NULL, -- empty: not known
	user_agent  TEXT NOT NULL,
	details     TEXT NOT NULL, -- JSON object of texts
	times       BIGINT NOT NULL -- how often, for what was refused
);
CREATE INDEX audit_entries_company ON audit_entries (company_id, id);
CREATE INDEX audit_entries_recent ON audit_entries (company_id, action, created_at);
CREATE INDEX audit_entries_age ON audit_entries (created_at);
