package crm

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"chatcast/models"
)

// selectChats selects the chats with these ids, and names those ids with which there is no
// chat. An id that a chat had before means that chat, unless another one has it now. It locks
// the chats, so that none gets another id before the change commits.
func (f *callbackFilter) selectChats(tx *models.Tx, on *Line, ids []string) error {
	rows, err := tx.LockChats(on.LicenseID, on.Messenger, ids)
	if err != nil {
		return err
	}
	var violations []error
	var moves map[string]formerChat // by the id before; nil: not looked up yet
	for i, id := range ids {
		chat, was := chatOfID(rows, id), []formerChat(nil)
		if chat == nil && moves == nil {
			if moves, err = movesOf(tx, on); err != nil {
				return err
			}
		}
		if chat == nil {
			if chat, was, err = movedChat(tx, on, moves, id); err != nil {
				return err
			}
		}
		if chat == nil {
			violations = append(violations, Invalid(fmt.Sprintf("chats[%d]", i), "is no chat of the line"))
			continue
		}
		f.chats = append(f.chats, chat.ExternalID)
		if lid := deref(chat.LID); lid != "" && lid != chat.ExternalID { // for good that of one person
			f.former = append(f.former, formerChat{chat.ExternalID, lid, math.MaxInt64})
		}
		for _, m := range was {
			f.former = append(f.former, formerChat{chat.ExternalID, m.ID, m.Until})
		}
	}
	f.chats, f.former = unique(f.chats), unique(f.former)
	return allViolations(violations...)
}

// chatOfID returns the chat that an id means now, or nil.
func chatOfID(rows []*models.Chat, id string) *models.Chat {
	for _, means := range []func(r *models.Chat) bool{
		func(r *models.Chat) bool { return r.ExternalID == id || deref(r.LID) == id },
		func(r *models.Chat) bool { return deref(r.TypedID) == id },
	} {
		if i := slices.IndexFunc(rows, means); i >= 0 {
			return rows[i]
		}
	}
	return nil
}

// movedChat returns the chat that had an id before, locked, and the ids that it had since.
func movedChat(tx *models.Tx, on *Line, moves map[string]formerChat, id string) (*models.Chat, []formerChat, error) {
	var was []formerChat
	for m, moved := moves[id]; moved && !slices.Contains(was, m); m, moved = moves[m.Chat] {
		was = append(was, m)
		rows, err := tx.LockChats(on.LicenseID, on.Messenger, []string{m.Chat})
		if err != nil {
			return nil, nil, err
		}
		if chat := chatOfID(rows, m.Chat); chat != nil {
			return chat, was, nil
		}
	}
	return nil, nil, nil
}

// movesOf returns the last known move of each id of a line: those that the journal still has,
// and those that the callback URL of the line has followed.
func movesOf(tx *models.Tx, on *Line) (map[string]formerChat, error) {
	moves := map[string]formerChat{}
	row, err := tx.LineCallback(on.LicenseID, on.Messenger)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return nil, err
	}
	if err == nil {
		f, err := filterOf(row)
		if err != nil {
			return nil, err
		}
		for _, was := range f.former {
			moves[was.ID] = was
		}
	}
	entries, err := tx.JournalOfLine(on.Channel(), EventChatMerge)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		var stored struct {
			Payload struct {
				Data []ChatMergeItem `json:"data"`
			} `json:"payload"`
		}
		if json.Unmarshal([]byte(e.Data), &stored) != nil { // it cannot be read
			continue
		}
		for _, item := range stored.Payload.Data {
			moves[item.From.ID] = formerChat{Chat: item.To.ID, ID: item.From.ID, Until: e.ID}
		}
	}
	return moves, nil
}

func unique[T comparable](list []T) []T {
	once := make([]T, 0, len(list))
	for _, v := range list {
		if !slices.Contains(once, v) {
			once = append(once, v)
		}
	}
	return once
}
