package browser

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

var lineEvents = []string{
	"chatAccomplice", "chatAuditor", "chatConversation", "chatLevel", "chatProcess", "chatProducer", "chatRead",
	"chatResponsible", "chatResponsiblePin", "chatStatus", "chatTag", "message", "messageStatus",
}

// catalogue lists the channels, and the events of ChatApp's catalogue on each, with ours of the company's tags.
var catalogue = map[string][]string{
	e2e.LineChannel:    slices.Sorted(slices.Values(append([]string{"companyTag"}, lineEvents...))),
	e2e.CompanyChannel: {"companyTag", "employeeStatus", "employeeWorkday"},
	e2e.UserChannel:    {"quickResponse", "quickResponseList"},
	e2e.ViewChannel:    lineEvents,
}

// received is one event as a page logged it.
type received struct {
	channel, event string
	id             int64
}

func receivedOf(t *testing.T, logged []json.RawMessage) (list []received) {
	t.Helper()
	for _, l := range logged {
		var args [3]json.RawMessage
		var r received
		var data e2e.Payload
		for i, dst := range []any{&r.channel, &r.event, &data} {
			if json.Unmarshal(l, &args) != nil || json.Unmarshal(args[i], dst) != nil {
				t.Fatalf("the page logged %s", l)
			}
		}
		r.id = data.Payload.Meta.EventID
		list = append(list, r)
	}
	return list
}

// TestAll17Events causes every event of the catalogue by REST, and compares what a page
// received with the journal: each event on its channels, once, in order.
func TestAll17Events(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	owner.GoOnline(685) // before the page opens: whether it sees this event would be a race
	before := journalOf(owner, e2e.CompanyChannel)
	bea, beaID := owner.Hire(p)
	values := p.Site(owner.Token)
	names, err := json.Marshal(slices.Sorted(maps.Keys(catalogue)))
	if err != nil {
		t.Fatal(err)
	}
	values.Channels = string(names)
	tab := e2e.OpenPage(t, "all-events.html", values)
	tab.Subscribed(len(catalogue))
	actAll(owner)
	bea.GoOnline(beaID)

	// All requests were answered, so all events are in the journal. Any duplicate that
	// the page received comes before the last event.
	journal := map[string][]received{}
	total := 0
	for channel := range catalogue {
		journal[channel] = journalOf(owner, channel)
		total += len(journal[channel])
	}
	journal[e2e.CompanyChannel] = journal[e2e.CompanyChannel][len(before):]
	total -= len(before)
	tab.Wait("all events", func(logged []json.RawMessage, _ []string) bool { return len(logged) >= total })
	byChannel := map[string][]received{}
	for _, r := range receivedOf(t, tab.Logs()) {
		byChannel[r.channel] = append(byChannel[r.channel], r)
	}
	for channel, events := range catalogue {
		if !slices.Equal(byChannel[channel], journal[channel]) {
			t.Errorf("on %s the page received\n%v\nthe journal has\n%v", channel, byChannel[channel], journal[channel])
		}
		seen := map[string]bool{}
		for _, r := range journal[channel] {
			seen[r.event] = true
		}
		if got := slices.Sorted(maps.Keys(seen)); !slices.Equal(got, events) {
			t.Errorf("%s carries %v, want %v", channel, got, events)
		}
	}
}

// journalOf returns the events that a channel carried, from the journal.
func journalOf(c *e2e.Client, channel string) (list []received) {
	c.T.Helper()
	for _, ev := range c.Events(channel) {
		list = append(list, received{channel, ev.Event, ev.ID})
	}
	return list
}

// actAll performs actions that cause every event.
func actAll(c *e2e.Client) {
	c.T.Helper()
	actOnLine(c, e2e.WhatsAppPath) // message, chatConversation, messageStatus, chatTag
	actOnQuickResponses(c)
	var level struct{ ID int64 }
	c.Must("POST", "/v1/levels", map[string]any{"name": "Offer made"}, &level)
	chat := e2e.WhatsAppPath + "/chats/79990001122"
	for _, a := range []struct {
		method, path string
		body         map[string]any
	}{
		{"PATCH", "/read", nil},
		{"PUT", "/responsible", map[string]any{"id": 685}},
		{"PUT", "/responsible/pin", map[string]any{"type": "pin"}},
		{"PUT", "/producer", map[string]any{"id": 685}},
		{"POST", "/accomplices", map[string]any{"id": 685}},
		{"DELETE", "/accomplices/685", nil},
		{"POST", "/auditors", map[string]any{"id": 685}},
		{"DELETE", "/auditors/685", nil},
		{"PUT", "/level", map[string]any{"id": level.ID}},
		{"PUT", "/process", map[string]any{"process": "inWork"}},
		{"PUT", "/status", map[string]any{"type": "close"}},
	} {
		c.Must(a.method, chat+a.path, a.body, nil)
	}
	c.Must("PUT", "/v1/companies/2224/employees/685/workday", map[string]any{"type": "start"}, nil)
}
