package multiwa

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
)

// TestJavaScriptWritesTheSame checks that bodies of webhooks are as JavaScript writes them anew,
// so that receivers that check the signature over that find it right.
func TestJavaScriptWritesTheSame(t *testing.T) {
	golden, err := os.ReadFile("../../../../server/multiwa/testdata/webhooks.golden")
	if err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for _, l := range strings.Split(strings.TrimSuffix(string(golden), "\n"), "\n") {
		_, body, _ := strings.Cut(l, " ")
		bodies = append(bodies, body)
	}
	cmd := exec.Command("node", "-e", `const lines = require("fs").readFileSync(0, "utf8").split("\n");
		process.stdout.write(lines.map((line) => JSON.stringify(JSON.parse(line))).join("\n"));`)
	cmd.Stdin = strings.NewReader(strings.Join(bodies, "\n"))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	anew := strings.Split(string(out), "\n")
	if len(anew) != len(bodies) || len(bodies) < 30 {
		t.Fatalf("%d bodies, %d written anew", len(bodies), len(anew))
	}
	for i, body := range bodies {
		if anew[i] != body {
			t.Errorf("JavaScript writes\n%s\nand we\n%s", anew[i], body)
		}
	}
}

// TestWebhook makes a webhook by the REST API of the whole program, and gets what happens, in
// order, signed, and nothing of while it is off.
func TestWebhook(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *desk) {
		got := make(chan string, 100)
		receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			mac := hmac.New(sha256.New, []byte("a secret"))
			mac.Write(body)
			if r.Header.Get("X-MultiWA-Signature") != "sha256="+hex.EncodeToString(mac.Sum(nil)) || r.Header.Get("X-Shop") != "tea" {
				t.Errorf("the headers are %v", r.Header)
			}
			got <- r.Header.Get("X-MultiWA-Event") + " " + string(body)
		}))
		t.Cleanup(receiver.Close)
		s := &shop{t: t, p: d.p, key: d.key(true, crm.KeyRead, crm.KeyManage).Key, profile: d.profile}
		var made struct{ ID string }
		s.call("POST", "/webhooks", `{"url":"`+receiver.URL+`","events":["*"],"headers":{"X-Shop":"tea"},"secret":"a secret"}`, &made)
		next := func() string {
			t.Helper()
			select {
			case text := <-got:
				return text
			case <-time.After(testwait.Long):
				t.Fatal("nothing was delivered")
			}
			return ""
		}
		var tested struct{ Success bool }
		s.call("POST", "/webhooks/"+made.ID+"/test", "", &tested)
		if text := next(); !tested.Success || !strings.HasPrefix(text, `webhook.test {"event":"webhook.test","timestamp":"`) {
			t.Errorf("the test: %+v, %s", tested, text)
		}
		for i := range 10 {
			d.say(fmt.Sprint("3A0", i), fmt.Sprint("Text ", i))
		}
		for i := range 10 {
			want := fmt.Sprintf(`"profileId":"%s","data":{"id":"false_351912000001@c.us_3A0%d"`, d.profile, i)
			if text := next(); !strings.HasPrefix(text, `message.received {"event":"message.received","timestamp":"`) || !strings.Contains(text, want) {
				t.Errorf("got %s, want %s", text, want)
			}
		}
		s.call("PUT", "/webhooks/"+made.ID, `{"enabled":false}`, nil)
		published := d.raw(s.key, `["*"]`)
		d.say("3A10", "Not delivered")
		published.event() // it has its place in the journal, before what is delivered
		s.call("PUT", "/webhooks/"+made.ID, `{"enabled":true}`, nil)
		d.say("3A11", "Delivered")
		if text := next(); !strings.Contains(text, `"body":"Delivered"`) {
			t.Errorf("after it was off: %s", text)
		}
		s.call("DELETE", "/webhooks/"+made.ID, "", nil)
	})
}
