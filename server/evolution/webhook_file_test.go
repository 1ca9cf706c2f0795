package evolution_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/crm"
	"chatcast/server/evolution"
)

// largeFiles is rules with which each file has 16 MiB.
type largeFiles struct{}

func (largeFiles) OpenStored(context.Context, crm.Line, string) (*crm.Attachment, error) {
	const size = 16 << 20
	return &crm.Attachment{Size: size, Content: zeros{strings.NewReader(strings.Repeat("\x00", size))}}, nil
}

type zeros struct{ io.ReadSeeker }

func (zeros) Close() error { return nil }

// TestFilesOfACompany holds as many large files as a company may have in memory, as while its receiver
// is slow. Its next event has a link in place of the file, after a bounded wait; that of another
// company has its file, at once. With memory again the company's events have their files.
func TestFilesOfACompany(t *testing.T) {
	w := onSQLite(t)
	w.talk()
	h := evolution.NewWebhooks(evolution.WebhookOptions{
		Rules: largeFiles{}, Instances: w.InstanceDirectory(), PublicURL: "https://chat.example", Base64Max: 16 << 20, BlockMax: time.Minute,
	})
	photo := func(companyID int64) crm.CallbackRequest {
		t.Helper()
		for _, r := range w.told(h, crm.CallbackTarget{CompanyID: companyID, Options: crm.EndpointOptions{Base64: true}}) {
			if r.Open != nil {
				return r
			}
		}
		t.Fatal("no event has a file")
		return crm.CallbackRequest{}
	}
	one, other := photo(1), photo(2)
	synctest.Test(t, func(t *testing.T) {
		open := func(r crm.CallbackRequest) (hasFile bool, took time.Duration, done func()) {
			t.Helper()
			began := time.Now()
			body, _, done, err := r.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			text := string(body)
			if !strings.Contains(text, `"mediaUrl":"https://chat.example/`) {
				t.Error("the body has no link")
			}
			return strings.Contains(text, `"base64":"`), time.Since(began), done
		}
		var held []func()
		for range 2 {
			hasFile, took, done := open(one)
			if !hasFile || took != 0 {
				t.Errorf("has its file: %v, after %s", hasFile, took)
			}
			held = append(held, done)
		}
		if hasFile, took, done := open(one); hasFile || took < time.Second || took > 10*time.Second {
			t.Errorf("without memory it has the file: %v, after %s", hasFile, took)
		} else {
			done()
		}
		if hasFile, took, done := open(other); !hasFile || took != 0 {
			t.Errorf("another company's has its file: %v, after %s", hasFile, took)
		} else {
			done()
		}
		held[0]()
		hasFile, took, done := open(one)
		if !hasFile || took != 0 {
			t.Errorf("with memory again it has the file: %v, after %s", hasFile, took)
		}
		done()
		held[1]()
	})
}
