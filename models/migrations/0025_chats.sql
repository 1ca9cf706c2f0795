-- +goose Up

-- A message that says something about another one, such as a reaction: see Message.Aside.
-- Those of before stay as they were counted.
ALTER TABLE messages ADD COLUMN aside BOOLEAN NOT NULL DEFAULT FALSE;

-- The chats in which a user has a part.
CREATE INDEX chat_members_user ON chat_members (user_id, chat_id);
CREATE INDEX chats_producer ON chats (producer_id);

-- What the messenger calls a chat or a person, while name is what an employee calls them.
ALTER TABLE chats ADD COLUMN messenger_name TEXT;
ALTER TABLE contacts ADD COLUMN messenger_name TEXT;

-- Lists of chats are read in their order: by who is responsible, what is closed, what is
-- nobody's and what is unread.
DROP INDEX chats_responsible;
CREATE INDEX chats_responsible ON chats (responsible_id, last_time, id);
CREATE INDEX chats_status ON chats (license_id, messenger_type, status, last_time, id);
CREATE INDEX chats_nobodys ON chats (license_id, messenger_type, last_time, id) WHERE responsible_id IS NULL;
CREATE INDEX chats_unread ON chats (license_id, messenger_type, last_time, id) WHERE unread > 0;

-- @sqlite
-- A search by name reads all names of a line: from here, not from the rows.
CREATE INDEX chats_names ON chats (license_id, messenger_type, last_time, id, folded);
-- @end
