package evolution

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
)

// n8n drives the node of Evolution API for n8n: its own code, with the parameters of a workflow.
type n8n struct {
	*script
	phones   *e2e.Phones
	instance string
	driven   map[string]bool // the operations, see list in n8n.cjs
}

// form has the parameters that are entered in the form of the node.
type form = map[string]any

// nodeRun is one run of the node.
type nodeRun struct {
	Calls []struct {
		Method, Path string
		Body         json.RawMessage
		Status       int
	}
	Items []struct {
		JSON json.RawMessage
	}
	Error *struct{ Name, Message, Description string }
}

// run runs an operation, "resource/operation" or "resource/operation/mode".
func (n *n8n) run(operation string, entered form) nodeRun { return n.runs(operation, "", entered) }

// runs calls a function of the node without its form when direct names it.
func (n *n8n) runs(operation, direct string, entered form) nodeRun {
	n.t.Helper()
	n.driven[operation] = true
	parts := strings.Split(operation, "/")
	parameters := form{"resource": parts[0] + "-api", "operation": parts[1], "instanceName": n.instance}
	if len(parts) == 3 {
		parameters[modeFields[parts[1]]] = parts[2]
	}
	maps.Copy(parameters, entered)
	n.say(map[string]any{"parameters": parameters, "direct": direct})
	var ran nodeRun
	n.next(&ran)
	return ran
}

// modeFields are the fields with the further choice of an operation.
var modeFields = map[string]string{
	"set-proxy": "resourceForProxy", "fetch-groups": "searchMethod", "webhook": "resourceForWebhook", "rabbitmq": "resourceForRabbitMQ",
	"chatwoot": "resourceForChatwoot", "evolution-bot": "resourceForEvolutionBot", "typebot": "resourceForTypebot",
	"difyBot": "resourceForDifyBot", "flowiseBot": "resourceForFlowiseBot",
}

// done runs an operation that one request must do with this status, and returns what the next
// node of the workflow gets.
func (n *n8n) done(operation string, status int, entered form) string {
	n.t.Helper()
	ran := n.run(operation, entered)
	if ran.Error != nil || len(ran.Calls) != 1 || ran.Calls[0].Status != status || len(ran.Items) != 1 {
		n.t.Fatalf("%s of %v: %v", operation, entered, ran)
	}
	var out struct {
		Success bool
		Data    json.RawMessage
	}
	if err := json.Unmarshal(ran.Items[0].JSON, &out); err != nil {
		n.t.Fatal(err)
	}
	if !out.Success { // send-document hands the bare answer on
		return string(ran.Items[0].JSON)
	}
	return string(out.Data)
}

// gives runs an operation and compares what it gives with a JSON document.
func (n *n8n) gives(operation string, status int, entered form, want string) {
	n.t.Helper()
	if got := n.done(operation, status, entered); !sameJSON(got, want) {
		n.t.Errorf("%s gives\n%s\nwant\n%s", operation, got, want)
	}
}

// like runs an operation and holds what it gives against a pattern.
func (n *n8n) like(operation string, status int, entered form, pattern string) string {
	n.t.Helper()
	got := n.done(operation, status, entered)
	if !regexp.MustCompile(pattern).MatchString(got) {
		n.t.Errorf("%s gives\n%s\nwant\n%s", operation, got, pattern)
	}
	return got
}

// refused runs an operation that must fail with this status, whose texts the workflow shows.
func (n *n8n) refused(operation string, status int, entered form, want string) {
	n.t.Helper()
	n.refuses(n.run(operation, entered), operation, status, want)
}

func (n *n8n) refuses(ran nodeRun, operation string, status int, want string) {
	n.t.Helper()
	if ran.Error == nil || len(ran.Calls) != 1 || ran.Calls[0].Status != status || !strings.Contains(ran.Error.Message+ran.Error.Description, want) {
		n.t.Errorf("%s: %v, want %d with %s", operation, ran, status, want)
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && fmt.Sprint(x) == fmt.Sprint(y)
}

// TestN8n drives every operation of the node, with a key of the company, against a line that is
// paired with a stand-in of WhatsApp. docs/dialects.md has a table of them.
func TestN8n(t *testing.T) {
	w, _, c := start(t, "", func(cfg *config.Config) { cfg.WhatsApp.AllowPrivateProxies = true }) // the proxy of this test
	n := &n8n{startScript(t, "n8n.cjs", []string{c.base, c.key}), w, "shop", map[string]bool{}}
	n.say(map[string]any{"list": true})
	var list struct{ Offered []string }
	n.next(&list)

	t.Run("credentials", n.credentials)
	for _, step := range []struct {
		name string
		run  func(t *testing.T)
	}{
		{"pairing", n.pairing},
		{"messages", n.messages},
		{"media", n.media},
		{"menus", n.menus},
		{"chats", n.chats},
		{"lists", n.lists},
		{"people", n.people},
		{"profile", n.profile},
		{"groups", n.groups},
		{"joining", n.joining},
		{"settings", n.settings},
		{"webhook", n.webhook},
		{"integrations", n.integrations},
		{"bots", n.bots},
		{"proxy", n.proxy},
		{"end", n.end},
	} {
		if !t.Run(step.name, func(t *testing.T) { n.t, n.script.t = t, t; step.run(t) }) && step.name == "pairing" {
			t.FailNow() // all others need it
		}
	}
	n.t, n.script.t = t, t
	for i, operation := range list.Offered {
		list.Offered[i] = strings.Replace(operation, "-api/", "/", 1)
	}
	slices.Sort(list.Offered)
	if driven := slices.Sorted(maps.Keys(n.driven)); !slices.Equal(driven, list.Offered) {
		t.Errorf("driven are\n%s\nthe node offers\n%s", strings.Join(driven, "\n"), strings.Join(list.Offered, "\n"))
	}
	documented(t, list.Offered)
}

// documented holds the table of docs/dialects.md against the operations.
func documented(t *testing.T, operations []string) {
	t.Helper()
	page, err := os.ReadFile("../../../../docs/dialects.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, operation := range operations {
		if !strings.Contains(string(page), "`"+operation+"`") {
			t.Errorf("docs/dialects.md does not tell of %s", operation)
		}
	}
}

// credentials sends the request by which n8n checks the credentials.
func (n *n8n) credentials(t *testing.T) {
	n.say(map[string]any{"test": true})
	var ran nodeRun
	n.next(&ran)
	if len(ran.Calls) != 1 || ran.Calls[0].Status != 200 || ran.Calls[0].Path != "/instance/fetchInstances" {
		t.Fatalf("%+v", ran)
	}
}

const webhookEvents = `["MESSAGES_UPSERT","CONNECTION_UPDATE"]`

// pairing creates the instance with all that the form has, and pairs it.
func (n *n8n) pairing(t *testing.T) {
	answer := n.done("instances/instance-basic", 201, form{"token": "7B1C9E52-0D3A-4F7E-8A64-91D2F3A0C5B8", "options_Create_instance": form{
		"instanceSettings": form{"settings": form{"rejectCall": true, "msgCall": "Write to us", "groupsIgnore": false, "alwaysOnline": false, "readMessages": false, "readStatus": false, "syncFullHistory": false}},
		"webhook":          form{"webhookSettings": form{"webhookUrl": "https://crm.example/hook", "webhookByEvents": true, "webhookBase64": true, "webhookEvents": json.RawMessage(webhookEvents)}},
		"rabbitmq":         form{"rabbitmqSettings": form{"rabbitmqEnabled": true, "rabbitmqEvents": []string{"CALL"}}},
		"chatwoot":         form{"chatwootSettings": form{"chatwootAccountId": 1, "chatwootToken": "t", "chatwootUrl": "https://chatwoot.example", "chatwootSignMsg": true}},
	}})
	id := regexp.MustCompile(`"instanceId":"([0-9a-f-]{36})"`).FindStringSubmatch(answer)
	if id == nil {
		t.Fatal(answer)
	}
	if !sameJSON(answer, `{"instance":{"instanceName":"shop","instanceId":"`+id[1]+`","integration":"WHATSAPP-BAILEYS","webhookWaBusiness":null,"accessTokenWaBusiness":"","status":"close"},
		"hash":"7B1C9E52-0D3A-4F7E-8A64-91D2F3A0C5B8","webhook":{"webhookUrl":"https://crm.example/hook","webhookByEvents":true,"webhookBase64":true},
		"websocket":{"enabled":true},"rabbitmq":{"enabled":false},"nats":{"enabled":false},"sqs":{"enabled":false},
		"settings":{"rejectCall":true,"msgCall":"Write to us","groupsIgnore":false,"alwaysOnline":false,"readMessages":false,"readStatus":false,"syncFullHistory":false,"wavoipToken":""}}`) {
		t.Errorf("the instance is %s", answer)
	}
	n.refused("instances/instance-basic", 403, nil, `This name \"shop\" is already in use.`)
	n.like("instances/fetch-instances", 200, nil, `^\[\{"id":"`+id[1]+`","name":"shop","connectionStatus":"close",`)
	n.refused("instances/fetch-instances", 404, form{"instanceName": "none"}, `"none\"`)

	var code code
	(&client{t: t}).eventually("there is a QR code", func() bool {
		return json.Unmarshal([]byte(n.done("instances/instance-connect", 200, nil)), &code) == nil && code.Code != nil
	})
	if _, err := n.phones.Shop.ScanQR(testwait.Context(t), *code.Code); err != nil {
		t.Fatal(err)
	}
	n.becomes("instances/instance-connect", nil, isOpen)
	n.becomes("instances/fetch-instances", nil, `"connectionStatus":"open","ownerJid":"79990001122@s.whatsapp.net","profileName":"Shop"`)
	n.gives("instances/set-presence", 201, form{"presence": "available"}, `{"presence":"available"}`)
	if err := n.phones.Shop.AwaitPresence(testwait.Context(t), "available"); err != nil {
		t.Error(err)
	}
	n.gives("instances/restart-instance", 200, nil, `{"instance":{"instanceName":"shop","status":"connecting"}}`)
	n.becomes("instances/instance-connect", nil, isOpen)
}

// becomes runs an operation until what it gives fits a pattern.
func (n *n8n) becomes(operation string, entered form, pattern string) {
	n.t.Helper()
	want := regexp.MustCompile(pattern)
	(&client{t: n.t}).eventually(operation+" gives "+pattern, func() bool { return want.MatchString(n.done(operation, 200, entered)) })
}

// isOpen is what instance-connect gives when the line is connected.
const isOpen = `^\{"instance":\{"instanceName":"shop","state":"open"\}\}$`

// end logs the instance out and deletes it.
func (n *n8n) end(t *testing.T) {
	n.gives("instances/logout-instance", 200, nil, `{"status":"SUCCESS","error":false,"response":{"message":"Instance logged out"}}`)
	if devices := n.phones.Shop.Devices(); devices != 0 {
		t.Errorf("%d devices are linked", devices)
	}
	n.refused("instances/logout-instance", 400, nil, `The \"shop\" instance is not connected`)
	n.gives("instances/delete-instance", 200, nil, `{"status":"SUCCESS","error":false,"response":{"message":"Instance deleted"}}`)
	n.refused("instances/instance-connect", 404, nil, `The \"shop\" instance does not exist`)
}

// String is for the messages of failed tests.
func (r nodeRun) String() string {
	said := ""
	for _, c := range r.Calls {
		said += fmt.Sprintf("%s %s %.300s is answered %d; ", c.Method, c.Path, c.Body, c.Status)
	}
	for _, item := range r.Items {
		said += fmt.Sprintf("it gives %.500s; ", item.JSON)
	}
	if r.Error != nil {
		said += fmt.Sprintf("it fails with %s: %s", r.Error.Message, r.Error.Description)
	}
	return said
}
