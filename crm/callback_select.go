package crm

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"chatcast/models"
)

// selectChats selects the chats with these ids, and names those ids with which there is no
// chat. An id that a chat had before means that chat, unless another one has it now. It locks
// the chats, so that none gets another id before the change commits.
func (f *callbackFilter) selectChats(tx *models.Tx, o callbackOwner, ids []string) error {
	chats, moves, err := lockSelected(tx, o, ids)
	if err != nil {
		return err
	}
	var violations []error
	for i, chat := range chats {
		if chat == nil {
			violations = append(violations, Invalid(fmt.Sprintf("chats[%d]", i), "is no chat of the line"))
			continue
		}
		f.chats = append(f.chats, chat.ExternalID)
		if lid := deref(chat.LID); lid != "" && lid != chat.ExternalID { // for good that of one person
			f.former = append(f.former, formerChat{Chat: chat.ExternalID, ID: lid, Until: forGood})
		}
		f.former = append(f.former, idsOf(chat.ExternalID, moves)...)
	}
	f.chats = unique(f.chats)
	return allViolations(violations...)
}

// lockSelected returns the chats that ids mean, locked, nil for those that mean none, and
// the moves of chats of the line until then.
func lockSelected(tx *models.Tx, o callbackOwner, ids []string) (chats []*models.Chat, moves []chatMove, err error) {
	known, err := formerOf(tx, o.line)
	if err != nil {
		return nil, nil, err
	}
	for meant := ids; ; {
		rows, err := tx.LockChats(o.line.LicenseID, o.line.Messenger, slices.Concat(ids, meant))
		if err != nil {
			return nil, nil, err
		}
		// Behind the lock: a chat that moved before is locked by its new id in the next round.
		if moves, err = movesOf(tx, o.companyID, *o.line); err != nil {
			return nil, nil, err
		}
		chats = nil
		now := slices.Clone(ids)
		for i, id := range ids {
			chat := chatOfID(rows, id)
			if chat == nil {
				now[i] = movedTo(id, moves, known)
				chat = chatOfID(rows, now[i])
			}
			chats = append(chats, chat)
		}
		if slices.Equal(now, meant) {
			return chats, moves, nil
		}
		meant = now
	}
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

// formerOf returns what the callback URL of a line knows of the ids of its chats.
func formerOf(tx *models.Tx, on *Line) ([]formerChat, error) {
	row, err := tx.LineCallback(on.LicenseID, on.Messenger)
	if errors.Is(err, models.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f, err := filterOf(row)
	return f.former, err
}

// movesOf returns the moves of the chats of a line that the journal still has, in their order.
func movesOf(tx *models.Tx, companyID int64, on Line) (moves []chatMove, err error) {
	entries, err := tx.JournalMerges(companyID, on.Channel())
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
			moves = append(moves, chatMove{line: on, from: item.From.ID, to: item.To.ID, entry: e.ID})
		}
	}
	return moves, nil
}

// movedTo returns the id that the last chat with an id has now, after the moves; the same id
// when none is known. The callback URL of the line knows the chats that it has followed.
func movedTo(id string, moves []chatMove, known []formerChat) string {
	at, now := int64(-1), id
	for _, was := range known {
		if was.ID == id && was.Until != forGood && was.Until > at {
			at, now = was.Until, was.Chat
		}
	}
	for i, m := range moves {
		if m.from != id || m.entry <= at {
			continue
		}
		at, now = m.entry, m.to
		for _, later := range moves[i+1:] {
			if later.from == now {
				now = later.to
			}
		}
	}
	return now
}

// idsOf returns the ids that a chat had, with the time of each, given its id after the moves.
// That id itself is there only if another chat had it before.
func idsOf(now string, moves []chatMove) []formerChat {
	ids := []formerChat{{Chat: now, ID: now, Until: forGood}}
	had := map[string]int{now: 0} // which of ids the chat had before the moves that are looked at
	for _, m := range slices.Backward(moves) {
		if m.from == m.to {
			continue
		}
		_, ours := had[m.to]
		if i, ok := had[m.from]; ok { // another chat's until then, or the same one's, which had both
			ids[i].Since = m.entry
			delete(had, m.from)
		}
		if ours {
			had[m.from] = len(ids)
			ids = append(ids, formerChat{Chat: now, ID: m.from, Until: m.entry})
		}
	}
	if ids[0].Since == 0 {
		return ids[1:]
	}
	return ids
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
