package seal

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
)

var (
	text = Column{Table: "apps", Name: "secret", Key: []string{"id"}, Text: true}
	blob = Column{Table: "sessions", Name: "session", Key: []string{"a", "b"}}
)

func mustParse(t *testing.T, texts ...string) *Keys {
	t.Helper()
	k, err := Parse(strings.Join(texts, ","))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSealedValuesOpen(t *testing.T) {
	older, newer := New(), New()
	before, after := mustParse(t, older), mustParse(t, newer, older)
	for _, c := range []Column{text, blob} {
		value := []byte("hunter2 \x00\xff")
		for _, sealed := range [][]byte{before.Seal(c, value, "1", "2"), after.Seal(c, value, "1", "2")} {
			if bytes.Contains(sealed, []byte("hunter2")) || c.Text != strings.HasPrefix(string(sealed), "sealed:") {
				t.Errorf("%s: sealed as %q", c.Name, sealed)
			}
			if got, err := after.Open(c, sealed, "1", "2"); err != nil || !bytes.Equal(got, value) {
				t.Errorf("%s: %q, %v", c.Name, got, err)
			}
		}
		if a, b := before.Seal(c, value, "1"), before.Seal(c, value, "1"); bytes.Equal(a, b) {
			t.Error("the same value is sealed twice alike")
		}
		if _, err := before.Open(c, after.Seal(c, value, "1"), "1"); !errors.Is(err, ErrUnknownKey) || !strings.Contains(err.Error(), after.IDs()[0]) {
			t.Errorf("a key that is not there: %v", err)
		}
		if got, err := before.Open(c, before.Seal(c, nil, "1"), "1"); err != nil || len(got) > 0 {
			t.Errorf("an empty value is %q, %v", got, err)
		}
	}
	var none *Keys
	if got := none.Seal(text, []byte("v"), "1"); string(got) != "v" {
		t.Errorf("no keys seal as %q", got)
	}
	if got, err := none.Open(text, []byte("v"), "1"); err != nil || string(got) != "v" {
		t.Errorf("no keys open %q, %v", got, err)
	}
}

// A sealed value opens in its row alone, and not after any change.
func TestSealedValuesStayInTheirRow(t *testing.T) {
	k := mustParse(t, New())
	for _, c := range []Column{text, blob} {
		sealed := k.Seal(c, []byte("value"), "12", "3")
		for what, open := range map[string]func() ([]byte, error){
			"another row":           func() ([]byte, error) { return k.Open(c, sealed, "12", "4") },
			"a row split elsewhere": func() ([]byte, error) { return k.Open(c, sealed, "1", "23") },
			"a row with less":       func() ([]byte, error) { return k.Open(c, sealed, "12") },
			"another column": func() ([]byte, error) {
				return k.Open(Column{Table: c.Table, Name: "x", Text: c.Text}, sealed, "12", "3")
			},
			"another table": func() ([]byte, error) {
				return k.Open(Column{Table: "x", Name: c.Name, Text: c.Text}, sealed, "12", "3")
			},
			"not sealed":       func() ([]byte, error) { return k.Open(c, []byte("value"), "12", "3") },
			"not sealed, long": func() ([]byte, error) { return k.Open(c, bytes.Repeat([]byte("v"), 100), "12", "3") },
			"cut":              func() ([]byte, error) { return k.Open(c, sealed[:len(sealed)-3], "12", "3") },
		} {
			if got, err := open(); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s, %s: %q, %v", c.Name, what, got, err)
			}
		}
	}
	sealed := k.Seal(blob, []byte("value"), "1", "2")
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if got, err := k.Open(blob, changed, "1", "2"); err == nil {
			t.Errorf("byte %d was changed, and it opens as %q", i, got)
		}
	}
}

func TestParse(t *testing.T) {
	raw := bytes.Repeat([]byte{0xfb, 0x01}, 16)
	want := mustParse(t, base64.StdEncoding.EncodeToString(raw)).IDs()[0]
	for _, form := range []string{
		hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)), base64.URLEncoding.EncodeToString(raw),
		base64.RawStdEncoding.EncodeToString(raw), "\n# the key, since May\n" + base64.StdEncoding.EncodeToString(raw) + "\r\n\n",
	} {
		if got := mustParse(t, form).IDs(); len(got) != 1 || got[0] != want {
			t.Errorf("%q is %v, want %s", form, got, want)
		}
	}
	one, two := New(), New()
	if k := mustParse(t, one+", "+two); len(k.IDs()) != 2 || k.First().IDs()[0] != k.IDs()[0] || len(k.First().IDs()) != 1 {
		t.Errorf("%v, first %v", k.IDs(), k.First().IDs())
	}
	for wrong, part := range map[string]string{
		"": "no key", " ,\n# only a comment": "no key", one + ",hunter2": "key 2 of 2", base64.StdEncoding.EncodeToString(raw[:31]): "key 1 of 1",
		strings.Repeat("ab", 33): "key 1 of 1", one + " " + one: "twice",
	} {
		_, err := Parse(wrong)
		if err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestKeysAreNotPrinted(t *testing.T) {
	secret := New()
	k := mustParse(t, secret)
	raw, _ := base64.StdEncoding.DecodeString(secret)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if out := fmt.Sprintf(verb, k); out != "keys ["+k.IDs()[0]+"]" || strings.Contains(out, string(raw)) {
			t.Errorf("%s prints %q", verb, out)
		}
	}
}
