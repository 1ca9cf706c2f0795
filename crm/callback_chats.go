package crm

import (
	"encoding/json"
	"slices"

	"chatcast/models"
)

// A chat may get another id: see ChatMergeItem. A callback URL that selects it follows, and
// knows the id of before in what was journalled until then.

// formerChat is an id that a selected chat had before. It may be another person's later.
type formerChat struct {
	Chat  string `json:"chat"`  // the id now
	ID    string `json:"id"`    // the id before
	Until int64  `json:"until"` // the row id of the last journal entry that means this chat by it
}

// maxFormerChats is how many former ids a URL keeps.
const maxFormerChats = 10 * MaxCallbackChats

// chatMove says that a chat has another id from a journal entry on.
type chatMove struct {
	line     Line
	from, to string
	entry    int64 // row id of the event that tells of it
}

// follow has the callback URLs follow chats to their new ids.
func (c *change) follow(moves []chatMove) error {
	for _, m := range moves {
		rows, err := c.tx.LockCallbackChats(m.line.LicenseID, m.line.Messenger)
		if err != nil {
			return err
		}
		for _, row := range rows {
			f, err := filterOf(&row)
			if err != nil {
				return err
			}
			if !slices.Contains(f.chats, m.from) {
				continue
			}
			f.move(m)
			if err := f.put(&row); err != nil {
				return err
			}
			if err := c.tx.SaveCallbackChats(&row); err != nil {
				return err
			}
		}
	}
	return nil
}

// move replaces the id of a selected chat.
func (f *callbackFilter) move(m chatMove) {
	f.chats[slices.Index(f.chats, m.from)] = m.to
	f.chats = unique(f.chats)
	for i := range f.former {
		if f.former[i].Chat == m.from {
			f.former[i].Chat = m.to
		}
	}
	f.former = append(f.former, formerChat{m.to, m.from, m.entry})
	f.former = f.former[max(0, len(f.former)-maxFormerChats):]
}

// keepFormer takes over what other knows of the chats that f selects too.
func (f *callbackFilter) keepFormer(other callbackFilter) {
	for _, was := range other.former {
		if slices.Contains(f.chats, was.Chat) {
			f.former = append(f.former, was)
		}
	}
	f.former = unique(f.former)
}

// has reports whether an id means a selected chat in a journal entry.
func (f *callbackFilter) has(id string, e *models.JournalEntry) bool {
	return slices.Contains(f.chats, id) || slices.ContainsFunc(f.former, func(was formerChat) bool { return was.ID == id && e.ID <= was.Until })
}

// ofChats reports whether an event is about one of the chats, or the person of one.
func (f *callbackFilter) ofChats(e *models.JournalEntry) bool {
	if len(f.chats) == 0 {
		return true
	}
	var data struct {
		Payload struct {
			Data []map[string]json.RawMessage `json:"data"`
		} `json:"payload"`
	}
	if json.Unmarshal([]byte(e.Data), &data) != nil {
		return false
	}
	keys := []string{"chat"}
	switch e.Name {
	case EventChatMerge:
		keys = []string{"from", "to"}
	case EventContactName, EventContactBlock:
		keys = []string{"contact"}
	}
	for _, item := range data.Payload.Data {
		for _, key := range keys {
			var ref ChatRef
			if json.Unmarshal(item[key], &ref) == nil && f.has(ref.ID, e) {
				return true
			}
		}
	}
	return false
}
