package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/channels/testwait"
	"chatcast/server"
)

// setup is what a test may change of a host.
type setup struct {
	sockets server.Options
	io      Options
	upper   func(*conn) upper // nil: that of Socket.IO
	listen  string            // address; empty: any
	journal *book             // nil: one of its own
}

// host is a running server of Socket.IO, with rooms and a journal of its own.
type host struct {
	t       testing.TB
	io      *Server
	sockets *server.Server
	engine  *broadcasting.Engine
	rooms   *lobby
	journal *book
	web     *httptest.Server
	stop    func() // ends all sockets
}

func run(t testing.TB, change ...func(*setup)) *host {
	t.Helper()
	h := &host{t: t, rooms: newLobby(), journal: &book{}, engine: broadcasting.NewEngine(broadcasting.Options{})}
	s := setup{io: Options{
		Rooms: h.rooms, Engine: h.engine, App: "1", Origins: apps.Origins{}, Log: slog.New(slog.DiscardHandler),
		History: h.journal, Secret: []byte("secret of the tests"), PacketsPerSecond: 1000, PacketBurst: 1000,
	}}
	for _, f := range change {
		f(&s)
	}
	if s.journal != nil {
		h.journal, s.io.History = s.journal, s.journal
	}
	h.sockets = server.New(s.sockets)
	s.io.Sockets = h.sockets
	h.io = New(s.io)
	if s.upper != nil {
		h.io.upper = s.upper
	}
	h.engine.SetHistory(h.journal, slog.New(slog.DiscardHandler))
	router, err := server.NewRouter(server.RouterOptions{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	h.io.Register(router)
	h.io.register(router, "/engine.io/")
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	engine, cancelEngine := context.WithCancel(context.Background())
	var engineRuns sync.WaitGroup
	engineRuns.Go(func() { _ = h.engine.Run(engine) })
	running.Go(func() { _ = h.sockets.Run(ctx) })
	h.web = httptest.NewUnstartedServer(router)
	if s.listen != "" {
		_ = h.web.Listener.Close()
		h.web.Listener = listener(t, s.listen)
	}
	h.web.Start()
	h.stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	t.Cleanup(func() {
		h.stop()
		h.web.Close()
		cancelEngine()
		engineRuns.Wait()
		if st := h.io.Stats(); st.Connections != 0 || st.Namespaces != 0 || len(h.io.conns) != 0 || len(h.io.users) != 0 {
			t.Errorf("in the end there are %+v, %d conns and %d users", st, len(h.io.conns), len(h.io.users))
		}
		if st := h.engine.Stats(); st.Sockets != 0 || st.Channels != 0 {
			t.Errorf("in the end the engine has %+v", st)
		}
	})
	return h
}

// until waits for a condition.
func until(t testing.TB, what string, met func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(testwait.Long); !met(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("%s: it does not come", what)
		}
	}
}

// line is the channel of an instance.
func line(instance string) string { return "private-" + instance }

// say adds an event of an instance to the journal, and publishes it.
func (h *host) say(instance, data string) { h.publish(h.journal.write(line(instance), data)) }

func (h *host) publish(ev broadcasting.Event) {
	h.t.Helper()
	if err := h.engine.Publish(context.Background(), ev); err != nil {
		h.t.Fatal(err)
	}
}

// sayLive publishes an event that is in no journal.
func (h *host) sayLive(instance, data string) {
	h.publish(broadcasting.Event{App: "1", Channel: line(instance), Name: "live", Data: data})
}

// lobby is Rooms with the keys and instances of a test. Key "good" is user 7's and may
// enter everything, "shop" is user 8's and may enter shop alone.
type lobby struct {
	mu sync.Mutex
	// guarded by mu
	keys      map[string]int64
	instances map[string]bool
	trouble   error                           // of all calls; nil: none
	confirm   func(ctx context.Context) error // nil: nothing is asked
	waits     func(ctx context.Context) error // nil: Enter answers at once
	on        func(context.Context, *Socket, Call) Args
	joined    func(*Socket)
	requests  []Request
	encoder   Encoder
	live      []string // channels of events that are in no journal, of every instance
}

func newLobby() *lobby {
	return &lobby{
		keys: map[string]int64{"good": 7, "shop": 8}, instances: map[string]bool{"shop": true, "My Shop": true, "other": true},
		encoder: plainEncoder{},
	}
}

// change changes the lobby while clients come.
func (l *lobby) change(f func(l *lobby)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(l)
}

// CheckKey implements Rooms.
func (l *lobby) CheckKey(_ context.Context, key string) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.trouble != nil {
		return 0, l.trouble
	}
	if l.keys[key] == 0 {
		return 0, ErrInvalidKey
	}
	return l.keys[key], nil
}

// Enter implements Rooms.
func (l *lobby) Enter(ctx context.Context, r Request) (*Entry, error) {
	l.mu.Lock()
	waits := l.waits
	l.mu.Unlock()
	if waits != nil {
		if err := waits(ctx); err != nil {
			return nil, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests = append(l.requests, r)
	name := strings.TrimPrefix(r.Namespace, "/")
	user := l.keys[r.Key]
	switch {
	case l.trouble != nil:
		return nil, l.trouble
	case r.Key == "":
		return nil, ErrNoKey
	case user == 0:
		return nil, &Refusal{Message: ErrInvalidKey.Message, Data: map[string]int{"code": 401}}
	case name == "":
		return &Entry{UserID: user, Joined: l.joined, On: l.on}, nil
	case !l.instances[name], user == 8 && name != "shop":
		return nil, ErrInvalidNamespace
	}
	return &Entry{
		UserID: user, Channel: line(strings.ReplaceAll(name, " ", "_")), Live: l.live, Encoder: l.encoder, Confirm: l.confirm, Joined: l.joined, On: l.on,
	}, nil
}

// plainEncoder makes an emit of each event: data of the form 3*x becomes three.
type plainEncoder struct{}

func (plainEncoder) Emits(ev broadcasting.Event) (emits []Emit) {
	n, data, several := strings.Cut(ev.Data, "*")
	count, err := strconv.Atoi(n)
	if !several || err != nil {
		count, data = 1, ev.Data
	}
	if data == "panic" {
		panic("this event cannot be encoded")
	}
	for i := range count {
		text, _ := json.Marshal(data)
		name := ev.Name
		if i > 0 {
			name += strconv.Itoa(i)
		}
		emits = append(emits, Emit{name, text})
	}
	return emits
}

// book is a journal in memory, and its History.
type book struct {
	mu sync.Mutex
	// guarded by mu
	entries []broadcasting.Entry // numbers from 1, without gaps
	pruned  int                  // of the first entries
	trouble error
}

var _ History = (*book)(nil)

func (b *book) write(channel, data string) broadcasting.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	seq := int64(len(b.entries) + 1)
	b.entries = append(b.entries, broadcasting.Entry{Seq: seq, Name: "e", Channels: []string{channel}, Data: data})
	return broadcasting.Event{App: "1", Channel: channel, Name: "e", Data: data, Seq: seq}
}

func (b *book) change(f func(b *book)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(b)
}

// Position implements History.
func (b *book) Position(context.Context) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return int64(len(b.entries)), b.trouble
}

// View implements broadcasting.History.
func (b *book) View(_ context.Context, reader, _ string) (string, error) {
	if reader != "7" && reader != "8" {
		return "", errors.New("no reader " + reader)
	}
	return "all", nil
}

// Since implements broadcasting.History.
func (b *book) Since(_ context.Context, channel, _ string, seq int64, limit int) (m broadcasting.Missed, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m.Through, m.Oldest = int64(len(b.entries)), int64(b.pruned+1)
	if m.Lost = seq > m.Through || seq > 0 && seq < int64(b.pruned); m.Lost || b.trouble != nil {
		return m, b.trouble
	}
	for _, e := range b.entries[max(int(seq), b.pruned):] {
		if e.Channels[0] == channel && len(m.Entries) < limit {
			m.Entries = append(m.Entries, e)
		}
	}
	m.More = len(m.Entries) == limit
	return m, nil
}
