package app

import (
	"log/slog"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server/socketio"
)

// TestNewInstanceOnAnotherNode lets a client into the namespace of an instance that another
// node has just made, or renamed: it gets the events from the first one on.
func TestNewInstanceOnAnotherNode(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		other := crm.New(crm.Options{Store: store, Live: w.Live, Now: w.Clock.Now, Log: w.Log, Messengers: w.Messengers})
		if err := other.LoadInstances(t.Context()); err != nil {
			t.Fatal(err)
		}
		made, err := w.CreateInstance(t.Context(), w.Owner, crm.InstanceInput{CompanyID: crmtest.CompanyID, Name: "shop"})
		if err != nil {
			t.Fatal(err)
		}
		rooms := &instanceRooms{rules: other, log: slog.New(slog.DiscardHandler)}
		channel := channels.LineName(made.Line.LicenseID, made.Line.Messenger)
		const status = `{"payload":{"data":[{"state":"connected","was":"connecting","time":1637319300}],"meta":{}}}`
		for _, name := range []string{"shop", "shop 2"} {
			entry, err := rooms.Enter(t.Context(), socketio.Request{Namespace: "/" + name, Key: made.Key})
			if err != nil {
				t.Fatal(err)
			}
			emits := entry.Encoder.Emits(broadcasting.Event{Channel: channel, Name: crm.EventMessengerStatus, Data: status, Seq: 1})
			if len(emits) != 1 || emits[0].Name != "connection.update" {
				t.Errorf("%s: the event became %q", name, emits)
			}
			if v, ok := other.InstanceDirectory().ByID(made.ID); !ok || v.Name != name {
				t.Errorf("the node knows %+v, %v", v, ok)
			}
			w.Clock.Advance(time.Second)
			if _, err := w.ChangeInstance(t.Context(), w.Owner, name, crm.InstanceChanges{Name: crm.Value("shop 2")}); err != nil {
				t.Fatal(err)
			}
		}
	})
}
