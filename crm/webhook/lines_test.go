package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"chatcast/channels"
	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/crm/webhook"
	"chatcast/models"
	"chatcast/models/testdb"
)

var otherLine = crm.Line{LicenseID: crmtest.OtherLicenseID, Messenger: "grWhatsApp"}

// ofCompany sets the URL of the company in the format of another dialect.
func (w *world) ofCompany(r *taker, lines ...crm.Line) crm.CallbackData {
	w.t.Helper()
	in := crm.CallbackInput{URL: r.url, Format: crm.FormatEvolution}
	for _, l := range lines {
		in.Lines = append(in.Lines, crm.LineRef{LicenseID: l.LicenseID, MessengerType: l.Messenger})
	}
	data, err := w.SetCompanyCallback(w.t.Context(), w.Owner, crmtest.CompanyID, in)
	if err != nil {
		w.t.Fatal(err)
	}
	r.forget() // the check of the URL
	return data
}

func (r *taker) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bodies = nil
}

// tell adds an event that is in several channels to the journal.
func (w *world) tell(names ...string) {
	w.t.Helper()
	list, err := json.Marshal(names)
	if err != nil {
		w.t.Fatal(err)
	}
	data := fmt.Sprintf(`{"payload":{"data":[{"type":"edit","tag":{"id":3,"name":"VIP","color":"#64c4ff"},"fromApp":null,"edited":null}],"meta":{"type":"companyTag","companyId":%d}}}`, crmtest.CompanyID)
	w.Tx(w.t, func(tx *models.Tx) error {
		return tx.AppendJournal(&models.JournalEntry{
			CompanyID: crmtest.CompanyID, Name: crm.EventCompanyTag, Channels: string(list), Data: data, CreatedAtMS: w.Clock.Now().UnixMilli(),
		})
	})
	w.relay.Wake()
}

// TestLiveOfLines checks that the URL of a company gets the codes of the lines that it selects, and
// of no others.
func TestLiveOfLines(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, webhook.Options{Formats: map[string]crm.CallbackFormat{crm.FormatEvolution: &parts{n: 1, policy: quick()}}})
		r := newTaker(t, nil)
		targets := func(on crm.Line) (ids []int64) {
			t.Helper()
			all, err := w.LiveTargets(t.Context(), crmtest.CompanyID, on)
			if err != nil {
				t.Fatal(err)
			}
			for id := range all {
				ids = append(ids, id)
			}
			return ids
		}
		d := w.ofCompany(r, line)
		if got := targets(otherLine); len(got) > 0 {
			t.Errorf("the codes of a line that is not selected go to %v", got)
		}
		if got := targets(line); !slices.Equal(got, []int64{d.ID}) {
			t.Errorf("those of the line that is selected go to %v", got)
		}
		w.run()
		for _, on := range []crm.Line{otherLine, line} {
			if err := w.PublishQR(t.Context(), on, crm.Pairing{QR: new("2@Qm9"), ExpiresAt: 1}); err != nil {
				t.Fatal(err)
			}
		}
		testwait.Count(t, "entries of the log", 1, func() int { return len(w.deliveries(d.ID)) })
		r.wants(t, "0.0")
		w.ofCompany(r)
		if got := targets(otherLine); !slices.Equal(got, []int64{d.ID}) {
			t.Errorf("without a choice of lines those of another one go to %v", got)
		}
	})
}

// lineTold is a format in which an event is one request, which names the line as whose it came.
type lineTold struct{ parts }

func (f *lineTold) Requests(_ context.Context, to crm.CallbackTarget, ev crm.CallbackEvent, _ time.Time) ([]crm.CallbackRequest, error) {
	return []crm.CallbackRequest{{Name: "told", URL: to.URL, Body: fmt.Appendf(nil, "%d of %s", ev.ID, ev.Line.Channel())}}, nil
}

// TestLineOfEvent checks as whose event each endpoint gets one that is in the channels of several
// lines, such as that of a tag: as its own line's or, at a company's, as that of a line that it
// selects, and of WhatsApp if there is one.
func TestLineOfEvent(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		f := &lineTold{parts{policy: quick()}}
		w := newWorld(t, store, webhook.Options{Formats: map[string]crm.CallbackFormat{formatOfTests: f, crm.FormatEvolution: f}})
		telegram := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "telegram"}
		own, company := newTaker(t, nil), newTaker(t, nil)
		e, err := w.AddEndpoint(t.Context(), w.Owner, otherLine, crm.EndpointInput{Format: formatOfTests, URL: own.url, Enabled: true})
		if err != nil {
			t.Fatal(err)
		}
		names := []string{channels.CompanyName(crmtest.CompanyID), telegram.Channel(), line.Channel(), otherLine.Channel()}
		w.ofCompany(company)
		w.run()
		for i, c := range []struct {
			lines []crm.Line
			want  crm.Line
		}{{nil, line}, {[]crm.Line{otherLine}, otherLine}, {[]crm.Line{telegram, otherLine}, otherLine}, {[]crm.Line{telegram}, telegram}} {
			d := w.ofCompany(company, c.lines...)
			own.forget()
			w.tell(names...)
			company.wants(t, fmt.Sprintf("%d of %s", i+1, c.want.Channel()))
			own.wants(t, fmt.Sprintf("%d of %s", i+1, otherLine.Channel()))
			for _, id := range []int64{d.ID, e.ID} {
				w.await(id, "it is done", func(d crm.CallbackData) bool { return d.LastEventID == int64(i+1) })
			}
		}
		again, err := w.RedeliverCallback(t.Context(), w.Owner, e.ID, 1)
		if err != nil || !again.OK {
			t.Fatalf("posted again: %+v, %v", again, err)
		}
		own.wants(t, "4 of "+otherLine.Channel(), "1 of "+otherLine.Channel())
	})
}
