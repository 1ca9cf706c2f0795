package pusher_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"chatcast/broadcasting"
	"chatcast/server/pusher"
)

// nobody is a ResponseWriter that keeps only the status.
type nobody struct {
	header http.Header
	status int
}

func (w *nobody) Header() http.Header         { return w.header }
func (w *nobody) Write(p []byte) (int, error) { return len(p), nil }
func (w *nobody) WriteHeader(status int)      { w.status = status }

// benchPublish posts a signed body to channels without subscribers. It measures the
// HTTP API alone, without a network or a socket.
func benchPublish(b *testing.B, path, body string, events int) {
	h := apiOf(b, broadcasting.NewEngine(broadcasting.Options{}), atDocTime)
	target := path + "?" + pusher.SignRequest(docKey, docSecret, "POST", path, nil, []byte(body), docTime)
	b.ReportAllocs()
	for b.Loop() {
		w := &nobody{header: http.Header{}}
		h.ServeHTTP(w, httptest.NewRequest("POST", target, strings.NewReader(body)))
		if w.status != 200 {
			b.Fatal(w.status)
		}
	}
	b.ReportMetric(float64(b.N*events)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkPublish(b *testing.B) {
	benchPublish(b, "/apps/3/events", `{"name":"shipped","channels":["orders"],"data":"{\"order\":7}"}`, 1)
}

func BenchmarkPublishBatch(b *testing.B) {
	benchPublish(b, "/apps/3/batch_events", batchOf(10, `{"channel":"orders","name":"shipped","data":"{\"order\":7}"}`), 10)
}
