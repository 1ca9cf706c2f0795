package whatsapp

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
	"chatcast/crm/whatsapp/whatsapptest"
)

const anna = "79995554433@c.us"

func (w *world) send(ref crm.MessageRef) {
	ref.FromMe = true
	w.enqueue(crm.OutboxItem{Kind: crm.OutMessage, ChatID: anna, Message: &ref})
}

func TestKindsToSend(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	in := w.anna.SendText(w.shop, "a question")
	w.awaitText(t, "a question")
	question := &crm.MessageRef{ID: in, AuthorID: anna, Type: crm.MessageText, Content: crm.Content{Text: "a question"}}

	w.enqueue(crm.OutboxItem{Kind: crm.OutMessage, ChatID: anna, Quoted: question, Message: &crm.MessageRef{
		ID: "3EB001", FromMe: true, Type: crm.MessageText, Content: crm.Content{Text: "an answer"}, Quoted: in,
	}})
	got := w.received(t, "3EB001")
	if x := got.Message.GetExtendedTextMessage(); x.GetText() != "an answer" || x.GetContextInfo().GetStanzaID() != in ||
		x.GetContextInfo().GetParticipant() != w.anna.Number().String() || x.GetContextInfo().GetQuotedMessage().GetConversation() != "a question" {
		t.Errorf("the answer arrived as %v", got.Message)
	}

	w.send(crm.MessageRef{ID: "3EB002", Type: crm.MessageLocation, Content: crm.Content{Location: &crm.Location{Latitude: 52.5, Longitude: 13.4, Name: "Here"}}})
	if l := w.received(t, "3EB002").Message.GetLocationMessage(); l.GetDegreesLatitude() != 52.5 || l.GetName() != "Here" {
		t.Errorf("the place arrived as %v", l)
	}
	w.send(crm.MessageRef{ID: "3EB003", Type: crm.MessageContact, Content: crm.Content{Contact: &crm.ContactCard{Name: "Bob; Jr", Phone: "+49 30 123"}}})
	if card := content.Translate(w.received(t, "3EB003").Message).Content.Contact; card == nil || card.Name != "Bob; Jr" || card.Phone != "+49 30 123" { // a number without WhatsApp
		t.Errorf("the card arrived as %+v", card)
	}
	w.send(crm.MessageRef{ID: "3EB004", Type: crm.MessagePoll, Content: crm.Content{Poll: &crm.Poll{Question: "Which?", Options: []string{"a", "b"}, Multiple: true}}})
	if p := content.Translate(w.received(t, "3EB004").Message).Content.Poll; p == nil || !p.Multiple || p.Most != 0 || !slices.Equal(p.Options, []string{"a", "b"}) {
		t.Errorf("the poll arrived as %+v", p)
	}
	w.send(crm.MessageRef{ID: "3EB006", Type: crm.MessagePoll, Content: crm.Content{Poll: &crm.Poll{Question: "Which two?", Options: []string{"a", "b", "c"}, Multiple: true, Most: 2}}})
	if m := w.received(t, "3EB006").Message; m.GetPollCreationMessage().GetSelectableOptionsCount() != 2 || content.Translate(m).Content.Poll.Most != 2 {
		t.Errorf("the poll for two options arrived as %v", m)
	}
	w.enqueue(crm.OutboxItem{Kind: crm.OutMessage, ChatID: anna, Reaction: question, Message: &crm.MessageRef{
		ID: "3EB005", FromMe: true, Type: crm.MessageReaction, Content: crm.Content{Reaction: &crm.Reaction{MessageID: content.ID(in), Emoji: "❤"}},
	}})
	if r := w.received(t, "3EB005").Message.GetReactionMessage(); r.GetText() != "❤" || r.GetKey().GetID() != in || r.GetKey().GetFromMe() {
		t.Errorf("the reaction arrived as %v", r)
	}

	edited := &crm.MessageRef{ID: "3EB001", FromMe: true, Type: crm.MessageText, Content: crm.Content{Text: "a better answer"}}
	w.enqueue(crm.OutboxItem{Kind: crm.OutEdit, ChatID: anna, Message: edited})
	if _, err := w.anna.Await(testwait.Context(t), func(r whatsapptest.Received) bool {
		p := r.Message.GetProtocolMessage()
		return p.GetKey().GetID() == "3EB001" && p.GetEditedMessage().GetConversation() == "a better answer"
	}); err != nil {
		t.Errorf("the edit: %v", err)
	}
	w.enqueue(crm.OutboxItem{Kind: crm.OutDelete, ChatID: anna, Message: edited})
	if _, err := w.anna.Await(testwait.Context(t), func(r whatsapptest.Received) bool {
		return r.Edit == "7" && r.Message.GetProtocolMessage().GetKey().GetID() == "3EB001"
	}); err != nil {
		t.Errorf("the deletion: %v", err)
	}
	w.enqueue(crm.OutboxItem{Kind: crm.OutRead, ChatID: anna, Reads: []crm.MessageRef{*question}})
	if err := w.anna.AwaitReceipt(testwait.Context(t), in, "read"); err != nil {
		t.Error(err)
	}
	w.awaitOutcome(t, 8)
	w.rules.mu.Lock()
	defer w.rules.mu.Unlock()
	for i, o := range w.rules.outcomes {
		if o.Status != crm.OutSent {
			t.Errorf("outcome %d is %+v", i, o)
		}
	}
	w.sound(t)
}

func (w *world) received(t *testing.T, id string) whatsapptest.Received {
	t.Helper()
	r, err := w.anna.AwaitID(testwait.Context(t), id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRefusals(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	for i, c := range []struct {
		code int
		want string
	}{{463, codeReachout}, {403, codeForbidden}, {479, codeRejected}, {404, codeNotOnWhatsApp}} {
		w.shop.FailSends(c.code, 1)
		w.say(fmt.Sprintf("3EB10%d", i), "no")
		if o := w.awaitOutcome(t, i+1); o.Status != crm.OutFailed || o.Error.Code != c.want || o.Error.Message == "" {
			t.Errorf("%d is %+v, %+v", c.code, o, o.Error)
		}
	}
	w.say("3EB1FF", "yes")
	if o := w.awaitOutcome(t, 5); o.Status != crm.OutSent {
		t.Errorf("afterwards: %+v", o)
	}
}

// TestNotOnWhatsApp checks numbers without WhatsApp: strangers are looked up before they
// are written to, and others cannot be addressed, because they have no hidden id any more.
func TestNotOnWhatsApp(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	for i, stranger := range []bool{true, false} {
		w.enqueue(crm.OutboxItem{Kind: crm.OutMessage, ChatID: "79990000000@c.us", FirstContact: stranger, Message: &crm.MessageRef{
			ID: fmt.Sprint("3EB20", i), FromMe: true, Type: crm.MessageText, Content: crm.Content{Text: "hello?"},
		}})
		if o := w.awaitOutcome(t, i+1); o.Status != crm.OutFailed || o.Error.Code != codeNotOnWhatsApp {
			t.Errorf("a stranger %v: the outcome is %+v, %+v", stranger, o, o.Error)
		}
	}
}

// TestCutWhileSending checks that a message is sent again under the same id, and arrives
// once and in order.
func TestCutWhileSending(t *testing.T) {
	for name, delivered := range map[string]bool{"before it was taken": false, "after it was delivered": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.pair(t)
			w.shop.CutOnSend(delivered, 1)
			w.say("3EB300", "one")
			w.say("3EB301", "two")
			w.received(t, "3EB301")
			var got []string
			for _, r := range w.anna.Inbox() {
				got = append(got, r.Text())
			}
			if !slices.Equal(got, []string{"one", "two"}) {
				t.Errorf("arrived as %q", got)
			}
			var last crm.Outcome
			for n := 1; last.Status != crm.OutSent; n++ {
				last = w.awaitOutcome(t, n)
				if last.Status == crm.OutFailed {
					t.Fatalf("failed: %+v", last.Error)
				}
			}
		})
	}
}

func TestAckThatNeverComes(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.times = patient
		o.times.answer = time.Second
	})
	w.pair(t)
	w.shop.LoseAcks(1)
	w.say("3EB400", "once")
	if o := w.awaitOutcome(t, 1); o.Status != crm.OutRetry || o.Error.Code != codeTimeout {
		t.Errorf("without an answer: %+v, %+v", o, o.Error)
	}
	for n, o := 2, (crm.Outcome{}); o.Status != crm.OutSent; n++ { // a slow machine may be late once more
		if o = w.awaitOutcome(t, n); o.Status == crm.OutFailed {
			t.Fatalf("try %d: %+v, %+v", n, o, o.Error)
		}
	}
	if r := w.received(t, "3EB400"); len(w.anna.Inbox()) != 1 {
		t.Errorf("it arrived as %+v among %d", r, len(w.anna.Inbox()))
	}
}

// TestEditWithoutAnswer loses the acknowledgements of an edit and of a deletion. Each is
// sent again under the same id, so it arrives once.
func TestEditWithoutAnswer(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.times = patient
		o.times.answer = time.Second
	})
	w.pair(t)
	n := 0
	sent := func(what string) { // a slow machine may be late a few times
		t.Helper()
		for done := false; !done; {
			n++
			o := w.awaitOutcome(t, n)
			if o.Status == crm.OutFailed {
				t.Fatalf("%s, outcome %d: %+v, %+v", what, n, o, o.Error)
			}
			done = o.Status == crm.OutSent
		}
	}
	w.say("3EB410", "to be edited")
	sent("the message")
	ids := map[string]bool{}
	for _, kind := range []string{crm.OutEdit, crm.OutDelete} {
		w.shop.LoseAcks(1)
		w.enqueue(crm.OutboxItem{Kind: kind, ChatID: anna, Message: &crm.MessageRef{
			ID: "3EB410", FromMe: true, Type: crm.MessageText, Content: crm.Content{Text: "better"},
		}})
		n++
		if o := w.awaitOutcome(t, n); o.Status != crm.OutRetry || o.Error.Code != codeTimeout {
			t.Errorf("%s without an answer: %+v, %+v", kind, o, o.Error)
		}
		sent(kind)
	}
	for _, r := range w.anna.Inbox() {
		ids[r.ID] = true
		if want := "^3EB0[0-9A-F]{18}$"; r.ID != "3EB410" && !regexp.MustCompile(want).MatchString(r.ID) {
			t.Errorf("the id is %q, want %s", r.ID, want)
		}
	}
	if len(w.anna.Inbox()) != 3 || len(ids) != 3 {
		t.Errorf("%d messages arrived under the ids %v, want a message, an edit and a deletion", len(w.anna.Inbox()), ids)
	}
}

func TestQueuedWhileAway(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.Unavailable(true)
	w.shop.Drop()
	w.awaitState(t, crm.StateDisconnected)
	for i := range 5 {
		w.say(fmt.Sprintf("3EB50%d", i), fmt.Sprint(i))
	}
	w.Unavailable(false)
	w.received(t, "3EB504")
	var got []string
	for _, r := range w.anna.Inbox() {
		got = append(got, r.Text())
	}
	if !slices.Equal(got, []string{"0", "1", "2", "3", "4"}) {
		t.Errorf("arrived as %q", got)
	}
}

// TestOneChatHoldsUpItselfAlone checks that a waiting message does not delay other chats.
func TestOneChatHoldsUpItselfAlone(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	bob := w.NewContact("79991112233", "555666777", "Bob")
	w.shop.FailSends(503, 1)
	w.say("3EB600", "waits")
	w.say("3EB601", "waits behind it")
	w.enqueue(crm.OutboxItem{Kind: crm.OutMessage, ChatID: "79991112233@c.us", Message: &crm.MessageRef{
		ID: "3EB602", FromMe: true, Type: crm.MessageText, Content: crm.Content{Text: "passes"},
	}})
	if _, err := bob.AwaitText(testwait.Context(t), "passes"); err != nil {
		t.Fatal(err)
	}
	w.received(t, "3EB601")
	if in := w.anna.Inbox(); in[0].Text() != "waits" || in[1].Text() != "waits behind it" {
		t.Errorf("the order is %q, %q", in[0].Text(), in[1].Text())
	}
}

// TestSlowUploadHoldsUpItsOwnChatAlone checks that a slow upload does not delay other
// chats, and that later messages of its own chat stay behind it.
func TestSlowUploadHoldsUpItsOwnChatAlone(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	bob := w.NewContact("79991112233", "555666777", "Bob")
	slow, disk, err := os.Pipe() // a file that does not end before disk is closed
	if err != nil {
		t.Fatal(err)
	}
	w.rules.change(func() { w.rules.stored = map[string]*os.File{"slow.txt": slow} })
	w.send(crm.MessageRef{ID: "3EB650", Type: crm.MessageDocument, FileID: "slow.txt", Content: crm.Content{File: &crm.FileData{Name: "slow.txt"}}})
	w.say("3EB651", "behind the file")
	w.enqueue(crm.OutboxItem{Kind: crm.OutMessage, ChatID: "79991112233@c.us", Message: &crm.MessageRef{
		ID: "3EB652", FromMe: true, Type: crm.MessageText, Content: crm.Content{Text: "passes"},
	}})
	if _, err := bob.AwaitText(testwait.Context(t), "passes"); err != nil {
		t.Fatal(err)
	}
	if n := len(w.anna.Inbox()); n > 0 {
		t.Errorf("%d arrived before the file", n)
	}
	if _, err := disk.WriteString("all of it"); err != nil {
		t.Fatal(err)
	}
	disk.Close()
	w.received(t, "3EB651")
	in := w.anna.Inbox()
	if b, err := w.Open(in[0].Attachment()); err != nil || string(b) != "all of it" || in[1].Text() != "behind the file" {
		t.Errorf("arrived %q, %v, then %q", b, err, in[1].Text())
	}
}

// TestAskedAgainAfterRestart checks that a device that could not decrypt a message gets it
// again from our table.
func TestAskedAgainAfterRestart(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.say("3EB700", "read me again")
	w.received(t, "3EB700")
	w.awaitOutcome(t, 1)
	w.stop()
	w.start(t)
	w.awaitServed(t, true)
	w.awaitState(t, crm.StateConnected)
	w.anna.AskAgain(w.shop, "3EB700")
	if _, err := w.anna.Await(testwait.Context(t), func(r whatsapptest.Received) bool { return r.ID == "3EB700" && r.Copies == 2 }); err != nil {
		t.Error(err)
	}
}

func TestOutcomes(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for _, c := range []struct {
		err    error
		status string
		code   string
	}{
		{fmt.Errorf("%w 463", whatsmeow.ErrServerReturnedError), crm.OutFailed, codeReachout},
		{fmt.Errorf("%w 429", whatsmeow.ErrServerReturnedError), crm.OutRetry, codeBusy},
		{fmt.Errorf("%w 500", whatsmeow.ErrServerReturnedError), crm.OutRetry, codeOffline},
		{errors.New("upload failed with status code 413"), crm.OutFailed, codeTooLarge},
		{errors.New("upload failed with status code 500"), crm.OutRetry, codeOffline},
		{whatsmeow.ErrMessageTimedOut, crm.OutRetry, codeTimeout},
		{whatsmeow.ErrNotConnected, crm.OutRetry, codeOffline},
		{whatsmeow.ErrNotInGroup, crm.OutFailed, codeForbidden},
		{whatsmeow.ErrUnknownServer, crm.OutFailed, codeUnsupported},
		{errNothing, crm.OutFailed, codeUnsupported},
		{&crm.Error{Code: crm.CodeNotFound, Message: "file not found"}, crm.OutFailed, codeNoFile},
		{fmt.Errorf("upload: %w", crm.Unavailable("the file store cannot be used now")), crm.OutRetry, codeStore},
	} {
		o := outcomeOf(c.err, 3, now)
		if o.Status != c.status || o.Error == nil || o.Error.Code != c.code {
			t.Errorf("%v is %+v, %+v", c.err, o, o.Error)
		}
		if o.Status == crm.OutRetry && o.NotBefore != now.Add(4*time.Second) {
			t.Errorf("%v: the third try is followed by one at %v", c.err, o.NotBefore.Sub(now))
		}
	}
}
