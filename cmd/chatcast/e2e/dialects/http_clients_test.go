package dialects

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
)

// followCallback sets a callback URL for the line.
func (w *world) followCallback() {
	w.t.Helper()
	v := w.newViewer("the callback URL")
	v.repeat = true
	w.owner.Must("PUT", e2e.WhatsAppPath+"/callbackUrl", map[string]any{"url": w.receive(v, func(body []byte) error {
		var event struct {
			Data []json.RawMessage
			Meta struct{ Type string }
		}
		err := json.Unmarshal(body, &event)
		v.items(event.Meta.Type, event.Data)
		return err
	})}, nil)
	v.begins()
}

// followWebhook sets a webhook of another dialect: by a route that takes a body, with the URL in
// it. take takes what is posted.
func (w *world) followWebhook(name, path, header, body string, take func(v *viewer, event string, data []byte)) {
	w.t.Helper()
	v := w.newViewer(name)
	v.repeat = true
	url := w.receive(v, func(body []byte) error {
		var said struct{ Event string }
		err := json.Unmarshal(body, &said)
		take(v, said.Event, body)
		return err
	})
	var set json.RawMessage
	if err := w.post(path, header, w.key, fmt.Sprintf(body, url), &set); err != nil {
		w.t.Fatal(err)
	}
	v.begins()
}

// receive returns the URL of a server that takes what is posted to it.
func (w *world) receive(v *viewer, take func(body []byte) error) (url string) {
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the sender was killed
		}
		if len(body) == 0 {
			return // the check of the URL
		}
		if err := take(body); err != nil {
			v.problem(fmt.Sprintf("%s: %v", body, err))
		}
	}))
	w.t.Cleanup(func() {
		srv.CloseClientConnections() // of the program, which keeps them
		srv.Close()
	})
	return srv.URL
}

// followEvents reads GET /v1/events page by page, and tries again while the program is away.
func (w *world) followEvents() {
	v := w.newViewer("GET /v1/events")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for after := w.from; ctx.Err() == nil; {
			next, err := w.page(ctx, v, after)
			if err == nil {
				after = next
				continue
			}
			select {
			case <-time.After(50 * time.Millisecond): // as a program does that polls
			case <-ctx.Done():
			}
		}
	}()
	w.t.Cleanup(func() {
		cancel()
		<-done
	})
	v.begins()
}

// page reads one page and returns where the next one begins.
func (w *world) page(ctx context.Context, v *viewer, after int64) (next int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, testwait.Long)
	defer cancel()
	url := fmt.Sprintf("%s/v1/events?channel=%s&after=%d&limit=70&wait=20", w.cable.Base(), e2e.LineChannel, after)
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", w.owner.Token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	if res.StatusCode != http.StatusOK {
		if res.StatusCode <= http.StatusInternalServerError { // 503 is the answer of a program that stops
			v.problem(fmt.Sprintf("%s: %s", res.Status, body))
		}
		return 0, errors.New(res.Status)
	}
	var page struct {
		Data struct {
			Items     []e2e.Journalled
			NextAfter int64
		}
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return 0, err
	}
	for _, it := range page.Data.Items {
		v.items(it.Event, it.Data.Payload.Data)
	}
	return page.Data.NextAfter, nil
}

// post posts a body to the program itself, and returns the answer.
func (w *world) post(path, header, key, body string, into any) error {
	req, err := http.NewRequestWithContext(w.t.Context(), "POST", w.proc.Base+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set(header, key)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s %s %w", path, body, res.Status, answer, err)
	}
	return json.Unmarshal(answer, into)
}
