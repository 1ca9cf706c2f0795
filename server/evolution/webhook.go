package evolution

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"chatcast/crm"
)

func webhookRoutes() []route {
	return []route{
		{methods: "POST", path: "/webhook/set/:instance", body: webhookBody, lifts: webhookLifts, do: setWebhook, fail: webhookViolation},
		{methods: "POST", path: "/webhook/instance/:instance", body: webhookBody, lifts: webhookLifts, do: setWebhook, fail: webhookViolation},
		{methods: "GET", path: "/webhook/find/:instance", do: findWebhook},
	}
}

// webhookBody has the fields of a webhook, at the top of the body after lifting.
var webhookBody = schema{
	flag("enabled"), str("url"), obj("headers"), flag("byEvents"), flag("base64"), eventList(),
}

// webhookNames are the names that clients give the fields of a webhook.
var webhookNames = map[string][]string{
	"enabled": {"enabled"}, "url": {"url", "webhook"}, "headers": {"headers"}, "events": {"events"},
	"byEvents": {"byEvents", "webhookByEvents", "webhook_by_events"}, "base64": {"base64", "webhookBase64", "webhook_base64"},
}

// webhookLifts lifts them from the top of the body and from within webhook.
var webhookLifts = func() (all []lift) {
	for _, to := range slices.Sorted(maps.Keys(webhookNames)) {
		for _, name := range webhookNames[to] {
			if name != to {
				all = append(all, lift{name, to})
			}
			all = append(all, lift{"webhook." + name, to})
		}
	}
	return all
}()

// webhookOf returns the webhook that a body describes.
func webhookOf(o object) crm.InstanceWebhook {
	w := crm.InstanceWebhook{URL: text(o, "url"), ByEvents: isTrue(o, "byEvents"), Base64: isTrue(o, "base64")}
	enabled, given := o["enabled"].(bool)
	w.Enabled = enabled || !given && w.URL != ""
	if w.Enabled {
		w.Events = texts(o, "events")
	}
	for name, value := range inner(o, "headers") {
		if v, is := value.(string); is {
			if w.Headers == nil {
				w.Headers = map[string]string{}
			}
			w.Headers[name] = v
		}
	}
	return w
}

// badHeaders reports whether a header has a value that is no text.
func badHeaders(o object) bool {
	for _, v := range inner(o, "headers") {
		if _, is := v.(string); !is {
			return true
		}
	}
	return false
}

type webhookRow struct {
	ID              string            `json:"id"`
	URL             string            `json:"url"`
	Headers         map[string]string `json:"headers"`
	Enabled         bool              `json:"enabled"`
	Events          []string          `json:"events"`
	WebhookByEvents bool              `json:"webhookByEvents"`
	WebhookBase64   bool              `json:"webhookBase64"`
	CreatedAt       wireTime          `json:"createdAt"`
	UpdatedAt       wireTime          `json:"updatedAt"`
	InstanceID      string            `json:"instanceId"`
}

type webhookV1 struct {
	Enabled  bool     `json:"enabled"`
	URL      string   `json:"url"`
	Events   []string `json:"events"`
	ByEvents bool     `json:"webhook_by_events"`
	Base64   bool     `json:"webhook_base64"`
}

func rowOfWebhook(i *crm.Instance) *webhookRow {
	w := i.Webhook
	if w == nil {
		return nil
	}
	return &webhookRow{
		ID: i.ID, URL: w.URL, Headers: w.Headers, Enabled: w.Enabled, Events: shownEvents(w.Enabled, w.Events), WebhookByEvents: w.ByEvents, WebhookBase64: w.Base64,
		CreatedAt: wireTime(w.CreatedAt), UpdatedAt: wireTime(w.UpdatedAt), InstanceID: i.ID,
	}
}

func webhookV1Of(i *crm.Instance) webhookV1 {
	w := i.Webhook
	if w == nil {
		return webhookV1{Events: []string{}}
	}
	return webhookV1{w.Enabled, w.URL, shownEvents(w.Enabled, w.Events), w.ByEvents, w.Base64}
}

func setWebhook(q *request) (answer, error) {
	hook := webhookOf(q.body)
	if badHeaders(q.body) {
		return answer{}, q.violations([]violation{{"instance.headers", "is not of a type(s) string", ""}})
	}
	if hook.Enabled && hook.URL == "" {
		return answer{}, errWebhookURL
	}
	i, err := q.e.CRM.ChangeInstance(q.ctx, q.actor, q.instance.Name, crm.InstanceChanges{Webhook: crm.Value(hook)})
	if err != nil {
		return answer{}, err
	}
	if q.v1() {
		return made(struct {
			Webhook any `json:"webhook"`
		}{struct {
			InstanceName string    `json:"instanceName"`
			Webhook      webhookV1 `json:"webhook"`
		}{i.Name, webhookV1Of(i)}}), nil
	}
	return made(rowOfWebhook(i)), nil
}

var errWebhookURL = &refusal{status: http.StatusBadRequest, message: []string{`Invalid "url" property`}}

// webhookViolation gives a wrong URL Evolution's text.
func webhookViolation(_ *request, err error) error {
	if blames(err, "webhook.url") {
		return badURL(`Invalid "url" property`, err)
	}
	return err
}

// badURL refuses a webhook with Evolution's text. Who tries it with a program on his own machine, which
// Evolution would call, is told beside it which setting lets this server do so.
func badURL(words string, err error) error {
	var of *crm.Error
	if errors.As(err, &of) && strings.Contains(of.Fields["webhook.url"], "webhooks.allow_private_targets") {
		return bad(words, of.Fields["webhook.url"])
	}
	return bad(words)
}

func findWebhook(q *request) (answer, error) {
	if err := q.mustHave(crm.KeyManage, crm.KeyRead); err != nil { // as who sets it: its headers are secrets
		return answer{}, err
	}
	if q.v1() {
		return ok(webhookV1Of(q.instance)), nil
	}
	if q.instance.Webhook == nil {
		return ok(nil), nil
	}
	return ok(rowOfWebhook(q.instance)), nil
}
