package server_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"chatcast/server"
)

func TestRepeatedName(t *testing.T) {
	var many strings.Builder
	for i := range 40 {
		fmt.Fprintf(&many, `"n%d":%d,`, i, i)
	}
	for text, want := range map[string]string{
		`{}`: "", `[]`: "", `null`: "", ` "a" `: "", `12`: "", `[1,[2],{"a":1},{"a":2}]`: "",
		`{"a":1,"b":{"a":2},"c":[{"a":1},{"a":1}]}`:         "",
		`{"a":"\"a\":","b":"{\"a\":1,\"a\":2}"}`:            "",
		`{"a":1,"a":2}`:                                     "a",
		` { "a" : 1 , "a" : 2 } `:                           "a",
		`{"a":1,"A":2}`:                                     "a",
		`{"a":1,"\u0061":2}`:                                "a",
		`{"kelvin":1,"` + "\u212a" + `elvin":2}`:            "kelvin",
		`{"a\n\"":1,"a\u000a\u0022":2}`:                     "a\n\"",
		`{"a":{"b":[0,{"c":1,"c":2}]}}`:                     "a.b[1].c",
		`[[{"c":1}],[{"c":1},{"c":{},"d":[],"c":[]}]]`:      "[1][1].c",
		`{"a":[],"a":{}}`:                                   "a",
		`{"a":true,"b":-1.5e3,"c":null,"b":false}`:          "b",
		`{"":1,"":2}`:                                       `""`,
		`{` + many.String() + `"last":0}`:                   "",
		`{` + many.String() + `"N7":0}`:                     "n7",
		`{` + many.String() + `"x":1,"n3":2}`:               "n3",
		`{` + many.String() + `"` + "\u017f" + `":1,"S":2}`: "\u017f",
	} {
		if !json.Valid([]byte(text)) {
			t.Fatalf("%s is no JSON", text)
		}
		if got := server.RepeatedName([]byte(text), server.AllObjects); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if got := server.RepeatedName([]byte(`{"a":{"b":1,"b":2}}`), 1); got != "" {
		t.Errorf("below the depth: %q", got)
	}
	if got := server.RepeatedName([]byte(`{"a":{"b":1,"b":2},"a":1}`), 1); got != "a" {
		t.Errorf("behind what is below the depth: %q", got)
	}
}

// FuzzRepeatedName reads any JSON to its end, and finds what is written twice.
func FuzzRepeatedName(f *testing.F) {
	for _, text := range []string{`{"a":[1,"\\",{"b":null}]}`, `[[],{},"]"]`, ` {"a" : "\u007b" }`, `{"a":1,"A":2}`, `1e5`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) {
			return
		}
		twice := fmt.Sprintf(`[%s,{"a":%s,"b":0,"a":%s}]`, text, text, text)
		first := server.RepeatedName([]byte(text), server.AllObjects)
		if got := server.RepeatedName([]byte(twice), server.AllObjects); first == "" && got != "[1].a" {
			t.Errorf("%s: %q", twice, got)
		}
		if got := server.RepeatedName([]byte(twice), 0); got != "" {
			t.Errorf("%s: %q", twice, got)
		}
	})
}
