package pusher_test

import (
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting/apps"
)

const authTimeout = "Connection not authorized within timeout."

// In an app with UserAuthentication a socket has 30 seconds to prove a user: by signing
// in, or in a channel that needs a signature.
func TestUserAuthenticationInTime(t *testing.T) {
	inBubble(t, func(t *testing.T, h *harness, connect func() *raw) {
		began := time.Now()
		idle, public, failed := connect(), connect(), connect()
		time.Sleep(10 * time.Second)
		late, signed, private, presence, left := connect(), connect(), connect(), connect(), connect()
		time.Sleep(19 * time.Second)
		public.subscribe("news", "", "")
		public.expect(succeeded("news"))
		failed.signInWith(docKey+":0", `{"id":"A"}`)
		failed.expect(errorSays(4009, "Auth value for sign-in is invalid"))
		failed.subscribe("private-x", docKey+":0", "")
		failed.read()
		failed.read()
		for _, r := range []*raw{idle, public, failed} {
			r.expect(errorSays(4009, authTimeout))
			r.expectClose(4009)
			if d := time.Since(began); d != 30*time.Second {
				t.Errorf("closed after %s", d)
			}
		}
		left.unsubscribe("news")
		_ = left.ws.Close()
		signed.signIn(`{"id":"A"}`)
		signed.expect(signedIn(`{"id":"A"}`))
		private.enter("private-x")
		private.unsubscribe("private-x") // it has already proved a user
		presence.subscribe("presence-x", presence.auth("presence-x", `{"user_id":1}`), `{"user_id":1}`)
		presence.read()
		late.expect(errorSays(4009, authTimeout))
		late.expectClose(4009)
		if d := time.Since(began); d != 40*time.Second {
			t.Errorf("the late one is closed after %s", d)
		}
		time.Sleep(time.Minute)
		for _, r := range []*raw{signed, private, presence} {
			r.silence()
		}
		// After the last of them has gone, the timer starts anew.
		began = time.Now()
		again := connect()
		again.expect(errorSays(4009, authTimeout))
		again.expectClose(4009)
		if d := time.Since(began); d != 30*time.Second {
			t.Errorf("closed after %s", d)
		}
	}, withApp(func(a *apps.App) { a.UserAuthentication = true }))
}

// Sockets prove a user and leave while others come: each gets its full time, and no
// timer stays.
func TestUserAuthenticationInTurn(t *testing.T) {
	inBubble(t, func(t *testing.T, h *harness, connect func() *raw) {
		for range 3 {
			a := connect()
			time.Sleep(30*time.Second - 1)
			a.signIn(`{"id":"A"}`)
			a.expect(signedIn(`{"id":"A"}`))
			synctest.Wait()
			time.Sleep(time.Second)
			a.silence()
			began, b := time.Now(), connect()
			_ = a.ws.Close()
			b.expect(errorSays(4009, authTimeout))
			if d := time.Since(began); d != 30*time.Second {
				t.Errorf("closed after %s", d)
			}
		}
	}, withApp(func(a *apps.App) { a.UserAuthentication = true }))
}

// An app without UserAuthentication does not require it.
func TestNoUserAuthentication(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *harness, connect func() *raw) {
		a := connect()
		time.Sleep(time.Minute)
		a.silence()
	})
}

// A silent socket is pinged both by the protocol and by WebSocket, and closed with 4201
// when it does not answer, whether or not it has subscribed to a channel.
func TestSilence(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *harness, connect func() *raw) {
		began := time.Now()
		mute, answers, pongs := connect(), connect(), connect()
		for _, r := range []*raw{mute, answers, pongs} {
			r.ws.SetPingHandler(func(string) error { return nil }) // else gorilla answers by itself
		}
		pongs.ws.SetPingHandler(func(data string) error {
			return pongs.ws.WriteControl(10, []byte(data), time.Now().Add(time.Second))
		})
		pongs.subscribe("news", "", "")
		pongs.expect(succeeded("news"))
		for _, r := range []*raw{mute, answers, pongs} {
			r.expect(pingText)
		}
		if d := time.Since(began); d < 119*time.Second || d > 122*time.Second {
			t.Errorf("pinged after %s", d)
		}
		answers.send(`{"event":"pusher:pong","data":{}}`)
		mute.expect(errorSays(4201, "No pong was received in time"))
		mute.expectClose(4201)
		if d := time.Since(began); d < 149*time.Second || d > 153*time.Second {
			t.Errorf("closed after %s", d)
		}
		answers.silence()
		pongs.silence()
	})
}

// Ten client events in a second pass, the eleventh does not, and a tenth of a second
// later one more does.
func TestClientEventRate(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *harness, connect func() *raw) {
		a, b := connect(), connect()
		a.enter("private-c")
		b.enter("private-c")
		const event = `{"event":"client-x","channel":"private-c","data":{}}`
		limit := errorSays(4301, "Client event rejected due to rate limit")
		for range 10 {
			a.send(event)
			b.expect(event)
		}
		a.send(event)
		a.expect(limit)
		time.Sleep(100 * time.Millisecond)
		a.send(event)
		b.expect(event)
		a.send(event)
		a.expect(limit)
		time.Sleep(time.Second)
		for range 10 {
			a.send(event)
			b.expect(event)
		}
		a.silence()
		b.silence()
	})
}

// The last event of a cache channel is kept for half an hour.
func TestCacheTTL(t *testing.T) {
	inBubble(t, func(t *testing.T, h *harness, connect func() *raw) {
		publishHere(t, h, "cache-a", "1")
		a := connect()
		for range 30 {
			time.Sleep(time.Minute - 1)
			a.silence()
		}
		a.subscribe("cache-a", "", "")
		a.expect(succeeded("cache-a"), `{"event":"e","channel":"cache-a","data":"1"}`)
		time.Sleep(30 * time.Nanosecond)
		b := connect()
		b.subscribe("cache-a", "", "")
		b.expect(succeeded("cache-a"), missed("cache-a"))
	})
}
