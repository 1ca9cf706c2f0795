package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/cmd/chatcast/e2e"
)

// summary holds the lines that make bench prints at its end, one for each bench.
var summary []string

// measured reports the median and the 99th percentile of the samples.
func measured(b *testing.B, what string, took []time.Duration) {
	b.Helper()
	if b.N < 10 { // the trial run
		return
	}
	slices.Sort(took)
	p50, p99 := took[len(took)/2], took[len(took)*99/100]
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(p50), "p50-ms")
	b.ReportMetric(ms(p99), "p99-ms")
	summary = append(summary, fmt.Sprintf("%-52s p50 %7.2f ms   p99 %7.2f ms   (%d samples)", what, ms(p50), ms(p99), len(took)))
}

// BenchmarkMessageToBrowser measures the time from the request that posts a message,
// through the commit on SQLite, to the page's JavaScript.
func BenchmarkMessageToBrowser(b *testing.B) {
	p := e2e.Start(b, e2e.Config(b))
	owner := p.SignIn(b)
	page := e2e.OpenPage(b, "latency.html", p.Site(owner.Token))
	page.Subscribed(1)
	var took []time.Duration
	b.ResetTimer()
	for n := range b.N {
		text := fmt.Sprint("latency-", n)
		began := time.Now()
		owner.Must("POST", e2e.WhatsAppPath+"/inbound", e2e.Inbound(text, "79990001122", text), nil)
		page.Wait(text, func(logged []json.RawMessage, _ []string) bool {
			if len(logged) <= n {
				return false
			}
			var at [2]any // the text, and when the page received it, in ms of the epoch
			if json.Unmarshal(logged[n], &at) != nil || at[0] != text {
				b.Fatalf("the page reported %s, want %s", logged[n], text)
			}
			took = append(took, time.Duration(at[1].(float64)*1e6)-time.Duration(began.UnixNano()))
			return true
		})
	}
	b.StopTimer()
	measured(b, "message posted to inbound -> page's JavaScript", took)
}

// BenchmarkMessageToSockets measures the same time to 1,000 sockets of one channel,
// read by a Go client in the same process. Each delivery is a sample.
func BenchmarkMessageToSockets(b *testing.B) {
	const sockets = 1000
	p := e2e.Start(b, e2e.Config(b))
	owner := p.SignIn(b)
	got := make(chan time.Time, sockets)
	var reading sync.WaitGroup
	conns := e2e.SubscribeMany(owner, sockets)
	for _, ws := range conns {
		reading.Go(func() {
			for {
				_, frame, err := ws.ReadMessage()
				if err != nil {
					return
				}
				if strings.HasPrefix(string(frame), `{"event":"message",`) {
					got <- time.Now()
				}
			}
		})
	}
	var took []time.Duration
	b.ResetTimer()
	for n := range b.N {
		text := fmt.Sprint("fan-", n)
		began := time.Now()
		owner.Must("POST", e2e.WhatsAppPath+"/inbound", e2e.Inbound(text, "79990001122", text), nil)
		for range sockets {
			took = append(took, (<-got).Sub(began))
		}
	}
	b.StopTimer()
	measured(b, "message posted to inbound -> each of 1,000 sockets", took)
	for _, ws := range conns {
		ws.Close()
	}
	reading.Wait()
}

// BenchmarkFanOut publishes events of 300 characters to 1,000 sockets as fast as they
// are all received, with 64 events in flight at a time.
func BenchmarkFanOut(b *testing.B) {
	const sockets, ahead = 1000, 64
	p := e2e.Start(b, e2e.Config(b))
	owner := p.SignIn(b)
	conns := e2e.SubscribeMany(owner, sockets)
	var reading sync.WaitGroup
	received := make(chan struct{}, sockets*ahead)
	for _, ws := range conns {
		reading.Go(func() {
			for {
				_, r, err := ws.NextReader()
				if err != nil {
					return
				}
				if _, err := io.Copy(io.Discard, r); err != nil {
					return
				}
				received <- struct{}{}
			}
		})
	}
	data := strings.Repeat("x", 300)
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
		ev := broadcasting.Event{App: "1", Channel: e2e.LineChannel, Name: "bench", Data: data}
		if err := p.Components().Engine.Publish(context.Background(), ev); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	perSecond := float64(b.N*sockets) / time.Since(began).Seconds()
	b.ReportMetric(perSecond, "deliveries/s")
	if b.N >= 10 {
		summary = append(summary, fmt.Sprintf("%-52s %.0f deliveries/s, client and server on the same cores", "fan-out of 300 characters to 1,000 sockets", perSecond))
	}
	for _, ws := range conns {
		ws.Close()
	}
	reading.Wait()
}
