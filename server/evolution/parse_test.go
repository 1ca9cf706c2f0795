package evolution

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestNumbers(t *testing.T) {
	for number, want := range map[string]string{
		"351912000001": "351912000001", "+351 (912) 000-001": "351912000001", "351912000001@c.us": "351912000001@s.whatsapp.net",
		"351912000001:12@s.whatsapp.net": "351912000001@s.whatsapp.net", "1234@lid": "1234@lid", "120363000000000001@g.us": "120363000000000001@g.us",
		"120363000000000001": "120363000000000001@g.us", "351912000001-1600000000-1": "351912000001-1600000000-1@g.us", "status@broadcast": "status@broadcast",
		"5511987654321": "5511987654321 551187654321", "5531987654321": "553187654321 5531987654321", "553187654321": "553187654321 5531987654321",
		"5531687654321": "5531687654321", "5215512345678": "525512345678 5215512345678", "525512345678": "525512345678 5215512345678",
		"5491112345678": "541112345678 5491112345678", "541112345678": "541112345678 5491112345678", "": "", "abc": "", "1@evil.example": "", "@g.us": "",
		strings.Repeat("7", 41): "", strings.Repeat("7", 65) + "@g.us": "",
	} {
		jid, forms, ok := jidOf(number)
		got := strings.Join(append(forms, strings.Fields(jid)...), " ")
		if got != want || ok != (want != "") {
			t.Errorf("%q leads to %q, %v, want %q", number, got, ok, want)
		}
	}
}

// FuzzNumber: what is no number is refused, and what is one has a known form.
func FuzzNumber(f *testing.F) {
	for _, seed := range []string{"351912000001", "+55 (31) 98765-4321", "1:2@s.whatsapp.net", "a@b@c", "-", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, number string) {
		jid, forms, ok := jidOf(number)
		if ok != (jid != "" || len(forms) > 0) || jid != "" && (len(forms) > 0 || strings.Count(jid, "@") != 1) {
			t.Errorf("%q: %q %q %v", number, jid, forms, ok)
		}
		for _, form := range forms {
			if onlyDigits(form, false) != form || form == "" {
				t.Errorf("%q has the form %q", number, form)
			}
		}
	})
}

// FuzzBody checks bodies of every route: none panics, and what is left in them is of the right
// type.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{`{}`, `{"number":"1","options":{"delay":1}}`, `{"webhook":{"url":[]}}`, `{"contact":[{}],"values":[1,"a","a"]}`, `{"quoted":{"key":null}}`} {
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, body string, form bool) {
		value, err := parseJSON([]byte(body))
		o, is := value.(object)
		if err != nil || !is {
			return
		}
		for _, rt := range allRoutes() {
			if rt.body == nil {
				continue
			}
			lifted := lifted(o, rt.lifts)
			wrong := rt.body.check("instance", lifted, form)
			if _, err := json.Marshal(wrong); err != nil {
				t.Fatal(err)
			}
			for _, v := range wrong {
				_ = v.String() + v.property()
			}
			for _, field := range rt.body {
				if v, has := lifted[field.name]; has && len(wrong) == 0 {
					if _, text := v.(string); text != (field.kind == kindString) {
						t.Errorf("%s: %s is %v", rt.path, field.name, v)
					}
				}
			}
		}
	})
}

func TestEmoji(t *testing.T) {
	for text, want := range map[string]bool{"👍": true, "❤️": true, "": false, "a": false, "👍👍": false, "👨\u200d": false, "1": false, "1\ufe0f\u20e3": true, "🇵": false, "🇵🇹": true} {
		if isEmoji(text) != want {
			t.Errorf("%q is an emoji: %v", text, !want)
		}
	}
}
