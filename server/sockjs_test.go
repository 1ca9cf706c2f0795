package server_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"chatcast/server"
)

func TestSockJSEncodes(t *testing.T) {
	prelude := strings.Repeat("h", 2048) + "\n"
	frames := [][]byte{text("one"), text(`t"w<o`)}
	for name, c := range map[string]struct {
		part server.Part
		want string
		asks bool
	}{
		"a stream begins a session":      {server.Part{Streaming: true, First: true, Open: true}, prelude + "o\n", false},
		"a stream follows":               {server.Part{Streaming: true, First: true, Frames: frames}, prelude + `a["one","t\"w<o"]` + "\n", true},
		"a poll begins a session":        {server.Part{First: true, Open: true, Frames: frames[:1]}, "o\na[\"one\"]\n", false},
		"a heartbeat of a stream":        {server.Part{Streaming: true, Heartbeat: true}, "h\n", true},
		"a heartbeat of a poll":          {server.Part{First: true, Heartbeat: true}, "h\n", false},
		"a goodbye":                      {server.Part{Frames: frames[:1], Close: &server.Disconnect{Code: 4200, Message: "<bye>"}}, "a[\"one\"]\nc[4200,\"<bye>\"]\n", false},
		"an end of which nobody is told": {server.Part{Close: &server.Disconnect{Reason: server.PeerGone}}, "", false},
	} {
		e := server.SockJS{}.Encode(c.part)
		if string(e.Bytes) != c.want || e.Asks != c.asks || e.Size != len(c.want) {
			t.Errorf("%s: %.2100q of size %d, asks %v", name, e.Bytes, e.Size, e.Asks)
		}
	}
}

// FuzzSockJS: any texts become one line, of the length that a script counts, and can be
// parsed back from its array.
func FuzzSockJS(f *testing.F) {
	for _, seed := range []string{"", "one", `t"w<o\`, "\u2028ü\n😀\x00\x1e", strings.Repeat("x", 200), "\ufffd"} {
		f.Add(seed, seed+"]")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if !utf8.ValidString(a) || !utf8.ValidString(b) {
			return // frames are valid
		}
		e := server.SockJS{}.Encode(server.Part{Frames: [][]byte{text(a), text(b)}})
		line := string(e.Bytes)
		if i := strings.IndexByte(line, '\n'); i != len(line)-1 || line[0] != 'a' {
			t.Fatalf("%q is not one line", line)
		}
		if want := len(utf16.Encode([]rune(line))); e.Size != want {
			t.Errorf("%q has size %d, want %d", line, e.Size, want)
		}
		var list []string
		if err := json.Unmarshal(e.Bytes[1:], &list); err != nil || !slices.Equal(list, []string{a, b}) {
			t.Errorf("%q and %q became %q, %v", a, b, line, err)
		}
		sent, err := server.SockJS{}.Decode(e.Bytes[1:])
		if err != nil || sent.Alive || len(sent.Messages) != 2 || string(sent.Messages[0]) != a || string(sent.Messages[1]) != b {
			t.Errorf("%q is decoded as %q, %v", line, sent.Messages, err)
		}
	})
}
