package channels

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// clientEvents are the client events of the CRM's channels. They say what an operator is
// doing, to colleagues who look at the same line. Everybody on a channel may send them,
// also those who may only read.
var clientEvents = []string{"client-typing", "client-stopped-typing", "client-viewing"}

// Errors of a client event on a channel of the CRM.
var (
	ErrClientEvent   = errors.New("channels: the channels of the CRM have only the client events " + strings.Join(clientEvents, ", "))
	ErrClientPayload = errors.New("channels: the data of a client event may not have a payload, as the events of the CRM have")
)

// CheckClientEvent returns why a client event may not be sent on n, nil when it may. data
// is valid JSON or empty. Only the channels of the CRM have rules: their clients act on
// what they read, so nobody may send what looks like an event of the CRM there.
func (n Name) CheckClientEvent(event string, data []byte) error {
	if !n.Reserved() {
		return nil
	}
	if !slices.Contains(clientEvents, event) {
		return ErrClientEvent
	}
	var text string
	if json.Unmarshal(data, &text) == nil {
		data = []byte(text) // pusher-js parses a string
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) == nil {
		for field := range fields {
			if strings.EqualFold(field, "payload") { // as some JSON libraries match names
				return ErrClientPayload
			}
		}
	}
	return nil
}
