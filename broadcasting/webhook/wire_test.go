package webhook

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pusher/pusher-http-go/v5"

	"chatcast/broadcasting"
)

// FuzzClientEvent checks that, whatever a client sends, receivers get a webhook that
// Pusher's library for Go reads, with the data as text.
func FuzzClientEvent(f *testing.F) {
	for _, data := range []string{`{"a":1}`, `"text"`, `"\ud800"`, `"open`, "", "null", "\x00", "\xff", `[[[`, "<script>", `"\u2028"`, `"\u0000"`} {
		f.Add("private-a", "client-b", data, "7")
	}
	f.Add("presence-\x00", "client-\xff", `"\u0000"`, "\xfe")
	f.Add("\xcd", "\xb0", "", "")
	f.Fuzz(func(t *testing.T, channel, name, data, user string) {
		text, err := encode(broadcasting.ChannelEvent{
			Kind: broadcasting.ClientSent, App: "1", Channel: channel, Name: name, Data: data, UserID: user, SocketID: "1.1",
		})
		if err != nil || strings.ContainsRune(text, 0) || !utf8.ValidString(text) {
			t.Fatalf("%v: %q", err, text)
		}
		raw := body(1327078148132, text, text)
		header := http.Header{}
		header.Set(headerKey, "key")
		header.Set(headerSignature, sign("secret", raw))
		hook, err := (&pusher.Client{Key: "key", Secret: "secret"}).Webhook(header, raw)
		if err != nil || hook.TimeMs != 1327078148132 || len(hook.Events) != 2 || hook.Events[0] != hook.Events[1] {
			t.Fatalf("%v: %s", err, raw)
		}
		e := hook.Events[0]
		if e.Name != "client_event" || e.SocketID != "1.1" {
			t.Errorf("it became %+v", e)
		}
		wantData := data
		var decoded string
		if strings.HasPrefix(data, `"`) && json.Unmarshal([]byte(data), &decoded) == nil {
			wantData = decoded
		}
		for _, c := range [][2]string{{channel, e.Channel}, {name, e.Event}, {user, e.UserID}, {wantData, e.Data}} {
			if utf8.ValidString(c[0]) && c[0] != c[1] {
				t.Errorf("%q became %q", c[0], c[1])
			}
		}
	})
}
