package evolution_test

import (
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

const someSettings = `"groupsIgnore":false,"alwaysOnline":true,"readMessages":false,"readStatus":false,"syncFullHistory":false,"wavoipToken":""`

func TestSettings(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const set, find = "POST /settings/set/shop", "GET /settings/find/shop"
		w.want(w.company, find, "", 200, `{"rejectCall":false,"msgCall":"",`+strings.Replace(someSettings, "true", "false", 1)+`}`)
		w.want(w.company, set, `{"rejectCall":true,"msgCall":"Write to us","alwaysOnline":true,"x":1}`, 201,
			`{"settings":{"instanceName":"shop","settings":{"alwaysOnline":true,"msgCall":"Write to us","rejectCall":true}}}`)
		w.want(w.company, find, "", 200, `{"rejectCall":true,"msgCall":"Write to us",`+someSettings+`}`)
		w.want(w.company, set, `{"msg_call":"","groups_ignore":true}`, 201, `{"settings":{"instanceName":"shop","settings":{"groups_ignore":true,"msg_call":""}}}`)
		w.want(w.company, set, `{"groups_ignore":false}`, 201, `{"settings":{"instanceName":"shop","settings":{"groups_ignore":false}}}`)
		w.want(w.company, find, "", 200, `{"reject_call":true,"msg_call":"","groups_ignore":false,"always_online":true,"read_messages":false,"read_status":false,"sync_full_history":false}`,
			"X-Evolution-Shape: v1")
		w.want(w.company, set, `{"rejectCall":"yes","readStatus":1,"msgCall":{}}`, 400,
			invalid("instance.rejectCall is not of a type(s) boolean", "instance.msgCall is not of a type(s) string", "instance.readStatus is not of a type(s) boolean"))
		w.want(w.company, set, `rejectCall=true&readMessages=false`, 201, `{"settings":{"instanceName":"shop","settings":{"readMessages":"false","rejectCall":"true"}}}`,
			"Content-Type: application/x-www-form-urlencoded")
		w.want(w.line, set, `{}`, 201, `{"settings":{"instanceName":"shop","settings":{}}}`)
		w.want(w.strange, set, `{}`, 404, `{"status":404,"error":"Not Found","response":{"message":["The \"shop\" instance does not exist"]}}`)
	})
}

func TestWebsocket(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const set, find = "POST /websocket/set/shop", "GET /websocket/find/shop"
		all := `["` + strings.Join(shape.EventNames(), `","`) + `"]`
		created := `"createdAt":"2021-11-18T10:55:00.000Z","updatedAt":"2021-11-19T10:55:00.000Z","instanceId":"UUID"`
		w.want(w.company, find, "", 200, `{"id":"UUID","enabled":true,"events":`+all+`,`+created+`}`)
		w.want(w.company, set, `{"websocket":{"enabled":true,"events":["MESSAGES_UPSERT","GROUPS_UPDATE"]}}`, 201,
			`{"id":"UUID","enabled":true,"events":["MESSAGES_UPSERT","GROUPS_UPDATE"],`+created+`}`)
		w.want(w.company, set, `{"enabled":false,"events":["MESSAGES_UPSERT"]}`, 201, `{"id":"UUID","enabled":false,"events":[],`+created+`}`)
		w.want(w.company, find, "", 200, `{"enabled":false,"events":[]}`, "X-Evolution-Shape: v1")
		w.want(w.company, set, `{"enabled":true,"events":["CALL"]}`, 201, `{"websocket":{"instanceName":"shop","websocket":{"enabled":true,"events":["CALL"]}}}`, "X-Evolution-Shape: v1")
		w.want(w.company, set, `{"websocket":{}}`, 400, invalid(`instance requires property "enabled"`))
		w.want(w.company, set, `{"enabled":true,"events":["CALL","NEVER_HEARD"]}`, 400,
			invalid("instance.events[1] is not one of enum values: "+strings.Join(shape.EventNames(), ",")))
		w.want(w.company, set, `{"enabled":true,"events":{"a":1}}`, 400, invalid("instance.events is not of a type(s) array"))
		if v, ok := w.InstanceDirectory().ByName(2224, shop); !ok || !v.Websocket.Enabled || len(v.Websocket.Events) != 1 {
			t.Errorf("the directory has %+v, %v", v, ok)
		}
	})
}

func TestWebhook(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const set, find = "POST /webhook/set/shop", "GET /webhook/find/shop"
		all := `["` + strings.Join(shape.EventNames(), `","`) + `"]`
		times := `"createdAt":"2021-11-19T10:55:00.000Z","updatedAt":"2021-11-19T10:55:00.000Z","instanceId":"UUID"`
		w.want(w.company, find, "", 200, `null`)
		w.want(w.company, find, "", 200, `{"enabled":false,"url":"","events":[],"webhook_by_events":false,"webhook_base64":false}`, "X-Evolution-Shape: v1")
		row := `{"id":"UUID","url":"https://crm.example/hook","headers":{"x-team":"a"},"enabled":true,"events":["CALL"],"webhookByEvents":true,"webhookBase64":true,` + times + `}`
		for _, body := range []string{
			`{"webhook":{"enabled":true,"url":"https://crm.example/hook","headers":{"x-team":"a"},"byEvents":true,"base64":true,"events":["CALL"]}}`,
			`{"webhook":{"url":"https://crm.example/hook","headers":{"x-team":"a"},"webhookByEvents":true,"webhookBase64":true,"events":["CALL"]}}`,
			`{"url":"https://crm.example/hook","headers":{"x-team":"a"},"webhook_by_events":true,"webhook_base64":true,"events":["CALL"]}`,
			`{"webhook":"https://crm.example/hook","headers":{"x-team":"a"},"byEvents":true,"base64":true,"events":["CALL"]}`,
		} {
			w.want(w.company, set, body, 201, row)
			w.want(w.company, find, "", 200, row)
			w.want(w.company, set, `{"webhook":{"enabled":false}}`, 201,
				`{"id":"UUID","url":"","headers":null,"enabled":false,"events":[],"webhookByEvents":false,"webhookBase64":false,`+times+`}`)
		}
		w.want(w.company, "POST /whatsapp/webhook/instance/shop", `{"url":"http://a.example","webhook_by_events":false,"webhook_base64":false,"events":[]}`, 201,
			`{"id":"UUID","url":"http://a.example","headers":null,"enabled":true,"events":`+all+`,"webhookByEvents":false,"webhookBase64":false,`+times+`}`)
		w.want(w.company, set, `{"url":"https://a.example"}`, 201,
			`{"webhook":{"instanceName":"shop","webhook":{"enabled":true,"url":"https://a.example","events":`+all+`,"webhook_by_events":false,"webhook_base64":false}}}`,
			"X-Evolution-Shape: v1")
		w.want(w.company, set, `{"webhook":{"enabled":false,"url":"vazio","webhookByEvents":false,"events":[]}}`, 201,
			`{"id":"UUID","url":"vazio","headers":null,"enabled":false,"events":[],"webhookByEvents":false,"webhookBase64":false,`+times+`}`)
		for _, body := range []string{`{"enabled":true}`, `{"webhook":{"enabled":true,"url":"ftp://a"}}`, `{"url":"http://"}`, `{"url":"::"}`} {
			w.want(w.company, set, body, 400, badText(`Invalid "url" property`))
		}
		w.want(w.company, set, `{"webhook":{"url":1,"byEvents":"x","events":[2],"headers":[]}}`, 400, invalid("instance.url is not of a type(s) string",
			"instance.headers is not of a type(s) object", "instance.byEvents is not of a type(s) boolean", "instance.events[0] is not of a type(s) string"))
		w.want(w.company, set, `{"url":"https://a.example","headers":{"a":1}}`, 400, invalid("instance.headers is not of a type(s) string"))
		if status, answer, _ := w.request(w.company, set, `{"url":"https://a.example","headers":{"Host":"b"}}`); status != 400 {
			t.Errorf("a header of the connection: %d %s", status, answer)
		}
	})
}

// TestAbsentParts asks for what this server does not have.
func TestAbsentParts(t *testing.T) {
	w := onSQLite(t)
	for _, name := range []string{"rabbitmq", "nats", "sqs", "kafka", "pusher", "chatwoot", "typebot"} {
		w.want(w.company, "GET /"+name+"/find/shop", "", 200, `null`)
		w.want(w.company, "POST /"+name+"/set/shop", `{"enabled":false}`, 200, `{"enabled":false}`)
		refused := `{"status":501,"error":"Not Implemented","response":{"message":["not supported by this server: ` + name + `"]}}`
		w.want(w.company, "POST /"+name+"/set/shop", `{"enabled":true}`, 501, refused)
		w.want(w.company, "POST /"+name+"/set/shop", `{"`+name+`":{"enabled":true}}`, 501, refused)
		w.want("", "GET /"+name+"/find/shop", "", 401, unauthorizedText)
		w.want(w.company, "PUT /"+name+"/update/17/shop", `{}`, 501, refused)
	}
	for _, name := range []string{"template", "business", "openai", "dify", "flowise", "n8n", "evoai", "evolutionBot"} {
		w.want(w.company, "GET /"+name+"/find/shop", "", 200, `[]`)
		w.want(w.company, "POST /"+name+"/create/shop", `{}`, 501, `{"status":501,"error":"Not Implemented","response":{"message":["not supported by this server: `+name+`"]}}`)
		w.want(w.company, "DELETE /whatsapp/"+name+"/delete/17/shop", "", 501, `{"status":501,"error":"Not Implemented","response":{"message":["not supported by this server: `+name+`"]}}`)
	}
	for _, name := range []string{"s3/getMedia", "s3/getMediaUrl", "message/sendTemplate", "call/offer"} {
		what := strings.TrimPrefix(name, "message/")
		w.want(w.company, "POST /"+name+"/shop", `{}`, 501, `{"status":501,"error":"Not Implemented","response":{"message":["not supported by this server: `+what+`"]}}`)
	}
}

func TestProxy(t *testing.T) {
	w := onSQLite(t) // a line that a program serves has no proxy
	const set, find = "POST /proxy/set/shop", "GET /proxy/find/shop"
	w.want(w.company, set, `{"enabled":true,"host":"","port":"1","protocol":"http"}`, 400, badText("Invalid proxy"))
	w.want(w.company, set, `{"enabled":true,"host":"a/b","port":"1","protocol":"http"}`, 400, badText("Invalid proxy"))
	w.want(w.company, set, `{"host":"a"}`, 400, invalid(`instance requires property "enabled"`))
	w.want(w.company, set, `{"enabled":"","host":"1234"}`, 400, badText("lines of this type have no account, so they have no settings")) // off, as n8n says it
	w.want(w.company, set, `{"enabled":true,"host":"a","port":80,"protocol":"ftp"}`, 400,
		invalid("instance.port is not of a type(s) string", "instance.protocol is not one of enum values: http,https,socks5,socks4,socks"))
	w.want(w.company, find, "", 400, badText("lines of this type have no account, so they have no settings"))
}

func TestLabels(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.want(w.company, "GET /label/findLabels/shop", "", 200, `[]`)
		tag, err := w.CreateTag(t.Context(), w.Owner, crm.TagInput{Name: crm.Value("VIP"), Color: crm.Value("#64c4ff")})
		if err != nil {
			t.Fatal(err)
		}
		if tag.ID != 1 {
			t.Fatalf("the tag has the id %d", tag.ID)
		}
		w.want(w.company, "GET /label/findLabels/shop", "", 200, `[{"id":"1","name":"VIP","color":"1","predefinedId":null}]`)
		const handle = "POST /label/handleLabel/shop"
		if status, answer, _ := w.request(w.company, "POST /message/sendText/shop", `{"number":"79990001122","text":"Hello"}`); status != 201 {
			t.Fatal(status, answer)
		}
		w.want(w.company, handle, `{"number":"+7 999 000-11-22","labelId":"1","action":"add"}`, 200, `{"numberJid":"79990001122@s.whatsapp.net","labelId":"1","add":true}`)
		w.want(w.company, "PUT /label/handleLabel/shop", `{"number":"79990001122","labelId":"1","action":"remove"}`, 200,
			`{"numberJid":"79990001122@s.whatsapp.net","labelId":"1","remove":true}`)
		w.want(w.company, handle, `{"number":"79990001122","labelId":"x","action":"add"}`, 400, badText("Label not found"))
		w.want(w.company, handle, `{"number":79990001122,"action":"put"}`, 400, invalid(`instance requires property "labelId"`,
			"The numbers must be strings/only numeric", "instance.action is not one of enum values: add,remove"))
	})
}
