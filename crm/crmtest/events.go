package crmtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"chatcast/crm"
	"chatcast/models"
)

// Event is one entry of the journal.
type Event struct {
	ID       int64 // of the journal's row
	Name     string
	Channels []string
	Data     string // {"payload":{"data":[...],"meta":{...}}}
}

// Items returns the items of the event's payload.data, each as JSON.
func (e Event) Items(t testing.TB) []json.RawMessage {
	t.Helper()
	var data struct {
		Payload struct{ Data []json.RawMessage }
	}
	if err := json.Unmarshal([]byte(e.Data), &data); err != nil {
		t.Fatalf("crmtest: event %s: %v", e.Name, err)
	}
	return data.Payload.Data
}

// Events lists the journal in the order of writing: all events, or those with the
// names.
func (w *World) Events(t testing.TB, names ...string) []Event {
	t.Helper()
	return w.EventsAfter(t, 0, names...)
}

// Mark returns the current end of the journal, for EventsAfter.
func (w *World) Mark(t testing.TB) int64 {
	t.Helper()
	mark, err := w.Store.Read(context.Background()).LastWritten()
	if err != nil {
		t.Fatalf("crmtest: read the end of the journal: %v", err)
	}
	return mark
}

// EventsAfter is like Events, for the events that were written after the mark.
func (w *World) EventsAfter(t testing.TB, mark int64, names ...string) []Event {
	t.Helper()
	const all = 1 << 30
	// Not the test's context, because cleanups read the journal too.
	rows, err := w.Store.Read(context.Background()).Written(mark, all)
	if err != nil {
		t.Fatalf("crmtest: read the journal: %v", err)
	}
	events := []Event{}
	for _, row := range rows {
		if len(names) > 0 && !slices.Contains(names, row.Name) {
			continue
		}
		ev := Event{ID: row.ID, Name: row.Name, Data: row.Data}
		if err := json.Unmarshal([]byte(row.Channels), &ev.Channels); err != nil {
			t.Fatalf("crmtest: channels of journal row %d: %v", row.ID, err)
		}
		events = append(events, ev)
	}
	return events
}

// ValidateJournal fails the test for every event of the journal that does not match
// its schema, without and with the number that the relay adds.
func ValidateJournal(t testing.TB, store *models.Store) {
	rows, err := store.Read(context.Background()).Written(0, 1<<30)
	if err != nil {
		t.Errorf("crmtest: read the journal: %v", err)
		return
	}
	for _, row := range rows {
		if row.Channels == "[]" { // its line is gone, and its content
			continue
		}
		if schema := Schema(t, row.Name); schema != nil {
			validate(t, schema, row)
		}
	}
}

// validatePublished is ValidateJournal for events that the journal does not hold.
func validatePublished(t testing.TB, events []Event) {
	for _, ev := range events {
		if schema := Schema(t, ev.Name); schema != nil {
			validateData(t, schema, ev.Name, ev.Data)
		}
	}
}

func validate(t testing.TB, schema *jsonschema.Schema, row models.JournalEntry) {
	validateData(t, schema, row.Name, row.Data, crm.WithEventID(row.Data, row.ID))
}

func validateData(t testing.TB, schema *jsonschema.Schema, name string, forms ...string) {
	for _, data := range forms {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(data))
		if err != nil {
			t.Errorf("crmtest: event %s is not JSON: %v\n%s", name, err, data)
			return
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("crmtest: event %s breaks its schema: %v\n%s", name, err, data)
			return
		}
	}
}

// schemas holds the compiled schemas, by the name of the event. A schema does not change, and
// compiling one takes longer than most tests of the rules.
var schemas sync.Map

// Schema returns the schema of an event. It fails the test and returns nil when there is
// none.
func Schema(t testing.TB, event string) *jsonschema.Schema {
	t.Helper()
	if schema, ok := schemas.Load(event); ok {
		return schema.(*jsonschema.Schema)
	}
	schema, err := compile(event)
	if err != nil {
		t.Errorf("crmtest: schema of %s: %v", event, err)
		return nil
	}
	schemas.Store(event, schema)
	return schema
}

func compile(event string) (*jsonschema.Schema, error) {
	text, ok := crm.Schema(event)
	if !ok {
		text, ok = crm.InternalSchema(event)
	}
	if !ok {
		return nil, errors.New("there is none in crm/schemas")
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("schema.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("schema.json")
}
