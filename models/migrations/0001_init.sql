-- +goose Up
-- The one dialect difference is the identity column: @id@ is replaced by the
-- dialect's own when the file is read (see migrate.go). Times are unix seconds
-- unless the name says otherwise; JSON is text.

CREATE TABLE settings (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
);

CREATE TABLE companies (
	id         @id@,
	name       TEXT NOT NULL,
	created_at BIGINT NOT NULL
);

CREATE TABLE users (
	id            @id@,
	email         TEXT NOT NULL UNIQUE, -- lower case
	name          TEXT NOT NULL,
	password_hash TEXT NOT NULL,
	company_id    BIGINT REFERENCES companies (id) ON DELETE SET NULL, -- that made the account
	created_at    BIGINT NOT NULL
);

CREATE TABLE employees (
	company_id BIGINT NOT NULL REFERENCES companies (id) ON DELETE CASCADE,
	user_id    BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	role       TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'operator')),
	only_mine  BOOLEAN NOT NULL DEFAULT FALSE, -- sees only chats that are theirs or no one's
	online     BOOLEAN NOT NULL DEFAULT FALSE,
	workday    TEXT NOT NULL DEFAULT 'end' CHECK (workday IN ('start', 'end')),
	created_at BIGINT NOT NULL,
	PRIMARY KEY (company_id, user_id)
);
CREATE INDEX employees_user ON employees (user_id);

CREATE TABLE licenses (
	id         @id@,
	company_id BIGINT NOT NULL REFERENCES companies (id) ON DELETE CASCADE,
	name       TEXT NOT NULL,
	created_at BIGINT NOT NULL
);
CREATE INDEX licenses_company ON licenses (company_id);

CREATE TABLE messengers (
	license_id BIGINT NOT NULL REFERENCES licenses (id) ON DELETE CASCADE,
	type       TEXT NOT NULL,
	name       TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (license_id, type)
);

-- An operator's access to one licence; a row is the right to read. Owners and
-- admins have all licences of their company and need no row.
CREATE TABLE employee_licenses (
	user_id    BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	license_id BIGINT NOT NULL REFERENCES licenses (id) ON DELETE CASCADE,
	can_write  BOOLEAN NOT NULL DEFAULT FALSE,
	PRIMARY KEY (user_id, license_id)
);
CREATE INDEX employee_licenses_license ON employee_licenses (license_id);

CREATE TABLE tokens (
	id                 @id@,
	user_id            BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	app_id             TEXT NOT NULL,
	access_hash        TEXT NOT NULL UNIQUE, -- hex SHA-256 of the access token
	access_expires_at  BIGINT NOT NULL,
	refresh_hash       TEXT NOT NULL UNIQUE, -- hex SHA-256 of the refresh token
	refresh_expires_at BIGINT NOT NULL,
	created_at         BIGINT NOT NULL
);
CREATE INDEX tokens_user ON tokens (user_id);
CREATE INDEX tokens_expiry ON tokens (refresh_expires_at);

CREATE TABLE tag_categories (
	id         @id@,
	company_id BIGINT NOT NULL REFERENCES companies (id) ON DELETE CASCADE,
	name       TEXT NOT NULL,
	sort       BIGINT NOT NULL DEFAULT 100
);
CREATE INDEX tag_categories_company ON tag_categories (company_id);

CREATE TABLE tags (
	id          @id@,
	company_id  BIGINT NOT NULL REFERENCES companies (id) ON DELETE CASCADE,
	category_id BIGINT REFERENCES tag_categories (id) ON DELETE SET NULL,
	name        TEXT NOT NULL,
	color       TEXT NOT NULL,
	sort        BIGINT NOT NULL DEFAULT 100
);
CREATE INDEX tags_company ON tags (company_id);

CREATE TABLE levels (
	id         @id@,
	company_id BIGINT NOT NULL REFERENCES companies (id) ON DELETE CASCADE,
	name       TEXT NOT NULL,
	sort       BIGINT NOT NULL DEFAULT 100
);
CREATE INDEX levels_company ON levels (company_id);

CREATE TABLE quick_response_lists (
	id         @id@,
	company_id BIGINT NOT NULL REFERENCES companies (id) ON DELETE CASCADE,
	name       TEXT NOT NULL,
	sort       BIGINT NOT NULL DEFAULT 100,
	created_by BIGINT REFERENCES users (id) ON DELETE SET NULL, -- keeps permission w
	created_at BIGINT NOT NULL
);
CREATE INDEX quick_response_lists_company ON quick_response_lists (company_id);

CREATE TABLE quick_response_accesses (
	list_id    BIGINT NOT NULL REFERENCES quick_response_lists (id) ON DELETE CASCADE,
	user_id    BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	permission TEXT NOT NULL CHECK (permission IN ('r', 'w')),
	PRIMARY KEY (list_id, user_id)
);
CREATE INDEX quick_response_accesses_user ON quick_response_accesses (user_id);

CREATE TABLE quick_responses (
	id        @id@,
	list_id   BIGINT NOT NULL REFERENCES quick_response_lists (id) ON DELETE CASCADE,
	parent_id BIGINT REFERENCES quick_responses (id) ON DELETE SET NULL,
	name      TEXT NOT NULL,
	sort      BIGINT NOT NULL DEFAULT 100,
	text      TEXT NOT NULL,
	keywords  TEXT NOT NULL DEFAULT '',
	enable_ai BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX quick_responses_list ON quick_responses (list_id);

-- Everybody a line (one messenger of one licence) has heard of: customers,
-- authors in groups. external_id is the messenger's own id of the person.
CREATE TABLE contacts (
	id             @id@,
	license_id     BIGINT NOT NULL,
	messenger_type TEXT NOT NULL,
	external_id    TEXT NOT NULL,
	lid            TEXT,
	name           TEXT NOT NULL DEFAULT '',
	username       TEXT,
	phone          TEXT,
	image          TEXT,
	created_at     BIGINT NOT NULL,
	UNIQUE (license_id, messenger_type, external_id),
	FOREIGN KEY (license_id, messenger_type) REFERENCES messengers (license_id, type) ON DELETE CASCADE
);
CREATE INDEX contacts_lid ON contacts (license_id, messenger_type, lid);

CREATE TABLE chats (
	id                 @id@,
	company_id         BIGINT NOT NULL REFERENCES companies (id) ON DELETE CASCADE,
	license_id         BIGINT NOT NULL,
	messenger_type     TEXT NOT NULL,
	external_id        TEXT NOT NULL, -- the wire's chat.id, e.g. 70000000000@c.us
	lid                TEXT,          -- WhatsApp's other id of the same chat, ...@lid
	hash               TEXT NOT NULL,
	type               TEXT NOT NULL CHECK (type IN ('private', 'group')),
	phone              TEXT,
	username           TEXT,
	name               TEXT NOT NULL DEFAULT '',
	image              TEXT,
	status             TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'close')),
	responsible_id     BIGINT REFERENCES users (id) ON DELETE SET NULL,
	responsible_pinned BOOLEAN NOT NULL DEFAULT FALSE,
	producer_id        BIGINT REFERENCES users (id) ON DELETE SET NULL,
	level_id           BIGINT REFERENCES levels (id) ON DELETE SET NULL,
	process            TEXT,
	unread             BIGINT NOT NULL DEFAULT 0,
	last_time          BIGINT NOT NULL, -- of the last message, or of the chat's creation
	window_id          TEXT,            -- the 24-hour conversation window
	window_type        TEXT,            -- UIC or BIC
	window_start       BIGINT,
	window_end         BIGINT,
	created_at         BIGINT NOT NULL,
	UNIQUE (license_id, messenger_type, external_id),
	FOREIGN KEY (license_id, messenger_type) REFERENCES messengers (license_id, type) ON DELETE CASCADE
);
CREATE UNIQUE INDEX chats_lid ON chats (license_id, messenger_type, lid);
CREATE INDEX chats_recent ON chats (license_id, messenger_type, last_time, id);
CREATE INDEX chats_responsible ON chats (responsible_id);
CREATE INDEX chats_level ON chats (level_id);

CREATE TABLE chat_members (
	chat_id BIGINT NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	part    TEXT NOT NULL CHECK (part IN ('accomplice', 'auditor')),
	PRIMARY KEY (chat_id, part, user_id)
);

CREATE TABLE chat_tags (
	chat_id BIGINT NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
	tag_id  BIGINT NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
	PRIMARY KEY (chat_id, tag_id)
);
CREATE INDEX chat_tags_tag ON chat_tags (tag_id);

CREATE TABLE messages (
	id                 @id@, -- the wire's internalId
	chat_id            BIGINT NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
	external_id        TEXT NOT NULL, -- the messenger's message id
	from_me            BOOLEAN NOT NULL,
	from_api           BOOLEAN NOT NULL,
	time               BIGINT NOT NULL,
	is_forwarded       BOOLEAN NOT NULL DEFAULT FALSE,
	type               TEXT NOT NULL,
	subtype            TEXT,
	content            TEXT NOT NULL, -- JSON, the wire's message object
	quoted_external_id TEXT,
	utm                TEXT, -- JSON, as the messenger gave it
	author             TEXT NOT NULL, -- JSON, the wire's fromUser object
	app_id             TEXT,
	tracking           TEXT,
	created_by         BIGINT REFERENCES users (id) ON DELETE SET NULL,
	status             TEXT NOT NULL DEFAULT '' CHECK (status IN ('', 'sent', 'delivered', 'viewed', 'failed')),
	status_time        BIGINT,
	error              TEXT, -- JSON
	edited_at          BIGINT,
	deleted_at         BIGINT,
	created_at         BIGINT NOT NULL,
	UNIQUE (chat_id, external_id)
);
CREATE INDEX messages_time ON messages (chat_id, time, id);
CREATE INDEX messages_external ON messages (external_id); -- receipts that name no chat

CREATE TABLE files (
	id         TEXT PRIMARY KEY, -- random, unguessable
	license_id BIGINT NOT NULL REFERENCES licenses (id) ON DELETE CASCADE,
	chat_id    BIGINT NOT NULL REFERENCES chats (id) ON DELETE CASCADE, -- who may see it may have the file
	name       TEXT NOT NULL,
	size       BIGINT NOT NULL,
	mime_type  TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	-- Of a file that lies with its messenger still.
	state      TEXT NOT NULL DEFAULT '' CHECK (state IN ('', 'pending', 'failed', 'expired', 'tooLarge')), -- empty: it is here
	message_id BIGINT REFERENCES messages (id) ON DELETE SET NULL,
	source     TEXT, -- where it lies, in the words of the plug
	attempts   BIGINT NOT NULL DEFAULT 0,
	not_before BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX files_message ON files (message_id);
CREATE INDEX files_pending ON files (license_id, created_at) WHERE state = 'pending';

-- What operators did and the messenger has not done yet, of lines with an account
-- of their own. A row is written in the transaction of the action, and goes when
-- it was done, or has failed. Per chat they are done in the order of the ids.
CREATE TABLE outbox (
	id             @id@,
	license_id     BIGINT NOT NULL,
	messenger_type TEXT NOT NULL,
	chat_id        BIGINT NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
	kind           TEXT NOT NULL CHECK (kind IN ('message', 'edit', 'delete', 'read')),
	message_id     BIGINT REFERENCES messages (id) ON DELETE CASCADE,
	payload        TEXT NOT NULL DEFAULT '', -- JSON
	cold           BOOLEAN NOT NULL DEFAULT FALSE, -- the first message of a chat
	created_at     BIGINT NOT NULL,
	deadline       BIGINT NOT NULL,
	not_before     BIGINT NOT NULL DEFAULT 0,
	attempts       BIGINT NOT NULL DEFAULT 0,
	started_at     BIGINT NOT NULL DEFAULT 0, -- of the attempt that goes on; 0: none does
	last_error     TEXT NOT NULL DEFAULT '',
	FOREIGN KEY (license_id, messenger_type) REFERENCES messengers (license_id, type) ON DELETE CASCADE
);
CREATE INDEX outbox_line ON outbox (license_id, messenger_type, id);
CREATE INDEX outbox_chat ON outbox (chat_id);
CREATE INDEX outbox_message ON outbox (message_id);
CREATE INDEX outbox_deadline ON outbox (deadline);

-- A line with an account of its own: how it stands, and which process serves it.
CREATE TABLE messenger_sessions (
	license_id     BIGINT NOT NULL,
	messenger_type TEXT NOT NULL,
	state          TEXT NOT NULL,
	device         TEXT NOT NULL DEFAULT '', -- the paired device's id; empty: none
	phone          TEXT NOT NULL DEFAULT '',
	detail         TEXT NOT NULL DEFAULT '',
	banned_until   BIGINT,
	paired         BOOLEAN NOT NULL DEFAULT FALSE, -- it was connected once
	lease_owner    TEXT NOT NULL DEFAULT '',
	lease_until_ms BIGINT NOT NULL DEFAULT 0, -- by the database's clock
	updated_at     BIGINT NOT NULL,
	PRIMARY KEY (license_id, messenger_type),
	FOREIGN KEY (license_id, messenger_type) REFERENCES messengers (license_id, type) ON DELETE CASCADE
);

-- When a line with an account wrote first to somebody, of the last day: how often it
-- may is limited, and deleting the chat does not give the place back.
CREATE TABLE cold_contacts (
	id             @id@,
	license_id     BIGINT NOT NULL,
	messenger_type TEXT NOT NULL,
	at             BIGINT NOT NULL,
	FOREIGN KEY (license_id, messenger_type) REFERENCES messengers (license_id, type) ON DELETE CASCADE
);
CREATE INDEX cold_contacts_line ON cold_contacts (license_id, messenger_type, at);

-- The labels of a line's own account, and the tags that they are kept as.
CREATE TABLE line_labels (
	license_id     BIGINT NOT NULL,
	messenger_type TEXT NOT NULL,
	label          TEXT NOT NULL,
	tag_id         BIGINT NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
	made           BOOLEAN NOT NULL DEFAULT FALSE, -- the tag was made for the label
	PRIMARY KEY (license_id, messenger_type, label),
	FOREIGN KEY (license_id, messenger_type) REFERENCES messengers (license_id, type) ON DELETE CASCADE
);
CREATE INDEX line_labels_tag ON line_labels (tag_id);

-- The answer to a request that sends, kept so that its repetition sends nothing.
CREATE TABLE idempotency_keys (
	user_id      BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	key          TEXT NOT NULL,
	request_hash TEXT NOT NULL,
	response     TEXT NOT NULL,
	created_at   BIGINT NOT NULL,
	PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);

CREATE TABLE webhook_endpoints (
	id             @id@,
	company_id     BIGINT NOT NULL REFERENCES companies (id) ON DELETE CASCADE,
	license_id     BIGINT NOT NULL,
	messenger_type TEXT NOT NULL,
	url            TEXT NOT NULL,
	events         TEXT NOT NULL, -- JSON array of event names, [] = all
	secret         TEXT NOT NULL,
	cursor         BIGINT NOT NULL DEFAULT 0, -- the last journal seq delivered
	created_at     BIGINT NOT NULL,
	FOREIGN KEY (license_id, messenger_type) REFERENCES messengers (license_id, type) ON DELETE CASCADE
);
CREATE INDEX webhook_endpoints_line ON webhook_endpoints (license_id, messenger_type);

-- Everything the CRM ever broadcast. A row is written in the transaction of the
-- change, without seq: ids are drawn before commit, so a reader by id could step
-- over a row that commits late. The relay numbers committed rows: seq is the order.
CREATE TABLE journal (
	id            @id@,
	seq           BIGINT UNIQUE,
	company_id    BIGINT NOT NULL,
	name          TEXT NOT NULL, -- of the event
	channels      TEXT NOT NULL, -- JSON array
	data          TEXT NOT NULL, -- JSON, without the event id, which is seq
	created_at_ms BIGINT NOT NULL
);
CREATE INDEX journal_pending ON journal (id) WHERE seq IS NULL;
CREATE INDEX journal_age ON journal (created_at_ms);

-- The journal by channel, written when the relay gives the number.
CREATE TABLE journal_channels (
	channel TEXT NOT NULL,
	seq     BIGINT NOT NULL REFERENCES journal (seq) ON DELETE CASCADE,
	PRIMARY KEY (channel, seq)
);
CREATE INDEX journal_channels_seq ON journal_channels (seq);

-- One row: how far the relay is.
CREATE TABLE journal_state (
	id            BIGINT PRIMARY KEY CHECK (id = 1),
	last_seq      BIGINT NOT NULL, -- the last number given
	published_seq BIGINT NOT NULL  -- the last number handed to the bus
);
INSERT INTO journal_state (id, last_seq, published_seq) VALUES (1, 0, 0);
