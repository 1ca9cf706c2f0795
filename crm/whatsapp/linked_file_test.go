package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"chatcast/channels/dialguard"
	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

// elsewhere starts a web server with files to link to.
func elsewhere(t *testing.T) *httptest.Server {
	t.Helper()
	var busy atomic.Int64
	picture := string(whatsapptest.Photo(8, 8)) // what follows the picture is not looked at
	mux := http.NewServeMux()
	mux.HandleFunc("/cat.png", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, picture+"the cat") })
	mux.HandleFunc("/photo", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, picture+"a photo") })
	mux.Handle("/moved", http.RedirectHandler("/cat.png", http.StatusFound))
	mux.Handle("/round", http.RedirectHandler("/round", http.StatusFound))
	mux.Handle("/ftp", http.RedirectHandler("ftp://127.0.0.1/cat.png", http.StatusFound))
	mux.HandleFunc("/empty", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/busy.txt", func(w http.ResponseWriter, _ *http.Request) {
		if busy.Add(1) == 1 {
			http.Error(w, "later", http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, "at last")
	})
	mux.HandleFunc("/announced", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "2000000000") })
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for chunk := strings.Repeat("x", 1<<16); r.Context().Err() == nil; {
			if _, err := io.WriteString(w, chunk); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/half", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "half")
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv
}

func privateLinks(o *Options) { o.PrivateLinks = true }

// TestLinkedFiles checks that linked files are fetched and sent with their own types.
func TestLinkedFiles(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.MaxFile = 1 << 20
		h.pair(t)
		web := elsewhere(t)
		link := func(path string) string {
			sent, err := h.SendLink(t.Context(), h.Operator, h.chat(), web.URL+path, "", crm.Outgoing{Content: crm.Content{Caption: path}})
			if err != nil {
				t.Fatal(err)
			}
			return sent.ID.String()
		}
		for path, want := range map[string]string{"/cat.png": "the cat", "/photo": "a photo", "/moved": "the cat", "/busy.txt": "at last"} {
			id := link(path)
			got, err := h.anna.AwaitText(testwait.Context(t), path)
			if err != nil || got.ID != id {
				t.Fatalf("%s arrived as %+v, %v", path, got, err)
			}
			if b, err := h.wa.Open(got.Attachment()); err != nil || !strings.HasSuffix(string(b), want) {
				t.Errorf("%s: %q arrived, %v", path, b, err)
			}
			if image := got.Message.GetImageMessage() != nil; image != (want != "at last") {
				t.Errorf("%s arrived as %T", path, got.Attachment())
			}
			h.awaitItem(t, crm.EventMessageStatus, id, `"sent"`)
			item := h.awaitEvent(t, crm.EventMessageEdit, func(item string) bool { return strings.Contains(item, id) })
			if b := h.stored(t, item); !strings.HasSuffix(string(b), want) {
				t.Errorf("%s: %q is kept", path, b)
			}
		}
		gone := link("/gone")
		h.awaitItem(t, crm.EventMessageStatus, gone, `"failed"`, `"link_failed"`, "status 404")
		h.awaitItem(t, crm.EventMessageEdit, gone, `"state":"failed"`)
		large := link("/endless")
		h.awaitItem(t, crm.EventMessageStatus, large, `"failed"`, `"media_too_large"`)
		h.awaitItem(t, crm.EventMessageEdit, large, `"state":"tooLarge"`)
		h.send(t, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: "and the next"}})
		if _, err := h.anna.AwaitText(testwait.Context(t), "and the next"); err != nil {
			t.Error(err)
		}
	}, privateLinks)
}

// TestLinkToOurselves checks that nothing is fetched from this machine without
// PrivateLinks.
func TestLinkToOurselves(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		asked := false
		srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
		defer srv.Close()
		sent, err := h.SendLink(t.Context(), h.Operator, h.chat(), srv.URL+"/cat.png", "", crm.Outgoing{})
		if err != nil {
			t.Fatal(err)
		}
		h.awaitItem(t, crm.EventMessageStatus, sent.ID.String(), `"failed"`, `"link_failed"`, "not of the public internet")
		if asked {
			t.Error("it was asked all the same")
		}
	})
}

// TestLinksThatLeadAstray checks that each kind of bad link has its own error, which tells
// whether to try again.
func TestLinksThatLeadAstray(t *testing.T) {
	web := elsewhere(t)
	_, port, _ := strings.Cut(strings.TrimPrefix(web.URL, "http://"), ":")
	take := func(r io.Reader) error {
		n, err := io.Copy(io.Discard, io.LimitReader(r, 1<<20+1))
		switch {
		case err != nil:
			return crm.Invalid("file", "could not be read whole")
		case n == 0:
			return crm.Invalid("file", "is empty")
		case n > 1<<20:
			return &crm.Error{Code: crm.CodeTooLarge}
		}
		return nil
	}
	for _, c := range []struct {
		private    bool
		link, want string
	}{
		{true, web.URL + "/cat.png", ""},
		{true, web.URL + "/round", "link_failed false the link leads from one address to the next"},
		{true, web.URL + "/ftp", "link_failed false the link leads to an address that is neither http nor https"},
		{true, web.URL + "/empty", "link_failed false the linked file is empty"},
		{true, web.URL + "/half", "link_failed true the linked file did not come whole"},
		{true, web.URL + "/announced", "media_too_large false the linked file is over 1048576 bytes"},
		{true, web.URL + "/endless", "media_too_large false the linked file is over 1048576 bytes"},
		{true, web.URL + "/gone", "link_failed false the link answers with status 404"},
		{true, "http://127.0.0.1:1/", "link_failed true the link's host does not answer"},
		{false, web.URL + "/cat.png", "link_failed false the link leads to an address that is not of the public internet"},
		{false, "http://localhost:" + port + "/cat.png", "link_failed false the link leads to an address that is not of the public internet"},
		{false, "http://[::ffff:127.0.0.1]:" + port + "/cat.png", "link_failed false the link leads to an address that is not of the public internet"},
		{false, "http://169.254.169.254/latest/", "link_failed false the link leads to an address that is not of the public internet"},
	} {
		got := ""
		err := getLink(testwait.Context(t), newLinkClient(c.private, nil), c.link, 1<<20, take)
		var failed *linkError
		if errors.As(err, &failed) {
			got = fmt.Sprint(failed.code, " ", failed.again, " ", failed.message)
		} else if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s, private %v: %q, want %q", c.link, c.private, got, c.want)
		}
	}
	full := errors.New("the disk is full")
	if err := getLink(context.Background(), newLinkClient(true, nil), web.URL+"/cat.png", 1<<20, func(io.Reader) error { return full }); !errors.Is(err, full) {
		t.Errorf("a fault of ours is %v", err)
	}
}

// TestLinksToRefusedAddresses checks that the link client refuses each address of
// dialguard's table.
func TestLinksToRefusedAddresses(t *testing.T) {
	text, err := os.ReadFile("../../channels/dialguard/testdata/addresses.txt")
	if err != nil {
		t.Fatal(err)
	}
	client, refused := newLinkClient(false, nil), 0
	for line := range strings.Lines(string(text)) {
		address, ok := strings.CutPrefix(strings.TrimSpace(line), "refused ")
		if !ok {
			continue
		}
		target := url.URL{Scheme: "http", Host: net.JoinHostPort(address, "80")}
		resp, err := client.Get(target.String())
		switch {
		case errors.Is(err, dialguard.ErrNotPublic):
			refused++
		case err == nil:
			resp.Body.Close()
			t.Errorf("%s was reached", address)
		case !errors.Is(err, syscall.EAFNOSUPPORT): // this machine has no IPv6
			t.Errorf("%s: %v", address, err)
		}
	}
	if refused < 20 {
		t.Errorf("only %d addresses were refused", refused)
	}
}

// TestLinkThatNeverAnswers checks that a link without an answer is given up after linkTries
// tries.
func TestLinkThatNeverAnswers(t *testing.T) {
	w := newWorld(t, privateLinks)
	w.pair(t)
	w.rules.change(func() {
		w.rules.pending = append(w.rules.pending, crm.FileToFetch{ID: "F1", Message: crm.MessageRef{ID: "out-1"}, Link: "http://127.0.0.1:1/cat.png", Attempts: linkTries - 2})
	})
	w.enqueue(crm.OutboxItem{Kind: crm.OutMessage, ChatID: "79995554433@c.us", Message: &crm.MessageRef{
		ID: "out-1", FromMe: true, Type: crm.MessageImage, FileID: "F1", Content: crm.Content{File: &crm.FileData{State: crm.FilePending}},
	}})
	if o := w.awaitOutcome(t, 1); o.Status != crm.OutRetry || o.Error.Code != codeLink {
		t.Errorf("the first try ends as %+v", o)
	}
	if o := w.awaitOutcome(t, 2); o.Status != crm.OutFailed || o.Error.Code != codeLink {
		t.Errorf("the last try ends as %+v", o)
	}
}
