package broadcasting_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/channels/testwait"
)

// A client that has no event of the channel is told where it begins before anything else:
// if its connection is cut after any frame from there on, it can go on. It is told once.
func TestResumeBeginsWithItsPosition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, b := resuming(t)
		b.fill(crmLine, 3)
		var mended atomic.Bool
		b.onRead(func(context.Context) error {
			time.Sleep(time.Second)
			if !mended.Load() {
				return errors.New("the database is away")
			}
			return nil
		})
		begins := connect(t, e, "1", "begins", words(""))
		w := want(t, crmLine)
		w.After, w.Begin = 2, true
		resumeWith(t, e, "A", begins, w)
		expect(t, begins, "in "+crmLine, position(2))
		time.Sleep(10 * time.Second)
		expect(t, begins)
		mended.Store(true)
		publish(t, e, b.write(crmLine))
		time.Sleep(10 * time.Second)
		publish(t, e, b.write(crmLine))
		expect(t, begins, numbered(3, 5)...)
		begins.Close()
	})
}

// A client that begins where the journal no longer reaches is told its position again.
func TestResumeBeginsTooLate(t *testing.T) {
	e, b := resuming(t)
	b.fill(crmLine, 9)
	b.prune(5)
	late := connect(t, e, "1", "late", words(""))
	w := want(t, crmLine)
	w.After, w.Begin = 2, true
	resumeWith(t, e, "A", late, w)
	late.await(t, 4)
	expect(t, late, "in "+crmLine, position(2), "failed "+crmLine+" 6 9", position(9))
}

// A long replay is asked about page by page, so that what a client has got is known even
// if it never reaches the end.
func TestResumeIsConfirmedByPage(t *testing.T) {
	e, b := resuming(t)
	b.fill(crmLine, 1200)
	a := connectPaced(t, e, "a", 700)
	resume(t, e, a.mailbox, crmLine, 0)
	select {
	case <-a.asked:
	case <-time.After(testwait.Long):
		t.Fatal("it is not asked")
	}
	a.Answered()
	if got, ok := e.Received(t.Context(), "1", "a", "A", crmLine); !ok || !got.Confirmed || got.Seq != 500 {
		t.Errorf("received %+v, %t", got, ok)
	}
	a.Close()
}
