package whatsapptest

import (
	"context"
	"slices"
	"time"

	"go.mau.fi/whatsmeow/types"
)

// Presence is what a client told about being there.
type Presence struct {
	Type string // available, unavailable
	Name string // the push name
}

// Typing is what a client told a phone.
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

// Presences is what the account's clients told, in order.
func (a *Account) Presences() []Presence {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	return slices.Clone(a.present)
}

// AwaitPresence waits until a client has told that.
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

// Come is the contact opening WhatsApp; those who subscribed hear it.
func (c *Contact) Come() { c.present(attrs{}) }

// Go is the contact closing WhatsApp. The zero time hides when.
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
		if !a.watched[from] {
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

// AwaitTyping waits until a client has told the contact that.
func (c *Contact) AwaitTyping(ctx context.Context, state string) error {
	return c.srv.wait(ctx, "typing: "+state, func() bool {
		return slices.ContainsFunc(c.typing, func(t Typing) bool { return t.State == state })
	})
}

// Type is the contact typing, recording (audio), or stopping.
func (c *Contact) Type(a *Account, state types.ChatPresence, media types.ChatPresenceMedia) {
	defer c.srv.lock()()
	n := node{Tag: "chatstate", Attrs: c.senderOf(ByNumber), Content: []node{
		{Tag: string(state), Attrs: attrs{"media": string(media)}},
	}}
	for _, d := range a.linked() {
		d.pass(n)
	}
}
