package server_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"chatcast/server"
)

// FuzzAppendString checks that every text can be parsed back from the JSON.
func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\n\r\t\b\f\x00\x1f\x7f", "<&>", "ü😀\u2028", "\xff\xc3", "é\xc3", "a\xffb\"\xe2\x28\xa1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal(server.AppendString(nil, s), &got); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		var want bytes.Buffer
		for _, r := range s { // ranging replaces what is not UTF-8, byte by byte
			want.WriteRune(r)
		}
		if got != want.String() {
			t.Fatalf("%q came back as %q", s, got)
		}
	})
}
