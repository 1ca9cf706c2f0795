package crm_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// stored lists the files of the world's store, as paths below it.
func stored(t *testing.T, w *crmtest.World) (files []string) {
	t.Helper()
	err := filepath.WalkDir(w.FilesDir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// sendFile uploads and sends bytes as a, and fails the test when that fails.
func sendFile(t *testing.T, w *crmtest.World, a crm.Actor, name, mime string, bytes []byte, key string) (crm.Sent, crm.MessageItem) {
	t.Helper()
	mark := w.Mark(t)
	u, err := w.StoreUpload(t.Context(), a, chatAt(onGr, ann), name, mime, strings.NewReader(string(bytes)))
	if err != nil {
		t.Fatal(err)
	}
	sent, err := w.SendFile(t.Context(), a, chatAt(onGr, ann), u, "", crm.Outgoing{Content: crm.Content{Caption: "Look"}, IdempotencyKey: key})
	if err != nil {
		t.Fatal(err)
	}
	events := w.EventsAfter(t, mark, "message")
	if len(events) == 0 {
		return sent, crm.MessageItem{}
	}
	return sent, messageOf(t, events[0])
}

var png = append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte{7}, 2000)...)

// openLink opens the file of a link in an event.
func openLink(t *testing.T, w *crmtest.World, on crm.Line, link string) ([]byte, *crm.Attachment, error) {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	id := u.Path[strings.LastIndexByte(u.Path, '/')+1:]
	f, err := w.OpenSigned(t.Context(), on, id, u.Query().Get("expires"), u.Query().Get("signature"))
	if err != nil {
		return nil, nil, err
	}
	defer f.Content.Close()
	b, err := io.ReadAll(f.Content)
	if err != nil {
		t.Fatal(err)
	}
	return b, f, nil
}

func TestFileIsSentAndOpened(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		w.PublicURL = "https://chat.example.com"
		_, m := sendFile(t, w, w.Operator, `..\..\etc/cat.png`, "application/octet-stream", png, "")
		file := m.Message.File
		if m.Type != "image" || m.Message.Caption != "Look" || file.Name != "cat.png" || *file.MimeType != "image/png" || *file.Size != int64(len(png)) {
			t.Errorf("message %+v, file %+v", m, file)
		}
		if !strings.HasPrefix(file.Link, "https://chat.example.com/v1/licenses/1229/messengers/grWhatsApp/files/") {
			t.Errorf("link %s", file.Link)
		}
		for path, want := range map[string]fs.FileMode{stored(t, w)[0]: 0o600, filepath.Dir(stored(t, w)[0]): 0o700 | fs.ModeDir} {
			if info, err := os.Stat(path); err != nil || info.Mode() != want {
				t.Errorf("%s: %v, %v; want %v", path, info.Mode(), err, want)
			}
		}
		b, f, err := openLink(t, w, onGr, file.Link)
		if err != nil || !bytes.Equal(b, png) || f.Name != "cat.png" || f.MimeType != "image/png" || f.Size != int64(len(png)) {
			t.Errorf("opened %d bytes, %+v, %v", len(b), f, err)
		}
		for name, link := range map[string]string{
			"another signature": strings.Replace(file.Link, "signature=", "signature=0", 1),
			"a longer life":     strings.Replace(file.Link, "expires=1", "expires=2", 1),
			"no signature":      file.Link[:strings.Index(file.Link, "&")],
			"another file":      strings.Replace(file.Link, "/files/", "/files/0", 1),
		} {
			_, _, err := openLink(t, w, onGr, link)
			wantCode(t, name, err, crm.CodeDenied, "")
		}
		_, _, err = openLink(t, w, onTelegram, file.Link)
		wantCode(t, "another line", err, crm.CodeDenied, "")
		w.Clock.Advance(crm.LinkLife * time.Second)
		_, _, err = openLink(t, w, onGr, file.Link)
		wantCode(t, "expired", err, crm.CodeDenied, "")
		// The list has a new link.
		page, err := w.Messages(t.Context(), w.Owner, chatAt(onGr, ann), crm.MessageQuery{})
		if err != nil || len(page.Items) != 1 {
			t.Fatalf("%v, %v", page, err)
		}
		if b, _, err := openLink(t, w, onGr, page.Items[0].Message.File.Link); err != nil || !bytes.Equal(b, png) {
			t.Errorf("the list's link: %v", err)
		}
	})
}

func TestFileIsForWhoMaySeeItsChat(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		_, m := sendFile(t, w, w.Operator, "a.txt", "text/plain", []byte("hello"), "")
		id := filepath.Base(stored(t, w)[0])
		if !strings.Contains(m.Message.File.Link, id) || m.Type != "document" {
			t.Fatalf("link %s, stored %s", m.Message.File.Link, id)
		}
		if _, err := w.SetResponsible(t.Context(), w.Owner, chatAt(onGr, ann), crm.Value(w.Operator.UserID)); err != nil {
			t.Fatal(err)
		}
		other := crm.Line{LicenseID: crmtest.OtherLicenseID, Messenger: "grWhatsApp"}
		for _, test := range []struct {
			name string
			a    crm.Actor
			on   crm.Line
			id   string
			want crm.Code
		}{
			{"operator", w.Operator, onGr, id, ""},
			{"reader", w.Reader, onGr, id, ""},
			{"another's chat", w.OnlyMine, onGr, id, crm.CodeNotFound},
			{"outsider", w.Outsider, onGr, id, crm.CodeDenied},
			{"stranger", w.Stranger, onGr, id, crm.CodeNotFound},
			{"another messenger", w.Owner, onTelegram, id, crm.CodeNotFound},
			{"another licence", w.Owner, other, id, crm.CodeNotFound},
			{"unknown", w.Owner, onGr, strings.Repeat("0", 32), crm.CodeNotFound},
			{"no id", w.Owner, onGr, "../" + id, crm.CodeNotFound},
			{"empty", w.Owner, onGr, "", crm.CodeNotFound},
		} {
			f, err := w.OpenFile(t.Context(), test.a, test.on, test.id)
			if test.want != "" {
				wantCode(t, test.name, err, test.want, "")
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
				continue
			}
			f.Content.Close()
		}
	})
}

// broken is a reader that fails after some bytes, like a client that disconnects.
type broken struct{ left int }

func (b *broken) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, errors.New("connection reset")
	}
	n := min(len(p), b.left)
	b.left -= n
	return n, nil
}

func TestRefusedUploadLeavesNothing(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		w.MaxFile = 1000
		upload := func(a crm.Actor, r io.Reader) error {
			u, err := w.StoreUpload(t.Context(), a, chatAt(onGr, ann), "a", "", r)
			u.Discard()
			return err
		}
		if err := upload(w.Operator, bytes.NewReader(make([]byte, 1000))); err != nil {
			t.Errorf("at the limit: %v", err)
		}
		wantCode(t, "over the limit", upload(w.Operator, bytes.NewReader(make([]byte, 1001))), crm.CodeTooLarge, "")
		wantCode(t, "empty", upload(w.Operator, strings.NewReader("")), crm.CodeInvalid, "file")
		wantCode(t, "broken at once", upload(w.Operator, &broken{}), crm.CodeInvalid, "file")
		wantCode(t, "broken later", upload(w.Operator, &broken{left: 700}), crm.CodeInvalid, "file")
		wantCode(t, "by a reader", upload(w.Reader, strings.NewReader("x")), crm.CodeDenied, "")
		send := func(chat string, m crm.Outgoing) error {
			u, err := w.StoreUpload(t.Context(), w.Operator, chatAt(onGr, chat), "a", "", strings.NewReader("x"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.SendFile(t.Context(), w.Operator, chatAt(onGr, chat), u, "", m)
			return err
		}
		wantCode(t, "odd chat", send("x", crm.Outgoing{}), crm.CodeInvalid, "chatId")
		wantCode(t, "unknown chat", send("5@lid", crm.Outgoing{}), crm.CodeNotFound, "")
		wantCode(t, "NUL in the caption", send(ann, crm.Outgoing{Content: crm.Content{Caption: "\x00"}}), crm.CodeInvalid, "caption")
		if files := stored(t, w); len(files) != 0 {
			t.Errorf("left behind: %v", files)
		}
	})
}

func TestFileTwiceWithOneKeyIsOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		first, _ := sendFile(t, w, w.Operator, "a.txt", "", []byte("hello"), "key")
		if again, _ := sendFile(t, w, w.Operator, "a.txt", "", []byte("hello"), "key"); again != first {
			t.Errorf("again %+v, first %+v", again, first)
		}
		u, err := w.StoreUpload(t.Context(), w.Operator, chatAt(onGr, ann), "a.txt", "", strings.NewReader("other"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.SendFile(t.Context(), w.Operator, chatAt(onGr, ann), u, "", crm.Outgoing{Content: crm.Content{Caption: "Look"}, IdempotencyKey: "key"})
		wantCode(t, "other bytes", err, crm.CodeConflict, "")
		if files := stored(t, w); len(files) != 1 {
			t.Errorf("stored %v, want one", files)
		}
		if n := len(w.Events(t, "message")); n != 1 {
			t.Errorf("%d messages", n)
		}
	})
}

func TestSendLink(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		for _, test := range []struct{ link, name, typ, shown string }{
			{"https://example.com/a/cat.JPG?x=1", "", "image", `{"link":"https://example.com/a/cat.JPG?x=1","name":"cat.JPG","size":null,"mimeType":"image/jpeg"}`},
			{"http://example.com", "report.pdf", "document", `{"link":"http://example.com","name":"report.pdf","size":null,"mimeType":"application/pdf"}`},
			{"https://example.com/x", "", "document", `{"link":"https://example.com/x","name":"x","size":null,"mimeType":null}`},
		} {
			mark := w.Mark(t)
			if _, err := w.SendLink(t.Context(), w.Operator, chatAt(onGr, ann), test.link, test.name, crm.Outgoing{}); err != nil {
				t.Fatal(err)
			}
			m := messageOf(t, w.EventsAfter(t, mark, "message")[0])
			if got := string(mustJSON(t, m.Message.File)); got != test.shown || m.Type != test.typ {
				t.Errorf("%s: %s %s, want %s %s", test.link, m.Type, got, test.typ, test.shown)
			}
		}
		for _, link := range []string{"", "cat.jpg", "file:///etc/passwd", "ftp://example.com/a", "https://u:p@example.com/", "https://", "stored:0", "https://example.com/" + strings.Repeat("x", 2048)} {
			_, err := w.SendLink(t.Context(), w.Operator, chatAt(onGr, ann), link, "", crm.Outgoing{})
			wantCode(t, link, err, crm.CodeInvalid, "file")
		}
	})
}

func TestSweepRemovesOrphansAlone(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		if err := w.Sweep(t.Context()); err != nil { // nothing there yet
			t.Fatal(err)
		}
		sendFile(t, w, w.Operator, "a.txt", "", []byte("hello"), "")
		kept := stored(t, w)[0]
		id := strings.Repeat("0", 32)
		old := time.Unix(crmtest.Start, 0).Add(-25 * time.Hour)
		for name, at := range map[string]time.Time{id: old, id + ".part": old, "notes.txt": old, strings.Repeat("1", 32): time.Unix(crmtest.Start, 0)} {
			path := filepath.Join(w.FilesDir, name[:2], name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("x"), 0o600), os.Chtimes(path, at, at)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chtimes(kept, old, old); err != nil {
			t.Fatal(err)
		}
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		left := map[string]bool{}
		for _, path := range stored(t, w) {
			left[filepath.Base(path)] = true
		}
		if len(left) != 3 || !left[filepath.Base(kept)] || !left["notes.txt"] || !left[strings.Repeat("1", 32)] {
			t.Errorf("left %v", left)
		}
	})
}
