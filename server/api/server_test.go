package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server"
	"chatcast/server/api"
)

// figures is a monitor and a hub with fixed values.
type figures struct {
	counters server.Counters
	history  []server.Sample
	channels []broadcasting.Occupancy
}

func (f *figures) Counters() server.Counters { return f.counters }
func (f *figures) History() []server.Sample  { return f.history }
func (f *figures) Channels(_ context.Context, app, prefix string) (list []broadcasting.Occupancy, err error) {
	for _, o := range f.channels {
		if (app == "" || o.App == app) && strings.HasPrefix(o.Name, prefix) {
			list = append(list, o)
		}
	}
	return list, nil
}

var still = &figures{
	counters: server.Counters{
		Sockets: server.Stats{Open: 41, Accepted: 187, Ended: map[server.Reason]uint64{server.PeerGone: 146}},
		Engine:  broadcasting.Stats{Published: 5120, Delivered: 40960, Channels: 4, Sockets: 41, Users: 30},
		Relay:   broadcasting.RelayHealth{Listening: true, Leading: true, Published: 2560, Entries: 60},
		Ready:   true,
	},
	history: []server.Sample{
		{Time: time.Unix(crmtest.Start, 0), Sockets: 40, Accepted: 1.0 / 3, Journal: 2},
		{Time: time.Unix(crmtest.Start+5, 0), Sockets: 41, Ended: 0.2, Published: 3.4, Delivered: 27.2},
	},
	channels: []broadcasting.Occupancy{
		{App: "1", Name: "orders", Subscriptions: 2},
		{App: "1", Name: "presence-v1.companies.2224", Subscriptions: 3, Presence: true, Users: 2},
		{App: "2", Name: "news", Subscriptions: 2},
		{App: "1", Name: "private-v1.users.685", Subscriptions: 9},
	},
}

// node is the server that GET /v1/server describes in these tests.
var node = api.Node{
	Monitor: still, Hub: still, Version: "0.1.0", Commit: "e27d38e18c2a",
	Started: time.Unix(crmtest.Start-60, 0), Retention: 168 * time.Hour,
}

func TestServerFigures(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		o := open(t, store)
		var got api.ServerData
		answer := o.as(t, o.Admin, "GET", "/v1/server", "")
		if err := json.Unmarshal(answer.Data, &got); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(got.Go, "go1.") || got.Now < crmtest.Start {
			t.Errorf("Go %q, now %d", got.Go, got.Now)
		}
		got.Go, got.Now = "", 0
		text, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		want := `{"version":"0.1.0","commit":"e27d38e18c2a","go":"","startedAt":1637319240,"now":0,` +
			`"sockets":{"open":41,"accepted":187,"ended":{"peer_gone":146}},` +
			`"engine":{"channels":4,"users":30,"published":5120,"delivered":40960},` +
			`"journal":{"first":1,"last":0,"pending":0,"leading":true,"ready":true,"retention":604800},` +
			`"history":{"interval":5,"samples":[` +
			`{"time":1637319300,"sockets":40,"accepted":0.333,"ended":0,"published":0,"delivered":0,"journal":2},` +
			`{"time":1637319305,"sockets":41,"accepted":0,"ended":0.2,"published":3.4,"delivered":27.2,"journal":0}]},` +
			`"channels":[{"app":"1","name":"private-v1.users.685","subscriptions":9,"users":null},` +
			`{"app":"1","name":"presence-v1.companies.2224","subscriptions":3,"users":2},` +
			`{"app":"2","name":"news","subscriptions":2,"users":null},` +
			`{"app":"1","name":"orders","subscriptions":2,"users":null}],"channelsTotal":4}`
		if string(text) != want {
			t.Errorf(" got %s\nwant %s", text, want)
		}
	})
}

func TestServerIsTheOperatingCompanysAffair(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		o := open(t, store)
		const path = "/v1/server"
		for what, who := range map[string]crm.Actor{
			"an operator": o.Operator, "an operator without a licence": o.Outsider, "another company's owner": o.Stranger,
		} {
			// They do not learn what is wrong with the request either.
			for _, query := range []string{"", "?limit=0", "?prefix=presence-"} {
				a := o.as(t, who, "GET", path+query, "")
				a.want(t, what+query, 403, "ApiAccessDeniedError")
				if strings.Contains(a.Body, "channels") || strings.Contains(a.Body, "limit") {
					t.Errorf("%s learns %s", what, a.Body)
				}
			}
		}
		o.ask(t, "GET", path, "").want(t, "without a token", 401, "ApiInvalidTokenError")
		for _, query := range []string{"limit=0", "limit=501", "limit=-1", "limit=x", "limit=", "limit=99999999999999999999"} {
			a := o.as(t, o.Owner, "GET", path+"?"+query, "")
			a.want(t, query, 422, "ApiValidationError")
			if a.Error.Fields["limit"] == "" {
				t.Errorf("%s: %s", query, a.Body)
			}
		}
		o.as(t, o.Owner, "GET", path+"?prefix="+strings.Repeat("x", 201), "").want(t, "a long prefix", 422, "ApiValidationError")
	})
}

func TestServerChannelsAreChosen(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		o := open(t, store)
		for query, want := range map[string]string{
			"limit=1":                             "4: private-v1.users.685",
			"limit=3":                             "4: private-v1.users.685 presence-v1.companies.2224 news",
			"limit=500":                           "4: private-v1.users.685 presence-v1.companies.2224 news orders",
			"prefix=pr":                           "2: private-v1.users.685 presence-v1.companies.2224",
			"prefix=pr&limit=1":                   "2: private-v1.users.685",
			"prefix=none":                         "0:",
			"prefix=" + url.QueryEscape("<\x00>"): "0:",
		} {
			var got api.ServerData
			if err := json.Unmarshal(o.as(t, o.Owner, "GET", "/v1/server?"+query, "").Data, &got); err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprint(got.ChannelsTotal, ":")
			for _, ch := range got.Channels {
				text += " " + ch.Name
			}
			if text != want {
				t.Errorf("%s: %s, want %s", query, text, want)
			}
		}
	})
}

// TestServerListsTheFullestChannels compares the choice among many channels with sorting
// them all.
func TestServerListsTheFullestChannels(t *testing.T) {
	o := unchecked(t, testdb.Open(t, testdb.SQLiteURL(t)))
	many := &figures{}
	for i := range 3000 {
		many.channels = append(many.channels, broadcasting.Occupancy{App: "1", Name: fmt.Sprintf("c%04d", i), Subscriptions: 1 + i%40})
	}
	rand.Shuffle(len(many.channels), func(i, j int) {
		many.channels[i], many.channels[j] = many.channels[j], many.channels[i]
	})
	before := *still
	t.Cleanup(func() { *still = before })
	still.channels = many.channels
	var got api.ServerData
	if err := json.Unmarshal(o.as(t, o.Owner, "GET", "/v1/server", "").Data, &got); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(many.channels, func(a, b broadcasting.Occupancy) int {
		if a.Subscriptions != b.Subscriptions {
			return b.Subscriptions - a.Subscriptions
		}
		return strings.Compare(a.Name, b.Name)
	})
	if got.ChannelsTotal != 3000 || len(got.Channels) != 100 {
		t.Fatalf("%d of %d", len(got.Channels), got.ChannelsTotal)
	}
	for i, ch := range got.Channels {
		if want := many.channels[i]; ch.Name != want.Name || ch.Subscriptions != want.Subscriptions {
			t.Fatalf("at %d stands %+v, want %+v", i, ch, want)
		}
	}
}
