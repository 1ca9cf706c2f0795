package crm

import "chatcast/models"

// ChatData is a chat with all its attributes, as answers show it.
type ChatData struct {
	ID            string      `json:"id"`
	LID           *string     `json:"lid"` // WhatsApp's other id of the chat, when it is known
	Hash          string      `json:"hash"`
	Type          string      `json:"type"` // private, group or channel
	LicenseID     int64       `json:"licenseId"`
	MessengerType string      `json:"messengerType"`
	Phone         *string     `json:"phone"`
	Username      *string     `json:"username"`
	Name          string      `json:"name"`
	Image         *string     `json:"image"`
	ImageState    *string     `json:"imageState"` // shown, none or hidden; null: the messenger was not asked
	Status        string      `json:"status"`     // open or close
	Responsible   *IDRef      `json:"responsible"`
	Pin           bool        `json:"pin"` // the responsible is pinned
	Producer      *IDRef      `json:"producer"`
	Accomplices   []IDRef     `json:"accomplices"`
	Auditors      []IDRef     `json:"auditors"`
	Level         *LevelData  `json:"level"`
	Process       *string     `json:"process"` // inWork or null
	Tags          []TagData   `json:"tags"`
	Unread        int64       `json:"unread"`
	LastTime      int64       `json:"lastTime"`     // unix seconds, of the last message or the chat's creation
	Conversation  *ChatWindow `json:"conversation"` // the 24-hour window, while it is open

	LastMessage *LastMessage `json:"lastMessage"` // null: there is none yet
	State       ChatState    `json:"state"`       // on the phone of the line's account

	Number    int64 `json:"-"` // see ChatNumbered
	CreatedAt int64 `json:"-"` // unix seconds
}

// LastMessage is the last message of a chat, as lists of chats show it.
type LastMessage struct {
	ID         ID      `json:"id"`
	InternalID int64   `json:"internalId"`
	FromMe     bool    `json:"fromMe"`
	Side       string  `json:"side"` // in or out
	Time       int64   `json:"time"` // unix seconds
	Type       string  `json:"type"`
	Subtype    *string `json:"subtype"`
	Message    Content `json:"message"`
	FromUser   Author  `json:"fromUser"`
	Status     string  `json:"status"`    // of a message of ours
	DeletedAt  *int64  `json:"deletedAt"` // when set, the content is erased
}

// ChatWindow is a 24-hour conversation window. Times are unix seconds.
type ChatWindow struct {
	ID        string `json:"id"`
	Type      string `json:"type"` // UIC or BIC
	StartTime int64  `json:"startTime"`
	EndTime   int64  `json:"endTime"`
}

// chatData returns the ChatData of one chat. v is the renderer of its line.
func (c *change) chatData(v renderer, chat *models.Chat) (ChatData, error) {
	data, err := chatsData(c.tx, []models.Chat{*chat}, c.now.Unix(), func(Line) (renderer, error) { return v, nil })
	if err != nil {
		return ChatData{}, err
	}
	return data[0], nil
}

// chatsData returns the ChatData of chats, in their order, with a fixed number of
// queries. now is in unix seconds; of returns the renderer of a line.
func chatsData(tx *models.Tx, chats []models.Chat, now int64, of func(Line) (renderer, error)) ([]ChatData, error) {
	data := make([]ChatData, len(chats))
	byID := make(map[int64]*ChatData, len(chats))
	var ids, levelIDs []int64
	for i, chat := range chats {
		v, err := of(Line{chat.LicenseID, chat.MessengerType})
		if err != nil {
			return nil, err
		}
		data[i] = bareChat(chat, now)
		data[i].Image = v.image(chat.Image)
		byID[chat.ID] = &data[i]
		ids = append(ids, chat.ID)
		if chat.LevelID != nil {
			levelIDs = append(levelIDs, *chat.LevelID)
		}
	}
	levels, err := tx.LevelsByID(levelIDs)
	if err != nil {
		return nil, err
	}
	for _, chat := range chats {
		if chat.LevelID == nil {
			continue
		}
		if level, ok := levels[*chat.LevelID]; ok {
			l := levelData(level)
			byID[chat.ID].Level = &l
		}
	}
	members, err := tx.MembersOfChats(ids)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		chat := byID[m.ChatID]
		if m.Part == models.PartAuditor {
			chat.Auditors = append(chat.Auditors, IDRef{m.UserID})
		} else {
			chat.Accomplices = append(chat.Accomplices, IDRef{m.UserID})
		}
	}
	if err := addLastMessages(tx, chats, byID, of); err != nil {
		return nil, err
	}
	return data, addTags(tx, ids, byID)
}

func addLastMessages(tx *models.Tx, chats []models.Chat, byID map[int64]*ChatData, of func(Line) (renderer, error)) error {
	ids := make([]int64, len(chats))
	for i := range chats {
		ids[i] = chats[i].ID
	}
	rows, err := tx.LastMessages(ids)
	if err != nil {
		return err
	}
	for id, row := range rows {
		chat := byID[id]
		v, err := of(Line{LicenseID: chat.LicenseID, Messenger: chat.MessengerType})
		if err != nil {
			return err
		}
		if chat.LastMessage, err = v.lastMessage(row); err != nil {
			return err
		}
	}
	return nil
}

func (v renderer) lastMessage(row *models.Message) (*LastMessage, error) {
	content, err := v.content(row)
	if err != nil {
		return nil, err
	}
	author, err := v.author(row)
	if err != nil {
		return nil, err
	}
	return &LastMessage{
		ID: MakeID(v.line.Messenger, row.ExternalID), InternalID: row.ID, FromMe: row.FromMe, Side: side(row), Time: row.Time,
		Type: row.Type, Subtype: row.Subtype, Message: content, FromUser: author, Status: row.Status, DeletedAt: row.DeletedAt,
	}, nil
}

func addTags(tx *models.Tx, ids []int64, byID map[int64]*ChatData) error {
	rows, err := tx.TagsOfChats(ids)
	if err != nil {
		return err
	}
	tags := make([]models.Tag, len(rows))
	for i, r := range rows {
		tags[i] = r.Tag
	}
	shown, err := tagsData(tx, tags)
	if err != nil {
		return err
	}
	for i, r := range rows {
		chat := byID[r.ChatID]
		chat.Tags = append(chat.Tags, shown[i])
	}
	return nil
}

// bareChat returns the ChatData that the chat's own row determines.
func bareChat(chat models.Chat, now int64) ChatData {
	d := ChatData{
		ID: chat.ExternalID, LID: chat.LID, Hash: chat.Hash, Type: chat.Type,
		LicenseID: chat.LicenseID, MessengerType: chat.MessengerType,
		Phone: chat.Phone, Username: chat.Username, Name: chat.Name, Image: chat.Image, ImageState: given(chat.PictureState),
		Status: chat.Status, Responsible: idRef(chat.ResponsibleID), Pin: chat.ResponsiblePinned,
		Producer: idRef(chat.ProducerID), Accomplices: []IDRef{}, Auditors: []IDRef{}, Tags: []TagData{},
		Process: chat.Process, Unread: chat.Unread, LastTime: chat.LastTime, State: chatState(&chat, now), Number: chat.ID, CreatedAt: chat.CreatedAt,
	}
	if chat.WindowID != nil && chat.WindowType != nil && chat.WindowStart != nil && chat.WindowEnd != nil && *chat.WindowEnd > now {
		d.Conversation = &ChatWindow{ID: *chat.WindowID, Type: *chat.WindowType, StartTime: *chat.WindowStart, EndTime: *chat.WindowEnd}
	}
	return d
}
