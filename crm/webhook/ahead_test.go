package webhook_test

import (
	"context"
	"slices"
	"testing"

	"chatcast/crm"
	"chatcast/crm/webhook"
	"chatcast/models"
	"chatcast/models/testdb"
)

// refuse returns an endpoint that takes everything but these.
func refuse(t *testing.T, bodies ...string) *taker {
	return newTaker(t, func(body string, _ int) int {
		return map[bool]int{true: 500, false: 200}[slices.Contains(bodies, body)]
	})
}

// goesOn waits until the endpoint is done with all events up to last. The first one, which it does not
// take, is given up, and what is behind it has come once.
func (w *world) goesOn(e *crm.Endpoint, r *taker, last int64, want ...string) {
	w.t.Helper()
	got := w.await(e.ID, "it goes on", func(d crm.CallbackData) bool { return d.LastEventID == last })
	if got.GivenUp != 1 || got.State != crm.CallbackActive {
		w.t.Errorf("it is %+v", got)
	}
	if took := r.got(); !slices.Equal(took, want) {
		w.t.Errorf("it took %v, want %v", took, want)
	}
}

// TestFarAhead has many events that the endpoint does not want behind one that it does not take: the
// one behind them is found.
func TestFarAhead(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newFormatWorld(t, store, &parts{n: 1, policy: quick()})
		r := refuse(t, "1.0")
		e := w.endpoint(r.url)
		w.happen(line, "79990001122@c.us", 1)
		w.happen(line, "skip", 120)
		w.happen(line, "79990001122@c.us", 1)
		w.run()
		w.goesOn(e, r, 122, "122.0")
	})
}

// TestUnreadableAhead has an entry that cannot be read behind a request that the endpoint does not
// take. It is stepped over, and told of once.
func TestUnreadableAhead(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newFormatWorld(t, store, &parts{n: 1, policy: quick()})
		r := refuse(t, "1.0")
		e := w.endpoint(r.url)
		w.happen(line, "79990001122@c.us", 3)
		side, _, err := store.SideDB(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer side.Close()
		if _, err := side.ExecContext(t.Context(), "UPDATE journal SET data = '{}' WHERE seq = 2"); err != nil {
			t.Fatal(err)
		}
		w.run()
		w.goesOn(e, r, 3, "3.0")
		told := 0
		for _, d := range w.deliveries(e.ID) {
			if d.Kind == "lost" && d.EventID == 2 {
				told++
			}
		}
		if told != 1 {
			t.Errorf("it was told of %d times", told)
		}
		w.prune() // with the entry that is no event
	})
}

// TestAheadOfAShortLook has looks into the journal end before an event is found: the next one goes
// on from there.
func TestAheadOfAShortLook(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newFormatWorld(t, store, &parts{n: 1, policy: quick()})
		w.hooks.Serve(shortLooks{w.Service})
		r := refuse(t, "1.0")
		e := w.endpoint(r.url)
		w.happen(line, "79990001122@c.us", 1)
		w.happen(line, "skip", 1)
		w.happen(line, "79990001122@c.us", 1)
		w.run()
		w.goesOn(e, r, 3, "3.0")
	})
}

// shortLooks looks no further than event 2, when it looks for what is behind the first.
type shortLooks struct{ *crm.Service }

var _ webhook.Rules = shortLooks{}

func (s shortLooks) NextCallback(ctx context.Context, id, after int64) (*crm.CallbackNext, error) {
	next, err := s.Service.NextCallback(ctx, id, after)
	if err == nil && after == 1 && next.Event != nil {
		next.Event, next.Seen, next.More = nil, 2, true
	}
	return next, err
}

// TestTakenBeforeIsNoSign has an endpoint take a request behind one that is stuck, and then nothing for
// a while. What it took before does not have the next one given up.
func TestTakenBeforeIsNoSign(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newFormatWorld(t, store, &parts{n: 1, policy: quick()})
		var r *taker
		works := false
		r = newTaker(t, func(body string, nth int) int {
			works = works || body == "2.0" && r.asked["4.0"] > 0 || body == "4.0" && nth > 2
			return map[bool]int{true: 200, false: 500}[works || body == "3.0" && r.asked["2.0"] > 0]
		})
		e := w.endpoint(r.url)
		w.happen(line, "79990001122@c.us", 4)
		w.run()
		w.goesOn(e, r, 4, "3.0", "2.0", "4.0")
		for _, d := range w.deliveries(e.ID) {
			if d.OK && (d.Status == nil || *d.Status != 200) {
				t.Errorf("nobody answered what the log has: %+v", d)
			}
		}
	})
}

// TestTakenBeforeOnce has an endpoint take two requests before their turn. It gets each once.
func TestTakenBeforeOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newFormatWorld(t, store, &parts{n: 1, policy: quick()})
		r := newTaker(t, func(body string, nth int) int {
			return map[bool]int{true: 500, false: 200}[body == "1.0" || body == "2.0" || body == "3.0" && nth == 1]
		})
		e := w.endpoint(r.url)
		w.happen(line, "79990001122@c.us", 5)
		w.run()
		if got := w.await(e.ID, "it goes on", func(d crm.CallbackData) bool { return d.LastEventID == 5 }); got.GivenUp != 2 {
			t.Errorf("it is %+v", got)
		}
		r.wants(t, "4.0", "3.0", "5.0")
	})
}
