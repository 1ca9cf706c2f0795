package whatsapp

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.mau.fi/whatsmeow"

	"chatcast/channels/testwait"
	"chatcast/crm"
)

// poison makes the rules panic at these files: it stands for a file or a text that our
// code, or a library's, cannot bear.
func (w *world) poison(ids ...string) {
	w.rules.change(func() {
		w.rules.onFile = func(id string) {
			for _, bad := range ids {
				if id == bad {
					panic("poison " + id)
				}
			}
		}
	})
}

// TestPanicFailsOneMessage checks that a message whose preparation panics fails with a
// reason of its own, and that what follows it is sent.
func TestPanicFailsOneMessage(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.poison("F1")
	w.sendsFile(t, "1")
	w.say("3EB0A2", "after it")
	if o := w.awaitOutcome(t, 1); o.Status != crm.OutFailed || o.Error.Code != codeFault || strings.Contains(o.Error.Message, "poison") {
		t.Errorf("the file ends as %+v", o)
	}
	if _, err := w.anna.AwaitText(testwait.Context(t), "after it"); err != nil {
		t.Error(err)
	}
	edit := crm.OutboxItem{Kind: crm.OutEdit, ChatID: "79995554433@c.us", Message: &crm.MessageRef{
		ID: "1", FromMe: true, Type: crm.MessageImage, FileID: "F1", Content: crm.Content{File: &crm.FileData{Name: "photo.jpg"}},
	}}
	w.enqueue(edit)
	if o := w.awaitOutcome(t, 3); o.Status != crm.OutFailed || o.Error.Code != codeFault {
		t.Errorf("the edit ends as %+v", o)
	}
	w.anna.AskAgain(w.shop, "3EB0A2") // the line serves on
	w.anna.SendText(w.shop, "thank you")
	w.awaitText(t, "thank you")
}

// TestPanicFailsOneFile checks that a file whose storing panics is given up, at its arrival
// and when it is fetched later, and that its message and what follows it come.
func TestPanicFailsOneFile(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	large := w.Upload(make([]byte, 1<<20-1), whatsmeow.MediaDocument) // not fetched at its arrival
	m := w.fileOf(t, w.anna.Send(w.shop, large.Document("poison.bin", "application/octet-stream", "")))
	w.poison("F" + m.ID.String())
	w.toFetch(m)
	w.awaitUnfetched(t, crm.FileFailed)
	fine := w.fileOf(t, w.anna.Send(w.shop, w.Upload([]byte("fine"), whatsmeow.MediaDocument).Document("fine.txt", "text/plain", "")))
	w.toFetch(fine)
	w.awaitFile(t, "F"+fine.ID.String(), "fine")
}

// TestWorkGoesOnAfterPanics checks that work of a line is begun again after a panic, not at
// once, and not after the line's end.
func TestWorkGoesOnAfterPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		began, times := time.Now(), 0
		keepDoing(ctx, testLog(), "work", func(context.Context) {
			if times++; times == 3 {
				cancel()
			}
			panic("a fault")
		})
		if took := time.Since(began); times != 3 || took != 2*afterPanic {
			t.Errorf("begun %d times in %s", times, took)
		}
		keepDoing(t.Context(), testLog(), "work", func(context.Context) { times++ })
		if times != 4 {
			t.Error("work that is done was begun again")
		}
	})
}
