package whatsapp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

// imageOf returns the state and the bytes of a chat's picture, as clients get them.
func (h *harness) imageOf(t *testing.T, id string) (state, image string) {
	t.Helper()
	chat, err := h.Chat(t.Context(), h.Operator, crm.ChatAddress{Line: testLine, ChatID: id})
	if err != nil {
		t.Fatal(err)
	}
	if chat.ImageState != nil {
		state = *chat.ImageState
	}
	if chat.Image == nil {
		return state, ""
	}
	link, err := url.Parse(*chat.Image)
	if err != nil || link.Host != "" {
		t.Fatalf("the link is %s, %v", *chat.Image, err)
	}
	file := link.Path[strings.LastIndexByte(link.Path, '/')+1:]
	f, err := h.OpenSigned(t.Context(), testLine, file, link.Query().Get("expires"), link.Query().Get("signature"))
	if code(err) == crm.CodeNotFound {
		return state, "replaced since"
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Content.Close()
	data, err := io.ReadAll(f.Content)
	if err != nil || !f.Picture || f.MimeType != "image/jpeg" {
		t.Errorf("the file is %+v, %v", f, err)
	}
	return state, string(data)
}

// TestPictures checks the pictures of people and groups: those that are shown, hidden, none
// and not asked for, and what becomes of them when they change.
func TestPictures(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		photo := func(what string) []byte { return append([]byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00"), what...) }
		awaitImage := func(what, id, state string, image []byte) {
			t.Helper()
			eventually(t, what, func() bool {
				gotState, got := h.imageOf(t, id)
				return gotState == state && got == string(image)
			})
		}
		h.pair(t)
		h.anna.SetPicture(photo("Anna"))
		h.anna.SendText(h.shop, "hi")
		h.awaitItem(t, crm.EventMessage, `"hi"`)
		awaitImage("Anna's picture", anna, crm.PictureShown, photo("Anna"))
		page, err := h.Contacts(t.Context(), h.Operator, testLine, crm.PageQuery{}, "Anna")
		chat, err2 := h.Chat(t.Context(), h.Operator, crm.ChatAddress{Line: testLine, ChatID: anna})
		if err != nil || err2 != nil || len(page.Items) != 1 || page.Items[0].Image == nil || chat.Image == nil || *page.Items[0].Image != *chat.Image {
			t.Errorf("the contacts are %+v, %v, and the chat %+v, %v", page.Items, err, chat, err2)
		}
		old := *chat.Image

		h.anna.SetPicture(photo("Anna again"))
		awaitImage("Anna's other picture", anna, crm.PictureShown, photo("Anna again"))
		link, _ := url.Parse(old)
		if _, err := h.OpenSigned(t.Context(), testLine, link.Path[strings.LastIndexByte(link.Path, '/')+1:], link.Query().Get("expires"), link.Query().Get("signature")); code(err) != crm.CodeNotFound {
			t.Errorf("the picture before: %v", err)
		}
		h.anna.SendText(h.shop, "look")
		h.awaitItem(t, crm.EventMessage, `"look"`, `"image":"/v1/licenses/1229/messengers/grWhatsApp/files/`)
		h.anna.SetPicture(nil)
		awaitImage("no picture of Anna", anna, crm.PictureNone, nil)

		carls := h.wa.NewContact("79992223344", "100200303", "Carl")
		carls.SetPicture(photo("Carl"))
		carls.HidePicture(true)
		carls.SendText(h.shop, "my settings hide it")
		h.awaitItem(t, crm.EventMessage, "my settings hide it")
		awaitImage("Carl's hidden picture", carl, crm.PictureHidden, nil)

		g := h.wa.NewGroup("Club", true, h.anna, h.shop)
		g.SetPicture(photo("Club"))
		h.anna.SendGroup(g, whatsapptest.Text("to all"))
		h.awaitItem(t, crm.EventMessage, "to all")
		awaitImage("the group's picture", g.JID().String(), crm.PictureShown, photo("Club"))

		if _, err := h.CreateChat(t.Context(), h.Operator, testLine, crm.ChatInput{Phone: crm.Value("79990009999")}); err != nil {
			t.Fatal(err)
		}
		if chat := h.onlyChat(t, "79990009999"); chat.ImageState != nil {
			t.Errorf("a chat that nobody opened: %s", *chat.ImageState)
		}
		awaitImage("no picture of a stranger, after the chat was opened", "79990009999", crm.PictureNone, nil)
		asked := h.wa.PicturesAsked()
		for range 5 {
			h.imageOf(t, "79990009999")
			h.anna.SendText(h.shop, "again")
		}
		h.anna.SendText(h.shop, "the end")
		h.awaitItem(t, crm.EventMessage, `"the end"`)
		if now := h.wa.PicturesAsked(); !slices.Equal(now, asked) {
			t.Errorf("what is known was asked again: %q, then %q", asked, now)
		}
		if u, s := h.wa.Unhandled(), h.wa.StrangeHosts(); len(u)+len(s) > 0 {
			t.Errorf("the stand-in was asked for what it does not know: %q, %q", u, s)
		}
	}, func(o *Options) { o.times.picture = 20 * time.Millisecond })
}

// TestChangedPictureIsTriedAgain checks that a picture that has changed comes although it
// cannot be fetched at first.
func TestChangedPictureIsTriedAgain(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		photo := func(what string) []byte { return append([]byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00"), what...) }
		h.pair(t)
		h.anna.SetPicture(photo("Anna"))
		h.anna.SendText(h.shop, "hi")
		h.awaitItem(t, crm.EventMessage, `"hi"`)
		eventually(t, "Anna's picture", func() bool { _, got := h.imageOf(t, anna); return got == string(photo("Anna")) })
		asked := len(h.wa.PicturesAsked())
		h.wa.MediaDown(503)
		h.anna.SetPicture(photo("Anna again"))
		eventually(t, "a second try", func() bool { return len(h.wa.PicturesAsked()) >= asked+2 })
		h.wa.MediaDown(0)
		eventually(t, "Anna's other picture", func() bool { _, got := h.imageOf(t, anna); return got == string(photo("Anna again")) })
	}, func(o *Options) { o.times.picture = 20 * time.Millisecond })
}

// TestTriesOfPictures checks how often a picture is wanted again that has changed and cannot
// be had, and that news of pictures are kept although many wait that somebody has opened.
func TestTriesOfPictures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, began := newPictures(), time.Now()
		p.want(anna, true)
		var tries []time.Duration
		for range pictureTries + 2 {
			select {
			case <-p.wake:
			case <-time.After(24 * time.Hour):
				continue
			}
			if id, changed := p.next(); id != anna || !changed {
				t.Fatalf("%q is wanted, %v", id, changed)
			}
			tries = append(tries, time.Since(began))
			p.tried(anna, true, errors.New("no answer"), time.Minute)
		}
		want := []time.Duration{0, time.Minute, 5 * time.Minute, 21 * time.Minute, 85 * time.Minute, 341 * time.Minute}
		if !slices.Equal(tries, want) {
			t.Errorf("it was tried after %v and not %v", tries, want)
		}
		if len(p.failed) != 0 {
			t.Errorf("%v are remembered", p.failed)
		}
		for i := range picturesWaiting + 1 {
			p.want(fmt.Sprint(i), false)
		}
		p.want(anna, true)
		if n := len(p.waiting); n != picturesWaiting+1 || p.waiting[n-1] != anna {
			t.Errorf("%d wait, and last %s", n, p.waiting[n-1])
		}
		for len(p.waiting) > 0 {
			p.next()
		}
		p.want("a", true)
		p.next()
		p.tried("a", true, errNoPicture, time.Minute)
		p.want("b", false)
		p.next()
		p.tried("b", false, errors.New("no answer"), time.Minute)
		time.Sleep(24 * time.Hour)
		if len(p.waiting)+len(p.failed) > 0 {
			t.Errorf("%v are wanted again", p.waiting)
		}
	})
}

// TestPicturesAreNotFollowed checks that nothing but a picture of WhatsApp's is stored.
func TestPicturesAreNotFollowed(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	s := w.m.serving(testLine)
	for _, address := range []string{"http://mmg.whatsapp.net/a", "https://example.com/a", "https://whatsapp.net.example.com/a", "file:///etc/passwd", ""} {
		if u, err := s.downloadPicture(t.Context(), address); err == nil {
			t.Errorf("%q was fetched as %+v", address, u)
		}
	}
	big := bytes.Repeat([]byte("\xff\xd8\xff\xe0"), maxPicture/4+1)
	w.anna.SetPicture([]byte("no picture at all"))
	for _, data := range [][]byte{nil, big} {
		if data != nil {
			w.anna.SetPicture(data)
		}
		info, err := s.client().GetProfilePictureInfo(testwait.Context(t), w.anna.Number(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if u, err := s.downloadPicture(context.WithoutCancel(t.Context()), info.URL); err == nil {
			t.Errorf("%d bytes were stored as %+v", len(data), u)
		}
	}
	w.sound(t)
}
