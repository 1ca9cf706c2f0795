package dialects

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
)

// outgoing is how many messages TestEachDialectSeesWhatIsSent sends.
const outgoing = 200

// TestEachDialectSeesWhatIsSent sends 200 messages by the REST routes of three dialects at
// once. Pusher has no route to send a message to a customer. The connections of the clients
// are cut meanwhile. Each client sees each message once, under the id that its sender was
// told, and its statuses, each once and in order.
func TestEachDialectSeesWhatIsSent(t *testing.T) {
	eachDatabase(t, func(w *world) {
		for _, c := range w.customers { // so that what follows are answers, which need not wait
			w.owner.AwaitEvent("message", c.SendText(w.Shop, "Hello"))
		}
		w.from = w.owner.LastEventID()
		w.join()
		told := make(chan map[string]string, 1)
		go func() { told <- w.send() }()
		w.awaitMessages(w.viewers[0], outgoing/2)
		w.cable.Pull()
		w.cable.Mend()
		senders := <-told
		last := w.Anna.SendText(w.Shop, "the last one")
		w.read(senders)
		w.await(last)
		w.awaitStatuses(3 * outgoing)
		var messages, statuses []string
		v := w.viewers[slices.IndexFunc(w.viewers, func(v *viewer) bool { return v.name == "GET /v1/events" })]
		v.change(func() { messages, statuses = slices.Clone(v.messages), slices.Clone(v.statuses) })
		w.compare(messages, statuses)
		w.checkStatuses(senders, messages, statuses)
		w.recovered()
		w.stop()
	})
}

// send sends by all dialects at once, and returns who has sent each id.
func (w *world) send() map[string]string {
	var mu sync.Mutex
	var all sync.WaitGroup
	told := map[string]string{}
	for from, send := range []func(to, text string) (string, error){w.byChatApp, w.byEvolution, w.byMultiWA} {
		all.Go(func() {
			for i := from; i < outgoing; i += 3 {
				text := fmt.Sprintf("answer %d", i)
				id, err := send(w.customers[i/3%len(w.customers)].Number().User, text)
				if err != nil {
					w.t.Errorf("%s: %v", text, err)
					return
				}
				mu.Lock()
				if told[id] != "" {
					w.t.Errorf("%s has the id of %s: %s", text, told[id], id)
				}
				told[id] = text
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return told
}

func (w *world) byChatApp(to, text string) (string, error) {
	var sent struct{ Data struct{ ID string } }
	err := w.post(e2e.WhatsAppPath+"/chats/"+to+"/messages/text", "Authorization", w.owner.Token, textOf("text", text), &sent)
	return sent.Data.ID, err
}

func (w *world) byEvolution(to, text string) (string, error) {
	var sent struct{ Key struct{ ID string } }
	err := w.post("/message/sendText/"+instance, "apikey", w.key, textOf("number", to, "text", text), &sent)
	return sent.Key.ID, err
}

func (w *world) byMultiWA(to, text string) (string, error) {
	var sent struct{ WAMessageID string }
	err := w.post("/api/v1/messages/text", "x-api-key", w.key, textOf("to", to, "text", text), &sent)
	return bareID(sent.WAMessageID), err
}

// textOf returns a JSON object of texts.
func textOf(pairs ...string) string {
	object := map[string]string{}
	for pair := range slices.Chunk(pairs, 2) {
		object[pair[0]] = pair[1]
	}
	text, _ := json.Marshal(object)
	return string(text)
}

// read waits until all of it has arrived at the customers' phones, and reads it there.
func (w *world) read(senders map[string]string) {
	w.t.Helper()
	for _, c := range w.customers {
		arrived := func() (ids []string) {
			for _, m := range c.Inbox() {
				if senders[m.ID] != "" {
					ids = append(ids, m.ID)
				}
			}
			return ids
		}
		want := 0
		for _, text := range senders {
			var i int
			if _, err := fmt.Sscanf(text, "answer %d", &i); err == nil && w.customers[i/3%len(w.customers)] == c {
				want++
			}
		}
		testwait.Count(w.t, "messages at a phone", want, func() int { return len(arrived()) })
		if ids := arrived(); len(ids) != want || len(slices.Compact(slices.Sorted(slices.Values(ids)))) != want {
			w.t.Errorf("at %s have arrived %d messages, want %d once: %q", c.Number().User, len(ids), want, ids)
		}
		c.Read(w.Shop, arrived()...)
	}
}

// awaitStatuses waits until all viewers have seen so many statuses.
func (w *world) awaitStatuses(n int) {
	w.t.Helper()
	for _, v := range w.viewers {
		testwait.Count(w.t, "statuses that "+v.name+" has seen", n, func() int {
			_, statuses := v.seen()
			return statuses
		})
	}
}

// checkStatuses checks that each message that was sent was told once, and has gone from one
// status to the next, without a step back.
func (w *world) checkStatuses(senders map[string]string, messages, statuses []string) {
	w.t.Helper()
	said := map[string][]string{}
	for _, text := range statuses {
		id, status, _ := strings.Cut(text, " ")
		said[id] = append(said[id], status)
	}
	for id, text := range senders {
		if got := strings.Join(said[id], " "); got != "sent delivered viewed" {
			w.t.Errorf("%s (%s) is %s", text, id, got)
		}
		if !slices.Contains(messages, id) {
			w.t.Errorf("%s (%s) was not told", text, id)
		}
	}
	if len(senders) != outgoing || len(messages) != outgoing+1 || len(statuses) != 3*outgoing {
		w.t.Errorf("%d are sent, %d messages and %d statuses are told", len(senders), len(messages), len(statuses))
	}
}
