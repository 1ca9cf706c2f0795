package pusher_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"chatcast/server/pusher"
)

func quoted(s string) string { text, _ := json.Marshal(s); return string(text) }

// signIn sends pusher:signin with a good signature.
func (r *raw) signIn(userData string) {
	r.t.Helper()
	r.signInWith(docKey+":"+hmacHex(docSecret, r.id+"::user::"+userData), userData)
}

func (r *raw) signInWith(auth, userData string) {
	r.t.Helper()
	r.send(`{"event":"pusher:signin","data":{"auth":` + quoted(auth) + `,"user_data":` + quoted(userData) + `}}`)
}

func signedIn(userData string) string {
	return `{"event":"pusher:signin_success","data":{"user_data":` + quoted(userData) + `}}`
}

// As pusher-js does it: sign in, subscribe to one's own channel without a
// signature, and hear what is published to the user.
func TestSignIn(t *testing.T) {
	h := newHouse(t)
	a, a2, b := h.connect(t), h.connect(t), h.connect(t)
	const data, own = `{"id":"A|1","user_info":{"name":"NA"}}`, "#server-to-user-A|1"
	for _, r := range []*raw{a, a2} {
		r.signIn(data)
		r.expect(signedIn(data))
		r.subscribe(own, "", "")
		r.expect(succeeded(own))
	}
	b.signIn(`{"id":"B"}`)
	b.expect(signedIn(`{"id":"B"}`))
	for _, name := range []string{own, "#server-to-user-b", "#server-to-user-B2"} {
		b.subscribe(name, docKey+":"+hmacHex(docSecret, b.id+":"+name), "")
		why := "Only a connection that is signed in as the user may subscribe to " + name
		b.expect(errorSays(4009, why), subscriptionErrorSays(name, "AuthError", why, 401))
	}
	h.publish(t, `{"name":"hello","channels":["`+own+`"],"data":"{\"x\":1}"}`)
	for _, r := range []*raw{a, a2} {
		r.expect(`{"event":"hello","channel":"` + own + `","data":"{\"x\":1}"}`)
	}
	a.signIn(data) // again is no fault
	a.expect(signedIn(data))
	a.send(`{"event":"client-x","channel":"` + own + `","data":{}}`)
	a.expect(errorSays(4301, "Client event rejected: only private and presence channels have them"))
	a2.unsubscribe(own)
	h.publish(t, `{"name":"bye","channel":"`+own+`","data":"x"}`)
	a.expect(`{"event":"bye","channel":"` + own + `","data":"x"}`)
	a2.silence()
	b.silence()
}

// Whatever is wrong with a sign-in is said in band, with its reason, and changes
// nothing.
func TestSignInRefused(t *testing.T) {
	h := newHouse(t)
	a, other := h.connect(t), h.connect(t)
	const data = `{"id":"A"}`
	good := func(r *raw, data string) string { return docKey + ":" + hmacHex(docSecret, r.id+"::user::"+data) }
	for name, test := range map[string]struct{ auth, data string }{
		"no auth":             {"", data},
		"another socket's":    {good(other, data), data},
		"other data":          {good(a, data), `{"id":"B"}`},
		"another app's key":   {"small:" + strings.TrimPrefix(good(a, data), docKey+":"), data},
		"another app's":       {"small:" + hmacHex("s", a.id+"::user::"+data), data},
		"as the page has it":  {docKey + "::user::" + strings.TrimPrefix(good(a, data), docKey+":"), data},
		"of a channel":        {a.auth("private-x", data), data},
		"no key":              {strings.TrimPrefix(good(a, data), docKey+":"), data},
		"upper case":          {strings.ToUpper(good(a, data)), data},
		"cut":                 {good(a, data)[:len(good(a, data))-1], data},
		"unsigned bad data":   {docKey + ":0", `{`},
		"the secret's length": {docKey + ":" + strings.Repeat("0", 64), data},
	} {
		t.Run(name, func(t *testing.T) {
			a.t = t
			a.signInWith(test.auth, test.data)
			a.expect(errorSays(4009, "Auth value for sign-in is invalid"))
		})
	}
	const idRule = "must have 1 to 128 characters, none of them a control character"
	for data, why := range map[string]string{
		`x`:                              "user_data is not valid JSON",
		`[]`:                             "user_data is not a JSON object",
		`"A"`:                            "user_data is not a JSON object",
		`null`:                           "user_data is not a JSON object",
		`{}`:                             "user_data: id is missing",
		`{"id":null}`:                    "user_data: id is missing",
		`{"id":""}`:                      "user_data: id " + idRule,
		`{"id":"a\u0000"}`:               "user_data: id " + idRule,
		`{"id":true}`:                    "user_data: id must be a string or a whole number",
		`{"id":{}}`:                      "user_data: id must be a string or a whole number",
		`{"id":["A"]}`:                   "user_data: id must be a string or a whole number",
		`{"id":1.5}`:                     "user_data: id must be a string or a whole number",
		`{"id":"A","watchlist":"B"}`:     "user_data: watchlist may not be a string",
		`{"id":"A","watchlist":{}}`:      "user_data: watchlist may not be an object",
		`{"id":"A","watchlist":5}`:       "user_data: watchlist may not be a number",
		`{"id":"A","watchlist":[""]}`:    "user_data: watchlist[0] " + idRule,
		`{"id":"A","watchlist":[1,{}]}`:  "user_data: watchlist[1] must be a string or a whole number",
		`{"id":"A","watchlist":[null]}`:  "user_data: watchlist[0] is missing",
		`{"id":"A","watchlist":[1.5,2]}`: "user_data: watchlist[0] must be a string or a whole number",
	} {
		a.t = t
		a.signIn(data)
		a.expect(errorSays(4315, why))
	}
	for message, why := range map[string]string{
		`{"event":"pusher:signin"}`:                                                 "pusher:signin: The message has no data",
		`{"event":"pusher:signin","data":null}`:                                     "pusher:signin: data is not a JSON object",
		`{"event":"pusher:signin","data":"x"}`:                                      "pusher:signin: data is not a JSON object",
		`{"event":"pusher:signin","data":[]}`:                                       "pusher:signin: data is not a JSON object",
		`{"event":"pusher:signin","data":{}}`:                                       "pusher:signin: data.user_data is missing",
		`{"event":"pusher:signin","data":{"auth":1,"user_data":"x"}}`:               "pusher:signin: data: auth may not be a number",
		`{"event":"pusher:signin","data":{"auth":"x","user_data":{"id":"A"}}}`:      "pusher:signin: data: user_data may not be an object",
		`{"event":"pusher:signin","data":{"auth":["x"],"user_data":"{}"}}`:          "pusher:signin: data: auth may not be an array",
		`{"event":"pusher:signin","data":{"auth":"x","user_data":false}}`:           "pusher:signin: data: user_data may not be a boolean",
		`{"event":"pusher:signin","data":{"auth":"` + docKey + `:0"},"channel":""}`: "pusher:signin: data.user_data is missing",
	} {
		a.send(message)
		a.expect(errorSays(4310, why))
	}
	// None of it has signed in anybody.
	a.subscribe("#server-to-user-A", "", "")
	if got := a.read(); !strings.HasPrefix(got, `{"event":"pusher:error"`) {
		t.Error(got)
	}
	a.read()
	// Once signed in, nobody else.
	a.signIn(data)
	a.expect(signedIn(data))
	a.signIn(`{"id":"B"}`)
	a.expect(errorSays(4009, "The connection is signed in as another user already"))
	a.subscribe("#server-to-user-A", "", "")
	a.expect(succeeded("#server-to-user-A"))
}

// A number as id is a string from here on, and a sign-in has its limits: one
// below, at, one above.
func TestSignInLimits(t *testing.T) {
	h := newHouse(t)
	number := h.connect(t)
	number.signIn(`{"id":12345678901234567890}`)
	number.expect(signedIn(`{"id":12345678901234567890}`))
	number.subscribe("#server-to-user-12345678901234567890", "", "")
	number.expect(succeeded("#server-to-user-12345678901234567890"))
	if n := h.engine.Terminate("3", "12345678901234567890"); n != 1 {
		t.Errorf("%d sockets", n)
	}
	for n := 127; n <= 129; n++ {
		for _, char := range []string{"x", "ü"} {
			a, data := h.connect(t), `{"id":"`+strings.Repeat(char, n)+`"}`
			a.signIn(data)
			if n > 128 {
				a.expect(errorSays(4315, "user_data: id must have 1 to 128 characters, none of them a control character"))
				continue
			}
			a.expect(signedIn(data))
			own := "#server-to-user-" + strings.Repeat(char, n)
			a.subscribe(own, "", "")
			a.expect(succeeded(own))
		}
	}
	for n := 99; n <= 101; n++ {
		var ids []string
		for i := range n {
			ids = append(ids, fmt.Sprintf("%d:%d", n, i))
		}
		list, _ := json.Marshal(ids)
		a, data := h.connect(t), `{"id":"W","watchlist":`+string(list)+`}`
		a.signIn(data)
		a.expect(signedIn(data))
		if n > 100 {
			a.expect(errorSays(4302, "The watchlist has more than 100 users: the first 100 are watched"))
		}
		for _, i := range []int{n - 2, n - 1} { // the first hundred, and no more
			u := h.connect(t)
			u.signIn(`{"id":"` + ids[i] + `"}`)
			u.expect(signedIn(`{"id":"` + ids[i] + `"}`))
			if i < 100 {
				a.expect(`{"event":"pusher_internal:watchlist_events","data":{"events":[{"name":"online","user_ids":["` + ids[i] + `"]}]}}`)
			}
		}
		a.silence()
	}
}

func TestWatchlist(t *testing.T) {
	h := newHouse(t)
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
	_ = a.ws.Close() // one of two sockets, gone without a word
	a2.silence()
	w.silence()
	h.engine.Terminate("3", "A")
	w.expect(news("offline", `"A"`))
	_ = b.ws.Close()
	w.expect(news("offline", `"B"`))
}

// A presence channel knows a signed-in user without channel_data.
func TestPresenceOfSignedIn(t *testing.T) {
	h := newHouse(t)
	a, b := h.connect(t), h.connect(t)
	const channel = "presence-r"
	a.subscribe(channel, a.auth(channel, ""), "")
	const why = "channel_data is missing: a presence channel needs it, unless the connection is signed in"
	a.expect(errorSays(4314, why), subscriptionErrorSays(channel, "ChannelError", why, 400))
	a.signIn(`{"id":1,"user_info":{"name":"NA"}}`)
	a.expect(signedIn(`{"id":1,"user_info":{"name":"NA"}}`))
	a.subscribe(channel, "", "") // a signature is needed all the same
	bad := "Auth value for subscription to presence-r is invalid"
	a.expect(errorSays(4009, bad), subscriptionErrorSays(channel, "AuthError", bad, 401))
	a.subscribe(channel, a.auth(channel, ""), "")
	a.expect(`{"event":"pusher_internal:subscription_succeeded","channel":"presence-r","data":` + quoted(`{"presence":{"ids":["1"],"hash":{"1":{"name":"NA"}},"count":1}}`) + `}`)

	// channel_data goes over it when there is any.
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

// Everybody who is signed in as the user goes for good, told why; nobody else.
func TestTerminate(t *testing.T) {
	h := newHouse(t)
	a, a2, b, plain := h.connect(t), h.connect(t), h.connect(t), h.connect(t)
	for r, id := range map[*raw]string{a: "A", a2: "A", b: "B"} {
		r.signIn(`{"id":"` + id + `"}`)
		r.expect(signedIn(`{"id":"` + id + `"}`))
	}
	if n := h.engine.Terminate("3", "A"); n != 2 {
		t.Errorf("%d sockets", n)
	}
	for _, r := range []*raw{a, a2} {
		r.expect(errorSays(4009, "The application has ended the connections of this user"))
		r.expectClose(4009)
	}
	b.silence()
	plain.silence()
}

// A user of the CRM signs in with their token; when they may no longer be here,
// every socket that asked goes, signed in or not.
func TestUserAuthEndToEnd(t *testing.T) {
	h := newHouse(t)
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
		b.signInWith(answer.Auth, answer.UserData) // stolen
		b.expect(errorSays(4009, "Auth value for sign-in is invalid"))
	}
	h.engine.Disconnect("685")
	for _, r := range []*raw{a, early} {
		r.expect(errorSays(4009, "The user is no longer allowed to be here"))
		r.expectClose(4009)
	}
	b.silence()
}

func withApp(change func(*pusher.App)) func(*setup) { return func(o *setup) { change(&o.app) } }
