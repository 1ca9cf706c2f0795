package crm_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"testing"

	"golang.org/x/sync/errgroup"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestTwoOperatorsChangeOneChat checks that every call returns, that no event repeats
// the one before, and that the last event agrees with the chat.
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
		last := foldChat(t, w.Events(t))
		data, err := w.Chat(ctxOf(), w.Owner, at(chat))
		if err != nil {
			t.Fatal(err)
		}
		if want := strconv.FormatInt(data.Responsible.ID, 10); last["chatResponsible"] != want {
			t.Errorf("the last event says responsible %s, the chat %s", last["chatResponsible"], want)
		}
		if last["chatStatus"] != data.Status {
			t.Errorf("the last event says %s, the chat is %s", last["chatStatus"], data.Status)
		}
		if want := "null"; data.Level == nil && last["chatLevel"] != want || data.Level != nil && last["chatLevel"] == want {
			t.Errorf("the last event says level %s, the chat has %v", last["chatLevel"], data.Level)
		}
		if last["chatTag"] != "destroy" || len(data.Tags) != 0 {
			t.Errorf("the last event says tag %s, the chat has %v", last["chatTag"], data.Tags)
		}
	})
}

// foldChat returns the state of a chat that a dashboard has after its events. An event
// that repeats the known state is an error.
func foldChat(t *testing.T, events []crmtest.Event) map[string]string {
	t.Helper()
	last := map[string]string{}
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
		if last[ev.Name] == says {
			t.Errorf("%s says %s twice in a row", ev.Name, says)
		}
		last[ev.Name] = says
	}
	return last
}

// TestDeletedWhileItIsUsed repeatedly puts a tag and a level on a chat while they are
// deleted. Whatever the order, the chat must not keep them, and the last event must be
// the removal.
func TestDeletedWhileItIsUsed(t *testing.T) {
	const rounds = 40
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		chat := putChat(t, w, whatsApp, "70000000000@c.us")
		for range rounds {
			tag, err := w.CreateTag(ctxOf(), w.Owner, crm.TagInput{Name: crm.Value("tag")})
			if err != nil {
				t.Fatal(err)
			}
			level, err := w.CreateLevel(ctxOf(), w.Owner, crm.NamedInput{Name: crm.Value("level")})
			if err != nil {
				t.Fatal(err)
			}
			var group errgroup.Group
			use := func(_ crm.ChatData, err error) error {
				var e *crm.Error
				if errors.As(err, &e) && e.Code == crm.CodeNotFound {
					return nil
				}
				return err
			}
			group.Go(func() error { return use(w.TagChat(ctxOf(), w.Operator, at(chat), crm.Value(tag.ID))) })
			group.Go(func() error { return w.DeleteTag(ctxOf(), w.Owner, tag.ID) })
			group.Go(func() error { return use(w.SetLevel(ctxOf(), w.Operator, at(chat), crm.Value(level.ID))) })
			group.Go(func() error { return w.DeleteLevel(ctxOf(), w.Owner, level.ID) })
			if err := group.Wait(); err != nil {
				t.Fatal(err)
			}
		}
		data, err := w.Chat(ctxOf(), w.Owner, at(chat))
		if err != nil || len(data.Tags) != 0 || data.Level != nil {
			t.Errorf("the chat keeps tags %v, level %v (%v)", data.Tags, data.Level, err)
		}
		for thing, on := range describeEvent(t, w) {
			if on {
				t.Errorf("the events leave the chat with %s", thing)
			}
		}
	})
}

// describeEvent returns the tags that the chat has according to the events, and
// whether it has a level. An event that repeats the known state is an error.
func describeEvent(t *testing.T, w *crmtest.World) map[string]bool {
	t.Helper()
	on := map[string]bool{}
	for _, ev := range w.Events(t, "chatTag", "chatLevel") {
		var item struct {
			Type  string
			Tag   crm.TagData
			Level *crm.IDRef
		}
		if err := json.Unmarshal(ev.Items(t)[0], &item); err != nil {
			t.Fatal(err)
		}
		thing, is := fmt.Sprint("tag ", item.Tag.ID), item.Type == crm.TypeAdd
		if ev.Name == "chatLevel" {
			thing, is = "a level", item.Level != nil
		}
		// A level may follow a level; no other event may repeat the state.
		if on[thing] == is && !(thing == "a level" && is) {
			t.Errorf("%s of %s tells what is known: %v", ev.Name, thing, is)
		}
		on[thing] = is
	}
	return on
}
