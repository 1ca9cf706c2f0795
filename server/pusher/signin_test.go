package pusher_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"chatcast/broadcasting/apps"
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

// Like pusher-js: sign in, subscribe to the user's own channel without a signature, and
// receive what is published to the user.
func TestSignIn(t *testing.T) {
	h := newHarness(t)
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
	a.signIn(data) // signing in again is no error
	a.expect(signedIn(data))
	a.send(`{"event":"client-x","channel":"` + own + `","data":{}}`)
	a.expect(errorSays(4301, "Client event rejected: only private and presence channels have them"))
	a2.unsubscribe(own)
	a2.silence() // what is sent has been handled
	h.publish(t, `{"name":"bye","channel":"`+own+`","data":"x"}`)
	a.expect(`{"event":"bye","channel":"` + own + `","data":"x"}`)
	a2.silence()
	b.silence()
}

// Every error in a sign-in is sent in band, with its reason, and changes nothing.
func TestSignInRefused(t *testing.T) {
	h := newHarness(t)
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
	// None of these has signed anybody in.
	a.subscribe("#server-to-user-A", "", "")
	if got := a.read(); !strings.HasPrefix(got, `{"event":"pusher:error"`) {
		t.Error(got)
	}
	a.read()
	// Once signed in, the socket accepts no other user.
	a.signIn(data)
	a.expect(signedIn(data))
	a.signIn(`{"id":"B"}`)
	a.expect(errorSays(4009, "The connection is signed in as another user already"))
	a.subscribe("#server-to-user-A", "", "")
	a.expect(succeeded("#server-to-user-A"))
}

// A numeric id becomes a string, and a sign-in has its limits: one below, at, one
// above.
func TestSignInLimits(t *testing.T) {
	h := newHarness(t)
	number := h.connect(t)
	number.signIn(`{"id":12345678901234567890}`)
	number.expect(signedIn(`{"id":12345678901234567890}`))
	number.subscribe("#server-to-user-12345678901234567890", "", "")
	number.expect(succeeded("#server-to-user-12345678901234567890"))
	if n := h.terminate("3", "12345678901234567890"); n != 1 {
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
		for _, i := range []int{n - 2, n - 1} { // only the first hundred
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

func withApp(change func(*apps.App)) func(*setup) { return func(o *setup) { change(&o.app) } }
