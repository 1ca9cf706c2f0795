package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
)

func server(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "chatcast")
	build := exec.Command("go", "build", "-trimpath", "-o", path, "../chatcast") // as make build does
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

var shown = regexp.MustCompile(`(?s)console +(http://\S+)/\n.*e-mail +(\S+)\n.*password +(\S+)\n`)

// TestMain also ends the browser.
func TestMain(m *testing.M) { e2e.Main(m) }

var phoneShown = regexp.MustCompile(`phone +(http://127\.0\.0\.1:\d+/)\n`)

var keyShown = regexp.MustCompile(`key +(cck_[0-9a-f]{64})\n`)

// TestDemo runs the demo with the built program, at a fast pace. The printed credentials
// open the console; the line is not linked, and nobody writes, until the button on the
// phone's page is clicked in a browser. Then customers write and send files, Mia answers,
// the person at the console gets read marks and replies, and nothing is left at the end.
func TestDemo(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("CHATCAST_SERVER_ADDRESS", "no address: settings of this shell must not reach the demo")
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var out, errs testwait.Output
	program := server(t)
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, options{program: program, address: "127.0.0.1:0", seed: 3, pace: 60 * time.Millisecond}, &out, &errs)
	}()
	var me *client
	err := until(testwait.Context(t), func() (err error) {
		m := shown.FindStringSubmatch(out.String())
		if m == nil {
			return fmt.Errorf("it prints %q, %q", out.String(), errs.String())
		}
		me, err = signIn(ctx, m[1], m[2], m[3])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if page, err := http.Get(me.base + "/"); err != nil || page.Body.Close() != nil || page.StatusCode != http.StatusOK {
		t.Errorf("the console: %v %v", page, err)
	}

	link(t, ctx, me, out.String())
	key := keyShown.FindStringSubmatch(out.String())
	if key == nil {
		t.Fatalf("it prints %q", out.String())
	}
	state, err := http.NewRequestWithContext(ctx, http.MethodGet, me.base+"/instance/connectionState/1229-grWhatsApp", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	state.Header.Set("apikey", key[1])
	if res, err := http.DefaultClient.Do(state); err != nil || res.Body.Close() != nil || res.StatusCode != http.StatusOK {
		t.Errorf("a client of Evolution API is answered %v, %v", res, err)
	}
	events := &journal{client: me}
	events.await(t, `"type":"text"`, `"type":"image"`, `"type":"voice"`, `"type":"document"`, `"type":"location"`, `"type":"contact"`, `"type":"poll"`,
		`"type":"reaction"`, `"type":"group"`, `"event":"messageEdit"`, `"event":"messageDelete"`, `"event":"chatTag"`, `"event":"chatResponsible"`,
		`"event":"chatStatus"`, `"event":"chatRead"`, `"type":"delivered"`, `"type":"viewed"`)
	anna := line + "/chats/" + cast[0].phone
	var mine struct{ ID string }
	if err := me.call(ctx, http.MethodPost, anna+"/messages/text", map[string]any{"text": "Good day, Anna"}, &mine); err != nil {
		t.Fatal(err)
	}
	events.await(t, `"quotedMessage":{"id":"`+mine.ID+`"`)
	if strings.Contains(events.text, `"type":"failed"`) || strings.Contains(events.text, `"state":"failed"`) || strings.Contains(events.text, `"undecryptable"`) {
		t.Error("something failed")
	}

	interrupt()
	select {
	case err := <-ended:
		if err != nil || errs.String() != "" {
			t.Errorf("it ended with %v, and complained %q", err, errs.String())
		}
	case <-testwait.Context(t).Done():
		t.Fatal("it does not end")
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "chatcast-demo-*")); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
	if _, err := http.Get(me.base + "/healthz"); err == nil {
		t.Error("the server still runs")
	}
	http.DefaultClient.CloseIdleConnections()
}

// link links the line by a click on the phone's page. Requests of other pages do nothing.
func link(t *testing.T, ctx context.Context, me *client, printed string) {
	t.Helper()
	m := phoneShown.FindStringSubmatch(printed)
	if m == nil {
		t.Fatalf("no phone is shown: %q", printed)
	}
	for header, value := range map[string]string{"Host": "rebound.example", "Origin": "https://other.example"} {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, m[1]+"scan", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(header, value)
		if header == "Host" {
			req.Host = value
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode < 400 {
			t.Errorf("a scan with %s %s: %s", header, value, res.Status)
		}
	}
	p := e2e.OpenTab(t, m[1])
	until := func(js string) chromedp.Action[chromedp.Void] {
		return chromedp.Poll[chromedp.Void](js, chromedp.WithPollingTimeout(testwait.Long))
	}
	p.Do(until(`!document.getElementById("code").hidden && document.getElementById("code").naturalWidth > 100 && !document.getElementById("scan").disabled`))
	var status struct{ State string }
	var page struct{ Items []any }
	err := me.call(ctx, http.MethodGet, line+"/status", nil, &status)
	if err == nil {
		err = me.call(ctx, http.MethodGet, line+"/chats", nil, &page)
	}
	if err != nil || status.State != "pairing" || len(page.Items) != 0 {
		t.Fatalf("before the click the line is %+v with %d chats, %v", status, len(page.Items), err)
	}
	p.Do(chromedp.Click("#scan"), until(`document.getElementById("state").textContent === "This device is linked."`))
	p.Close()
}

// journal reads the line's events as they arrive.
type journal struct {
	*client
	after int64
	text  string // of all events so far
}

func (j *journal) await(t *testing.T, parts ...string) {
	t.Helper()
	for ctx := testwait.Context(t); ; {
		missing := ""
		for _, part := range parts {
			if !strings.Contains(j.text, part) {
				missing = part
			}
		}
		if missing == "" {
			return
		}
		var page struct {
			Items     []jsonText
			NextAfter int64
		}
		path := fmt.Sprintf("/v1/events?channel=private-v1.licenses.1229.messengers.grWhatsApp&after=%d&wait=5", j.after)
		if err := j.call(ctx, http.MethodGet, path, nil, &page); err != nil {
			t.Fatalf("waiting for %s: %v", missing, err)
		}
		for _, item := range page.Items {
			j.text += string(item)
		}
		j.after = page.NextAfter
	}
}

// jsonText is unparsed JSON.
type jsonText string

func (j *jsonText) UnmarshalJSON(b []byte) error {
	*j = jsonText(b)
	return nil
}

// TestProgramThatFails checks that the demo prints the reason, and ends.
func TestProgramThatFails(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	broken := filepath.Join(t.TempDir(), "chatcast")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\necho the disk is full >&2\nexit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for program, want := range map[string]string{broken: "the disk is full", broken + "-not-there": "make build"} {
		var out, errs testwait.Output
		err := run(t.Context(), options{program: program, address: "127.0.0.1:0", pace: time.Second}, &out, &errs)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q in it", err, want)
		}
	}
}

// TestAddressTaken checks that the demo leaves a running server alone.
func TestAddressTaken(t *testing.T) {
	if got := free("127.0.0.1:0"); got != "127.0.0.1:0" {
		t.Errorf("a free address becomes %s", got)
	}
	if got := free("203.0.113.1:1"); got != "127.0.0.1:0" { // not an address of this machine
		t.Errorf("an address that cannot be had stays %s", got)
	}
}

// TestThings checks that the customers' files have the formats they claim.
func TestThings(t *testing.T) {
	r := newRand(5, 0)
	jpeg, err := cup(r)
	if err != nil {
		t.Fatal(err)
	}
	png, err := shelf(r)
	if err != nil {
		t.Fatal(err)
	}
	for want, b := range map[string][]byte{"image/jpeg": jpeg, "image/png": png, "audio/wave": humming(r), "application/pdf": receipt("Order")} {
		if got := http.DetectContentType(b); got != want || len(b) < 500 {
			t.Errorf("%d bytes of %s, want %s", len(b), got, want)
		}
	}
	for name, b := range map[string][]byte{"cup.jpg": jpeg, "shelf.png": png} {
		if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name), b, 0o600); err != nil {
			t.Error(err)
		}
	}
}
