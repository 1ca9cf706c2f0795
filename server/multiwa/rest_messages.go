package multiwa

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

func (a *API) registerMessages(keyed gin.IRouter) {
	m := keyed.Group("/messages")
	m.POST("/text", a.send(a.text))
	for _, kind := range fileKinds {
		m.POST("/"+kind, a.send(a.file(kind)))
	}
	m.POST("/location", a.send(a.location))
	m.POST("/contact", a.send(a.contacts))
	m.POST("/poll", a.send(a.poll))
	m.POST("/reaction", a.send(a.reaction))
	m.POST("/reply", a.send(a.reply))
	m.POST("/typing", a.serve(http.StatusCreated, a.typing))
	m.POST("/mark-read", a.serve(http.StatusCreated, a.markRead))
	m.POST("/delete-for-everyone", a.serve(http.StatusCreated, a.deleteForEveryone))
}

// sentData is the answer to a message that was accepted for sending.
type sentData struct {
	MessageID      string `json:"messageId"`
	WAMessageID    string `json:"waMessageId"`
	ConversationID string `json:"conversationId"`
	Status         string `json:"status"`
	Timestamp      string `json:"timestamp"`
}

// statusQueued is the status of a message that was accepted: it waits in the outbox.
const statusQueued = "queued"

// sending is a message on its way out.
type sending struct {
	of   *crm.Instance
	sent crm.Sent
}

// send serves the sending of a message.
func (a *API) send(do func(c *gin.Context) (sending, error)) gin.HandlerFunc {
	return a.serve(http.StatusCreated, func(c *gin.Context) (any, error) {
		out, err := do(c)
		if err != nil {
			return nil, inWords(err, map[string]string{"chatId": "to"})
		}
		at := crm.ChatAddress{Line: out.of.Line, ChatID: out.sent.ChatID}
		n, err := a.CRM.NumbersOf(c.Request.Context(), actor(c), at, out.sent.ID.String())
		if err != nil {
			return nil, err
		}
		return sentData{
			MessageID: uuid(nounMessage, n.Message), ConversationID: uuid(nounConversation, n.Chat),
			WAMessageID: messageID(true, chatID(out.of.Line.Messenger, out.sent.ChatID), out.sent.ID.String(), ""),
			Status:      statusQueued, Timestamp: iso(time.Now()),
		}, nil
	})
}

// target is where a message goes.
type target struct {
	ProfileID string `json:"profileId"`
	To        string `json:"to"`
	Quoted    string `json:"quotedMessageId"`
}

// numberSigns removes what people write between the digits of a number.
var numberSigns = strings.NewReplacer("+", "", " ", "", "-", "", "(", "", ")", "", ".", "")

// address returns the chat that a text names.
func address(on crm.Line, field, to string) (crm.ChatAddress, error) {
	if to = strings.TrimSpace(to); to == "" {
		return crm.ChatAddress{}, crm.Invalid(field, "is required")
	}
	if crm.IsWhatsApp(on.Messenger) && !strings.Contains(to, "@") {
		to = numberSigns.Replace(to)
	}
	return crm.ChatAddress{Line: on, ChatID: to}, nil
}

// outgoing returns a message that the request describes, without its content.
func outgoing(c *gin.Context, typ string) crm.Outgoing {
	return crm.Outgoing{Type: typ, IdempotencyKey: c.GetHeader("Idempotency-Key")}
}

// place finds the profile and the chat that a request is about, and the message that it
// answers.
func (a *API) place(c *gin.Context, t target, m *crm.Outgoing) (of *crm.Instance, at crm.ChatAddress, err error) {
	if of, err = a.profile(c, t.ProfileID); err != nil {
		return nil, at, err
	}
	if at, err = address(of.Line, "to", t.To); err != nil || t.Quoted == "" {
		return of, at, err
	}
	_, id, err := a.message(c, of, "quotedMessageId", t.Quoted, t.To)
	if err == nil {
		quoted := crm.MakeID(of.Line.Messenger, id)
		m.Quoted = &quoted
	}
	return of, at, err
}

// message finds the message that a request names: by its UUID, its id in this dialect, or
// the messenger's id, with which the chat must be given.
func (a *API) message(c *gin.Context, of *crm.Instance, field, text, chat string) (at crm.ChatAddress, id string, err error) {
	if text == "" {
		return at, "", crm.Invalid(field, "is required")
	}
	if n, ok := parseUUID(nounMessage, strings.ToLower(text)); ok {
		at, id, err = a.CRM.MessageNumbered(c.Request.Context(), actor(c), n)
		if err == nil && at.Line != of.Line {
			err = &crm.Error{Code: crm.CodeNotFound, Message: "message not found"}
		}
		return at, id, err
	}
	parsed := parseMessageID(text)
	if parsed.chat != "" {
		chat = parsed.chat
	}
	if chat == "" {
		return at, "", crm.Invalid(field, "must have the chat in it, or be the id that this server gave to the message")
	}
	at, err = address(of.Line, field, chat)
	return at, parsed.id, err
}

// sendTo sends a message.
func (a *API) sendTo(c *gin.Context, t target, m crm.Outgoing) (out sending, err error) {
	var at crm.ChatAddress
	if out.of, at, err = a.place(c, t, &m); err != nil {
		return out, err
	}
	out.sent, err = a.CRM.Send(c.Request.Context(), actor(c), at, m)
	return out, err
}

func (a *API) text(c *gin.Context) (sending, error) {
	var in struct {
		target
		Text string `json:"text"`
	}
	if err := body(c, &in); err != nil {
		return sending{}, err
	}
	m := outgoing(c, crm.MessageText)
	m.Content.Text = in.Text
	return a.sendTo(c, in.target, m)
}

func (a *API) location(c *gin.Context) (sending, error) {
	var in struct {
		target
		Latitude  *float64 `json:"latitude"`
		Longitude *float64 `json:"longitude"`
		Name      string   `json:"name"`
		Address   string   `json:"address"`
	}
	if err := body(c, &in); err != nil {
		return sending{}, err
	}
	switch {
	case in.Latitude == nil:
		return sending{}, crm.Invalid("latitude", "is required")
	case in.Longitude == nil:
		return sending{}, crm.Invalid("longitude", "is required")
	}
	m := outgoing(c, crm.MessageLocation)
	m.Content.Location = &crm.Location{Latitude: *in.Latitude, Longitude: *in.Longitude, Name: in.Name, Address: in.Address}
	return a.sendTo(c, in.target, m)
}

// maxCards is how many contacts one request may send.
const maxCards = 10

// contacts sends one message for each contact, and answers with the first.
func (a *API) contacts(c *gin.Context) (first sending, err error) {
	var in struct {
		target
		Contacts []struct {
			Name  string `json:"name"`
			Phone string `json:"phone"`
		} `json:"contacts"`
	}
	if err := body(c, &in); err != nil {
		return first, err
	}
	if len(in.Contacts) == 0 || len(in.Contacts) > maxCards {
		return first, crm.Invalid("contacts", "must be 1 to %d contacts", maxCards)
	}
	for i, k := range in.Contacts {
		m := outgoing(c, crm.MessageContact)
		if m.IdempotencyKey != "" && i > 0 {
			m.IdempotencyKey += "-" + strconv.Itoa(i)
		}
		m.Content.Contact = &crm.ContactCard{Name: k.Name, Phone: k.Phone}
		out, err := a.sendTo(c, in.target, m)
		if err != nil {
			return first, err
		}
		if i == 0 {
			first = out
		}
	}
	return first, nil
}

func (a *API) poll(c *gin.Context) (sending, error) {
	var in struct {
		target
		Question string   `json:"question"`
		Options  []string `json:"options"`
		Answers  bool     `json:"allowMultipleAnswers"`
		Multiple bool     `json:"allowMultiple"`
	}
	if err := body(c, &in); err != nil {
		return sending{}, err
	}
	m := outgoing(c, crm.MessagePoll)
	m.Content.Poll = &crm.Poll{Question: in.Question, Options: in.Options, Multiple: in.Answers || in.Multiple}
	return a.sendTo(c, in.target, m)
}

func (a *API) reaction(c *gin.Context) (sending, error) {
	var in struct {
		target
		MessageID string  `json:"messageId"`
		Emoji     *string `json:"emoji"`
	}
	if err := body(c, &in); err != nil {
		return sending{}, err
	}
	if in.Emoji == nil {
		return sending{}, crm.Invalid("emoji", "is required; empty takes the reaction off")
	}
	of, err := a.profile(c, in.ProfileID)
	if err != nil {
		return sending{}, err
	}
	at, id, err := a.message(c, of, "messageId", in.MessageID, in.To)
	if err != nil {
		return sending{}, err
	}
	m := outgoing(c, crm.MessageReaction)
	m.Content.Reaction = &crm.Reaction{MessageID: crm.MakeID(of.Line.Messenger, id), Emoji: *in.Emoji}
	sent, err := a.CRM.Send(c.Request.Context(), actor(c), at, m)
	return sending{of, sent}, inWords(err, map[string]string{"chatId": "messageId"})
}

func (a *API) reply(c *gin.Context) (sending, error) {
	var in struct {
		target
		Text string `json:"text"`
	}
	if err := body(c, &in); err != nil {
		return sending{}, err
	}
	of, err := a.profile(c, in.ProfileID)
	if err != nil {
		return sending{}, err
	}
	at, id, err := a.message(c, of, "quotedMessageId", in.Quoted, in.To)
	if err != nil {
		return sending{}, err
	}
	quoted := crm.MakeID(of.Line.Messenger, id)
	m := outgoing(c, crm.MessageText)
	m.Content.Text, m.Quoted = in.Text, &quoted
	sent, err := a.CRM.Send(c.Request.Context(), actor(c), at, m)
	return sending{of, sent}, inWords(err, map[string]string{"chatId": "quotedMessageId"})
}
