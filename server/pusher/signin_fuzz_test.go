package pusher

import (
	"encoding/json"
	"slices"
	"testing"
	"unicode/utf8"

	"chatcast/channels"
)

// FuzzSignIn gives the parsers of a sign-in what a client could send, and what a
// backend could have signed: they return a user or an error message, and both can be
// put into frames.
func FuzzSignIn(f *testing.F) {
	for _, s := range []string{
		`{"auth":"k:0","user_data":"{\"id\":\"A\",\"user_info\":{\"a\":[1]},\"watchlist\":[\"w1\",2]}"}`,
		`{"auth":"k:0","user_data":"{\"id\":10}"}`, `{"user_data":5}`, `{"auth":"x"}`, `[]`, `null`, `{`, ``,
		`{"id":"A","watchlist":["A","A",1,1]}`, `{"id":"","watchlist":{}}`, `{"id":-1,"user_info":null}`,
		`{"id":"\u0000"}`, `{"id":"A","watchlist":[[]]}`, `{"id":"A","id":"B"}`, `{"ID":"A"}`, "{\"id\":\"\u2028\"}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !utf8.Valid(text) {
			return // the reader has already refused it
		}
		valid := func(frame []byte) {
			if payload := payloadOf(t, frame); !json.Valid([]byte(payload)) {
				t.Fatalf("%q makes the frame %s", text, payload)
			}
		}
		data := string(text)
		if s, err := parseSignIn(text); err == nil {
			if s.UserData == "" {
				t.Fatalf("%q signs in nobody", text)
			}
			valid(dialect{}.SignedIn(s.UserData))
			data = s.UserData
		} else {
			valid(errorFrame(codeBadMessage.number, err.Error()))
		}
		u, err := parseUser(data)
		if err != nil {
			valid(errorFrame(codeBadUser.number, err.Error()))
			return
		}
		if !channels.ValidUserID(u.ID) || len(u.watchlist) > maxWatchlist || u.Info != nil && !json.Valid(u.Info) {
			t.Fatalf("%q is %+v", text, u)
		}
		if name, err := channels.Parse(channels.UserName(u.ID)); err != nil || name.Base != u.ID || name.Kind != channels.User {
			t.Fatalf("the channel of %q: %+v %v", u.ID, name, err)
		}
		for i, id := range u.watchlist {
			if !channels.ValidUserID(id) || slices.Contains(u.watchlist[:i], id) {
				t.Fatalf("%q watches %q", text, u.watchlist)
			}
		}
		valid(dialect{}.WatchlistEvents(true, u.watchlist))
		valid(dialect{}.MemberAdded("presence-a", &u.Member))
	})
}
