package evolution

import (
	"encoding/json"
	"time"

	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

// Sizes of pages.
const (
	usualRecords = 50
	mostRecords  = 500
	mostSkipped  = 4500 // beyond it there is nothing: lists cost what is skipped too
)

func findBody() schema {
	return schema{obj("where"), integer("page"), integer("offset"), integer("take"), integer("skip"), integer("limit")}
}

func chatFindRoutes() []route {
	return []route{
		{methods: "POST", path: "/chat/findMessages/:instance", body: findBody(), do: findMessages},
		{methods: "POST", path: "/chat/findStatusMessage/:instance", body: findBody(), do: findStatuses},
		{methods: "GET POST", path: "/chat/findChats/:instance", body: findBody(), do: findChats},
		{methods: "GET", path: "/chat/findChatByRemoteJid/:instance", do: findChat},
		{methods: "POST", path: "/chat/findContacts/:instance", body: findBody(), do: findContacts},
	}
}

// window is the part of a list that a body asks for. Evolution calls the size of a page offset.
type window struct{ page, skip, size int }

func (q *request) window() window {
	size := usualRecords
	for _, name := range []string{"limit", "take", "offset"} {
		if n := int(whole(q.body, name)); n > 0 {
			size = min(n, mostRecords)
		}
	}
	page := max(int(min(whole(q.body, "page"), mostSkipped)), 1)
	skip := int(min(whole(q.body, "skip"), mostSkipped+1))
	if skip <= 0 {
		skip = (page - 1) * size
	}
	return window{page, skip, size}
}

// wanted is what the body says of messages.
func (q *request) wanted() (list crm.LineMessageQuery) {
	where := inner(q.body, "where")
	key := inner(where, "key")
	first := func(texts ...string) string {
		for _, t := range texts {
			if t != "" {
				return t
			}
		}
		return ""
	}
	list.ID = first(text(key, "id"), text(where, "keyId"), text(where, "id"))
	list.ChatID = first(text(key, "remoteJid"), text(where, "remoteJid"), text(key, "remoteJidAlt"))
	if list.ChatID != "" {
		list.ChatID = shape.ID(list.ChatID)
	}
	for _, o := range []object{where, key} {
		if mine, is := o["fromMe"].(bool); is {
			list.FromMe = &mine
		}
	}
	between := inner(where, "messageTimestamp")
	list.From, list.To = seconds(between["gte"]), seconds(between["lte"])
	typ, source, participant := text(where, "messageType"), text(where, "source"), text(key, "participant")
	if typ+source+participant != "" {
		list.Match = func(m *crm.HistoryItem) bool {
			_, author := shape.RemoteJID(&m.MessageItem)
			return (typ == "" || shape.Kind(&m.MessageItem, shape.Shape(q.shape)) == typ) &&
				(source == "" || shape.Source(m.ID.String()) == source) && (participant == "" || author == shape.JID(shape.ID(participant)))
		}
	}
	return list
}

// seconds returns a time of a body, a text of ISO 8601 or a number of seconds, or 0.
func seconds(v any) int64 {
	switch v := v.(type) {
	case string:
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return t.Unix()
		}
	case json.Number:
		n, _ := v.Int64()
		return n
	}
	return 0
}

// messages lists the messages of a window.
func (q *request) messages(list crm.LineMessageQuery, w window) (crm.LineMessageList, error) {
	if w.skip > mostSkipped {
		return crm.LineMessageList{}, nil
	}
	list.Skip, list.Limit = w.skip, w.size
	found, err := q.e.CRM.LineMessages(q.ctx, q.actor, q.line(), list)
	if hasCode(err, crm.CodeInvalid) { // an id of no form that a chat has
		return crm.LineMessageList{}, nil
	}
	return found, err
}

func findMessages(q *request) (answer, error) {
	w := q.window()
	list, err := q.messages(q.wanted(), w)
	if err != nil {
		return answer{}, err
	}
	records := make([]json.RawMessage, len(list.Items))
	for i := range list.Items {
		records[i] = shape.Record(&list.Items[i], q.rendered(), shape.Shape(q.shape))
	}
	if q.v1() {
		return ok(records), nil
	}
	type page struct {
		Total       int               `json:"total"`
		Pages       int               `json:"pages"`
		CurrentPage int               `json:"currentPage"`
		Records     []json.RawMessage `json:"records"`
	}
	return ok(struct {
		Messages page `json:"messages"`
	}{page{list.Total, (list.Total + w.size - 1) / w.size, w.page, records}}), nil
}

type statusRow struct {
	ID          string  `json:"id"`
	KeyID       string  `json:"keyId"`
	RemoteJID   string  `json:"remoteJid"`
	FromMe      bool    `json:"fromMe"`
	Participant *string `json:"participant"`
	PollUpdates *string `json:"pollUpdates"`
	Status      string  `json:"status"`
	MessageID   string  `json:"messageId"`
	InstanceID  string  `json:"instanceId"`
}

// findStatuses lists the statuses of the account's own messages: others have none.
func findStatuses(q *request) (answer, error) {
	list, status, mine := q.wanted(), text(inner(q.body, "where"), "status"), true
	rows := []statusRow{}
	if list.FromMe != nil && !*list.FromMe {
		return ok(rows), nil
	}
	list.FromMe = &mine
	list.Match = func(m *crm.HistoryItem) bool {
		return m.Status != "" && (status == "" || shape.Status(m.Status) == status)
	}
	found, err := q.messages(list, q.window())
	if err != nil {
		return answer{}, err
	}
	for i := range found.Items {
		m := &found.Items[i]
		id := m.ID.String()
		chat, _ := shape.RemoteJID(&m.MessageItem)
		rows = append(rows, statusRow{ID: id, KeyID: id, RemoteJID: chat, FromMe: true, Status: shape.Status(m.Status), MessageID: id, InstanceID: q.instance.ID})
	}
	return ok(rows), nil
}
