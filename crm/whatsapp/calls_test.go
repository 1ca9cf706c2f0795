package whatsapp

import (
	"testing"

	"chatcast/crm"
)

func TestCalls(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	id := w.anna.Call(w.shop, true)
	m := w.awaitMessage(t, "the call", func(m crm.InboundMessage) bool { return m.Type == "call" })
	if m.ID.String() != id || *m.Subtype != "video" || m.Chat.ID.String() != "79995554433@c.us" {
		t.Errorf("came as %+v", m)
	}
}
