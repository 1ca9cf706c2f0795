package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/redis/rueidis"

	"chatcast/broadcasting/cluster"
)

// link is a client of Redis with a connection that hears. Each one is new: a client may be
// left with a server that is no longer the master.
type link struct {
	// static
	t        *transport
	client   rueidis.Client
	hearing  rueidis.DedicatedClient
	messages chan rueidis.PubSubMessage
	closed   chan struct{}
	closing  sync.Once
	watcher  sync.WaitGroup

	lost chan error // holds one: why it no longer hears

	// owned by Receive
	seen map[stream]uint64

	mu    sync.Mutex
	ended bool       // guarded by mu
	conns []net.Conn // guarded by mu
}

// stream is what one node sends to one channel.
type stream struct {
	from  string
	topic string
}

// buffered is how many payloads wait for Receive. Behind them, those in Redis wait.
const buffered = 1024

var errClosed = errors.New("redis: the connection is closed")

// Listen implements cluster.Transport.
func (t *transport) Listen(ctx context.Context) (cluster.Link, error) {
	l := &link{
		t: t, messages: make(chan rueidis.PubSubMessage, buffered), closed: make(chan struct{}), lost: make(chan error, 1),
		seen: map[stream]uint64{},
	}
	o := t.address.options
	o.DialCtxFn = dialing(&o, l.note)
	// NewClient takes no context. It ends soon after its connections do.
	give := context.AfterFunc(ctx, l.end)
	defer give()
	var err error
	if l.client, err = rueidis.NewClient(o); err != nil {
		l.Close()
		return nil, shown(err)
	}
	hearing, _ := l.client.Dedicate() // released by Close
	l.hearing = hearing
	ended := hearing.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: l.take})
	l.watcher.Go(func() {
		err := <-ended
		if err == nil {
			err = errClosed
		}
		l.lost <- err
	})
	if err := hearing.Do(ctx, hearing.B().Subscribe().Channel(t.names.topics()...).Build()).Error(); err != nil {
		l.Close()
		return nil, shown(err)
	}
	t.current.Store(l)
	return l, nil
}

// note notes a connection, so that Close need not wait for a server that hangs.
func (l *link) note(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		_ = c.Close()
		return
	}
	l.conns = append(l.conns, c)
}

// end ends all connections.
func (l *link) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}

// Close implements cluster.Link.
func (l *link) Close() {
	l.closing.Do(func() {
		close(l.closed)
		l.end()
		if l.hearing != nil {
			l.hearing.Close()
		}
		l.watcher.Wait()
		if l.client != nil {
			l.client.Close()
		}
	})
}

// take takes what is heard. It waits when Receive does not follow.
func (l *link) take(m rueidis.PubSubMessage) {
	select {
	case l.messages <- m:
	case <-l.closed:
	}
}

// Receive implements cluster.Link.
func (l *link) Receive(ctx context.Context) ([]cluster.Heard, error) {
	for {
		select {
		case m := <-l.messages:
			if list := l.open(ctx, m); len(list) > 0 {
				return list, nil
			}
		case err := <-l.lost:
			return nil, shown(err)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// open decodes a payload and checks that none before it was lost.
func (l *link) open(ctx context.Context, m rueidis.PubSubMessage) (list []cluster.Heard) {
	h, body, err := cutHead(m.Message)
	if err != nil {
		l.t.log.DebugContext(ctx, "the bus brought what is not a message", "error", err)
		return nil
	}
	_, event := l.t.names.of[m.Channel]
	of := stream{h.from, m.Channel}
	last, known := l.seen[of]
	if known && h.n <= last {
		return nil // it was held up, and what followed it is already here
	}
	l.seen[of] = h.n
	if known && h.n > last+1 {
		l.t.lost.Add(h.n - last - 1)
		l.t.log.WarnContext(ctx, "the bus has lost messages of a node", "node", h.from, "messages", h.n-last-1)
		if !event {
			list = append(list, cluster.Heard{From: h.from, Message: cluster.Message{Kind: cluster.KindGap}})
		}
	}
	if event {
		events, err := cutEvents(body, l.t.wanted)
		if err != nil {
			l.t.log.DebugContext(ctx, "the bus brought what is not an event", "error", err)
		}
		for _, e := range events {
			list = append(list, cluster.Heard{From: h.from, Message: cluster.Message{Kind: cluster.KindEvent, Event: e, Version: uint64(h.number)}})
		}
		return list
	}
	messages, err := cutMessages(h, body)
	if err != nil {
		l.t.log.DebugContext(ctx, "the bus brought what is not a message", "error", err)
	}
	for _, m := range messages {
		switch m.Kind {
		case cluster.KindHello:
			l.forget(h.from, true)
		case cluster.KindBye:
			l.forget(h.from, false)
		case cluster.KindDead:
			l.forget(m.Node, false)
		}
		list = append(list, cluster.Heard{From: h.from, Message: m})
	}
	return list
}

// forget forgets what was seen of a node: of its earlier names, or of this one.
func (l *link) forget(node string, earlier bool) {
	base, _, _ := strings.Cut(node, ".")
	for of := range l.seen {
		if earlier && of.from != node && strings.HasPrefix(of.from, base+".") || !earlier && of.from == node {
			delete(l.seen, of)
		}
	}
}

// interests are the channels that have subscribers on this node.
type interests struct {
	mu   sync.RWMutex
	have map[string]struct{} // by field; guarded by mu
}

// Interest implements cluster.Transport.
func (t *transport) Interest(app, channel string, interested bool) {
	t.interests.mu.Lock()
	defer t.interests.mu.Unlock()
	if interested {
		t.interests.have[field(app, channel)] = struct{}{}
	} else {
		delete(t.interests.have, field(app, channel))
	}
}

func (t *transport) wanted(app, channel string) bool {
	t.interests.mu.RLock()
	defer t.interests.mu.RUnlock()
	_, ok := t.interests.have[field(app, channel)]
	return ok
}

// shown makes an error of the library one of this package.
func shown(err error) error { return fmt.Errorf("redis: %w", err) }
