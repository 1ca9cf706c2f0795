package multiwa_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
)

// together is a poster whose checks of addresses end when so many have begun: what the rules have
// read before that is old then.
type together struct {
	crm.CallbackPoster
	all *sync.WaitGroup
}

func (p together) CheckAddress(ctx context.Context, field, text string) error {
	p.all.Done()
	came := make(chan struct{})
	go func() { p.all.Wait(); close(came) }()
	select {
	case <-came:
		return p.CallbackPoster.CheckAddress(ctx, field, text)
	case <-time.After(testwait.Long):
		return fmt.Errorf("the other requests did not come")
	}
}

// TestWebhookAtOnce checks that clients that set the webhook of a profile in the same moment, as
// those do that start, make one of it.
func TestWebhookAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRest(t, store, crm.Line{})
		r.withWebhooks(true)
		var all sync.WaitGroup
		const clients = 4
		all.Add(clients)
		r.Callbacks = together{r.Callbacks, &all}
		profile := r.profileOf(t, onGr)
		type answer struct {
			status int
			body   string
		}
		answers := make(chan answer, clients)
		for range clients {
			go func() {
				var a answer
				defer func() { answers <- a }() // also when the test fails in between
				a.status, a.body = r.call(http.MethodPost, "/profiles/"+profile+"/webhook", `{"url":"https://h.example/x","events":["message.received"],"secret":"a secret"}`)
			}()
		}
		ids := map[string]bool{}
		for range clients {
			a := <-answers
			if a.status != http.StatusCreated || !strings.Contains(a.body, `"id":"`) {
				t.Fatalf("it is answered %d %s", a.status, a.body)
			}
			ids[member(t, a.body, "id")] = true
		}
		list, err := r.Endpoints(t.Context(), r.Owner, onGr, crm.FormatMultiWA)
		if err != nil || len(list) != 1 || len(ids) != 1 || !ids[list[0].PublicID] || !list[0].Signs {
			t.Errorf("the webhooks are %+v, %v; the answers have %v", list, err, ids)
		}
	})
}
