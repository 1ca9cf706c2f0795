package crm_test

import (
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestPhoneAndLIDAreOneChat ingests the two ids of a person in every order.
func TestPhoneAndLIDAreOneChat(t *testing.T) {
	const (
		phone    = `"79990001122"`
		lid      = `"555@lid"`
		both     = `{"id":"79990001122@c.us","lid":"555@lid"}`
		lidFirst = `{"id":"555@lid","phone":"79990001122"}`
	)
	for name, order := range map[string][]string{
		"phone, both, lid":    {phone, both, lid},
		"lid, both, phone":    {lid, lidFirst, phone},
		"both at once":        {both, phone, lid},
		"two chats, then one": {phone, lid, both},
		"two, other way":      {lid, phone, lidFirst},
		"both, twice":         {both, lidFirst, both},
	} {
		t.Run(name, func(t *testing.T) {
			testdb.Each(t, func(t *testing.T, store *models.Store) {
				w := crmtest.New(t, store)
				for i, chat := range order {
					receive(t, w, onGr, fmt.Sprintf(`{"messages":[{"id":"L%d","chat":%s,"message":{"text":"Hi"}}]}`, i, chat))
				}
				page, err := w.Chats(t.Context(), w.Owner, onGr, crm.ChatQuery{})
				if err != nil || len(page.Items) != 1 {
					t.Fatalf("%d chats, %v", len(page.Items), err)
				}
				chat := page.Items[0]
				if chat.ID != "79990001122@c.us" || chat.LID == nil || *chat.LID != "555@lid" || *chat.Phone != "79990001122" || chat.Unread != 3 {
					t.Errorf("chat %+v", chat)
				}
				for _, id := range []string{"79990001122", "555@lid"} {
					list, err := w.Messages(t.Context(), w.Owner, chatAt(onGr, id), crm.MessageQuery{})
					if err != nil || len(list.Items) != 3 {
						t.Errorf("messages of %s: %d, %v", id, len(list.Items), err)
					}
				}
				if n := len(w.Events(t, "message")); n != 3 {
					t.Errorf("%d events", n)
				}
			})
		})
	}
}

// TestLinkingAtOnce ingests messages with one id, the other and both at the same time.
// None may fail or be lost, and in the end there must be one chat.
func TestLinkingAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		const people, times = 4, 3
		var posts errgroup.Group
		bring := func(id, chat string) func() error {
			in := inbound(t, fmt.Sprintf(`{"messages":[{"id":%q,"chat":%s,"message":{"text":"Hi"}}]}`, id, chat))
			return func() error {
				_, err := w.IngestAs(t.Context(), w.Admin, onGr, in)
				return err
			}
		}
		for p := range people {
			for i := range times {
				posts.Go(bring(fmt.Sprintf("P%d-%d", p, i), fmt.Sprintf(`"7999000000%d"`, p)))
				posts.Go(bring(fmt.Sprintf("L%d-%d", p, i), fmt.Sprintf(`"4%d@lid"`, p)))
				posts.Go(bring(fmt.Sprintf("B%d-%d", p, i), fmt.Sprintf(`{"id":"4%d@lid","phone":"7999000000%d"}`, p, p)))
			}
		}
		if err := posts.Wait(); err != nil {
			t.Fatal(err)
		}
		page, err := w.Chats(t.Context(), w.Owner, onGr, crm.ChatQuery{})
		if err != nil || len(page.Items) != people {
			t.Fatalf("%d chats, %v; want %d", len(page.Items), err, people)
		}
		for _, chat := range page.Items {
			if chat.LID == nil || chat.Unread != 3*times {
				t.Errorf("chat %s: lid %v, unread %d", chat.ID, chat.LID, chat.Unread)
			}
		}
		if n := len(w.Events(t, "message")); n != 3*times*people {
			t.Errorf("%d messages, want %d", n, 3*times*people)
		}
	})
}

// TestMergeIsTold checks that one event maps the old id to the new one.
func TestMergeIsTold(t *testing.T) {
	const merged = `[{"from":{"id":"555@lid"},"to":{"id":"79990001122@c.us"}}]`
	for name, c := range map[string]struct {
		order []string
		want  string
	}{
		"of two chats one":       {[]string{`"79990001122"`, `"555@lid"`, `{"id":"79990001122","lid":"555@lid"}`, `"555@lid"`}, merged},
		"a chat gets its number": {[]string{`"555@lid"`, `{"id":"555@lid","phone":"79990001122"}`, `"79990001122"`}, merged},
		"both from the first":    {[]string{`{"id":"79990001122","lid":"555@lid"}`, `"555@lid"`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			testdb.Each(t, func(t *testing.T, store *models.Store) {
				w := crmtest.New(t, store)
				for i, chat := range c.order {
					receive(t, w, onGr, fmt.Sprintf(`{"messages":[{"id":"L%d","chat":%s,"message":{"text":"Hi"}}]}`, i, chat))
				}
				got := ""
				for _, ev := range w.Events(t, crm.EventChatMerge) {
					got += string(mustJSON(t, ev.Items(t)))
				}
				if got != c.want {
					t.Errorf("told is %s", got)
				}
			})
		})
	}
}

// TestMergeOfHistoryIsTold checks that a merge by history causes an event, although
// other history does not: clients have the old id.
func TestMergeOfHistoryIsTold(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", "555@lid", "Hi", crmtest.Start)}})
		mark := w.Mark(t)
		ingest(t, w, crm.InboundBatch{History: true, Aliases: []crm.InboundAlias{{Phone: idOf("79990001122"), LID: idOf("555@lid")}}})
		if got := names(w.EventsAfter(t, mark)); len(got) != 1 || got[0] != crm.EventChatMerge {
			t.Errorf("told is %q", got)
		}
	})
}

// TestWhoHearsOfAMerge checks that all users who saw either chat get the event.
func TestWhoHearsOfAMerge(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		receive(t, w, onGr, `{"messages":[{"id":"L1","chat":"555@lid","message":{"text":"Hi"}},{"id":"L2","chat":"79990001122","message":{"text":"Hi"}}]}`)
		receive(t, w, onGr, `{"messages":[{"id":"L3","chat":{"id":"555@lid","phone":"79990001122"},"message":{"text":"Hi"}}]}`)
		merge, message := w.Events(t, crm.EventChatMerge), w.Events(t, crm.EventMessage)
		if len(merge) != 1 || fmt.Sprint(merge[0].Channels) != fmt.Sprint(message[0].Channels) {
			t.Errorf("it is told on %v", merge)
		}
	})
}
