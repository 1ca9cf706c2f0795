package dialects

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"

	"chatcast/crm/whatsapp/whatsapptest"
)

// arrivals is how many messages TestEachDialectSeesEachMessage lets arrive.
const arrivals = 1000

// TestEachDialectSeesEachMessage lets 1,000 messages arrive, without a pause, and kills the
// program in the middle, while more are sent. In the end a client of each dialect has seen
// the same messages in the same order: pusher-js, socket.io-client on the instance and on /,
// MultiWA's WebSocket, a callback URL, and GET /v1/events.
func TestEachDialectSeesEachMessage(t *testing.T) {
	eachDatabase(t, func(w *world) {
		w.group = w.NewGroup("Tea", true, w.Anna, w.customers[1], w.Shop)
		w.join()
		more := make(chan []string, 1)
		began := time.Now()
		sent := w.write(0, arrivals/2)
		w.awaitFirst(arrivals / 4)
		go func() { more <- w.write(arrivals/2, arrivals*3/4) }()
		w.kill()
		w.midst()
		sent = append(sent, <-more...)
		go func() { more <- w.write(arrivals*3/4, arrivals) }()
		w.again()
		sent = append(sent, <-more...)
		last := w.Anna.SendText(w.Shop, "the last one")
		w.await(last)
		t.Logf("%d messages and a kill took %v", arrivals, time.Since(began).Round(time.Millisecond))
		w.compare(append(sent, last), nil)
		w.recovered()
		w.stop()
	})
}

// recovered checks that the clients of Socket.IO have come back and gone on where they were.
func (w *world) recovered() {
	w.t.Helper()
	for _, v := range w.viewers {
		v.change(func() {
			if strings.Contains(v.name, "Socket.IO") && v.returned == 0 {
				w.t.Errorf("%s has not recovered", v.name)
			}
		})
	}
}

// midst checks that the program was killed while messages were on their way to the clients.
func (w *world) midst() {
	w.t.Helper()
	for _, v := range w.viewers {
		n, _ := v.seen()
		w.t.Logf("when the program is killed, %s has seen %d messages", v.name, n)
		if n >= arrivals/2 {
			w.t.Errorf("%s has seen all that was sent: nothing is shown", v.name)
		}
	}
	if n := w.Shop.Unsettled(); n == 0 {
		w.t.Error("nothing waited for the program")
	}
}

// write lets customers write, also in a group and with pictures, and the phone itself. It
// returns the ids of the messages.
func (w *world) write(from, to int) (ids []string) {
	for i := from; i < to; i++ {
		text := fmt.Sprintf("message %d", i)
		who := w.customers[i%len(w.customers)]
		switch i % 10 {
		case 3:
			ids = append(ids, who.Send(w.Shop, w.Upload([]byte("\x89PNG\r\n\x1a\n"+text), whatsmeow.MediaImage).Image(text, "image/png")))
		case 5:
			ids = append(ids, w.customers[i%2].SendGroup(w.group, whatsapptest.Text(text)))
		case 7:
			ids = append(ids, w.Shop.Write(who.Number(), whatsapptest.Text(text)))
		case 8:
			ids = append(ids, w.Shop.WriteGroup(w.group, whatsapptest.Text(text)))
		default:
			ids = append(ids, who.SendText(w.Shop, text))
		}
	}
	return ids
}
