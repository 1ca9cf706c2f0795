package server

import (
	"io"
	"net"
	"runtime"
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

// receivers are n connected sessions whose peers count the bytes that arrive.
func receivers(t testing.TB, n int) (sessions []*Session, arrived *atomic.Int64) {
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
	arrived = new(atomic.Int64)
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
				arrived.Add(int64(n))
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
		want := arrived.Load() + int64(sockets*frames*len(frame))
		for range frames {
			for _, s := range sessions {
				s.Queue(frame)
			}
		}
		for end := time.Now().Add(testwait.Long); arrived.Load() < want; runtime.Gosched() {
			if time.Now().After(end) {
				t.Fatal("what was queued does not arrive")
			}
		}
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
		want := arrived.Load() + int64(len(sessions)*len(frame))
		for _, s := range sessions {
			s.Queue(frame)
		}
		for arrived.Load() < want {
			runtime.Gosched()
		}
	}
}
