package pusher_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestWatchlist(t *testing.T) {
	h := newHarness(t)
	news := func(name, ids string) string {
		return `{"event":"pusher_internal:watchlist_events","data":{"events":[{"name":"` + name + `","user_ids":[` + ids + `]}]}}`
	}
	in := func(data string) *raw {
		r := h.connect(t)
		r.signIn(data)
		r.expect(signedIn(data))
		return r
	}
	b := in(`{"id":"B"}`)
	in(`{"id":7}`)
	w := in(`{"id":"W","watchlist":["A","B",7,"B","C"]}`)
	w.expect(news("online", `"B","7"`))
	a := in(`{"id":"A"}`)
	w.expect(news("online", `"A"`))
	a2 := in(`{"id":"A"}`)
	_ = a.ws.Close() // one of two sockets, gone without a close frame
	a2.silence()
	w.silence()
	h.terminate("3", "A")
	w.expect(news("offline", `"A"`))
	_ = b.ws.Close()
	w.expect(news("offline", `"B"`))
}

// A presence channel accepts a signed-in user without channel_data.
func TestPresenceOfSignedIn(t *testing.T) {
	h := newHarness(t)
	a, b := h.connect(t), h.connect(t)
	const channel = "presence-r"
	a.subscribe(channel, a.auth(channel, ""), "")
	const why = "channel_data is missing: a presence channel needs it, unless the connection is signed in"
	a.expect(errorSays(4314, why), subscriptionErrorSays(channel, "ChannelError", why, 400))
	a.signIn(`{"id":1,"user_info":{"name":"NA"}}`)
	a.expect(signedIn(`{"id":1,"user_info":{"name":"NA"}}`))
	a.subscribe(channel, "", "") // a signature is still needed
	bad := "Auth value for subscription to presence-r is invalid"
	a.expect(errorSays(4009, bad), subscriptionErrorSays(channel, "AuthError", bad, 401))
	a.subscribe(channel, a.auth(channel, ""), "")
	a.expect(`{"event":"pusher_internal:subscription_succeeded","channel":"presence-r","data":` + quoted(`{"presence":{"ids":["1"],"hash":{"1":{"name":"NA"}},"count":1}}`) + `}`)

	// channel_data takes precedence if there is any.
	b.signIn(`{"id":"B"}`)
	b.expect(signedIn(`{"id":"B"}`))
	const data = `{"user_id":"B2"}`
	b.subscribe(channel, b.auth(channel, data), data)
	b.expect(`{"event":"pusher_internal:subscription_succeeded","channel":"presence-r","data":` + quoted(`{"presence":{"ids":["1","B2"],"hash":{"1":{"name":"NA"},"B2":null},"count":2}}`) + `}`)
	a.expect(`{"event":"pusher_internal:member_added","channel":"presence-r","data":` + quoted(data) + `}`)
	b.send(`{"event":"client-x","channel":"presence-r","data":{}}`)
	a.expect(`{"event":"client-x","channel":"presence-r","data":{},"user_id":"B2"}`)

	for n := 1023; n <= 1025; n++ {
		c := h.connect(t)
		data := `{"id":"C","user_info":"` + strings.Repeat("i", n-3) + `"}`
		c.signIn(data)
		c.expect(signedIn(data))
		c.subscribe(channel, c.auth(channel, ""), "")
		if n > 1024 {
			const why = "user_data: id and user_info have 1025 bytes, at most 1024 are allowed in a presence channel"
			c.expect(errorSays(4314, why), subscriptionErrorSays(channel, "ChannelError", why, 400))
			continue
		}
		if got := c.read(); !strings.Contains(got, "subscription_succeeded") {
			t.Errorf("%d bytes: %s", n, got)
		}
	}
}

// All sockets signed in as the user are closed for good, with the reason; no others
// are.
func TestTerminate(t *testing.T) {
	h := newHarness(t)
	a, a2, b, plain := h.connect(t), h.connect(t), h.connect(t), h.connect(t)
	for r, id := range map[*raw]string{a: "A", a2: "A", b: "B"} {
		r.signIn(`{"id":"` + id + `"}`)
		r.expect(signedIn(`{"id":"` + id + `"}`))
	}
	if n := h.terminate("3", "A"); n != 2 {
		t.Errorf("%d sockets", n)
	}
	for _, r := range []*raw{a, a2} {
		r.expect(errorSays(4009, "The application has ended the connections of this user"))
		r.expectClose(4009)
	}
	b.silence()
	plain.silence()
}

// A user of the CRM signs in with a token; when the user may no longer be here, every
// socket that requested a signature is closed, signed in or not.
func TestUserAuthEndToEnd(t *testing.T) {
	h := newHarness(t)
	a, early, b := h.connect(t), h.connect(t), h.connect(t)
	for _, r := range []*raw{a, early} {
		req, err := http.NewRequest("POST", h.url+"/broadcasting/user-auth", strings.NewReader("socket_id="+r.id))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", formType)
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			Auth     string `json:"auth"`
			UserData string `json:"user_data"`
		}
		err = json.NewDecoder(res.Body).Decode(&answer)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != 200 || answer.UserData != userData {
			t.Fatalf("%s %+v %v", res.Status, answer, err)
		}
		if r == a {
			r.signInWith(answer.Auth, answer.UserData)
			r.expect(signedIn(userData))
		}
		b.signInWith(answer.Auth, answer.UserData) // with another socket's signature
		b.expect(errorSays(4009, "Auth value for sign-in is invalid"))
	}
	h.disconnect("685")
	for _, r := range []*raw{a, early} {
		r.expect(errorSays(4009, "The user is no longer allowed to be here"))
		r.expectClose(4009)
	}
	b.silence()
}
