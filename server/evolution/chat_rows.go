package evolution

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

type chatRow struct {
	ID            string          `json:"id"`
	RemoteJID     string          `json:"remoteJid"`
	PushName      string          `json:"pushName"`
	ProfilePicURL *string         `json:"profilePicUrl"`
	UpdatedAt     string          `json:"updatedAt"`
	WindowStart   *string         `json:"windowStart"`
	WindowExpires *string         `json:"windowExpires"`
	WindowActive  bool            `json:"windowActive"`
	LastMessage   json.RawMessage `json:"lastMessage,omitempty"`
	UnreadCount   int64           `json:"unreadCount"`
	IsSaved       bool            `json:"isSaved"`
}

// chatRowV1 is a chat in version 1.
type chatRowV1 struct {
	RowID  string   `json:"_id"`
	ID     string   `json:"id"`
	Owner  string   `json:"owner"`
	Labels []string `json:"labels"`
}

func isoOf(unix int64) string { return time.Unix(unix, 0).UTC().Format("2006-01-02T15:04:05.000Z") }

func (q *request) chatRow(c *crm.ChatData) any {
	jid := chatJID(c)
	if q.v1() {
		return chatRowV1{RowID: c.Hash, ID: jid, Owner: q.instance.Name, Labels: labelsOf(c)}
	}
	row := chatRow{ID: c.Hash, RemoteJID: jid, PushName: c.Name, ProfilePicURL: c.Image, UpdatedAt: isoOf(c.LastTime), UnreadCount: c.Unread, IsSaved: c.Name != ""}
	if w := c.Conversation; w != nil {
		start, end := isoOf(w.StartTime), isoOf(w.EndTime)
		row.WindowStart, row.WindowExpires, row.WindowActive = &start, &end, true
	}
	if m := c.LastMessage; m != nil {
		item := crm.HistoryItem{Status: m.Status, DeletedAt: m.DeletedAt, MessageItem: crm.MessageItem{
			ID: m.ID, FromMe: m.FromMe, Side: m.Side, Time: m.Time, Type: m.Type, Subtype: m.Subtype, Message: m.Message, FromUser: m.FromUser,
			Chat: crm.ChatCard{ID: c.ID, LID: c.LID, Hash: c.Hash, Type: c.Type, Phone: c.Phone, Username: c.Username, Name: c.Name},
		}}
		row.LastMessage = shape.Object(&item, q.rendered(), shape.Shape(q.shape))
	}
	return row
}

// chatJID returns the JID of a chat: by the phone number when it is known.
func chatJID(c *crm.ChatData) string {
	if c.Type == "private" && c.Phone != nil {
		return shape.JID(*c.Phone)
	}
	return shape.JID(c.ID)
}

func labelsOf(c *crm.ChatData) []string {
	labels := []string{}
	for _, tag := range c.Tags {
		labels = append(labels, strconv.FormatInt(tag.ID, 10))
	}
	return labels
}

// paged reads a window of a list of the rules page by page, and gives each item of it to take. Items
// that are not wanted are not counted; nil: all are. It returns the window of a list that follows.
func paged[T any](w window, list func(crm.PageQuery) (crm.Page[T], error), wanted func(*T) bool, take func(*T)) (window, error) {
	if w.skip > mostSkipped {
		return window{}, nil
	}
	query := crm.PageQuery{Limit: crm.MaxPage}
	for w.size > 0 {
		page, err := list(query)
		if err != nil {
			return w, err
		}
		for i := range page.Items {
			item := &page.Items[i]
			switch {
			case w.size == 0 || wanted != nil && !wanted(item):
			case w.skip > 0:
				w.skip--
			default:
				w.size--
				take(item)
			}
		}
		if page.NextPage == nil {
			break
		}
		query.NextPage = *page.NextPage
	}
	return w, nil
}

// findChats lists chats, those with the latest activity first.
func findChats(q *request) (answer, error) {
	rows := []any{}
	if jid := text(inner(q.body, "where"), "remoteJid"); jid != "" {
		chat, err := q.chatNamed(jid)
		if chat != nil {
			rows = append(rows, q.chatRow(chat))
		}
		return ok(rows), err
	}
	_, err := paged(q.window(), func(page crm.PageQuery) (crm.Page[crm.ChatData], error) {
		return q.e.CRM.Chats(q.ctx, q.actor, q.line(), crm.ChatQuery{PageQuery: page})
	}, nil, func(c *crm.ChatData) { rows = append(rows, q.chatRow(c)) })
	return ok(rows), err
}

// chatNamed returns the chat with a JID, or nil when there is none.
func (q *request) chatNamed(jid string) (*crm.ChatData, error) {
	chat, err := q.e.CRM.Chat(q.ctx, q.actor, crm.ChatAddress{Line: q.line(), ChatID: shape.ID(jid)})
	if hasCode(err, crm.CodeNotFound) || hasCode(err, crm.CodeInvalid) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &chat, nil
}

type chatFound struct {
	ID             string   `json:"id"`
	RemoteJID      string   `json:"remoteJid"`
	Name           string   `json:"name"`
	Labels         []string `json:"labels"`
	CreatedAt      string   `json:"createdAt"`
	UpdatedAt      string   `json:"updatedAt"`
	InstanceID     string   `json:"instanceId"`
	UnreadMessages int64    `json:"unreadMessages"`
}

func findChat(q *request) (answer, error) {
	jid := q.query("remoteJid")
	if jid == "" {
		return answer{}, &refusal{status: http.StatusBadRequest, whole: struct {
			Error string `json:"error"`
		}{"remoteJid is a required query parameter"}}
	}
	c, err := q.chatNamed(jid)
	if c == nil || err != nil {
		return ok(nil), err
	}
	return ok(chatFound{
		ID: c.Hash, RemoteJID: chatJID(c), Name: c.Name, Labels: labelsOf(c), CreatedAt: isoOf(c.CreatedAt), UpdatedAt: isoOf(c.LastTime), InstanceID: q.instance.ID, UnreadMessages: c.Unread,
	}), nil
}

type contactRow struct {
	ID            string  `json:"id"`
	RemoteJID     string  `json:"remoteJid"`
	PushName      string  `json:"pushName"`
	ProfilePicURL *string `json:"profilePicUrl"`
	CreatedAt     string  `json:"createdAt"`
	UpdatedAt     string  `json:"updatedAt"`
	InstanceID    string  `json:"instanceId"`
	IsGroup       bool    `json:"isGroup"`
	IsSaved       bool    `json:"isSaved"`
	Type          string  `json:"type"`
}

// contactOf returns the row of a person. One without a name and a picture is known from groups alone.
func (q *request) contactOf(k *crm.ContactData) contactRow {
	id, at := shape.JID(k.ID.String()), isoOf(k.CreatedAt)
	row := contactRow{
		ID: id, RemoteJID: id, PushName: k.Name, ProfilePicURL: k.Image, CreatedAt: at, UpdatedAt: at, InstanceID: q.instance.ID,
		IsSaved: k.Name != "" || k.Image != nil, Type: "group_member",
	}
	if row.IsSaved {
		row.Type = "contact"
	}
	return row
}

// groupOfChat returns the row of a group.
func (q *request) groupOfChat(c *crm.ChatData) contactRow {
	id := shape.JID(c.ID)
	return contactRow{
		ID: id, RemoteJID: id, PushName: c.Name, ProfilePicURL: c.Image, CreatedAt: isoOf(c.CreatedAt), UpdatedAt: isoOf(c.LastTime), InstanceID: q.instance.ID,
		IsGroup: true, IsSaved: c.Name != "" || c.Image != nil, Type: "group",
	}
}

// findContacts lists people, in the order in which they became known, and then groups, those with the
// latest activity first. An id is a JID.
func findContacts(q *request) (answer, error) {
	where := inner(q.body, "where")
	jid, name := text(where, "remoteJid"), text(where, "pushName")
	if jid == "" {
		jid = text(where, "id")
	}
	if jid != "" {
		return q.findContact(jid, name)
	}
	rows := []contactRow{}
	left, err := paged(q.window(), func(page crm.PageQuery) (crm.Page[crm.ContactData], error) {
		return q.e.CRM.Contacts(q.ctx, q.actor, q.line(), page, name)
	}, func(k *crm.ContactData) bool { return name == "" || k.Name == name },
		func(k *crm.ContactData) { rows = append(rows, q.contactOf(k)) })
	if err != nil {
		return answer{}, err
	}
	_, err = paged(left, func(page crm.PageQuery) (crm.Page[crm.ChatData], error) {
		return q.e.CRM.Chats(q.ctx, q.actor, q.line(), crm.ChatQuery{PageQuery: page, Type: "group", Search: name})
	}, func(c *crm.ChatData) bool { return name == "" || c.Name == name },
		func(c *crm.ChatData) { rows = append(rows, q.groupOfChat(c)) })
	return ok(rows), err
}

// findContact answers with the person or the group with a JID, if it has the name that is asked for.
func (q *request) findContact(jid, name string) (answer, error) {
	rows := []contactRow{}
	if shape.IsGroup(jid) {
		c, err := q.chatNamed(jid)
		if c != nil && (name == "" || c.Name == name) {
			rows = append(rows, q.groupOfChat(c))
		}
		return ok(rows), err
	}
	k, err := q.e.CRM.LineContact(q.ctx, q.actor, crm.ContactAddress{Line: q.line(), ContactID: shape.ID(jid)})
	switch {
	case hasCode(err, crm.CodeNotFound) || hasCode(err, crm.CodeInvalid):
		err = nil
	case err == nil && (name == "" || k.Name == name):
		rows = append(rows, q.contactOf(&k))
	}
	return ok(rows), err
}
