package crm_test

import (
	"strconv"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models/testdb"
)

// BenchmarkIngestAs measures one inbound message of a known chat, from the call to the
// commit. Of the databases, SQLite syncs each commit to the disk; the tests' PostgreSQL
// does not.
func BenchmarkIngestAs(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": testdb.SQLiteURL, "postgres": testdb.PostgresURL} {
		for kind, text := range map[string]string{"short": "Hi", "long": benchText} {
			b.Run(name+"/"+kind, func(b *testing.B) {
				w := crmtest.New(b, testdb.Open(b, url(b)))
				on := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "grWhatsApp"}
				b.ReportAllocs()
				n := 0
				for b.Loop() {
					n++
					_, err := w.IngestAs(b.Context(), w.Owner, on, crm.InboundRequest{Messages: []crm.InboundMessage{{
						ID:   crm.MakeID("grWhatsApp", "A"+strconv.Itoa(n)),
						Chat: crm.InboundChat{ID: crm.MakeID("grWhatsApp", "79990001122")}, Message: crm.Content{Text: text + " " + strconv.Itoa(n)},
					}}})
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// benchText is as long as the longer messages of people.
const benchText = `Добрый день! Подскажите, пожалуйста, когда привезут заказ? Вчера обещали до шести вечера, ` +
	`но курьер так и не позвонил. Адрес прежний: улица Лесная, дом пять, квартира двенадцать, вход со двора. ` +
	`Si es más fácil, lo recojo yo mismo mañana por la mañana en la tienda. Спасибо большое за помощь!`
