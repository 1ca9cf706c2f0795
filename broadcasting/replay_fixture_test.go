package broadcasting_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels/testwait"
)

// crmLine is a channel with a journal.
const crmLine = "private-line"

// book is a journal in memory, and its History.
type book struct {
	mu      sync.Mutex
	entries []broadcasting.Entry // numbers from 1, without gaps
	pruned  int                  // of the first entries
	bad     int                  // the number of an entry that cannot be read; 0: none
	reads   int
	views   int
	slow    func(ctx context.Context) error // called in each read, after it; nil: nothing
	viewed  func()                          // called after each view is made, which ends there; nil: views do not end
}

var _ broadcasting.History = (*book)(nil)

// write adds an entry, and returns the event to publish.
func (b *book) write(channel string) broadcasting.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	seq := int64(len(b.entries) + 1)
	e := broadcasting.Entry{Seq: seq, Name: "e", Channels: []string{channel}, Data: strconv.FormatInt(seq, 10)}
	b.entries = append(b.entries, e)
	return broadcasting.Event{App: "1", Channel: channel, Name: e.Name, Data: e.Data, Seq: seq}
}

// fill writes n entries that nobody publishes.
func (b *book) fill(channel string, n int) {
	for range n {
		b.write(channel)
	}
}

func (b *book) prune(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pruned = n
}

func (b *book) onRead(f func(ctx context.Context) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slow = f
}

// View implements broadcasting.History. B may not read.
func (b *book) View(_ context.Context, reader, _ string) (string, error) {
	b.mu.Lock()
	b.views++
	viewed, end := b.viewed, len(b.entries)
	b.mu.Unlock()
	if reader == "B" {
		return "", broadcasting.ErrRevoked
	}
	if viewed == nil {
		return "all", nil
	}
	viewed()
	return fmt.Sprint("all up to ", end), nil
}

// Since implements broadcasting.History.
func (b *book) Since(ctx context.Context, channel, view string, seq int64, limit int) (broadcasting.Missed, error) {
	m, slow := b.since(channel, seq, limit)
	if slow != nil {
		if err := slow(ctx); err != nil {
			return broadcasting.Missed{}, err
		}
	}
	if upTo, ends := strings.CutPrefix(view, "all up to "); ends {
		end, err := strconv.ParseInt(upTo, 10, 64)
		m.Through = end
		m.Entries = slices.DeleteFunc(m.Entries, func(e broadcasting.Entry) bool { return e.Seq > end })
		return m, err
	}
	if view != "all" {
		return broadcasting.Missed{}, errors.New("no view " + view)
	}
	return m, nil
}

func (b *book) since(channel string, seq int64, limit int) (m broadcasting.Missed, slow func(context.Context) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reads++
	m.Through, m.Oldest = int64(len(b.entries)), int64(b.pruned+1)
	if m.Lost = seq > m.Through || seq > 0 && seq < int64(b.pruned); m.Lost {
		return m, b.slow
	}
	for _, e := range b.entries[max(int(seq), b.pruned):] {
		if int(e.Seq) == b.bad {
			if m.More = true; len(m.Entries) == 0 {
				m.Lost, m.Oldest, m.Through = true, e.Seq+1, e.Seq
			}
			return m, b.slow
		}
		if e.Channels[0] == channel && len(m.Entries) < limit {
			m.Entries = append(m.Entries, e)
		}
	}
	m.More = len(m.Entries) == limit
	return m, b.slow
}

// resuming returns an engine that runs until the test ends, and its journal.
func resuming(t testing.TB) (*broadcasting.Engine, *book) {
	t.Helper()
	e, b := broadcasting.NewEngine(broadcasting.Options{}), &book{}
	running(t, e, b)
	return e, b
}

var discard = slog.New(slog.DiscardHandler)

// running runs the engine until the test ends.
func running(t testing.TB, e *broadcasting.Engine, h broadcasting.History) {
	t.Helper()
	e.SetHistory(h, discard)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// resume subscribes A's socket after an event.
func resume(t testing.TB, e *broadcasting.Engine, m *mailbox, channel string, after int64) {
	t.Helper()
	resumeAs(t, e, "A", m, channel, after)
}

// resumeAs subscribes a user's socket after an event.
func resumeAs(t testing.TB, e *broadcasting.Engine, user string, m *mailbox, channel string, after int64) {
	t.Helper()
	w := want(t, channel)
	w.After = after
	resumeWith(t, e, user, m, w)
}

func resumeWith(t testing.TB, e *broadcasting.Engine, user string, m *mailbox, w broadcasting.SubscribeRequest) {
	t.Helper()
	channel := w.Name.Full
	if !grant(t, e, "1", m.id, channel, user) {
		t.Fatalf("no socket %s", m.id)
	}
	w.NeedsGrant, w.Resume = true, true
	if err := m.Subscribe(context.Background(), w); err != nil {
		t.Fatalf("subscribe to %s: %v", channel, err)
	}
}

// await waits until the mailbox has n frames.
func (m *mailbox) await(t testing.TB, n int) {
	t.Helper()
	testwait.Count(t, "frames", n, func() int {
		m.mu.Lock()
		defer m.mu.Unlock()
		return len(m.got)
	})
}

// numbered returns the frames of the line's events from a number to another.
func numbered(from, to int) (frames []string) {
	for i := from; i <= to; i++ {
		frames = append(frames, fmt.Sprintf("%s e %d", crmLine, i))
	}
	return frames
}

// position returns the frame that ends a replay of the line.
func position(seq int) string { return fmt.Sprintf("position %s %d", crmLine, seq) }

// checkOrder checks that the frames are the confirmation and all events after a number, up
// to the last, once and in order, with a position where the replay ended.
func checkOrder(t testing.TB, who string, frames []string, after, last int) {
	t.Helper()
	if len(frames) == 0 || frames[0] != "in "+crmLine {
		t.Errorf("%s: begins with %.1q", who, frames)
		return
	}
	next, positions := after+1, 0
	for _, f := range frames[1:] {
		if f == position(next-1) {
			positions++
			continue
		}
		if want := fmt.Sprintf("%s e %d", crmLine, next); f != want {
			t.Errorf("%s: got %q after %d, want %q", who, f, after, want)
			return
		}
		next++
	}
	if next != last+1 || positions != 1 {
		t.Errorf("%s: the last is %d, want %d, and %d positions", who, next-1, last, positions)
	}
}

// paced is a socket whose client reads only when the test says so. It has room for a few
// frames.
type paced struct {
	*mailbox
	room    int
	asked   chan struct{} // after each part of a replay
	waiting []func()      // guarded by mailbox.mu
	unread  int           // guarded by mailbox.mu
}

var _ broadcasting.PacedQueue = (*paced)(nil)

func connectPaced(t testing.TB, e *broadcasting.Engine, id string, room int) *paced {
	t.Helper()
	p := &paced{mailbox: &mailbox{id: id}, room: room, asked: make(chan struct{}, 1)}
	c, err := e.Connect(broadcasting.Peer{
		App: "1", ID: id, Dialect: words(""), Out: p, Disconnect: func(broadcasting.DisconnectCause) {},
		Replayed: func() {
			p.Ask()
			select {
			case p.asked <- struct{}{}:
			default:
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Conn = c
	return p
}

func (p *paced) Room(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unread == 0 {
		return true
	}
	p.waiting = append(p.waiting, f)
	return false
}

func (p *paced) QueueIfRoom(frame []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unread >= p.room {
		return false
	}
	p.unread++
	p.got = append(p.got, string(frame))
	return true
}

// read makes room again, and returns whether a replay waited for it.
func (p *paced) read() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	waiting := p.waiting
	p.waiting, p.unread = nil, 0
	for _, f := range waiting {
		f()
	}
	return len(waiting) > 0
}

// within fails the test when f does not return soon.
func within(t testing.TB, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(testwait.Long):
		t.Fatal(what + " waits")
	}
}
