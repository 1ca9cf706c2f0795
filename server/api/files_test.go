package api_test

import (
	"bytes"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestUploadsAreInert uploads files of every kind. Whatever a browser could run must
// neither be shown in a page of this origin nor have a type that a page could load.
func TestUploadsAreInert(t *testing.T) {
	const inert = "application/octet-stream"
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRoutes(t, store)
		at := crm.ChatAddress{Line: crm.Line{LicenseID: crmtest.LicenseID, Messenger: "grWhatsApp"}, ChatID: "79990001122"}
		for given, want := range map[string]string{
			"text/html": inert, "text/HTML; charset=utf-8": inert, "application/xhtml+xml": inert, "image/svg+xml": inert, "text/xml": inert, "application/xml": inert,
			"text/javascript": inert, "application/javascript": inert, "application/x-javascript": inert, "text/ecmascript": inert, "application/json": inert,
			"text/css": inert, "application/wasm": inert, "application/x-shockwave-flash": inert, "multipart/x-mixed-replace": inert, "image/x-unknown": inert, "none": "text/plain",
			"image/png": "image/png", "video/mp4": "video/mp4", "audio/ogg; codecs=opus": "audio/ogg", "application/pdf": "application/pdf", "text/plain": "text/plain",
		} {
			upload, err := r.StoreUpload(t.Context(), r.Operator, at, "x", given, strings.NewReader("fetch('/v1/me')"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.SendFile(t.Context(), r.Operator, at, upload, "", crm.Outgoing{}); err != nil {
				t.Fatal(err)
			}
			var page crm.Page[crm.HistoryItem]
			r.data(t, r.Reader, "GET "+annChat+"/messages?limit=1", "", &page)
			h := r.ask(crm.Actor{}, "GET "+page.Items[0].Message.File.Link, nil).Header()
			for header, value := range map[string]string{
				"Content-Type": want, "Content-Disposition": "attachment; filename=x", "X-Content-Type-Options": "nosniff",
				"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private, no-cache",
			} {
				if h.Get(header) != value {
					t.Errorf("%s is served with %s %q, want %q", given, header, h.Get(header), value)
				}
			}
		}
	})
}

// TestUploadEndsWithItsSession checks that a session that ends while a file comes sends
// nothing any more.
func TestUploadEndsWithItsSession(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRoutes(t, store)
		body, kind := form(t, "@a.txt", strings.Repeat("x", 64<<10))
		half := bytes.NewReader(body[:len(body)/2])
		signOut := readerFunc(func([]byte) (int, error) {
			r.World.Tx(t, func(tx *models.Tx) error { return tx.RevokeTokensOf(r.Operator.UserID, 0, crmtest.Start) })
			return 0, io.EOF
		})
		req := httptest.NewRequest("POST", annChat+"/messages/file", io.MultiReader(half, signOut, bytes.NewReader(body[len(body)/2:])))
		req.Header.Set("Content-Type", kind)
		req.Header.Set("Authorization", r.Token(r.Operator))
		rec := httptest.NewRecorder()
		r.handler.ServeHTTP(rec, req)
		if rec.Code != 403 || !strings.Contains(rec.Body.String(), "ApiInvalidTokenError") {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
		if n := len(r.Events(t, "message")); n != 0 {
			t.Errorf("%d messages", n)
		}
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
