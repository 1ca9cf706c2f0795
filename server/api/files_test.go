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
// nothing any more, and that one that exchanges its tokens meanwhile sends it.
func TestUploadEndsWithItsSession(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRoutes(t, store)
		me, err := r.World.Me(t.Context(), r.Operator)
		if err != nil {
			t.Fatal(err)
		}
		upload := func(meanwhile func(*crm.TokenPair) error) *httptest.ResponseRecorder {
			t.Helper()
			pair, err := r.World.IssueToken(t.Context(), me.Email)
			if err != nil {
				t.Fatal(err)
			}
			body, kind := form(t, "@a.txt", strings.Repeat("x", 64<<10))
			midst := readerFunc(func([]byte) (int, error) {
				if err := meanwhile(pair); err != nil {
					t.Error(err)
				}
				return 0, io.EOF
			})
			half := len(body) / 2
			req := httptest.NewRequest("POST", annChat+"/messages/file", io.MultiReader(bytes.NewReader(body[:half]), midst, bytes.NewReader(body[half:])))
			req.Header.Set("Content-Type", kind)
			req.Header.Set("Authorization", pair.AccessToken)
			rec := httptest.NewRecorder()
			r.handler.ServeHTTP(rec, req)
			return rec
		}
		rec := upload(func(pair *crm.TokenPair) error {
			_, err := r.World.RefreshToken(t.Context(), pair.RefreshToken, crm.Client{})
			return err
		})
		if n := len(r.Events(t, "message")); rec.Code != 200 || n != 1 {
			t.Errorf("with tokens that were exchanged: %d %s, %d messages", rec.Code, rec.Body, n)
		}
		rec = upload(func(pair *crm.TokenPair) error { return r.World.RevokeToken(t.Context(), pair.AccessToken) })
		if rec.Code != 403 || !strings.Contains(rec.Body.String(), "ApiInvalidTokenError") {
			t.Errorf("signed out: %d %s", rec.Code, rec.Body)
		}
		if n := len(r.Events(t, "message")); n != 1 {
			t.Errorf("%d messages after signing out", n)
		}
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
