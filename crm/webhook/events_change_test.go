package webhook_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/crm/webhook"
	"chatcast/models"
	"chatcast/models/testdb"
)

// listed is a format in which an event is one request for each name that the endpoint lists.
type listed struct{ parts }

func (f *listed) Requests(_ context.Context, to crm.CallbackTarget, ev crm.CallbackEvent, _ time.Time) (list []crm.CallbackRequest, err error) {
	for _, name := range to.Events {
		list = append(list, crm.CallbackRequest{Name: name, URL: to.URL, Body: fmt.Appendf(nil, "%d.%s", ev.ID, name)})
	}
	return list, nil
}

// TestEventsChangeInTheMiddle changes the list of an endpoint while the second of the requests of an
// event waits to be posted again: none of the new list is left out. Without a change of the list the
// first request does not come again.
func TestEventsChangeInTheMiddle(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		f := &listed{parts{policy: quick()}}
		f.policy.Tries = 1000
		w := newWorld(t, store, webhook.Options{Formats: map[string]crm.CallbackFormat{formatOfTests: f, crm.FormatEvolution: f}})
		type endpoint struct {
			*taker
			id     int64
			set    func(events []string) error
			events []string // its new list
			want   []string
		}
		var works atomic.Bool
		refusesB := func(body string, _ int) int {
			return map[bool]int{true: 503, false: 200}[strings.HasSuffix(body, ".b")]
		}
		all := []*endpoint{
			{taker: newTaker(t, func(body string, nth int) int {
				if works.Load() {
					return 200
				}
				return refusesB(body, nth)
			}), events: []string{"a", "b"}, want: []string{"1.a", "1.b"}},
			{taker: newTaker(t, refusesB), events: []string{"c", "d"}, want: []string{"1.a", "1.c", "1.d"}},
		}
		for _, r := range all {
			e, err := w.AddEndpoint(t.Context(), w.Owner, line, crm.EndpointInput{Format: formatOfTests, URL: r.url, Events: []string{"a", "b"}, Enabled: true})
			if err != nil {
				t.Fatal(err)
			}
			r.id = e.ID
			r.set = func(events []string) error {
				_, err := w.ChangeEndpoint(t.Context(), w.Owner, formatOfTests, e.PublicID, crm.EndpointChanges{Events: crm.Value(events)})
				return err
			}
		}
		company := &endpoint{taker: newTaker(t, refusesB), events: []string{"c", "d"}, want: []string{"1.a", "1.c", "1.d"}}
		company.set = func(events []string) error {
			d, err := w.SetCompanyCallback(t.Context(), w.Owner, crmtest.CompanyID, crm.CallbackInput{URL: company.url, Format: crm.FormatEvolution, Events: events})
			company.id = d.ID
			return err
		}
		if err := company.set([]string{"a", "b"}); err != nil {
			t.Fatal(err)
		}
		all = append(all, company)
		w.happen(line, "79990001122@c.us", 1)
		w.run()
		for _, r := range all {
			w.await(r.id, "it fails in the middle", func(d crm.CallbackData) bool { return d.LastEventID == 0 && d.Failures > 2 })
			if err := r.set(r.events); err != nil {
				t.Fatal(err)
			}
		}
		works.Store(true)
		for _, r := range all {
			w.await(r.id, "it is done", func(d crm.CallbackData) bool { return d.LastEventID == 1 })
			got := slices.DeleteFunc(r.got(), func(body string) bool { return body == "" }) // the check of the URL
			if !slices.Equal(got, r.want) {
				t.Errorf("it took %v, want %v", got, r.want)
			}
		}
	})
}

// shaped is a format in which an event is one request for each of two names, which depend on the
// settings of the instance.
type shaped struct {
	parts
	instances *crm.InstanceDirectory
}

func (f *shaped) Requests(_ context.Context, to crm.CallbackTarget, ev crm.CallbackEvent, _ time.Time) (list []crm.CallbackRequest, err error) {
	v, known := f.instances.Of(ev.Line)
	if !known {
		return nil, fmt.Errorf("%v is no instance", ev.Line)
	}
	for _, name := range []string{"a", "b"} {
		list = append(list, crm.CallbackRequest{
			Name: name, Settings: fmt.Sprint(v.Shape, v.GroupsIgnore), URL: to.URL, Body: fmt.Appendf(nil, "%d.%s.%s.%v", ev.ID, v.Shape, name, v.GroupsIgnore),
		})
	}
	return list, nil
}

// TestInstanceChangesInTheMiddle is TestEventsChangeInTheMiddle for the settings of the instance that
// decide what its webhook is told, and the one of its company: each gets the requests in their order,
// and none of the new list is left out or comes twice.
func TestInstanceChangesInTheMiddle(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		f := &shaped{parts: parts{policy: quick()}}
		f.policy.Tries = 1000
		w := newWorld(t, store, webhook.Options{Formats: map[string]crm.CallbackFormat{crm.FormatEvolution: f}})
		f.instances = w.InstanceDirectory()
		if err := w.LoadInstances(t.Context()); err != nil {
			t.Fatal(err)
		}
		refused := []string{"1." + crm.ShapeV2 + ".b.false", "2." + crm.ShapeV1 + ".b.false"}
		answer := func(body string, _ int) int {
			return map[bool]int{true: 503, false: 200}[slices.Contains(refused, body)]
		}
		own, all := newTaker(t, answer), newTaker(t, answer)
		e, err := w.AddEndpoint(t.Context(), w.Owner, line, crm.EndpointInput{Format: crm.FormatEvolution, URL: own.url, Enabled: true})
		if err != nil {
			t.Fatal(err)
		}
		company, err := w.SetCompanyCallback(t.Context(), w.Owner, crmtest.CompanyID, crm.CallbackInput{URL: all.url, Format: crm.FormatEvolution})
		if err != nil {
			t.Fatal(err)
		}
		w.run()
		v, _ := f.instances.Of(line)
		for i, ch := range []crm.InstanceChanges{{Shape: crm.Value(crm.ShapeV1)}, {GroupsIgnore: crm.Value(true)}} {
			w.happen(line, "79990001122@c.us", 1)
			for _, id := range []int64{e.ID, company.ID} {
				w.await(id, "it fails in the middle", func(d crm.CallbackData) bool { return d.LastEventID == int64(i) && d.Failures > 2 })
			}
			if _, err := w.ChangeInstance(t.Context(), w.Owner, v.Name, ch); err != nil {
				t.Fatal(err)
			}
			for _, id := range []int64{e.ID, company.ID} {
				w.await(id, "it is done", func(d crm.CallbackData) bool { return d.LastEventID == int64(i)+1 })
			}
		}
		want := []string{"1.v2.a.false", "1.v1.a.false", "1.v1.b.false", "2.v1.a.false", "2.v1.a.true", "2.v1.b.true"}
		for name, r := range map[string]*taker{"the instance": own, "the company": all} {
			got := slices.DeleteFunc(r.got(), func(body string) bool { return body == "" }) // the check of the URL
			if !slices.Equal(got, want) {
				t.Errorf("that of %s took %v, want %v", name, got, want)
			}
		}
	})
}

// TestListChangesAhead has an endpoint take a request before its turn, and the settings of the instance
// change then: the request that now has its place is posted all the same.
func TestListChangesAhead(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		f := &shaped{parts: parts{policy: quick()}}
		w := newWorld(t, store, webhook.Options{Formats: map[string]crm.CallbackFormat{crm.FormatEvolution: f}})
		f.instances = w.InstanceDirectory()
		if err := w.LoadInstances(t.Context()); err != nil {
			t.Fatal(err)
		}
		v, _ := f.instances.Of(line)
		changed := make(chan error, 1)
		// Both requests of the first event are not wanted; the first one of the second event is taken
		// on its third attempt, and the settings change then.
		r := newTaker(t, func(body string, nth int) int {
			if strings.HasPrefix(body, "1.") || body == "2.v2.a.false" && nth < 3 {
				return 500
			}
			if body == "2.v2.a.false" {
				_, err := w.ChangeInstance(t.Context(), w.Owner, v.Name, crm.InstanceChanges{Shape: crm.Value(crm.ShapeV1)})
				changed <- err
			}
			return 200
		})
		e, err := w.AddEndpoint(t.Context(), w.Owner, line, crm.EndpointInput{Format: crm.FormatEvolution, URL: r.url, Enabled: true})
		if err != nil {
			t.Fatal(err)
		}
		w.happen(line, "79990001122@c.us", 2)
		w.run()
		w.await(e.ID, "it is done", func(d crm.CallbackData) bool { return d.LastEventID == 2 })
		if err := <-changed; err != nil {
			t.Fatal(err)
		}
		got := r.got()
		last := []string{"2.v1.a.false", "2.v1.b.false"}
		if len(got) < 2 || !slices.Contains(got, last[0]) || !slices.Contains(got, last[1]) {
			t.Errorf("it took %v, and not all of %v", got, last)
		}
	})
}
