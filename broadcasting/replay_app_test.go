package broadcasting_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"chatcast/broadcasting"
	"chatcast/channels/testwait"
)

// openBook is a book that everybody may read.
type openBook struct{ *book }

func (openBook) View(context.Context, string, string) (string, error) { return "all", nil }

// resumingApp returns an engine whose app 1 has a history.
func resumingApp(t *testing.T) (*broadcasting.Engine, *book) {
	e, crm := resuming(t)
	crm.fill(crmLine, 1) // another history, of a channel with that name
	books := map[string]*book{"1": {}, "2": {}}
	books["2"].fill(crmLine, 9)
	e.SetAppHistory(func(app string) broadcasting.History { return openBook{books[app]} }, slog.New(slog.DiscardHandler))
	return e, books["1"]
}

// withNumbers returns the frames of events, each with its number before it.
func withNumbers(seqs ...int) (frames []string) {
	for _, seq := range seqs {
		frames = append(frames, fmt.Sprintf("next %s %d", crmLine, seq), fmt.Sprintf("%s e %d", crmLine, seq))
	}
	return frames
}

// A channel of an app has a history of its own. A socket that resumes gets the number of
// each event before it, and not the events that it has sent, or the one before it. Others
// get what they always got.
func TestResumeChannelOfApp(t *testing.T) {
	e, b := resumingApp(t)
	b.fill(crmLine, 5)
	b.entries[1].Except, b.entries[2].Except, b.entries[3].Except = "1.1", "9.9", "8.8"
	back, plain := connect(t, e, "1", "1.1", words("")), connect(t, e, "1", "2.2", words(""))
	join(t, plain, crmLine)
	w := want(t, crmLine)
	w.Resume, w.Previous = true, "9.9"
	if err := back.Subscribe(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	missed := append(append([]string{"in " + crmLine}, withNumbers(1, 4, 5)...), position(5))
	back.await(t, len(missed))
	expect(t, back, missed...)
	expect(t, plain, "in "+crmLine)

	e.Deliver(b.write(crmLine))
	own := b.write(crmLine)
	own.Except = "1.1"
	e.Deliver(own)
	e.Deliver(b.write(crmLine))
	expect(t, back, withNumbers(6, 8)...)
	expect(t, plain, numbered(6, 8)...)
}

// A client of an app answers pings like others. What it has got of the app's channels is for
// the client to say.
func TestPongOfResumedApp(t *testing.T) {
	e, b := resumingApp(t)
	b.fill(crmLine, 2)
	m := connect(t, e, "1", "1.1", words(""))
	w := want(t, crmLine)
	w.Resume = true
	if err := m.Subscribe(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	m.await(t, 6) // with its position
	m.Ask()
	m.Answered()
	if p, known := e.Received(t.Context(), "1", "1.1", "", crmLine); known {
		t.Errorf("the server says that the client has got %+v", p)
	}
}

// Whoever resumes reads the history again when this node has left events out. The events
// after them wait for that.
func TestReread(t *testing.T) {
	e, b := resumingApp(t)
	b.fill(crmLine, 2)
	back, plain := connect(t, e, "1", "1.1", words("")), connect(t, e, "1", "2.2", words(""))
	w := want(t, crmLine)
	w.Resume, w.After = true, 2
	if err := back.Subscribe(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	join(t, plain, crmLine)
	back.await(t, 2)
	expect(t, back, "in "+crmLine, position(2))
	b.fill(crmLine, 3) // 3 and 4 are gone before they were delivered
	b.prune(4)
	e.Reread()
	e.Deliver(broadcasting.Event{App: "1", Channel: crmLine, Name: "e", Data: "5", Seq: 5})
	back.await(t, 2)
	expect(t, back, "failed "+crmLine+" 5 5", position(5))
	e.Deliver(b.write(crmLine))
	expect(t, back, withNumbers(6)...)
	expect(t, plain, append([]string{"in " + crmLine}, numbered(5, 6)...)...)
}

// An event that does not fit behind its number waits, and its number is not repeated.
func TestReplayOfAppIsPaced(t *testing.T) {
	e, b := resumingApp(t)
	b.fill(crmLine, 4)
	p := connectPaced(t, e, "1.1", 1)
	w := want(t, crmLine)
	w.Resume, w.After = true, 1
	if err := p.Subscribe(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	all := append(append([]string{"in " + crmLine}, withNumbers(2, 3, 4)...), position(4))
	for n := 2; n <= len(all)-1; n++ { // the last two come together: the position needs no room
		p.await(t, min(n, len(all)))
		if n < len(all)-1 {
			testwait.Count(t, "replays that wait for room", 1, func() int {
				if p.read() {
					return 1
				}
				return 0
			})
		}
	}
	p.await(t, len(all))
	expect(t, p.mailbox, all...)
}
