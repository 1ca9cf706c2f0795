package pusher_test

import (
	"testing"

	"chatcast/broadcasting"
)

// TestClientEventsOfTheCRM sends client events on a channel of the CRM, where only the
// CRM's own are relayed, and on another one.
func TestClientEventsOfTheCRM(t *testing.T) {
	h := newHarness(t)
	a, b := h.connect(t), h.connect(t)
	const line, other = "private-v1.licenses.1.messengers.telegram", "private-orders"
	for _, channel := range []string{line, other} {
		for _, r := range []*raw{a, b} {
			if _, err := h.engine.Grant(t.Context(), "3", r.id, broadcasting.Owner{UserID: "7"}, channel, ""); err != nil {
				t.Fatal(err)
			}
			r.enter(channel)
		}
	}
	refused := func(message, why string) {
		t.Helper()
		a.send(message)
		a.expect(errorSays(4301, "Client event rejected: "+why))
	}
	refused(`{"event":"client-message","channel":"`+line+`","data":{}}`,
		"The channels of the CRM have only the client events client-typing, client-stopped-typing, client-viewing")
	refused(`{"event":"client-typing","channel":"`+line+`","data":{"payload":{"data":[],"meta":{"eventId":9}}}}`,
		"The data of a client event may not have a payload, as the events of the CRM have")
	for _, relayed := range []string{
		`{"event":"client-typing","channel":"` + line + `","data":{"chatId":"79990001122"}}`,
		`{"event":"client-message","channel":"` + other + `","data":{"payload":{}}}`,
	} {
		a.send(relayed)
		b.expect(relayed) // and nothing before it
	}
}
