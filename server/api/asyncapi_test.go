package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"chatcast/crm"
	"chatcast/server/api"
)

// asyncDoc holds the parts of asyncapi.yaml that the tests need.
type asyncDoc struct {
	AsyncAPI string
	Channels map[string]struct {
		Address  string
		Messages map[string]ref
	}
	Operations map[string]struct {
		Action   string
		Channel  ref
		Messages []ref
	}
	Components struct {
		Messages map[string]struct {
			Name     string
			Payload  struct{ Schema map[string]any }
			Examples []struct{ Payload any }
		}
	}
}

type ref struct {
	Ref string `yaml:"$ref"`
}

func asyncReference(t *testing.T) (doc asyncDoc) {
	t.Helper()
	if err := yaml.Unmarshal(api.AsyncAPI(), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// last returns the name at the end of a local $ref.
func (r ref) last() string { return r.Ref[strings.LastIndexByte(r.Ref, '/')+1:] }

// channelMeta gives, by kind of channel, the field that meta of its events has.
var channelMeta = map[string]string{"line": "licenseId", "companyUser": "licenseId", "company": "companyId", "user": "userId"}

// TestAsyncAPIHasTheCatalogue checks that the messages are exactly the events of the
// catalogue, each with its schema and on the channel that its meta belongs to.
func TestAsyncAPIHasTheCatalogue(t *testing.T) {
	doc := asyncReference(t)
	if !strings.HasPrefix(doc.AsyncAPI, "3.") {
		t.Errorf("asyncapi %q", doc.AsyncAPI)
	}
	events := map[string]bool{}
	for key, m := range doc.Components.Messages {
		text, isEvent := crm.Schema(key)
		if !isEvent {
			if !strings.HasPrefix(m.Name, "pusher") && !strings.HasPrefix(m.Name, "chatcast:") {
				t.Errorf("%s is neither an event nor the protocol's", key)
			}
			continue
		}
		var want map[string]any
		moved := strings.ReplaceAll(string(text), `"#/$defs/`, `"#/components/messages/`+key+`/payload/schema/$defs/`)
		if err := yaml.Unmarshal([]byte(moved), &want); err != nil {
			t.Fatal(err)
		}
		if m.Name != key || !reflect.DeepEqual(m.Payload.Schema, want) {
			t.Errorf("message %s is named %s and has another schema than the event: %v", key, m.Name, m.Payload.Schema)
		}
		events[key] = true
	}
	if got := slices.Sorted(maps.Keys(events)); !slices.Equal(got, crm.EventNames()) {
		t.Errorf("asyncapi.yaml has the events\n%v, the catalogue\n%v", got, crm.EventNames())
	}
	for _, event := range crm.EventNames() {
		metas := 0
		for channel, field := range channelMeta {
			_, carries := doc.Channels[channel].Messages[event]
			belongs := metaFields(t, event)[field] != nil
			if event == crm.EventQR { // about a line, and for those who may pair it alone
				belongs = channel == "companyUser" || channel == "user"
			}
			if event == crm.EventCompanyTag { // tags are the labels of every line, too
				belongs = channel == "company" || channel == "line"
			}
			if carries != belongs {
				t.Errorf("%s on channel %s: %v, but its meta says otherwise", event, channel, carries)
			}
			if carries {
				metas++
			}
		}
		if metas == 0 {
			t.Errorf("%s is on no channel", event)
		}
	}
}

// metaFields returns the fields of an event's meta.
func metaFields(t *testing.T, event string) map[string]any {
	t.Helper()
	text, ok := crm.Schema(event)
	if !ok {
		t.Fatalf("there is no schema of %s", event)
	}
	var schema struct {
		Properties struct {
			Payload struct {
				Properties struct {
					Meta struct{ Properties map[string]any }
				}
			}
		}
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	return schema.Properties.Payload.Properties.Meta.Properties
}

// TestAsyncAPIRefsResolve follows each $ref. All stay in the file, which users download
// alone.
func TestAsyncAPIRefsResolve(t *testing.T) {
	var doc map[string]any
	if err := yaml.Unmarshal(api.AsyncAPI(), &doc); err != nil {
		t.Fatal(err)
	}
	n := 0
	var walk func(at string, node any)
	walk = func(at string, node any) {
		switch node := node.(type) {
		case map[string]any:
			if to, is := node["$ref"].(string); is {
				n++
				if violation := resolve(doc, to); violation != nil {
					t.Errorf("%s: %v", at, violation)
				}
			}
			for k, v := range node {
				walk(at+"/"+k, v)
			}
		case []any:
			for i, v := range node {
				walk(fmt.Sprintf("%s/%d", at, i), v)
			}
		}
	}
	walk("#", doc)
	if n < 100 {
		t.Errorf("only %d references were found", n)
	}
}

func resolve(doc map[string]any, to string) error {
	pointer, local := strings.CutPrefix(to, "#/")
	if !local {
		return fmt.Errorf("%s leads out of the file", to)
	}
	var node any = doc
	for _, key := range strings.Split(pointer, "/") {
		object, _ := node.(map[string]any)
		if node = object[key]; node == nil {
			return fmt.Errorf("%s leads nowhere at %q", to, key)
		}
	}
	return nil
}

// TestAsyncAPIOperations checks that each operation names messages of its own channel,
// and that each message of a channel is sent or received.
func TestAsyncAPIOperations(t *testing.T) {
	doc := asyncReference(t)
	used := map[string]bool{}
	for name, op := range doc.Operations {
		if op.Action != "send" && op.Action != "receive" {
			t.Errorf("%s: action %q", name, op.Action)
		}
		for _, m := range op.Messages {
			if !strings.HasPrefix(m.Ref, op.Channel.Ref+"/messages/") {
				t.Errorf("%s: %s is not a message of %s", name, m.Ref, op.Channel.Ref)
			}
			used[op.Channel.last()+" "+m.last()] = true
		}
	}
	for channel, c := range doc.Channels {
		for m := range c.Messages {
			if !used[channel+" "+m] {
				t.Errorf("no operation has %s of channel %s", m, channel)
			}
		}
	}
}

// TestAsyncAPIExamples checks that each event has an example that fits its schema. It
// has nothing but the file.
func TestAsyncAPIExamples(t *testing.T) {
	doc, compiler := asyncReference(t), jsonschema.NewCompiler()
	var whole any
	if err := yaml.Unmarshal(api.AsyncAPI(), &whole); err != nil {
		t.Fatal(err)
	}
	if err := compiler.AddResource("asyncapi.json", inJSON(t, whole)); err != nil {
		t.Fatal(err)
	}
	for _, event := range crm.EventNames() {
		schema, err := compiler.Compile("asyncapi.json#/components/messages/" + event + "/payload/schema")
		if err != nil {
			t.Fatal(err)
		}
		examples := doc.Components.Messages[event].Examples
		if len(examples) == 0 {
			t.Errorf("%s has no example", event)
		}
		for _, example := range examples {
			if err := schema.Validate(inJSON(t, example.Payload)); err != nil {
				t.Errorf("the example of %s: %v", event, err)
			}
		}
		if schema.Validate(map[string]any{"payload": nil}) == nil {
			t.Errorf("the schema of %s accepts anything", event)
		}
	}
}

// inJSON returns a value of YAML as the validator takes it.
func inJSON(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return value
}
