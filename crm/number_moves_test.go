package crm_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestNumberMovesToAnotherPerson gives a number that has a chat to a person who has one,
// too. The person's chat gets the number, and the other goes on under its LID.
func TestNumberMovesToAnotherPerson(t *testing.T) {
	const old, moved = `{"id":"79990001122@c.us","lid":"555@lid"}`, `{"id":"79990001122@c.us","lid":"777@lid"}`
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		for i, chat := range []string{old, `{"id":"79990003344@c.us","lid":"777@lid"}`, moved, moved, `"555@lid"`, `"777@lid"`} {
			receive(t, w, onGr, fmt.Sprintf(`{"messages":[{"id":"L%d","chat":%s,"message":{"text":"Hi"}}]}`, i, chat))
		}
		told := ""
		for _, ev := range w.Events(t, crm.EventChatMerge) {
			told += string(mustJSON(t, ev.Items(t)))
		}
		if want := `[{"from":{"id":"79990001122@c.us"},"to":{"id":"555@lid"}}][{"from":{"id":"79990003344@c.us"},"to":{"id":"79990001122@c.us"}}]`; told != want {
			t.Errorf("told is %s, want %s", told, want)
		}
		for id, want := range map[string]int{"555@lid": 2, "777@lid": 4, "79990001122": 4} {
			list, err := w.Messages(t.Context(), w.Owner, chatAt(onGr, id), crm.MessageQuery{})
			if err != nil || len(list.Items) != want {
				t.Errorf("messages of %s: %d, %v; want %d", id, len(list.Items), err, want)
			}
		}
		people, err := w.Contacts(t.Context(), w.Owner, onGr, crm.PageQuery{}, "")
		if err != nil || len(people.Items) != 2 {
			t.Errorf("%d contacts, %v", len(people.Items), err)
		}
		for _, k := range people.Items {
			if k.LID == nil || (k.ID.String() == "79990001122@c.us") != (*k.LID == "777@lid") || (k.Phone == nil) != (*k.LID == "555@lid") {
				t.Errorf("a contact is %+v", k)
			}
		}
	})
}

// TestNumberMovesToAStranger gives a number that has a chat to a person who has none, told in
// every order, and twice. The old chat goes on under its LID, with what was said in it, and
// the person gets a chat of their own.
func TestNumberMovesToAStranger(t *testing.T) {
	const ( // what happens after somebody has written from the number
		both     = iota // the next owner of the number writes
		next            // from the hidden id alone
		number          // from the number alone
		old             // the former owner writes from the hidden id
		renewed         // and from a new number
		back            // and from the number
		told            // whose the number is
		pastOld         // history tells of the former owner
		pastNext        // history tells of the next one
	)
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		i := 100
		for name, c := range map[string]struct {
			then []int
			want string // chats: N the number, O the former owner, X the next one, R the renewed number; with their messages
		}{
			"both at once":                  {[]int{both, number}, "O:2 N(X):2"},
			"the hidden id first":           {[]int{next, both}, "O:2 N(X):2"},
			"told, and nobody writes":       {[]int{told, told}, "O:2"},
			"told, then by number":          {[]int{told, number, both, next}, "O:2 N(X):3"},
			"told, the old one in between":  {[]int{told, old, both, old}, "O:4 N(X):1"},
			"the old one has a new number":  {[]int{renewed, both}, "R(O):3 N(X):1"},
			"the new number is told late":   {[]int{both, renewed}, "R(O):3 N(X):1"},
			"twice":                         {[]int{both, both, told}, "O:2 N(X):2"},
			"and back":                      {[]int{both, back}, "N(O):3 X:1"},
			"history tells the old owner":   {[]int{both, pastOld}, "O:3 N(X):1"},
			"history of somebody unknown":   {[]int{pastNext}, "N(O):2 X:1"},
			"history first, then a message": {[]int{pastNext, both}, "O:2 N(X):2"},
		} {
			i++
			id := map[string]string{"N": fmt.Sprintf("79990001%d@c.us", i), "O": fmt.Sprintf("55%d@lid", i), "X": fmt.Sprintf("77%d@lid", i), "R": fmt.Sprintf("79990003%d@c.us", i)}
			messageID := 0
			from := func(id, lid string) crm.InboundBatch {
				messageID++
				m := fromCustomer(fmt.Sprint("M", messageID), id, "Hi", crmtest.Start)
				if lid != "" {
					m.Chat.LID = &lid
				}
				return messages(m)
			}
			batches := []crm.InboundBatch{from(id["N"], id["O"]), from(id["N"], "")}
			for _, what := range c.then {
				var b crm.InboundBatch
				switch what {
				case both, pastNext:
					b = from(id["N"], id["X"])
				case next:
					b = from(id["X"], "")
				case number:
					b = from(id["N"], "")
				case old:
					b = from(id["O"], "")
				case renewed:
					b = from(id["R"], id["O"])
				case back, pastOld:
					b = from(id["N"], id["O"])
				case told:
					b.Aliases = []crm.InboundAlias{{Phone: idOf(id["N"]), LID: idOf(id["X"])}}
				}
				if b.History = what == pastOld || what == pastNext; b.History {
					b.Aliases = []crm.InboundAlias{{Phone: b.Messages[0].Chat.ID, LID: idOf(*b.Messages[0].Chat.LID)}}
				}
				batches = append(batches, b)
			}
			for _, b := range batches {
				ingest(t, w, b)
				ingest(t, w, b) // as after a restart: it was not acknowledged
			}
			if got := chatsOf(t, w, id); got != c.want {
				t.Errorf("%s: the chats are %s, want %s", name, got, c.want)
			}
		}
	})
}

// chatsOf describes the chats that have one of the ids, with the names of the ids, and checks
// that each has a hash of its own, the right number, and the contact of its person.
func chatsOf(t *testing.T, w *crmtest.World, id map[string]string) string {
	t.Helper()
	var got []string
	hashes := map[string]bool{}
	for _, name := range []string{"R", "O", "N", "X"} {
		chat, err := w.Chat(t.Context(), w.Owner, chatAt(onGr, id[name]))
		if err != nil || chat.ID != id[name] {
			continue
		}
		list, err := w.Messages(t.Context(), w.Owner, chatAt(onGr, chat.ID), crm.MessageQuery{})
		if err != nil {
			t.Fatal(err)
		}
		for other, lid := range id {
			if chat.LID != nil && *chat.LID == lid && lid != chat.ID {
				name += "(" + other + ")"
			}
		}
		got = append(got, fmt.Sprint(name, ":", len(list.Items)))
		if (chat.Phone != nil) != strings.HasSuffix(chat.ID, "@c.us") || hashes[chat.Hash] {
			t.Errorf("a chat is %+v", chat)
		}
		hashes[chat.Hash] = true
		people, err := w.Contacts(t.Context(), w.Owner, onGr, crm.PageQuery{Limit: 100}, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range people.Items {
			if k.LID != nil && chat.LID != nil && *k.LID == *chat.LID && k.ID.String() != chat.ID {
				t.Errorf("the chat %s has the contact %+v", chat.ID, k)
			}
		}
	}
	slices.SortFunc(got, func(a, b string) int { // as the cases write them
		return strings.Index("RON X", a[:1]) - strings.Index("RON X", b[:1])
	})
	return strings.Join(got, " ")
}

// TestTypedNumberIsJoined tells that a number which somebody typed stands for another. Its
// chat is joined, and is found by both; a message from the typed number itself is another
// person's.
func TestTypedNumberIsJoined(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		sendText(t, w, "5544997586617", "Hello")
		ingest(t, w, crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: idOf("554497586617"), Typed: idOf("5544997586617")}}})
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", "554497586617", "Hi", crmtest.Start)}})
		sendText(t, w, "5544997586617", "Good morning")
		page, err := w.Chats(t.Context(), w.Owner, onGr, crm.ChatQuery{})
		if err != nil || len(page.Items) != 1 || page.Items[0].ID != "554497586617@c.us" || *page.Items[0].Phone != "554497586617" {
			t.Fatalf("%+v, %v", page.Items, err)
		}
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("B1", "5544997586617", "I am another", crmtest.Start)}})
		for id, want := range map[string]int{"554497586617": 3, "5544997586617": 1} {
			list, err := w.Messages(t.Context(), w.Owner, chatAt(onGr, id), crm.MessageQuery{})
			if err != nil || len(list.Items) != want {
				t.Errorf("messages of %s: %d, %v; want %d", id, len(list.Items), err, want)
			}
		}
		page, err = w.Chats(t.Context(), w.Owner, onGr, crm.ChatQuery{Search: "5544997586617"})
		if err != nil || len(page.Items) != 1 || page.Items[0].ID != "5544997586617@c.us" {
			t.Errorf("the typed number finds %+v, %v", page.Items, err)
		}
		for field, alias := range map[string]crm.InboundAlias{
			"aliases[0].typed": {Phone: idOf("554497586617"), Typed: idOf("5@lid")},
			"aliases[0].lid":   {Phone: idOf("554497586617")},
		} {
			_, err := w.Ingest(t.Context(), onGr, crm.InboundBatch{Aliases: []crm.InboundAlias{alias}})
			var refusal *crm.Error
			if !errors.As(err, &refusal) || refusal.Fields[field] == "" {
				t.Errorf("%s: %v", field, err)
			}
		}
	})
}

// TestTypedNumberEnds looks a chat up by a number that somebody typed for it. It is found, also
// by searches, as long as the number is a spelling of its own and no other chat has it.
func TestTypedNumberEnds(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		for i, name := range []string{"the same number", "another number", "its owner has a new number", "its number is another's", "somebody has it", "somebody had it", "told of a hidden id"} {
			typed, number, renewed := fmt.Sprint("554499758661", i), fmt.Sprint("55449758661", i), fmt.Sprint("7999000112", i)
			lid, next := fmt.Sprintf("55%d@lid", i), fmt.Sprintf("77%d@lid", i)
			from := func(id string, lid *string) crm.InboundBatch {
				m := fromCustomer("M"+id, id, "Hi", crmtest.Start)
				m.Chat.LID = lid
				return messages(m)
			}
			if name == "another number" {
				number = fmt.Sprint("491511234567", i)
			}
			then := []crm.InboundBatch{{Aliases: []crm.InboundAlias{{Phone: idOf(number), LID: idOf(lid), Typed: idOf(typed)}}}}
			want := "" // the chat that is found by the number that was typed; empty: none
			switch name {
			case "the same number":
				want = number
			case "its owner has a new number":
				then = append(then, from(renewed, &lid))
			case "its number is another's":
				then = append(then, from(number, &next))
			case "somebody has it":
				then, want = append(then, from(typed, &next)), typed
			case "somebody had it":
				then = append(then, from(typed, &next), from(renewed, &next))
			case "told of a hidden id":
				told := crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: idOf(typed), LID: idOf(next)}}}
				then, want = append(then, from(next, nil), told), typed
			}
			sendText(t, w, typed, "Hello")
			for _, batch := range then {
				ingest(t, w, batch)
			}
			if want != "" {
				want += "@c.us"
			}
			found, searched := "", ""
			if chat, err := w.Chat(t.Context(), w.Owner, chatAt(onGr, typed)); err == nil {
				found = chat.ID
			}
			page, err := w.Chats(t.Context(), w.Owner, onGr, crm.ChatQuery{Search: typed})
			if err != nil || len(page.Items) > 1 {
				t.Fatalf("%s: %d chats, %v", name, len(page.Items), err)
			}
			for _, chat := range page.Items {
				searched = chat.ID
			}
			if found != want || searched != want {
				t.Errorf("%s: found is %q, and by a search %q, want %q", name, found, searched, want)
			}
		}
	})
}
