package webhook_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/webhook"
	"chatcast/models"
	"chatcast/models/testdb"
)

// ingest brings messages of these chats, one after another, and returns when their events
// have numbers.
func (w *world) ingest(chats ...string) {
	w.t.Helper()
	for _, chat := range chats {
		var in crm.InboundRequest
		body := fmt.Sprintf(`{"messages":[{"id":"m%d","chat":%s,"message":{"text":"Hi"}}]}`, w.last(), chat)
		if err := json.Unmarshal([]byte(body), &in); err != nil {
			w.t.Fatal(err)
		}
		before := w.last()
		if _, err := w.IngestAs(w.t.Context(), w.Owner, line, in); err != nil {
			w.t.Fatal(err)
		}
		w.numbered(before)
	}
}

// numbered waits until there are events after this one, and all of them have numbers.
func (w *world) numbered(before int64) {
	w.t.Helper()
	w.relay.Wake()
	testwait.Count(w.t, "changes with numbers", 1, func() int {
		rest, err := w.Store.Read(w.t.Context()).JournalUnnumbered()
		if err != nil {
			w.t.Fatal(err)
		}
		if rest > 0 || w.last() == before {
			return 0
		}
		return 1
	})
}

// told returns what a receiver got as name:id lines, one for each event.
func (r *receiver) told() (list []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, body := range r.bodies {
		var ev struct {
			Data []struct {
				Chat, Contact, To crm.ChatRef
			}
			Meta struct{ Type string }
		}
		if err := json.Unmarshal([]byte(body), &ev); err != nil {
			r.t.Errorf("%v in %s", err, body)
			continue
		}
		list = append(list, ev.Meta.Type+":"+ev.Data[0].Chat.ID+ev.Data[0].Contact.ID+ev.Data[0].To.ID)
	}
	return list
}

// TestChatsAreFollowed selects a chat that gets another id, and loses it to another person:
// the URL gets all of that chat and nothing of the other, also once more after a rewind.
func TestChatsAreFollowed(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, webhook.Options{})
		const (
			both  = `{"id":"79990001122@c.us","lid":"555@lid"}`
			moved = `{"id":"79990001122@c.us","lid":"777@lid"}`
		)
		w.ingest(`"555@lid"`)
		r := newReceiver(t)
		names := []string{"message", "chatMerge", "contactName"}
		d := w.set(line, crm.CallbackInput{URL: r.url, Events: names, Chats: []string{"555@lid"}})
		r.secret = d.Secret
		w.ingest(`"555@lid"`, both, `"79990001122"`)
		before := w.last()
		if _, err := w.RenameContact(t.Context(), w.Owner, crm.ContactAddress{Line: line, ContactID: "79990001122@c.us"}, crm.Value("Anna")); err != nil {
			t.Fatal(err)
		}
		w.numbered(before)
		if got := w.status(d.ID).Chats; !slices.Equal(got, []string{"79990001122@c.us"}) {
			t.Errorf("it selects %v", got)
		}
		w.ingest(moved, `"79990001122"`, `"555@lid"`, `"777@lid"`)
		want := []string{"message:555@lid", "chatMerge:79990001122@c.us", "message:79990001122@c.us", "message:79990001122@c.us",
			"contactName:79990001122@c.us", "chatMerge:555@lid", "message:555@lid"}
		w.run()
		check := func(want []string) {
			t.Helper()
			testwait.Count(t, "events", len(want), func() int { return len(r.told()) })
			if got := r.told(); !slices.Equal(got, want) {
				t.Fatalf("it got %s\nwant %s", strings.Join(got, " "), strings.Join(want, " "))
			}
			last := w.last() // a change before the answer is stored would repeat the event
			w.await(d.ID, "all are done with", func(d crm.CallbackData) bool { return d.LastEventID >= last })
			r.forget()
		}
		check(want)
		w.ingest(`"79990001122"`, `"555@lid"`)
		check([]string{"message:555@lid"})
		w.set(line, crm.CallbackInput{URL: r.url, Events: names, Chats: []string{"555@lid"}})
		if _, err := w.RewindCallback(t.Context(), w.Owner, d.ID, crm.CallbackRewind{EventID: crm.Value[int64](0)}); err != nil {
			t.Fatal(err)
		}
		check(slices.Concat([]string{"message:555@lid"}, want, []string{"message:555@lid"}))
	})
}

// TestFormerIDs sets URLs with an id that a chat had before: it is selected by the id that it
// has now, also when the URL is new, and with what happened under the id of before. An id with
// which there is no chat is refused.
func TestFormerIDs(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, webhook.Options{})
		const old, now = "79990001122@c.us", "79990005566@c.us"
		w.ingest(`{"id":"` + old + `","lid":"555@lid"}`)
		r := newReceiver(t)
		in := crm.CallbackInput{URL: r.url, Events: []string{"message"}, Chats: []string{"+79990001122"}}
		r.secret = w.set(line, in).Secret
		w.ingest(`"`+old+`"`, `{"id":"`+now+`","lid":"555@lid"}`)
		selects := func(d crm.CallbackData) {
			t.Helper()
			if !slices.Equal(d.Chats, []string{now}) {
				t.Errorf("it selects %v", d.Chats)
			}
		}
		selects(w.set(line, in)) // the URL knows the move
		w.prune()
		selects(w.set(line, in)) // it alone

		w.ingest(`{"id":"79990007788@c.us","lid":"777@lid"}`, `"79990007788"`, `{"id":"79990009900@c.us","lid":"777@lid"}`)
		if err := w.DeleteLineCallback(t.Context(), w.Owner, line); err != nil {
			t.Fatal(err)
		}
		in.Chats = []string{"79990007788"}
		d := w.set(line, in) // the journal knows the move
		r.secret = d.Secret
		if !slices.Equal(d.Chats, []string{"79990009900@c.us"}) {
			t.Errorf("a new one selects %v", d.Chats)
		}
		before, err := w.Store.Read(t.Context()).JournalBounds()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.RewindCallback(t.Context(), w.Owner, d.ID, crm.CallbackRewind{EventID: crm.Value(before.First - 1)}); err != nil {
			t.Fatal(err)
		}
		w.run()
		want := []string{"message:79990007788@c.us", "message:79990007788@c.us", "message:79990009900@c.us"}
		testwait.Count(t, "events", len(want), func() int { return len(r.told()) })
		if got := r.told(); !slices.Equal(got, want) {
			t.Errorf("it got %v, want %v", got, want)
		}

		in.Chats = []string{now, "79990003344", old, "12345678@g.us"}
		var e *crm.Error
		if _, err := w.SetLineCallback(t.Context(), w.Owner, line, in); !errors.As(err, &e) || e.Code != crm.CodeInvalid || len(e.Fields) != 3 ||
			e.Fields["chats[1]"] == "" || e.Fields["chats[2]"] == "" || e.Fields["chats[3]"] == "" {
			t.Errorf("unknown chats: %v", err)
		}
		if got := w.status(d.ID).Chats; !slices.Equal(got, []string{"79990009900@c.us"}) {
			t.Errorf("then it selects %v", got)
		}
	})
}

// TestNumbersThatPassOn selects chats by numbers that pass from one person to another: whoever
// sets the URL, and however often, it gets what the selected one said under each of their ids,
// and nothing of the others.
func TestNumbersThatPassOn(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, webhook.Options{})
		const (
			first, second = "79990001122@c.us", "79990005566@c.us"
			anna, boris   = "555@lid", "777@lid"
		)
		r := newReceiver(t)
		said := map[string][]int64{} // events, by person
		say := func(who, number string) {
			t.Helper()
			from := w.last()
			w.ingest(`{"id":"` + number + `","lid":"` + who + `"}`)
			rows, err := w.Store.Read(t.Context()).ChannelJournal(models.ChannelView{Channel: line.Channel()}, from, w.last(), 100)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range rows {
				if e.Name == crm.EventMessage {
					said[who] = append(said[who], *e.Seq)
				}
			}
		}
		set := func(id, want string) crm.CallbackData {
			t.Helper()
			d := w.set(line, crm.CallbackInput{URL: r.url, Events: []string{"message"}, Chats: []string{id}})
			if !slices.Equal(d.Chats, []string{want}) {
				t.Errorf("with %s it selects %v, want %s", id, d.Chats, want)
			}
			return d
		}
		say(anna, first)
		d := set(first, first)
		r.secret = d.Secret
		say(anna, second)
		say(boris, second)
		say(boris, second)
		gets := func(id, want, who, other string) {
			t.Helper()
			set(id, want)
			r.forget()
			if _, err := w.RewindCallback(t.Context(), w.Owner, d.ID, crm.CallbackRewind{EventID: crm.Value[int64](0)}); err != nil {
				t.Fatal(err)
			}
			w.hooks = w.newHooks(webhook.Options{})
			w.hooks.Serve(w.Service)
			w.Callbacks = w.hooks
			stop, last := w.run(), w.last()
			w.await(d.ID, "all are done with", func(d crm.CallbackData) bool { return d.LastEventID >= last })
			r.wants(said[who]...)
			stop()
			for _, event := range said[other] {
				if _, err := w.RedeliverCallback(t.Context(), w.Owner, d.ID, event); !crm.IsCallbackGone(err) {
					t.Errorf("with %s event %d is delivered once more: %v", id, event, err)
				}
			}
		}
		gets(first, anna, anna, boris)
		gets(anna, anna, anna, boris)
		gets(second, second, boris, anna)
		if err := w.DeleteLineCallback(t.Context(), w.Owner, line); err != nil {
			t.Fatal(err)
		}
		d = set(first, anna)
		r.secret = d.Secret
		gets(first, anna, anna, boris)
		gets(boris, second, boris, anna)
		say(anna, second) // the number returns
		gets(first, second, anna, boris)
		gets(second, second, anna, boris)
		gets(boris, boris, boris, anna)
		say(boris, first)
		if got := w.status(d.ID).Chats; !slices.Equal(got, []string{first}) {
			t.Errorf("followed, it selects %v", got)
		}
		gets(first, first, boris, anna)
		gets(second, second, anna, boris)
	})
}

// TestEventsWithoutChats checks that an event that is about no chat is not accepted together
// with chats.
func TestEventsWithoutChats(t *testing.T) {
	w := newWorld(t, testdb.Open(t, testdb.SQLiteURL(t)), webhook.Options{})
	in := crm.CallbackInput{URL: newReceiver(t).url, Events: []string{"message", "messengerStatus"}, Chats: []string{"79990001122"}}
	var e *crm.Error
	if _, err := w.SetLineCallback(t.Context(), w.Owner, line, in); !errors.As(err, &e) || e.Fields["events[1]"] == "" {
		t.Errorf("accepted: %v", err)
	}
	in.Chats = nil
	w.set(line, in)
}
