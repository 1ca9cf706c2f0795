package app

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/channels"
	"chatcast/channels/clientaddr"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server/socketio"
)

const shopInstance = "1229-grWhatsApp"

func roomsOf(t *testing.T, store *models.Store) (*crmtest.World, *instanceRooms) {
	t.Helper()
	w := crmtest.New(t, store)
	if err := w.LoadInstances(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w, &instanceRooms{rules: w.Service, url: "https://chat.example", log: slog.New(slog.DiscardHandler)}
}

// TestKeylessClients connects without a key, as programs of a listed network and as pages that a
// browser there shows.
func TestKeylessClients(t *testing.T) {
	w, rooms := roomsOf(t, testdb.Open(t, testdb.SQLiteURL(t)))
	listed, err := clientaddr.ParseProxies([]string{"127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	some, err := apps.ParseOrigins([]string{"https://desk.example"})
	if err != nil {
		t.Fatal(err)
	}
	near, far := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.1")
	for name, tt := range map[string]struct {
		q       socketio.Request
		origins apps.Origins
		want    error
	}{
		"a program":                       {socketio.Request{Peer: near, Host: "127.0.0.1:6001"}, apps.Origins{}, nil},
		"a program, by a name":            {socketio.Request{Peer: near, Host: "localhost"}, apps.Origins{}, nil},
		"a program, by the server's name": {socketio.Request{Peer: near, Host: "Chat.example"}, apps.Origins{}, nil},
		"a program, by IPv6":              {socketio.Request{Peer: near, Host: "[::1]:6001"}, apps.Origins{}, nil},
		"from elsewhere":                  {socketio.Request{Peer: far, Host: "127.0.0.1:6001"}, apps.Origins{}, socketio.ErrNoKey},
		"through a proxy":                 {socketio.Request{Peer: near, Host: "127.0.0.1:6001", Forwarded: true}, apps.Origins{}, socketio.ErrNoKey},
		"nobody":                          {socketio.Request{Host: "127.0.0.1:6001"}, apps.Origins{}, socketio.ErrNoKey},
		"a page of any site":              {socketio.Request{Peer: near, Host: "127.0.0.1:6001", Origin: "https://evil.example"}, apps.Origins{}, socketio.ErrNoKey},
		"a page of another site":          {socketio.Request{Peer: near, Host: "127.0.0.1:6001", Origin: "https://evil.example"}, some, socketio.ErrNoKey},
		"a page of a listed site":         {socketio.Request{Peer: near, Host: "127.0.0.1:6001", Origin: "https://desk.example"}, some, nil},
		"a site whose name leads here":    {socketio.Request{Peer: near, Host: "evil.example:6001"}, apps.Origins{}, socketio.ErrNoKey},
		"without a host":                  {socketio.Request{Peer: near}, apps.Origins{}, socketio.ErrNoKey},
	} {
		rooms.keyless, rooms.origins, tt.q.Namespace = listed, tt.origins, "/"+shopInstance
		e, err := rooms.Enter(t.Context(), tt.q)
		if !errors.Is(err, tt.want) || err == nil && (e.UserID != 0 || e.Channel != channels.LineName(crmtest.LicenseID, "grWhatsApp") || len(e.Live) != 0) {
			t.Errorf("%s: %+v, %v; want %v", name, e, err, tt.want)
		}
	}
	// The same name in two companies: which one is meant cannot be known.
	rooms.origins = apps.Origins{}
	if _, err := w.CreateInstance(t.Context(), w.Stranger, crm.InstanceInput{Name: shopInstance}); err != nil {
		t.Fatal(err)
	}
	q := socketio.Request{Peer: near, Host: "127.0.0.1", Namespace: "/" + shopInstance}
	if _, err := rooms.Enter(t.Context(), q); !errors.Is(err, socketio.ErrInvalidNamespace) {
		t.Errorf("a name of two companies: %v", err)
	}
}

// TestRoomsOfKeys enters namespaces with keys of all kinds.
func TestRoomsOfKeys(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, rooms := roomsOf(t, store)
		of := func(a crm.Actor, license int64, rights ...string) string {
			in := crm.KeyInput{Name: "Test", Rights: rights}
			if license != 0 {
				in.LicenseID, in.Messenger = license, "grWhatsApp"
			}
			made, err := w.CreateKey(t.Context(), a, in)
			if err != nil {
				t.Fatal(err)
			}
			return made.Key
		}
		other, err := w.CreateInstance(t.Context(), w.Owner, crm.InstanceInput{Name: "other"})
		if err != nil {
			t.Fatal(err)
		}
		events, codes := channels.LineName(crmtest.LicenseID, "grWhatsApp"), channels.PairingName(crmtest.LicenseID, "grWhatsApp")
		for name, tt := range map[string]struct {
			key, namespace string
			global         bool
			want           error
			events, codes  bool
		}{
			"all of the company":             {of(w.Owner, 0, crm.KeyRights()...), shopInstance, false, nil, true, true},
			"all of the line":                {of(w.Owner, crmtest.LicenseID, crm.KeyRights()...), shopInstance, false, nil, true, true},
			"read":                           {of(w.Owner, crmtest.LicenseID, crm.KeyRead), shopInstance, false, nil, true, false},
			"send":                           {of(w.Owner, crmtest.LicenseID, crm.KeySend), shopInstance, true, nil, false, false},
			"inbound":                        {of(w.Owner, 0, crm.KeyInbound), shopInstance, true, nil, false, false},
			"manage":                         {of(w.Owner, 0, crm.KeyManage), shopInstance, false, nil, false, true},
			"of another line":                {other.Key, shopInstance, true, socketio.ErrInvalidNamespace, false, false},
			"of another company":             {of(w.Stranger, 0, crm.KeyRights()...), shopInstance, true, socketio.ErrInvalidNamespace, false, false},
			"of nobody":                      {"cck_guessed_by_somebody", shopInstance, true, socketio.ErrInvalidKey, false, false},
			"no such instance":               {other.Key, "nothing", true, socketio.ErrInvalidNamespace, false, false},
			"another case":                   {of(w.Owner, 0, crm.KeyRights()...), "1229-GRWHATSAPP", true, socketio.ErrInvalidNamespace, false, false},
			"a path":                         {of(w.Owner, 0, crm.KeyRights()...), "../" + shopInstance, true, socketio.ErrInvalidNamespace, false, false},
			"no text of a database":          {of(w.Owner, 0, crm.KeyRights()...), shopInstance + "\x00", true, socketio.ErrInvalidNamespace, false, false},
			"the main one, silent":           {of(w.Owner, 0, crm.KeyRights()...), "", false, nil, false, false},
			"the main one, of the line":      {of(w.Owner, crmtest.LicenseID, crm.KeyRead), "", true, nil, true, false},
			"the main one, of one who sends": {of(w.Owner, 0, crm.KeySend), "", true, nil, false, false},
		} {
			rooms.global = tt.global
			e, err := rooms.Enter(t.Context(), socketio.Request{Namespace: "/" + tt.namespace, Key: tt.key})
			if !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", name, err, tt.want)
			}
			if err != nil {
				continue
			}
			live := len(e.Live) == 1 && e.Live[0] == codes
			if e.UserID == 0 || e.Confirm == nil || (e.Channel == events) != tt.events || e.Channel != "" && !tt.events || live != tt.codes {
				t.Errorf("%s: %+v", name, e)
			}
		}
		// The main namespace of a company has all of its lines, and none of another.
		rooms.global = true
		e, err := rooms.Enter(t.Context(), socketio.Request{Namespace: "/", Key: of(w.Owner, 0, crm.KeyRead)})
		if err != nil {
			t.Fatal(err)
		}
		if want := channels.CompanyLinesName(crmtest.CompanyID); e.Channel != want {
			t.Errorf("the main namespace has %s, want %s", e.Channel, want)
		}
	})
}

// TestUnreadableEventIsLogged renders data that the rules do not write: clients get nothing, and
// the log says why.
func TestUnreadableEventIsLogged(t *testing.T) {
	w, rooms := roomsOf(t, testdb.Open(t, testdb.SQLiteURL(t)))
	var log bytes.Buffer
	rooms.log = slog.New(slog.NewTextHandler(&log, nil))
	key, err := w.CreateKey(t.Context(), w.Owner, crm.KeyInput{Name: "all", Rights: crm.KeyRights()})
	if err != nil {
		t.Fatal(err)
	}
	entry, err := rooms.Enter(t.Context(), socketio.Request{Namespace: "/" + shopInstance, Key: key.Key})
	if err != nil {
		t.Fatal(err)
	}
	emits := entry.Encoder.Emits(broadcasting.Event{
		Channel: entry.Channel, Name: crm.EventMessengerStatus, Data: `{"payload":{"data":[{"state":7}],"meta":{}}}`, Seq: 12,
	})
	if text := log.String(); len(emits) != 0 || !strings.Contains(text, "level=ERROR") || !strings.Contains(text, "event=messengerStatus id=12") {
		t.Errorf("it becomes %d events, and the log says %q", len(emits), text)
	}
}
