package webhook_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/crm/webhook"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestUnreadableEvents puts entries that are no events among those of a line. The URLs of the
// line and of its company get the others, and are told of these. They cannot be sent on demand.
func TestUnreadableEvents(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, webhook.Options{})
		ofLine, ofCompany, ofChat := newReceiver(t), newReceiver(t), newReceiver(t)
		one := w.set(line, crm.CallbackInput{URL: ofLine.url})
		ofLine.secret = one.Secret
		all, err := w.SetCompanyCallback(t.Context(), w.Owner, crmtest.CompanyID, crm.CallbackInput{URL: ofCompany.url, Events: []string{"chatStatus"}})
		if err != nil {
			t.Fatal(err)
		}
		ofCompany.secret = all.Secret
		other := crm.Line{LicenseID: crmtest.OtherLicenseID, Messenger: "grWhatsApp"}
		ofChat.secret = w.set(other, crm.CallbackInput{URL: ofChat.url}).Secret
		w.happen(line, "79990001122@c.us", 5)
		side, _, err := store.SideDB(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer side.Close()
		for seq, change := range map[int]string{2: `data = '{}'`, 4: `channels = '[7'`} {
			if _, err := side.ExecContext(t.Context(), fmt.Sprintf("UPDATE journal SET %s WHERE seq = %d", change, seq)); err != nil {
				t.Fatal(err)
			}
		}
		w.happen(other, "100", 1)
		w.run()
		ofLine.wants(1, 3, 5)
		ofCompany.wants(1, 3, 5, 6)
		ofChat.wants(6)
		for _, id := range []int64{one.ID, all.ID} {
			got := w.await(id, "it is done", func(d crm.CallbackData) bool { return d.LastEventID >= 5 })
			if got.Lost == nil || got.Lost.From != 4 || got.Lost.To != 4 || got.State != crm.CallbackActive {
				t.Errorf("it is %+v, the gap %+v", got, got.Lost)
			}
			var told []int64
			for _, e := range w.deliveries(id) {
				if e.Kind == "lost" && e.Reason == "unreadable" && e.EventID == e.ToID && !e.OK && strings.Contains(e.Error, "cannot be read") {
					told = append(told, e.EventID)
				}
			}
			if !slices.Equal(told, []int64{2, 4}) {
				t.Errorf("told of %v", told)
			}
			if _, err := w.RedeliverCallback(t.Context(), w.Owner, id, 2); !crm.IsCallbackGone(err) {
				t.Errorf("redelivered: %v", err)
			}
		}
		for _, st := range w.hooks.Stats() {
			if want := uint64(2); (st.ID == one.ID || st.ID == all.ID) && st.Lost != want {
				t.Errorf("%d has lost %d", st.ID, st.Lost)
			}
		}
		if w.Journal.LeftOut() < 4 || !strings.Contains(w.log.String(), "reason=unreadable") {
			t.Errorf("counted are %d, logged:\n%s", w.Journal.LeftOut(), w.log)
		}
		w.prune() // they are no events
	})
}
