package evolution

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
	"chatcast/models/testdb"
)

// client calls the dialect with a key.
type client struct {
	t    *testing.T
	base string
	key  string
}

func (c *client) call(request, body string) (int, string) {
	c.t.Helper()
	return c.send("apikey", request, body)
}

// send is call with the key in a header.
func (c *client) send(header, request, body string) (int, string) {
	c.t.Helper()
	method, path, _ := strings.Cut(request, " ")
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set(header, c.key)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return res.StatusCode, string(answer)
}

// must calls and fails unless the status is the wanted one.
func (c *client) must(request, body string, status int, into any) string {
	c.t.Helper()
	got, answer := c.call(request, body)
	if got != status {
		c.t.Fatalf("%s %s: %d %s", request, body, got, answer)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(answer), into); err != nil {
			c.t.Fatalf("%s: %s: %v", request, answer, err)
		}
	}
	return answer
}

func (c *client) eventually(what string, done func() bool) {
	c.t.Helper()
	deadline, tick := time.After(testwait.Long), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			c.t.Fatalf("waiting until %s", what)
		}
	}
}

func (c *client) awaitState(name, state string) {
	c.t.Helper()
	want := fmt.Sprintf(`{"instance":{"instanceName":%q,"state":%q}}`, name, state)
	c.eventually(name+" is "+state, func() bool {
		_, answer := c.call("GET /instance/connectionState/"+name, "")
		return answer == want
	})
}

type code struct {
	PairingCode, Code, Base64 *string
	Count                     int
}

// start starts the program with a stand-in, and returns a client with a key of the company.
func start(t *testing.T, url string, change ...func(*config.Config)) (*e2e.Phones, *e2e.Running, *client) {
	t.Helper()
	cfg := e2e.Config(t)
	if url != "" {
		cfg.Database.URL = url
	}
	for _, f := range change {
		f(&cfg)
	}
	w := e2e.StartPhones(t, &cfg)
	p := e2e.Start(t, cfg)
	made, err := p.Components().Rules.CreateKey(t.Context(), crm.Actor{UserID: 685}, crm.KeyInput{Name: "all", Rights: crm.KeyRights()})
	if err != nil {
		t.Fatal(err)
	}
	return w, p, &client{t, p.Base, made.Key}
}

func eachDatabase(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, "") })
	t.Run("postgres", func(t *testing.T) { test(t, testdb.EmptyPostgresURL(t)) })
}

// TestLife creates an instance, pairs it by QR, sends with it, restarts it, logs it out, pairs it
// by a code, and deletes it.
func TestLife(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		w, _, c := start(t, url)
		var made struct {
			Instance struct{ InstanceID, Status string }
			Hash     string
			QRCode   *code
		}
		c.must("POST /instance/create", `{"instanceName":"new shop","qrcode":true}`, 201, &made)
		if made.Instance.Status != "connecting" || made.QRCode == nil {
			t.Fatalf("the instance is %+v", made)
		}
		line := &client{t, c.base, made.Hash}
		const name = "new%20shop"
		var qr code
		c.eventually("there is a QR code", func() bool {
			line.must("GET /instance/connect/"+name, "", 200, &qr)
			return qr.Code != nil
		})
		picture, found := strings.CutPrefix(*qr.Base64, "data:image/png;base64,")
		if raw, err := base64.StdEncoding.DecodeString(picture); !found || err != nil || !strings.HasPrefix(string(raw), "\x89PNG") || qr.Count != 1 {
			t.Errorf("the code's picture is %.60s, %v", *qr.Base64, err)
		}
		if _, answer := line.call("GET /instance/connectionState/"+name, ""); answer != `{"instance":{"instanceName":"new shop","state":"connecting"}}` {
			t.Errorf("while it is paired: %s", answer)
		}
		if _, err := w.Shop.ScanQR(t.Context(), *qr.Code); err != nil {
			t.Fatal(err)
		}
		line.eventually("it is open", func() bool {
			_, answer := line.call("GET /instance/connectionState/"+name, "")
			return answer == `{"instance":{"instanceName":"new shop","state":"open"}}`
		})
		if answer := line.must("GET /instance/connect/"+name, "", 200, nil); answer != `{"instance":{"instanceName":"new shop","state":"open"}}` {
			t.Errorf("connect says %s", answer)
		}
		c.eventually("the account is known", func() bool {
			answer := c.must("GET /instance/fetchInstances?instanceName="+name, "", 200, nil)
			return strings.Contains(answer, `"ownerJid":"79990001122@s.whatsapp.net","profileName":"Shop"`) && strings.Contains(answer, `"connectionStatus":"open"`)
		})

		var sent struct {
			Key    struct{ RemoteJid, ID string }
			Status string
		}
		line.must("POST /message/sendText/"+name, `{"number":"+7 999 555-44-33","text":"Hello","delay":20}`, 201, &sent)
		got, err := w.Anna.AwaitText(t.Context(), "Hello")
		if err != nil || got.ID != sent.Key.ID || sent.Status != "PENDING" || sent.Key.RemoteJid != "79995554433@s.whatsapp.net" {
			t.Fatalf("%+v arrived of %+v, %v", got, sent, err)
		}
		if answer := line.must("POST /message/sendText/"+name, `{"number":"351912000009","text":"Hello"}`, 400, nil); answer !=
			`{"status":400,"error":"Bad Request","response":{"message":[{"jid":"351912000009@s.whatsapp.net","exists":false,"number":"351912000009"}]}}` {
			t.Errorf("a number that nobody has: %s", answer)
		}

		if answer := line.must("POST /instance/restart/"+name, "", 200, nil); answer != `{"instance":{"instanceName":"new shop","status":"connecting"}}` {
			t.Errorf("restart says %s", answer)
		}
		line.must("POST /message/sendText/"+name, `{"number":"79995554433","text":"Again"}`, 201, nil)
		if _, err := w.Anna.AwaitText(t.Context(), "Again"); err != nil {
			t.Fatal(err)
		}

		const out = `{"status":"SUCCESS","error":false,"response":{"message":"Instance logged out"}}`
		if answer := line.must("DELETE /instance/logout/"+name, "", 200, nil); answer != out {
			t.Errorf("logout says %s", answer)
		}
		if n := w.Shop.Devices(); n != 0 {
			t.Errorf("%d devices are linked", n)
		}
		if answer := line.must("DELETE /instance/logout/"+name, "", 400, nil); !strings.Contains(answer, `The \"new shop\" instance is not connected`) {
			t.Errorf("a second logout says %s", answer)
		}
		if answer := line.must("PUT /instance/restart/"+name, "", 200, nil); answer != `{"error":true,"message":"The \"new shop\" instance is not connected"}` {
			t.Errorf("restart of a closed one says %s", answer)
		}

		var typed code
		c.eventually("there is a code to type", func() bool {
			line.must("GET /instance/connect/"+name+"?number=79990001122", "", 200, &typed)
			return typed.PairingCode != nil
		})
		if typed.Code == nil || typed.Base64 == nil || typed.Count != 1 {
			t.Errorf("beside the code to type there is no QR code: %+v", typed)
		}
		if len(*typed.PairingCode) != 8 {
			t.Errorf("the code is %q", *typed.PairingCode)
		}
		if answer := line.must("DELETE /instance/delete/"+name, "", 200, nil); !strings.Contains(answer, "Instance deleted") {
			t.Errorf("delete says %s", answer)
		}
		if status, _ := line.call("GET /instance/connectionState/"+name, ""); status != 401 {
			t.Errorf("the key of the deleted instance gets %d", status)
		}
	})
}

// pair pairs the instance of the first line.
func pair(t *testing.T, w *e2e.Phones, c *client, name string) {
	t.Helper()
	var qr code
	c.eventually("there is a QR code", func() bool {
		c.must("GET /instance/connect/"+name, "", 200, &qr)
		return qr.Code != nil
	})
	if _, err := w.Shop.ScanQR(t.Context(), *qr.Code); err != nil {
		t.Fatal(err)
	}
	c.awaitState(name, "open")
}

const first = "1229-grWhatsApp"

// TestBothFormsOfANumber writes to numbers of Brazil that the messenger knows in the other form.
func TestBothFormsOfANumber(t *testing.T) {
	w, _, c := start(t, "")
	short, long := w.NewContact("553187654321", "100200777", "Bia"), w.NewContact("5511987654321", "100200778", "Caio")
	pair(t, w, c, first)
	for _, n := range []struct{ asked, jid string }{
		{"5531987654321", "553187654321@s.whatsapp.net"}, {"553187654321", "553187654321@s.whatsapp.net"},
		{"551187654321", "5511987654321@s.whatsapp.net"}, {"+55 11 98765-4321", "5511987654321@s.whatsapp.net"},
	} {
		var sent struct{ Key struct{ RemoteJid string } }
		c.must("POST /message/sendText/"+first, fmt.Sprintf(`{"number":%q,"text":"to %s"}`, n.asked, n.asked), 201, &sent)
		if sent.Key.RemoteJid != n.jid {
			t.Errorf("%s leads to %s, want %s", n.asked, sent.Key.RemoteJid, n.jid)
		}
	}
	if _, err := short.AwaitText(t.Context(), "to 5531987654321"); err != nil {
		t.Error(err)
	}
	if _, err := long.AwaitText(t.Context(), "to 551187654321"); err != nil {
		t.Error(err)
	}
	answer := c.must("POST /message/sendText/"+first, `{"number":"5531999999999","text":"x"}`, 400, nil)
	if !strings.Contains(answer, `"exists":false,"number":"5531999999999"`) {
		t.Errorf("a number that nobody has in either form: %s", answer)
	}
}

// TestContentsOnThePhone sends each kind of message to a phone.
func TestContentsOnThePhone(t *testing.T) {
	w, _, c := start(t, "")
	pair(t, w, c, first)
	in := w.Anna.SendText(w.Shop, "Hi")
	film := base64.StdEncoding.EncodeToString(whatsapptest.Film(320, 240, 5))
	const to = `"number":"79995554433"`
	for _, m := range []struct{ path, body, is string }{
		{"sendText", `{` + to + `,"text":"quoting","quoted":{"key":{"id":"` + in + `"}}}`, "quoting"},
		{"sendLocation", `{` + to + `,"latitude":38.7,"longitude":-9.1,"name":"Here"}`, "degreesLatitude"},
		{"sendContact", `{` + to + `,"contact":[{"fullName":"Ana","phoneNumber":"351912000001"},{"fullName":"Bob","phoneNumber":"351912000002"}]}`, "item1.X-ABLabel:Celular"},
		{"sendPoll", `{` + to + `,"name":"Colour?","selectableCount":1,"values":["Red","Blue"]}`, "Colour?"},
		{"sendReaction", `{"key":{"remoteJid":"79995554433@s.whatsapp.net","fromMe":false,"id":"` + in + `"},"reaction":"👍"}`, "👍"},
		{"sendList", `{` + to + `,"title":"Menu","footerText":"f","buttonText":"b","sections":[{"title":"Food","rows":[{"title":"Soup","rowId":"1"}]}]}`, "1. Soup"},
		{"sendMedia", `{` + to + `,"mediatype":"document","fileName":"a.txt","media":"aGVsbG8gd29ybGQ="}`, "a.txt"},
		{"sendPtv", `{` + to + `,"video":"data:video/mp4;base64,` + film + `"}`, "ptvMessage"},
	} {
		var sent struct{ Key struct{ ID string } }
		c.eventually(m.path+" is accepted", func() bool { // the chat of the first message may not be here yet
			status, answer := c.call("POST /message/"+m.path+"/"+first, m.body)
			return status == 201 && json.Unmarshal([]byte(answer), &sent) == nil
		})
		got, err := w.Anna.AwaitID(t.Context(), sent.Key.ID)
		if err != nil {
			t.Fatalf("%s: %v", m.path, err)
		}
		if text := fmt.Sprint(got.Message); !strings.Contains(text, m.is) && !strings.Contains(strings.ToLower(text), strings.ToLower(m.is)) {
			t.Errorf("%s arrived as %s", m.path, text)
		}
	}
}

// connectProxy is an HTTP proxy that wants the user u with the password secret.
func connectProxy(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte("u:secret")) {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		to, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer to.Close()
		from, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer from.Close()
		_, _ = io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n")
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = io.Copy(to, from)
			_ = to.(*net.TCPConn).CloseWrite()
		}()
		_, _ = io.Copy(from, to)
		_ = from.Close()
		<-done
	}))
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String()
}

// presence returns how the account is shown now.
func presence(w *e2e.Phones) string {
	all := w.Shop.Presences()
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1].Type
}

// TestSettingsOnThePhone switches settings on whose effect the phone sees.
func TestSettingsOnThePhone(t *testing.T) {
	w, _, c := start(t, "", func(cfg *config.Config) { cfg.WhatsApp.AllowPrivateProxies = true })
	c.must("POST /settings/set/"+first, `{"readMessages":true,"alwaysOnline":true,"rejectCall":true,"msgCall":"Write to us"}`, 201, nil)
	pair(t, w, c, first)
	c.eventually("the account is online", func() bool { return presence(w) == "available" })
	if err := w.Anna.AwaitReceipt(t.Context(), w.Anna.SendText(w.Shop, "Hi"), "read"); err != nil {
		t.Error(err)
	}
	c.must("POST /settings/set/"+first, `{"alwaysOnline":false}`, 201, nil)
	c.eventually("the account is away", func() bool { return presence(w) == "unavailable" })
	c.must("POST /instance/setPresence/"+first, `{"presence":"available"}`, 201, nil)
	c.eventually("the account is online again", func() bool { return presence(w) == "available" })
	if err := w.Anna.AwaitRejected(t.Context(), w.Anna.Call(w.Shop, false)); err != nil {
		t.Error(err)
	}
	if _, err := w.Anna.AwaitText(t.Context(), "Write to us"); err != nil {
		t.Error(err)
	}
	// A proxy is tried, kept, and shown without its password.
	host, port, _ := net.SplitHostPort(connectProxy(t))
	proxy := fmt.Sprintf(`"host":%q,"port":%q,"protocol":"http","username":"u"`, host, port)
	c.must("POST /proxy/set/"+first, `{"enabled":true,`+proxy+`,"password":"secret"}`, 201, nil)
	if answer := c.must("GET /proxy/find/"+first, "", 200, nil); answer != `{"enabled":true,`+proxy+`,"password":null}` {
		t.Errorf("the proxy is %s", answer)
	}
	const refused = `{"status":400,"error":"Bad Request","response":{"message":["Invalid proxy"]}}`
	if answer := c.must("POST /proxy/set/"+first, `{"enabled":true,`+proxy+`,"password":"wrong"}`, 400, nil); answer != refused {
		t.Errorf("a proxy that refuses: %s", answer)
	}
	if answer := c.must("POST /instance/create", `{"instanceName":"x","proxyHost":"127.0.0.1","proxyPort":"1","proxyProtocol":"socks5"}`, 400, nil); answer != refused {
		t.Errorf("a proxy that is not there: %s", answer)
	}
	c.must("POST /proxy/set/"+first, `{"enabled":false}`, 201, nil)
	c.must("GET /proxy/find/"+first, "", 404, nil)
}
