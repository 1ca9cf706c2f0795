package evolution

import (
	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

// createdV2 is the answer to the creation of an instance.
type createdV2 struct {
	Instance struct {
		InstanceName          string  `json:"instanceName"`
		InstanceID            string  `json:"instanceId"`
		Integration           string  `json:"integration"`
		WebhookWABusiness     *string `json:"webhookWaBusiness"`
		AccessTokenWABusiness string  `json:"accessTokenWaBusiness"`
		Status                string  `json:"status"`
	} `json:"instance"`
	Hash      string         `json:"hash"`
	Webhook   createdWebhook `json:"webhook"`
	Websocket onOff          `json:"websocket"`
	Rabbitmq  onOff          `json:"rabbitmq"`
	Nats      onOff          `json:"nats"`
	Sqs       onOff          `json:"sqs"`
	Settings  settingsV2     `json:"settings"`
	QRCode    *qrCode        `json:"qrcode,omitempty"`
}

type onOff struct {
	Enabled bool `json:"enabled"`
}

type createdWebhook struct {
	URL      string            `json:"webhookUrl,omitempty"`
	Headers  map[string]string `json:"webhookHeaders,omitempty"`
	ByEvents *bool             `json:"webhookByEvents,omitempty"`
	Base64   *bool             `json:"webhookBase64,omitempty"`
}

// createdV1 is the same in version 1, and for l2msg, which has fewer members.
type createdV1 struct {
	Instance struct {
		InstanceName          string  `json:"instanceName"`
		InstanceID            string  `json:"instanceId"`
		Integration           string  `json:"integration,omitempty"`
		WebhookWABusiness     *string `json:"webhook_wa_business"`
		AccessTokenWABusiness string  `json:"access_token_wa_business"`
		Status                string  `json:"status"` // created
	} `json:"instance"`
	Hash struct {
		APIKey string `json:"apikey"`
	} `json:"hash"`
	Webhook   *createdWebhookV1 `json:"webhook,omitempty"`
	Websocket *websocketV1      `json:"websocket,omitempty"`
	Rabbitmq  *websocketV1      `json:"rabbitmq,omitempty"`
	Sqs       *websocketV1      `json:"sqs,omitempty"`
	Settings  settingsV1        `json:"settings"`
	QRCode    *qrCode           `json:"qrcode,omitempty"`
}

type createdWebhookV1 struct {
	Webhook  string   `json:"webhook"`
	ByEvents bool     `json:"webhook_by_events"`
	Base64   bool     `json:"webhook_base64"`
	Events   []string `json:"events"`
}

// createdAnswer returns the answer in the request's shape. An instance is never open yet.
func (q *request) createdAnswer(c *crm.CreatedInstance, code *qrCode) any {
	switch q.shape {
	case crm.ShapeV1:
		out := createdV1Of(c, code)
		off := websocketV1{Events: []string{}}
		out.Instance.Integration, out.Rabbitmq, out.Sqs = integration, &off, &off
		out.Websocket = &websocketV1{c.Websocket.Enabled, shownEvents(c.Websocket.Enabled, c.Websocket.Events)}
		hook := webhookV1Of(&c.Instance)
		out.Webhook = &createdWebhookV1{hook.URL, hook.ByEvents, hook.Base64, hook.Events}
		return out
	case crm.ShapeL2msg:
		return createdV1Of(c, code)
	}
	var out createdV2
	i := &out.Instance
	i.InstanceName, i.InstanceID, i.Integration, i.Status = c.Name, c.ID, integration, shape.StateClose
	if code != nil {
		i.Status = shape.StateConnecting
	}
	if w := c.Webhook; w != nil {
		out.Webhook = createdWebhook{w.URL, w.Headers, &w.ByEvents, &w.Base64}
	}
	out.Hash, out.Websocket, out.Settings, out.QRCode = c.Key, onOff{c.Websocket.Enabled}, settingsOf(&c.Instance), code
	return out
}

func createdV1Of(c *crm.CreatedInstance, code *qrCode) createdV1 {
	var out createdV1
	i := &out.Instance
	i.InstanceName, i.InstanceID, i.Status = c.Name, c.ID, "created"
	out.Hash.APIKey, out.Settings, out.QRCode = c.Key, settingsV1Of(&c.Instance), code
	return out
}
