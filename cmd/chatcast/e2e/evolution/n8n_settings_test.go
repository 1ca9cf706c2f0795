package evolution

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"go.mau.fi/whatsmeow/types"

	"chatcast/channels/testwait"
)

func jid(t *testing.T, text string) types.JID {
	t.Helper()
	id, err := types.ParseJID(text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// settings changes the settings of the instance.
func (n *n8n) settings(t *testing.T) {
	n.gives("instances/instance-settings", 201, form{"rejectCall": true, "msgCall": "No calls, please", "readMessages": true},
		`{"settings":{"instanceName":"shop","settings":{"rejectCall":true,"msgCall":"No calls, please","groupsIgnore":false,"alwaysOnline":false,"readMessages":true,"readStatus":false,"syncFullHistory":false}}}`)
	me, shop := n.phones.Anna, n.phones.Shop
	if err := me.AwaitRejected(testwait.Context(t), me.Call(shop, false)); err != nil {
		t.Error(err)
	}
	if _, err := me.AwaitText(testwait.Context(t), "No calls, please"); err != nil {
		t.Error(err)
	}
	if err := me.AwaitReceipt(testwait.Context(t), me.SendText(shop, "Do you read?"), "read"); err != nil {
		t.Error(err)
	}
	n.like("instances/instance-settings", 201, form{"msgCall": ""}, `"msgCall":"",.*"rejectCall":false,`)
}

// webhook sets the webhook with the names that the node gives its members.
func (n *n8n) webhook(t *testing.T) {
	const row = `^\{"id":"[^"]+","url":"https://crm.example/%","headers":null,"enabled":true,"events":\["MESSAGES_UPSERT","CONNECTION_UPDATE"\],"webhookByEvents":true,"webhookBase64":true,"createdAt":"[^"]+","updatedAt":"[^"]+","instanceId":"[0-9a-f-]{36}"\}$`
	n.like("events/webhook/findWebhook", 200, nil, strings.Replace(row, "%", "hook", 1)) // that of instance-basic
	n.like("events/webhook/setWebhook", 201, form{"enabled": true, "webhookUrl": "https://crm.example/new", "webhookByEvents": true, "webhookBase64": true,
		"webhookEvents": []string{"MESSAGES_UPSERT", "CONNECTION_UPDATE"}}, strings.Replace(row, "%", "new", 1))
	n.like("events/webhook/findWebhook", 200, nil, strings.Replace(row, "%", "new", 1))
	n.refused("events/webhook/setWebhook", 400, form{"enabled": true, "webhookUrl": "crm"}, `Invalid \"url\" property`)
	n.refused("events/webhook/setWebhook", 400, form{"enabled": true, "webhookUrl": "https://crm.example/new", "webhookEvents": []string{"NONE"}}, "events")
	n.like("events/webhook/setWebhook", 201, form{"enabled": false}, `"enabled":false,"events":\[\],"webhookByEvents":false,"webhookBase64":false,`)
	n.like("events/webhook/findWebhook", 200, nil, `"enabled":false`)
}

// integrations finds those off that this server does not have.
func (n *n8n) integrations(t *testing.T) {
	n.gives("events/rabbitmq/findRabbitMQ", 200, nil, `null`)
	n.gives("events/rabbitmq/setRabbitMQ", 200, form{"enabled": false}, `{"enabled":false}`)
	n.refused("events/rabbitmq/setRabbitMQ", 501, form{"enabled": true, "rabbitMQEvents": []string{"CALL"}}, "not supported by this server: rabbitmq")
	n.gives("integrations/chatwoot/findChatwoot", 200, nil, `null`)
	n.refused("integrations/chatwoot/setChatwoot", 501, form{"chatwootAccountId": "1", "chatwootToken": "t", "chatwootUrl": "https://chatwoot.example"}, "not supported by this server: chatwoot")
}

// bots finds no bots; what would make or change one is refused.
func (n *n8n) bots(t *testing.T) {
	n.gives("integrations/typebot/findTypebot", 200, nil, `null`)
	n.gives("integrations/evolution-bot/findEvolutionBot", 200, nil, `[]`)
	n.gives("integrations/difyBot/findDify", 200, nil, `[]`)
	for bot, of := range map[string]struct{ id, wire string }{
		"typebot/%Typebot": {"typebotId", "typebot"}, "evolution-bot/%EvolutionBot": {"evolutionBotId", "evolutionBot"}, "difyBot/%Dify": {"difyBotId", "dify"},
	} {
		for _, verb := range []string{"create", "find", "update", "delete", "fetchSessions", "changeStatus", "start"} {
			operation := "integrations/" + strings.Replace(bot, "%", verb, 1)
			entered := form{of.id: "17", "apiUrl": "https://bot.example", "remoteJid": annaJID, "url": "https://bot.example", "typebot": "b"}
			switch {
			case verb == "start" && of.wire != "typebot":
				continue
			case of.wire == "dify" && (verb == "create" || verb == "update" || verb == "changeStatus"):
				n.unasked(operation) // its code reads fields that its form does not have, or it has no code
				continue
			}
			n.refused(operation, 501, n.fitting(operation, entered), "not supported by this server: "+of.wire)
		}
	}
	// The form's name for these is not that of their code, so n8n cannot run them. This runs the code.
	for _, verb := range []string{"create", "find", "update", "delete", "fetchSessions", "changeStatus"} {
		operation := "integrations/flowiseBot/" + verb + "Flowise"
		if ran := n.run(operation, nil); ran.Error == nil || len(ran.Calls) != 0 || ran.Error.Message != "Operação não suportada." {
			t.Errorf("%s: %v", operation, ran)
		}
		entered := form{"flowiseBotId": "17", "apiUrl": "https://bot.example", "apiKeyBot": "k", "triggerType": "all", "triggerOperator": "contains", "triggerValue": "x", "expire": 0,
			"keywordFinish": "", "delayMessage": 0, "unknownMessage": "", "listeningFromMe": false, "stopBotFromMe": false, "keepOpen": false, "debounceTime": 0, "ignoreJids": []string{},
			"remoteJid": annaJID, "status": "opened"}
		n.refuses(n.runs(operation, "flowise-bot", entered), operation, 501, "not supported by this server: flowise")
	}
}

// unasked runs an operation that fails in the node, before it asks anything.
func (n *n8n) unasked(operation string) {
	n.t.Helper()
	if ran := n.run(operation, form{}); ran.Error == nil || len(ran.Calls) != 0 {
		n.t.Errorf("%s: %v", operation, ran)
	}
}

// fitting returns what of the entered parameters the form of an operation has.
func (n *n8n) fitting(operation string, entered form) form {
	n.t.Helper()
	parts := strings.Split(operation, "/")
	n.say(map[string]any{"fields": form{"resource": parts[0] + "-api", "operation": parts[1], modeFields[parts[1]]: parts[2]}})
	var fields []string
	n.next(&fields)
	fit := form{}
	for _, name := range fields {
		if value, has := entered[name]; has {
			fit[name] = value
		}
	}
	return fit
}

// proxy sends the line through a proxy, and back.
func (n *n8n) proxy(t *testing.T) {
	n.refused("instances/set-proxy/findProxy", 404, nil, "Proxy not found")
	through, passed := tunnel(t)
	host, port, _ := net.SplitHostPort(through)
	row := `{"enabled":true,"host":"` + host + `","port":"` + port + `","protocol":"http","username":"me","password":null}`
	n.gives("instances/set-proxy/setProxy", 201, form{"proxyHost": host, "proxyPort": port, "proxyUsername": "me", "proxyPassword": "secret"}, `{"proxy":{"instanceName":"shop","proxy":`+row+`}}`)
	n.gives("instances/set-proxy/findProxy", 200, nil, row)
	(&client{t: t}).eventually("the line goes through the proxy", func() bool { return passed.Load() > 1 }) // once it was tried
	n.sends("messages/send-text", form{"messageText": "through the proxy"}, "conversation", "through the proxy")
	n.like("instances/set-proxy/setProxy", 201, form{"enabled": false}, `"proxy":\{"enabled":false,`)
	n.refused("instances/set-proxy/findProxy", 404, nil, "Proxy not found")
	n.sends("messages/send-text", form{"messageText": "without it"}, "conversation", "without it")
}

// tunnel is a proxy for CONNECT that counts what it passed.
func tunnel(t *testing.T) (address string, passed *atomic.Int64) {
	passed = new(atomic.Int64)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Header.Get("Proxy-Authorization") == "" {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		there, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer there.Close()
		here, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer here.Close()
		passed.Add(1)
		if _, err := io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
			return
		}
		back := make(chan struct{})
		go func() {
			defer close(back)
			_, _ = io.Copy(here, there)
			here.Close()
		}()
		_, _ = io.Copy(there, here)
		there.Close()
		<-back
	}))
	t.Cleanup(proxy.Close)
	return strings.TrimPrefix(proxy.URL, "http://"), passed
}
