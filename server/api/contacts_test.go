package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
)

var (
	_ crm.NumberChecker = (*phone)(nil)
	_ crm.Blocker       = (*phone)(nil)
)

// Block refuses whatever the test wants it to.
func (p *phone) Block(context.Context, crm.Line, string, bool) error {
	if p.refusal != nil {
		return p.refusal
	}
	return p.reach()
}

const (
	numbers    = `{"numbers":["+7 999 000-11-22","79990000000","nobody"]}`
	unanswered = `{"numbers":["79990000007"]}` // so that the phone is asked each time
)

// checks asks about numbers.
func (w *walker) checks() {
	check := "POST " + phoneLine + "/contacts/check"
	w.steps(
		step{w.Operator, "POST " + line + "/contacts/check", numbers, 409, "", nil},
		step{w.Operator, check, numbers, 0, "", nil},
		step{w.Operator, check, `{"numbers":[` + strings.Repeat(`"",`, 100) + `""]}`, 422, "", nil},
		step{w.Operator, check, unanswered, 0, "", nil},
	)
	w.ChecksPerDay = 1
	w.steps(step{w.Operator, check, unanswered, 429, "", nil})
	w.ChecksPerDay = 0
	block := phoneLine + "/contacts/79990001122/block"
	w.refusal = &crm.Error{Code: crm.CodeThrottled, Message: "no", RetryAfter: 60}
	w.steps(step{w.Operator, "POST " + block, "", 429, "", nil}, step{w.Operator, "DELETE " + block, "", 429, "", nil})
	w.refusal = nil
	w.steps(
		step{w.Operator, "POST " + block, "", 0, "", nil},
		step{w.Operator, "DELETE " + block, "", 0, "", nil},
		step{w.Operator, "POST " + line + "/contacts/79990001122/block", "", 409, "", nil},
		step{w.Operator, "DELETE " + line + "/contacts/79990001122/block", "", 409, "", nil},
		step{w.Operator, "POST " + phoneLine + "/contacts/nobody/block", "", 422, "", nil},
		step{w.Operator, "DELETE " + phoneLine + "/contacts/120363000000000001@g.us/block", "", 422, "", nil},
	)
}

// CheckNumbers knows one number.
func (p *phone) CheckNumbers(_ context.Context, _ crm.Line, asked []string, begin func() error) (map[string]crm.CheckedNumber, error) {
	if err := p.reach(); err != nil {
		return nil, err
	}
	if err := begin(); err != nil {
		return nil, err
	}
	found := map[string]crm.CheckedNumber{}
	for _, number := range asked {
		switch number {
		case "79990001122":
			found[number] = crm.CheckedNumber{Exists: true, Phone: number, LID: "100200301@lid", BusinessName: "Anna's flowers"}
		case "79990000000":
			found[number] = crm.CheckedNumber{}
		}
	}
	return found, nil
}

// TestContactChecksOverHTTP checks who may ask about numbers, and the answers to what
// cannot be asked.
func TestContactChecksOverHTTP(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWalker(t, store)
		check := "POST " + phoneLine + "/contacts/check"
		w.phone.unavailable = true
		w.steps(step{w.Operator, check, numbers, 503, "", nil})
		w.phone.unavailable = false
		w.ChecksPerDay = 1
		rec := w.record(step{who: w.Operator, request: check, body: numbers}, "POST")
		if after := rec.Header().Get("Retry-After"); rec.Code != 429 || after == "" || after == "0" {
			t.Errorf("beyond the limit: %d %s, Retry-After %q", rec.Code, rec.Body, after)
		}
		w.ChecksPerDay = 2
		for _, s := range []step{
			{w.Stranger, check, numbers, 404, "", nil},
			{w.Outsider, check, numbers, 403, "", nil},
			{w.Reader, check, numbers, 403, "", nil},
			{crm.Actor{}, check, numbers, 401, "", nil},
			{w.Operator, "POST /v1/licenses/1229/messengers/telegram/contacts/check", numbers, 409, "", nil},
			{w.Operator, check, `{"numbers":[]}`, 422, "", nil},
			{w.Operator, check, `{}`, 422, "", nil},
			{w.Operator, check, `{"numbers":"79990001122"}`, 422, "", nil},
			{w.Operator, check, numbers, 0, "", nil},
		} {
			w.steps(s)
		}
		var got []map[string]any
		if err := json.Unmarshal(w.as(t, w.OnlyMine, "POST", phoneLine+"/contacts/check", numbers).Data, &got); err != nil {
			t.Fatal(err)
		}
		want := `[{"businessName":"Anna's flowers","error":null,"exists":true,"id":"79990001122","lid":"100200301@lid","name":"","number":"+7 999 000-11-22","phone":"79990001122","username":null},` +
			`{"businessName":null,"error":null,"exists":false,"id":null,"lid":null,"name":"","number":"79990000000","phone":null,"username":null},` +
			`{"businessName":null,"error":{"code":"invalid_number","message":"must be a phone number of 5 to 15 digits with its country code"},"exists":null,"id":null,"lid":null,"name":"","number":"nobody","phone":null,"username":null}]`
		if text, err := json.Marshal(got); err != nil || string(text) != want {
			t.Errorf("answered\n%s, want\n%s", text, want)
		}
	})
}

// TestPictureOverHTTP checks the link to the picture of a chat: it works in a page, stays the
// same, may be kept for a while, and gives nobody who does not see the chat its picture.
func TestPictureOverHTTP(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWalker(t, store)
		on := crm.Line{LicenseID: 1229, Messenger: "WhatsApp"}
		const photo = "\xff\xd8\xff\xe0 a photo"
		set := func(p crm.Picture) (image string) {
			t.Helper()
			if err := w.SetPicture(t.Context(), on, "79990001122", p); err != nil {
				t.Fatal(err)
			}
			var chat crm.ChatData
			if err := json.Unmarshal(w.as(t, w.Operator, "GET", phoneLine+"/chats/79990001122", "").Data, &chat); err != nil {
				t.Fatal(err)
			}
			if chat.ImageState == nil || *chat.ImageState != p.State || (chat.Image == nil) != (p.State != crm.PictureShown) {
				t.Fatalf("%+v is shown as %v, %v", p, chat.ImageState, chat.Image)
			}
			if chat.Image != nil {
				image = *chat.Image
			}
			return image
		}
		w.steps(step{w.Operator, "POST " + phoneLine + "/chats", `{"phone":"79990001122"}`, 0, "", nil})
		upload, err := w.StoreFile(t.Context(), on, "picture.jpg", "image/jpeg", strings.NewReader(photo))
		if err != nil {
			t.Fatal(err)
		}
		link := set(crm.Picture{State: crm.PictureShown, ID: "1", File: upload})
		rec := w.record(step{request: "GET " + link}, "GET")
		if h := rec.Header(); rec.Code != 200 || rec.Body.String() != photo || h.Get("Content-Type") != "image/jpeg" || h.Get("Cache-Control") != "private, max-age=3600" {
			t.Errorf("the picture: %d %q %v", rec.Code, rec.Body, h)
		}
		w.Clock.Advance(2 * time.Hour)
		if again := set(crm.Picture{State: crm.PictureShown, ID: "1"}); again != link {
			t.Errorf("the link was %s, and is %s", link, again)
		}
		plain, _, _ := strings.Cut(link, "?")
		w.steps(
			step{w.OnlyMine, "GET " + plain, "", 0, "", nil},
			step{w.Owner, "PUT " + phoneLine + "/chats/79990001122/responsible", `{"id":685}`, 0, "", nil},
			step{w.OnlyMine, "GET " + plain, "", 404, "", nil},
			step{w.Stranger, "GET " + plain, "", 404, "", nil},
			step{crm.Actor{}, "GET " + plain, "", 401, "", nil},
		)
		if set(crm.Picture{State: crm.PictureHidden}) != "" {
			t.Error("a hidden picture has a link")
		}
		w.steps(step{crm.Actor{}, "GET " + link, "", 404, "", nil})
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Read(t.Context()).FileByID(plain[strings.LastIndexByte(plain, '/')+1:]); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("after the sweep the file's row: %v", err)
		}
	})
}
