package broadcasting_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels/testwait"
)

// busy keeps all readers of the history busy, with a socket of a person and a channel of its
// own for each. Its history must be slow.
func busy(t *testing.T, e *broadcasting.Engine) (others []*mailbox) {
	t.Helper()
	for i := range 4 {
		m := connect(t, e, "1", fmt.Sprint("other ", i), words(""))
		resumeAs(t, e, m.id, m, fmt.Sprint("private-", i), 0)
		others = append(others, m)
	}
	synctest.Wait()
	return others
}

// Sockets on both sides of the border between two parts of the journal share a read too.
func TestResumeSharesReadsAcrossPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, b := resuming(t)
		const missed = 1100
		b.fill(crmLine, missed)
		b.onRead(func(context.Context) error { time.Sleep(time.Second); return nil })
		boxes := busy(t, e)
		for _, after := range []int64{1001, 999, 1100, 700} {
			m := connect(t, e, "1", strconv.FormatInt(after, 10), words(""))
			resumeAs(t, e, m.id, m, crmLine, after)
			boxes = append(boxes, m)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		for i, m := range boxes {
			if after, err := strconv.Atoi(m.id); err == nil {
				checkOrder(t, m.id, m.take(), after, missed)
			} else if i >= 4 {
				t.Error(err)
			}
			m.Close()
		}
		if b.reads != 4+1 {
			t.Errorf("%d reads", b.reads)
		}
	})
}

// views is a history of many people, each of whom sees something else. What slow looks at
// never gets an answer.
type views struct {
	*book
	slow string // "view of R" or "page of R"

	mu       sync.Mutex
	deadline []time.Duration // of each question; guarded by mu
}

func (v *views) ask(ctx context.Context, what string) error {
	until, _ := ctx.Deadline()
	v.mu.Lock()
	v.deadline = append(v.deadline, time.Until(until))
	v.mu.Unlock()
	if what == v.slow {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (v *views) View(ctx context.Context, reader, _ string) (string, error) {
	return reader, v.ask(ctx, "view of "+reader)
}

func (v *views) Since(ctx context.Context, channel, view string, seq int64, limit int) (broadcasting.Missed, error) {
	if err := v.ask(ctx, "page of "+view); err != nil {
		return broadcasting.Missed{}, err
	}
	return v.book.Since(ctx, channel, "all", seq, limit)
}

// One question to the journal that takes too long does not end those of others who share
// a turn with it: each has its whole time.
func TestResumeLimitsEachRead(t *testing.T) {
	for _, slow := range []string{"view of 3", "page of 3"} {
		t.Run(slow, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e, b := broadcasting.NewEngine(broadcasting.Options{}), &book{}
				v := &views{book: b, slow: slow}
				running(t, e, v)
				b.fill(crmLine, 5)
				boxes := make([]*mailbox, 20)
				for i := range boxes {
					boxes[i] = connect(t, e, "1", strconv.Itoa(i), words(""))
					resumeAs(t, e, strconv.Itoa(i), boxes[i], crmLine, 2)
				}
				time.Sleep(35 * time.Second)
				for i, m := range boxes {
					if i != 3 {
						checkOrder(t, m.id, m.take(), 2, 5)
					}
				}
				v.mu.Lock()
				if i := slices.IndexFunc(v.deadline, func(d time.Duration) bool { return d < 30*time.Second }); i >= 0 {
					t.Errorf("question %d has %v", i, v.deadline[i])
				}
				v.mu.Unlock()
				for _, m := range boxes {
					m.Close()
				}
			})
		})
	}
}

// A client that subscribes and unsubscribes in a loop leaves nothing behind: neither reads,
// while others are read, nor questions for room, while it reads nothing.
func TestResumeInALoop(t *testing.T) {
	const loops = 1000
	t.Run("while reads are slow", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e, b := resuming(t)
			b.fill(crmLine, 3)
			b.onRead(func(context.Context) error { time.Sleep(time.Second); return nil })
			others := busy(t, e)
			a := connect(t, e, "1", "a", words(""))
			for range loops {
				resume(t, e, a, crmLine, 0)
				a.Unsubscribe(crmLine)
			}
			resume(t, e, a, crmLine, 1)
			time.Sleep(time.Hour)
			synctest.Wait()
			if b.views != 5 || b.reads != 5 {
				t.Errorf("%d views and %d reads", b.views, b.reads)
			}
			got := a.take()
			checkOrder(t, "the last", got[loops:], 1, 3)
			for _, m := range append(others, a) {
				m.Close()
			}
		})
	})
	t.Run("while there is no room", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e, b := resuming(t)
			b.fill(crmLine, 30)
			a := connectPaced(t, e, "a", 10)
			for range loops {
				resume(t, e, a.mailbox, crmLine, 0)
				synctest.Wait()
				a.Unsubscribe(crmLine)
			}
			for i := range 3 { // other channels of the same socket wait too
				b.fill(fmt.Sprint(crmLine, i), 1)
				resume(t, e, a.mailbox, fmt.Sprint(crmLine, i), 0)
			}
			synctest.Wait()
			a.mu.Lock()
			waiting := len(a.waiting)
			a.mu.Unlock()
			if waiting != 1 {
				t.Errorf("%d questions for room", waiting)
			}
			a.take()
			for range 3 {
				a.read()
				synctest.Wait()
			}
			if got := a.take(); len(got) != 2*3 { // of each its event and its position
				t.Errorf("then %q", got)
			}
			a.Close()
		})
	})
}

// A socket that ends before its turn is forgotten at once, and not when its turn comes.
func TestResumeForgetsEndedSockets(t *testing.T) {
	e, b := resuming(t)
	b.fill(crmLine, 3)
	release := make(chan struct{})
	defer close(release)
	b.onRead(func(context.Context) error { <-release; return nil })
	const readers, sockets = 4, 100
	var freed atomic.Int64
	for i := range readers + sockets {
		a := connect(t, e, "1", strconv.Itoa(i), words(""))
		resumeAs(t, e, a.id, a, fmt.Sprint("private-", i), 0)
		if i < readers {
			testwait.Count(t, "reads", i+1, func() int { b.mu.Lock(); defer b.mu.Unlock(); return b.reads })
			continue
		}
		runtime.AddCleanup(a, func(n *atomic.Int64) { n.Add(1) }, &freed)
		a.Close()
	}
	testwait.Count(t, "freed sockets", sockets-1, func() int { runtime.GC(); return int(freed.Load()) })
}

// What the reader may no longer read is not sent, also in the middle of a replay.
func TestResumeEndsInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, b := broadcasting.NewEngine(broadcasting.Options{}), &book{}
		v := &revoking{book: b}
		running(t, e, v)
		b.fill(crmLine, 1200)
		a := connectPaced(t, e, "a", 100)
		resume(t, e, a.mailbox, crmLine, 0)
		synctest.Wait()
		expect(t, a.mailbox, append([]string{"in " + crmLine}, numbered(1, 100)...)...)
		v.mu.Lock()
		v.revoked = true // without anybody telling the engine
		v.mu.Unlock()
		a.read()
		synctest.Wait()
		expect(t, a.mailbox, "revoked "+crmLine)
		if a.Channels() != 0 {
			t.Error("the socket is still in")
		}
		a.Close()
	})
}

// revoking is a history that a reader may lose.
type revoking struct {
	*book
	mu      sync.Mutex
	revoked bool // guarded by mu
}

func (r *revoking) View(ctx context.Context, reader, channel string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.revoked {
		return "", fmt.Errorf("as it happens: %w", broadcasting.ErrRevoked)
	}
	return r.book.View(ctx, reader, channel)
}
