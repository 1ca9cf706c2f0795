package crm_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"chatcast/crm"
	"chatcast/crm/crmtest"
)

// documented lists the events of the documentation.
var documented = []string{
	"message", "messageStatus", "chatTag", "chatStatus", "chatResponsible", "chatResponsiblePin", "chatProducer",
	"chatAccomplice", "chatAuditor", "chatLevel", "chatConversation", "chatRead", "chatProcess",
	"employeeStatus", "employeeWorkday", "quickResponseList", "quickResponse",
}

func TestEveryDocumentedEventHasASchema(t *testing.T) {
	all := crm.EventNames()
	for _, name := range append([]string{"messageEdit", "messageDelete"}, documented...) {
		if !slices.Contains(all, name) {
			t.Errorf("%s has no schema", name)
		}
	}
	for _, name := range all {
		if crmtest.Schema(t, name) == nil {
			t.Errorf("the schema of %s does not compile", name)
		}
	}
	for _, name := range []string{"", "nothing", "../event", "a/b", `a\b`, "message.json"} {
		if _, ok := crm.Schema(name); ok {
			t.Errorf("%q has a schema", name)
		}
	}
}

// TestMessageSchemasAreStrict breaks each golden event in every way that the schema
// must detect.
func TestMessageSchemasAreStrict(t *testing.T) {
	for _, test := range []struct{ event, old, new string }{
		{"message", `"id": 696`, `"id": 696.5`},
		{"message", `"id": 696`, `"id": null`},
		{"message", `"fromApi": false`, `"fromApi": 0`},
		{"message", `"fromApi": false,`, ``},
		{"message", `"side": "in"`, `"side": "up"`},
		{"message", `"time": 1637319282`, `"time": "1637319282"`},
		{"message", `"utm": null`, `"utm": []`},
		{"message", `"utm": null,`, ``},
		{"message", `"type": "private"`, `"type": "secret"`},
		{"message", `"caption": ""`, `"caption": null`},
		{"message", `"licenseId": 1229`, `"licenseId": "1229"`},
		{"message", `"type": "message"`, `"type": "messages"`},
		{"message", `"fromMe"`, `"fromme"`},
		{"messageStatus", `"type": "delivered"`, `"type": "read"`},
		{"messageStatus", `"error": null`, `"error": 5`},
		{"messageStatus", `"tracking": null`, `"tracking": 1`},
		{"chatConversation", `"type": "BIC"`, `"type": "X"`},
		{"chatConversation", `"endTime"`, `"end"`},
		{"chatRead", `"id": "7000000000@c.us"`, `"id": 7000000000`},
	} {
		raw, err := os.ReadFile(filepath.Join("testdata", "golden", test.event+".json"))
		if err != nil {
			t.Fatal(err)
		}
		sound := string(raw)
		switch test.event { // what we decided to add
		case "messageStatus":
			sound = strings.Replace(sound, `"error": null`, `"error": null, "time": 1`, 1)
		case "chatRead":
			sound = strings.Replace(sound, `"chat"`, `"edited": null, "chat"`, 1)
		}
		schema := crmtest.Schema(t, test.event)
		if err := validate(t, schema, sound); err != nil {
			t.Fatalf("%s: the golden event is refused: %v", test.event, err)
		}
		spoilt := strings.Replace(sound, test.old, test.new, 1)
		if spoilt == sound {
			t.Fatalf("%s: no %s in the golden event", test.event, test.old)
		}
		if validate(t, schema, spoilt) == nil {
			t.Errorf("%s: %s in the place of %s is let through", test.event, test.new, test.old)
		}
	}
}

// TestContentIsTheSameEverywhere checks that what a message may hold is the same in the event of a
// message and in that of a phone's history.
func TestContentIsTheSameEverywhere(t *testing.T) {
	content := func(text []byte, ok bool) (c any) {
		var schema struct {
			Defs struct {
				Content any `json:"content"`
			} `json:"$defs"`
		}
		if err := json.Unmarshal(text, &schema); err != nil || !ok || schema.Defs.Content == nil {
			t.Fatalf("no content in the schema: %v, %v", err, ok)
		}
		return schema.Defs.Content
	}
	if !reflect.DeepEqual(content(crm.Schema(crm.EventMessage)), content(crm.InternalSchema(crm.EventPast))) {
		t.Error("crm/schemas/internal/past.json has another content than crm/schemas/message.json")
	}
}

func validate(t *testing.T, schema *jsonschema.Schema, data string) error {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(data))
	if err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return schema.Validate(value)
}
