package multiwa

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"chatcast/crm"
)

// Hooks says what is posted to the webhooks of this dialect: for each event one request under
// each name that the webhook lists.
type Hooks struct{ Lines Lines }

var _ crm.CallbackFormat = Hooks{}

// hookPolicy is how deliveries are tried again: after 30 seconds, 1, 2 and 4 minutes.
var hookPolicy = &crm.CallbackPolicy{Timeout: 30 * time.Second, First: 30 * time.Second, Most: 4 * time.Minute, Tries: 5}

// Policy implements crm.CallbackFormat.
func (Hooks) Policy() *crm.CallbackPolicy { return hookPolicy }

// Headers of a delivery.
const (
	headerEvent     = "X-MultiWA-Event"
	headerSignature = "X-MultiWA-Signature"
	headerEventID   = "X-Event-Id"
)

// hookTest is the name under which a test is posted.
const hookTest = "webhook.test"

// hookBody is the body of a delivery.
type hookBody struct {
	Event     string          `json:"event"`
	Timestamp string          `json:"timestamp"`
	ProfileID string          `json:"profileId"`
	Data      json.RawMessage `json:"data"`
}

// errUnknownProfile is the error for a line that was made a moment ago on another node. What is
// delivered is tried again.
var errUnknownProfile = errors.New("the profile is not known yet")

// Requests implements crm.CallbackFormat.
func (h Hooks) Requests(_ context.Context, to crm.CallbackTarget, ev crm.CallbackEvent, _ time.Time) (all []crm.CallbackRequest, err error) {
	profile, _ := h.Lines.Profile(ev.Line)
	if ev.Name == crm.CallbackTest {
		if profile == "" {
			return nil, errUnknownProfile
		}
		r, err := hookRequest(to, profile, hookTest, ev.At, json.RawMessage(`{"message":"This is a test"}`))
		return []crm.CallbackRequest{r}, err
	}
	phone := func(on crm.Line) string {
		_, phone := h.Lines.Profile(on)
		return phone
	}
	found, err := translate(ev.Name, ev.Data(), phone)
	if err != nil {
		return nil, err
	}
	want := setOf(to.Events...)
	if len(to.Events) == 0 {
		want = allOwn
	}
	for _, o := range found {
		at := o.time
		if at.IsZero() {
			at = ev.At
		}
		want.of(o.kind, o.detail).texts(func(name string) {
			r, e := hookRequest(to, profile, name, at, o.data)
			if e != nil {
				err = e
				return
			}
			if id := eventID(ev.ID, len(all)); id != "" {
				r.Header.Set(headerEventID, id)
			}
			all = append(all, r)
		})
	}
	if profile == "" && len(all) > 0 {
		return nil, errUnknownProfile
	}
	return all, err
}

// eventID returns the id of the request for an event that has so many before it: receivers know
// by it what came twice. It is empty for an event without a number.
func eventID(id int64, before int) string {
	switch {
	case id == 0:
		return ""
	case before == 0:
		return strconv.FormatInt(id, 10)
	}
	return strconv.FormatInt(id, 10) + "-" + strconv.Itoa(before+1)
}

// hookRequest returns the request for an occurrence under a name. The signature is over the
// bytes of the body; receivers that write anew what they have parsed get the same bytes.
func hookRequest(to crm.CallbackTarget, profile, name string, at time.Time, data json.RawMessage) (crm.CallbackRequest, error) {
	body, err := encode(hookBody{name, iso(at), profile, data})
	if err != nil {
		return crm.CallbackRequest{}, err
	}
	header := http.Header{}
	for name, value := range to.Options.Headers {
		header.Set(name, value)
	}
	header.Del(headerEvent)
	header.Del(headerSignature)
	header.Del(headerEventID)
	header[headerEvent] = []string{name} // in the spelling of the documentation
	if to.Secret != "" {
		mac := hmac.New(sha256.New, []byte(to.Secret))
		mac.Write(body)
		header[headerSignature] = []string{"sha256=" + hex.EncodeToString(mac.Sum(nil))}
	}
	return crm.CallbackRequest{Name: name, URL: to.URL, Header: header, Body: body}, nil
}
