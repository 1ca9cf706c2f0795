package crm_test

import (
	"reflect"
	"slices"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// action is a change of a chat, and the events that it causes the first time.
type action struct {
	name   string
	do     func(w *crmtest.World, a crm.Actor, at crm.ChatAddress) (crm.ChatData, error)
	events []string
}

// actions returns the actions in the order in which they are to be done. Each one
// depends on the result of those before.
func actions(cat catalogue) []action {
	type data = crm.ChatData
	type world = crmtest.World
	var ctx = ctxOf
	id, none := crm.Value[int64], crm.Null[int64]()
	const user = 687
	return []action{
		{"tag", func(w *world, a crm.Actor, at crm.ChatAddress) (data, error) {
			return w.TagChat(ctx(), a, at, id(cat.tag))
		}, []string{"chatTag"}},
		{"untag", func(w *world, a crm.Actor, at crm.ChatAddress) (data, error) {
			return w.UntagChat(ctx(), a, at, cat.tag)
		}, []string{"chatTag"}},
		{"level", func(w *world, a crm.Actor, at crm.ChatAddress) (data, error) {
			return w.SetLevel(ctx(), a, at, id(cat.level))
		}, []string{"chatLevel"}},
		{"close", func(w *world, a crm.Actor, at crm.ChatAddress) (data, error) {
			return w.SetChatStatus(ctx(), a, at, "close")
		}, []string{"chatStatus", "chatLevel"}},
		{"open", func(w *world, a crm.Actor, at crm.ChatAddress) (data, error) {
			return w.SetChatStatus(ctx(), a, at, "open")
		}, []string{"chatStatus"}},
		{"close without level", func(w *world, a crm.Actor, at crm.ChatAddress) (data, error) {
			return w.SetChatStatus(ctx(), a, at, "close")
		}, []string{"chatStatus"}},
		{"unpin nobody", func(w *world, a crm.Actor, at crm.ChatAddress) (data, error) {
			return w.PinResponsible(ctx(), a, at, "unpin")
		}, []string{}},
		{"responsible", func(w *world, a crm.Actor, at crm.ChatAddress) (data, error) {
			return w.SetResponsible(ctx(), a, at, id(user))
		}, []string{"chatResponsible"}},
		{"pin", func(w *world, a crm.Actor, at crm.ChatAddress) (data, error) {
			return w.PinResponsible(ctx(), a, at, "pin")
		}, []string{"chatResponsiblePin"}},
		{"another responsible keeps the pin", func(w *world, a crm.Actor, at crm.ChatAddress) (data, error) {
			return w.SetResponsible(ctx(), a, at, id(688))
		}, []string{"chatResponsible"}},
		{"no responsible ends the pin", func(w *world, a crm.Actor, at crm.ChatAddress) (data, error) {
			return w.SetResponsible(ctx(), a, at, none)
		}, []string{"chatResponsiblePin", "chatResponsible"}},
		{"producer", func(w *world, a crm.Actor, at crm.ChatAddress) (data, error) {
			return w.SetProducer(ctx(), a, at, id(user))
		}, []string{"chatProducer"}},
		{"no producer", func(w *world, a crm.Actor, at crm.ChatAddress) (data, error) {
			return w.SetProducer(ctx(), a, at, none)
		}, []string{"chatProducer"}},
		{"accomplice", func(w *world, a crm.Actor, at crm.ChatAddress) (data, error) {
			return w.AddAccomplice(ctx(), a, at, id(user))
		}, []string{"chatAccomplice"}},
		{"no accomplice", func(w *world, a crm.Actor, at crm.ChatAddress) (data, error) {
			return w.RemoveAccomplice(ctx(), a, at, user)
		}, []string{"chatAccomplice"}},
		{"auditor", func(w *world, a crm.Actor, at crm.ChatAddress) (data, error) {
			return w.AddAuditor(ctx(), a, at, id(user))
		}, []string{"chatAuditor"}},
		{"no auditor", func(w *world, a crm.Actor, at crm.ChatAddress) (data, error) {
			return w.RemoveAuditor(ctx(), a, at, user)
		}, []string{"chatAuditor"}},
		{"level again", func(w *world, a crm.Actor, at crm.ChatAddress) (data, error) {
			return w.SetLevel(ctx(), a, at, id(cat.level))
		}, []string{"chatLevel"}},
		{"no level", func(w *world, a crm.Actor, at crm.ChatAddress) (data, error) { return w.SetLevel(ctx(), a, at, none) }, []string{"chatLevel"}},
		{"in work", func(w *world, a crm.Actor, at crm.ChatAddress) (data, error) {
			return w.SetProcess(ctx(), a, at, crm.Value("inWork"))
		}, []string{"chatProcess"}},
		{"laid aside", func(w *world, a crm.Actor, at crm.ChatAddress) (data, error) {
			return w.SetProcess(ctx(), a, at, crm.Null[string]())
		}, []string{"chatProcess"}},
	}
}

// TestChatActionsCauseTheirEventsOnce does each action twice. The second one changes
// nothing, so it causes no events and returns the same chat.
func TestChatActionsCauseTheirEventsOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		chat := putChat(t, w, whatsApp, "70000000000@c.us")
		for _, act := range actions(putCatalogue(t, w)) {
			mark, wakes := w.Mark(t), w.Live.Wakes()
			first, err := act.do(w, w.Operator, at(chat))
			if err != nil {
				t.Fatalf("%s: %v", act.name, err)
			}
			if got := names(w.EventsAfter(t, mark)); !slices.Equal(got, act.events) {
				t.Errorf("%s causes %v, want %v", act.name, got, act.events)
			}
			if woken := w.Live.Wakes() > wakes; woken != (len(act.events) > 0) {
				t.Errorf("%s: the relay was woken: %v", act.name, woken)
			}
			mark = w.Mark(t)
			second, err := act.do(w, w.Operator, at(chat))
			if err != nil {
				t.Fatalf("%s again: %v", act.name, err)
			}
			if got := names(w.EventsAfter(t, mark)); len(got) > 0 {
				t.Errorf("%s again causes %v, want nothing", act.name, got)
			}
			if !reflect.DeepEqual(first, second) {
				t.Errorf("%s answers\n%+v, again\n%+v", act.name, first, second)
			}
			now, err := w.Chat(ctxOf(), w.Operator, at(chat))
			if err != nil || !reflect.DeepEqual(now, second) {
				t.Errorf("%s answered\n%+v, but the chat is\n%+v (%v)", act.name, second, now, err)
			}
		}
	})
}

// TestChatActionsRefuseWhoMayNot does each action as every actor who may not do it.
func TestChatActionsRefuseWhoMayNot(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		mine := putChat(t, w, whatsApp, "70000000001@c.us", ofUser(w.OnlyMine.UserID))
		chat := putChat(t, w, whatsApp, "70000000000@c.us", ofUser(w.Operator.UserID))
		unknown, unknownLine := at(chat), at(chat)
		unknown.ChatID, unknownLine.LicenseID = "79999999999@c.us", 999999
		for _, act := range actions(putCatalogue(t, w)) {
			_, err := act.do(w, w.Reader, at(chat))
			wantCode(t, act.name+" by a reader", err, crm.CodeDenied, "")
			_, err = act.do(w, w.Outsider, at(chat))
			wantCode(t, act.name+" by an operator without the license", err, crm.CodeDenied, "")
			_, notThere := act.do(w, w.OnlyMine, unknown)
			_, err = act.do(w, w.OnlyMine, at(chat))
			wantSameError(t, act.name+" on a colleague's chat", err, notThere)
			_, notThere = act.do(w, w.Stranger, unknownLine)
			_, err = act.do(w, w.Stranger, at(chat))
			wantSameError(t, act.name+" by a stranger", err, notThere)
		}
		if got := w.Events(t); len(got) > 0 {
			t.Errorf("refused actions caused %v", names(got))
		}
		if _, err := w.SetProcess(ctxOf(), w.OnlyMine, at(mine), crm.Value("inWork")); err != nil {
			t.Errorf("an only-mine operator on their own chat: %v", err)
		}
	})
}

// TestChatActionsRefuseWrongInput does every action with every kind of wrong value.
func TestChatActionsRefuseWrongInput(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		cat := putCatalogue(t, w)
		chat := at(putChat(t, w, whatsApp, "70000000000@c.us"))
		ctx, who, absent := ctxOf(), w.Owner, crm.Field[int64]{}
		outsider := crm.Value(w.Outsider.UserID)
		for _, test := range []struct {
			name  string
			do    func() (crm.ChatData, error)
			code  crm.Code
			field string
		}{
			{"status of no kind", func() (crm.ChatData, error) { return w.SetChatStatus(ctx, who, chat, "shut") }, crm.CodeInvalid, "type"},
			{"pin of no kind", func() (crm.ChatData, error) { return w.PinResponsible(ctx, who, chat, "") }, crm.CodeInvalid, "type"},
			{"pin of nobody", func() (crm.ChatData, error) { return w.PinResponsible(ctx, who, chat, "pin") }, crm.CodeConflict, ""},
			{"responsible absent", func() (crm.ChatData, error) { return w.SetResponsible(ctx, who, chat, absent) }, crm.CodeInvalid, "id"},
			{"responsible without access", func() (crm.ChatData, error) { return w.SetResponsible(ctx, who, chat, outsider) }, crm.CodeInvalid, "id"},
			{"producer absent", func() (crm.ChatData, error) { return w.SetProducer(ctx, who, chat, absent) }, crm.CodeInvalid, "id"},
			{"producer without access", func() (crm.ChatData, error) { return w.SetProducer(ctx, who, chat, outsider) }, crm.CodeInvalid, "id"},
			{"accomplice null", func() (crm.ChatData, error) { return w.AddAccomplice(ctx, who, chat, crm.Null[int64]()) }, crm.CodeInvalid, "id"},
			{"accomplice without access", func() (crm.ChatData, error) { return w.AddAccomplice(ctx, who, chat, outsider) }, crm.CodeInvalid, "id"},
			{"auditor absent", func() (crm.ChatData, error) { return w.AddAuditor(ctx, who, chat, absent) }, crm.CodeInvalid, "id"},
			{"tag null", func() (crm.ChatData, error) { return w.TagChat(ctx, who, chat, crm.Null[int64]()) }, crm.CodeInvalid, "tagId"},
			{"level absent", func() (crm.ChatData, error) { return w.SetLevel(ctx, who, chat, absent) }, crm.CodeInvalid, "id"},
			{"process of no kind", func() (crm.ChatData, error) { return w.SetProcess(ctx, who, chat, crm.Value("x\x00")) }, crm.CodeInvalid, "process"},
			{"process absent", func() (crm.ChatData, error) { return w.SetProcess(ctx, who, chat, crm.Field[string]{}) }, crm.CodeInvalid, "process"},
			{"odd chat id", func() (crm.ChatData, error) {
				return w.SetChatStatus(ctx, who, crm.ChatAddress{Line: chat.Line, ChatID: "7\x00"}, "close")
			}, crm.CodeInvalid, "chatId"},
			{"odd messenger", func() (crm.ChatData, error) {
				return w.SetChatStatus(ctx, who, crm.ChatAddress{Line: crm.Line{LicenseID: crmtest.LicenseID, Messenger: "a\x00"}, ChatID: "7"}, "close")
			}, crm.CodeNotFound, ""},
		} {
			_, err := test.do()
			wantCode(t, test.name, err, test.code, test.field)
		}
		for name, do := range map[string]func(id int64) (crm.ChatData, error){
			"responsible": func(id int64) (crm.ChatData, error) { return w.SetResponsible(ctx, who, chat, crm.Value(id)) },
			"producer":    func(id int64) (crm.ChatData, error) { return w.SetProducer(ctx, who, chat, crm.Value(id)) },
			"accomplice":  func(id int64) (crm.ChatData, error) { return w.AddAccomplice(ctx, who, chat, crm.Value(id)) },
			"accomplice-": func(id int64) (crm.ChatData, error) { return w.RemoveAccomplice(ctx, who, chat, id) },
			"auditor":     func(id int64) (crm.ChatData, error) { return w.AddAuditor(ctx, who, chat, crm.Value(id)) },
			"auditor-":    func(id int64) (crm.ChatData, error) { return w.RemoveAuditor(ctx, who, chat, id) },
		} {
			_, unknown := do(1 << 62)
			_, err := do(w.Stranger.UserID)
			wantSameError(t, name, err, unknown)
		}
		_, unknown := w.TagChat(ctx, who, chat, crm.Value[int64](-1))
		_, err := w.TagChat(ctx, who, chat, crm.Value(cat.strangeTag))
		wantSameError(t, "tag", err, unknown)
		_, err = w.UntagChat(ctx, who, chat, cat.strangeTag)
		wantSameError(t, "untag", err, unknown)
		_, unknown = w.SetLevel(ctx, who, chat, crm.Value[int64](1<<62))
		_, err = w.SetLevel(ctx, who, chat, crm.Value(cat.strangeLevel))
		wantSameError(t, "level", err, unknown)
		if got := w.Events(t); len(got) > 0 {
			t.Errorf("refused actions caused %v", names(got))
		}
	})
}

// TestWhoLostAccessCanBeRemoved removes an accomplice who has left the company.
func TestWhoLostAccessCanBeRemoved(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		chat := putChat(t, w, whatsApp, "70000000000@c.us")
		w.Tx(t, func(tx *models.Tx) error {
			return tx.Insert(&models.ChatMember{ChatID: chat.ID, UserID: w.Stranger.UserID, Part: models.PartAuditor})
		})
		data, err := w.RemoveAuditor(ctxOf(), w.Operator, at(chat), w.Stranger.UserID)
		if err != nil || len(data.Auditors) != 0 {
			t.Errorf("auditors %v, %v", data.Auditors, err)
		}
	})
}
