package whatsapptest_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/proto/waMmsRetry"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	"chatcast/channels/testwait"
	"chatcast/crm/whatsapp/whatsapptest"
)

var photo = bytes.Repeat([]byte("pixels"), 10_000)

// show sends a message and returns it as received.
func (w *world) show(c *client, m *waE2E.Message) *events.Message {
	id := w.anna.Send(w.shop, m)
	return await(c, func(e *events.Message) bool { return e.Info.ID == id })
}

func TestMediaIn(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	for name, tc := range map[string]struct {
		kind whatsmeow.MediaType
		make func(whatsapptest.File) *waE2E.Message
		part func(*waE2E.Message) whatsmeow.DownloadableMessage
	}{
		"image": {whatsmeow.MediaImage,
			func(f whatsapptest.File) *waE2E.Message { return f.Image("look", "image/jpeg") },
			func(m *waE2E.Message) whatsmeow.DownloadableMessage { return m.GetImageMessage() }},
		"video": {whatsmeow.MediaVideo,
			func(f whatsapptest.File) *waE2E.Message { return f.Video("look", "video/mp4") },
			func(m *waE2E.Message) whatsmeow.DownloadableMessage { return m.GetVideoMessage() }},
		"voice": {whatsmeow.MediaAudio,
			func(f whatsapptest.File) *waE2E.Message { return f.Audio("audio/ogg; codecs=opus", true) },
			func(m *waE2E.Message) whatsmeow.DownloadableMessage { return m.GetAudioMessage() }},
		"document": {whatsmeow.MediaDocument,
			func(f whatsapptest.File) *waE2E.Message { return f.Document("bill.pdf", "application/pdf", "the bill") },
			func(m *waE2E.Message) whatsmeow.DownloadableMessage { return m.GetDocumentMessage() }},
		"sticker": {whatsmeow.MediaImage,
			func(f whatsapptest.File) *waE2E.Message { return f.Sticker("image/webp") },
			func(m *waE2E.Message) whatsmeow.DownloadableMessage { return m.GetStickerMessage() }},
	} {
		m := w.show(c, tc.make(w.Upload(photo, tc.kind)))
		if m.Info.Type != "media" || m.Info.MediaType == "" {
			t.Errorf("%s: the stanza says %q, %q", name, m.Info.Type, m.Info.MediaType)
		}
		data, err := c.Download(t.Context(), tc.part(m.Message))
		if err != nil || !bytes.Equal(data, photo) {
			t.Errorf("%s: %d bytes, %v", name, len(data), err)
		}
	}
	// A file without a URL is found by its path, on the host that the server names.
	m := w.show(c, w.Upload(photo, whatsmeow.MediaImage).Image("", "image/png"))
	m.Message.ImageMessage.URL = nil
	if data, err := c.Download(t.Context(), m.Message.GetImageMessage()); err != nil || !bytes.Equal(data, photo) {
		t.Errorf("by its path: %d bytes, %v", len(data), err)
	}
	w.sound(t)
}

func TestMediaOut(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	w.FailUploads(503, 1)
	if _, err := c.Upload(t.Context(), photo, whatsmeow.MediaImage); err == nil {
		t.Error("uploaded to a host that refuses")
	}
	up, err := c.Upload(t.Context(), photo, whatsmeow.MediaImage)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.SendMessage(t.Context(), w.anna.Number(), &waE2E.Message{ImageMessage: &waE2E.ImageMessage{
		URL: &up.URL, DirectPath: &up.DirectPath, MediaKey: up.MediaKey, FileEncSHA256: up.FileEncSHA256,
		FileSHA256: up.FileSHA256, FileLength: &up.FileLength, Caption: proto.String("our shop"), Mimetype: proto.String("image/jpeg"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.anna.AwaitText(testwait.Context(t), "our shop")
	if err != nil {
		t.Fatal(err)
	}
	if data, err := w.Open(got.Attachment()); err != nil || !bytes.Equal(data, photo) {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	w.sound(t)
}

func TestMediaFaults(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	f := w.Upload(photo, whatsmeow.MediaImage)
	image := w.show(c, f.Image("", "image/jpeg")).Message.GetImageMessage()
	for name, tc := range map[string]struct {
		fault whatsapptest.FileFault
		want  error
	}{
		"403":          {whatsapptest.FileFault{Status: 403}, whatsmeow.ErrMediaDownloadFailedWith403},
		"404":          {whatsapptest.FileFault{Status: 404}, whatsmeow.ErrMediaDownloadFailedWith404},
		"410":          {whatsapptest.FileFault{Status: 410}, whatsmeow.ErrMediaDownloadFailedWith410},
		"another hash": {whatsapptest.FileFault{Corrupt: true}, whatsmeow.ErrInvalidMediaEncSHA256},
		"too long":     {whatsapptest.FileFault{Size: int64(len(photo)) * 4}, whatsmeow.ErrInvalidMediaEncSHA256},
	} {
		w.Break(f, tc.fault)
		if _, err := c.Download(t.Context(), image); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	for name, fault := range map[string]whatsapptest.FileFault{
		"stalled": {Stall: 1000}, "slow": {Pause: time.Second}, "cut": {Cut: 1000},
	} {
		w.Break(f, fault)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		if _, err := c.Download(ctx, image); err == nil {
			t.Errorf("%s: downloaded", name)
		}
		cancel()
	}
	w.Break(f, whatsapptest.FileFault{})
	w.MediaDown(404)
	if _, err := c.Download(t.Context(), image); err == nil {
		t.Error("downloaded from a host that is down")
	}
	w.MediaDown(0)
	if _, err := c.Download(t.Context(), image); err != nil {
		t.Errorf("mended: %v", err)
	}
	w.sound(t)
}

// TestHugeFileIsOnlyAnnounced sends a message that announces a larger size than the
// file has.
func TestHugeFileIsOnlyAnnounced(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	f := w.Upload(photo, whatsmeow.MediaDocument)
	f.Length = 2 << 30
	doc := w.show(c, f.Document("disk.img", "application/octet-stream", "")).Message.GetDocumentMessage()
	if doc.GetFileLength() != 2<<30 {
		t.Errorf("announced %d bytes", doc.GetFileLength())
	}
	if b, err := c.Download(t.Context(), doc); err != nil || len(b) != len(photo) { // only the hashes count
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func TestMediaComesFromThePhoneAgain(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	f := w.Upload(photo, whatsmeow.MediaImage)
	m := w.show(c, f.Image("", "image/jpeg"))
	w.Break(f, whatsapptest.FileFault{Status: 410})
	image := m.Message.GetImageMessage()
	ask := func() *events.MediaRetry {
		c.forget()
		if err := c.SendMediaRetryReceipt(t.Context(), &m.Info, image.GetMediaKey()); err != nil {
			t.Fatal(err)
		}
		return await(c, func(e *events.MediaRetry) bool { return e.MessageID == m.Info.ID })
	}
	answer, err := whatsmeow.DecryptMediaRetryNotification(ask(), image.GetMediaKey())
	if err != nil || answer.GetResult() != waMmsRetry.MediaRetryNotification_SUCCESS {
		t.Fatalf("%v, %v", answer, err)
	}
	image.URL, image.DirectPath = nil, answer.DirectPath
	if data, err := c.Download(t.Context(), image); err != nil || !bytes.Equal(data, photo) {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	w.shop.LoseFile(m.Info.ID)
	if _, err := whatsmeow.DecryptMediaRetryNotification(ask(), image.GetMediaKey()); !errors.Is(err, whatsmeow.ErrMediaNotAvailableOnPhone) {
		t.Errorf("a file that the phone has not: %v", err)
	}
	w.sound(t)
}

func TestPictures(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	if _, err := c.GetProfilePictureInfo(t.Context(), w.anna.Number(), nil); !errors.Is(err, whatsmeow.ErrProfilePictureNotSet) {
		t.Errorf("no picture: %v", err)
	}
	w.anna.SetPicture(photo)
	info, err := c.GetProfilePictureInfo(t.Context(), w.anna.Number(), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := w.Client().Get(info.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 || resp.ContentLength != int64(len(photo)) || !strings.HasPrefix(info.URL, "https://") {
		t.Errorf("%d, %d bytes at %s", resp.StatusCode, resp.ContentLength, info.URL)
	}
	w.sound(t)
}
