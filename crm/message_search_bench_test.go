package crm_test

import (
	"strconv"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models/testdb"
)

// BenchmarkSearchMessages measures the first page of a search among 10,000 messages: of a
// word that is in all of them, and of one that is in ten.
func BenchmarkSearchMessages(b *testing.B) {
	const messages, batch = 10_000, 100
	for name, url := range map[string]func(testing.TB) string{"sqlite": testdb.SQLiteURL, "postgres": testdb.PostgresURL} {
		w := crmtest.New(b, testdb.Open(b, url(b)))
		for i := 0; i < messages; i += batch {
			news := crm.InboundBatch{History: true}
			for k := i; k < i+batch; k++ {
				chat := strconv.Itoa(79990000000+k%50) + "@c.us"
				news.Messages = append(news.Messages, fromCustomer("A"+strconv.Itoa(k), chat, benchText+" n"+strconv.Itoa(k%1000), crmtest.Start-messages+int64(k)))
			}
			if _, err := w.Ingest(b.Context(), onGr, news); err != nil {
				b.Fatal(err)
			}
		}
		for kind, word := range map[string]string{"common": "заказ", "rare": "n777"} {
			b.Run(name+"/"+kind, func(b *testing.B) {
				for b.Loop() {
					page, err := w.SearchMessages(b.Context(), w.Owner, onGr, crm.SearchQuery{Search: word})
					if err != nil || len(page.Items) < 10 {
						b.Fatal(len(page.Items), err)
					}
				}
			})
		}
	}
}
