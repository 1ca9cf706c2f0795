package evolution

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"chatcast/crm"
	"chatcast/server"
	"chatcast/server/evolution/shape"
)

// Bounds of webhooks.
const (
	webhookTimeout = 30 * time.Second
	webhookFirst   = 5 * time.Second
	webhookMost    = 5 * time.Minute
	webhookJitter  = 0.2
	webhookTries   = 10
)

// The headers of a webhook.
const (
	headerEventID   = "X-Event-Id"
	headerSignature = "X-Chatcast-Signature"
	headerJWTKey    = "jwt_key"
)

// WebhookRules is the part of the CRM that webhooks use.
type WebhookRules interface {
	OpenStored(ctx context.Context, on crm.Line, id string) (*crm.Attachment, error)
}

// WebhookOptions are the parameters of NewWebhooks.
type WebhookOptions struct {
	Rules     WebhookRules
	Instances *crm.InstanceDirectory
	PublicURL string
	Shape     string        // in which the end of an instance is told that is not known any more
	Base64Max int64         // bytes of a file above which it is not in the body
	BlockMax  time.Duration // for which one event may hold up the others
}

// Webhooks is the crm.CallbackFormat of the webhooks of instances.
type Webhooks struct {
	WebhookOptions
	policy crm.CallbackPolicy
	memory *server.Bodies
}

var _ crm.CallbackFormat = (*Webhooks)(nil)

// NewWebhooks returns the format of webhooks.
func NewWebhooks(o WebhookOptions) *Webhooks {
	return &Webhooks{WebhookOptions: o, memory: server.NewBodies(), policy: crm.CallbackPolicy{
		Timeout: webhookTimeout, First: webhookFirst, Most: webhookMost, Jitter: webhookJitter, Tries: webhookTries, Block: o.BlockMax,
		Final: []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity},
	}}
}

// Policy implements crm.CallbackFormat.
func (h *Webhooks) Policy() *crm.CallbackPolicy { return &h.policy }

// CheckEvents returns an error unless the names are Evolution's.
func (h *Webhooks) CheckEvents(names []string) error {
	if _, err := shape.ParseEvents(names); err != nil {
		return fmt.Errorf("must be some of %s", strings.Join(shape.EventNames(), ", "))
	}
	return nil
}

// errUnknownInstance is the error for a line that was made a moment ago on another node.
var errUnknownInstance = errors.New("the instance is not known yet")

// Requests implements crm.CallbackFormat.
func (h *Webhooks) Requests(_ context.Context, to crm.CallbackTarget, ev crm.CallbackEvent, now time.Time) ([]crm.CallbackRequest, error) {
	if ev.Name == crm.CallbackTest || !crm.IsWhatsApp(ev.Line.Messenger) {
		return nil, nil
	}
	v, known := h.Instances.OfEvents(ev.Line)
	if !known {
		v, known = h.deleted(ev)
	}
	if !known && to.Line == (crm.Line{}) { // of a line that the company has deleted some time ago
		return nil, nil
	}
	if !known {
		return nil, errUnknownInstance
	}
	events, err := shape.ParseEvents(to.Events)
	if err != nil {
		return nil, errors.New("the list of events has a name that is not known")
	}
	emits, err := shape.Render(shape.Event{Name: ev.Name, Data: ev.Data(), At: ev.At}, shape.Instance{
		ID: v.ID, Name: v.Name, Phone: v.Phone, ProfileName: v.ProfileName, ServerURL: h.PublicURL, GroupsIgnore: v.GroupsIgnore, Events: events,
	}, shape.Shape(v.Shape))
	if err != nil {
		return nil, err
	}
	var list []crm.CallbackRequest
	for i, emit := range emits {
		r, err := h.request(to, ev, emit, now)
		if err != nil {
			return nil, err
		}
		r.Settings = fmt.Sprintf("%s %s %t", v.ID, v.Shape, v.GroupsIgnore)
		if id := eventID(ev.ID, i); id != "" {
			r.Header.Set(headerEventID, id)
		}
		list = append(list, r)
	}
	return list, nil
}

// deleted returns what an event says of the instance whose end it tells.
func (h *Webhooks) deleted(ev crm.CallbackEvent) (v crm.InstanceView, found bool) {
	if ev.Name != crm.EventInstance {
		return v, false
	}
	var body struct {
		Data []crm.InstanceItem `json:"data"`
	}
	if err := json.Unmarshal(ev.Body, &body); err != nil || len(body.Data) == 0 || body.Data[0].Type != crm.TypeDestroy {
		return v, false
	}
	ref := body.Data[0].Instance
	return crm.InstanceView{ID: ref.ID, Name: ref.Name, Line: ev.Line, Shape: h.Shape}, true
}

// eventID returns the id of one of the requests of an event, which is the same in each attempt:
// that of the event for the first one. What is not in the journal has none.
func eventID(id int64, nth int) string {
	switch {
	case id == 0:
		return ""
	case nth == 0:
		return strconv.FormatInt(id, 10)
	}
	return strconv.FormatInt(id, 10) + "-" + strconv.Itoa(nth+1)
}

// request returns the POST of one event in Evolution's words.
func (h *Webhooks) request(to crm.CallbackTarget, ev crm.CallbackEvent, emit shape.Emit, now time.Time) (r crm.CallbackRequest, err error) {
	header, err := webhookHeader(to.Options.Headers, now)
	if err != nil {
		return r, err
	}
	emit = emit.WithDestination(to.URL)
	r = crm.CallbackRequest{Name: emit.Name, URL: to.URL, Header: header, Body: emit.Data}
	if to.Options.ByEvents {
		if r.URL, err = underEvent(to.URL, emit.Name); err != nil {
			return r, err
		}
	}
	sign(header, to.Secret, r.Body)
	if id, ours := crm.FileOfLink(ev.Line, strings.TrimPrefix(emit.File, h.PublicURL)); to.Options.Base64 && ours {
		r.Open = func(ctx context.Context) ([]byte, http.Header, func(), error) {
			body, done := h.withFile(ctx, to.CompanyID, ev.Line, id, emit)
			signed := http.Header{}
			sign(signed, to.Secret, body)
			return body, signed, done, nil
		}
	}
	return r, nil
}

func sign(header http.Header, secret string, body []byte) {
	if secret == "" {
		return
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	header.Set(headerSignature, "sha256="+hex.EncodeToString(mac.Sum(nil)))
}

// underEvent returns the URL with the name of an event behind its path.
func underEvent(text, name string) (string, error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", errors.New("the URL cannot be used")
	}
	u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/")+"/"+shape.Dashed(name), ""
	return u.String(), nil
}

// webhookHeader returns the headers of a webhook. In place of jwt_key, which is a secret, there
// is a token that was signed with it.
func webhookHeader(headers map[string]string, now time.Time) (http.Header, error) {
	h := http.Header{}
	key := ""
	for name, value := range headers {
		if strings.EqualFold(name, headerJWTKey) {
			key = value
			continue
		}
		h.Set(name, value)
	}
	h.Del(headerEventID) // of ours alone: receivers drop what has one that they know
	h.Del(headerSignature)
	if key == "" {
		return h, nil
	}
	token, err := webhookToken(key, now)
	h.Set("Authorization", "Bearer "+token)
	return h, err
}

// webhookToken returns a JSON Web Token that is good for ten minutes.
func webhookToken(key string, now time.Time) (string, error) {
	const head = `{"alg":"HS256","typ":"JWT"}`
	claims, err := json.Marshal(struct {
		IssuedAt int64  `json:"iat"`
		Expires  int64  `json:"exp"`
		App      string `json:"app"`
		Action   string `json:"action"`
	}{now.Unix(), now.Unix() + 600, "evolution", "webhook"})
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(head)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}
