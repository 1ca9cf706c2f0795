package whatsapptest

import (
	"context"
	"slices"
	"time"

	"go.mau.fi/whatsmeow/types"
)

// Presence is a presence that a client sent.
type Presence struct {
	Type string // available, unavailable
	Name string // the push name
}

// Typing is a chat state that a client sent to a phone.
type Typing struct {
	From  types.JID
	State string // composing, paused
	Media string // audio while a voice message is recorded
}

func (c *conn) onPresence(n node) {
	a := c.device.account
	if stringOf(n, "type") == "subscribe" {
		a.watched[user(jidOf(n, "to"))] = true
		return
	}
	a.present = append(a.present, Presence{stringOf(n, "type"), stringOf(n, "name")})
}

// Presences returns the presences that the account's clients sent, in order.
func (a *Account) Presences() []Presence {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	return slices.Clone(a.present)
}

// AwaitPresence waits until a client has sent a presence of that type.
func (a *Account) AwaitPresence(ctx context.Context, kind string) error {
	return a.srv.wait(ctx, "presence "+kind, func() bool {
		return slices.ContainsFunc(a.present, func(p Presence) bool { return p.Type == kind })
	})
}

// AwaitWatched waits until a client has subscribed to the presence of a contact.
func (a *Account) AwaitWatched(ctx context.Context, c *Contact) error {
	return a.srv.wait(ctx, "a subscription to "+c.number.User, func() bool {
		return a.watched[c.number] || (!c.hidden.IsEmpty() && a.watched[c.hidden])
	})
}

// Come makes the contact available, as if it opened WhatsApp. Subscribed clients
// are notified.
func (c *Contact) Come() { c.present(attrs{}) }

// Go makes the contact unavailable, as if it closed WhatsApp. A zero lastSeen hides
// the time.
func (c *Contact) Go(lastSeen time.Time) {
	a := attrs{"type": "unavailable", "last": "deny"}
	if !lastSeen.IsZero() {
		a["last"] = lastSeen.Unix()
	}
	c.present(a)
}

func (c *Contact) present(what attrs) {
	defer c.srv.lock()()
	for _, a := range c.srv.accounts() {
		from := c.number
		if !a.watched[from] || c.private {
			if c.hidden.IsEmpty() || !a.watched[c.hidden] {
				continue
			}
			from = c.hidden
		}
		for _, d := range a.linked() {
			d.pass(node{Tag: "presence", Attrs: with(attrs{"from": from}, what)})
		}
	}
}

func (c *conn) onChatState(n node) {
	to := jidOf(n, "to")
	var t Typing
	for _, state := range n.GetChildren() {
		t = Typing{c.device.number, state.Tag, stringOf(state, "media")}
	}
	if g := c.srv.groups[to]; g != nil {
		for _, m := range g.members {
			if !m.is(c.device.number) {
				m.typing = append(m.typing, t)
			}
		}
		return
	}
	if p := c.srv.find(to); p != nil {
		p.typing = append(p.typing, t)
	}
}

// AwaitTyping waits until a client has sent the contact that chat state.
func (c *Contact) AwaitTyping(ctx context.Context, state string) error {
	return c.srv.wait(ctx, "typing: "+state, func() bool {
		return slices.ContainsFunc(c.typing, func(t Typing) bool { return t.State == state })
	})
}

// Type shows the account that the contact is typing, recording (audio) or has
// stopped.
func (c *Contact) Type(a *Account, state types.ChatPresence, media types.ChatPresenceMedia) {
	defer c.srv.lock()()
	n := node{Tag: "chatstate", Attrs: c.senderOf(ByNumber), Content: []node{
		{Tag: string(state), Attrs: attrs{"media": string(media)}},
	}}
	for _, d := range a.linked() {
		d.pass(n)
	}
}

// Typings returns the chat states that clients have sent the contact.
func (c *Contact) Typings() []Typing {
	defer c.srv.lock()()
	return slices.Clone(c.typing)
}
