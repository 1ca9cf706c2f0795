package webhook

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"chatcast/channels/webpost"
)

// Bytes of an answer.
const (
	AnswerBytes = 512     // shown to people
	answerRead  = 4 << 10 // in which secrets are looked for
)

// finishing returns a context of a POST that takes at most limit, with the values of ctx. When
// until ends, the POST may continue for finishTime; if the lease is lost, it is cut at once.
func finishing(ctx, until context.Context, limit time.Duration) (request context.Context, end func()) {
	request, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	stop := context.AfterFunc(until, func() {
		if !errors.Is(context.Cause(until), errLost) {
			webpost.Sleep(request, finishTime)
		}
		cancel()
	})
	return request, func() { stop(); cancel() }
}

// attempt sends p once, and returns how that went.
func (s *sender) attempt(ctx context.Context, p *post) Attempt {
	request, end := finishing(ctx, ctx, s.postTime)
	defer end()
	a := s.to.Load().post(request, s.client, p.body, s.postTime)
	a.Kind, a.Batch, a.Events, a.Count = KindDelivery, p.id, p.events, p.count
	a.Nth = p.parts[0].Attempts + p.tries + 1
	return a
}

// post posts body once. limit is the time that ctx has.
func (e *endpoint) post(ctx context.Context, client *http.Client, body []byte, limit time.Duration) Attempt {
	a := Attempt{App: e.app.ID, Endpoint: e.id, Began: time.Now()}
	req, err := e.request(ctx, body)
	failure := &webpost.Error{Reason: "url", Text: "the URL or a header cannot be used"}
	if err == nil {
		var answer webpost.Answer
		answer, failure = webpost.Do(client, req, limit, answerRead)
		a.Status, a.Answer = answer.Status, e.shown(answer.Body)
	}
	a.Duration = time.Since(a.Began)
	if failure != nil {
		a.Reason, a.Error = failure.Reason, failure.Text
	}
	return a
}

// request returns the POST of body to the endpoint, signed with the app's current secret.
func (e *endpoint) request(ctx context.Context, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "chatcast")
	// Sorted, so that of two spellings of one name the same value is always sent.
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		req.Header.Set(name, e.Headers[name])
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set(headerKey, e.app.Key)
	req.Header.Set(headerSignature, sign(e.app.Secret, body))
	return req, nil
}

// hidden replaces secrets in answers.
const hidden = "********"

// shown returns the beginning of an answer as people may see it: a receiver may repeat the
// headers that it got.
func (e *endpoint) shown(answer []byte) string {
	secrets := []string{e.app.Secret, e.app.OldSecret}
	for _, value := range e.Headers {
		secrets = append(secrets, value)
		if _, token, ok := strings.Cut(value, " "); ok { // "Bearer ..."
			secrets = append(secrets, token)
		}
	}
	if u, err := url.Parse(e.URL); err == nil {
		if password, ok := u.User.Password(); ok {
			basic := base64.StdEncoding.EncodeToString([]byte(u.User.Username() + ":" + password))
			secrets = append(secrets, password, basic)
		}
	}
	var spelled []string
	for _, secret := range secrets {
		if len(secret) > 3 {
			spelled = append(spelled, spellings(secret)...)
		}
	}
	// The longest first: one may hold another.
	slices.SortFunc(spelled, func(a, b string) int { return len(b) - len(a) })
	text := webpost.Printable(answer)
	for _, secret := range spelled {
		text = strings.ReplaceAll(text, secret, hidden)
	}
	if len(text) > AnswerBytes {
		text = strings.ToValidUTF8(text[:AnswerBytes], "")
	}
	return text
}

// spellings returns how a receiver may repeat a text: as it is, in JSON, where PHP also escapes
// slashes, in HTML, and in a URL.
func spellings(text string) []string {
	var plain bytes.Buffer
	enc := json.NewEncoder(&plain)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // a text can be encoded
	inJSON := strings.Trim(strings.TrimSpace(plain.String()), `"`)
	escaped, _ := json.Marshal(text)
	return []string{
		text, inJSON, strings.ReplaceAll(inJSON, "/", `\/`), strings.Trim(string(escaped), `"`), html.EscapeString(text), url.QueryEscape(text), url.PathEscape(text),
	}
}
