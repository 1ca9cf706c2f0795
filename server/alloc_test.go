package server

import (
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels/testwait"
)

type mute struct{}

func (mute) Message([]byte)               {}
func (mute) Idle()                        {}
func (mute) Info() Info                   { return Info{} }
func (mute) Closed(Reason)                {}
func (mute) Disconnect(Reason) Disconnect { return Disconnect{} }

// arrivals counts down the bytes that are to arrive.
type arrivals struct {
	left     atomic.Int64
	all      chan struct{} // receives a value when none is left
	deadline <-chan time.Time
}

// expect must be called before the bytes are queued.
func (a *arrivals) expect(bytes int) { a.left.Add(int64(bytes)) }

func (a *arrivals) came(bytes int) {
	if bytes > 0 && a.left.Add(-int64(bytes)) == 0 {
		a.all <- struct{}{}
	}
}

func (a *arrivals) await(t testing.TB) {
	select {
	case <-a.all:
	case <-a.deadline:
		t.Fatal("what was queued does not arrive")
	}
}

// receivers returns n connected sessions whose peers count the bytes that arrive.
func receivers(t testing.TB, n int, o Options) (sessions []*Session, arrived *arrivals) {
	s := New(o)
	quit := make(chan struct{})
	var wg sync.WaitGroup
	for _, w := range s.writers {
		wg.Go(func() { w.run(quit) })
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	arrived = &arrivals{all: make(chan struct{}, 1), deadline: time.After(testwait.Long)}
	for range n {
		client, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		nc, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		s.live.Add(1)
		session := s.newSession(nc, "", plainRules)
		session.h = mute{}
		session.begin()
		sessions = append(sessions, session)
		s.live.Done()
		wg.Go(func() {
			buf := make([]byte, 4096)
			for {
				n, err := client.Read(buf)
				arrived.came(n)
				if err != nil {
					if err != io.EOF {
						t.Error(err)
					}
					_ = client.Close()
					return
				}
			}
		})
	}
	t.Cleanup(func() {
		for _, session := range sessions {
			session.shut()
		}
		close(quit)
		wg.Wait()
		_ = l.Close()
	})
	return sessions, arrived
}

// written counts what is measured.
type written struct{ n atomic.Int64 }

func (w *written) count(mark *broadcasting.Mark) {
	if seconds := mark.Since(); seconds < 3600 || seconds > 3600+testwait.Long.Seconds() {
		panic("a time that was not asked for")
	}
	w.n.Add(1)
}

// TestDeliveryAllocatesNothing follows a frame to the peer: nothing on the way
// allocates, whether the frame is written alone or joined with others, and measured or
// not. A socket that is asked measures once for what it writes together.
func TestDeliveryAllocatesNothing(t *testing.T) {
	const sockets, frames = 100, 5
	measured := &written{}
	sessions, arrived := receivers(t, sockets, Options{Written: measured.count})
	frame := Frame(append(make([]byte, HeaderRoom), strings.Repeat("x", 300)...))
	anHourAgo := &broadcasting.Mark{Committed: time.Now().Add(-time.Hour).UnixMicro()}
	deliver := func() {
		arrived.expect(sockets * frames * len(frame))
		for range frames {
			for i, s := range sessions {
				if i%2 == 0 {
					s.QueueMarked(frame, anHourAgo)
				} else {
					s.Queue(frame)
				}
			}
		}
		arrived.await(t)
	}
	deliver()
	perDelivery := testing.AllocsPerRun(50, deliver) / (sockets * frames)
	if perDelivery > 0.01 { // the collector may drop a slice of frames now and then, and a new one is made
		t.Errorf("%.3f allocations for a delivery", perDelivery)
	}
	// What was written last may not be measured yet.
	if n, least := measured.n.Load(), int64(51*sockets/2); n < least || n > 52*sockets/2*frames {
		t.Errorf("%d writes were measured, want at least %d", n, least)
	}
}

func BenchmarkDelivery(b *testing.B) {
	sessions, arrived := receivers(b, 100, Options{})
	frame := Frame(append(make([]byte, HeaderRoom), strings.Repeat("x", 300)...))
	b.ReportAllocs()
	for b.Loop() {
		arrived.expect(len(sessions) * len(frame))
		for _, s := range sessions {
			s.Queue(frame)
		}
		arrived.await(b)
	}
}
