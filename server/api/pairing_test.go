package api_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestQRPicture checks that users with write access get connect's text as a picture,
// which must not be cached.
func TestQRPicture(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRoutes(t, store)
		connector := r.Connect("grWhatsApp")
		get := func(who crm.Actor, format string) *httptest.ResponseRecorder {
			req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, line+"/qr?format="+format, http.NoBody)
			req.Header.Set("Authorization", r.Token(who))
			rec := httptest.NewRecorder()
			r.handler.ServeHTTP(rec, req)
			return rec
		}
		if rec := get(r.Owner, "png"); rec.Code != http.StatusServiceUnavailable {
			t.Errorf("without a code to show: %d %s", rec.Code, rec.Body)
		}
		text := "https://wa.me/settings/linked_devices#2@" + strings.Repeat("Noise/Identity+Adv", 12) + ",9" // as long as WhatsApp's
		connector.Answer(crm.Pairing{QR: &text, ExpiresAt: 1637319320}, nil)
		rec := get(r.Owner, "png")
		if rec.Code != http.StatusOK || rec.Header().Get("Content-Type") != "image/png" || rec.Header().Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %v", rec.Code, rec.Header())
		}
		picture, err := png.Decode(bytes.NewReader(rec.Body.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		wantQR(t, picture)
		if rec := get(r.Owner, ""); rec.Code != http.StatusOK || rec.Header().Get("Cache-Control") != "no-store" || !strings.Contains(rec.Body.String(), text) {
			t.Errorf("as JSON: %d %v %s", rec.Code, rec.Header(), rec.Body)
		}
		for who, want := range map[crm.Actor]int{r.Reader: http.StatusForbidden, r.Operator: http.StatusForbidden, r.Stranger: http.StatusNotFound} {
			for _, format := range []string{"png", "json"} {
				if rec := get(who, format); rec.Code != want || strings.Contains(rec.Body.String(), "Noise") {
					t.Errorf("user %d gets %d %s", who.UserID, rec.Code, rec.Body)
				}
			}
		}
		if rec := get(r.Owner, "gif"); rec.Code != http.StatusUnprocessableEntity || !strings.Contains(rec.Body.String(), `"format"`) {
			t.Errorf("another format: %d %s", rec.Code, rec.Body)
		}
	})
}

// wantQR fails unless the picture is square, has a white margin of four dots of
// eight pixels, and the three squares by which cameras find a QR code.
func wantQR(t *testing.T, picture image.Image) {
	t.Helper()
	const margin, dot = 32, 8
	side := picture.Bounds().Dx()
	dark := func(x, y int) bool { return color.GrayModel.Convert(picture.At(x, y)).(color.Gray).Y < 128 }
	if side != picture.Bounds().Dy() || (side-2*margin)%dot != 0 {
		t.Fatalf("the picture is %v", picture.Bounds())
	}
	for i := range side {
		for j := range margin {
			if dark(i, j) || dark(j, i) || dark(i, side-1-j) || dark(side-1-j, i) {
				t.Fatalf("the margin is not white at %d, %d", i, j)
			}
		}
	}
	far := side - margin - 7*dot
	for _, corner := range []image.Point{{X: margin, Y: margin}, {X: far, Y: margin}, {X: margin, Y: far}} {
		for dy := range 7 {
			for dx := range 7 {
				ring := max(abs(dx-3), abs(dy-3))
				if dark(corner.X+dx*dot+dot/2, corner.Y+dy*dot+dot/2) != (ring != 2) {
					t.Fatalf("no square of a QR code at %v", corner)
				}
			}
		}
	}
}

func abs(n int) int { return max(n, -n) }
