package multiwa

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

func (a *API) registerLists(keyed gin.IRouter) {
	keyed.GET("/messages/profile/:id", a.serve(http.StatusOK, a.messagesOfProfile))
	keyed.GET("/messages/conversation/:id", a.serve(http.StatusOK, a.messagesOfConversation))
	keyed.GET("/conversations", a.serve(http.StatusOK, a.conversations))
	keyed.GET("/conversations/:id", a.serve(http.StatusOK, a.conversation))
	keyed.GET("/contacts", a.serve(http.StatusOK, a.contactList))
	keyed.GET("/contacts/:id", a.serve(http.StatusOK, a.contact))
	keyed.POST("/contacts", a.serve(http.StatusCreated, a.createContact))
	keyed.PUT("/contacts/:id", a.serve(http.StatusOK, a.renameContact))
	keyed.POST("/contacts/validate", a.serve(http.StatusCreated, a.validateContacts))
}

// Bounds of lists.
const (
	defaultListed = 50
	maxOffset     = 10_000
)

// window is the part of a list that a request asks for.
type window struct{ limit, offset int }

func windowOf(c *gin.Context) (w window, err error) {
	if w.limit, err = number(c, "limit", defaultListed, 1, crm.MaxPage); err != nil {
		return w, err
	}
	w.offset, err = number(c, "offset", 0, 0, maxOffset)
	return w, err
}

// pages collects a window of a list that is read page by page.
func pages[T any](w window, page func(crm.PageQuery) (crm.Page[T], error)) ([]T, error) {
	all := []T{}
	q := crm.PageQuery{Limit: min(w.offset+w.limit, crm.MaxPage)}
	for skip := w.offset; ; {
		p, err := page(q)
		if err != nil {
			return nil, err
		}
		n := min(skip, len(p.Items))
		skip -= n
		all = append(all, p.Items[n:]...)
		if len(all) >= w.limit || p.NextPage == nil {
			return all[:min(len(all), w.limit)], nil
		}
		q.NextPage = *p.NextPage
	}
}

// listedMessage is a message in a list.
type listedMessage struct {
	messageData
	MessageID      string `json:"messageId"`
	ConversationID string `json:"conversationId"`
	ProfileID      string `json:"profileId"`
	Direction      string `json:"direction"`
	Status         string `json:"status,omitempty"` // of a message of ours
	Ack            *int   `json:"ack,omitempty"`
}

const (
	directionIn  = "incoming"
	directionOut = "outgoing"
)

// listed translates a message of a conversation with this number.
func (a *API) listed(of *crm.Instance, conversation int64, item *crm.HistoryItem) listedMessage {
	_, phone := a.Lines.Profile(of.Line)
	m := listedMessage{
		messageData: scene{messenger: of.Line.Messenger, phone: phone}.messageData(&item.MessageItem),
		MessageID:   uuid(nounMessage, item.InternalID), ConversationID: uuid(nounConversation, conversation), ProfileID: of.ID, Direction: directionIn,
	}
	if item.DeletedAt != nil {
		m.Type = typeRevoked
	}
	if item.FromMe {
		ack := acks[item.Status]
		m.Direction, m.Status, m.Ack = directionOut, ack.Status, &ack.Ack
	}
	return m
}

// messageFilter selects messages.
type messageFilter struct{ typ, direction string }

func messageFilterOf(c *gin.Context) (f messageFilter, err error) {
	directions := map[string]string{
		"": "", directionIn: directionIn, "inbound": directionIn, "in": directionIn, directionOut: directionOut, "outbound": directionOut, "out": directionOut,
	}
	var known bool
	if f.direction, known = directions[strings.ToLower(c.Query("direction"))]; !known {
		return f, crm.Invalid("direction", "must be incoming or outgoing")
	}
	f.typ = c.Query("type")
	return f, nil
}

func (f messageFilter) takes(m *listedMessage) bool {
	return (f.typ == "" || f.typ == m.Type) && (f.direction == "" || f.direction == m.Direction)
}

// maxRecent bounds how far back the messages of a whole profile are listed.
const maxRecent = 1000

// messagesOfProfile lists the last messages of a profile, the newest first. It reads the
// conversations from the one with the latest message on, until no other can have a later
// message than those it has.
func (a *API) messagesOfProfile(c *gin.Context) (any, error) {
	w, err := windowOf(c)
	if err != nil {
		return nil, err
	}
	f, err := messageFilterOf(c)
	if err != nil {
		return nil, err
	}
	of, err := a.profile(c, c.Param("id"))
	if err != nil {
		return nil, err
	}
	need := w.offset + w.limit
	if need > maxRecent {
		return nil, crm.Invalid("offset", "and limit together must be at most %d: older messages are in their conversations", maxRecent)
	}
	var all []recent
	q := crm.ChatQuery{PageQuery: crm.PageQuery{Limit: crm.MaxPage}}
	for {
		page, err := a.CRM.Chats(c.Request.Context(), actor(c), of.Line, q)
		if err != nil {
			return nil, err
		}
		for i := range page.Items {
			chat := &page.Items[i]
			if len(all) >= need && all[need-1].time > chat.LastTime {
				return w.of(all), nil
			}
			found, err := a.recentOf(c, of, chat.ID, need, f)
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
			slices.SortStableFunc(all, func(x, y recent) int { return cmp.Or(cmp.Compare(y.time, x.time), cmp.Compare(y.id, x.id)) })
			all = all[:min(len(all), need)]
		}
		if page.NextPage == nil {
			return w.of(all), nil
		}
		q.NextPage = *page.NextPage
	}
}

// recent is a message with its place in time.
type recent struct {
	time, id int64
	message  listedMessage
}

func (w window) of(all []recent) []listedMessage {
	list := []listedMessage{}
	for _, r := range all[min(w.offset, len(all)):min(w.offset+w.limit, len(all))] {
		list = append(list, r.message)
	}
	return list
}

// recentOf returns the last messages of a chat that a filter takes.
func (a *API) recentOf(c *gin.Context, of *crm.Instance, chat string, need int, f messageFilter) (found []recent, err error) {
	at := crm.ChatAddress{Line: of.Line, ChatID: chat}
	conversation, err := a.CRM.NumberOfChat(c.Request.Context(), actor(c), at)
	if err != nil {
		return nil, err
	}
	q := crm.MessageQuery{PageQuery: crm.PageQuery{Limit: min(need, crm.MaxPage)}}
	for read := 0; read < maxRecent; {
		page, err := a.CRM.Messages(c.Request.Context(), actor(c), at, q)
		if err != nil {
			return nil, err
		}
		read += len(page.Items)
		for i := range page.Items {
			if m := a.listed(of, conversation, &page.Items[i]); f.takes(&m) {
				found = append(found, recent{page.Items[i].Time, page.Items[i].InternalID, m})
			}
		}
		if page.NextPage == nil || len(found) >= need {
			break
		}
		q.NextPage = *page.NextPage
	}
	return found, nil
}
