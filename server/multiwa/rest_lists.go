package multiwa

import (
	"net/http"
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

// listed translates a message.
func (a *API) listed(of *crm.Instance, item *crm.HistoryItem) listedMessage {
	_, phone := a.Lines.Profile(of.Line)
	m := listedMessage{
		messageData: scene{messenger: of.Line.Messenger, phone: phone}.messageData(&item.MessageItem),
		MessageID:   uuid(nounMessage, item.InternalID), ConversationID: uuid(nounConversation, item.ChatNumber), ProfileID: of.ID, Direction: directionIn,
	}
	m.Type = typeOf(item)
	if item.FromMe {
		ack := acks[item.Status]
		m.Direction, m.Status, m.Ack = directionOut, ack.Status, &ack.Ack
	}
	return m
}

// typeOf returns the type of a message in a list.
func typeOf(item *crm.HistoryItem) string {
	if item.DeletedAt != nil {
		return typeRevoked
	}
	return messageType(&item.MessageItem)
}

// messageFilter selects messages. Zero fields do not narrow.
type messageFilter struct {
	typ    string
	fromMe *bool
}

func messageFilterOf(c *gin.Context) (f messageFilter, err error) {
	switch strings.ToLower(c.Query("direction")) {
	case "":
	case directionIn, "inbound", "in":
		f.fromMe = given(true, false)
	case directionOut, "outbound", "out":
		f.fromMe = given(true, true)
	default:
		return f, crm.Invalid("direction", "must be incoming or outgoing")
	}
	f.typ = c.Query("type")
	return f, nil
}

// maxRecent bounds how far back the messages of a whole profile are listed.
const maxRecent = 1000

// messagesOfProfile lists the last messages of a profile, the newest first.
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
	if w.offset+w.limit > maxRecent {
		return nil, crm.Invalid("offset", "and limit together must be at most %d: older messages are in their conversations", maxRecent)
	}
	found, err := a.CRM.LineMessages(c.Request.Context(), actor(c), of.Line, crm.LineMessageQuery{
		FromMe: f.fromMe, Skip: w.offset, Limit: w.limit, Uncounted: true,
		Match: func(item *crm.HistoryItem) bool { return f.typ == "" || f.typ == typeOf(item) },
	})
	if err != nil {
		return nil, err
	}
	list := []listedMessage{}
	for i := range found.Items {
		list = append(list, a.listed(of, &found.Items[i]))
	}
	return list, nil
}
