package evolution_test

import (
	"context"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
)

// pairable is a connector whose account is paired by codes.
type pairable struct {
	*crmtest.Connector
	shown   crm.Pairing
	refusal error
	asked   string
}

func (p *pairable) Pair(_ context.Context, _ crm.Line, phone string) (crm.Pairing, error) {
	p.asked = phone
	return p.shown, p.refusal
}

func (p *pairable) Restart(context.Context, crm.Line) error { return p.refusal }

func (p *pairable) Logout(context.Context, crm.Line) error { return p.refusal }

var _ crm.Restarter = (*pairable)(nil)

// TestPairing calls connect, connectionState, restart and logout in every state, with their exact
// answers.
func TestPairing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		code, typed := "2@Qm9", "ABCD-1234"
		p := &pairable{Connector: w.Connect("grWhatsApp"), shown: crm.Pairing{QR: &code}}
		w.Messengers["grWhatsApp"] = p
		none, device, phone := "", "1:7@s.whatsapp.net", "79990000000"
		state := func(st crm.LineState) {
			t.Helper()
			if err := w.SetLineState(t.Context(), onShop, st); err != nil {
				t.Fatal(err)
			}
		}
		picture := crm.QRPictureURL(code)
		closed := `{"error":true,"message":"The \"shop\" instance is not connected"}`
		state(crm.LineState{State: crm.StateLoggedOut, Device: &none})
		w.want(w.line, "GET /instance/connectionState/shop", "", 200, `{"instance":{"instanceName":"shop","state":"close"}}`)
		w.want(w.line, "POST /instance/restart/shop", "", 200, closed)
		w.want(w.line, "PUT /instance/restart/shop", "", 200, closed)
		w.want(w.line, "DELETE /instance/logout/shop", "", 400, badText(`The "shop" instance is not connected`))
		w.want(w.line, "GET /instance/connect/shop", "", 200, `{"pairingCode":null,"code":"2@Qm9","base64":"`+picture+`","count":1}`)
		p.shown = crm.Pairing{Code: &typed, Beside: code}
		w.want(w.line, "GET /instance/connect/shop?number=%2B7%20999%20000-00-00", "", 200, `{"pairingCode":"ABCD1234","code":"2@Qm9","base64":"`+picture+`","count":1}`)
		if p.asked != "79990000000" {
			t.Errorf("a code was asked for the phone %s", p.asked)
		}
		p.shown = crm.Pairing{}
		w.want(w.line, "GET /instance/connect/shop", "", 200, `{"pairingCode":null,"code":null,"base64":null,"count":0}`)
		p.refusal = crm.Unavailable("WhatsApp does not answer")
		w.want(w.line, "GET /instance/connect/shop", "", 200, `{"error":true,"message":"Error: WhatsApp does not answer"}`)
		p.refusal = nil

		state(crm.LineState{State: crm.StatePairing})
		w.want(w.line, "GET /instance/connectionState/shop", "", 200, `{"instance":{"instanceName":"shop","state":"connecting"}}`)
		w.want(w.line, "POST /instance/restart/shop", "", 200, `{"pairingCode":null,"code":null,"base64":null,"count":0}`)

		state(crm.LineState{State: crm.StateConnected, Device: &device, Phone: &phone})
		open := `{"instance":{"instanceName":"shop","state":"open"}}`
		w.want(w.line, "GET /instance/connectionState/shop", "", 200, open)
		w.want(w.line, "GET /instance/connect/shop", "", 200, open)
		w.want(w.line, "PUT /instance/restart/shop", "", 200, `{"instance":{"instanceName":"shop","status":"connecting"}}`)
		p.refusal = crm.Unavailable("no")
		w.want(w.line, "POST /instance/restart/shop", "", 200, `{"error":true,"message":"Error: no"}`)
		p.refusal = nil
		w.want(w.line, "DELETE /instance/logout/shop", "", 200, `{"status":"SUCCESS","error":false,"response":{"message":"Instance logged out"}}`)
		for _, request := range []string{"GET /instance/connect/no", "POST /instance/restart/no", "DELETE /instance/logout/no", "DELETE /instance/delete/no"} {
			w.want(w.company, request, "", 404, `{"status":404,"error":"Not Found","response":{"message":["The \"no\" instance does not exist"]}}`)
			w.want("", request, "", 401, unauthorizedText)
		}
		reader := w.key(w.Owner, crm.KeyInput{Name: "reader", Rights: []string{crm.KeyRead}})
		w.want(reader, "DELETE /instance/logout/shop", "", 403, `{"status":403,"error":"Forbidden","response":{"message":["this key does not have the right manage"]}}`)
		w.want(w.line, "DELETE /instance/delete/shop", "", 200, `{"status":"SUCCESS","error":false,"response":{"message":"Instance deleted"}}`)
	})
}

// TestCreateAndPair creates instances that begin to pair at once: the answer has the code, in the words
// of each version, and never says that an instance is open.
func TestCreateAndPair(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		code, typed := "2@Qm9", "ABCD-1234"
		p := &pairable{Connector: w.Connect("grWhatsApp"), shown: crm.Pairing{QR: &code}}
		w.Messengers["grWhatsApp"] = p
		const create = "POST /instance/create"
		qr := func(pairing string, count string) string {
			return `"qrcode":{"pairingCode":` + pairing + `,"code":"2@Qm9","base64":"` + crm.QRPictureURL(code) + `","count":` + count + `}}`
		}
		v2 := func(name, status string) string {
			return `{"instance":{"instanceName":"` + name + `","instanceId":"UUID","integration":"WHATSAPP-BAILEYS","webhookWaBusiness":null,"accessTokenWaBusiness":"","status":"` + status + `"},` +
				`"hash":"TOKEN","webhook":{},"websocket":{"enabled":true},"rabbitmq":{"enabled":false},"nats":{"enabled":false},"sqs":{"enabled":false},"settings":` + plainSettings + `,`
		}
		w.want(w.company, create, `{"instanceName":"a","qrcode":true}`, 201, v2("a", "connecting")+qr("null", "1"))
		w.want(w.company, create, `{"instanceName":"b","qrcode":true}`, 201,
			`{"instance":{"instanceName":"b","instanceId":"UUID","webhook_wa_business":null,"access_token_wa_business":"","status":"created"},"hash":{"apikey":"TOKEN"},`+
				`"settings":{"reject_call":false,"msg_call":"","groups_ignore":false,"always_online":false,"read_messages":false,"read_status":false,"sync_full_history":false},`+qr("null", "1"),
			"X-Evolution-Shape: l2msg")
		p.shown = crm.Pairing{Code: &typed, Beside: code}
		w.want(w.company, create, `{"instanceName":"c","number":"351912000001"}`, 201, v2("c", "connecting")+qr(`"ABCD1234"`, "1"))
		if p.asked != "351912000001" {
			t.Errorf("a code was asked for the phone %s", p.asked)
		}
		p.refusal = crm.Unavailable("WhatsApp does not answer")
		w.want(w.company, create, `{"instanceName":"d","qrcode":true}`, 201, v2("d", "connecting")+`"qrcode":{"pairingCode":null,"code":null,"base64":null,"count":0}}`)
	})
}

// TestOpenInstanceOfVersion1 lists an instance that is open in the words of version 1.
func TestOpenInstanceOfVersion1(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Messengers["grWhatsApp"] = w.Connect("grWhatsApp")
		device, phone := "1:7@s.whatsapp.net", "79990000000"
		if err := w.SetLineState(t.Context(), onShop, crm.LineState{State: crm.StateConnected, Device: &device, Phone: &phone}); err != nil {
			t.Fatal(err)
		}
		w.want(w.line, "GET /instance/fetchInstances?number=79990000000", "", 200, `[{"instance":{"instanceName":"shop","instanceId":"UUID","owner":"79990000000@s.whatsapp.net",`+
			`"profileName":"","profilePictureUrl":null,"profileStatus":"","status":"open"}}]`, "X-Evolution-Shape: v1")
	})
}
