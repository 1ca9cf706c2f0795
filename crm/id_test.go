package crm_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"chatcast/crm"
)

func TestParseChatID(t *testing.T) {
	long := strings.Repeat("1", 129)
	for _, test := range []struct{ messenger, id, want string }{
		{"grWhatsApp", "79990001122", "79990001122@c.us"},
		{"grWhatsApp", "+79990001122", "79990001122@c.us"},
		{"grWhatsApp", "79990001122@c.us", "79990001122@c.us"},
		{"caWhatsApp", "79990001122@s.whatsapp.net", "79990001122@c.us"},
		{"grWhatsApp", "120363041234567890@g.us", "120363041234567890@g.us"},
		{"grWhatsApp", "79990001122-1600000000@g.us", "79990001122-1600000000@g.us"},
		{"grWhatsApp", "123456789012345@lid", "123456789012345@lid"},
		{"WhatsApp", "79990001122@c.us", "79990001122"},
		{"WhatsApp", "79990001122", "79990001122"},
		{"telegram", "private-1480005234h1360003129730259258", "private-1480005234h1360003129730259258"},
		{"telegram", "group-54911000655", "group-54911000655"},
		{"telegram", "79990001122@c.us", "79990001122@c.us"},
		{"grWhatsApp", "", ""},
		{"grWhatsApp", "1234", ""},
		{"grWhatsApp", "01234567", ""},
		{"grWhatsApp", "1234567890123456", ""},
		{"grWhatsApp", "abc", ""},
		{"grWhatsApp", "abc@lid", ""},
		{"grWhatsApp", "@c.us", ""},
		{"grWhatsApp", "79990001122@broadcast", ""},
		{"grWhatsApp", "79990001122@C.US", ""},
		{"grWhatsApp", "٧٩٩٩٠٠٠١١٢٢", ""},
		{"grWhatsApp", "7999 0001122", ""},
		{"grWhatsApp", "79990001122\x00", ""},
		{"grWhatsApp", long, ""},
		{"telegram", long, ""},
		{"telegram", "", ""},
		{"telegram", "a/b", ""},
		{"telegram", ".", ""},
		{"telegram", "..", ""},
		{"telegram", "...", "..."},
		{"telegram", "a b", ""},
		{"telegram", "a\x00b", ""},
		{"telegram", "é", ""},
	} {
		key, err := crm.ParseChatID("chat.id", test.messenger, test.id)
		if test.want == "" {
			var e *crm.Error
			if !errors.As(err, &e) || e.Code != crm.CodeInvalid || e.Fields["chat.id"] == "" {
				t.Errorf("%s %q: %v, %v; want a violation of chat.id", test.messenger, test.id, key, err)
			}
			continue
		}
		if err != nil || key.External != test.want {
			t.Errorf("%s %q: %q, %v; want %q", test.messenger, test.id, key.External, err, test.want)
		}
		if again, err := crm.ParseChatID("", test.messenger, key.External); err != nil || again.External != key.External {
			t.Errorf("%s %q: its own answer %q reads as %q, %v", test.messenger, test.id, key.External, again.External, err)
		}
	}
}

func FuzzParseChatID(f *testing.F) {
	for _, id := range []string{"79990001122", "1@lid", "1-2@g.us", "private-1h2", "\xff"} {
		f.Add("grWhatsApp", id)
		f.Add("telegram", id)
	}
	f.Fuzz(func(t *testing.T, messenger, id string) {
		key, err := crm.ParseChatID("id", messenger, id)
		if err != nil {
			return
		}
		if key.External == "" || len(key.External) > 140 {
			t.Fatalf("%q became %q", id, key.External)
		}
		again, err := crm.ParseChatID("id", messenger, key.External)
		if err != nil || again.External != key.External {
			t.Fatalf("%q became %q, which reads as %q, %v", id, key.External, again.External, err)
		}
	})
}

func TestIDOnTheWire(t *testing.T) {
	for _, test := range []struct{ messenger, text, json string }{
		{"telegram", "696", `696`},
		{"telegram", "-5", `-5`},
		{"telegram", "0", `0`},
		{"telegram", "9007199254740991", `9007199254740991`},
		{"telegram", "9007199254740992", `"9007199254740992"`},
		{"telegram", "007", `"007"`},
		{"telegram", "+7", `"+7"`},
		{"telegram", "1e3", `"1e3"`},
		{"telegram", "a1", `"a1"`},
		{"unknownBridge", "12", `12`},
		{"grWhatsApp", "696", `"696"`},
		{"WhatsApp", "3EB0", `"3EB0"`},
	} {
		b, err := json.Marshal(crm.MakeID(test.messenger, test.text))
		if err != nil || string(b) != test.json {
			t.Errorf("%s %s: %s, %v; want %s", test.messenger, test.text, b, err, test.json)
		}
		var id crm.ID
		if err := json.Unmarshal(b, &id); err != nil || id.String() != test.text {
			t.Errorf("%s reads as %q, %v", b, id, err)
		}
	}
	for _, bad := range []string{`{}`, `[1]`, `true`, `1.5`, `1e3`, `9007199254740992`} {
		in := struct {
			ID crm.ID `json:"id"`
		}{}
		var wrong *json.UnmarshalTypeError
		if err := json.Unmarshal([]byte(`{"id":`+bad+`}`), &in); !errors.As(err, &wrong) || wrong.Field != "id" {
			t.Errorf("%s: %v, want a violation that names id", bad, err)
		}
	}
}
