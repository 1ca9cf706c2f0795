package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
)

// lastMessage returns the event of the line's last message.
func lastMessage(b *testing.B, owner *e2e.Client) (data string) {
	owner.AwaitEvent("message")
	var page struct {
		Items []struct {
			Event string
			Data  json.RawMessage
		}
	}
	owner.Must("GET", "/v1/events?channel="+e2e.LineChannel+"&after=0", nil, &page)
	for _, item := range page.Items {
		if item.Event == "message" {
			data = string(item.Data)
		}
	}
	return data
}

// BenchmarkFanOutOfProtocols brings one message of a customer to 1,000 sockets of each
// protocol, again and again, as fast as all receive it, with 64 events in flight at a time.
func BenchmarkFanOutOfProtocols(b *testing.B) {
	const sockets, ahead = 1000, 64
	p := e2e.Start(b, e2e.Config(b))
	owner := p.SignIn(b)
	key := lineKey(owner)
	owner.Must("POST", e2e.WhatsAppPath+"/inbound", e2e.Inbound("fan", "79990001122", strings.Repeat("x", 300)), nil)
	message := lastMessage(b, owner)
	for _, kind := range kinds {
		b.Run(kind.name, func(b *testing.B) {
			var reading sync.WaitGroup
			received := make(chan struct{}, sockets*ahead)
			var open []*raw
			live := int(p.Components().Engine.Stats().Resumed)
			for range sockets {
				open = append(open, kind.open(b, owner, key))
			}
			if kind.resumes { // it is subscribed a moment after it was let in
				testwait.Count(b, "sockets that are live", live+sockets, func() int { return int(p.Components().Engine.Stats().Resumed) })
			}
			publish := func() {
				ev := broadcasting.Event{App: "1", Channel: e2e.LineChannel, Name: "message", Data: message}
				if err := p.Components().Engine.Publish(context.Background(), ev); err != nil {
					b.Fatal(err)
				}
			}
			publish()
			size := open[0].sizeWith(b, "xxx")
			for i, r := range open {
				reading.Go(func() { r.count(size, i == 0, received) })
			}
			for range sockets {
				<-received
			}
			b.ResetTimer()
			began := time.Now()
			for n := range b.N + ahead {
				if n >= ahead { // as many deliveries as one event causes
					for range sockets {
						<-received
					}
				}
				if n >= b.N {
					continue // nothing is published any more; wait for the rest
				}
				publish()
			}
			b.StopTimer()
			perSecond := float64(b.N*sockets) / time.Since(began).Seconds()
			b.ReportMetric(perSecond, "deliveries/s")
			if b.N >= 10 {
				summary = append(summary, fmt.Sprintf("%-52s %.0f deliveries/s, client and server on the same cores", "one message to 1,000 sockets of "+kind.name, perSecond))
			}
			for _, r := range open {
				_ = r.Close()
			}
			reading.Wait()
		})
	}
}
