package crm

import (
	"slices"

	"chatcast/channels"
	"chatcast/models"
)

// Names of the events about a chat's attributes.
const (
	EventChatTag            = "chatTag"
	EventChatStatus         = "chatStatus"
	EventChatResponsible    = "chatResponsible"
	EventChatResponsiblePin = "chatResponsiblePin"
	EventChatProducer       = "chatProducer"
	EventChatAccomplice     = "chatAccomplice"
	EventChatAuditor        = "chatAuditor"
	EventChatLevel          = "chatLevel"
	EventChatProcess        = "chatProcess"
	EventChatMerge          = "chatMerge"
	EventChatPresence       = "chatPresence"
)

// Types of chatTag, chatAccomplice and chatAuditor, and of chatResponsiblePin.
const (
	TypeAdd     = "add"
	TypeDestroy = "destroy"
	TypePin     = "pin"
	TypeUnpin   = "unpin"
)

// IDRef refers to a row, such as a user or a level, by its number.
type IDRef struct {
	ID int64 `json:"id"`
}

// AppRef is the app through which an actor acted.
type AppRef struct {
	ID string `json:"id"`
}

// ChatRef refers to a chat by its wire id.
type ChatRef struct {
	ID string `json:"id"`
}

// TagData is a tag as events and answers show it.
type TagData struct {
	ID       int64         `json:"id"`
	Name     string        `json:"name"`
	Color    string        `json:"color"`
	Sort     int64         `json:"sort"`
	Category *CategoryData `json:"category"` // null: the tag has none
}

// CategoryData is a tag's category as events and answers show it.
type CategoryData struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Sort int64  `json:"sort"`
}

// ChatTagItem is the item of chatTag. Type is add or destroy.
type ChatTagItem struct {
	Type   string  `json:"type"`
	Tag    TagData `json:"tag"`
	Chat   ChatRef `json:"chat"`
	Edited *IDRef  `json:"edited"`
}

// ChatStatusItem is the item of chatStatus. Type is open or close; Edited is
// null when the customer's message reopened the chat.
type ChatStatusItem struct {
	Type   string  `json:"type"`
	Chat   ChatRef `json:"chat"`
	Edited *IDRef  `json:"edited"`
}

// ChatResponsibleItem is the item of chatResponsible. Responsible is null when
// the chat has none any more.
type ChatResponsibleItem struct {
	Responsible *IDRef  `json:"responsible"`
	Chat        ChatRef `json:"chat"`
	FromApp     *AppRef `json:"fromApp"`
	Edited      *IDRef  `json:"edited"`
}

// ChatResponsiblePinItem is the item of chatResponsiblePin. Type is pin or unpin.
type ChatResponsiblePinItem struct {
	Type   string  `json:"type"`
	Chat   ChatRef `json:"chat"`
	Edited *IDRef  `json:"edited"`
}

// ChatProducerItem is the item of chatProducer.
type ChatProducerItem struct {
	Producer *IDRef  `json:"producer"`
	Chat     ChatRef `json:"chat"`
	FromApp  *AppRef `json:"fromApp"`
	Edited   *IDRef  `json:"edited"`
}

// ChatAccompliceItem is the item of chatAccomplice. Type is add or destroy.
type ChatAccompliceItem struct {
	Type       string  `json:"type"`
	Accomplice IDRef   `json:"accomplice"`
	Chat       ChatRef `json:"chat"`
	FromApp    *AppRef `json:"fromApp"`
	Edited     *IDRef  `json:"edited"`
}

// ChatAuditorItem is the item of chatAuditor. Type is add or destroy.
type ChatAuditorItem struct {
	Type    string  `json:"type"`
	Auditor IDRef   `json:"auditor"`
	Chat    ChatRef `json:"chat"`
	FromApp *AppRef `json:"fromApp"`
	Edited  *IDRef  `json:"edited"`
}

// ChatLevelItem is the item of chatLevel. Level is null when the level was reset.
type ChatLevelItem struct {
	Level   *IDRef  `json:"level"`
	Chat    ChatRef `json:"chat"`
	FromApp *AppRef `json:"fromApp"`
	Edited  *IDRef  `json:"edited"`
}

// ChatMergeItem is the item of chatMerge. The chat known as From is To from now on.
type ChatMergeItem struct {
	From ChatRef `json:"from"`
	To   ChatRef `json:"to"`
}

// ChatPresenceItem is the item of chatPresence: a person outside is typing,
// recording, or has stopped; or has come online or gone. Like qr, the event goes to the
// sockets only.
type ChatPresenceItem struct {
	Type     string  `json:"type"` // typing, recording, paused, online or offline
	Chat     ChatRef `json:"chat"`
	FromUser Author  `json:"fromUser"`
	LastSeen *int64  `json:"lastSeen"` // unix seconds, of offline; null: not known
	Time     int64   `json:"time"`     // unix seconds
}

// ChatProcessItem is the item of chatProcess. Process is null or inWork.
type ChatProcessItem struct {
	Process *string `json:"process"`
	Chat    ChatRef `json:"chat"`
	FromApp *AppRef `json:"fromApp"`
	Edited  *IDRef  `json:"edited"`
}

// idRef returns a nullable column as the wire shows it.
func idRef(id *int64) *IDRef {
	if id == nil {
		return nil
	}
	return &IDRef{ID: *id}
}

// edited returns the user who acted, or nil for the outside.
func (a Actor) edited() *IDRef {
	if a.UserID == 0 {
		return nil
	}
	return &IDRef{ID: a.UserID}
}

// fromApp returns the app through which the actor acted, or nil.
func (a Actor) fromApp() *AppRef {
	if a.AppID == "" {
		return nil
	}
	return &AppRef{ID: a.AppID}
}

// emitChat emits an event of one item about chat to everybody who may see the chat
// now. before holds the users who had a part in it earlier in this change, so that a user
// who loses the chat is notified too; nil: it was nobody's.
func (c *change) emitChat(chat *models.Chat, event string, item any, before ...*int64) error {
	ev, err := c.chatEvent(chat, event, item, before...)
	if err == nil {
		c.emit(ev)
	}
	return err
}

// emitShown is emitChat for an event that shows what messages say, so that it can be
// redacted when one of them is deleted.
func (c *change) emitShown(chat *models.Chat, event string, item any, messages ...int64) error {
	ev, err := c.chatEvent(chat, event, item)
	if err == nil {
		ev.Messages = messages
		c.emit(ev)
	}
	return err
}

func (c *change) chatEvent(chat *models.Chat, event string, item any, before ...*int64) (Event, error) {
	names, err := c.chatChannels(chat, append(before, chat.ResponsibleID)...)
	return Event{
		Name: event, CompanyID: chat.CompanyID, Channels: names, Items: []any{item},
		Meta: LineMeta{Type: event, LicenseID: chat.LicenseID, MessengerType: chat.MessengerType},
	}, err
}

// chatChannels returns the channels of an event about a chat: the line's channel and
// that of every employee who may see the chat. users holds those who had a part in the
// chat before or after the change, so that a user who loses the chat is notified too; nil
// stands for everybody.
func (c *change) chatChannels(chat *models.Chat, users ...*int64) ([]string, error) {
	viewers, err := c.tx.Viewers(chat.LicenseID)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(users, nil) && slices.ContainsFunc(viewers, func(v models.Viewer) bool { return v.OnlyMine }) {
		members, err := c.tx.MembersOfChats([]int64{chat.ID})
		if err != nil {
			return nil, err
		}
		for i := range members {
			users = append(users, &members[i].UserID)
		}
	}
	names := []string{channels.LineName(chat.LicenseID, chat.MessengerType)}
	for _, v := range viewers {
		if !v.OnlyMine || slices.ContainsFunc(users, func(u *int64) bool { return u == nil || *u == v.UserID }) {
			names = append(names, channels.CompanyUserName(chat.CompanyID, v.UserID))
		}
	}
	return names, nil
}
