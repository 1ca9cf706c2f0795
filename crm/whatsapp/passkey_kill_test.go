package whatsapp

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// killing is where a process is killed: at the nth change that matches.
type killing struct {
	at   func(state *crm.LineState, shown *crm.Pairing) bool
	nth  int
	late bool // just after the change's commit
}

// killed is the rules of a process that is killed at a step: from then on it changes
// nothing, and does not even give its lease back.
type killed struct {
	*crm.Service
	killing
	reached chan struct{} // receives a value at the step
	mu      sync.Mutex
	dead    bool // guarded by mu
}

// now reports whether this change is the one at which the process is killed, and whether it
// is dead by now.
func (k *killed) now(state *crm.LineState, shown *crm.Pairing) (here, dead bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.dead && k.at(state, shown) {
		k.nth--
		here, k.dead = k.nth <= 0, k.nth <= 0
	}
	return here, k.dead
}

// change commits a change of a process that lives.
func (k *killed) change(ctx context.Context, state *crm.LineState, shown *crm.Pairing, commit func() error) error {
	here, dead := k.now(state, shown)
	if !dead {
		return commit()
	}
	if here && k.late {
		if err := commit(); err != nil {
			return err
		}
	}
	if here {
		notify(k.reached)
	}
	<-ctx.Done()
	return ctx.Err()
}

func (k *killed) SetLineState(ctx context.Context, on crm.Line, st crm.LineState) error {
	return k.change(ctx, &st, nil, func() error { return k.Service.SetLineState(ctx, on, st) })
}

func (k *killed) PublishQR(ctx context.Context, on crm.Line, p crm.Pairing) error {
	return k.change(ctx, nil, &p, func() error { return k.Service.PublishQR(ctx, on, p) })
}

func (k *killed) Release(ctx context.Context, on crm.Line, owner string) error {
	if k.isDead() {
		return nil
	}
	return k.Service.Release(ctx, on, owner)
}

func (k *killed) LeaveLines(ctx context.Context, name string) error {
	if k.isDead() {
		return nil
	}
	return k.Service.LeaveLines(ctx, name)
}

func (k *killed) isDead() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.dead
}

// TestKilledAtThePasskey kills the process at each step of a pairing by passkey. The next
// process tells how the line stands, no device is linked that the line does not have, and
// the line can be paired again.
func TestKilledAtThePasskey(t *testing.T) {
	given := func(st *crm.LineState, _ *crm.Pairing) bool {
		return st != nil && st.Detail == detailPasskeyGiven && st.Device == nil
	}
	accepted := func(st *crm.LineState, _ *crm.Pairing) bool {
		return st != nil && st.Device != nil && *st.Device != "" && st.State == crm.StatePasskey
	}
	options := func(_ *crm.LineState, p *crm.Pairing) bool {
		return p != nil && p.Passkey != nil && p.Passkey.Options != nil
	}
	code := func(_ *crm.LineState, p *crm.Pairing) bool {
		return p != nil && p.Passkey != nil && p.Passkey.Code != nil
	}
	connecting := func(st *crm.LineState, _ *crm.Pairing) bool { return st != nil && st.State == crm.StateConnecting }
	for name, c := range map[string]struct {
		killing
		detail string
		linked bool
	}{
		"options shown":          {killing{options, 1, true}, detailInterrupted, false},
		"assertion not sent yet": {killing{given, 1, false}, detailInterrupted, false},
		"assertion accepted":     {killing{given, 2, false}, detailInterrupted, false},
		"code shown":             {killing{code, 1, true}, detailInterrupted, false},
		"confirmation sent":      {killing{accepted, 1, false}, detailInterrupted, false},
		"device saved":           {killing{accepted, 1, true}, detailNotStored, false},
		"paired":                 {killing{connecting, 1, false}, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testdb.Each(t, func(t *testing.T, store *models.Store) {
				t.Parallel()
				harnessIn(t, store, func(t *testing.T, h *harness) {
					h.stop()
					k := &killed{Service: h.Service, killing: c.killing, reached: make(chan struct{}, 1)}
					m, die := h.node(t, k)
					h.Service.Messengers[Type] = m
					how := whatsapptest.PasskeyOptions{}
					if name == "code shown" {
						how.Ignored = 1
					}
					l := h.scanned(t, h.shop, testLine, how)
					h.untilKilled(t, m, k, l, how.Ignored > 0)
					if !c.linked {
						h.wa.DropUnpaired()
						die()
					}
					if err := <-l.done; (err == nil) != c.linked {
						t.Errorf("for the phone it ended with %v", err)
					}
					die()
					h.livesOn(t, c.linked, c.detail)
				})
			})
		})
	}
}

// untilKilled goes on with the pairing until its process is killed.
func (h *harness) untilKilled(t *testing.T, m *Messenger, k *killed, l *linking, code bool) {
	t.Helper()
	o := h.passkeyShown(t)
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		signed := l.key.Sign(whatsapptest.Signing{Challenge: o.Challenge})
		if code { // the proof that spares people the comparison is used up by the first answer
			_, _, at := m.passkeyOf(testLine)
			if at != nil {
				_ = m.serving(testLine).client().SendPasskeyResponse(testwait.Context(t), webAuthn(decoded(signed)))
			}
		}
		_ = h.answer(t, signed) // the process may be dead
	}()
	select {
	case <-k.reached:
	case <-testwait.Context(t).Done():
		t.Fatal("the step is not reached")
	}
	t.Cleanup(func() { <-answered })
}

// livesOn starts the next process, and checks what it makes of the line.
func (h *harness) livesOn(t *testing.T, linked bool, detail string) {
	t.Helper()
	m, _ := h.node(t, h.Service, func(o *Options) { o.Alone = true })
	h.Service.Messengers[Type] = m
	if linked {
		h.awaitState(t, crm.StateConnected)
		if n := h.shop.Devices(); n != 1 {
			t.Errorf("%d devices are linked", n)
		}
		return
	}
	h.afterEvents(t, "the line does not say what became of it", func() bool {
		row, err := h.SessionOf(context.Background(), testLine)
		return err == nil && row != nil && row.State == crm.StateDisconnected && row.Device == "" && strings.Contains(row.Detail, detail)
	})
	if n := h.shop.Devices(); n != 0 {
		t.Errorf("%d devices are linked", n)
	}
	eventually(t, "it is served still", func() bool { return m.serving(testLine) == nil })
	again, o := h.scan(t, whatsapptest.PasskeyOptions{})
	if err := h.sign(t, again, whatsapptest.Signing{Challenge: o.Challenge}); err != nil {
		t.Fatal(err)
	}
	if err := <-again.done; err != nil {
		t.Fatal(err)
	}
	h.awaitState(t, crm.StateConnected)
	if n := h.shop.Devices(); n != 1 {
		t.Errorf("%d devices are linked in the end", n)
	}
}

// decoded returns an assertion in its parts; without them when it is not valid.
func decoded(signed []byte) crm.Assertion {
	var in crm.PasskeyAssertion
	if json.Unmarshal(signed, &in) != nil {
		return crm.Assertion{}
	}
	a, _ := in.Decode()
	return a
}
