package whatsapp

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.mau.fi/whatsmeow"

	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

// trap is an address that nothing may connect to but by a proxy, which leads elsewhere.
type trap struct {
	net.Listener
	direct atomic.Int64 // connections
}

func newTrap(t *testing.T) *trap {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tr := &trap{Listener: ln}
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			tr.direct.Add(1)
			c.Close()
		}
	})
	t.Cleanup(func() {
		ln.Close()
		accepting.Wait()
	})
	return tr
}

// TestNothingGoesAroundTheProxy makes every kind of connection on behalf of a line with a
// proxy: the socket, the page with WhatsApp's version, an upload, a download, a file that
// an operator names by its address. WhatsApp and that address can be reached through the
// proxy alone. Then the proxy lets nothing through any more.
//
// There are no other kinds: pictures of people and previews of links are not fetched.
func TestNothingGoesAroundTheProxy(t *testing.T) {
	wa, web := newTrap(t), newTrap(t)
	w := newWorld(t, func(o *Options) {
		o.Endpoint, o.PrivateProxies, o.PrivateLinks = wa.Addr().String(), true, true
	})
	p := newTestProxy(t)
	p.instead = map[string]string{wa.Addr().String(): w.Addr(), web.Addr().String(): elsewhere(t).Listener.Addr().String()}
	w.rules.change(func() { w.rules.settings.Proxy = "http://me:secret@" + p.Addr().String() })

	w.pair(t)
	eventually(t, "the version is not known", func() bool { return !w.m.versions.knownAt().IsZero() }) // no connection waits for it
	w.anna.Send(w.shop, w.Upload([]byte("photo"), whatsmeow.MediaImage).Image("look", "image/jpeg"))
	w.awaitFile(t, "image.jpg", "photo")
	w.sendsFile(t, "1")
	w.sendsLink("2", "http://"+web.Addr().String()+"/photo")
	for n := range 2 {
		if o := w.awaitOutcome(t, n+1); o.Status != crm.OutSent {
			t.Errorf("through the proxy: %+v", o)
		}
	}
	w.awaitFile(t, "F2", string(whatsapptest.Photo(8, 8))+"a photo")

	p.mu.Lock()
	p.down = true
	p.mu.Unlock()
	w.sendsLink("3", "http://"+web.Addr().String()+"/cat.png")
	w.awaitUnfetched(t, crm.FilePending)
	asked := w.m.versions.knownAt()
	w.m.tooOld()
	w.shop.Drop()
	eventually(t, "the line does not tell of its proxy", func() bool {
		row, err := w.rules.SessionOf(t.Context(), testLine)
		return err == nil && row.State == crm.StateDisconnected && strings.Contains(row.Detail, "the line's proxy")
	})
	if w.m.versions.knownAt() != asked {
		t.Error("the version came without the proxy")
	}
	if n, m := wa.direct.Load(), web.direct.Load(); n+m != 0 {
		t.Errorf("%d connections to WhatsApp and %d to a linked file went around the proxy", n, m)
	}
}

// sendsFile queues a picture to Anna.
func (w *world) sendsFile(t *testing.T, id string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "photo.jpg")
	if err := os.WriteFile(name, whatsapptest.Photo(8, 8), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	w.rules.change(func() { w.rules.stored = map[string]*os.File{"F" + id: f} })
	w.enqueue(crm.OutboxItem{Kind: crm.OutMessage, ChatID: "79995554433@c.us", Message: &crm.MessageRef{
		ID: id, FromMe: true, Type: crm.MessageImage, FileID: "F" + id, Content: crm.Content{File: &crm.FileData{Name: "photo.jpg"}},
	}})
}

// sendsLink queues a file to Anna that has still to be fetched from its address.
func (w *world) sendsLink(id, link string) {
	w.rules.change(func() {
		w.rules.pending = append(w.rules.pending, crm.FileToFetch{ID: "F" + id, Message: crm.MessageRef{ID: id}, Link: link})
	})
	w.enqueue(crm.OutboxItem{Kind: crm.OutMessage, ChatID: "79995554433@c.us", Message: &crm.MessageRef{
		ID: id, FromMe: true, Type: crm.MessageDocument, Content: crm.Content{File: &crm.FileData{Name: "file", Link: link, State: crm.FilePending}},
	}})
}
