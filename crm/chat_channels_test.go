package crm_test

import (
	"context"
	"slices"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// ctxOf returns the context for the rules under test, which is never cancelled.
func ctxOf() context.Context { return context.Background() }

// TestChatEventsReachWhoMaySee checks that the only-mine operator (689) gets the events
// of chats that are theirs or unassigned before or after the change.
func TestChatEventsReachWhoMaySee(t *testing.T) {
	const owner, admin, operator, reader, mine = 685, 686, 687, 688, 689
	everybody := lineAnd(owner, admin, operator, reader, mine)
	others := lineAnd(owner, admin, operator, reader)
	user := func(id int64) *int64 { return &id }
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		cat := putCatalogue(t, w)
		chat := putChat(t, w, whatsApp, "70000000000@c.us")
		assign := func(to *int64) {
			w.Tx(t, func(tx *models.Tx) error {
				c, err := tx.ChatRow(chat.ID)
				if err != nil {
					return err
				}
				c.ResponsibleID, c.LevelID, c.Status = to, &cat.level, models.ChatOpen
				return tx.SaveChat(c)
			})
		}
		for _, test := range []struct {
			name     string
			from, to *int64
			want     []string
		}{
			{"assigned from no one", nil, user(operator), everybody},
			{"taken by the only-mine operator", nil, user(mine), everybody},
			{"given to the only-mine operator", user(operator), user(mine), everybody},
			{"taken from the only-mine operator", user(mine), user(operator), everybody},
			{"unassigned", user(operator), nil, everybody},
			{"between others", user(operator), user(admin), others},
		} {
			assign(test.from)
			mark := w.Mark(t)
			to := crm.Null[int64]()
			if test.to != nil {
				to = crm.Value(*test.to)
			}
			if _, err := w.SetResponsible(ctxOf(), w.Owner, at(chat), to); err != nil {
				t.Fatal(err)
			}
			wantChannels(t, test.name, w.EventsAfter(t, mark), 1, test.want)
		}
		for _, test := range []struct {
			name string
			of   *int64
			want []string
		}{{"no one's", nil, everybody}, {"the only-mine operator's", user(mine), everybody}, {"another's", user(operator), others}} {
			assign(test.of)
			mark := w.Mark(t)
			if _, err := w.SetChatStatus(ctxOf(), w.Owner, at(chat), "close"); err != nil {
				t.Fatal(err)
			}
			wantChannels(t, "close "+test.name, w.EventsAfter(t, mark), 2, test.want)
		}
	})
}

func wantChannels(t *testing.T, what string, events []crmtest.Event, n int, want []string) {
	t.Helper()
	if len(events) != n {
		t.Errorf("%s: events %v, want %d", what, names(events), n)
	}
	for _, ev := range events {
		if !slices.Equal(ev.Channels, want) {
			t.Errorf("%s: %s goes to\n%v, want\n%v", what, ev.Name, ev.Channels, want)
		}
	}
}

// TestChatGoldens checks that each event equals the documentation's example, except
// that edited is added on purpose to those that have none there.
func TestChatGoldens(t *testing.T) {
	const edited = `,"edited":{"id":685}`
	app := func(id string) crm.Actor { return crm.Actor{UserID: 685, AppID: id} }
	id := crm.Value[int64]
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		cat := putCatalogue(t, w)
		group := at(putChat(t, w, "telegram", "group-54911000655"))
		chat := at(putChat(t, w, whatsApp, "70000000000@c.us"))
		ctx := ctxOf()
		for _, test := range []struct {
			file, added string
			do          func() (crm.ChatData, error)
		}{
			{"chatTag", edited, func() (crm.ChatData, error) { return w.TagChat(ctx, w.Owner, group, id(cat.tag)) }},
			{"chatStatus", edited, func() (crm.ChatData, error) { return w.SetChatStatus(ctx, w.Owner, chat, "close") }},
			{"chatResponsible", "", func() (crm.ChatData, error) { return w.SetResponsible(ctx, app("app_123_1"), chat, id(685)) }},
			{"chatResponsiblePin", edited, func() (crm.ChatData, error) { return w.PinResponsible(ctx, w.Owner, chat, "pin") }},
			{"chatProducer", "", func() (crm.ChatData, error) { return w.SetProducer(ctx, app("app_123_1"), chat, id(685)) }},
			{"chatAccomplice", "", func() (crm.ChatData, error) { return w.AddAccomplice(ctx, app("app_123_1"), chat, id(685)) }},
			{"chatAuditor", "", func() (crm.ChatData, error) { return w.AddAuditor(ctx, app("app_123_1"), chat, id(685)) }},
			{"chatLevel", "", func() (crm.ChatData, error) { return w.SetLevel(ctx, app("app_685_1"), chat, id(cat.level)) }},
			{"chatProcess", "", func() (crm.ChatData, error) {
				return w.SetProcess(ctx, app("app_685_1"), chat, crm.Value("inWork"))
			}},
		} {
			mark := w.Mark(t)
			if _, err := test.do(); err != nil {
				t.Fatalf("%s: %v", test.file, err)
			}
			wantGolden(t, w.EventsAfter(t, mark), test.file, test.added)
		}
	})
}
