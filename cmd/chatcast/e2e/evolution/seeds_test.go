package evolution

import (
	"encoding/json"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"chatcast/channels/testwait"
)

// TestCurlOfL2msg runs the command with which the documentation of l2msg creates an instance, with
// this server's host and a key.
func TestCurlOfL2msg(t *testing.T) {
	_, _, c := start(t, "")
	cmd := exec.CommandContext(testwait.Context(t), "curl", "-sS", "--request", "POST",
		"--url", c.base+"/whatsapp/instance/create",
		"--header", "Content-Type: application/json",
		"--header", "apikey: "+c.key,
		"--data", `{
			"instanceName": "shop",
			"qrcode": true,
			"number": "351912000001",
			"rejectCall": true,
			"msgCall": "no calls",
			"groupsIgnore": true,
			"alwaysOnline": true,
			"readMessages": true,
			"readStatus": true,
			"syncFullHistory": true,
			"webhook": {
				"url": "https://crm.example/hook",
				"byEvents": true,
				"base64": true,
				"headers": {
					"autorization": "secret",
					"Content-Type": "application/json"
				},
				"events": [
					"APPLICATION_STARTUP"
				]
			}
		}`)
	answer, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^\{"instance":\{"instanceName":"shop","instanceId":"[0-9a-f-]{36}","webhook_wa_business":null,"access_token_wa_business":"","status":"created"\},` +
		`"hash":\{"apikey":"[^"]{16,}"\},"settings":\{"reject_call":true,"msg_call":"no calls","groups_ignore":true,"always_online":true,"read_messages":true,"read_status":true,"sync_full_history":true\}`).Match(answer) {
		t.Errorf("curl prints %s", answer)
	}
	var made struct{ Hash struct{ APIKey string } }
	if err := json.Unmarshal(answer, &made); err != nil {
		t.Fatal(err)
	}
	line := &client{t, c.base, made.Hash.APIKey}
	row := line.must("GET /whatsapp/webhook/find/shop", "", 200, nil)
	if !strings.Contains(row, `"headers":{"Content-Type":"application/json","autorization":"secret"}`) || !strings.Contains(row, `"events":["APPLICATION_STARTUP"]`) {
		t.Errorf("the webhook is %s", row)
	}
}

// TestWebhookOnThisMachine checks that somebody who tries a webhook on his own machine is told why it
// is refused.
func TestWebhookOnThisMachine(t *testing.T) {
	_, _, c := start(t, "")
	const hook = `"webhook":{"enabled":true,"url":"http://127.0.0.1:3000/hook"}`
	for request, words := range map[string]string{
		"POST /instance/create":                    `"Invalid \"url\" property in webhook"`,
		"POST /webhook/set/" + first:               `"Invalid \"url\" property"`,
		"POST /whatsapp/webhook/instance/" + first: `"Invalid \"url\" property"`,
	} {
		answer := c.must(request, `{"instanceName":"new",`+hook+`}`, 400, nil)
		if !strings.Contains(answer, `"message":[`+words+`,"the address is private`) || !strings.Contains(answer, "webhooks.allow_private_targets") {
			t.Errorf("%s: %s", request, answer)
		}
	}
}
