package dialects

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"chatcast/channels/testwait"
)

// viewer is what a client of one dialect has seen, in the CRM's words.
type viewer struct {
	name   string
	repeat bool // it is promised at least once: what comes again is left out

	mu sync.Mutex
	// guarded by mu
	messages []string          // their ids, as they came
	statuses []string          // "ID STATUS", as they came
	texts    map[string]string // of messages, as they are now
	known    map[string]bool   // what is in messages and statuses
	begun    bool              // it is subscribed
	returned int               // how often it has come back and gone on where it was
	problems []string          // what it was told and must not be
}

// statusWords are the words of all dialects for statuses of messages. Pending is told by none.
var statusWords = map[string]string{
	"sent": "sent", "delivered": "delivered", "viewed": "viewed",
	"SERVER_ACK": "sent", "DELIVERY_ACK": "delivered", "READ": "viewed",
	"read": "viewed",
}

func (w *world) newViewer(name string) *viewer {
	v := &viewer{name: name, known: map[string]bool{}, texts: map[string]string{}}
	w.viewers = append(w.viewers, v)
	return v
}

func (v *viewer) message(id, text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.texts[id] = text
	if v.repeat && v.known[id] {
		return
	}
	v.known[id] = true
	v.messages = append(v.messages, id)
}

func (v *viewer) status(id, word string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	said := statusWords[word]
	if said == "" {
		v.problems = append(v.problems, fmt.Sprintf("the status %q of %s", word, id))
		return
	}
	text := id + " " + said
	if v.repeat && v.known[text] {
		return
	}
	v.known[text] = true
	v.statuses = append(v.statuses, text)
}

func (v *viewer) begins()             { v.change(func() { v.begun = true }) }
func (v *viewer) returns()            { v.change(func() { v.returned++ }) }
func (v *viewer) problem(what string) { v.change(func() { v.problems = append(v.problems, what) }) }

func (v *viewer) change(how func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	how()
}

// items takes the items of an event of the CRM.
func (v *viewer) items(event string, items []json.RawMessage) {
	for _, text := range items {
		var item struct {
			ID, Type string
			Message  struct{ Text string }
		}
		switch event {
		case "message", "messageEdit", "messageStatus":
			if err := json.Unmarshal(text, &item); err != nil {
				v.problem(fmt.Sprintf("%s %s: %v", event, text, err))
			}
		}
		switch event {
		case "message":
			v.message(item.ID, item.Message.Text)
		case "messageEdit":
			v.change(func() { v.texts[item.ID] = item.Message.Text })
		case "messageStatus":
			v.status(item.ID, item.Type)
		}
	}
}

// seen returns how many messages and statuses it has seen.
func (v *viewer) seen() (messages, statuses int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.messages), len(v.statuses)
}

// awaitBegun waits until all viewers are subscribed.
func (w *world) awaitBegun() {
	w.t.Helper()
	for _, v := range w.viewers {
		testwait.Count(w.t, v.name+" begins", 1, func() (n int) {
			v.change(func() {
				if v.begun {
					n = 1
				}
			})
			return n
		})
	}
}

// await waits until all viewers have seen a message, which is the last one.
func (w *world) await(id string) {
	w.t.Helper()
	for _, v := range w.viewers {
		for last := false; !last; {
			n, _ := v.seen()
			v.change(func() { last = v.known[id] })
			if !last {
				w.awaitMessages(v, n+1)
			}
		}
	}
}

// awaitMessages waits until a viewer has seen so many messages.
func (w *world) awaitMessages(v *viewer, n int) {
	w.t.Helper()
	testwait.Count(w.t, "messages that "+v.name+" has seen", n, func() int {
		n, _ := v.seen()
		return n
	})
}

// awaitFirst waits until the quickest viewer has seen so many messages: on a busy machine a client
// that runs in Node.js may be far behind the others.
func (w *world) awaitFirst(n int) {
	w.t.Helper()
	testwait.Count(w.t, "messages that the quickest client has seen", n, func() (most int) {
		for _, v := range w.viewers {
			n, _ := v.seen()
			most = max(most, n)
		}
		return most
	})
}

// compare checks that every viewer has seen these messages and statuses, in this order.
func (w *world) compare(messages, statuses []string) {
	w.t.Helper()
	for _, v := range w.viewers {
		v.change(func() {
			for _, part := range []struct {
				what      string
				want, got []string
			}{{"messages", messages, v.messages}, {"statuses", statuses, v.statuses}} {
				if said := difference(part.want, part.got); said != "" {
					w.t.Errorf("%s has seen %d %s of %d: %s", v.name, len(part.got), part.what, len(part.want), said)
				}
			}
			if len(v.problems) > 0 {
				w.t.Errorf("%s was told %q", v.name, v.problems)
			}
		})
	}
}

// difference says how got differs from want; "" if it does not.
func difference(want, got []string) string {
	if slices.Equal(want, got) {
		return ""
	}
	times := map[string]int{}
	for _, id := range got {
		times[id]++
	}
	var said []string
	say := func(what string, ids []string) {
		if len(ids) > 0 {
			said = append(said, fmt.Sprintf("%s %d: %.2000s", what, len(ids), strings.Join(ids, ", ")))
		}
	}
	var lacks, twice, others []string
	for _, id := range want {
		switch times[id] {
		case 0:
			lacks = append(lacks, id)
		case 1:
		default:
			twice = append(twice, fmt.Sprintf("%s (%d times)", id, times[id]))
		}
		delete(times, id)
	}
	for _, id := range got {
		if times[id] > 0 {
			others = append(others, id)
		}
	}
	say("it lacks", lacks)
	say("it has more than once", twice)
	say("it has besides", others)
	if len(said) == 0 { // the same, in another order
		i := 0
		for want[i] == got[i] {
			i++
		}
		said = append(said, fmt.Sprintf("another order: the first %d are right, then there is %s instead of %s", i, got[i], want[i]))
	}
	return strings.Join(said, "; ")
}

// TestDifference checks that what is wrong is named.
func TestDifference(t *testing.T) {
	want := []string{"a", "b", "c"}
	for said, got := range map[string][]string{
		"":                                      {"a", "b", "c"},
		"it lacks 2: b, c":                      {"a"},
		"it has more than once 1: a (2 times)":  {"a", "a", "b", "c"},
		"it has besides 1: x":                   {"a", "b", "x", "c"},
		"it lacks 1: a; it has besides 2: x, y": {"x", "b", "c", "y"},
		"another order: the first 1 are right, then there is c instead of b": {"a", "c", "b"},
	} {
		if is := difference(want, got); is != said {
			t.Errorf("%q is %q, want %q", got, is, said)
		}
	}
}
