package program_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
)

// ioClient is the official client of Socket.IO, in Node.js: see server/socketio/testdata.
type ioClient struct {
	t     testing.TB
	lines chan []any // what it says
	do    func(what ...any)
}

// connectIO starts a client of a namespace, with the options of the client.
func connectIO(t testing.TB, url string, options map[string]any) *ioClient {
	t.Helper()
	arg, err := json.Marshal(map[string]any{"url": url, "options": options})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "../../../../server/socketio/testdata/clients/client.cjs", string(arg))
	cmd.Stderr = os.Stderr
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if errIn != nil || errOut != nil {
		t.Fatal(errIn, errOut)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &ioClient{t: t, lines: make(chan []any, 1000)}
	c.do = func(what ...any) {
		line, _ := json.Marshal(what)
		if _, err := in.Write(append(line, '\n')); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(c.lines)
		s := bufio.NewScanner(out)
		s.Buffer(nil, 4<<20)
		for s.Scan() {
			var line []any
			if json.Unmarshal(s.Bytes(), &line) == nil {
				c.lines <- line
			}
		}
	}()
	t.Cleanup(func() {
		_ = in.Close()
		<-done
		if err := cmd.Wait(); err != nil {
			t.Errorf("node: %v", err)
		}
	})
	return c
}

// next returns what the client says next, whose first word must be kind.
func (c *ioClient) next(kind string) []any {
	c.t.Helper()
	select {
	case line, more := <-c.lines:
		if !more || line[0] != kind {
			c.t.Fatalf("the client says %.500s, want %s", fmt.Sprint(line), kind)
		}
		return line
	case <-time.After(testwait.Long):
		c.t.Fatalf("the client says nothing, want %s", kind)
	}
	return nil
}

// ack returns the answer to what was sent. Events may come before it.
func (c *ioClient) ack() map[string]any {
	c.t.Helper()
	for line := range c.lines {
		if line[0] == "ack" {
			answer, _ := line[1].(map[string]any)
			return answer
		}
	}
	c.t.Fatal("node has ended")
	return nil
}

// text expects messages.upsert of an instance, and returns the text and the offset.
func (c *ioClient) text(instance string) (text, offset string) {
	c.t.Helper()
	for {
		line := c.next("event")
		if line[1] != "messages.upsert" {
			continue
		}
		envelope, _ := line[2].(map[string]any)
		data, _ := envelope["data"].(map[string]any)
		message, _ := data["message"].(map[string]any)
		if envelope["instance"] != instance || envelope["event"] != "messages.upsert" {
			c.t.Fatalf("the envelope is %.500s", fmt.Sprint(envelope))
		}
		if len(line) > 3 {
			offset, _ = line[3].(string)
		}
		text, _ = message["conversation"].(string)
		return text, offset
	}
}

// The clients of Evolution API's documentation get the events of their instances, with a key
// and, where that is allowed, without; they go on where they were cut off, send, and lose
// what a revoked key gave them.
func TestSocketIO(t *testing.T) {
	eachDatabase(t, func(t *testing.T, cfg config.Config) {
		cfg.Evolution.GlobalEvents, cfg.Evolution.Keyless = true, []string{"127.0.0.0/8"}
		p := e2e.Start(t, cfg)
		owner := p.SignIn(t)
		company, _ := withKey(owner, map[string]any{"rights": []string{"read", "send"}})
		line, _ := withKey(owner, map[string]any{"rights": []string{"read", "send"}, "licenseId": 1229, "messengerType": "grWhatsApp"})
		overWS := map[string]any{"transports": []string{"websocket"}}
		with := func(key string) map[string]any {
			return map[string]any{"transports": []string{"websocket"}, "auth": map[string]any{"apikey": key}}
		}
		const instance = "1229-grWhatsApp"
		write := func(id string) {
			owner.Must("POST", e2e.WhatsAppPath+"/inbound", e2e.Inbound(id, "351912000009", "Hello "+id), nil)
		}
		seed := connectIO(t, "ws"+strings.TrimPrefix(p.Base, "http")+"/"+instance, overWS)
		mine := connectIO(t, p.Base+"/"+instance, with(line.Key))
		prefixed := connectIO(t, p.Base+"/whatsapp/"+instance, map[string]any{"auth": map[string]any{"apikey": company.Key}, "transports": []string{"polling"}})
		global := connectIO(t, p.Base+"/", with(company.Key))
		all := map[string]*ioClient{"seed": seed, "line": mine, "prefixed": prefixed, "global": global}
		for _, c := range all {
			c.next("connect")
		}
		write("W1")
		offsets := map[string]string{}
		var first string
		for who, c := range all {
			text, offset := c.text(instance)
			if text == "" || first != "" && text != first {
				t.Errorf("%s gets %q", who, text)
			}
			first, offsets[who] = text, offset
		}
		if offsets["line"] == "" || offsets["prefixed"] != offsets["line"] || offsets["global"] != offsets["line"] || offsets["seed"] != "" {
			t.Errorf("the offsets are %v", offsets)
		}

		// The connection breaks, and what is written meanwhile comes when it is there again.
		mine.do("break")
		for line := range mine.lines {
			if line[0] == "disconnect" {
				break
			}
		}
		write("W2")
		if again := mine.next("connect"); again[1] != true {
			t.Errorf("it is back with %v", again)
		}
		if text, _ := mine.text(instance); text == "" || text == first {
			t.Errorf("it has missed %q", text)
		}

		for namespace, want := range map[string]string{"/none": "Invalid namespace", "/1229-telegram": "Invalid namespace"} {
			if got := connectIO(t, p.Base+namespace, with(line.Key)).next("connect_error"); got[1] != want {
				t.Errorf("%s: %v", namespace, got)
			}
		}
		mine.do("emit", "send_message", map[string]any{"message": "Hello, World!"})
		if got := mine.ack(); got["status"] != float64(400) {
			t.Errorf("a message without a receiver is answered %v", got)
		}
		seed.do("emit", "send_message", map[string]any{"number": "351912000009", "text": "hello"})
		if got := jsonOf(t, seed.ack()); got != `{"error":"Unauthorized","response":{"message":"Unauthorized"},"status":401}` {
			t.Errorf("without a key sending is answered %s", got)
		}
		mine.do("emit", "send_message", map[string]any{"number": "351912000009", "text": "hello"})
		if got := mine.ack(); got["status"] != float64(201) || got["key"] == nil {
			t.Errorf("sending is answered %v", got)
		}
		owner.Must("DELETE", "/v1/keys/"+jsonOf(t, line.ID), nil, nil)
		for line := range mine.lines {
			if line[0] == "disconnect" {
				if line[1] != "io server disconnect" {
					t.Errorf("the revoked key ends with %v", line)
				}
				break
			}
		}
	})
}

// TestPairingOverSocketIO checks that a client whose key may manage a line sees its QR codes,
// one whose key may only read sees none, and that both can be told what they missed.
func TestPairingOverSocketIO(t *testing.T) {
	cfg := e2e.Config(t)
	e2e.StartPhones(t, &cfg)
	p := e2e.Start(t, cfg)
	owner := p.SignIn(t)
	const instance = "1229-grWhatsApp"
	connect := func(rights ...string) *ioClient {
		key, _ := withKey(owner, map[string]any{"rights": rights, "licenseId": 1229, "messengerType": "grWhatsApp"})
		c := connectIO(t, p.Base+"/"+instance, map[string]any{"transports": []string{"websocket"}, "auth": map[string]any{"apikey": key.Key}})
		c.next("connect")
		return c
	}
	all, reads, manages := connect("read", "send", "manage"), connect("read"), connect("manage")
	owner.Must("POST", e2e.WhatsAppPath+"/connect", nil, nil)
	for _, c := range []*ioClient{all, manages} {
		if code, _ := c.event("qrcode.updated")["qrcode"].(map[string]any); code["instance"] != instance || code["code"] == "" || code["base64"] == nil {
			t.Errorf("the code is %.300s", fmt.Sprint(code))
		}
	}
	owner.Must("DELETE", e2e.WhatsAppPath+"/session", nil, nil)
	for name := ""; name != "close"; { // the end of the pairing comes after all codes
		line := reads.next("event")
		envelope, _ := line[2].(map[string]any)
		data, _ := envelope["data"].(map[string]any)
		if line[1] == "qrcode.updated" {
			t.Fatalf("a client that may only read sees %.300s", fmt.Sprint(envelope))
		}
		name, _ = data["state"].(string)
	}
	all.do("break")
	for line := range all.lines {
		if line[0] == "disconnect" {
			break
		}
	}
	if again := all.next("connect"); again[1] != true {
		t.Errorf("it is back with %v", again)
	}
}

// event waits for an event of a name, and returns its data.
func (c *ioClient) event(name string) map[string]any {
	c.t.Helper()
	for {
		if line := c.next("event"); line[1] == name {
			envelope, _ := line[2].(map[string]any)
			data, _ := envelope["data"].(map[string]any)
			return data
		}
	}
}
