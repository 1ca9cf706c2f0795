package multiwa_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server/multiwa"
)

// late knows no line until it is told to: so is a directory right after a line was made on
// another node.
type late struct {
	directory
	knows atomic.Bool
	asked atomic.Int64
}

func (l *late) Profile(on crm.Line) (id, phone string) {
	l.asked.Add(1)
	if !l.knows.Load() {
		return "", ""
	}
	return l.directory.Profile(on)
}

// TestUnknownProfile checks that webhooks tell no event of a profile that is not known yet: they
// are tried again, and have its id then.
func TestUnknownProfile(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRest(t, store, onGr)
		lines := &late{directory: directory{r.InstanceDirectory()}}
		r.deliver(true, lines)
		to := newReceiver(t)
		id := r.hook(`{"url":"` + to.url + `","events":["message.received"]}`)
		r.settle(t)
		r.say(t, onGr, "3A01", "Hello")
		testwait.Count(t, "looks for the profile", 2, func() int { return int(min(2, lines.asked.Load())) })
		status, answer := r.call("POST", "/webhooks/"+id+"/test", "")
		if status != 201 || !strings.HasPrefix(answer, `{"success":false,"statusCode":null,`) || member(t, answer, "message") != "the profile is not known yet" {
			t.Errorf("the test: %d %s", status, answer)
		}
		select {
		case got := <-to.got:
			t.Errorf("it was told %s", got.body)
		default:
		}
		lines.knows.Store(true)
		if got := to.next(t); !strings.HasPrefix(got.body, `{"event":"message.received","timestamp":"`) || !strings.Contains(got.body, `"profileId":"`+r.profileOf(t, onGr)+`","data":{"id":"false_351912000001@c.us_3A01"`) {
			t.Errorf("it got %s", got.body)
		}
	})
}

// TestUnknownProfileIsNotWanted checks that an event that a webhook does not want is not tried
// again, whatever is known.
func TestUnknownProfileIsNotWanted(t *testing.T) {
	lines := &late{}
	to := crm.CallbackTarget{Line: onGr, Events: []string{"message.sent"}}
	for _, name := range []string{crm.EventChatRead, "unheard of"} {
		list, err := multiwa.Hooks{Lines: lines}.Requests(t.Context(), to, crm.CallbackEvent{ID: 1, Name: name, Body: []byte(`{"data":[],"meta":{}}`), Line: onGr}, time.Time{})
		if len(list) != 0 || err != nil {
			t.Errorf("%s: %v, %v", name, list, err)
		}
	}
}

// TestUnknownProfileIsServed checks that requests and sockets find a profile that the directory
// does not know yet.
func TestUnknownProfileIsServed(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHarness(t, store, func(o *setup) { o.options.Lines = &late{} })
		r := &rest{harness: h, t: t, key: h.key(t, onGr).Key}
		r.withWebhooks(true)
		profile := h.profileOf(t, onGr)
		c := h.connect(t, r.key)
		c.send(`{"type":"subscribe","payload":{"events":["*"]}}`)
		c.expect(`{"type":"ack","payload":{"action":"subscribed","profileId":"` + profile + `","events":["*"]}}`)
		h.say(t, onGr, "3A01", "Hello")
		c.expect(received("message.received", profile, "3A01", "Hello", 1))
		_, list := r.call("GET", "/conversations", "")
		_, id, _ := strings.Cut(list, `"id":"`)
		if status, answer := r.call("GET", "/conversations/"+id[:36], ""); status != 200 || !strings.Contains(answer, `"profileId":"`+profile+`"`) {
			t.Errorf("the conversation: %d %s", status, answer)
		}
		hook := r.hook(`{"url":"https://h.example/x","events":["*"]}`)
		want := row(hook, profile, "https://h.example/x", `["*"]`, true)
		r.want("GET", "/webhooks", "", 200, "["+want+"]")
		r.want("PUT", "/webhooks/"+hook, `{"enabled":true}`, 200, want)
	})
}
