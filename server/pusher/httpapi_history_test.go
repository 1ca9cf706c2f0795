package pusher_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/server/pusher"
)

// keptRule is the rule of the documentation's app in tests of the history.
var keptRule = []apps.History{{Channels: "kept*", Retention: "1h"}}

// keeper is a History in memory.
type keeper struct {
	mu    sync.Mutex
	calls []string // guarded by mu
	err   error
}

var _ pusher.History = (*keeper)(nil)

func (k *keeper) Keep(_ context.Context, list []broadcasting.KeptEvent) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	call := ""
	for _, e := range list {
		call += fmt.Sprintf("%s %s %s except %s for %s;", e.Channel, e.Name, e.Data, e.Except, e.Keep)
	}
	k.calls = append(k.calls, call)
	return k.err
}

func (k *keeper) Of(string) broadcasting.History { return k }
func (k *keeper) Position() int64                { return 0 }

func (k *keeper) View(context.Context, string, string) (string, error) { return "", k.err }

func (k *keeper) Since(context.Context, string, string, int64, int) (broadcasting.Missed, error) {
	return broadcasting.Missed{}, k.err
}

// One publish is one commit, in the order of the request. Channels without a history get
// their events as always, and only after those are kept.
func TestPublishToKeptChannels(t *testing.T) {
	engine, k := new(recorder), new(keeper)
	app := docApp()
	app.History = keptRule
	h := apiWith(t, &pusher.HTTPAPI{Apps: newApps(t, app), Engine: engine, History: k, Log: quiet(), Now: atDocTime})
	for name, request := range map[string]func() *httptest.ResponseRecorder{
		"kept-1 e x except 1.2 for 1h0m0s;kept-2 e x except 1.2 for 1h0m0s;": func() *httptest.ResponseRecorder {
			return publish(h, `{"name":"e","channels":["kept-1","other","kept-2","kept-1"],"data":"x","socket_id":"1.2"}`)
		},
		"kept-1 a x except  for 1h0m0s;kept-1 c z except  for 1h0m0s;": func() *httptest.ResponseRecorder {
			return signed(h, "POST", "/apps/3/batch_events", nil,
				`{"batch":[{"name":"a","channel":"kept-1","data":"x"},{"name":"b","channel":"other","data":"y"},{"name":"c","channel":"kept-1","data":"z"}]}`)
		},
	} {
		if w := request(); w.Code != 200 || w.Body.String() != "{}" {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if !slices.Equal(k.calls, []string{name}) {
			t.Errorf("kept %q, want %q", k.calls, name)
		}
		if got := engine.take(); len(got) != 1 || got[0].Channel != "other" {
			t.Errorf("%s: published %+v", name, got)
		}
		k.calls, k.err = nil, errors.New("a secret reason")
		checkError(t, request(), 503, "the history is not available now; nothing was published, as far as is known")
		if got := engine.take(); len(got) > 0 {
			t.Errorf("%s: published %+v, though the others were not kept", name, got)
		}
		k.calls, k.err = nil, nil
	}
	if w := signed(h, "POST", "/apps/3/channels/kept-1/events", map[string]string{"name": "old"}, "x"); w.Code != 202 || len(k.calls) != 1 {
		t.Errorf("as old libraries do: %d, %q", w.Code, k.calls)
	}
	if w := publish(h, `{"name":"e","channel":"other","data":"x"}`); w.Code != 200 || len(k.calls) != 1 {
		t.Errorf("to a channel without a history: %d, %q", w.Code, k.calls)
	}
	k.err = errors.New("a secret reason")
	checkError(t, signed(h, "GET", "/apps/3/channels/kept-1/events", nil, ""), 503, "the history is not available now")
	checkError(t, signed(h, "GET", "/apps/3/channels/private-v1.companies.1/events", nil, ""), 403, "channel: private-v1.companies.1 is a channel of the CRM")
}

// A client's own words resume no channel of the CRM, whatever the app's rules say.
func TestResumeOfNoCRMChannel(t *testing.T) {
	h := newHarness(t, func(o *setup) {
		o.app.History = []apps.History{{Channels: "*", Retention: "1h"}}
		o.pusher.History = new(keeper)
	})
	h.engine.SetAppHistory(func(string) broadcasting.History { t.Error("the app's history was asked"); return nil }, quiet())
	a := h.connect(t)
	a.send(`{"event":"chatcast:resume","data":{"last_event_ids":{"` + line + `":0}}}`)
	status, answer := h.ask(t, "/broadcasting/auth", token, form(a.id, line))
	if status != 200 {
		t.Fatal(status, answer)
	}
	a.subscribe(line, docKey+":"+hmacHex(docSecret, a.id+":"+line), "")
	a.expect(succeeded(line))
	a.silence()
}
