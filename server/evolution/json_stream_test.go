package evolution

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// streamed reads JSON and takes texts of at least 16 bytes at the path a.b out.
func streamed(body string) (rest []byte, taken string, err error) {
	s := jsonStream{from: bufio.NewReaderSize(strings.NewReader(body), 16), long: 16, limit: maxBody, take: func(path string) func(io.Reader) error {
		if path != "a.b" {
			return nil
		}
		return func(r io.Reader) error {
			b, err := io.ReadAll(r)
			taken = string(b)
			return err
		}
	}}
	rest, err = s.restOf()
	return rest, taken, err
}

func TestJSONStream(t *testing.T) {
	long := strings.Repeat("QUJD", 30)
	for body, want := range map[string]string{
		`{"a":{"b":"` + long + `","c":1}}`:                                  `{"a":{"b":"","c":1}} ` + long,
		` { "x" : [ 1 , "` + long + `" ] , "a" : {"b" : "` + long + `"} } `: `{"x":[1,"` + long + `"],"a":{"b":""}} ` + long,
		`{"a":{"b":"` + strings.Repeat(`\/`, 20) + `"}}`:                    `{"a":{"b":""}} ` + strings.Repeat("/", 20),
		`{"a":{"b":"` + strings.Repeat(`\u002b\n`, 9) + `"}}`:               `{"a":{"b":""}} ` + strings.Repeat("+\n", 9),
		`{"a":{"b":"` + strings.Repeat(`\u00e9`, 9) + `"}}`:                 `{"a":{"b":""}} ` + strings.Repeat("\xff", 9),
		`{"a":{"b":"short","d":"\"` + long + `"}}`:                          `{"a":{"b":"short","d":"\"` + long + `"}} `,
		`{"a":[{"b":"` + long + `"}],"e":{},"f":[]}`:                        `{"a":[{"b":""}],"e":{},"f":[]} ` + long,
		`{"a.b":"` + long + `"}`:                                            `{"a.b":""} ` + long, // no path of a route is a name with a dot
		`"text"`:                                                            `"text" `,
		`-1.5e3`:                                                            `-1.5e3 `,
	} {
		rest, taken, err := streamed(body)
		if err != nil || string(rest)+" "+taken != want {
			t.Errorf("%.60s is %s %s, %v, want %s", body, rest, taken, err, want)
		}
	}
	for _, body := range []string{`{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `["`, `{1:2}`, `{"a" 1}`, `{"a":{"b":"` + long, `{"a":{"b":"` + long + `\`, `{"a":{"b":"` + long + `\x"}}`,
		`{"a":{"b":"` + long + `\u12"}}`, strings.Repeat("[", 1000), `{} {}`, "", `]`} {
		if rest, _, err := streamed(body); err == nil {
			if _, err := parseJSON(rest); err == nil {
				t.Errorf("%.60s is read as %s", body, rest)
			}
		}
	}
}

// TestPathsAreShort: a long name is not copied for each member below it.
func TestPathsAreShort(t *testing.T) {
	name := `{"` + strings.Repeat("n", 300<<10) + `":`
	for what, body := range map[string]string{
		"many members": name + "{" + strings.Repeat(`"a":0,`, 2000) + `"a":{"b":"` + strings.Repeat("QUJD", 30) + `"}}}`,
		"deep":         name + strings.Repeat(`{"":`, maxDepth-1) + "0" + strings.Repeat("}", maxDepth),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		rest, taken, err := streamed(body)
		runtime.ReadMemStats(&after)
		if err != nil || string(rest) != body || taken != "" {
			t.Errorf("%s: %d bytes are left of %d, %q is taken, %v", what, len(rest), len(body), taken, err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
			t.Errorf("%s: %d bytes were allocated for %d", what, n, len(body))
		}
	}
}

// FuzzJSONStream compares what is left with what encoding/json reads, and what was taken out.
func FuzzJSONStream(f *testing.F) {
	for _, seed := range []string{`{"a":{"b":"QUJDQUJDQUJDQUJDQUJD"}}`, `{"a":[{"b":"\u002b\/QUJDQUJDQUJDQUJD"}]}`, `[1,"x\"",null,{"y":{}}]`, "{\"a\":\n\"\\", `{"a":{"b":"x"},"a":{"b":"QUJDQUJDQUJDQUJDQUJDQUJD"}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		rest, taken, err := streamed(body)
		whole, bad := parseJSON([]byte(body))
		if err != nil {
			if bad == nil && err != errDeep {
				t.Fatalf("%q is JSON: %v", body, err)
			}
			return
		}
		left, wrong := parseJSON(rest)
		if bad != nil || wrong != nil {
			if taken == "" && (bad == nil) != (wrong == nil) {
				t.Fatalf("%q: %v; what is left, %q: %v", body, bad, rest, wrong)
			}
			return
		}
		if taken == "" && !reflect.DeepEqual(left, whole) {
			t.Fatalf("%q is left as %q", body, rest)
		}
	})
}

// TestUnpadded reads base64 as clients write it.
func TestUnpadded(t *testing.T) {
	for text, want := range map[string]string{"QUI=": "AB", "QUI": "AB", "QQ==\r\n": "A", "QU\r\nJD": "ABC", "": "", "QQ= =": "A", "QQ==QQ": "!", "Q": "!", "Q*": "!"} {
		r := &base64Reader{from: base64.NewDecoder(base64.RawStdEncoding, &unpadded{from: strings.NewReader(text)})}
		got, _ := io.ReadAll(r)
		if r.wrong != (want == "!") || !r.wrong && string(got) != want {
			t.Errorf("%q is %q, wrong: %v", text, got, r.wrong)
		}
	}
	var all bytes.Buffer
	e := json.NewEncoder(&all)
	if err := e.Encode(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xfb, 0xff}, 5000))); err != nil {
		t.Fatal(err)
	}
	r := &textReader{from: bufio.NewReaderSize(strings.NewReader(all.String()[1:]), 16)}
	got, err := io.ReadAll(base64.NewDecoder(base64.RawStdEncoding, &unpadded{from: r}))
	if err != nil || len(got) != 10000 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
