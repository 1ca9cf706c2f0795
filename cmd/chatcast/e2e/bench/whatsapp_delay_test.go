package bench

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm/whatsapp/whatsapptest"
)

// BenchmarkWhatsAppFirstText measures how long the first text of a new person takes from
// their phone to a subscribed socket, beside the second one.
func BenchmarkWhatsAppFirstText(b *testing.B) {
	for _, database := range []string{"sqlite", "postgres"} {
		b.Run(database, func(b *testing.B) {
			p := startBench(b, database)
			shop := p.NewAccount("79990001122", "100200300", "Shop")
			p.pair(b, e2e.WhatsAppPath, shop)
			ws := p.owner.Subscribe(e2e.LineChannel)
			var first, second []time.Duration
			for n := range b.N {
				who := p.NewContact(fmt.Sprint(79991000000+n), fmt.Sprint(200000000+n), fmt.Sprint("Customer ", n))
				first = append(first, arrival(b, ws, who, shop, fmt.Sprint("first ", n, ";")))
				second = append(second, arrival(b, ws, who, shop, fmt.Sprint("second ", n, ";")))
			}
			b.StopTimer()
			measured(b, "the first text of a new person on "+database, first)
			measured(b, "their second text on "+database, second)
		})
	}
}

// BenchmarkWhatsAppHistory measures how long live texts take while 10,000 messages of the
// line's history are imported.
func BenchmarkWhatsAppHistory(b *testing.B) {
	const people, each = 100, 100
	for _, database := range []string{"sqlite", "postgres"} {
		b.Run(database, func(b *testing.B) {
			if b.N == 1 {
				return // the trial run: the figure does not depend on b.N
			}
			p := startBench(b, database)
			shop, anna := p.NewAccount("79990001122", "100200300", "Shop"), p.NewContact("79995554433", "100200301", "Anna")
			var past []whatsapptest.PastChat
			for n := range people {
				chat := whatsapptest.PastChat{Chat: p.NewContact(fmt.Sprint(79991000000+n), fmt.Sprint(200000000+n), fmt.Sprint("Customer ", n)).Number()}
				for m := range each {
					chat.Messages = append(chat.Messages, whatsapptest.Past{
						ID: fmt.Sprintf("PAST%d-%d", n, m), Time: time.Now().Add(time.Duration(m-2*each) * time.Minute), What: whatsapptest.Text(fmt.Sprint("once ", m)),
					})
				}
				past = append(past, chat)
			}
			shop.SetHistory(false, past...)
			ws := p.owner.Subscribe(e2e.LineChannel)
			p.pair(b, e2e.WhatsAppPath, shop)
			imported := func() bool {
				parts := 0
				for _, r := range shop.Receipts() {
					if r.Type == "hist_sync" {
						parts++
					}
				}
				return parts >= 2 // the names, the chats
			}
			began := time.Now()
			var took []time.Duration
			for n := 0; !imported(); n++ {
				took = append(took, arrival(b, ws, anna, shop, fmt.Sprint("live ", n, ";")))
			}
			slices.Sort(took)
			worst := took[len(took)-1]
			b.ReportMetric(float64(worst.Milliseconds()), "worst-ms")
			summary = append(summary, fmt.Sprintf("%-52s p50 %7.2f ms   worst %5.0f ms   (%d live texts in %.1f s)", "while 10,000 messages are imported on "+database,
				float64(took[len(took)/2].Microseconds())/1000, float64(worst.Milliseconds()), len(took), time.Since(began).Seconds()))
		})
	}
}

// arrival returns how long a text takes from who's phone to the socket.
func arrival(b *testing.B, ws *e2e.Socket, who *whatsapptest.Contact, to *whatsapptest.Account, text string) time.Duration {
	b.Helper()
	began := time.Now()
	who.SendText(to, text)
	for {
		_, frame, err := ws.ReadMessage()
		if err != nil {
			b.Fatal(err)
		}
		if strings.HasPrefix(string(frame), `{"event":"message",`) && strings.Contains(string(frame), text) {
			return time.Since(began)
		}
	}
}
