package program_test

import (
	"crypto/tls"
	"net/http"
	"path/filepath"
	"slices"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// TestEventStreamOverHTTP2 opens streams on one connection of the program itself.
func TestEventStreamOverHTTP2(t *testing.T) {
	cfg := e2e.Config(t)
	dir := t.TempDir()
	cfg.Server.TLS.Cert, cfg.Server.TLS.Key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	pool := e2e.WriteCertificate(t, cfg.Server.TLS)
	p := e2e.Start(t, cfg)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	pair, err := p.Components().Rules.IssueToken(t.Context(), e2e.OwnerEmail)
	if err != nil {
		t.Fatal(err)
	}
	owner := &e2e.Client{T: t, Base: "https://" + p.Address(), Token: pair.AccessToken, HTTP: &http.Client{Transport: transport}}
	var open []*e2e.EventStream
	for range 8 { // more than a browser has over HTTP/1.1
		open = append(open, owner.MustStream(e2e.StreamPath(telegramChannel, "&after=0"), ""))
	}
	owner.Write(0, 1)
	want := journalIDs(p, owner, telegramChannel)
	for _, s := range open {
		if got := s.Events(len(want)); s.Proto != 2 || !slices.Equal(got, want) {
			t.Errorf("over HTTP/%d: %v, want %v", s.Proto, got, want)
		}
	}
	p.Stop()
	for _, s := range open {
		s.Ends("stopped")
	}
}

// TestEventStreamGoesThroughABufferingProxy opens a stream through nginx as it is without
// the settings of docs/deployment: it buffers answers, but not those that say so.
func TestEventStreamGoesThroughABufferingProxy(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	f := startNginx(t, p.Address(), "proxy_buffering off;", "proxy_buffering on;")
	f.serves(t)
	f.carriesEvents(p)(t)
}

// carriesEvents reads the events of a stream as they come, over HTTP/2.
func (f *frontend) carriesEvents(p *e2e.Running) func(*testing.T) {
	return func(t *testing.T) {
		owner := &e2e.Client{T: t, Base: f.base, Token: f.signIn(t), HTTP: f.http}
		s := owner.MustStream(owner.Ticket(telegramChannel), "")
		for i := range 3 {
			mark := len(journalIDs(p, owner, telegramChannel))
			owner.Write(100+i, 1)
			want := journalIDs(p, owner, telegramChannel)[mark:]
			if got := s.Events(len(want)); !slices.Equal(got, want) {
				t.Fatalf("the stream has %v, want %v", got, want)
			}
		}
		s.Cut()
	}
}
