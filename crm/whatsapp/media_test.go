package whatsapp

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

// fileOf waits for the message and returns it with its file.
func (w *world) fileOf(t *testing.T, id string) crm.InboundMessage {
	t.Helper()
	return w.awaitMessage(t, "the message "+id, func(m crm.InboundMessage) bool { return m.ID.String() == id })
}

// toFetch adds a message's file to the files to fetch, as the rules would.
func (w *world) toFetch(m crm.InboundMessage) {
	w.rules.change(func() {
		w.rules.pending = append(w.rules.pending, crm.FileToFetch{
			ID: "F" + m.ID.String(), ChatID: m.Chat.ID.String(), Message: crm.MessageRef{ID: m.ID.String()},
			Name: m.Remote.Name, Size: m.Remote.Size, Source: m.Remote.Source,
		})
	})
	notify(w.m.serving(testLine).fetch)
}

func (w *world) awaitFile(t *testing.T, name, content string) {
	t.Helper()
	if err := w.rules.await(testwait.Context(t), "the file "+name, func() bool { return w.rules.files[name] == content }); err != nil {
		t.Fatal(err)
	}
}

func (w *world) awaitUnfetched(t *testing.T, state string) {
	t.Helper()
	err := w.rules.await(testwait.Context(t), "a file that is "+state, func() bool {
		n := len(w.rules.unfetched)
		return n > 0 && w.rules.unfetched[n-1] == state
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFilesAtArrival(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	picture := strings.Repeat("picture ", 10_000)
	f := w.Upload([]byte(picture), whatsmeow.MediaImage)
	for name, c := range map[string]struct {
		file whatsapptest.File
		send func(whatsapptest.File) string
	}{
		"image.jpg": {f, func(f whatsapptest.File) string { return w.anna.Send(w.shop, f.Image("look", "image/jpeg")) }},
		"voice.ogg": {w.Upload([]byte("sound"), whatsmeow.MediaAudio), func(f whatsapptest.File) string {
			return w.anna.Send(w.shop, f.Audio("audio/ogg; codecs=opus", true))
		}},
		"List.csv": {w.Upload([]byte("a;b"), whatsmeow.MediaDocument), func(f whatsapptest.File) string {
			return w.anna.Send(w.shop, f.Document("List.csv", "text/csv", "for you"))
		}},
		"video.mp4": {w.Upload([]byte("film"), whatsmeow.MediaVideo), func(f whatsapptest.File) string {
			return w.anna.Send(w.shop, f.Video("", "video/mp4"))
		}},
	} {
		m := w.fileOf(t, c.send(c.file))
		if m.Attachment == nil || m.Remote == nil || m.Remote.Name != name {
			t.Errorf("%s came as %+v", name, m)
		}
	}
	w.awaitFile(t, "image.jpg", picture)
	w.awaitFile(t, "List.csv", "a;b")
	w.sound(t)
}

func TestFilesThatComeLater(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.MediaDown(503)
	f := w.Upload([]byte("later"), whatsmeow.MediaImage)
	m := w.fileOf(t, w.anna.Send(w.shop, f.Image("", "image/jpeg")))
	if m.Attachment != nil || m.Remote == nil {
		t.Fatalf("came as %+v", m)
	}
	w.MediaDown(0)
	w.toFetch(m)
	w.awaitFile(t, "F"+m.ID.String(), "later")
}

// TestSlowFileHoldsUpNobody checks that a message does not wait for a slow file.
func TestSlowFileHoldsUpNobody(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.times = patient
		o.times.eager = 50 * time.Millisecond
	})
	w.pair(t)
	f := w.Upload([]byte(strings.Repeat("x", 100_000)), whatsmeow.MediaVideo)
	w.Break(f, whatsapptest.FileFault{Stall: 1000})
	id := w.anna.Send(w.shop, f.Video("", "video/mp4"))
	w.anna.SendText(w.shop, "and a text")
	w.awaitText(t, "and a text")
	if m := w.fileOf(t, id); m.Attachment != nil || m.Remote == nil {
		t.Errorf("came as %+v", m)
	}
}

func TestFilesThatNeverCome(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	for name, c := range map[string]struct {
		how  whatsapptest.FileFault
		want string
	}{
		"corrupt": {whatsapptest.FileFault{Corrupt: true}, crm.FileFailed},
		"endless": {whatsapptest.FileFault{Size: 400 << 20}, crm.FileTooLarge},
	} {
		f := w.Upload([]byte(name), whatsmeow.MediaDocument)
		w.Break(f, c.how)
		m := w.fileOf(t, w.anna.Send(w.shop, f.Document(name, "text/plain", "")))
		if m.Attachment != nil {
			t.Errorf("%s: it is there", name)
		}
		w.toFetch(m)
		w.awaitUnfetched(t, c.want)
	}
	// No byte is requested of a file that is announced as 2 GB.
	huge := w.Upload([]byte("small"), whatsmeow.MediaVideo).Video("", "video/mp4")
	huge.VideoMessage.FileLength = proto.Uint64(2 << 30)
	m := w.fileOf(t, w.anna.Send(w.shop, huge))
	w.toFetch(m)
	w.awaitUnfetched(t, crm.FileTooLarge)
}

// TestFilesElsewhere checks that a sender cannot make the program ask another host than
// WhatsApp's for a file.
func TestFilesElsewhere(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	for _, url := range []string{
		"http://169.254.169.254/latest/meta-data/", "https://localhost/secret", "https://whatsapp.net.example/x", "https://evilwhatsapp.net/x",
		"https://mmg.whatsapp.net@localhost/x", "http://mmg.whatsapp.net/x", "https://localhost/?.whatsapp.net", "https://localhost/#.whatsapp.net",
	} {
		f := w.Upload([]byte("at "+url), whatsmeow.MediaImage)
		f.URL = url
		if m := w.fileOf(t, w.anna.Send(w.shop, f.Image("", "image/jpeg"))); m.Attachment == nil { // it is at its path
			t.Errorf("with %s came as %+v", url, m)
		}
		alone := whatsapptest.File{URL: url, Length: 1}.Image("", "image/jpeg")
		m := w.fileOf(t, w.anna.Send(w.shop, alone))
		if m.Attachment != nil {
			t.Errorf("%s was fetched", url)
		}
		w.toFetch(m)
		w.awaitUnfetched(t, crm.FileFailed)
	}
	for _, path := range []string{"@localhost/x", ".example.com/x", ":1/x", "@[::1]:6379/"} {
		f := w.Upload([]byte("at "+path), whatsmeow.MediaImage)
		f.URL, f.DirectPath = "", path
		if m := w.fileOf(t, w.anna.Send(w.shop, f.Image("", "image/jpeg"))); m.Attachment != nil {
			t.Errorf("%s was fetched", path)
		}
	}
	if hosts := w.StrangeHosts(); len(hosts) > 0 {
		t.Errorf("asked %v", hosts)
	}
}

// TestPhoneUploadsAgain checks that the phone uploads a file that WhatsApp has deleted.
func TestPhoneUploadsAgain(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	f := w.Upload([]byte("old picture"), whatsmeow.MediaImage)
	w.Break(f, whatsapptest.FileFault{Status: 410})
	m := w.fileOf(t, w.anna.Send(w.shop, f.Image("", "image/jpeg")))
	w.toFetch(m)
	w.awaitFile(t, "F"+m.ID.String(), "old picture")

	gone := w.Upload([]byte("lost picture"), whatsmeow.MediaImage)
	w.Break(gone, whatsapptest.FileFault{Status: 404})
	lost := w.fileOf(t, w.anna.Send(w.shop, gone.Image("", "image/jpeg")))
	w.shop.LoseFile(lost.ID.String())
	w.toFetch(lost)
	w.awaitUnfetched(t, crm.FileExpired)
}

// TestFileStoreIsAway checks that while the file store is unavailable, a file is not given
// up, and the files behind it are not tried.
func TestFileStoreIsAway(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	f := w.Upload([]byte("a picture"), whatsmeow.MediaImage)
	w.Break(f, whatsapptest.FileFault{Status: 500}) // so that it is not fetched with its message
	m := w.fileOf(t, w.anna.Send(w.shop, f.Image("", "image/jpeg")))
	other := w.fileOf(t, w.anna.Send(w.shop, f.Image("", "image/jpeg")))
	w.Break(f, whatsapptest.FileFault{})
	w.rules.change(func() { w.rules.storeUnavailable = true })
	w.toFetch(other)
	before := 0
	if err := w.rules.await(testwait.Context(t), "the first is refused", func() bool { before = w.rules.refused; return before > 0 }); err != nil {
		t.Fatal(err)
	}
	w.toFetch(m)
	if err := w.rules.await(testwait.Context(t), "one is refused again", func() bool { return w.rules.refused > before }); err != nil {
		t.Fatal(err)
	}
	w.rules.change(func() {
		if w.rules.storeUnavailable = false; len(w.rules.unfetched) > 0 || len(w.rules.pending) != 2 {
			t.Errorf("given up are %v, to fetch %v", w.rules.unfetched, w.rules.pending)
		}
	})
	notify(w.m.serving(testLine).fetch)
	w.awaitFile(t, "F"+other.ID.String(), "a picture")
	w.awaitFile(t, "F"+m.ID.String(), "a picture")
}
