package crm_test

import (
	"strconv"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models/testdb"
)

// BenchmarkIngestAs measures one inbound message of a known chat, from the call to the
// commit, on a SQLite file.
func BenchmarkIngestAs(b *testing.B) {
	w := crmtest.New(b, testdb.Open(b, testdb.SQLiteURL(b)))
	on := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "grWhatsApp"}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		_, err := w.IngestAs(b.Context(), w.Owner, on, crm.InboundRequest{Messages: []crm.InboundMessage{{
			ID:   crm.MakeID("grWhatsApp", "A"+strconv.Itoa(n)),
			Chat: crm.InboundChat{ID: crm.MakeID("grWhatsApp", "79990001122")}, Message: crm.Content{Text: "Hi"},
		}}})
		if err != nil {
			b.Fatal(err)
		}
	}
}
