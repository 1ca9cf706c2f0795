package server

import (
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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
func receivers(t testing.TB, n int) (sessions []*Session, arrived *arrivals) {
	s := New(Options{})
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
		session := s.newSession(nc, "")
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

// TestDeliveryAllocatesNothing follows a frame to the peer: nothing on the way
// allocates, whether the frame is written alone or joined with others.
func TestDeliveryAllocatesNothing(t *testing.T) {
	const sockets, frames = 100, 5
	sessions, arrived := receivers(t, sockets)
	frame := Frame(append(make([]byte, HeaderRoom), strings.Repeat("x", 300)...))
	deliver := func() {
		arrived.expect(sockets * frames * len(frame))
		for range frames {
			for _, s := range sessions {
				s.Queue(frame)
			}
		}
		arrived.await(t)
	}
	deliver()
	perDelivery := testing.AllocsPerRun(50, deliver) / (sockets * frames)
	if perDelivery > 0.01 { // the collector may drop a slice of frames now and then, and a new one is made
		t.Errorf("%.3f allocations for a delivery", perDelivery)
	}
}

func BenchmarkDelivery(b *testing.B) {
	sessions, arrived := receivers(b, 100)
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
