package evolution_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

const plainSettings = `{"rejectCall":false,"msgCall":"","groupsIgnore":false,"alwaysOnline":false,"readMessages":false,"readStatus":false,"syncFullHistory":false,"wavoipToken":""}`

func TestCreate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const create = "POST /instance/create"
		w.want(w.company, create, `{"instanceName":"a"}`, 201,
			`{"instance":{"instanceName":"a","instanceId":"UUID","integration":"WHATSAPP-BAILEYS","webhookWaBusiness":null,"accessTokenWaBusiness":"","status":"close"},`+
				`"hash":"TOKEN","webhook":{},"websocket":{"enabled":true},"rabbitmq":{"enabled":false},"nats":{"enabled":false},"sqs":{"enabled":false},"settings":`+plainSettings+`}`)
		w.want(w.company, create, `{"instanceName":"b","integration":"WHATSAPP-BAILEYS","token":"my-own-token-12345","number":"","qrcode":false,"rejectCall":true,"msgCall":"no",
			"webhook":{"url":"https://crm.example/hook","headers":{"x-team":"a"},"byEvents":false,"base64":true,"events":["CALL"]},"websocket":{"enabled":false}}`, 201,
			`{"instance":{"instanceName":"b","instanceId":"UUID","integration":"WHATSAPP-BAILEYS","webhookWaBusiness":null,"accessTokenWaBusiness":"","status":"close"},`+
				`"hash":"my-own-token-12345","webhook":{"webhookUrl":"https://crm.example/hook","webhookHeaders":{"x-team":"a"},"webhookByEvents":false,"webhookBase64":true},`+
				`"websocket":{"enabled":false},"rabbitmq":{"enabled":false},"nats":{"enabled":false},"sqs":{"enabled":false},"settings":`+
				strings.Replace(plainSettings, `false,"msgCall":""`, `true,"msgCall":"no"`, 1)+`}`)
		all := `["` + strings.Join(shape.EventNames(), `","`) + `"]`
		w.want(w.company, create, `{"instanceName":"c","webhook":"https://crm.example/hook","webhook_by_events":false,"events":["MESSAGES_UPSERT"],"groups_ignore":true,"mobile":false}`, 201,
			`{"instance":{"instanceName":"c","instanceId":"UUID","integration":"WHATSAPP-BAILEYS","webhook_wa_business":null,"access_token_wa_business":"","status":"created"},`+
				`"hash":{"apikey":"TOKEN"},"webhook":{"webhook":"https://crm.example/hook","webhook_by_events":false,"webhook_base64":false,"events":["MESSAGES_UPSERT"]},`+
				`"websocket":{"enabled":true,"events":`+all+`},"rabbitmq":{"enabled":false,"events":[]},"sqs":{"enabled":false,"events":[]},`+
				`"settings":{"reject_call":false,"msg_call":"","groups_ignore":true,"always_online":false,"read_messages":false,"read_status":false,"sync_full_history":false}}`)
		w.want(w.company, "POST /whatsapp/instance/create", `{"instanceName":"d"}`, 201,
			`{"instance":{"instanceName":"d","instanceId":"UUID","webhook_wa_business":null,"access_token_wa_business":"","status":"created"},"hash":{"apikey":"TOKEN"},`+
				`"settings":{"reject_call":false,"msg_call":"","groups_ignore":false,"always_online":false,"read_messages":false,"read_status":false,"sync_full_history":false}}`)
		for name, want := range map[string]string{"a": "v2", "b": "v2", "c": "v1", "d": "l2msg"} {
			if v, ok := w.InstanceDirectory().ByName(2224, name); !ok || v.Shape != want {
				t.Errorf("the instance %s has the shape %q, want %s", name, v.Shape, want)
			}
		}
		forbidden := func(text string) string {
			quoted, _ := json.Marshal(text)
			return `{"status":403,"error":"Forbidden","response":{"message":[` + string(quoted) + `]}}`
		}
		w.want(w.company, create, `{"instanceName":"a"}`, 403, forbidden(`This name "a" is already in use.`))
		w.want(w.company, create, `{"instanceName":"e","token":"my-own-token-12345"}`, 403, forbidden("Token already exists"))
		w.want(w.company, create, `{"instanceName":"e","token":"short"}`, 400, badText("token must be 16 to 200 visible ASCII characters"))
		if status, _, _ := w.request(w.strange, create, `{"instanceName":"a"}`); status != 201 {
			t.Errorf("the name in another company: %d", status)
		}
	})
}

func TestCreateRefuses(t *testing.T) {
	w := onSQLite(t)
	const create = "POST /instance/create"
	w.want(w.company, create, `{}`, 400, invalid(`instance requires property "instanceName"`))
	w.want(w.company, create, ``, 400, invalid(`instance requires property "instanceName"`))
	w.want(w.company, create, `{"instanceName":"","integration":"WHATSAPP-BUSINESS","qrcode":"yes","number":"+1"}`, 400,
		invalid("instance.instanceName does not meet minimum length of 1", "instance.integration is not one of enum values: WHATSAPP-BAILEYS",
			`instance.number does not match pattern "^\\d+[.@\\w-]+"`, "instance.qrcode is not of a type(s) boolean"))
	w.want(w.company, create, `{"instanceName":"a","webhook":{"enabled":true,"url":"nowhere"}}`, 400, badText(`Invalid "url" property in webhook`))
	w.want(w.company, create, `{"instanceName":"a","webhook":7,"websocket":"x"}`, 400, invalid("instance.webhook is not of a type(s) object", "instance.websocket is not of a type(s) object"))
	w.want(w.company, create, `{"instanceName":"a","websocket":{"enabled":true,"events":["X"]}}`, 400,
		invalid("instance.websocket.events[0] is not one of enum values: "+strings.Join(shape.EventNames(), ",")))
	w.want(w.company, create, `{"instanceName":"a","proxyHost":"p.example"}`, 400, badText("Invalid proxy"))
	w.want(w.company, create, `{"instanceName":"a","proxyHost":"p.example","proxyPort":"99999","proxyProtocol":"http"}`, 400, badText("Invalid proxy"))
	for _, name := range []string{"ws", "socket.io", "a/b", " a", "ä", strings.Repeat("x", 101), `a"b`} {
		quoted, _ := json.Marshal(name)
		if status, answer, _ := w.request(w.company, create, `{"instanceName":`+string(quoted)+`}`); status != 400 {
			t.Errorf("the name %q: %d %s", name, status, answer)
		}
	}
	for _, body := range []string{`[]`, `"x"`, `null`, `{"instanceName":"a"`, `{"instanceName":"a"} {}`, "{\"instanceName\":\"\xff\"}"} {
		if status, answer, _ := w.request(w.company, create, body); status != 400 {
			t.Errorf("the body %q: %d %s", body, status, answer)
		}
	}
	for _, field := range []string{"instanceName", "integration", "token", "number", "qrcode", "rejectCall", "msgCall", "groupsIgnore", "alwaysOnline", "readMessages", "readStatus",
		"syncFullHistory", "wavoipToken", "proxyHost", "proxyPort", "proxyProtocol", "proxyUsername", "proxyPassword", "webhook", "websocket"} {
		for _, value := range []string{`{"a":{}}`, `[[1]]`, `-1.5e3`, `true`, `"\u0000"`} {
			body := `{"instanceName":"z","` + field + `":` + value + `}`
			if status, answer, _ := w.request(w.company, create, body); status != 400 && !(status == 201 && deletes(w)) {
				t.Errorf("%s: %d %s", body, status, answer)
			}
		}
	}
}

// deletes reports whether the instance that a test has made is deleted.
func deletes(w *world) bool {
	status, _, _ := w.request(w.company, "DELETE /instance/delete/z", "")
	return status == 200
}

func TestFetchInstances(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const fetch = "GET /instance/fetchInstances"
		all := `["` + strings.Join(shape.EventNames(), `","`) + `"]`
		times := `"createdAt":"2021-11-18T10:55:00.000Z","updatedAt":"2021-11-19T10:55:00.000Z"`
		row := `{"id":"UUID","name":"shop","connectionStatus":"open","ownerJid":null,"profileName":null,"profilePicUrl":null,"integration":"WHATSAPP-BAILEYS","number":null,` +
			`"businessId":null,"token":null,"clientName":"chatcast","disconnectionReasonCode":null,"disconnectionObject":null,"disconnectionAt":null,` + times +
			`,"Chatwoot":null,"Proxy":null,"Rabbitmq":null,"Nats":null,"Sqs":null,"Websocket":{"id":"UUID","enabled":true,"events":` + all + `,` + times + `,"instanceId":"UUID"},` +
			`"Setting":{"id":"UUID",` + strings.Trim(plainSettings, "{}") + `,` + times + `,"instanceId":"UUID"},"_count":{"Message":0,"Contact":0,"Chat":0}}`
		w.want(w.line, fetch, "", 200, `[`+row+`]`)
		w.want(w.company, fetch+"?instanceName=shop", "", 200, `[`+row+`]`, "Accept-Encoding: identity") // so that the reference is asked
		v, _ := w.InstanceDirectory().ByName(2224, shop)
		w.want(w.company, fetch+"?instanceId="+v.ID, "", 200, `[`+row+`]`)
		w.want(w.company, fetch+"?number=5", "", 200, `[]`)
		v1 := `{"instance":{"instanceName":"shop","instanceId":"UUID","status":"open"}}`
		w.want(w.company, fetch+"?instanceName=shop", "", 200, v1, "X-Evolution-Shape: v1")
		w.want(w.line, fetch, "", 200, `[`+v1+`]`, "X-Evolution-Shape: v1")
		w.want(w.company, fetch+"?instanceName=nowhere", "", 404, `{"status":404,"error":"Not Found","response":{"message":["Instance \"nowhere\" not found"]}}`)
		w.want(w.line, fetch+"?instanceName=1230-grWhatsApp", "", 401, unauthorizedText)
		w.want("", fetch, "", 401, unauthorizedText)
		status, answer, _ := w.request(w.company, fetch, "")
		var list []struct{ Name string }
		if err := json.Unmarshal([]byte(answer), &list); err != nil || status != 200 || len(list) != 3 { // without the Telegram
			t.Errorf("all instances are %d %s, %v", status, answer, err)
		}
	})
}

func TestInstanceLife(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if status, answer, _ := w.request(w.company, "POST /instance/create", `{"instanceName":"new"}`); status != 201 {
			t.Fatal(status, answer)
		}
		w.want(w.company, "POST /instance/setPresence/new", `{"presence":"available"}`, 201, `{"presence":"available"}`)
		w.want(w.company, "POST /instance/setPresence/new", `{"presence":"asleep"}`, 400,
			invalid("instance.presence is not one of enum values: unavailable,available,composing,recording,paused"))
		w.want(w.company, "POST /instance/setPresence/new", `{}`, 400, invalid(`instance requires property "presence"`))
		w.want(w.company, "GET /instance/connectionState/nowhere", "", 404, `{"status":404,"error":"Not Found","response":{"message":["The \"nowhere\" instance does not exist"]}}`)
		w.want(w.strange, "DELETE /instance/delete/new", "", 404, `{"status":404,"error":"Not Found","response":{"message":["The \"new\" instance does not exist"]}}`)
		w.want(w.company, "DELETE /instance/delete/new", "", 200, `{"status":"SUCCESS","error":false,"response":{"message":"Instance deleted"}}`)
		w.want(w.company, "DELETE /instance/delete/new", "", 404, `{"status":404,"error":"Not Found","response":{"message":["The \"new\" instance does not exist"]}}`)
	})
}

// TestExposedTokens shows the keys of instances, when the server is set to.
func TestExposedTokens(t *testing.T) {
	w := onSQLite(t)
	w.expose()
	status, answer, _ := w.request(w.company, "POST /instance/create", `{"instanceName":"new","token":"my-own-token-12345"}`)
	if status != 201 {
		t.Fatal(status, answer)
	}
	if _, answer, _ = w.request(w.company, "GET /instance/fetchInstances?instanceName=new", ""); !strings.Contains(answer, `"token":"my-own-token-12345"`) {
		t.Errorf("the row is %s", answer)
	}
	if _, answer, _ = w.request(w.line, "GET /instance/fetchInstances", ""); !strings.Contains(answer, `"token":null`) {
		t.Errorf("the row of an older instance is %s", answer)
	}
}

// TestStateOfALine follows a line through a logout and a pairing that nobody finishes: it is then
// closed, although the number of its last account is known.
func TestStateOfALine(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Messengers["grWhatsApp"] = w.Connect("grWhatsApp")
		device, none, phone := "1:7@s.whatsapp.net", "", "79990000000"
		const later = "a minute later" // nothing is stored then
		for _, c := range []struct {
			to   crm.LineState
			want string
		}{
			{crm.LineState{State: crm.StatePairing}, "connecting"},
			{crm.LineState{State: crm.StateConnected, Device: &device, Phone: &phone}, "open"},
			{crm.LineState{State: crm.StateDisconnected}, "connecting"}, // by itself
			{crm.LineState{State: crm.StateDisconnected, Detail: later}, "close"},
			{crm.LineState{State: crm.StateConnecting}, "close"},
			{crm.LineState{State: crm.StateConnected}, "open"},
			{crm.LineState{State: crm.StateDisconnected}, "connecting"},
			{crm.LineState{State: crm.StateLoggedOut, Device: &none}, "close"},
			{crm.LineState{State: crm.StatePairing}, "connecting"},
			{crm.LineState{State: crm.StateDisconnected}, "close"},
		} {
			if c.to.Detail == later {
				w.Clock.Advance(time.Minute)
			} else if err := w.SetLineState(t.Context(), onShop, c.to); err != nil {
				t.Fatal(err)
			}
			w.want(w.line, "GET /instance/connectionState/shop", "", 200, `{"instance":{"instanceName":"shop","state":"`+c.want+`"}}`)
			if _, row, _ := w.request(w.line, "GET /instance/fetchInstances", ""); !strings.Contains(row, `"connectionStatus":"`+c.want+`"`) {
				t.Errorf("%+v: the row is %s", c.to, row)
			}
		}
	})
}
