package whatsapptest

import (
	"context"
	"slices"
	"time"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/proto/waLidMigrationSyncPayload"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// Account is a number that real clients are linked to, together with the phone that
// links them. The phone is simulated: it holds the account's identity key and app
// state, receives what every client of the account writes, and can write itself.
type Account struct {
	*person
	business   string
	devices    map[uint16]*Device
	lastDevice uint16
	nacks      []Nack
	privacy    map[string]string
	blocked    map[types.JID]bool
	present    []Presence
	watched    map[types.JID]bool
	appState   *appState
	tokens     map[types.JID][][]byte   // by number: given to the account by contacts
	void       [][]byte                 // of them, those that are not taken any more
	issued     map[types.JID]time.Time  // by number: when the account's clients gave one
	salt       []byte                   // of cstokens; nil: the clients do not know it
	guarded    bool                     // messages to people need a token
	locked     time.Time                // until then, messages to strangers are refused
	history    []*waE2E.ProtocolMessage // sent to every client when it is linked
	archive    []*archived              // the phone's database: every message of the account
	stingy     bool                     // the phone does not answer requests for a message
	faults     faults
	replaced   int // logins that ended an earlier session
	follows    []*Channel
	passkey    *Passkey                // asked for when a client is linked; nil: none
	statusFor  types.StatusPrivacyType // who sees its status posts; empty: contacts
	statusList []types.JID             // whom that names
}

// NewAccount creates an account and its phone. hidden may be empty.
func (s *Server) NewAccount(phone, hidden, pushName string) *Account {
	defer s.lock()()
	a := newAccount(s.newPerson(phone, hidden, pushName))
	a.setPushName(pushName)
	return a
}

func newAccount(p *person) *Account {
	a := &Account{
		person: p, devices: make(map[uint16]*Device),
		privacy: make(map[string]string), blocked: make(map[types.JID]bool), watched: make(map[types.JID]bool),
		tokens: make(map[types.JID][][]byte), issued: make(map[types.JID]time.Time),
	}
	a.account = a
	a.appState = newAppState(a)
	return a
}

// SetBusinessName makes this a business account. Clients linked from now on receive
// the name.
func (a *Account) SetBusinessName(name string) {
	defer a.srv.lock()()
	a.business = name
}

// Replaced returns how often a login of a client has ended an earlier session of it, because
// there were two at once.
func (a *Account) Replaced() int {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	return a.replaced
}

// Devices returns how many clients are linked.
func (a *Account) Devices() int {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	return len(a.devices)
}

// Online reports whether a linked client is connected and ready.
func (a *Account) Online() bool {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	return slices.ContainsFunc(a.linked(), func(d *Device) bool { return d.active })
}

// Unsettled returns how many stanzas wait for linked clients. It is 0 once the
// clients have acknowledged everything.
func (a *Account) Unsettled() int {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	return a.unsettled()
}

// AwaitSettled waits until every linked client has acknowledged everything.
func (a *Account) AwaitSettled(ctx context.Context) error {
	return a.srv.wait(ctx, "the clients to settle everything", func() bool { return a.unsettled() == 0 })
}

func (a *Account) unsettled() (n int) {
	for _, d := range a.devices {
		n += len(d.queue)
	}
	return n
}

// SpendPreKeys takes prekeys from each linked client, as people do who ask for one and then
// do not write.
func (a *Account) SpendPreKeys(n int) {
	defer a.srv.lock()()
	for _, d := range a.linked() {
		for range n {
			d.bundle()
		}
	}
}

// AwaitPreKeys waits until every linked client has at least that many prekeys left
// on the server.
func (a *Account) AwaitPreKeys(ctx context.Context, least int) error {
	return a.srv.wait(ctx, "prekeys", func() bool {
		return !slices.ContainsFunc(a.linked(), func(d *Device) bool { return len(d.preKeys) < least })
	})
}

// Nacks returns the messages that clients refused with a code.
func (a *Account) Nacks() []Nack {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	return slices.Clone(a.nacks)
}

// Unlink removes every linked client, as the phone's owner would.
func (a *Account) Unlink() {
	defer a.srv.lock()()
	for _, d := range a.linked() {
		if d.conn != nil {
			d.conn.end(streamError("401", node{Tag: "conflict", Attrs: attrs{"type": "device_removed"}}))
			d.away()
		}
	}
	clear(a.devices)
}

// welcome sends a newly linked client what a phone sends first: the keys of the app
// state, then the history. mu is held.
func (a *Account) welcome(d *Device) {
	a.sendPeer(d, a.appState.keyShare())
	for _, h := range a.history {
		a.sendPeer(d, h)
	}
}

// sendPeer sends a message from the phone to a client of its own account.
func (a *Account) sendPeer(d *Device, content *waE2E.ProtocolMessage) {
	m := &sentMessage{id: newID(), time: a.srv.opts.Now(), message: &waE2E.Message{ProtocolMessage: content}, peer: true}
	a.sent[m.id] = m
	a.sendTo(d, m, 0)
}

// MigrateToHiddenIDs moves the account's chats from numbers to hidden ids, as
// WhatsApp does. The account's clients learn the hidden ids of the known contacts
// and write to hidden ids from then on.
func (a *Account) MigrateToHiddenIDs(known ...*Contact) {
	defer a.srv.lock()()
	at := uint64(a.srv.opts.Now().Unix())
	list := &waLidMigrationSyncPayload.LIDMigrationMappingSyncPayload{ChatDbMigrationTimestamp: &at}
	for _, c := range known {
		if c.hidden.IsEmpty() {
			continue
		}
		list.PnToLidMappings = append(list.PnToLidMappings, &waLidMigrationSyncPayload.LIDMigrationMapping{
			Pn: proto.Uint64(c.number.UserInt()), AssignedLid: proto.Uint64(c.hidden.UserInt()),
		})
	}
	payload, err := proto.Marshal(list)
	if err != nil {
		a.srv.note("%v", err)
		return
	}
	for _, d := range a.linked() {
		a.sendPeer(d, &waE2E.ProtocolMessage{
			Type:                           waE2E.ProtocolMessage_LID_MIGRATION_MAPPING_SYNC.Enum(),
			LidMigrationMappingSyncMessage: &waE2E.LIDMigrationMappingSyncMessage{EncodedMappingPayload: payload},
		})
	}
}
