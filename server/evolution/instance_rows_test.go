package evolution_test

import (
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

// TestCreateWithCode compares the answers to the creation of instances that are paired at once, in
// each shape: with a QR code, with a code to type, and without any yet.
func TestCreateWithCode(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		code, typed := "2@Qm9", "ABCD-1234"
		p := &pairable{Connector: w.Connect("grWhatsApp")}
		w.Messengers["grWhatsApp"] = p
		picture := crm.QRPictureURL(code)
		v2 := func(name, qr string) string {
			return `{"instance":{"instanceName":"` + name + `","instanceId":"UUID","integration":"WHATSAPP-BAILEYS","webhookWaBusiness":null,"accessTokenWaBusiness":"","status":"connecting"},` +
				`"hash":"TOKEN","webhook":{},"websocket":{"enabled":true},"rabbitmq":{"enabled":false},"nats":{"enabled":false},"sqs":{"enabled":false},"settings":` + plainSettings + `,"qrcode":` + qr + `}`
		}
		const settingsV1 = `"settings":{"reject_call":false,"msg_call":"","groups_ignore":false,"always_online":false,"read_messages":false,"read_status":false,"sync_full_history":false}`
		scan := `{"pairingCode":null,"code":"2@Qm9","base64":"` + picture + `","count":1}`
		p.shown = crm.Pairing{QR: &code}
		w.want(w.company, "POST /instance/create", `{"instanceName":"a","qrcode":true}`, 201, v2("a", scan))
		w.want(w.company, "POST /instance/create", `{"instanceName":"b","qrcode":true}`, 201,
			`{"instance":{"instanceName":"b","instanceId":"UUID","integration":"WHATSAPP-BAILEYS","webhook_wa_business":null,"access_token_wa_business":"","status":"created"},"hash":{"apikey":"TOKEN"},`+
				`"webhook":{"webhook":"","webhook_by_events":false,"webhook_base64":false,"events":[]},"websocket":{"enabled":true,"events":["`+strings.Join(shape.EventNames(), `","`)+`"]},`+
				`"rabbitmq":{"enabled":false,"events":[]},"sqs":{"enabled":false,"events":[]},`+settingsV1+`,"qrcode":`+scan+`}`, "X-Evolution-Shape: v1")
		w.want(w.company, "POST /whatsapp/instance/create", `{"instanceName":"c","qrcode":true}`, 201,
			`{"instance":{"instanceName":"c","instanceId":"UUID","webhook_wa_business":null,"access_token_wa_business":"","status":"created"},"hash":{"apikey":"TOKEN"},`+settingsV1+`,"qrcode":`+scan+`}`)
		p.shown = crm.Pairing{Code: &typed, Beside: code}
		w.want(w.company, "POST /instance/create", `{"instanceName":"d","number":"79990000000"}`, 201,
			v2("d", `{"pairingCode":"ABCD1234","code":"2@Qm9","base64":"`+picture+`","count":1}`))
		if p.asked != "79990000000" {
			t.Errorf("a code was asked for the phone %s", p.asked)
		}
		none := `{"pairingCode":null,"code":null,"base64":null,"count":0}`
		p.shown = crm.Pairing{}
		w.want(w.company, "POST /instance/create", `{"instanceName":"e","qrcode":true}`, 201, v2("e", none))
		p.refusal = crm.Unavailable("WhatsApp does not answer")
		w.want(w.company, "POST /instance/create", `{"instanceName":"f","qrcode":true}`, 201, v2("f", none))
	})
}

// TestFetchPairedInstance compares the rows of an instance through its life, in both versions: what
// it was created with, its account, its proxy, and how it was disconnected.
func TestFetchPairedInstance(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const fetch = "GET /instance/fetchInstances?instanceName=paired"
		w.Messengers["grWhatsApp"] = &pairable{Connector: w.Connect("grWhatsApp")}
		status, text, _ := w.request(w.company, "POST /instance/create", `{"instanceName":"paired","number":"79990000000@s.whatsapp.net",
			"proxyHost":"p.example","proxyPort":"1080","proxyProtocol":"socks5","proxyUsername":"me","proxyPassword":"secret"}`)
		if status != 201 {
			t.Fatal(status, text)
		}
		v, _ := w.InstanceDirectory().ByName(2224, "paired")
		times := `"createdAt":"2021-11-19T10:55:00.000Z","updatedAt":"2021-11-19T10:55:00.000Z"`
		proxy := `{"id":"UUID","enabled":true,"host":"p.example","port":"1080","protocol":"socks5","username":"me","password":null,` + times + `,"instanceId":"UUID"}`
		row := func(state, account, end, proxy string) string {
			return `[{"id":"UUID","name":"paired","connectionStatus":"` + state + `",` + account + `,"integration":"WHATSAPP-BAILEYS","number":"79990000000@s.whatsapp.net","businessId":null,"token":null,` +
				`"clientName":"chatcast",` + end + `,` + times + `,"Chatwoot":null,"Proxy":` + proxy + `,"Rabbitmq":null,"Nats":null,"Sqs":null,` +
				`"Websocket":{"id":"UUID","enabled":true,"events":["` + strings.Join(shape.EventNames(), `","`) + `"],` + times + `,"instanceId":"UUID"},` +
				`"Setting":{"id":"UUID",` + strings.Trim(plainSettings, "{}") + `,` + times + `,"instanceId":"UUID"},"_count":{"Message":0,"Contact":0,"Chat":0}}]`
		}
		v1 := func(state, account string) string {
			return `{"instance":{"instanceName":"paired","instanceId":"UUID",` + account + `"status":"` + state + `"}}`
		}
		const (
			nobody    = `"ownerJid":null,"profileName":null,"profilePicUrl":null`
			owner     = `"ownerJid":"79990000000@s.whatsapp.net","profileName":"Shop","profilePicUrl":"https://pps.whatsapp.net/a.jpg?oh=1&oe=2"`
			ownerV1   = `"owner":"79990000000@s.whatsapp.net","profileName":"Shop","profilePictureUrl":"https://pps.whatsapp.net/a.jpg?oh=1&oe=2","profileStatus":"Mon-Fri",`
			never     = `"disconnectionReasonCode":null,"disconnectionObject":null,"disconnectionAt":null`
			lost      = `"disconnectionReasonCode":408,"disconnectionObject":"{\"state\":\"disconnected\",\"detail\":\"No network.\"}","disconnectionAt":"2021-11-19T10:55:00.000Z"`
			loggedOut = `"disconnectionReasonCode":401,"disconnectionObject":"{\"state\":\"logged_out\",\"detail\":\"Logged out. Pair again.\"}","disconnectionAt":"2021-11-19T10:56:00.000Z"`
		)
		wantBoth := func(v2, v1 string) {
			t.Helper()
			w.want(w.company, fetch, "", 200, v2)
			w.want(w.company, fetch, "", 200, v1, "X-Evolution-Shape: v1")
		}
		set := func(st crm.LineState) {
			t.Helper()
			if err := w.SetLineState(t.Context(), v.Line, st); err != nil {
				t.Fatal(err)
			}
		}
		wantBoth(row("close", nobody, never, proxy), v1("close", ""))
		device, none, phone := "1:7@s.whatsapp.net", "", "79990000000"
		set(crm.LineState{State: crm.StateConnected, Device: &device, Phone: &phone, Name: "Shop"})
		if err := w.SetAccountLooks(t.Context(), v.Line, crm.AccountLooks{PictureURL: "https://pps.whatsapp.net/a.jpg?oh=1&oe=2", About: "Mon-Fri"}); err != nil {
			t.Fatal(err)
		}
		wantBoth(row("open", owner, never, proxy), v1("open", ownerV1))
		for _, number := range []string{"79990000000", "%2B7%20999%20000-00-00"} {
			w.want(w.company, "GET /instance/fetchInstances?number="+number, "", 200, row("open", owner, never, proxy))
		}
		reader := w.key(w.Owner, crm.KeyInput{Name: "reader", Rights: []string{crm.KeyRead}})
		w.want(reader, fetch, "", 200, row("open", owner, never, "null"))

		set(crm.LineState{State: crm.StateDisconnected, Detail: "No network."})
		wantBoth(row("connecting", owner, never, proxy), v1("connecting", ownerV1))
		w.Clock.Advance(time.Minute)
		wantBoth(row("close", owner, lost, proxy), v1("close", "")) // though nobody has told it
		if _, err := w.TellLoss(t.Context(), v.Line, ""); err != nil {
			t.Fatal(err)
		}
		wantBoth(row("close", owner, lost, proxy), v1("close", ""))
		set(crm.LineState{State: crm.StateConnected})
		wantBoth(row("open", owner, lost, proxy), v1("open", ownerV1)) // it is the last one
		set(crm.LineState{State: crm.StateLoggedOut, Device: &none, Detail: "Logged out. Pair again."})
		wantBoth(row("close", owner, loggedOut, proxy), v1("close", ""))
	})
}
