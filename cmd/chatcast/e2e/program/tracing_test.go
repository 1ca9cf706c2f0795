package program_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// span is a span as a collector gets it: OTLP's JSON.
type span struct {
	TraceID    string `json:"traceId"`
	SpanID     string `json:"spanId"`
	Parent     string `json:"parentSpanId"`
	Name       string
	Kind       int
	Start      string `json:"startTimeUnixNano"`
	End        string `json:"endTimeUnixNano"`
	Attributes []struct {
		Key   string
		Value struct{ StringValue, IntValue string }
	}
	Status struct{ Code int }
}

func (s span) attribute(key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.StringValue + a.Value.IntValue
		}
	}
	return ""
}

// collector takes spans.
type collector struct {
	url   string
	mu    sync.Mutex
	spans []span // guarded by mu
	down  bool   // it refuses everything; guarded by mu
}

func newCollector(t *testing.T) *collector {
	c := &collector{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			ResourceSpans []struct {
				Resource   struct{ Attributes []struct{ Key string } }
				ScopeSpans []struct {
					Scope struct{ Name string }
					Spans []span
				}
			}
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.down {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		for _, resource := range body.ResourceSpans {
			if len(resource.Resource.Attributes) != 2 || len(resource.ScopeSpans) != 1 || resource.ScopeSpans[0].Scope.Name != "chatcast" {
				t.Errorf("a resource %+v", resource)
			}
			c.spans = append(c.spans, resource.ScopeSpans[0].Spans...)
		}
	}))
	t.Cleanup(s.Close)
	c.url = s.URL + "/v1/traces"
	return c
}

// bring brings a message of a customer, as a backend that traces its own requests, and
// waits until a socket has it.
func bring(t *testing.T, p *e2e.Running) {
	t.Helper()
	c := p.SignIn(t)
	s := c.Subscribe("private-v1.licenses.1229.messengers.telegram")
	body, err := json.Marshal(e2e.Inbound("1", "chat-1", "Hi"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.Base+e2e.TelegramPath+"/inbound", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", c.Token)
	r.Header.Set("traceparent", "00-"+theirTrace+"-00f067aa0ba902b7-01")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatal(res.Status)
	}
	for {
		var frame struct{ Event string }
		if err := s.ReadJSON(&frame); err != nil {
			t.Fatal(err)
		}
		if frame.Event == "message" {
			return
		}
	}
}

const theirTrace = "4bf92f3577b34da6a3ce929d0e0e4736"

// TestTracing follows a message from the request that brings it to the socket that gets
// its event, in one trace: that of the backend.
func TestTracing(t *testing.T) {
	c := newCollector(t)
	cfg := e2e.Config(t)
	cfg.Tracing.Endpoint = c.url
	p := e2e.Start(t, cfg)
	bring(t, p)
	p.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	byName := map[string]span{}
	for _, s := range c.spans {
		start, errStart := strconv.ParseInt(s.Start, 10, 64)
		end, errEnd := strconv.ParseInt(s.End, 10, 64)
		if errStart != nil || errEnd != nil || start > end || len(s.SpanID) != 16 || len(s.TraceID) != 32 || s.Status.Code != 0 {
			t.Errorf("span %+v", s)
		}
		for _, a := range s.Attributes {
			if text := a.Value.StringValue; strings.Contains(text, "chat-1") || strings.Contains(text, "Hi") {
				t.Errorf("%s tells %s", s.Name, text)
			}
		}
		if s.TraceID == theirTrace && (!strings.HasPrefix(s.Name, "publish ") || s.Name == "publish message") {
			byName[s.Name] = s
		}
	}
	request := byName["POST /v1/licenses/:licenseId/messengers/:messengerType/inbound"]
	change, published, delivery := byName["change"], byName["publish message"], byName["delivery"]
	if request.Parent != "00f067aa0ba902b7" || request.Kind != 2 || request.attribute("http.response.status_code") != "200" {
		t.Errorf("the request: %+v", request)
	}
	if change.Parent != request.SpanID || change.SpanID == "" {
		t.Errorf("the change: %+v", change)
	}
	if published.Parent != change.SpanID || published.attribute("chatcast.event") != "message" || published.attribute("chatcast.event_id") == "" {
		t.Errorf("the publish: %+v", published)
	}
	if delivery.Parent != change.SpanID {
		t.Errorf("the delivery: %+v", delivery)
	}
}

// TestTracingHindersNothing runs without a collector that answers.
func TestTracingHindersNothing(t *testing.T) {
	c := newCollector(t)
	c.down = true
	cfg := e2e.Config(t)
	cfg.Tracing.Endpoint = c.url
	p := e2e.Start(t, cfg)
	bring(t, p)
	p.Stop()
}
