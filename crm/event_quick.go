package crm

import (
	"encoding/json"
	"slices"
	"strconv"

	"chatcast/channels"
	"chatcast/models"
)

// Names of the events about quick responses.
const (
	EventQuickResponseList = "quickResponseList"
	EventQuickResponse     = "quickResponse"
)

// Types of quickResponseList and quickResponse, besides TypeDestroy.
const (
	TypeCreate = "create"
	TypeEdit   = "edit"
)

// QuickListItem is the item of quickResponseList when the list was created or
// edited, or when the user got access to it. Type is create or edit.
type QuickListItem struct {
	Type string        `json:"type"`
	List QuickListData `json:"quickResponseList"`
}

// QuickListDeletedItem is the item of quickResponseList with type destroy: the list
// was deleted, or the user no longer sees it.
type QuickListDeletedItem struct {
	Type string `json:"type"`
	List IDRef  `json:"quickResponseList"`
}

// QuickResponseItem is the item of quickResponse. Type is create or edit.
type QuickResponseItem struct {
	Type     string            `json:"type"`
	List     IDRef             `json:"quickResponseList"`
	Response QuickResponseData `json:"quickResponse"`
}

// QuickResponseDeletedItem is the item of quickResponse with type destroy.
type QuickResponseDeletedItem struct {
	Type     string `json:"type"`
	List     IDRef  `json:"quickResponseList"`
	Response IDRef  `json:"quickResponse"`
}

// QuickListData is a list as events and answers show it.
type QuickListData struct {
	ID     int64             `json:"id"`
	Name   string            `json:"name"`
	Sort   int64             `json:"sort"`
	Access []QuickAccessData `json:"access"` // the creator first, then by user id
}

// QuickAccessData is one user's access to a list. UserID is a string and
// Permission r or w, as in ChatApp's examples.
type QuickAccessData struct {
	UserID     string `json:"userId"`
	Email      string `json:"email"`
	Permission string `json:"permission"`
}

// QuickResponseData is a prepared answer as events and answers show it.
type QuickResponseData struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Sort     int64  `json:"sort"`
	Parent   *int64 `json:"parent"` // another response of the list; null: at the top
	Text     string `json:"text"`
	Keywords string `json:"keywords"` // separated by spaces
	EnableAI bool   `json:"enableAI"`
}

// emitListEdit emits a change of the list to all users who see it before or after. What the
// journal tells of the list is gone for those who no longer see it.
func (c *change) emitListEdit(l *models.QuickResponseList, data QuickListData, before, after []models.QuickAccess) error {
	for _, userID := range c.tellListEdit(l, data, before, after) {
		if err := c.forgetLists(userID, []int64{l.ID}); err != nil {
			return err
		}
	}
	return nil
}

// tellListEdit emits a change of the list, and returns the users who no longer see it.
func (c *change) tellListEdit(l *models.QuickResponseList, data QuickListData, before, after []models.QuickAccess) (lost []int64) {
	saw := map[int64]bool{}
	for _, acc := range before {
		saw[acc.UserID] = true
	}
	sees := map[int64]bool{}
	for _, acc := range after {
		sees[acc.UserID] = true
		typ := TypeCreate
		if saw[acc.UserID] {
			typ = TypeEdit
		}
		c.emitUser(acc.UserID, l.CompanyID, EventQuickResponseList, QuickListItem{Type: typ, List: data})
	}
	for _, acc := range before {
		if sees[acc.UserID] {
			continue
		}
		lost = append(lost, acc.UserID)
		c.emitUser(acc.UserID, l.CompanyID, EventQuickResponseList,
			QuickListDeletedItem{Type: TypeDestroy, List: IDRef{l.ID}})
	}
	return lost
}

// forgetLists removes from the journal what a user's own channel was told of lists and their
// responses.
func (c *change) forgetLists(userID int64, lists []int64) error {
	if len(lists) == 0 {
		return nil
	}
	entries, err := c.tx.LockJournalOfChannel(channels.PersonName(userID), []string{EventQuickResponseList, EventQuickResponse})
	if err != nil {
		return err
	}
	for _, e := range entries {
		var stored struct {
			Payload struct {
				Data []struct {
					List IDRef `json:"quickResponseList"`
				} `json:"data"`
			} `json:"payload"`
		}
		if err := json.Unmarshal([]byte(e.Data), &stored); err != nil {
			if err := c.forgetUnreadable(e, err); err != nil {
				return err
			}
			continue
		}
		if len(stored.Payload.Data) == 0 || !slices.Contains(lists, stored.Payload.Data[0].List.ID) { // all items are of one list
			continue
		}
		if err := c.tx.ForgetJournal(e); err != nil {
			return err
		}
	}
	return nil
}

// emitUser emits an event on a user's own channel.
func (c *change) emitUser(userID, companyID int64, event string, items ...any) {
	c.emit(Event{
		Name: event, CompanyID: companyID, Channels: []string{channels.PersonName(userID)}, Items: items,
		Meta: UserMeta{Type: event, UserID: strconv.FormatInt(userID, 10)},
	})
}
