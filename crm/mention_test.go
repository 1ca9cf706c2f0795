package crm_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

func mentionsOf(t *testing.T, w *crmtest.World, event string) string {
	t.Helper()
	return string(mustJSON(t, lastItem(t, w, event)["message"].(map[string]any)["mentions"]))
}

// TestMentions checks mentions of a bridge and of operators, in every spelling, each
// person once.
func TestMentions(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		receive(t, w, onGr, `{"messages":[{"id":"A1","chat":"79990001122","message":{"text":"@79990003344","mentions":[
			{"id":"+79990003344"},{"id":"79990003344@s.whatsapp.net"},{"id":"5@lid"},{"id":"79990005566","lid":"7@lid","phone":"other"}]}}]}`)
		want := `[{"id":"79990003344@c.us","phone":"79990003344"},{"id":"5@lid","phone":null},{"id":"79990005566@c.us","lid":"7@lid","phone":"79990005566"}]`
		if got := mentionsOf(t, w, "message"); got != want {
			t.Errorf("WhatsApp: %s", got)
		}
		receive(t, w, onTelegram, `{"messages":[{"id":1,"chat":5,"message":{"text":"@bob","mentions":[{"id":685},{"id":"bob"}]}}]}`)
		if got := mentionsOf(t, w, "message"); got != `[{"id":685,"phone":null},{"id":"bob","phone":null}]` {
			t.Errorf("telegram: %s", got)
		}
		m := saying("@79990003344")
		m.Content.Mentions = []crm.Mention{{ID: idOf("79990003344")}}
		sent, err := w.Send(t.Context(), w.Operator, chatAt(onGr, "79990001122"), m)
		if err != nil {
			t.Fatal(err)
		}
		if got := mentionsOf(t, w, "message"); got != `[{"id":"79990003344@c.us","phone":"79990003344"}]` {
			t.Errorf("sent: %s", got)
		}
		other := "hello @79990003344"
		if _, err := w.EditMessage(t.Context(), w.Operator, chatAt(onGr, "79990001122"), sent.ID.String(), crm.Edit{Text: &other}); err != nil {
			t.Fatal(err)
		}
		if got := mentionsOf(t, w, "messageEdit"); !strings.Contains(got, "79990003344@c.us") {
			t.Errorf("edited: %s", got)
		}
	})
}

func TestMentionsThatAreNobody(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		for name, c := range map[string]struct{ list, field string }{
			"a word":   {`[{"id":"79990003344"},{"id":"bob"}]`, "[1]"},
			"a group":  {`[{"id":"12345678@g.us"}]`, "[0]"},
			"nothing":  {`[{}]`, "[0]"},
			"a slash":  {`[{"id":"1/2"}]`, "[0]"},
			"no lid":   {`[{"id":"79990003344","lid":""}]`, "[0].lid"},
			"too many": {`[` + strings.Repeat(`{"id":"79990003344"},`, crm.MaxMentions) + `{"id":"5@lid"}]`, ""},
		} {
			_, err := w.IngestAs(t.Context(), w.Owner, onGr, inbound(t, fmt.Sprintf(`{"messages":[{"id":"A1","chat":"79990001122","message":{"text":"x","mentions":%s}}]}`, c.list)))
			wantCode(t, name, err, crm.CodeInvalid, "messages[0].message.mentions"+c.field)
			m := saying("x")
			if err := json.Unmarshal([]byte(c.list), &m.Content.Mentions); err != nil {
				t.Fatal(err)
			}
			_, err = w.Send(t.Context(), w.Operator, chatAt(onGr, "79990001122"), m)
			wantCode(t, name, err, crm.CodeInvalid, "mentions"+c.field)
		}
	})
}
