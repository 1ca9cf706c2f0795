package program_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"chatcast/broadcasting/apps"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm"
)

// measured starts a server on which everything that is measured has happened, and returns
// it with what it tells Prometheus.
func measured(t *testing.T) (p *e2e.Running, metrics string) {
	t.Helper()
	url, taken := webhookServer(t)
	cfg := e2e.Config(t)
	cfg.Webhooks.AllowPrivateTargets = true
	cfg.Apps[0].Webhooks = []apps.Webhook{{URL: url}}
	cfg.Apps[0].Secret = rand.Text()
	p = e2e.Start(t, cfg)
	c := p.SignIn(t)
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(backend.Close)
	c.Must(http.MethodPut, e2e.TelegramPath+"/callbackUrl", map[string]string{"url": backend.URL}, nil)
	s := c.Subscribe("private-v1.licenses.1229.messengers.telegram")
	c.Must(http.MethodPost, e2e.TelegramPath+"/inbound", e2e.Inbound("1", "chat-1", "Hi"), nil)
	for {
		var frame struct{ Event string }
		if err := s.ReadJSON(&frame); err != nil {
			t.Fatal(err)
		}
		if frame.Event == "message" {
			break
		}
	}
	if status := e2e.OnApp(t, p.Base, "1", "ChatsAppApiProdKey").Publish(cfg.Apps[0].Secret); status != http.StatusOK {
		t.Fatalf("a publish: %d", status)
	}
	next(t, taken)
	_ = s.Close()
	c.Eventually("the end of a socket and a delivery are counted", func() bool {
		_, metrics = e2e.Get(t, "http://"+p.InternalAddress()+"/metrics")
		return strings.Contains(metrics, "chatcast_sockets_ended_total{") && !strings.Contains(metrics, "chatcast_event_delivery_seconds_count 0")
	})
	return p, metrics
}

var metricName = regexp.MustCompile(`\b(?:chatcast|go|process)_[a-z0-9_]+`)

// TestMonitoringFiles checks the dashboard and the alert rules against a running server:
// every metric that they name is there, under a name that keeps Prometheus' conventions.
func TestMonitoringFiles(t *testing.T) {
	_, metrics := measured(t)
	there := map[string]bool{}
	for line := range strings.Lines(metrics) {
		if name := metricName.FindString(line); !strings.HasPrefix(line, "#") && name != "" {
			there[name] = true
		}
	}
	problems, err := promlint.New(strings.NewReader(metrics)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		if strings.HasPrefix(problem.Metric, "chatcast_") {
			t.Errorf("%s: %s", problem.Metric, problem.Text)
		}
	}
	named := map[string]bool{}
	for file, expressions := range map[string][]string{
		"alerts.yaml": alertExpressions(t), "grafana.json": dashboardExpressions(t),
	} {
		for _, expr := range expressions {
			names := metricName.FindAllString(expr, -1)
			if len(names) == 0 && !strings.HasPrefix(expr, "up{") {
				t.Errorf("%s: %q names no metric", file, expr)
			}
			for _, name := range names {
				named[name] = true
				if !there[name] {
					t.Errorf("%s: %s is not in /metrics", file, name)
				}
			}
		}
	}
	page := read(t, "monitoring.md")
	for name := range named {
		base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
		together := strings.HasPrefix(base, "chatcast_webhook_") || strings.HasPrefix(base, "chatcast_callback_") // in one row
		if strings.HasPrefix(base, "chatcast_") && !strings.Contains(page, base) && !together && base != "chatcast_build_info" {
			t.Errorf("docs/monitoring.md does not describe %s", base)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func alertExpressions(t *testing.T) (all []string) {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.UnmarshalWithOptions([]byte(read(t, "monitoring/alerts.yaml")), &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if r.Alert == "" || seen[r.Alert] || r.Expr == "" || r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("an alert is not whole, or there twice: %+v", r)
			}
			if _, err := time.ParseDuration(r.For); r.For != "" && err != nil {
				t.Errorf("%s: %v", r.Alert, err)
			}
			seen[r.Alert] = true
			all = append(all, r.Expr)
		}
	}
	if len(all) == 0 {
		t.Error("there are no alerts")
	}
	return all
}

func dashboardExpressions(t *testing.T) (all []string) {
	t.Helper()
	var board struct {
		Panels []struct {
			ID      int
			Title   string
			Type    string
			GridPos struct{ H, W, X, Y int }
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name, Definition string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "monitoring/grafana.json")), &board); err != nil {
		t.Fatal(err)
	}
	ids := map[int]bool{}
	for _, p := range board.Panels {
		if ids[p.ID] || p.Title == "" || p.GridPos.W < 1 || p.GridPos.X+p.GridPos.W > 24 || (p.Type == "row") != (len(p.Targets) == 0) {
			t.Errorf("panel %d, %q, is not whole, or there twice", p.ID, p.Title)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			all = append(all, target.Expr)
		}
	}
	for _, v := range board.Templating.List {
		if v.Definition != "" {
			all = append(all, v.Definition)
		}
	}
	return all
}

// TestMetrics reads the figures of apps, requests, lines and the database.
func TestMetrics(t *testing.T) {
	p, _ := measured(t)
	c := p.SignIn(t)
	if status := e2e.OnApp(t, p.Base, "1", "ChatsAppApiProdKey").Publish("wrong"); status != http.StatusUnauthorized {
		t.Fatalf("a publish with a wrong secret: %d", status)
	}
	if status, _ := c.Call(http.MethodGet, "/v1/licenses/1229/messengers/telegram/chats/chat-1", nil); status != http.StatusOK {
		t.Fatal(status)
	}
	on := crm.Line{LicenseID: 1229, Messenger: "grWhatsApp"}
	if err := p.Components().Rules.SetLineState(t.Context(), on, crm.LineState{State: crm.StateLoggedOut}); err != nil {
		t.Fatal(err)
	}
	_, metrics := e2e.Get(t, "http://"+p.InternalAddress()+"/metrics")
	for _, want := range []string{
		`chatcast_app_published_total{app="1"} 1`,
		`chatcast_app_sockets{app="1"} 0`,
		`chatcast_app_limited_total{app="1",limit="event_bytes"} 0`,
		`chatcast_http_requests_total{method="POST",route="/v1/tokens",status="200"} 2`,
		`chatcast_http_requests_total{method="POST",route="/apps/:id/events",status="401"} 1`,
		`chatcast_http_requests_total{method="GET",route="/app/:key",status="101"} 1`,
		`chatcast_http_requests_total{method="POST",route="/broadcasting/auth",status="200"} 1`,
		`chatcast_http_requests_total{method="GET",route="/v1/licenses/:licenseId/messengers/:messengerType/chats/:chatId",status="200"} 1`,
		`chatcast_lines{messenger="grWhatsApp",state="logged_out"} 1`,
		`chatcast_lines{messenger="grWhatsApp",state="connected"} 0`,
		`chatcast_line_ratings{messenger="grWhatsApp",rating="stop"} 0`,
		`chatcast_sends_total{messenger="grWhatsApp",result="failed"} 0`,
		`chatcast_outbox_items 0`,
		`chatcast_database_up 1`,
		`chatcast_search_complete 1`,
	} {
		if !strings.Contains(metrics, "\n"+want+"\n") {
			t.Errorf("%s is not in /metrics", want)
		}
	}
	if strings.Contains(metrics, "chat-1") {
		t.Error("a metric names a chat")
	}
}
