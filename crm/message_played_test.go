package crm_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestPlayedMessages checks that what was played is told once, after that it was viewed, and kept.
func TestPlayedMessages(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		for name, test := range map[string]struct {
			receipts []crm.InboundStatus
			want     string
			played   bool
		}{
			"at once":       {[]crm.InboundStatus{{Type: "viewed", Played: true}}, "viewed viewed+", true},
			"after viewing": {[]crm.InboundStatus{{Type: "viewed"}, {Type: "viewed", Played: true}, {Type: "viewed", Played: true}, {Type: "viewed"}}, "viewed viewed+", true},
			"only viewed":   {[]crm.InboundStatus{{Type: "viewed"}, {Type: "delivered", Played: true}}, "viewed", false},
			"failed":        {[]crm.InboundStatus{{Type: "failed"}, {Type: "viewed", Played: true}}, "failed", false},
		} {
			sent, err := w.Send(t.Context(), w.Owner, chatAt(onGr, anna), saying("Hi"))
			if err != nil {
				t.Fatal(err)
			}
			mark := w.Mark(t)
			for i, st := range test.receipts {
				st.ID, st.Chat, st.Time = sent.ID, chatOf(anna), unix(crmtest.Start+int64(i))
				if _, err := w.Ingest(t.Context(), onGr, crm.InboundBatch{Statuses: []crm.InboundStatus{st}}); err != nil {
					t.Fatal(err)
				}
			}
			got := ""
			for _, ev := range w.EventsAfter(t, mark) {
				var item crm.MessageStatusItem
				if err := json.Unmarshal(ev.Items(t)[0], &item); err != nil {
					t.Fatal(err)
				}
				got += " " + item.Type + map[bool]string{true: "+"}[item.Played]
			}
			if got != " "+test.want {
				t.Errorf("%s: told%s, want %s", name, got, test.want)
			}
			m, err := w.LineMessage(t.Context(), w.Owner, onGr, sent.ID.String())
			if err != nil || m.Played != test.played {
				t.Errorf("%s: the message is %s, %v", name, fmt.Sprint(m), err)
			}
		}
	})
}
