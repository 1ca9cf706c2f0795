package whatsapp

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

// faulty is the rules with a database that is unavailable now and then.
type faulty struct {
	*crm.Service
	ingests atomic.Int64
}

func (f *faulty) Ingest(ctx context.Context, on crm.Line, batch crm.InboundBatch) (crm.InboundResult, error) {
	switch n := f.ingests.Add(1); {
	case n%17 == 0:
		return crm.InboundResult{}, errUnavailable // fails before the commit
	case n%41 == 0:
		panic("a fault of the moment")
	case n%23 == 0:
		answer, err := f.Service.Ingest(ctx, on, batch)
		if err == nil {
			err = errUnavailable // fails after the commit
		}
		return answer, err
	}
	return f.Service.Ingest(ctx, on, batch)
}

// TestNothingLostNothingTwice checks that every message is published once and in order,
// whatever fails.
func TestNothingLostNothingTwice(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		h.stop()
		rules := &faulty{Service: h.Service}
		m, stop := h.node(t, rules)
		h.Service.Messengers[Type] = m
		h.awaitState(t, crm.StateConnected)
		var want, ids []string
		for i := range 120 {
			switch {
			case i%40 == 5:
				h.shop.Drop()
			case i%40 == 15:
				h.shop.Duplicate(3)
			case i%40 == 25:
				h.shop.CutOnDelivery(1, true)
			case i == 70: // the program ends and starts again
				stop()
				_, stop = h.node(t, rules)
			}
			text := fmt.Sprint("message ", i)
			want = append(want, text)
			ids = append(ids, h.anna.SendText(h.shop, text))
		}
		h.awaitItem(t, crm.EventMessage, `"message 119"`)
		if got := h.texts(t); !slices.Equal(got, want) {
			t.Errorf("told %d, want %d:\n%q", len(got), len(want), got)
		}
		for _, id := range ids {
			if err := h.anna.AwaitDelivered(testwait.Context(t), id); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.shop.AwaitSettled(testwait.Context(t)); err != nil {
			t.Error(err)
		}
	})
}

func TestSentInOrderThroughDrops(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		h.anna.SendText(h.shop, "hello")
		h.awaitItem(t, crm.EventMessage, "hello")
		var want []string
		for i := range 12 {
			switch i {
			case 3:
				h.shop.CutOnSend(true, 1)
			case 7:
				h.shop.CutOnSend(false, 1)
			}
			want = append(want, fmt.Sprint("out ", i))
			h.send(t, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: fmt.Sprint("out ", i)}})
		}
		if _, err := h.anna.AwaitText(testwait.Context(t), "out 11"); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range h.anna.Inbox() {
			got = append(got, r.Text())
		}
		if !slices.Equal(got, want) {
			t.Errorf("arrived as %q", got)
		}
		h.shop.FailSends(463, 1)
		id := h.send(t, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: "refused"}})
		h.awaitItem(t, crm.EventMessageStatus, id, `"failed"`, codeReachout)
	})
}

// TestAnotherNodeTakesOver checks that two processes never hold one session, and that one
// takes over when the other stops.
func TestAnotherNodeTakesOver(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		second, _ := h.node(t, h.Service, func(o *Options) {
			o.times = patient
			o.times.lease = 3 * time.Second // by the database's clock: a slow machine must be able to renew it
		})
		second.tend(t.Context(), true)
		if second.serving(testLine) != nil {
			t.Fatal("two processes serve one line")
		}
		h.stop()
		h.Service.Messengers[Type] = second
		eventually(t, "nobody took over", func() bool { return second.serving(testLine) != nil })
		h.anna.SendText(h.shop, "who is there?")
		h.awaitItem(t, crm.EventMessage, "who is there?")
		if st, err := h.LineStatus(t.Context(), h.Owner, testLine); err != nil || st.State == crm.StateReplaced {
			t.Errorf("%+v, %v", st, err)
		}
	})
}

func TestLoggedOutLineRefuses(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		if err := h.Logout(testwait.Context(t), h.Owner, testLine); err != nil {
			t.Fatal(err)
		}
		h.awaitState(t, crm.StateLoggedOut)
		_, err := h.Send(t.Context(), h.Operator, h.chat(), crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: "hello?"}})
		if e, ok := err.(*crm.Error); !ok || e.Code != crm.CodeUnavailable {
			t.Errorf("it sends: %v", err)
		}
		if n := h.shop.Devices(); n != 0 {
			t.Errorf("%d devices are linked", n)
		}
	})
}

// TestForgedReceipt checks that a customer's receipt changes only the statuses of messages
// in their own chat, whatever ids it names.
func TestForgedReceipt(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		boris := h.wa.NewContact("79995554455", "100200355", "Boris")
		h.awaitItem(t, crm.EventMessage, h.anna.SendText(h.shop, "Do you have tea?"))
		h.awaitItem(t, crm.EventMessage, boris.SendText(h.shop, "Do you have milk?"))
		out := h.send(t, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: "We do"}})
		h.awaitItem(t, crm.EventMessageStatus, `"id":"`+out+`"`, `"type":"delivered"`)
		boris.Read(h.shop, out)
		h.awaitItem(t, crm.EventMessage, boris.SendText(h.shop, "And what she has read?")) // arrives after the receipt
		for _, ev := range h.EventsAfter(t, 0, crm.EventMessageStatus) {
			if text := string(ev.Data); strings.Contains(text, out) && strings.Contains(text, "viewed") {
				t.Errorf("Boris has read what was written to Anna: %s", text)
			}
		}
		h.anna.Read(h.shop, out)
		h.awaitItem(t, crm.EventMessageStatus, `"id":"`+out+`"`, `"type":"viewed"`)
	})
}

// TestAskedAgainOfRealRules checks that a message is sent again after a restart when a
// phone asks for it under the hidden id, while the chat is one that an operator began with
// the phone number.
func TestAskedAgainOfRealRules(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		if _, err := h.CreateChat(t.Context(), h.Operator, testLine, crm.ChatInput{Phone: crm.Value(h.anna.Number().User)}); err != nil {
			t.Fatal(err)
		}
		id := h.send(t, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: "We do"}})
		got, err := h.anna.AwaitText(testwait.Context(t), "We do")
		if err != nil || got.To != h.anna.HiddenID() {
			t.Fatalf("%+v, %v", got, err)
		}
		h.awaitItem(t, crm.EventMessageStatus, id, `"type":"delivered"`)
		h.stop()
		h.m, h.stop = h.node(t, h.Service)
		h.Service.Messengers[Type] = h.m
		eventually(t, "the account does not come back", h.shop.Online)
		h.anna.AskAgain(h.shop, id)
		again, err := h.anna.Await(testwait.Context(t), func(r whatsapptest.Received) bool { return r.ID == id && r.Copies == 2 })
		if err != nil || again.Text() != "We do" {
			t.Errorf("%+v, %v", again, err)
		}
	})
}
