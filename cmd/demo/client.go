package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	ownerEmail = "owner@example.com"
	miaEmail   = "mia@example.com"
	line       = "/v1/licenses/1229/messengers/grWhatsApp"
)

// client calls the public routes as one user.
type client struct{ base, token string }

// call sends in as JSON and decodes the answer's data into out, unless they are nil.
func (c *client) call(ctx context.Context, method, path string, in, out any) error {
	var content io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", c.token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode == http.StatusNotFound {
		return fmt.Errorf("%w: %s %s: %s", errNotFound, method, path, answer)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s %s", method, path, res.Status, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, &struct{ Data any }{out})
}

// firstMessage is the time limit for a message from the phone to the CRM.
const firstMessage = 30 * time.Second

var errNotFound = errors.New("not found")

func signIn(ctx context.Context, base, email, password string) (*client, error) {
	c := &client{base: base}
	var pair struct{ AccessToken string }
	err := c.call(ctx, "POST", "/v1/tokens", map[string]any{"email": email, "password": password}, &pair)
	c.token = pair.AccessToken
	return c, err
}

// hire invites Mia, an operator, to the company, and accepts as Mia.
func hire(ctx context.Context, owner *client, password string) (*colleague, error) {
	var in struct{ Invitation struct{ Code string } }
	err := owner.call(ctx, "POST", "/v1/companies/2224/employees", map[string]any{
		"email": miaEmail, "role": "operator",
		"licenses": []any{map[string]any{"licenseId": 1229, "write": true}},
	}, &in)
	if err != nil {
		return nil, err
	}
	nobody := &client{base: owner.base}
	err = nobody.call(ctx, "POST", "/v1/invitations/accept", map[string]any{"code": in.Invitation.Code, "name": "Mia", "password": password}, nil)
	if err != nil {
		return nil, err
	}
	c, err := signIn(ctx, owner.base, miaEmail, password)
	if err != nil {
		return nil, err
	}
	mia := &colleague{client: c, tags: make(map[string]int64), texts: make(map[string]bool)}
	var me struct{ ID int64 }
	if err := c.call(ctx, "GET", "/v1/me", nil, &me); err != nil {
		return nil, err
	}
	mia.id = me.ID
	for name, color := range map[string]string{"order": "#1f7a4d", "question": "#2b62c0", "complaint": "#b3412e"} {
		var tag struct{ ID int64 }
		if err := owner.call(ctx, "POST", "/v1/tags", map[string]any{"name": name, "color": color}, &tag); err != nil {
			return nil, err
		}
		mia.tags[name] = tag.ID
	}
	return mia, nil
}

// until retries until try succeeds or ctx ends. It returns the last error.
func until(ctx context.Context, try func() error) error {
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return err
		}
	}
}

// colleague is Mia, who answers the customers.
type colleague struct {
	*client
	id   int64
	tags map[string]int64

	mu    sync.Mutex
	texts map[string]bool // all texts that she wrote
}

func (c *colleague) in(chat string) string { return line + "/chats/" + url.PathEscape(chat) }

// change calls a route of the chat. If a customer's first message is still on its way, it
// waits for the chat to exist.
func (c *colleague) change(ctx context.Context, method, chat, path string, in any) error {
	for wait := time.After(firstMessage); ; {
		err := c.call(ctx, method, c.in(chat)+path, in, nil)
		if !errors.Is(err, errNotFound) {
			return err
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-wait:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// say marks the chat as read and writes to it.
func (c *colleague) say(ctx context.Context, chat, text string) error {
	c.mu.Lock()
	c.texts[text] = true
	c.mu.Unlock()
	if err := c.change(ctx, http.MethodPatch, chat, "/read", nil); err != nil {
		return err
	}
	return c.change(ctx, http.MethodPost, chat, "/messages/text", map[string]any{"text": text})
}

// wrote reports whether Mia wrote this text, rather than somebody else.
func (c *colleague) wrote(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.texts[text]
}
