package multiwa_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
)

// Beginnings of files, by which their types are known.
var (
	pngFile = base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"))
	mp4File = base64.StdEncoding.EncodeToString([]byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"))
	mp3File = base64.StdEncoding.EncodeToString([]byte("ID3\x03\x00\x00\x00\x00\x00\x21"))
	oggFile = base64.StdEncoding.EncodeToString([]byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04\x00\x00\x00\x00\x05\x06\x07\x08\x01\x13OpusHead\x01\x01"))
	pdfFile = base64.StdEncoding.EncodeToString([]byte("%PDF-1.7\n1 0 obj\n"))
)

// TestFileRoutes sends files by each route: the message is of the kind that the route names.
func TestFileRoutes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRest(t, store, onGr)
		for _, c := range []struct{ path, more, typ, mime, name, caption string }{
			{"image", `"base64":"` + pngFile + `","caption":"A cat"`, "image", "image/png", "image", "A cat"},
			{"image", `"base64":"` + pngFile + `","mimetype":"image/png"`, "image", "image/png", "image.png", ""},
			{"image", `"base64":"data:image/webp;base64,` + pngFile + `","filename":"cat.webp"`, "image", "image/webp", "cat.webp", ""},
			{"image", `"url":"https://files.example/cat.JPG?x=1","caption":"A cat"`, "image", "image/jpeg", "cat.JPG", "A cat"},
			{"image", `"url":"https://files.example/cat"`, "image", "", "cat", ""}, // what it is shows when it is fetched
			{"image", `"url":"https://files.example/cat","mimetype":"image/png"`, "image", "image/png", "image.png", ""},
			{"video", `"base64":"` + mp4File + `","caption":"Waves"`, "video", "video/mp4", "video", "Waves"},
			{"video", `"url":"https://files.example/film.mp4","caption":"Waves"`, "video", "video/mp4", "film.mp4", "Waves"},
			{"video", `"url":"https://files.example/film"`, "video", "", "film", ""},
			{"audio", `"base64":"` + mp3File + `"`, "audio", "audio/mpeg", "audio", ""},
			{"audio", `"base64":"` + oggFile + `"`, "audio", "audio/ogg", "audio", ""},
			{"audio", `"base64":"` + oggFile + `","ptt":true`, "voice", "audio/ogg", "audio", ""},
			{"audio", `"url":"https://files.example/song.mp3","ptt":false`, "audio", "audio/mpeg", "song.mp3", ""},
			{"audio", `"url":"https://files.example/voice","mimetype":"audio/ogg; codecs=opus","ptt":true`, "voice", "audio/ogg", "audio.ogg", ""},
			{"document", `"base64":"` + pdfFile + `","filename":"bill.pdf","caption":"The bill"`, "document", "application/pdf", "bill.pdf", "The bill"},
			{"document", `"base64":"` + pngFile + `","filename":"cat.png"`, "document", "image/png", "cat.png", ""}, // whole, as a file
			{"document", `"base64":"` + mp4File + `","filename":"film"`, "document", "video/mp4", "film", ""},
			{"document", `"url":"https://files.example/song.mp3","filename":"song.mp3"`, "document", "audio/mpeg", "song.mp3", ""},
			{"document", `"url":"https://files.example/x","filename":"dir/bill","caption":"The bill"`, "document", "", "bill", "The bill"},
		} {
			mark := r.Mark(t)
			r.want("POST", "/messages/"+c.path, `{"to":"351912000001",`+c.more+`}`, 201, sentAnswer)
			events := r.EventsAfter(t, mark, crm.EventMessage)
			if len(events) != 1 {
				t.Errorf("%s %.200s: %d messages", c.path, c.more, len(events))
				continue
			}
			var item struct {
				Type    string
				Message struct {
					Caption string
					File    struct{ Name, MimeType string }
				}
			}
			if err := json.Unmarshal(events[0].Items(t)[0], &item); err != nil {
				t.Fatal(err)
			}
			if m := item.Message; item.Type != c.typ || m.File.MimeType != c.mime || m.File.Name != c.name || m.Caption != c.caption {
				t.Errorf("%s %.200s: it is %+v", c.path, c.more, item)
			}
		}
	})
}

// TestWrongFiles sends what is no file, and files of other kinds than the route names. Nothing
// is sent, and no file stays.
func TestWrongFiles(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRest(t, store, onGr)
		const every = ": /messages/document sends every file"
		const either, none = "url is required, or base64, and not both", "base64 must be a file as base64, or as a data URL"
		long := strings.Repeat("x", 5000)
		kinds := []struct{ path, right, be string }{
			{"image", pngFile, "a picture"}, {"video", mp4File, "a film"}, {"audio", mp3File, "a sound"}, {"document", pdfFile, ""},
		}
		for _, k := range kinds {
			name := ""
			if k.path == "document" {
				name = `,"filename":"x"`
			}
			fails := func(more, text string) {
				t.Helper()
				r.fails("POST", "/messages/"+k.path, `{"to":"351912000001",`+more+name+`}`, 400, "VALIDATION_ERROR", text)
			}
			for _, other := range kinds {
				if other.path == k.path || k.path == "document" {
					continue
				}
				fails(`"base64":"`+other.right+`"`, "base64 must be "+k.be+every)
			}
			if k.path != "document" {
				fails(`"url":"https://files.example/bill.pdf"`, "url must be "+k.be+every)
				fails(`"url":"https://files.example/x","mimetype":"application/pdf"`, "url must be "+k.be+every)
				fails(`"base64":"`+k.right+`","mimetype":"text/plain"`, "base64 must be "+k.be+every)
			}
			fails(`"caption":"x"`, either)
			fails(`"url":"","base64":""`, either)
			fails(`"url":"https://files.example/x","base64":"`+k.right+`"`, either)
			for _, bad := range []string{"%%", "data:", "data:image/png;base64,", "data:image/png", "a", "==="} {
				fails(`"base64":"`+bad+`"`, none)
			}
			for _, bad := range []string{"ftp://files.example/x", "/etc/passwd", "https://", "https://me:secret@files.example/x", "file:///etc/passwd"} {
				fails(`"url":"`+bad+`"`, "url must be an http or https address without a password in it")
			}
			fails(`"base64":"`+k.right+`","caption":"`+long+`"`, fmt.Sprintf("caption is longer than %d characters", crm.MaxCaption))
			r.fails("POST", "/messages/"+k.path, `{"to":"nobody","base64":"`+k.right+`"`+name+`}`, 400, "VALIDATION_ERROR",
				"to must be a phone number of 5 to 15 digits, or an id ending in @c.us, @s.whatsapp.net, @g.us, @newsletter or @lid")
		}
		r.fails("POST", "/messages/audio", `{"to":"351912000001","ptt":true,"base64":"`+mp4File+`"}`, 400, "VALIDATION_ERROR", "base64 must be a sound"+every)
		r.fails("POST", "/messages/document", `{"to":"351912000001","base64":"`+pdfFile+`"}`, 400, "VALIDATION_ERROR", "filename is required")
		if n := len(r.Events(t, crm.EventMessage)); n != 0 {
			t.Errorf("%d messages were sent", n)
		}
		for id, err := range r.Files.Old(t.Context(), r.Now().AddDate(100, 0, 0)) {
			t.Errorf("the file %s stays, %v", id, err)
		}
	})
}
