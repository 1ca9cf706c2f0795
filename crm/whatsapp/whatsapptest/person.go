package whatsapptest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
)

// person is somebody with a simulated phone: a customer, or the owner of an
// account. The server's mu guards it.
type person struct {
	srv       *Server
	number    types.JID
	hidden    types.JID // the hidden id (LID); empty when there is none
	name      string    // the push name
	about     string
	business  string // the name that WhatsApp has verified; empty: no business
	profile   Business
	party     *party
	account   *Account // nil for a contact
	inbox     []*Received
	receipts  []Receipt
	sent      map[string]*sentMessage // by id: needed for retries, votes and quotes
	retries   map[string]int          // by id: how often the phone asked for a message again
	retried   int                     // how often clients asked this phone for a message again
	deaf      int                     // how many more messages the phone claims it cannot read
	silent    bool                    // sends no delivered receipts
	private   bool                    // nobody is told the number
	uninvited bool                    // lets nobody add them to groups
	timer     int                     // seconds after which messages disappear in new chats
	timerAt   time.Time               // when that was set; zero: never
	typing    []Typing
	calls     []CallAction
}

func (s *Server) newPerson(phone, hidden, name string) *person {
	p := &person{
		srv: s, number: types.NewJID(phone, types.DefaultUserServer), name: name, party: newParty(),
		sent: make(map[string]*sentMessage), retries: make(map[string]int),
	}
	s.people[p.number] = p
	if hidden != "" {
		p.hidden = types.NewJID(hidden, types.HiddenUserServer)
		s.people[p.hidden] = p
	}
	return p
}

// Number returns the person's JID by phone number.
func (p *person) Number() types.JID { return p.number }

// HiddenID returns the person's LID, or the empty JID.
func (p *person) HiddenID() types.JID { return p.hidden }

// linked returns the account's devices, in order. Contacts have none.
func (p *person) linked() []*Device {
	if p.account == nil {
		return nil
	}
	out := make([]*Device, 0, len(p.account.devices))
	for _, d := range p.account.devices {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b *Device) int { return cmp.Compare(a.number.Device, b.number.Device) })
	return out
}

// is reports whether a JID is this person's.
func (p *person) is(j types.JID) bool {
	j = user(j)
	return j == p.number || (!p.hidden.IsEmpty() && j == p.hidden)
}

// as returns the person's JID on the given server, or the number if there is none.
func (p *person) as(server string) types.JID {
	if server == types.HiddenUserServer && !p.hidden.IsEmpty() {
		return p.hidden
	}
	return p.number
}

// Received is a message that a simulated phone received and could read.
type Received struct {
	ID      string
	From    types.JID // the device that sent it, as the sender addresses itself
	To      types.JID // as the sender addressed it: number, hidden id or group
	Chat    types.JID // the other side's number, or the group
	Type    string    // the stanza's type: text, media, poll, reaction
	Edit    string    // the stanza's edit attribute
	Raw     *waE2E.Message
	Message *waE2E.Message // without the wrappers around the content
	Time    time.Time
	Token   string // the kind of token that it came with: TrustedContact, ContactSalt, or none
	Copies  int    // how often it came
	Retries int    // how often the phone had asked for it again
}

// Text returns the text or caption.
func (r Received) Text() string {
	m := r.Message
	return cmp.Or(m.GetConversation(), m.GetExtendedTextMessage().GetText(), m.GetImageMessage().GetCaption(),
		m.GetVideoMessage().GetCaption(), m.GetDocumentMessage().GetCaption())
}

// Inbox returns everything received so far, in order.
func (p *person) Inbox() []Received {
	p.srv.mu.Lock()
	defer p.srv.mu.Unlock()
	out := make([]Received, len(p.inbox))
	for i, r := range p.inbox {
		out[i] = *r
	}
	return out
}

// Await returns the first message that matches, already received or future.
func (p *person) Await(ctx context.Context, match func(Received) bool) (Received, error) {
	var found Received
	err := p.srv.wait(ctx, "a message to "+p.number.User, func() bool {
		for _, r := range p.inbox {
			if match(*r) {
				found = *r
				return true
			}
		}
		return false
	})
	return found, err
}

// AwaitText returns the first message with that text or caption.
func (p *person) AwaitText(ctx context.Context, text string) (Received, error) {
	return p.Await(ctx, func(r Received) bool { return r.Text() == text })
}

// AwaitID returns the message with that id.
func (p *person) AwaitID(ctx context.Context, id string) (Received, error) {
	return p.Await(ctx, func(r Received) bool { return r.ID == id })
}

// received finds a message by id and chat; mu is held.
func (p *person) received(id string) *Received {
	for _, r := range p.inbox {
		if r.ID == id {
			return r
		}
	}
	return nil
}
