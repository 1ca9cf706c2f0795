package pusher_test

import (
	"strconv"
	"sync"
	"testing"
	"time"
)

// TestBeyondTheBurst: a client that subscribes to 2,000 channels in a loop gets them
// all. What it sends beyond the burst is read at the rate of one socket.
func TestBeyondTheBurst(t *testing.T) {
	const channels = 2000
	inBubble(t, func(t *testing.T, _ *harness, connect func() *raw) {
		a, b := connect(), connect()
		began := time.Now()
		var sending sync.WaitGroup
		sending.Go(func() {
			for i := range channels {
				a.subscribe("news-"+strconv.Itoa(i), "", "")
			}
			a.send(`{"event":"pusher:ping"}`)
		})
		for i := range channels {
			a.expect(succeeded("news-" + strconv.Itoa(i)))
		}
		a.expect(pongText) // it has waited behind the others
		sending.Wait()
		if d := time.Since(began).Round(time.Second); d != 5*time.Second {
			t.Errorf("1,000 messages too many took %s, at 200 in a second", d)
		}
		b.silence() // nobody else waits
		time.Sleep(time.Minute)
		began = time.Now()
		a.silence()
		if d := time.Since(began); d != 0 {
			t.Errorf("after a rest the next message took %s", d)
		}
	}, func(o *setup) { o.app.Limits.ChannelsPerSocket = channels })
}

// A client whose messages wait has a sign of life within the time that clients wait for
// a pong, and is not taken for dead.
func TestLongBacklog(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *harness, connect func() *raw) {
		a := connect()
		go func() {
			for range 200 {
				a.unsubscribe("none") // has no answer
			}
			a.subscribe("last", "", "")
		}()
		for came := time.Now(); ; came = time.Now() {
			got := a.read()
			if d := time.Since(came); d > 20*time.Second {
				t.Errorf("nothing came for %s", d)
			}
			if got == succeeded("last") {
				return
			}
			if got != pongText && got != pingText {
				t.Fatalf("there came %s", got)
			}
		}
	}, func(o *setup) { o.pusher.MessageBurst, o.pusher.MessagesPerSecond = 1, 1 })
}
