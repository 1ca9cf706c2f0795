package whatsapptest_test

import (
	"fmt"
	"testing"

	"chatcast/channels/testwait"
)

// BenchmarkInbound measures a message from a customer's phone through encryption,
// socket, whatsmeow and its SQLite store, to the receipt.
func BenchmarkInbound(b *testing.B) {
	w := newWorld(b)
	w.linked(b)
	var last string
	b.ResetTimer()
	for i := range b.N {
		last = w.anna.SendText(w.shop, fmt.Sprint("text ", i))
	}
	if err := w.anna.AwaitDelivered(testwait.Context(b), last); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
