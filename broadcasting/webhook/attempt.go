package webhook

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"chatcast/channels/webpost"
)

// attempt sends p once and returns nil when the endpoint answered 2xx. When ctx ends,
// the attempt may continue for finishTime; if the lease is lost, it is cut at once.
func (s *sender) attempt(ctx context.Context, p *post) *webpost.Error {
	request, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.postTime)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		if !errors.Is(context.Cause(ctx), errLost) {
			webpost.Sleep(request, finishTime)
		}
		cancel()
	})()
	req, err := s.request(request, p.body)
	if err != nil {
		return webpost.ErrorOf(err, s.postTime)
	}
	_, failure := webpost.Do(s.client, req, s.postTime, 0)
	return failure
}

// request returns the POST of body to the endpoint, signed with the app's current
// secret.
func (s *sender) request(ctx context.Context, body []byte) (*http.Request, error) {
	to := s.to.Load()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "chatcast")
	// Sorted, so that of two spellings of one name the same value is always sent.
	for _, name := range slices.Sorted(maps.Keys(to.Headers)) {
		req.Header.Set(name, to.Headers[name])
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set(headerKey, to.app.Key)
	req.Header.Set(headerSignature, sign(to.app.Secret, body))
	return req, nil
}
