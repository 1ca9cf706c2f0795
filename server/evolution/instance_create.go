package evolution

import (
	"errors"
	"net/url"
	"regexp"
	"strings"

	"chatcast/crm"
)

// integration is the only way in which instances connect.
const integration = "WHATSAPP-BAILEYS"

// createBody has the fields of a new instance. What Evolution has besides and this server has not
// is ignored: rabbitmq, chatwoot and the like.
var createBody = append(schema{
	str("instanceName").must().some(), str("integration").one(integration), str("token"), str("number").like(regexp.MustCompile(`^\d+[.@\w-]+`)), flag("qrcode"),
	str("proxyHost"), str("proxyPort"), str("proxyProtocol").one("http", "https", "socks5", "socks4", "socks"), str("proxyUsername"), str("proxyPassword"),
}, settingsBody...)

var createLifts = settingsLifts

// namesOfV1 are fields that only clients of version 1 send.
var namesOfV1 = []string{
	"webhook_by_events", "webhook_base64", "websocket_enabled", "websocket_events", "rabbitmq_enabled", "rabbitmq_events", "sqs_enabled", "sqs_events",
	"reject_call", "msg_call", "groups_ignore", "always_online", "read_messages", "read_status", "sync_full_history",
}

// shapeOfNew returns the shape of an instance that a request creates; empty: as configured.
func (q *request) shapeOfNew() string {
	if strings.HasPrefix(q.c.FullPath(), Prefix+"/") {
		return crm.ShapeL2msg
	}
	if _, is := q.raw["webhook"].(string); is {
		return crm.ShapeV1
	}
	for _, name := range namesOfV1 {
		if _, has := q.raw[name]; has {
			return crm.ShapeV1
		}
	}
	return ""
}

// newWebhook returns the webhook of a new instance; nil: it has none.
func (q *request) newWebhook() (*crm.InstanceWebhook, []violation) {
	var o object
	switch w := q.raw["webhook"].(type) {
	case string:
		if w == "" {
			return nil, nil
		}
		o = object{"url": w}
		for from, to := range map[string]string{"webhook_by_events": "byEvents", "webhook_base64": "base64", "events": "events"} {
			if v, has := q.raw[from]; has {
				o[to] = v
			}
		}
	case object:
		o = lifted(w, webhookLifts)
	case nil:
		return nil, nil
	default:
		return nil, []violation{{"instance.webhook", "is not of a type(s) object", ""}}
	}
	if wrong := webhookBody.check("instance.webhook", o, false); len(wrong) > 0 {
		return nil, wrong
	}
	if badHeaders(o) {
		return nil, []violation{{"instance.webhook.headers", "is not of a type(s) string", ""}}
	}
	hook := webhookOf(o)
	if !hook.Enabled && hook.URL == "" {
		return nil, nil
	}
	return &hook, nil
}

// newWebsocket returns which events the sockets of a new instance get; nil: all.
func (q *request) newWebsocket() (*crm.InstanceEvents, []violation) {
	o := object{}
	switch w := q.raw["websocket"].(type) {
	case object:
		o = lifted(w, nil)
	case nil:
		if enabled, has := q.raw["websocket_enabled"]; has {
			o = object{"enabled": enabled}
			if v, has := q.raw["websocket_events"]; has {
				o["events"] = v
			}
		}
	default:
		return nil, []violation{{"instance.websocket", "is not of a type(s) object", ""}}
	}
	if wrong := (schema{flag("enabled"), eventList()}).check("instance.websocket", o, false); len(wrong) > 0 {
		return nil, wrong
	}
	if _, given := o["enabled"]; !given {
		return nil, nil
	}
	on := &crm.InstanceEvents{Enabled: isTrue(o, "enabled")}
	if on.Enabled {
		on.Events = texts(o, "events")
	}
	return on, nil
}

// proxyURL returns the address of a proxy, "" when none is given. What is incomplete or of a kind
// that this server does not know is refused.
func proxyURL(host, port, protocol, user, password string) (string, error) {
	if host == "" && port == "" {
		return "", nil
	}
	if host == "" || port == "" || strings.ContainsAny(host, "/@?# ") {
		return "", errProxy
	}
	switch protocol {
	case "":
		protocol = "http"
	case "socks":
		protocol = "socks5"
	case "http", "https", "socks5":
	default:
		return "", errProxy
	}
	u := url.URL{Scheme: protocol, Host: host + ":" + port}
	if user != "" {
		u.User = url.UserPassword(user, password)
	}
	return u.String(), nil
}

var errProxy = bad("Invalid proxy")

func createInstance(q *request) (answer, error) {
	b := q.body
	in := crm.InstanceInput{
		Name: text(b, "instanceName"), Token: text(b, "token"), Shape: q.shapeOfNew(), Number: text(b, "number"),
		Settings: crm.InstanceSettings{
			RejectCall: isTrue(b, "rejectCall"), MsgCall: text(b, "msgCall"), GroupsIgnore: isTrue(b, "groupsIgnore"), AlwaysOnline: isTrue(b, "alwaysOnline"),
			ReadMessages: isTrue(b, "readMessages"), ReadStatus: isTrue(b, "readStatus"), SyncFullHistory: isTrue(b, "syncFullHistory"), WavoipToken: text(b, "wavoipToken"),
		},
	}
	var wrong, more []violation
	in.Webhook, wrong = q.newWebhook()
	in.Websocket, more = q.newWebsocket()
	if wrong = append(wrong, more...); len(wrong) > 0 {
		return answer{}, q.violations(wrong)
	}
	var err error
	if in.Proxy, err = proxyURL(text(b, "proxyHost"), text(b, "proxyPort"), text(b, "proxyProtocol"), text(b, "proxyUsername"), text(b, "proxyPassword")); err != nil {
		return answer{}, err
	}
	created, err := q.e.CRM.CreateInstance(q.ctx, q.actor, in)
	if err != nil {
		return answer{}, creationViolation(in.Name, err)
	}
	q.instance, q.shape = &created.Instance, q.askedShape(created.Shape)
	var code *qrCode
	number := onlyDigits(text(b, "number"), false)
	if isTrue(b, "qrcode") || number != "" {
		var refused *crm.Error
		if code, err = q.pair(number, createWait); errors.As(err, &refused) { // the instance is made, and connect says why
			code, err = &qrCode{}, nil
		}
		if err != nil {
			return answer{}, err
		}
	}
	return made(q.createdAnswer(created, code)), nil
}

// creationViolation gives what the rules refuse Evolution's words.
func creationViolation(name string, err error) error {
	switch {
	case blames(err, "webhook.url"):
		return badURL(`Invalid "url" property in webhook`, err)
	case blames(err, "proxy"):
		return errProxy
	case blames(err, "key"):
		return bad("token must be 16 to 200 visible ASCII characters")
	}
	return nameInUse(name, err)
}
