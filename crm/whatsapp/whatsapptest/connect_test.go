package whatsapptest_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/channels/testwait"
	"chatcast/crm/whatsapp/whatsapptest"
)

func TestWrongCodes(t *testing.T) {
	w := newWorld(t)
	c := w.newClient(t)
	codes, err := c.GetQRChannel(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Connect(); err != nil {
		t.Fatal(err)
	}
	code := (<-codes).Code
	link, rest, _ := strings.Cut(code, "#")
	for name, text := range map[string]string{
		"no code": "hello", "no keys": link + "#a,b,c,d,9", "an unknown ref": link + "#2@x" + rest[2:],
		"a text of 2025, without the link and the kind": rest[:strings.LastIndex(rest, ",")],
	} {
		if _, err := w.shop.ScanQR(testwait.Context(t), text); !errors.Is(err, whatsapptest.ErrNotValid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// With another secret than the one on the screen, the client refuses.
	parts := strings.Split(code, ",")
	parts[3] = parts[3][:len(parts[3])-8] + "AAAAAAA="
	other := strings.Join(parts, ",")
	if _, err := w.shop.ScanQR(testwait.Context(t), other); err == nil {
		t.Error("linked under another secret")
	}
	await(c, func(e *events.PairError) bool { return errors.Is(e.Error, whatsmeow.ErrPairInvalidDeviceIdentityHMAC) })
	if n := w.shop.Devices(); n != 0 {
		t.Errorf("%d devices", n)
	}
	w.sound(t)
}

func TestPairByCode(t *testing.T) {
	w := newWorld(t)
	c := w.newClient(t)
	if err := c.Connect(); err != nil {
		t.Fatal(err)
	}
	await[*events.QR](c, nil)
	pair := func(name string) (string, error) {
		return c.PairPhone(t.Context(), "+7 999 000-11-22", true, whatsmeow.PairClientChrome, name)
	}
	if _, err := pair("chatcast"); !errors.Is(err, whatsmeow.ErrIQBadRequest) {
		t.Errorf("a name that is no browser's: %v", err)
	}
	if _, err := pair("Chrome (Linux)"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.shop.EnterCode(testwait.Context(t), "ABCD-EFGH"); !errors.Is(err, whatsapptest.ErrWrongCode) {
		t.Errorf("a wrong code: %v", err)
	}
	code, err := pair("Chrome (Linux)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.shop.EnterCode(testwait.Context(t), code); err != nil {
		t.Fatal(err)
	}
	await[*events.PairSuccess](c, nil)
	await[*events.Connected](c, nil)
	w.anna.SendText(w.shop, "hello")
	c.awaitText("hello")
	w.sound(t)
}

// TestWrongRoot checks that a client that trusts another root does not talk to the
// server.
func TestWrongRoot(t *testing.T) {
	w := newWorld(t)
	before := whatsmeow.WACertPubKey
	whatsmeow.WACertPubKey[0] ^= 1
	defer func() { whatsmeow.WACertPubKey = before }()
	if err := w.newClient(t).Connect(); err == nil {
		t.Error("connected")
	}
}

func TestUnlinkOnlineAndAway(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	w.shop.Unlink()
	await(c, func(e *events.LoggedOut) bool { return !e.OnConnect })

	c = w.linked(t)
	c.Disconnect()
	w.shop.Unlink()
	if err := c.Connect(); err != nil {
		t.Fatal(err)
	}
	await(c, func(e *events.LoggedOut) bool { return e.OnConnect && e.Reason == events.ConnectFailureLoggedOut })
	w.sound(t)
}

func TestLogout(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	if err := c.Logout(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := w.shop.Devices(); n != 0 {
		t.Errorf("%d devices are linked", n)
	}
	w.sound(t)
}

func TestReplaced(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	other := w.openClient(t, c.path)
	if err := other.Connect(); err != nil {
		t.Fatal(err)
	}
	await[*events.StreamReplaced](c, nil)
	await[*events.Connected](other, nil)
	w.shop.Replace()
	await[*events.StreamReplaced](other, nil)
	w.sound(t)
}

func TestRefusedLogins(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	w.shop.Ban(101, time.Hour)
	ban := await[*events.TemporaryBan](c, nil)
	if ban.Code != events.TempBanSentToTooManyPeople || ban.Expire != time.Hour {
		t.Errorf("the ban is %v", ban)
	}
	again := func() {
		c.Disconnect()
		c.forget()
		if err := c.Connect(); err != nil {
			t.Fatal(err)
		}
	}
	w.shop.Outdated()
	again()
	await[*events.ClientOutdated](c, nil)
	w.shop.Refuse(418)
	again()
	await(c, func(e *events.ConnectFailure) bool { return e.Reason == 418 })
	w.shop.Pardon()
	again()
	await[*events.Connected](c, nil)
	w.sound(t)
}

func TestStreamErrorAndReconnect(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	for name, fault := range map[string]func(){
		"503":  func() { w.shop.StreamError("503") },
		"drop": w.shop.Drop,
	} {
		c.forget()
		fault()
		await[*events.Disconnected](c, nil)
		await[*events.Connected](c, nil)
		if !w.shop.Online() {
			t.Errorf("%s: the account is not online", name)
		}
	}
	w.sound(t)
}

func TestTurnedAway(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	c.Disconnect()
	c.InitialAutoReconnect = false
	w.Unavailable(true)
	if err := c.Connect(); err == nil {
		t.Error("connected to what is unavailable")
	}
	w.Unavailable(false)
	w.Refuse(true)
	if err := c.Connect(); err == nil {
		t.Error("connected to what refuses")
	}
	w.Refuse(false)
	if err := c.Connect(); err != nil {
		t.Error(err)
	}
	w.sound(t)
}

func TestVersionIsFound(t *testing.T) {
	w := newWorld(t)
	v, err := whatsmeow.GetLatestVersion(t.Context(), w.Client())
	if err != nil || !store.GetWAVersion().LessThan(*v) {
		t.Errorf("%v, %v", v, err)
	}
}

func TestOnlyLoopback(t *testing.T) {
	if srv, err := whatsapptest.Start(whatsapptest.Options{Address: "0.0.0.0:0"}); err == nil {
		srv.Close()
		t.Error("listens on every interface")
	}
}

func TestNothingElseIsServed(t *testing.T) {
	w := newWorld(t)
	resp, err := w.Client().Get("http://web.whatsapp.com/other")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("status %d", resp.StatusCode)
	}
}

// TestFrozen covers a connection that is open but silent.
func TestFrozen(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	w.Freeze(true)
	await[*events.KeepAliveTimeout](c, nil)
	w.anna.SendText(w.shop, "hello")
	w.Freeze(false)
	await[*events.KeepAliveRestored](c, nil)
	c.awaitText("hello")
	w.sound(t)
}
