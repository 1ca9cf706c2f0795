package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/crm/whatsapp/whatsapptest"
	"chatcast/models/testdb"
)

// brisk is a lease that a slow machine can renew.
const brisk = 4 * time.Second

func briskly(o *Options) {
	o.times = patient
	o.times.lease = brisk
}

// fleet are lines of one company, each with an account, on a database of their own.
type fleet struct {
	*harness
	url   string
	lines []crm.Line
	shops []*whatsapptest.Account
}

// newFleet pairs n lines with the process of the harness.
func newFleet(t *testing.T, n int, opts ...func(*Options)) *fleet {
	t.Helper()
	t.Parallel()
	f := &fleet{url: testdb.PostgresURL(t)}
	if len(opts) == 0 {
		opts = append(opts, briskly)
	}
	harnessIn(t, testdb.Open(t, f.url), func(t *testing.T, h *harness) { f.harness = h }, opts...)
	f.shops = append(f.shops, f.shop)
	for i := range n {
		on, shop := testLine, f.shop
		if i > 0 {
			on, shop = f.newLine(t)
		}
		f.lines = append(f.lines, on)
		f.pairLine(t, on, shop)
	}
	return f
}

// newLine returns another line of the company, and an account that it can be paired with.
func (f *fleet) newLine(t *testing.T) (crm.Line, *whatsapptest.Account) {
	t.Helper()
	i := len(f.shops)
	made, err := f.CreateLicense(t.Context(), f.Owner, crmtest.CompanyID, fmt.Sprint("Line ", i))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.AddMessenger(t.Context(), f.Owner, made.LicenseID, Type, ""); err != nil {
		t.Fatal(err)
	}
	shop := f.wa.NewAccount(fmt.Sprintf("7999000%04d", i), fmt.Sprintf("10020%04d", i), "Shop")
	f.shops = append(f.shops, shop)
	return crm.Line{LicenseID: made.LicenseID, Messenger: Type}, shop
}

func (h *harness) pairLine(t *testing.T, on crm.Line, shop *whatsapptest.Account) {
	t.Helper()
	var p crm.Pairing
	eventually(t, "there is no code", func() (ok bool) {
		var err error
		p, err = h.Pair(testwait.Context(t), h.Owner, on, nil)
		return err == nil
	})
	if _, err := shop.ScanQR(testwait.Context(t), *p.QR); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the line is not connected", func() bool {
		st, err := h.LineStatus(t.Context(), h.Owner, on)
		return err == nil && st.Connected
	})
}

// has returns how many lines each of the processes serves.
func has(all ...*Messenger) (n []int) {
	for _, m := range all {
		n = append(n, len(m.served()))
	}
	return n
}

// spread waits until the processes serve so many lines each, all of them connected.
func (f *fleet) spread(t *testing.T, want []int, all ...*Messenger) {
	t.Helper()
	eventually(t, fmt.Sprintf("the lines are not spread as %v", want), func() bool {
		return fmt.Sprint(has(all...)) == fmt.Sprint(want) && f.online(t)
	})
}

func (f *fleet) online(t *testing.T) bool {
	t.Helper()
	rows, err := f.Sessions(t.Context(), Type)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if row.State != crm.StateConnected {
			return false
		}
	}
	return true
}

// notReplaced checks that no account had two sessions at once: WhatsApp ends the first then.
func (f *fleet) notReplaced(t *testing.T) {
	t.Helper()
	for _, shop := range f.shops {
		if n := shop.Replaced(); n > 0 {
			t.Errorf("an account had two sessions at once %d times", n)
		}
	}
}

// severed are the rules of a process whose database is away while cut is set.
type severed struct {
	*crm.Service
	mu  sync.Mutex
	cut bool // guarded by mu
}

var errSevered = errors.New("the database is away")

func (r *severed) sever(cut bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = cut
}

func (r *severed) away() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cut {
		return errSevered
	}
	return nil
}

func (r *severed) BeatLines(ctx context.Context, name, typ string, leaving bool) ([]crm.LineNode, bool, error) {
	if err := r.away(); err != nil {
		return nil, false, err
	}
	return r.Service.BeatLines(ctx, name, typ, leaving)
}

func (r *severed) Ingest(ctx context.Context, on crm.Line, in crm.InboundBatch) (crm.InboundResult, error) {
	if err := r.away(); err != nil {
		return crm.InboundResult{}, err
	}
	return r.Service.Ingest(ctx, on, in)
}

func (r *severed) TakeLineCalls(ctx context.Context, node string, limit int) ([]crm.LineCall, error) {
	if err := r.away(); err != nil {
		return nil, err
	}
	return r.Service.TakeLineCalls(ctx, node, limit)
}

func (r *severed) AnswerLineCall(ctx context.Context, c crm.LineCall) error {
	return r.unlessAway(func() error { return r.Service.AnswerLineCall(ctx, c) })
}

func (r *severed) LeaveLines(ctx context.Context, name string) error {
	return r.unlessAway(func() error { return r.Service.LeaveLines(ctx, name) })
}

func (r *severed) Release(ctx context.Context, on crm.Line, owner string) error {
	return r.unlessAway(func() error { return r.Service.Release(ctx, on, owner) })
}

func (r *severed) Sessions(ctx context.Context, typ string) ([]crm.LineSession, error) {
	if err := r.away(); err != nil {
		return nil, err
	}
	return r.Service.Sessions(ctx, typ)
}

func (r *severed) unlessAway(f func() error) error {
	if err := r.away(); err != nil {
		return err
	}
	return f()
}

// TestLinesAreSpread checks that a process that joins gets its share of the lines and leaves
// it to the others when it is stopped, and that no line ever has two sessions.
func TestLinesAreSpread(t *testing.T) {
	f := newFleet(t, 5)
	second, stopSecond := f.node(t, f.Service, briskly)
	f.spread(t, []int{3, 2}, f.m, second)
	third, stopThird := f.node(t, f.Service, briskly)
	eventually(t, "the third process has no line", func() bool { return len(third.served()) == 1 })
	f.spread(t, []int{2, 2, 1}, f.m, second, third)
	began := time.Now()
	f.stop()
	eventually(t, "the lines are not taken over", func() bool { n := has(second, third); return n[0]+n[1] == 5 })
	if took := time.Since(began); took > brisk {
		t.Errorf("the lines of a process that stopped were taken over after %v", took)
	}
	stopSecond()
	f.spread(t, []int{5}, third)
	stopThird()
	f.notReplaced(t)
	rows, err := f.Sessions(t.Context(), Type)
	if err != nil || len(rows) != 5 {
		t.Fatal(rows, err)
	}
	for _, row := range rows {
		if row.LeaseOwner != "" || row.Leased {
			t.Errorf("nobody serves %+v", row)
		}
	}
}

// written is how many messages come while no process can take them in.
const written = 10

// TestLinesOfTheDead checks that a process whose database is away stops its lines before
// another one takes them, that this happens within seconds, that what was queued
// meanwhile arrives once and in order, and that what people write meanwhile comes in once.
func TestLinesOfTheDead(t *testing.T) {
	f := newFleet(t, 1)
	f.stop()
	rules := &severed{Service: f.Service}
	first, _ := f.node(t, rules, briskly)
	f.spread(t, []int{1}, first)
	second, _ := f.node(t, f.Service, briskly)
	eventually(t, "the second process does not see the first", func() bool { return len(second.nodes.others(second.owner)) == 1 })
	f.anna.SendText(f.shop, "hello")
	f.awaitItem(t, crm.EventMessage, "hello")
	var want []string
	say := func(text string) {
		f.send(t, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: text}})
		want = append(want, text)
	}
	f.Service.Messengers[Type] = first
	say("before")
	rules.sever(true)
	say("after")
	for i := range written { // some reach the process that cannot take them in, and come again
		f.anna.SendText(f.shop, fmt.Sprint("inbound ", i))
	}
	eventually(t, "the line is served without a lease", func() bool { return len(first.served()) == 0 || len(second.served()) == 1 })
	if n := len(second.served()); n != 0 {
		t.Errorf("the line was taken over while it was served")
	}
	f.Service.Messengers[Type] = second
	say("moved")
	f.spread(t, []int{0, 1}, first, second)
	rules.sever(false)
	f.anna.SendText(f.shop, "still there?")
	f.awaitItem(t, crm.EventMessage, "still there?")
	for i := range written {
		text, n := fmt.Sprint("inbound ", i), 0
		f.awaitItem(t, crm.EventMessage, `"`+text+`"`)
		for _, told := range f.texts(t) {
			if told == text {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%q came %d times", text, n)
		}
	}
	eventually(t, "they are not sent", func() bool { return len(f.anna.Inbox()) >= len(want) })
	for i, r := range f.anna.Inbox() {
		if i >= len(want) || r.Text() != want[i] {
			t.Errorf("message %d is %q", i, r.Text())
		}
	}
	f.notReplaced(t)
}

// TestClockOfTheDatabaseIsSet checks that lines stay with a process that lives, whatever the
// clock of the database says.
func TestClockOfTheDatabaseIsSet(t *testing.T) {
	f := newFleet(t, 2)
	second, _ := f.node(t, f.Service, briskly)
	f.spread(t, []int{1, 1}, f.m, second)
	db, _, err := f.Store.SideDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "UPDATE messenger_sessions SET lease_until_ms = 1"); err != nil { // as if the clock had been put on
		t.Fatal(err)
	}
	for _, on := range f.lines {
		if mine, err := f.Lease(t.Context(), on, "another", time.Minute); err != nil || mine {
			t.Errorf("a line that is served was leased: %v, %v", mine, err)
		}
	}
	f.spread(t, []int{1, 1}, f.m, second)
	f.notReplaced(t)
}

// TestStalledDatabase checks that a database that does not answer for a while makes no line
// connect again, and that after one that did not answer for long every line is where it was.
func TestStalledDatabase(t *testing.T) {
	for name, c := range map[string]struct {
		lease, stall time.Duration
		again        bool
	}{"short": {24 * time.Second, 8 * time.Second, false}, "long": {brisk, 2 * brisk, true}} {
		t.Run(name, func(t *testing.T) {
			opt := func(o *Options) {
				o.times = patient
				o.times.lease = c.lease
			}
			f := newFleet(t, 1, opt)
			other := f.beside(t, opt)
			on, shop := f.newLine(t)
			other.pairLine(t, on, shop)
			second := other.m
			f.spread(t, []int{1, 1}, f.m, second)
			where := f.owners(t)
			before := map[*session]bool{}
			for _, s := range append(f.m.served(), second.served()...) {
				before[s] = true
			}
			held, also := testdb.HoldTable(t, f.url, "line_nodes"), testdb.HoldTable(t, f.url, "messenger_sessions")
			began := time.Now()
			eventually(t, "the database does not stall", func() bool { return held.Waiting() >= 2 && time.Since(began) > c.stall })
			if c.again { // they stop in time
				eventually(t, "lines are served without a lease", func() bool { return len(f.m.served())+len(second.served()) == 0 })
			}
			also.Release()
			held.Release()
			f.spread(t, []int{1, 1}, f.m, second)
			if now := f.owners(t); !maps.Equal(where, now) {
				t.Errorf("the lines moved from %v to %v", where, now)
			}
			for _, s := range append(f.m.served(), second.served()...) {
				if before[s] == c.again {
					t.Errorf("line %d was connected again: %v", s.on.LicenseID, !before[s])
				}
			}
			f.notReplaced(t)
		})
	}
}

// owners returns which process leases each line.
func (f *fleet) owners(t *testing.T) map[int64]string {
	t.Helper()
	rows, err := f.Sessions(t.Context(), Type)
	if err != nil {
		t.Fatal(err)
	}
	owners := map[int64]string{}
	for _, row := range rows {
		owners[row.Line.LicenseID] = row.LeaseOwner
	}
	return owners
}

// TestDeadProcessesAreSeen checks that only the time counts in which the database answered.
func TestDeadProcessesAreSeen(t *testing.T) {
	const lease = 8 * time.Second
	n := nodes{unit: 2 * time.Second}
	at, beat := time.Unix(1000, 0), int64(1)
	look := func(after time.Duration) bool {
		at = at.Add(after)
		return len(n.saw([]crm.LineNode{{Name: "a", Beat: 9}, {Name: "b", Beat: beat}}, "a", lease, at)) > 0
	}
	for i, after := range []time.Duration{time.Hour, time.Second, time.Minute, time.Hour, 2 * time.Second} { // 0, 1, 2, 2, 2
		if look(after) {
			t.Fatalf("look %d: it is dead after a stall", i)
		}
	}
	if look(999 * time.Millisecond) {
		t.Error("it is dead before a lease is over")
	}
	if !look(time.Millisecond) {
		t.Error("it lives after a lease")
	}
	if beat++; look(time.Second) {
		t.Error("it is dead after a beat")
	}
}
