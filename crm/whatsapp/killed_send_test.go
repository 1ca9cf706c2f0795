package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
	"chatcast/models"
)

// mortal is the rules of a process that is killed at one of its commits: right before it,
// or right after it. From then on nothing of the process reaches the database.
type mortal struct {
	Rules
	call  string
	after bool
	died  chan struct{}

	mu   sync.Mutex
	dead bool // guarded by mu
}

var errKilled = errors.New("the process was killed")

func (m *mortal) die() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.dead {
		m.dead = true
		close(m.died)
	}
	return errKilled
}

func (m *mortal) commit(call string, do func() error) error {
	m.mu.Lock()
	dead := m.dead
	m.mu.Unlock()
	switch {
	case dead:
		return errKilled
	case call == m.call && !m.after:
		return m.die()
	}
	err := do()
	if call == m.call {
		return m.die()
	}
	return err
}

func (m *mortal) Ingest(ctx context.Context, on crm.Line, in crm.InboundBatch) (r crm.InboundResult, err error) {
	err = m.commit("Ingest", func() (err error) { r, err = m.Rules.Ingest(ctx, on, in); return err })
	return r, err
}

func (m *mortal) OutboxStart(ctx context.Context, on crm.Line, id int64) (item *crm.OutboxItem, err error) {
	err = m.commit("OutboxStart", func() (err error) { item, err = m.Rules.OutboxStart(ctx, on, id); return err })
	return item, err
}

func (m *mortal) OutboxDone(ctx context.Context, item crm.OutboxItem, o crm.Outcome) error {
	return m.commit("OutboxDone", func() error { return m.Rules.OutboxDone(ctx, item, o) })
}

func (m *mortal) OutboxPark(ctx context.Context, item crm.OutboxItem, until time.Time, why crm.SendError) error {
	return m.commit("OutboxPark", func() error { return m.Rules.OutboxPark(ctx, item, until, why) })
}

func (m *mortal) OutboxHold(ctx context.Context, on crm.Line, until time.Time, inTurn bool, why crm.SendError) error {
	return m.commit("OutboxHold", func() error { return m.Rules.OutboxHold(ctx, on, until, inTurn, why) })
}

func (m *mortal) SetLineState(ctx context.Context, on crm.Line, st crm.LineState) error {
	return m.commit("SetLineState", func() error { return m.Rules.SetLineState(ctx, on, st) })
}

func (m *mortal) SetLineSeen(ctx context.Context, on crm.Line, seen crm.LineSeen) error {
	return m.commit("SetLineSeen", func() error { return m.Rules.SetLineSeen(ctx, on, seen) })
}

func (m *mortal) ExpireOutbox(ctx context.Context) (n int, err error) {
	err = m.commit("ExpireOutbox", func() (err error) { n, err = m.Rules.ExpireOutbox(ctx); return err })
	return n, err
}

func (m *mortal) Release(ctx context.Context, on crm.Line, owner string) error {
	return m.commit("Release", func() error { return m.Rules.Release(ctx, on, owner) })
}

func (m *mortal) LeaveLines(ctx context.Context, name string) error {
	return m.commit("LeaveLines", func() error { return m.Rules.LeaveLines(ctx, name) })
}

// sendKill is one way to be killed while a message waits or is sent.
type sendKill struct {
	by    string // what lets the message wait: lock, rating, refusal, retry
	call  string
	after bool
}

func (k sendKill) waiting() bool {
	return k.call == "OutboxHold" || k.call == "OutboxPark" || k.by == "retry"
}

// TestKilledWhileItWaits kills the process at each commit on the way of a message that has to
// wait, ends what it waits for while the process is away, and checks that the message and
// the one behind it arrive once, in their order, and that this is told.
func TestKilledWhileItWaits(t *testing.T) {
	var all []sendKill
	for _, after := range []bool{false, true} {
		for _, call := range []string{"OutboxHold", "OutboxStart", "Ingest", "OutboxDone"} {
			all = append(all, sendKill{"lock", call, after})
		}
		all = append(all, sendKill{"rating", "OutboxHold", after}, sendKill{"refusal", "OutboxPark", after}, sendKill{"retry", "OutboxDone", after})
	}
	alone := func(o *Options) { o.Alone = true }
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		for i, k := range all {
			h.killed(t, k, h.wa.NewContact(fmt.Sprint(79990000000+i), fmt.Sprint(200300400+i), "Bob"), alone, func(o *Options) { o.Guard = k.by == "rating" })
		}
	}, alone)
}

func (h *harness) killed(t *testing.T, k sendKill, bob *whatsapptest.Contact, opts ...func(*Options)) {
	t.Helper()
	what := fmt.Sprintf("%+v", k)
	restart := func(rules Rules) {
		t.Helper()
		h.stop()
		h.m, h.stop = h.node(t, rules, opts...)
		h.Service.Messengers[Type] = h.m
	}
	die := func() {
		t.Helper()
		rules := &mortal{Rules: h.Service, call: k.call, after: k.after, died: make(chan struct{})}
		restart(rules)
		select {
		case <-rules.died:
		case <-testwait.Context(t).Done():
			t.Fatalf("%s: it is not killed", what)
		}
		h.stop()
	}
	var ids []string
	want := []string{"one", "two"}
	write := func(texts ...string) {
		t.Helper()
		for _, text := range texts {
			sent, err := h.Send(t.Context(), h.Operator, crm.ChatAddress{Line: testLine, ChatID: bob.Number().User + "@c.us"}, crm.Outgoing{
				Type: crm.MessageText, Content: crm.Content{Text: text},
			})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, sent.ID.String())
		}
	}
	if k.by == "refusal" || k.by == "retry" { // to somebody whom the line has written to
		want = slices.Insert(want, 0, "zero")
		write("zero")
		h.awaitItem(t, crm.EventMessageStatus, ids[0], `"type":"delivered"`)
	}
	h.stop()
	h.letWait(t, k)
	write("one", "two")
	if k.waiting() {
		die()
	}
	if k.by != "retry" {
		restart(h.Service)
		eventually(t, what+": they do not wait", func() bool {
			items, err := h.Outbox(t.Context(), testLine, someday, 0, 10)
			return err == nil && len(items) == 2 && items[0].NotBefore.After(time.Now())
		})
		h.stop()
	}
	h.letGo(t, k)
	if !k.waiting() {
		die()
	}
	restart(h.Service)
	for _, id := range ids {
		h.awaitItem(t, crm.EventMessageStatus, id, `"type":"delivered"`)
	}
	var got []string
	for _, r := range bob.Inbox() {
		got = append(got, r.Text())
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q arrived", what, got)
	}
	if items, err := h.Outbox(t.Context(), testLine, someday, 0, 10); err != nil || len(items) > 0 {
		t.Errorf("%s: %d items are left, %v", what, len(items), err)
	}
}

// letWait brings about what lets a message wait.
func (h *harness) letWait(t *testing.T, k sendKill) {
	t.Helper()
	refusals := 2
	if k.after {
		refusals = 1
	}
	switch k.by {
	case "refusal":
		h.shop.FailSends(463, refusals)
		fallthrough
	case "lock":
		until := time.Now().Add(time.Hour).Unix()
		if err := h.SetLineRestriction(t.Context(), testLine, &until); err != nil {
			t.Fatal(err)
		}
	case "rating":
		h.Tx(t, func(tx *models.Tx) error {
			return tx.CountLineDay(models.LineDay{LicenseID: testLine.LicenseID, MessengerType: Type, Day: models.Day(time.Now().Unix()), RefusedNoLink: 10})
		})
	case "retry":
		h.shop.FailSends(503, 1)
	}
}

// letGo ends what a message waits for: the lock before its time, while the time of the
// rating comes.
func (h *harness) letGo(t *testing.T, k sendKill) {
	t.Helper()
	if k.by != "rating" {
		if err := h.SetLineRestriction(t.Context(), testLine, nil); err != nil {
			t.Fatal(err)
		}
		return
	}
	h.Tx(t, func(tx *models.Tx) error {
		now := time.Now().Unix()
		rows, err := tx.Outbox(testLine.LicenseID, Type, 1)
		if err != nil || len(rows) == 0 {
			return errors.Join(errors.New("nothing waits"), err)
		}
		return errors.Join(tx.ForgetLineHistory(testLine.LicenseID, Type), tx.HoldChat(rows[0].ChatID, 0, models.Hold{Until: now - 1, Deadline: now + 3600}))
	})
}
