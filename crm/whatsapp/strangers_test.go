package whatsapp

import (
	"fmt"
	"os"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
)

// TestFirstMessagesKeepTheirDistance checks that a careful line sends one first message at a
// time, whatever the rules know of the one before it by then: its attempt may take long.
func TestFirstMessagesKeepTheirDistance(t *testing.T) {
	for name, file := range map[string]string{"texts": "", "files": "f1"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, guarded)
			w.NewContact("79991112233", "555666777", "Bob")
			w.pair(t)
			slow, disk, err := os.Pipe() // a file that does not end before disk is closed
			if err != nil {
				t.Fatal(err)
			}
			w.rules.change(func() { w.rules.stored = map[string]*os.File{"f1": slow} })
			w.rate(crm.LineRating{Rating: crm.Rating{Rating: crm.RatingCareful}, LastContact: time.Now().Add(-time.Hour)})
			w.rules.change(func() { // at once
				for i := range 3 {
					item := crm.OutboxItem{Kind: crm.OutMessage, ID: int64(i + 1), Line: testLine, FirstContact: true, Message: &crm.MessageRef{
						ID: fmt.Sprint("3EB0C", i), FromMe: true, Type: crm.MessageText, Content: crm.Content{Text: "Hello"}, FileID: file,
					}, CreatedAt: time.Now(), Deadline: time.Now().Add(time.Hour), ChatID: fmt.Sprintf("7999111223%d@c.us", i+3)}
					if file != "" {
						item.Message.Type = crm.MessageDocument
						item.Message.Content = crm.Content{File: &crm.FileData{Name: "f.txt"}}
					}
					w.rules.outbox = append(w.rules.outbox, item)
				}
			})
			w.m.Queue(testLine)
			for i, at := range w.awaitHeld(t, 2) {
				if wait := time.Until(at); wait < time.Duration(i+1)*time.Minute-10*time.Second || wait > time.Duration(i+1)*90*time.Second+time.Second {
					t.Errorf("message %d waits %v", i+2, wait)
				}
			}
			if err := disk.Close(); err != nil {
				t.Fatal(err)
			}
			if o := w.awaitOutcome(t, 1); o.Status != crm.OutSent {
				t.Errorf("the first one: %+v, %+v", o, o.Error)
			}
		})
	}
}

// TestAnswersGoBeforeStrangers checks that an answer does not wait for the first messages
// before it in the outbox, and that all of these are sent without being asked for again.
func TestAnswersGoBeforeStrangers(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	const strangers = 3*strangersAtOnce/2 + 1
	w.strangersAndAnna(strangers)
	if o := w.awaitOutcome(t, 1); o.Status != crm.OutSent {
		t.Errorf("the first outcome is %+v, %+v", o, o.Error)
	}
	if o := w.awaitOutcome(t, strangers+1); o.Status != crm.OutFailed || o.Error.Code != codeNotOnWhatsApp {
		t.Errorf("the last outcome is %+v, %+v", o, o.Error)
	}
}

// strangersAndAnna queues first messages to people without WhatsApp and then an answer.
func (w *world) strangersAndAnna(strangers int) {
	add := func(id int, item crm.OutboxItem) {
		item.ID, item.Line, item.CreatedAt, item.Deadline = int64(id), testLine, time.Now(), time.Now().Add(time.Hour)
		item.Kind, item.Message = crm.OutMessage, &crm.MessageRef{ID: fmt.Sprint("3EB0E", id), FromMe: true, Type: crm.MessageText, Content: crm.Content{Text: "Hello"}}
		w.rules.outbox = append(w.rules.outbox, item)
	}
	w.rules.change(func() {
		for i := range strangers {
			add(i+1, crm.OutboxItem{FirstContact: true, ChatID: fmt.Sprintf("79991112%03d@c.us", i)})
		}
		add(strangers+1, crm.OutboxItem{ChatID: anna})
	})
	w.m.Queue(testLine)
}

// TestManyStrangersAreNotRead checks that the sender does not read all first messages that
// are due when it sends a few of them, and that it goes on with them at once.
func TestManyStrangersAreNotRead(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.strangersAndAnna(sendPage + 1)
	var failed, later int
	err := w.rules.await(testwait.Context(t), "the answer and the next strangers", func() bool {
		answered := false
		failed, later = 0, w.rules.laterPages
		for _, o := range w.rules.outcomes {
			answered = answered || o.Status == crm.OutSent
			if o.Status == crm.OutFailed {
				failed++
			}
		}
		return answered && failed > strangersAtOnce
	})
	if err != nil || later > 0 {
		t.Errorf("%d more pages of strangers were read, %v", later, err)
	}
}

// TestStrangersSeeNoTyping checks that a first message is sent without a word before it.
func TestStrangersSeeNoTyping(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.TypeFor = time.Second })
	bob := w.NewContact("79991112233", "555666777", "Bob")
	w.pair(t)
	w.first("3EB0F1", bob.Number().User)
	if _, err := bob.AwaitText(testwait.Context(t), "Hello"); err != nil {
		t.Fatal(err)
	}
	if shown := bob.Typings(); len(shown) > 0 {
		t.Errorf("Bob saw %+v", shown)
	}
}
