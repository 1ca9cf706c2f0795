package whatsapp

import (
	stdzip "archive/zip"
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/media"
	"chatcast/crm/whatsapp/whatsapptest"
)

const voiceMime = "audio/ogg; codecs=opus"

// voice returns a voice message as Ogg.
func voice(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := media.Remux(&b, bytes.NewReader(whatsapptest.Recording(3))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// kindsToSend are files as operators send them, and what must arrive.
func kindsToSend(t *testing.T) map[string]fileToSend {
	photo := whatsapptest.Photo(640, 480)
	recording := func(m *waE2E.Message) bool {
		a := m.GetAudioMessage()
		return a.GetPTT() && a.GetMimetype() == voiceMime && a.GetSeconds() == 3 && len(a.GetWaveform()) == 64
	}
	document := func(m *waE2E.Message) bool { return m.GetDocumentMessage() != nil }
	return map[string]fileToSend{
		"voice.ogg":    {file: voice(t), declared: "audio/ogg", arrives: recording},
		"voice.opus":   {file: voice(t), declared: "application/octet-stream", arrives: recording},
		"recorded":     {file: whatsapptest.Recording(3), declared: "audio/webm;codecs=opus", arrives: recording, changed: true},
		"blob":         {file: whatsapptest.Recording(3), arrives: recording, changed: true},
		"asked.webm":   {file: whatsapptest.Recording(3), asked: "voice", arrives: recording, changed: true},
		"captioned":    {file: voice(t), caption: "listen", arrives: document},
		"voiceless":    {file: voice(t)[:100], declared: "audio/ogg", arrives: document},
		"vorbis.ogg":   {file: bytes.Replace(voice(t), []byte("OpusHead"), []byte("\x01vorbis."), 1), declared: "audio/ogg", arrives: document},
		"cut.webm":     {file: whatsapptest.Recording(3)[:90], declared: "audio/webm", arrives: document},
		"lie.jpg":      {file: []byte("no picture"), declared: "image/jpeg", caption: "look", arrives: document},
		"cut.jpg":      {file: photo[:1000], declared: "image/jpeg", arrives: document},
		"lie.mp4":      {file: photo, declared: "video/mp4", arrives: document},
		"cut.mp4":      {file: whatsapptest.Film(320, 240, 5)[:600], declared: "video/mp4", arrives: document},
		"large.webp":   {file: photo, declared: "image/webp", asked: "sticker", arrives: func(m *waE2E.Message) bool { return m.GetImageMessage().GetMimetype() == "image/jpeg" }},
		"told.webp":    {file: whatsapptest.StickerFile(), asked: "sticker", caption: "ours", arrives: func(m *waE2E.Message) bool { return m.GetImageMessage().GetCaption() == "ours" }},
		"picture.webp": {file: whatsapptest.StickerFile(), arrives: func(m *waE2E.Message) bool { return m.GetImageMessage().GetMimetype() == "image/webp" }},
		"sticker.webp": {file: whatsapptest.StickerFile(), asked: "sticker", arrives: func(m *waE2E.Message) bool {
			s := m.GetStickerMessage()
			return s.GetMimetype() == "image/webp" && s.GetWidth() == 1 && s.GetHeight() == 1
		}},
		"photo.jpg": {file: photo, declared: "image/jpeg", caption: "look", arrives: func(m *waE2E.Message) bool {
			i := m.GetImageMessage()
			return i.GetWidth() == 640 && i.GetHeight() == 480 && media.Thumbnail(i.GetJPEGThumbnail()) != nil && i.GetCaption() == "look"
		}},
		"film.mp4": {file: whatsapptest.Film(320, 240, 5), declared: "video/mp4", arrives: func(m *waE2E.Message) bool {
			v := m.GetVideoMessage()
			return v.GetWidth() == 320 && v.GetHeight() == 240 && v.GetSeconds() == 5
		}},
		"round.mp4": {file: whatsapptest.Film(240, 240, 5), declared: "video/mp4", asked: "videoNote", arrives: func(m *waE2E.Message) bool {
			v := m.GetPtvMessage()
			return v.GetWidth() == 240 && v.GetSeconds() == 5 && m.GetVideoMessage() == nil
		}},
		"timeless.mp4": {file: whatsapptest.Film(320, 240, 0), declared: "video/mp4", arrives: func(m *waE2E.Message) bool {
			return m.GetVideoMessage().GetWidth() == 320 && m.GetVideoMessage().Seconds == nil
		}},
		"list.xlsx": {file: office("xl/workbook.xml"), arrives: func(m *waE2E.Message) bool {
			return strings.HasSuffix(m.GetDocumentMessage().GetMimetype(), "spreadsheetml.sheet")
		}},
		"text": {file: office("word/document.xml"), declared: "application/zip", arrives: func(m *waE2E.Message) bool {
			return strings.HasSuffix(m.GetDocumentMessage().GetMimetype(), "wordprocessingml.document")
		}},
		"late.docx": {file: office("large.bin"), declared: "application/octet-stream", arrives: func(m *waE2E.Message) bool {
			return strings.HasSuffix(m.GetDocumentMessage().GetMimetype(), "wordprocessingml.document")
		}},
		"archive": {file: office("notes.txt"), arrives: func(m *waE2E.Message) bool { return m.GetDocumentMessage().GetMimetype() == "application/zip" }},
	}
}

type fileToSend struct {
	file                     []byte
	declared, asked, caption string
	arrives                  func(*waE2E.Message) bool
	changed                  bool // other bytes arrive
}

// office returns an archive as offices make their documents.
func office(part string) []byte {
	var b bytes.Buffer
	z := stdzip.NewWriter(&b)
	for _, name := range []string{"[Content_Types].xml", "_rels/.rels", part} {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte("<x/>"))
		}
		if err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// TestFilesKeepTheirKind checks that what is sent arrives as what it is, and that what
// WhatsApp cannot show arrives whole as a document.
func TestFilesKeepTheirKind(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		for name, c := range kindsToSend(t) {
			u, err := h.StoreUpload(t.Context(), h.Operator, h.chat(), name, c.declared, bytes.NewReader(c.file))
			if err != nil {
				t.Fatal(err)
			}
			sent, err := h.SendFile(t.Context(), h.Operator, h.chat(), u, "", crm.Outgoing{Type: c.asked, Content: crm.Content{Caption: c.caption}})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got, err := h.anna.AwaitID(testwait.Context(t), sent.ID.String())
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if !c.arrives(got.Message) {
				t.Errorf("%s arrived as %v", name, got.Message)
			}
			if b, err := h.wa.Open(got.Attachment()); err != nil || bytes.Equal(b, c.file) == c.changed {
				t.Errorf("%s: %d bytes of %d arrived, %v", name, len(b), len(c.file), err)
			}
			if d := got.Message.GetDocumentMessage(); d != nil && d.GetCaption() != c.caption {
				t.Errorf("%s: the caption is %q", name, d.GetCaption())
			}
		}
		if u := h.wa.Unhandled(); len(u) > 0 {
			t.Errorf("the stand-in was asked for what it does not know: %q", u)
		}
	})
}

// TestFilesAsked checks the types that a sender may not ask for.
func TestFilesAsked(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		for asked, file := range map[string][]byte{"sticker": whatsapptest.Photo(4, 4), "voice": whatsapptest.Photo(5, 5), "videoNote": whatsapptest.Photo(7, 7), "poll": whatsapptest.Photo(6, 6)} {
			u, err := h.StoreUpload(t.Context(), h.Operator, h.chat(), "x", "", bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := h.SendFile(t.Context(), h.Operator, h.chat(), u, "", crm.Outgoing{Type: asked}); err == nil || !strings.Contains(err.Error(), "type") {
				t.Errorf("%s: %v", asked, err)
			}
		}
	})
}

// TestFilesTellOfThemselves checks what a received file shows before it is opened, and the
// name of a file that has none.
func TestFilesTellOfThemselves(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		small := whatsapptest.Photo(72, 54)
		image := h.wa.Upload(whatsapptest.Photo(640, 480), whatsmeow.MediaImage).Image("", "image/jpeg")
		image.ImageMessage.JPEGThumbnail = small
		film := h.wa.Upload(whatsapptest.Film(320, 240, 5), whatsmeow.MediaVideo).Video("", "video/mp4")
		film.VideoMessage.Width, film.VideoMessage.Height, film.VideoMessage.JPEGThumbnail = proto.Uint32(320), proto.Uint32(240), []byte("no picture")
		film.VideoMessage.Seconds = proto.Uint32(5)
		lies := h.wa.Upload([]byte("small"), whatsmeow.MediaVideo).Video("", "video/mp4")
		lies.VideoMessage.Width, lies.VideoMessage.Seconds, lies.VideoMessage.JPEGThumbnail = proto.Uint32(1<<32-1), proto.Uint32(1<<32-1), make([]byte, 1<<20)
		nameless := h.wa.Upload([]byte("%PDF-1.7\n"), whatsmeow.MediaDocument).Document("", "application/octet-stream", "")
		late := h.wa.Upload(office("xl/workbook.xml"), whatsmeow.MediaDocument)
		for name, c := range map[string]struct {
			message *waE2E.Message
			want    fileShown
		}{
			"image":    {image, fileShown{Name: "image.jpg", FilePreview: crm.FilePreview{Width: 640, Height: 480, Thumbnail: small}}},
			"film":     {film, fileShown{Name: "video.mp4", FilePreview: crm.FilePreview{Width: 320, Height: 240, Duration: 5}}},
			"lies":     {lies, fileShown{Name: "video.mp4"}},
			"nameless": {nameless, fileShown{Name: "document.pdf"}},
			"sheet":    {late.Document("", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ""), fileShown{Name: "document.xlsx"}},
		} {
			item := h.awaitItem(t, crm.EventMessage, h.anna.Send(h.shop, c.message))
			if got := shownIn(t, item); got.Name != c.want.Name || mustText(t, got.FilePreview) != mustText(t, c.want.FilePreview) {
				t.Errorf("%s shows %+v", name, got)
			}
		}
		// The name of a file that comes later is known when it has come.
		h.wa.Break(late, whatsapptest.FileFault{Status: 410})
		id := h.anna.Send(h.shop, late.Document("", "application/octet-stream", ""))
		h.awaitItem(t, crm.EventMessage, id, `"state":"pending"`)
		item := h.awaitEvent(t, crm.EventMessageEdit, func(item string) bool {
			return strings.Contains(item, id) && !strings.Contains(item, `"state"`)
		})
		if got := shownIn(t, item); got.Name != "document.xlsx" {
			t.Errorf("the file that came later is %+v", got)
		}
	})
}

type fileShown struct {
	Name string
	crm.FilePreview
}

func shownIn(t *testing.T, item string) fileShown {
	t.Helper()
	var m struct{ Message struct{ File fileShown } }
	if err := json.Unmarshal([]byte(item), &m); err != nil {
		t.Fatal(err)
	}
	return m.Message.File
}

func mustText(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
