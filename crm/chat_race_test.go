package crm_test

import (
	"encoding/json"
	"errors"
	"strconv"
	"testing"

	"golang.org/x/sync/errgroup"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestTwoOperatorsChangeOneChat: everybody gets an answer, no event repeats what
// the one before said, and the last one says how the chat is.
func TestTwoOperatorsChangeOneChat(t *testing.T) {
	const rounds = 25
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		cat := putCatalogue(t, w)
		chat := putChat(t, w, whatsApp, "70000000000@c.us")
		var group errgroup.Group
		for _, who := range []crm.Actor{w.Operator, w.Admin} {
			group.Go(func() error {
				for i := range rounds {
					if _, err := w.SetResponsible(ctxOf(), who, at(chat), crm.Value(who.UserID)); err != nil {
						return err
					}
					status := []string{models.ChatClose, models.ChatOpen}[i%2]
					if _, err := w.SetChatStatus(ctxOf(), who, at(chat), status); err != nil {
						return err
					}
					if _, err := w.SetLevel(ctxOf(), who, at(chat), crm.Value(cat.level)); err != nil {
						return err
					}
					if _, err := w.TagChat(ctxOf(), who, at(chat), crm.Value(cat.tag)); err != nil {
						return err
					}
					if _, err := w.UntagChat(ctxOf(), who, at(chat), cat.tag); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		told := foldChat(t, w.Events(t))
		data, err := w.Chat(ctxOf(), w.Owner, at(chat))
		if err != nil {
			t.Fatal(err)
		}
		if want := strconv.FormatInt(data.Responsible.ID, 10); told["chatResponsible"] != want {
			t.Errorf("the last event says responsible %s, the chat %s", told["chatResponsible"], want)
		}
		if told["chatStatus"] != data.Status {
			t.Errorf("the last event says %s, the chat is %s", told["chatStatus"], data.Status)
		}
		if want := "null"; data.Level == nil && told["chatLevel"] != want || data.Level != nil && told["chatLevel"] == want {
			t.Errorf("the last event says level %s, the chat has %v", told["chatLevel"], data.Level)
		}
		if told["chatTag"] != "destroy" || len(data.Tags) != 0 {
			t.Errorf("the last event says tag %s, the chat has %v", told["chatTag"], data.Tags)
		}
	})
}

// foldChat is what a dashboard knows after the events of one chat; an event that
// says what is known already is a fault.
func foldChat(t *testing.T, events []crmtest.Event) map[string]string {
	t.Helper()
	told := map[string]string{}
	for _, ev := range events {
		var item struct {
			Type               string
			Responsible, Level *crm.IDRef
		}
		if err := json.Unmarshal(ev.Items(t)[0], &item); err != nil {
			t.Fatal(err)
		}
		says := item.Type
		for _, ref := range []*crm.IDRef{item.Responsible, item.Level} {
			if ref != nil {
				says = strconv.FormatInt(ref.ID, 10)
			}
		}
		if says == "" {
			says = "null"
		}
		if told[ev.Name] == says {
			t.Errorf("%s says %s twice in a row", ev.Name, says)
		}
		told[ev.Name] = says
	}
	return told
}

// TestTagDeletedWhileItIsUsed: whatever the order, no chat keeps the tag, and
// what the events told of each chat ends with its removal.
func TestTagDeletedWhileItIsUsed(t *testing.T) {
	const chats = 20
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		cat := putCatalogue(t, w)
		var group errgroup.Group
		var list []models.Chat
		for i := range chats {
			list = append(list, putChat(t, w, whatsApp, strconv.Itoa(70000000000+i)+"@c.us"))
		}
		for _, who := range []crm.Actor{w.Operator, w.Admin} {
			group.Go(func() error {
				for _, chat := range list {
					_, err := w.TagChat(ctxOf(), who, at(chat), crm.Value(cat.tag))
					var e *crm.Error
					if err != nil && (!errors.As(err, &e) || e.Code != crm.CodeNotFound) {
						return err
					}
				}
				return nil
			})
		}
		group.Go(func() error { return w.DeleteTag(ctxOf(), w.Owner, cat.tag) })
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		on := map[string]bool{}
		for _, ev := range w.Events(t, "chatTag") {
			var item crm.ChatTagItem
			if err := json.Unmarshal(ev.Items(t)[0], &item); err != nil {
				t.Fatal(err)
			}
			if on[item.Chat.ID] == (item.Type == crm.TypeAdd) {
				t.Errorf("chat %s: %s of a tag that is so already", item.Chat.ID, item.Type)
			}
			on[item.Chat.ID] = item.Type == crm.TypeAdd
		}
		for _, chat := range list {
			data, err := w.Chat(ctxOf(), w.Owner, at(chat))
			if err != nil || len(data.Tags) != 0 || on[chat.ExternalID] {
				t.Errorf("chat %s: tags %v, the events say %v (%v)", chat.ExternalID, data.Tags, on[chat.ExternalID], err)
			}
		}
	})
}
