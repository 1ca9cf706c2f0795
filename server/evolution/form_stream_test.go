package evolution

import (
	"bufio"
	"io"
	"net/url"
	"strings"
	"testing"
)

// FuzzForm reads forms as url.ParseQuery does, but for what that refuses besides: semicolons.
func FuzzForm(f *testing.F) {
	for _, form := range []string{"a=b&c=d", "a=%2B+%20&a=2&&=x&b", "%", "a=%zz", "a=%4", "=", "&&", "a=b=c", "a;b=c"} {
		f.Add(form)
	}
	f.Fuzz(func(t *testing.T, form string) {
		want, wantErr := url.ParseQuery(form)
		got := url.Values{}
		err := func() error {
			from := bufio.NewReader(strings.NewReader(form))
			for {
				name := &formText{from: from, name: true, plus: ' '}
				key, err := io.ReadAll(name)
				if err != nil {
					return err
				}
				value := &formText{from: from, plus: ' ', end: name.end}
				var text []byte
				if name.end == '=' {
					value.end = 0
					if text, err = io.ReadAll(value); err != nil {
						return err
					}
				}
				if len(key) > 0 || name.end == '=' {
					got[string(key)] = append(got[string(key)], string(text))
				}
				if value.end == 0 {
					return nil
				}
			}
		}()
		if strings.Contains(form, ";") || strings.Count(form, "&") > 5000 {
			return // errors of ParseQuery alone
		}
		if (err != nil) != (wantErr != nil) {
			t.Fatalf("%q: %v, ParseQuery says %v", form, err, wantErr)
		}
		if err == nil && got.Encode() != want.Encode() {
			t.Errorf("%q is %v, want %v", form, got, want)
		}
	})
}
