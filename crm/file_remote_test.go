package crm_test

import (
	"errors"
	"io"
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

// picture returns a message with an attachment that is still elsewhere.
func picture(id string, size int64) crm.InboundMessage {
	m := fromCustomer(id, anna, "", crmtest.Start)
	m.Type, m.Message.Caption = crm.MessageImage, "Look"
	m.Remote = &crm.RemoteFile{Name: "cat.png", MimeType: "image/png", Size: &size, Source: []byte(`{"path":"/v/1"}`)}
	return m
}

// TestAnnouncedNonsense announces files with invalid data, which any sender may send.
func TestAnnouncedNonsense(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		m := picture("F1", -5)
		m.Remote.Name, m.Remote.MimeType = "../../etc/pass\u202ewd\x00\u0085", "text/html\r\nX-Evil: 1"
		unknown := picture("F2", 0)
		unknown.Remote.Size, unknown.Remote.MimeType = nil, "audio/ogg; codecs=opus"
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{m}})
		if f := fileOf(t, w, "message"); f["name"] != "passwd" || f["mimeType"] != "application/octet-stream" || f["size"] != nil {
			t.Errorf("it is announced as %v", f)
		}
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{unknown}})
		if f := fileOf(t, w, "message"); f["mimeType"] != "audio/ogg" || f["size"] != nil {
			t.Errorf("it is announced as %v", f)
		}
		// JavaScript would read another number, and no file has this size.
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{picture("F3", 1<<62+1), picture("F4", 1<<53)}})
		if f := fileOf(t, w, "message"); f["size"] != nil {
			t.Errorf("it is announced as %v", f)
		}
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{picture("F5", 1<<53-1)}})
		if f := fileOf(t, w, "message"); f["size"] != float64(1<<53-1) {
			t.Errorf("it is announced as %v", f)
		}
	})
}

func storedFiles(t *testing.T, w *crmtest.World) int {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(w.FilesDir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

func fetch(t *testing.T, w *crmtest.World) []crm.FileToFetch {
	t.Helper()
	list, err := w.FilesToFetch(t.Context(), onGr, 10)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func fileOf(t *testing.T, w *crmtest.World, event string) map[string]any {
	t.Helper()
	return lastItem(t, w, event)["message"].(map[string]any)["file"].(map[string]any)
}

// open opens the file behind a signed link.
func open(t *testing.T, w *crmtest.World, link string) (string, error) {
	t.Helper()
	parts := strings.FieldsFunc(link, func(r rune) bool { return strings.ContainsRune("/?&=", r) })
	a, err := w.OpenSigned(t.Context(), onGr, parts[6], parts[8], parts[10])
	if err != nil {
		return "", err
	}
	defer a.Content.Close()
	b, err := io.ReadAll(a.Content)
	return string(b), err
}

// TestFileThatComesLater checks that a message does not wait for its file.
func TestFileThatComesLater(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{picture("F1", 5000)}})
		file := fileOf(t, w, "message")
		link := file["link"].(string)
		if file["state"] != "pending" || file["name"] != "cat.png" || file["size"] != 5000.0 || file["mimeType"] != "image/png" {
			t.Errorf("it is announced as %v", file)
		}
		_, err := open(t, w, link)
		wantCode(t, "a file that has not come", err, crm.CodeNotFound, "")
		list := fetch(t, w)
		if len(list) != 1 || string(list[0].Source) != `{"path":"/v/1"}` || list[0].Message.ID != "F1" || list[0].ChatID != anna || *list[0].Size != 5000 {
			t.Fatalf("to fetch is %+v", list)
		}
		id := list[0].ID
		later := w.Clock.Now().Add(time.Minute)
		got := happens(t, w, func() {
			if err := w.FileNotFetched(t.Context(), onGr, id, crm.FilePending, later); err != nil {
				t.Fatal(err)
			}
		})
		if got != "" || len(fetch(t, w)) != 0 {
			t.Errorf("a try that failed causes %q, and leaves %v to fetch at once", got, fetch(t, w))
		}
		w.Clock.Advance(time.Minute)
		if list := fetch(t, w); len(list) != 1 || list[0].Attempts != 1 {
			t.Errorf("to fetch again is %+v", list)
		}
		if err := w.FileFetched(t.Context(), onGr, id, io.MultiReader(strings.NewReader("half"), cutOff{})); err == nil {
			t.Error("half a file is taken")
		}
		if n := storedFiles(t, w); n != 0 {
			t.Errorf("half a file left %d files", n)
		}
		got = happens(t, w, func() {
			for range 2 {
				if err := w.FileFetched(t.Context(), onGr, id, strings.NewReader("the cat")); err != nil {
					t.Fatal(err)
				}
			}
		})
		now := fileOf(t, w, "messageEdit")
		if _, has := now["state"]; got != "messageEdit" || has || now["size"] != 7.0 {
			t.Errorf("its coming causes %q: %v", got, now)
		}
		for _, l := range []string{link, now["link"].(string)} {
			if b, err := open(t, w, l); err != nil || b != "the cat" {
				t.Errorf("the link gives %q, %v", b, err)
			}
		}
		if n := storedFiles(t, w); n != 1 || len(fetch(t, w)) != 0 {
			t.Errorf("%d files are stored, %v to fetch", n, fetch(t, w))
		}
		if _, err := w.FileToFetch(t.Context(), onGr, anna, "F1"); err == nil {
			t.Error("a file that is here is still to be fetched")
		}
	})
}

// cutOff is a reader that ends too early, like a lost connection.
type cutOff struct{}

func (cutOff) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

// TestFileThatNeverComes checks that a file that cannot be fetched causes an event, and
// can still be stored later.
func TestFileThatNeverComes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		w.MaxFile = 10
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{picture("F1", 1), picture("F2", 2<<30), picture("F3", 1)}})
		list := fetch(t, w)
		if len(list) != 3 {
			t.Fatalf("to fetch are %+v", list)
		}
		ids := map[string]string{}
		for _, f := range list {
			ids[f.Message.ID] = f.ID
		}
		got := happens(t, w, func() {
			if err := w.FileNotFetched(t.Context(), onGr, ids["F1"], crm.FileExpired, time.Time{}); err != nil {
				t.Fatal(err)
			}
		})
		if got != "messageEdit" || fileOf(t, w, "messageEdit")["state"] != "expired" {
			t.Errorf("an expired file causes %q: %v", got, fileOf(t, w, "messageEdit"))
		}
		got = happens(t, w, func() {
			err := w.FileFetched(t.Context(), onGr, ids["F2"], strings.NewReader(strings.Repeat("x", 11)))
			wantCode(t, "a file over the limit", err, crm.CodeTooLarge, "")
		})
		if got != "messageEdit" || fileOf(t, w, "messageEdit")["state"] != "tooLarge" {
			t.Errorf("a file over the limit causes %q: %v", got, fileOf(t, w, "messageEdit"))
		}
		if f, err := w.FileToFetch(t.Context(), onGr, anna, "F1"); err != nil || f.State != crm.FileExpired || f.ID != ids["F1"] {
			t.Errorf("the phone can send it again: %+v, %v", f, err)
		}
		if err := w.FileFetched(t.Context(), onGr, ids["F1"], strings.NewReader("late")); err != nil {
			t.Error(err)
		}
		ingest(t, w, crm.InboundBatch{Deletes: []crm.InboundDelete{{ID: idOf("F3"), Chat: chatOf(anna)}}})
		if list := fetch(t, w); len(list) != 0 {
			t.Errorf("a deleted message's file is to be fetched: %+v", list)
		}
		elsewhere := crm.Line{LicenseID: crmtest.OtherLicenseID, Messenger: whatsApp}
		wantCode(t, "another line's file", w.FileFetched(t.Context(), elsewhere, ids["F1"], strings.NewReader("x")), crm.CodeNotFound, "")
		_, err := w.OpenStored(t.Context(), elsewhere, ids["F1"])
		wantCode(t, "another line's file, opened", err, crm.CodeNotFound, "")
		wantCode(t, "a state that is none", w.FileNotFetched(t.Context(), onGr, ids["F1"], "lost", time.Time{}), crm.CodeInvalid, "state")
	})
}

// TestFileThatComesWithItsMessage stores a file before its message. The file is removed
// when the message is not accepted.
func TestFileThatComesWithItsMessage(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		bring := func(id string) crm.InboundMessage {
			u, err := w.StoreFile(t.Context(), onGr, "cat.png", "", strings.NewReader("\x89PNG\r\n\x1a\n..."))
			if err != nil {
				t.Fatal(err)
			}
			m := picture(id, 99)
			m.Attachment = u // takes precedence over Remote
			return m
		}
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{bring("F1")}})
		file := fileOf(t, w, "message")
		if b, err := open(t, w, file["link"].(string)); err != nil || b != "\x89PNG\r\n\x1a\n..." || file["mimeType"] != "image/png" || len(fetch(t, w)) != 0 {
			t.Errorf("the file is %v and holds %q, %v", file, b, err)
		}
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{bring("F1")}})
		if n := storedFiles(t, w); n != 1 {
			t.Errorf("the second copy's file stays: %d files", n)
		}
		if _, err := w.Ingest(t.Context(), onGr, crm.InboundBatch{Messages: []crm.InboundMessage{bring("bad id")}}); err == nil {
			t.Error("a message with a bad id is taken")
		}
		if n := storedFiles(t, w); n != 1 {
			t.Errorf("the refused message's file stays: %d files", n)
		}
		hole, subtype := fromCustomer("F2", anna, "", crmtest.Start), crm.SubtypeUndecryptable
		hole.Type, hole.Subtype = crm.MessageUnknown, &subtype
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{hole}})
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{bring("F2")}})
		if b, err := open(t, w, fileOf(t, w, "messageEdit")["link"].(string)); err != nil || len(b) != 11 {
			t.Errorf("the placeholder's file holds %q, %v", b, err)
		}
		if err := os.RemoveAll(w.FilesDir); err != nil {
			t.Fatal(err)
		}
	})
}

// TestOutgoingFile checks that the connector reads an outgoing file as a stream.
func TestOutgoingFile(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		u, err := w.StoreUpload(t.Context(), w.Owner, chatAt(onGr, anna), "cat.png", "image/png", strings.NewReader("the cat"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.SendFile(t.Context(), w.Owner, chatAt(onGr, anna), u, "", crm.Outgoing{Content: crm.Content{Caption: "Look"}}); err != nil {
			t.Fatal(err)
		}
		m := start(t, w, outbox(t, w)[0].ID).Message
		f, err := w.OpenStored(t.Context(), onGr, m.FileID)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Content.Close()
		if b, err := io.ReadAll(f.Content); string(b) != "the cat" || err != nil || m.Content.Caption != "Look" || m.Content.File.Name != "cat.png" || m.Type != crm.MessageImage {
			t.Errorf("to send is %+v with %q, %v", m, b, err)
		}
	})
}
