package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Client calls the CRM's API as one user.
type Client struct {
	T     testing.TB
	Base  string
	Token string
	HTTP  *http.Client // nil: http.DefaultClient
}

// SignIn signs the owner in and returns their client.
func (r *Running) SignIn(t testing.TB) *Client {
	t.Helper()
	return r.SignInAs(t, OwnerEmail, OwnerPassword)
}

// SignInAs signs a user in and returns their client.
func (r *Running) SignInAs(t testing.TB, email, password string) *Client {
	t.Helper()
	c := &Client{T: t, Base: r.Base}
	var pair struct{ AccessToken string }
	c.Must("POST", "/v1/tokens", map[string]any{"email": email, "password": password}, &pair)
	c.Token = pair.AccessToken
	return c
}

// Call sends body as JSON (none when nil) and returns the answer.
func (c *Client) Call(method, path string, body any) (status int, answer []byte) {
	c.T.Helper()
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			c.T.Fatal(err)
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, c.Base+path, content)
	if err != nil {
		c.T.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.Token != "" {
		req.Header.Set("Authorization", c.Token)
	}
	res, err := c.client().Do(req)
	if err != nil {
		c.T.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	if err != nil {
		c.T.Fatalf("%s %s: %v", method, path, err)
	}
	return res.StatusCode, answer
}

// Must calls a route and fails the test unless it succeeds. It decodes the answer's
// data into out, unless out is nil.
func (c *Client) Must(method, path string, body, out any) {
	c.T.Helper()
	status, answer := c.Call(method, path, body)
	if status != http.StatusOK {
		c.T.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	if out == nil {
		return
	}
	wrapped := struct{ Data any }{out}
	if err := json.Unmarshal(answer, &wrapped); err != nil {
		c.T.Fatalf("%s %s: %v in %s", method, path, err, answer)
	}
}

func (c *Client) client() *http.Client {
	if c.HTTP == nil {
		return http.DefaultClient
	}
	return c.HTTP
}

// SendFile uploads a file and sends it to a chat, L/chats/{id}.
func (c *Client) SendFile(chat, name string, b []byte) (status int, answer string) {
	c.T.Helper()
	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	part, err := parts.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write(b)
	}
	if err = errors.Join(err, parts.Close()); err != nil {
		c.T.Fatal(err)
	}
	req, err := http.NewRequestWithContext(c.T.Context(), "POST", c.Base+chat+"/messages/file", &form)
	if err != nil {
		c.T.Fatal(err)
	}
	req.Header.Set("Authorization", c.Token)
	req.Header.Set("Content-Type", parts.FormDataContentType())
	res, err := c.client().Do(req)
	if err != nil {
		c.T.Fatal(err)
	}
	defer res.Body.Close()
	read, err := io.ReadAll(res.Body)
	if err != nil {
		c.T.Fatal(err)
	}
	return res.StatusCode, string(read)
}

// Inbound returns the body with which a bridge posts one text.
func Inbound(id, chat, text string) map[string]any {
	return map[string]any{"messages": []any{map[string]any{
		"id": id, "chat": map[string]any{"id": chat}, "type": "text", "message": map[string]any{"text": text},
		"fromUser": map[string]any{"id": chat, "name": "Ann"}, "time": time.Now().Unix(),
	}}}
}

// Get requests a page that is open to everybody, and returns its status and body.
func Get(t testing.TB, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// Goroutines returns the stacks of all goroutines.
func Goroutines() string {
	buf := make([]byte, 1<<20)
	return string(buf[:runtime.Stack(buf, true)])
}

// GoOnline brings the client's user online, and returns when that was broadcast.
func (c *Client) GoOnline(userID int64) {
	c.T.Helper()
	c.Subscribe(fmt.Sprintf("private-v1.users.%d", userID))
	for after := int64(0); ; {
		var page struct {
			Items []struct {
				Event string
				Data  json.RawMessage
			}
			NextAfter int64
		}
		c.Must("GET", fmt.Sprintf("/v1/events?channel=%s&after=%d&wait=60", CompanyChannel, after), nil, &page)
		for _, it := range page.Items {
			if it.Event == "employeeStatus" && strings.Contains(string(it.Data), fmt.Sprintf(`"type":"online","employee":{"id":%d}`, userID)) {
				return
			}
		}
		if len(page.Items) == 0 {
			c.T.Fatalf("user %d did not come online", userID)
		}
		after = page.NextAfter
	}
}

// Hire invites Bea, an operator who may write on the licence, and accepts as Bea.
func (c *Client) Hire(p *Running) (bea *Client, id int64) {
	c.T.Helper()
	var in struct{ Invitation struct{ Code string } }
	c.Must("POST", "/v1/companies/2224/employees", map[string]any{
		"email": "bea@example.com", "role": "operator",
		"licenses": []any{map[string]any{"licenseId": 1229, "write": true}},
	}, &in)
	var joined struct{ UserID int64 }
	nobody := &Client{T: c.T, Base: c.Base}
	nobody.Must("POST", "/v1/invitations/accept", map[string]any{"code": in.Invitation.Code, "name": "Bea", "password": OwnerPassword}, &joined)
	return p.SignInAs(c.T, "bea@example.com", OwnerPassword), joined.UserID
}

// Journalled is one item of GET /v1/events.
type Journalled struct {
	ID    int64
	Event string
	Data  Payload
}

// Events reads all events of a channel, page by page.
func (c *Client) Events(channel string) (list []Journalled) {
	c.T.Helper()
	for after := int64(0); ; {
		var page struct {
			Items     []Journalled
			NextAfter int64
		}
		c.Must("GET", fmt.Sprintf("/v1/events?channel=%s&after=%d&limit=100", channel, after), nil, &page)
		list = append(list, page.Items...)
		if len(page.Items) < 100 {
			return list
		}
		after = page.NextAfter
	}
}

// Payload holds the fields of any event that the tests look at.
type Payload struct {
	Payload struct {
		Data []json.RawMessage
		Meta struct {
			Type          string
			MessengerType string
			EventID       int64
		}
	}
}

// Channels of the line, the company and the owner of the first start.
const (
	LineChannel    = "private-v1.licenses.1229.messengers.grWhatsApp"
	CompanyChannel = "private-v1.companies.2224"
	UserChannel    = "private-v1.users.685"
	ViewChannel    = "private-v1.companies.2224.users.685"
)
