package evolution

import (
	"cmp"
	"context"
	"regexp"
	"strings"
	"time"

	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

// sendTime is how long a request to send may take: delays are part of it.
const sendTime = 3 * time.Minute

// maxDelay is the longest time for which somebody is shown to type, in milliseconds.
const maxDelay = 60_000

var numberForm = regexp.MustCompile(`^[\d+()\- ]{5,40}$|^[\w.:-]+@(s\.whatsapp\.net|c\.us|lid|g\.us|broadcast|newsletter)$`)

func numberField() field { return str("number").must().like(numberForm).says(textNumber) }

// sendBody returns the fields of a message: those that all have, and its own.
func sendBody(own ...field) schema {
	return append(schema{
		numberField(), integer("delay").between(0, maxDelay).says("Enter a value in milliseconds"),
		obj("quoted"), flag("linkPreview"), flag("mentionsEveryOne"), list("mentioned", str("").some()), flag("encoding"),
	}, own...)
}

// sendLifts are where version 1 has them.
func sendLifts(own ...lift) []lift {
	return append(append(same("options", "delay", "presence", "quoted", "linkPreview", "encoding"),
		lift{"options.mentions.everyOne", "mentionsEveryOne"}, lift{"options.mentions.mentioned", "mentioned"}), own...)
}

// outgoing is a message to send.
type outgoing struct {
	to      address
	message crm.Outgoing
	// One of the files, or neither.
	upload *crm.Upload
	link   string
	name   string // of the file
	voice  bool   // shows that it records, not that it types
}

// toNumber begins a message to the number of the body.
func (q *request) toNumber(typ string, content crm.Content) (outgoing, error) {
	to, err := q.address(text(q.body, "number"))
	if err != nil {
		return outgoing{}, err
	}
	return outgoing{to: to, message: crm.Outgoing{Type: typ, Content: content}}, nil
}

// chat returns the address of the message's chat.
func (q *request) chat(to address) crm.ChatAddress {
	return crm.ChatAddress{Line: q.line(), ChatID: to.chat}
}

// send sends a message, after the delay that the body asks for, and answers with its object.
func (q *request) send(m outgoing) (answer, error) {
	defer func() { m.upload.Discard() }()
	m.message.IdempotencyKey = q.c.GetHeader("Idempotency-Key")
	m.message.Quoted, m.message.Quote = q.quoted()
	var err error
	if m.message.Content.Mentions, err = q.mentions(m.to); err != nil {
		return answer{}, err
	}
	if err := q.delay(m); err != nil {
		return answer{}, err
	}
	sent, err := q.pass(&m)
	if err != nil {
		return answer{}, sendViolation(err)
	}
	item, err := q.e.CRM.AcceptedMessage(q.ctx, q.actor, crm.ChatAddress{Line: q.line(), ChatID: sent.ChatID}, sent.ID)
	if err != nil {
		return answer{}, err
	}
	return made(shape.SentObject(&item.MessageItem, q.rendered(), shape.Shape(q.shape))), nil
}

// pass gives the message to the rules. One that answers a message that is not here is sent without
// it.
func (q *request) pass(m *outgoing) (sent crm.Sent, err error) {
	at := q.chat(m.to)
	switch {
	case m.upload != nil:
		if m.message.Quoted != nil && m.message.Quote == nil && !q.here(at, *m.message.Quoted) {
			m.message.Quoted = nil // an upload can be given once
		}
		u := m.upload
		m.upload = nil
		return q.e.CRM.SendFile(q.ctx, q.actor, at, u, m.name, m.message)
	case m.link != "":
		sent, err = q.e.CRM.SendLink(q.ctx, q.actor, at, m.link, m.name, m.message)
	default:
		sent, err = q.e.CRM.Send(q.ctx, q.actor, at, m.message)
	}
	if m.message.Quoted != nil && blames(err, "quotedMessageId") {
		m.message.Quoted = nil
		return q.pass(m)
	}
	return sent, err
}

// here reports whether the chat has the message.
func (q *request) here(at crm.ChatAddress, id crm.ID) bool {
	has, err := q.e.CRM.HasMessage(q.ctx, q.actor, at, id)
	return err == nil && has
}

// rendered returns the instance for the rendering of its messages.
func (q *request) rendered() shape.Instance {
	in := shape.Instance{ID: q.instance.ID, Name: q.instance.Name, ProfileName: q.instance.ProfileName, ServerURL: q.e.PublicURL}
	if v, ok := q.e.CRM.InstanceDirectory().Of(q.line()); ok {
		in.Phone, in.ProfileName = v.Phone, v.ProfileName
	}
	return in
}

// quoted returns the id of the message that the body answers, nil when there is none, and what the
// body says of it, for the case that it is not here.
func (q *request) quoted() (*crm.ID, *crm.Quote) {
	quoted := inner(q.body, "quoted")
	key, message := inner(quoted, "key"), inner(quoted, "message")
	id := text(key, "id")
	if id == "" {
		return nil, nil
	}
	made := crm.MakeID(q.line().Messenger, id)
	said := cmp.Or(text(message, "conversation"), text(inner(message, "extendedTextMessage"), "text"))
	if strings.TrimSpace(said) == "" {
		return &made, nil
	}
	mine := isTrue(key, "fromMe")
	quote := &crm.Quote{Type: crm.MessageText, FromMe: &mine, Message: crm.Content{Text: said}}
	if author := cmp.Or(text(key, "participant"), text(key, "remoteJid")); !mine && author != "" && !shape.IsGroup(author) {
		quote.FromUser = &crm.InboundUser{ID: crm.MakeID(q.line().Messenger, shape.ID(author))}
	}
	return &made, quote
}

// mentions returns the people that the body mentions.
func (q *request) mentions(to address) ([]crm.Mention, error) {
	var all []crm.Mention
	messenger := q.line().Messenger
	if isTrue(q.body, "mentionsEveryOne") && to.group() {
		g, err := q.e.CRM.Group(q.ctx, q.actor, q.chat(to))
		if err != nil {
			return nil, err
		}
		for _, m := range g.Members {
			all = append(all, crm.Mention{ID: crm.MakeID(messenger, m.ID)})
		}
	}
	for _, number := range texts(q.body, "mentioned") {
		jid, forms, ok := jidOf(number)
		if !ok {
			return nil, errNumber()
		}
		if len(forms) > 0 {
			jid = onlyDigits(number, false) + "@s.whatsapp.net"
		}
		all = append(all, crm.Mention{ID: crm.MakeID(messenger, shape.ID(jid))})
	}
	return all, nil
}

// typingAgain is how often people are shown again that somebody types: WhatsApp forgets it soon.
const typingAgain = 8 * time.Second

// delay shows that somebody types or records for as long as the body says, and then that he stopped.
func (q *request) delay(m outgoing) error {
	left := time.Duration(whole(q.body, "delay")) * time.Millisecond
	kind := crm.TypingText
	if m.voice || text(q.body, "presence") == "recording" {
		kind = crm.TypingVoice
	}
	if left <= 0 {
		return nil
	}
	for left > 0 {
		_ = q.e.CRM.Typing(q.ctx, q.actor, q.chat(m.to), kind) // it may be lost, and strangers are shown nothing
		part := min(left, typingAgain)
		if err := sleep(q.ctx, part); err != nil {
			return err
		}
		left -= part
	}
	_ = q.e.CRM.Typing(q.ctx, q.actor, q.chat(m.to), crm.TypingPaused)
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// sendViolation gives the refusal of a message Evolution's form.
func sendViolation(err error) error {
	switch {
	case blames(err, "chatId"):
		return errNumber()
	case hasCode(err, crm.CodeNotFound):
		return bad("Error: the chat is not known to this instance")
	}
	return err
}

func textRoutes() []route {
	return []route{{
		methods: "POST", path: "/message/sendText/:instance", within: sendTime, body: sendBody(str("text").must()),
		lifts: sendLifts(lift{"textMessage.text", "text"}), do: sendText,
	}}
}

func sendText(q *request) (answer, error) {
	said := text(q.body, "text")
	if strings.TrimSpace(said) == "" {
		return answer{}, bad("Text is required")
	}
	m, err := q.toNumber(crm.MessageText, crm.Content{Text: said})
	if err != nil {
		return answer{}, err
	}
	return q.send(m)
}
