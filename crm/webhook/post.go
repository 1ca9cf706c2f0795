package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"chatcast/channels/webpost"
	"chatcast/crm"
)

// One webhook, as it goes over the wire:
//
//	POST /path HTTP/1.1
//	Content-Type: application/json
//	webhook-id: event_174
//	webhook-timestamp: 1637319301
//	webhook-signature: v1,base64(HMAC-SHA256(key in the secret, id.timestamp.body))
//	X-Chatcast-Signature: sha256=hex(HMAC-SHA256(secret, body))
//	X-Chatcast-Event: message
//
//	{"data":[...],"meta":{"type":"message","licenseId":1229,"messengerType":"grWhatsApp","eventId":174}}
//
// The id of an event is the same in each attempt. For a while after the secret was replaced,
// webhook-signature has a second signature, with the one before, behind a space.
const (
	idPrefix        = "event_"
	headerSignature = "X-Chatcast-Signature"
	headerEvent     = "X-Chatcast-Event"
	signaturePrefix = "sha256="
)

// Post implements crm.CallbackPoster. Of an event that is several requests it tells of the last
// one, or of the first one that failed.
func (h *Hooks) Post(ctx context.Context, companyID int64, read func() (crm.CallbackTarget, crm.CallbackEvent, error)) (went crm.CallbackAttempt, err error) {
	leave, err := h.ask(ctx, companyID)
	if err != nil {
		return went, err
	}
	defer leave()
	to, ev, err := read()
	if err != nil {
		return went, err
	}
	requests, err := h.requests(ctx, to, ev)
	switch {
	case err != nil:
		return crm.CallbackAttempt{Began: time.Now(), Reason: reasonFormat, Error: err.Error()}, nil
	case len(requests) == 0:
		return went, crm.ErrCallbackNothing
	}
	for _, r := range requests {
		if went = h.post(ctx, h.stopping, h.policy(to.Format), r); went.Reason != "" { // it goes on when nobody waits any more: it may have arrived
			break
		}
	}
	return went, nil
}

// Stopping announces that the process stops: what people have asked to be posted does not hold
// it up for long.
func (h *Hooks) Stopping() { h.stop() }

// ask waits for a place for a POST that a person asks for, not for long.
func (h *Hooks) ask(ctx context.Context, companyID int64) (leave func(), err error) {
	wait, cancel := context.WithTimeout(ctx, h.Wait)
	defer cancel()
	if leave = h.asked.take(wait, companyID); leave != nil {
		return leave, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, &crm.Error{
		Code: crm.CodeThrottled, Message: "too many URLs are asked at once, and have not answered yet", RetryAfter: int(math.Ceil(h.Timeout.Seconds())),
	}
}

// post posts a request once. When until ends because the process stops, the POST may go on for
// finishTime; when the URL was changed, it is cut at once.
func (h *Hooks) post(ctx, until context.Context, p *Policy, r Request) crm.CallbackAttempt {
	went := crm.CallbackAttempt{Began: time.Now()}
	whole, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(until, func() {
		if !errors.Is(context.Cause(until), errChanged) {
			webpost.Sleep(whole, finishTime)
		}
		cancel()
	})()
	req, err := httpRequest(whole, r)
	if err != nil {
		went.Reason, went.Error = "url", "the request cannot be made from the URL and the event"
		return went
	}
	went.Began = time.Now()
	request, end := context.WithTimeout(whole, p.Timeout)
	defer end()
	answer, failure := webpost.Do(h.client, req.WithContext(request), p.Timeout, crm.CallbackAnswer)
	went.Duration, went.Status, went.Answer = time.Since(went.Began), answer.Status, webpost.Printable(answer.Body)
	if failure != nil {
		went.Reason, went.Error = failure.Reason, failure.Text
		went.Gone = answer.Status == http.StatusGone
		went.After = retryAfter(answer, time.Now())
	}
	return went
}

// chatapp is the Format of callback URLs.
type chatapp struct{ policy Policy }

var _ Format = (*chatapp)(nil)

// Policy implements Format.
func (f *chatapp) Policy() *Policy { return &f.policy }

// Requests implements Format: each event is one.
func (f *chatapp) Requests(_ context.Context, to crm.CallbackTarget, ev crm.CallbackEvent, now time.Time) ([]Request, error) {
	id := idPrefix + strconv.FormatInt(ev.ID, 10)
	var signatures []string
	for _, secret := range []string{to.Secret, to.OldSecret} {
		if secret == "" {
			continue
		}
		signer, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return nil, errSecret
		}
		signature, err := signer.Sign(id, now, ev.Body)
		if err != nil {
			return nil, errSecret
		}
		signatures = append(signatures, signature)
	}
	header := http.Header{}
	header.Set(standardwebhooks.HeaderWebhookID, id)
	header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	header.Set(headerSignature, Signature(to.Secret, ev.Body))
	header.Set(headerEvent, ev.Name)
	return []Request{{URL: to.URL, Header: header, Body: ev.Body}}, nil
}

var errSecret = errors.New("the secret cannot be used")

// Signature returns what proves that who sent the body has the secret.
func Signature(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return signaturePrefix + hex.EncodeToString(mac.Sum(nil))
}

// retryAfter returns how long an overloaded receiver asks to wait; 0: it does not.
func retryAfter(a webpost.Answer, now time.Time) time.Duration {
	if a.Status != http.StatusTooManyRequests && a.Status != http.StatusServiceUnavailable {
		return 0
	}
	text := a.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// CheckURL implements crm.CallbackPoster.
func (h *Hooks) CheckURL(ctx context.Context, companyID int64, url string) error {
	leave, err := h.ask(ctx, companyID)
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, http.NoBody)
	if err != nil {
		return crm.Invalid("url", "cannot be used")
	}
	req.Header.Set("User-Agent", "chatcast")
	answer, failure := webpost.Do(h.client, req, h.Timeout, 0)
	switch {
	case failure != nil:
		return crm.Invalid("url", "must answer 200 to an empty POST, and has not: %s", failure.Text)
	case answer.Status != http.StatusOK:
		return crm.Invalid("url", "must answer 200 to an empty POST, not %d", answer.Status)
	}
	return nil
}
