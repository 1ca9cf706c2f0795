package webhook_test

import (
	"slices"
	"testing"

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
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bodies = nil // the check of the URL
	return data
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
