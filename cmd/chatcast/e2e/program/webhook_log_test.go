package program_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"

	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm"
)

// The whole program shows that an endpoint fails, with its answer and without the secrets that
// the answer repeats. What was posted is posted again on demand, as it was, for Pusher's
// library to find it valid. Who resumes the endpoint need not wait for the next attempt.
func TestProgramShowsItsWebhooks(t *testing.T) {
	url, taken := webhookServer(t)
	var works atomic.Bool
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !works.Load() {
			http.Error(w, "no room for "+r.Header.Get("X-Shop"), http.StatusInsufficientStorage)
			return
		}
		http.Redirect(w, r, url, http.StatusTemporaryRedirect) // which is not followed
	}))
	t.Cleanup(broken.Close)
	cfg := e2e.Config(t)
	cfg.Webhooks.AllowPrivateTargets = true
	p := e2e.Start(t, cfg)
	owner := p.SignIn(t)
	var app crm.AppWithSecret
	owner.Must("POST", "/v1/apps", map[string]any{"name": "Shop", "webhooks": []any{
		map[string]any{"url": broken.URL + "/hook", "headers": map[string]string{"X-Shop": "hunter2"}}, map[string]any{"url": url},
	}}, &app)
	ws, _ := e2e.OnApp(t, p.Base, app.ID, app.Key).Socket()
	if err := ws.WriteMessage(websocket.TextMessage, []byte(`{"event":"pusher:subscribe","data":{"channel":"a"}}`)); err != nil {
		t.Fatal(err)
	}
	first := next(t, taken)

	var hooks []crm.AppWebhookData
	owner.Eventually("the webhook is shown as failing", func() bool {
		owner.Must("GET", "/v1/apps/"+app.ID+"/webhooks", nil, &hooks)
		return hooks[0].State == crm.CallbackFailing && hooks[1].Last != nil
	})
	if h := hooks[0]; h.URL != broken.URL+"/hook" || h.Waiting != 1 || h.Since == nil || *h.Last.Status != 507 || h.Last.Answer != "no room for ********\n" || h.Last.Events[0] != "channel_occupied" {
		t.Errorf("the failing one is %+v, %+v", h, h.Last)
	}
	if h := hooks[1]; h.State != crm.CallbackActive || h.Waiting != 0 || !h.Last.OK || h.Last.Count != 1 {
		t.Errorf("the other one is %+v, %+v", h, h.Last)
	}

	working := "/v1/apps/" + app.ID + "/webhooks/" + hooks[1].ID
	var again crm.AppWebhookDelivery
	owner.Must("POST", working+"/redeliver", map[string]any{"deliveryId": hooks[1].Last.ID}, &again)
	second := next(t, taken)
	was, err := first.events(t, app.Key, app.Secret)
	if err != nil {
		t.Fatal(err)
	}
	is, err := second.events(t, app.Key, app.Secret)
	if err != nil || fmt.Sprint(is) != fmt.Sprint(was) || second.RawBody == first.RawBody || !again.OK || again.Batch == "" || again.Batch != hooks[1].Last.Batch || again.Kind != "redelivery" {
		t.Errorf("again comes %s as %+v, %v; first came %s", second.RawBody, again, err, first.RawBody)
	}
	var log crm.Page[crm.AppWebhookDelivery]
	owner.Must("GET", working+"/deliveries", nil, &log)
	if len(log.Items) != 2 || log.Items[0].ID != again.ID || log.Items[1].ID != hooks[1].Last.ID {
		t.Errorf("the log is %+v", log.Items)
	}

	works.Store(true)
	failing := "/v1/apps/" + app.ID + "/webhooks/" + hooks[0].ID
	owner.Must("POST", failing+"/resume", nil, nil)
	owner.Eventually("it is tried again", func() bool {
		owner.Must("GET", failing+"/deliveries", nil, &log)
		return log.Items[0].Reason == "redirect"
	})
	if _, text := e2e.Get(t, "http://"+p.InternalAddress()+"/metrics"); !strings.Contains(text, `chatcast_webhook_state{app="`+app.ID+`",endpoint="0",state="failing"} 1`) {
		t.Error("the metrics do not tell that it fails")
	}
}
