package crm_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestLineStates checks that each state is stored, announced once, and accepts messages
// or not.
func TestLineStates(t *testing.T) {
	until := int64(crmtest.Start + 3600)
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		w.Connect(whatsApp)
		for _, step := range []struct {
			state  crm.LineState
			events string
			sends  bool
			paired bool
		}{
			{crm.LineState{State: crm.StatePairing}, "messengerStatus", true, false}, // still a bridge
			{crm.LineState{State: crm.StatePairing}, "", true, false},
			{crm.LineState{State: crm.StatePasskey}, "messengerStatus", true, false},
			{crm.LineState{State: crm.StateConnecting, Device: text("1:7@s.whatsapp.net"), Phone: text("79990000000")}, "messengerStatus", true, false}, // has a device: the outbox
			{crm.LineState{State: crm.StateConnected}, "messengerStatus", true, true},
			{crm.LineState{State: crm.StateConnected}, "", true, true},
			{crm.LineState{State: crm.StateDisconnected}, "messengerStatus", true, true},
			{crm.LineState{State: crm.StateDisconnected, Detail: "Waiting 8 seconds."}, "messengerStatus", true, true},
			{crm.LineState{State: crm.StateReplaced}, "messengerStatus", false, true},
			{crm.LineState{State: crm.StateBanned, BannedUntil: &until}, "messengerStatus", false, true},
			{crm.LineState{State: crm.StateBanned, BannedUntil: unix(until)}, "", false, true},
			{crm.LineState{State: crm.StateOutdated}, "messengerStatus", false, true},
			{crm.LineState{State: crm.StateConnected}, "messengerStatus", true, true},
			{crm.LineState{State: crm.StateLoggedOut, Device: text("")}, strings.Repeat("messageStatus ", 6) + "messengerStatus", false, true},
			{crm.LineState{State: crm.StatePairing}, "messengerStatus", false, true},
		} {
			got := happens(t, w, func() { setState(t, w, step.state) })
			if got != step.events {
				t.Errorf("%+v causes %q, want %q", step.state, got, step.events)
			}
			x, err := w.SessionOf(t.Context(), onGr)
			if err != nil || x == nil || x.State != step.state.State || x.Paired != step.paired || x.Detail == "" {
				t.Fatalf("%+v is kept as %+v, %v", step.state, x, err)
			}
			if item := lastItem(t, w, "messengerStatus"); item["state"] != x.State || item["detail"] != x.Detail || item["connected"] != (x.State == crm.StateConnected) {
				t.Errorf("%+v is told as %v", step.state, item)
			}
			if status, err := w.LineStatus(t.Context(), w.Reader, onGr); err != nil || status.State != x.State || status.Via != "connector" {
				t.Errorf("%+v is shown as %+v, %v", step.state, status, err)
			}
			_, err = w.Send(t.Context(), w.Owner, chatAt(onGr, anna), saying("Hi"))
			if step.sends && err != nil {
				t.Errorf("%+v takes no message: %v", step.state, err)
			} else if !step.sends {
				wantCode(t, step.state.State, err, crm.CodeUnavailable, "")
			}
		}
		wantCode(t, "a state that is none", w.SetLineState(t.Context(), onGr, crm.LineState{State: "fine"}), crm.CodeInvalid, "state")
		gone := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "viber"}
		wantCode(t, "a line that is gone", w.SetLineState(t.Context(), gone, crm.LineState{State: crm.StateConnected}), crm.CodeNotFound, "")
	})
}

// TestLogoutFailsWhatWaits checks that a logout fails the waiting messages, which can
// never be sent.
func TestLogoutFailsWhatWaits(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		for _, chat := range []string{anna, "79990003344", anna} {
			sendText(t, w, chat, "Hi")
		}
		got := happens(t, w, func() { setState(t, w, crm.LineState{State: crm.StateLoggedOut, Device: text(""), Phone: text("")}) })
		if got != "messageStatus messageStatus messageStatus messengerStatus" || waiting(t, w) != "" {
			t.Errorf("logging out causes %q and leaves %q", got, waiting(t, w))
		}
		if failure := lastItem(t, w, "messageStatus")["error"].(map[string]any); failure["code"] != crm.SendLoggedOut {
			t.Errorf("they failed because of %v", failure)
		}
	})
}

// TestOneOwnerOfALine checks that only one of many owners that ask for the lease gets
// it.
func TestOneOwnerOfALine(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		ctx := t.Context()
		has := make([]bool, 8)
		var asking errgroup.Group
		for i := range has {
			asking.Go(func() (err error) {
				has[i], err = w.Lease(ctx, onGr, string(rune('a'+i)), time.Hour)
				return err
			})
		}
		if err := asking.Wait(); err != nil {
			t.Fatal(err)
		}
		owner := ""
		for i, got := range has {
			if got {
				owner += string(rune('a' + i))
			}
		}
		if len(owner) != 1 {
			t.Fatalf("the line belongs to %q", owner)
		}
		lease := func(who string, ttl time.Duration, want bool) {
			t.Helper()
			if got, err := w.Lease(ctx, onGr, who, ttl); err != nil || got != want {
				t.Errorf("%s has the lease: %v, %v; want %v", who, got, err, want)
			}
		}
		state := func(who, to string) error {
			return w.SetLineState(ctx, onGr, crm.LineState{State: to, Owner: who})
		}
		lease(owner, time.Hour, true) // the heartbeat
		lease("other", time.Hour, false)
		wantCode(t, "a state from who has no lease", state("other", crm.StateConnected), crm.CodeConflict, "")
		if err := state(owner, crm.StateConnecting); err != nil {
			t.Error(err)
		}
		if err := w.Release(ctx, onGr, "other"); err != nil {
			t.Error(err)
		}
		lease("other", time.Hour, false)
		lease(owner, 0, true) // it expires at once
		wantCode(t, "a state after the lease ran out", state(owner, crm.StateConnected), crm.CodeConflict, "")
		lease("other", time.Hour, true)
		lease(owner, time.Hour, false)
		if err := w.Release(ctx, onGr, "other"); err != nil {
			t.Error(err)
		}
		lease(owner, time.Hour, true)
		list, err := w.Sessions(ctx, whatsApp)
		if err != nil || len(list) != 1 || list[0].Line != onGr || list[0].LeaseOwner != owner || !list[0].Leased || list[0].State != crm.StateConnecting {
			t.Errorf("the sessions are %+v, %v", list, err)
		}
	})
}

// TestQRIsForTheSocketsAlone checks that the QR code goes only to those who may pair the
// line, and is not stored, because it would be worth stealing.
func TestQRIsForTheSocketsAlone(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		got := happens(t, w, func() {
			if err := w.PublishQR(t.Context(), onGr, crm.Pairing{QR: text("2@secret"), ExpiresAt: crmtest.Start + 20}); err != nil {
				t.Fatal(err)
			}
		})
		all := w.Live.Published()
		if got != "" || len(all) != 1 || all[0].Name != crm.EventQR {
			t.Fatalf("the journal got %q, the sockets %+v", got, all)
		}
		want := `{"payload":{"data":[{"qr":"2@secret","code":null,"expiresAt":1637319320,"passkey":null,"picture":"` + crm.QRPictureURL("2@secret") + `"}],"meta":{"type":"qr","licenseId":1229,"messengerType":"grWhatsApp"}}}`
		if all[0].Data != want || !json.Valid([]byte(want)) {
			t.Errorf("the sockets got %s", all[0].Data)
		}
		const own = "private-v1.licenses.1229.messengers.grWhatsApp.pairing private-v1.companies.2224.users.685 private-v1.users.685 private-v1.companies.2224.users.686 private-v1.users.686"
		if to := strings.Join(all[0].Channels, " "); to != own {
			t.Errorf("it went to %s, want programs that may pair the line, the owner and the admin: %s", to, own)
		}
	})
}
