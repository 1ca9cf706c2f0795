package channels_test

import (
	"errors"
	"testing"

	"chatcast/channels"
)

func TestCheckClientEvent(t *testing.T) {
	const line = "private-v1.licenses.1.messengers.telegram"
	for _, tt := range []struct {
		channel, event, data string
		want                 error
	}{
		{line, "client-typing", `{"chatId":"7"}`, nil},
		{line, "client-typing", ``, nil},
		{line, "client-typing", `"text"`, nil},
		{line, "client-typing", `[{"payload":1}]`, nil},
		{"presence-v1.companies.1", "client-viewing", `{}`, nil},
		{line, "client-message", `{}`, channels.ErrClientEvent},
		{line, "client-", `{}`, channels.ErrClientEvent},
		{"presence-v1.companies.1", "client-typinG", `{}`, channels.ErrClientEvent},
		{"private-v1.users.7", "client-wave", `{}`, channels.ErrClientEvent},
		{"private-cache-v1.users.7", "client-wave", `{}`, channels.ErrClientEvent},
		{"private-encrypted-v1.users.7", "client-wave", `{}`, channels.ErrClientEvent},
		{line, "client-typing", `{"payload":{"data":[],"meta":{}}}`, channels.ErrClientPayload},
		{line, "client-typing", `{"a":1,"payl\u006fad":null}`, channels.ErrClientPayload},
		{line, "client-typing", `{"Payload":{}}`, channels.ErrClientPayload},
		{line, "client-typing", `"{\"payload\":{}}"`, channels.ErrClientPayload},
		{"private-orders", "client-message", `{"payload":{}}`, nil},
		{"private-v1", "client-message", `{}`, nil},
		{"private-v1.orders", "client-message", `{"payload":{}}`, nil}, // an app's own
	} {
		n, err := channels.Parse(tt.channel)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.CheckClientEvent(tt.event, []byte(tt.data)); !errors.Is(err, tt.want) {
			t.Errorf("%s on %s with %s: %v, want %v", tt.event, tt.channel, tt.data, err, tt.want)
		}
	}
}
