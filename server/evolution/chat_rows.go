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

// paged reads a window of a list of the rules page by page, and gives each item of it to take.
func paged[T any](w window, list func(crm.PageQuery) (crm.Page[T], error), take func(*T)) error {
	if w.skip > mostSkipped {
		return nil
	}
	query, at := crm.PageQuery{Limit: crm.MaxPage}, 0
	for {
		page, err := list(query)
		if err != nil {
			return err
		}
		for i := range page.Items {
			if at++; at > w.skip && at <= w.skip+w.size {
				take(&page.Items[i])
			}
		}
		if page.NextPage == nil || at >= w.skip+w.size {
			return nil
		}
		query.NextPage = *page.NextPage
	}
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
	err := paged(q.window(), func(page crm.PageQuery) (crm.Page[crm.ChatData], error) {
		return q.e.CRM.Chats(q.ctx, q.actor, q.line(), crm.ChatQuery{PageQuery: page})
	}, func(c *crm.ChatData) { rows = append(rows, q.chatRow(c)) })
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
	CreatedAt      *string  `json:"createdAt"` // not told by the rules
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
		ID: c.Hash, RemoteJID: chatJID(c), Name: c.Name, Labels: labelsOf(c), UpdatedAt: isoOf(c.LastTime), InstanceID: q.instance.ID, UnreadMessages: c.Unread,
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

// findContacts lists people, in the order in which they became known. An id is a JID.
func findContacts(q *request) (answer, error) {
	where := inner(q.body, "where")
	jid, name := text(where, "remoteJid"), text(where, "pushName")
	if jid == "" {
		jid = text(where, "id")
	}
	rows := []contactRow{}
	add := func(k *crm.ContactData) {
		if name != "" && k.Name != name {
			return
		}
		id := shape.JID(k.ID.String())
		at := isoOf(k.CreatedAt)
		rows = append(rows, contactRow{
			ID: id, RemoteJID: id, PushName: k.Name, ProfilePicURL: k.Image, CreatedAt: at, UpdatedAt: at, InstanceID: q.instance.ID, IsSaved: true, Type: "contact",
		})
	}
	if jid != "" {
		k, err := q.e.CRM.LineContact(q.ctx, q.actor, crm.ContactAddress{Line: q.line(), ContactID: shape.ID(jid)})
		if err == nil {
			add(&k)
		} else if hasCode(err, crm.CodeNotFound) || hasCode(err, crm.CodeInvalid) {
			err = nil
		}
		return ok(rows), err
	}
	err := paged(q.window(), func(page crm.PageQuery) (crm.Page[crm.ContactData], error) {
		return q.e.CRM.Contacts(q.ctx, q.actor, q.line(), page, name)
	}, add)
	return ok(rows), err
}
