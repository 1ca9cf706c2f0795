package api_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

func TestEventsOverHTTP(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		o := open(t, store)
		published := make(chan string, 10)
		relay := broadcasting.NewRelay(broadcasting.RelayOptions{
			Journal: o.Journal, App: "1", Poll: time.Hour, Log: slog.New(slog.DiscardHandler),
			Publish: func(_ context.Context, ev broadcasting.Event) error { published <- ev.Data; return nil },
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- relay.Run(ctx) }()
		defer func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}()
		if _, err := o.Workday(t.Context(), o.Owner, crmtest.CompanyID, o.Operator.UserID, "start"); err != nil {
			t.Fatal(err)
		}
		relay.Wake()

		var page struct {
			Items []struct {
				ID, Time       int64
				Event, Channel string
				Data           json.RawMessage
			}
			NextAfter, LastID int64
		}
		got := o.as(t, o.Operator, "GET", "/v1/events?channel=private-v1.companies.2224&after=0&limit=5&wait=30", "")
		got.want(t, "with a long poll", 200, "")
		if err := json.Unmarshal(got.Data, &page); err != nil {
			t.Fatal(err)
		}
		if len(page.Items) != 1 || page.NextAfter != 1 || page.LastID != 1 {
			t.Fatalf("the page is %s", got.Data)
		}
		item := page.Items[0]
		if item.ID != 1 || item.Time != crmtest.Start || item.Event != "employeeWorkday" || item.Channel != "private-v1.companies.2224" {
			t.Errorf("the item is %s", got.Data)
		}
		if onSocket := <-published; string(item.Data) != onSocket {
			t.Errorf("data = %s, on the socket %s", item.Data, onSocket)
		}
		o.as(t, o.Operator, "GET", "/v1/events?channel=private-v1.companies.2224&after=1", "").want(t, "nothing new", 200, "")
		newest := o.as(t, o.Operator, "GET", "/v1/events?channel=private-v1.companies.2224&newest=true&limit=5", "")
		newest.want(t, "the newest", 200, "")
		if string(newest.Data) != string(got.Data) {
			t.Errorf("the newest are %s, want %s", newest.Data, got.Data)
		}
	})
}

func TestEventsOverHTTPRefuse(t *testing.T) {
	o := open(t, testdb.Open(t, testdb.SQLiteURL(t)))
	const company = "channel=private-v1.companies.2224"
	for query, want := range map[string]struct {
		status      int
		code, field string
	}{
		"":                                      {422, "ApiValidationError", "channel"},
		"channel=%ff":                           {422, "ApiValidationError", "channel"},
		"channel=presence-v1.companies.2224":    {422, "ApiValidationError", "channel"},
		company + "&after=x":                    {422, "ApiValidationError", "after"},
		company + "&after=-1":                   {422, "ApiValidationError", "after"},
		company + "&after=9223372036854775808":  {422, "ApiValidationError", "after"},
		company + "&limit=0x1":                  {422, "ApiValidationError", "limit"},
		company + "&limit=101":                  {422, "ApiValidationError", "limit"},
		company + "&limit=4294967297":           {422, "ApiValidationError", "limit"},
		company + "&wait=-1":                    {422, "ApiValidationError", "wait"},
		company + "&wait=61":                    {422, "ApiValidationError", "wait"},
		company + "&wait=9223372036":            {422, "ApiValidationError", "wait"},
		company + "&newest=perhaps":             {422, "ApiValidationError", "newest"},
		company + "&newest=true&after=1":        {422, "ApiValidationError", "newest"},
		company + "&newest=true&wait=1":         {422, "ApiValidationError", "newest"},
		company + "&after=7":                    {409, "ApiConflictError", "after"},
		"channel=private-v1.companies.3000":     {403, "ApiAccessDeniedError", ""},
		"channel=private-v1.companies.99999999": {403, "ApiAccessDeniedError", ""},
	} {
		got := o.as(t, o.Owner, "GET", "/v1/events?"+query, "")
		got.want(t, query, want.status, want.code)
		if want.field != "" && got.Error.Fields[want.field] == "" {
			t.Errorf("%s: the field %s is not named: %s", query, want.field, got.Body)
		}
	}
	o.ask(t, "GET", "/v1/events?"+company, "").want(t, "no token", 401, "ApiInvalidTokenError")
}
