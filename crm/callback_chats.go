package crm

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"

	"chatcast/models"
)

// A chat may get another id: see ChatMergeItem. A callback URL that selects it follows, and
// knows the id of before in what was journalled until then.

// formerChat says when an id means a selected chat. It may mean another person's before and
// later. The id of now is there only if it meant another chat before.
type formerChat struct {
	Chat  string `json:"chat"`            // the id now
	ID    string `json:"id"`              // the id then
	Since int64  `json:"since,omitempty"` // the row id of the last journal entry before; 0: none is known
	Until int64  `json:"until"`           // that of the last one that means this chat by it; forGood: there is none
}

// forGood is the Until of an id that still means its chat.
const forGood = math.MaxInt64

// maxFormerChats is how many formerChats a URL keeps.
const maxFormerChats = 10 * MaxCallbackChats

// chatMove says that a chat has another id from a journal entry on.
type chatMove struct {
	line     Line
	from, to string
	entry    int64 // row id of the event that tells of it
}

// follow has the callback URLs follow chats to their new ids. The events that tell of the
// moves are in the journal.
func (c *change) follow(moves []chatMove) error {
	all := map[Line][]chatMove{} // that the journal has
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
			if all[m.line] == nil {
				if all[m.line], err = movesOf(c.tx, row.CompanyID, m.line); err != nil {
					return err
				}
			}
			f.move(m, all[m.line])
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

// move replaces the id of a selected chat. all are the moves of the line in the journal, m
// among them.
func (f *callbackFilter) move(m chatMove, all []chatMove) {
	f.chats[slices.Index(f.chats, m.from)] = m.to
	f.chats = unique(f.chats)
	for i := range f.former {
		was := &f.former[i]
		if was.Chat != m.from {
			continue
		}
		if was.Chat = m.to; was.isOwn(m.from) {
			was.Until = m.entry
		}
	}
	last := slices.IndexFunc(all, func(other chatMove) bool { return other.entry > m.entry })
	if last < 0 {
		last = len(all)
	}
	f.former = append(f.former, idsOf(m.to, all[:last])...)
}

// isOwn reports whether was says since when the id of now means its chat.
func (was formerChat) isOwn(now string) bool {
	return was.ID == now && was.Since > 0 && was.Until == forGood
}

// keepFormer takes over what other knows of the chats that f selects too.
func (f *callbackFilter) keepFormer(other callbackFilter) {
	for _, was := range other.former {
		if slices.Contains(f.chats, was.Chat) {
			f.former = append(f.former, was)
		}
	}
}

// bounded returns each of the former ids once, and of too many those that were used last.
func bounded(list []formerChat) []formerChat {
	list = unique(list)
	slices.SortStableFunc(list, func(a, b formerChat) int { return cmp.Compare(a.Until, b.Until) })
	return list[max(0, len(list)-maxFormerChats):]
}

// has reports whether an id means a selected chat in a journal entry.
func (f *callbackFilter) has(id string, e *models.JournalEntry) bool {
	now := slices.Contains(f.chats, id)
	for _, was := range f.former {
		if was.ID == id && was.Since < e.ID && e.ID <= was.Until {
			return true
		}
		now = now && !was.isOwn(id)
	}
	return now
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
